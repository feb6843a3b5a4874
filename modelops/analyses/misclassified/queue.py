"""The queue of cases to be read: in which order, as a table of row numbers, and the cases with their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import EvaluationData, Sample
from modelops.analyses.composed import content_keys, hashed
from modelops.domain.columns import ColumnRoles
from modelops.domain.record import Scalar
from modelops.domain.result import ResultTable

if TYPE_CHECKING:
    import pandas as pd

FIRST_COLUMNS = ("row", "true", "predicted")
_MOST_COLUMNS = 200
_LONGEST = 1_000
# JSON holds no whole number beyond this exactly; an identifier that is larger becomes text.
_EXACT = 2**53

Numbers = NDArray[np.float64]


def row_keys(sample: Sample, rows: NDArray[np.intp], parts: Sequence[np.ndarray], *, seed: int) -> NDArray[np.uint64]:
    """Return a key for each of ``rows`` that follows from its content and the seed: it decides between equal cases."""
    names = (*sample.roles.features, *sample.roles.ids)
    columns = [hashed(sample.series(name))[rows] for name in names]
    return np.asarray(content_keys([*parts, *columns], rows.size, seed=seed))


def first_by(rank: Numbers, keys: NDArray[np.uint64], most: int) -> NDArray[np.intp]:
    """Return the places of the ``most`` largest ranks, the largest first; missing ranks last, ties by key."""
    known = np.where(np.isnan(rank), -np.inf, rank)
    return np.lexsort((keys, -known))[:most]


def row_number(row: int) -> int:
    """Return the number of a row as people count: the first row of the table is 1."""
    return int(row) + 1


def shown_columns(roles: ColumnRoles) -> tuple[str, ...]:
    """Return what a reader of a case sees beside its outcome: identifiers, time, features. Not what is only audited."""
    outcome = {roles.target, roles.prediction, *roles.scores}
    found = dict.fromkeys([*roles.ids, *([roles.time] if roles.time else []), *roles.features])
    return tuple(name for name in found if name not in outcome)[:_MOST_COLUMNS]


def cases(data: EvaluationData, queue: ResultTable) -> ResultTable:
    """Return the rows of the queue with their values, as text or numbers, in the order of the queue."""
    names = shown_columns(data.data.roles)
    rows = np.array([int(row[0]) - 1 for row in queue.rows if isinstance(row[0], int)], dtype=np.intp)
    columns = [cells(data.data.series(name).iloc[rows]) for name in names]
    by_case = zip(*columns, strict=True) if columns else [()] * rows.size
    return ResultTable(
        name="cases",
        title="The queued cases with their values",
        columns=(*queue.columns, *names),
        rows=tuple((*row, *values) for row, values in zip(queue.rows, by_case, strict=True)),
    )


def cells(column: pd.Series[Any]) -> list[Scalar]:
    """Return values as a person reads them: numbers as numbers, all else as text, ``None`` where missing.

    Examples
    --------
    >>> import pandas as pd
    >>> cells(pd.Series([1.5, None])), cells(pd.Series(["a", None]))
    ([1.5, None], ['a', None])
    """
    present = column.notna().to_numpy()
    found: list[Scalar] = []
    for value, there in zip(column, present, strict=True):
        if not there:
            found.append(None)
        elif column.dtype.kind == "b":
            found.append(bool(value))
        elif column.dtype.kind in "iu" and abs(int(value)) <= _EXACT:
            found.append(int(value))
        elif column.dtype.kind == "f" and np.isfinite(value):
            found.append(float(value))
        else:
            text = str(value)
            found.append(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}")
    return found
