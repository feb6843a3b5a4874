"""The case with its values, for the page on which people edit it; kept apart from the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modelops.analyses.misclassified.queue import cells
from modelops.analyses.statistics.association import level_codes, ordered_values
from modelops.domain.record import Scalar
from modelops.domain.result import ResultTable

if TYPE_CHECKING:
    from modelops.analyses.what_if.display import Found

COLUMNS = (
    "feature",
    "kind",
    "value",
    "edited",
    "lowest",
    "highest",
    "levels",
    "nearest other case",
    "may change",
    "contribution",
)
LEVEL_SEPARATOR = "\n"
_MOST_LEVELS = 100
_WITHHELD = "withheld"


def case_paper(found: Found) -> ResultTable:
    """Return one row for each feature: its value, what it may be, the nearest real case; what matters most first.

    ``kind`` is ``number``, ``whole number``, ``time``, ``yes or no`` or ``level``; ``levels`` are separated by line
    breaks. Values of sensitive columns and identifiers of the other case are withheld: it is about somebody else.
    """
    case, roles = found.case, found.data.data.roles
    values = found.contributed.values
    by_name = dict(zip(found.contributed.players, values.phi[-1], strict=True))
    order = sorted(case.names, key=lambda name: (-abs(np.nan_to_num(by_name.get(name, 0.0))), case.names.index(name)))
    rows: list[tuple[Scalar, ...]] = []
    for name in order:
        column = case.model.pool[name]
        places = [case.original, case.edited, *([found.nearest] if found.nearest is not None else [])]
        shown = cells(column.iloc[places])
        other = shown[2] if len(shown) > 2 else None
        kind, low, high, levels = _extent(found, name)
        contribution = float(by_name[name]) if name in by_name and np.isfinite(by_name[name]) else None
        rows.append(
            (
                name,
                kind,
                shown[0],
                shown[1],
                low,
                high,
                levels,
                _WITHHELD if name in {*roles.sensitive, *roles.ids} else other,
                name not in found.permitted.fixed,
                contribution,
            )
        )
    return ResultTable(name="case", title=f"Row {case.row} with its values", columns=COLUMNS, rows=tuple(rows))


def _extent(found: Found, name: str) -> tuple[str, Scalar, Scalar, str | None]:
    column = found.case.model.pool[name]
    values = ordered_values(column)
    if values is None:
        codes, levels = level_codes(column.iloc[found.case.others])
        counts = np.bincount(codes, minlength=len(levels))
        frequent = [levels[k] for k in np.argsort(-counts, kind="stable")[:_MOST_LEVELS] if levels[k] != "(missing)"]
        kind = "yes or no" if column.dtype.kind == "b" else "level"
        return kind, None, None, LEVEL_SEPARATOR.join(frequent)
    known = np.flatnonzero(np.isfinite(values[found.case.others]))
    if column.dtype.kind == "M":
        kind = "time"
    else:
        finite = values[found.case.others][known]
        kind = "whole number" if known.size and np.array_equal(finite, np.rint(finite)) else "number"
    if not known.size:
        return kind, None, None, None
    ends = [known[int(np.argmin(values[known]))], known[int(np.argmax(values[known]))]]
    low, high = cells(column.iloc[ends])
    return kind, low, high, None
