"""Weak segments and the tree of errors: found on the first half of the rows, measured on the second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.measuring import Findings, measured, shown
from modelops.analyses.subpopulations.columns import Column
from modelops.analyses.subpopulations.contrast import Law, Moments, moments
from modelops.analyses.subpopulations.groups import (
    Compared,
    adjusted,
    comparison_titles,
    contrast_cells,
    forest,
    group_measurements,
)
from modelops.analyses.subpopulations.losses import Losses
from modelops.analyses.subpopulations.segments import Search
from modelops.analyses.subpopulations.tree import Leaf, Tree
from modelops.domain.record import Scalar
from modelops.domain.result import ResultTable

NO_SEGMENT = "(none is worse)"

# What is measured of a segment, and its value where a segment is as good as all other rows.
_OF_A_SEGMENT = {"subgroup_loss_difference": 0.0, "subgroup_loss_ratio": 1.0}


@dataclass(frozen=True)
class Halves:
    """The rows, their columns of levels, which rows confirm (``second``), and the ``smallest`` number of a group."""

    found: Losses
    columns: Sequence[Column]
    second: NDArray[np.bool_]
    smallest: float

    def part(self, mask: NDArray[np.bool_]) -> Moments:
        """Return the moments of some rows."""
        weights = self.found.weights
        return moments(self.found.values[mask], None if weights is None else weights[mask])


@dataclass(frozen=True)
class WeakSegments:
    """Segments as measured on the second half, and which of them are really worse there."""

    findings: Findings
    compared: tuple[Compared, ...]
    confirmed: tuple[Compared, ...]


def weak_segments(
    halves: Halves,
    law: Law,
    *,
    depth: int,
    most: int,
    pair_columns: int,
    alpha: float,
    progress: Callable[[float], None],
) -> WeakSegments:
    """Search on the first half, measure on the second; p-values adjusted for the segments that were found."""
    first = np.flatnonzero(~halves.second)
    found = halves.found
    whole_first, whole = halves.part(~halves.second), halves.part(halves.second)
    sheet = Findings()
    if min(whole_first.rows, whole.rows) < 2 * halves.smallest:
        reason = f"Each half needs at least {2 * halves.smallest:,.0f} rows; the smaller one has "
        reason += f"{min(whole_first.rows, whole.rows):,}."
        for name in ("confirmed_weak_segment_count", *_OF_A_SEGMENT):
            sheet.measurements.append(measured(name, None, size=whole.rows, otherwise=reason))
        sheet.notes.append(f"No weak segments were looked for. {reason}")
        return WeakSegments(sheet, (), ())
    search = Search(
        columns=[column.take(first) for column in halves.columns],
        values=found.values[first],
        weights=None if found.weights is None else found.weights[first],
        smallest=halves.smallest,
        pair_columns=pair_columns,
    )
    segments = search.found(depth=depth, most=most, progress=progress)
    before, compared, left = [], [], np.ones(found.values.size, dtype=bool)
    for segment in segments:
        # As they were found: without the rows of the segments before. So no row counts twice.
        inside = segment.holds(halves.columns) & left
        before.append(law.contrast(halves.part(inside & ~halves.second), halves.part(left & ~halves.second)))
        part, rest = halves.part(inside & halves.second), halves.part(left & halves.second)
        name = segment.text(halves.columns)
        contrast = law.contrast(part, rest) if part.weight > 0 else None
        compared.append(Compared(name, {"segment": name}, part, contrast))
        left &= ~inside
    compared = adjusted(compared)
    confirmed = tuple(
        one for one in compared if one.contrast is not None and one.contrast.difference > 0 and one.adjusted < alpha
    )
    count = float(len(confirmed))
    sheet.measurements.append(
        measured(
            "confirmed_weak_segment_count",
            count,
            size=whole.rows,
            note=f"Of {len(segments)} found on the other half; adjusted p below {alpha:g}.",
        )
    )
    for one in compared:
        sheet.measurements += group_measurements(found, one, law, minimum_rows=1)
    if not compared:
        note = (
            f"No group of at least {halves.smallest:,.0f} rows is worse than all others on the half that was searched."
        )
        for name, alike in _OF_A_SEGMENT.items():
            scope = {"segment": NO_SEGMENT}
            sheet.measurements.append(measured(name, alike, size=whole.rows, scope=scope, note=note))
    if segments:
        title = "Weak segments, measured on rows they were not found on"
        sheet.curves += forest(found, compared, law, whole, name="weak_segments", title=title)
        sheet.tables.append(
            ResultTable(
                name="weak_segments",
                title="Weak segments: found on one half of the rows, measured on the other",
                columns=(
                    "segment",
                    "rows",
                    *comparison_titles(found),
                    "confirmed",
                    "worse by on the half it was found on",
                ),
                rows=tuple(
                    (
                        one.name,
                        one.moments.rows,
                        *contrast_cells(found, one),
                        one in confirmed,
                        shown(earlier.difference),
                    )
                    for one, earlier in zip(compared, before, strict=True)
                ),
                note="Each without the rows of the segments above it. The last column is too large on average: the "
                "worst of many was picked there. Trust the others.",
            )
        )
    return WeakSegments(sheet, tuple(compared), confirmed)


def error_tree(halves: Halves, law: Law, *, depth: int, alpha: float) -> Findings:
    """Grow the tree on the first half and measure its leaves on the second."""
    found = halves.found
    whole = halves.part(halves.second)
    tree = Tree(
        columns=halves.columns,
        values=found.values,
        weights=found.weights,
        grown_on=~halves.second,
        effect=found.effect,
        smallest=halves.smallest,
        depth=depth,
        alpha=alpha,
    )
    leaves = tree.leaves()
    sheet = Findings()
    if len(leaves) == 1:
        sheet.notes.append(
            "The tree of errors has no branches: no division of the rows stands out from what chance would give."
        )
        return sheet
    rows: list[tuple[Scalar, ...]] = []
    for number, leaf in enumerate(leaves, start=1):
        part = halves.part(leaf.rows & halves.second)
        rows.append((number, *_leaf_cells(found, leaf, part, law, depth)))
        contrast = law.contrast(part, whole) if part.weight > 0 else None
        scope = {"leaf": leaf.name}
        if contrast is None:
            sheet.measurements.append(
                measured(
                    "leaf_loss_difference", None, size=0, scope=scope, otherwise="No row of the second half is here."
                )
            )
            continue
        sheet.measurements += [
            measured(
                found.metric,
                found.shown(part.mean),
                size=part.rows,
                scope=scope,
                interval=found.interval_shown(contrast.mean_interval),
                level=law.level,
            ),
            measured(
                "leaf_loss_difference",
                contrast.difference,
                size=part.rows,
                scope=scope,
                interval=contrast.interval,
                level=law.level,
            ),
        ]
    sheet.tables.append(
        ResultTable(
            name="error_tree",
            title="Where the model errs: a tree grown on one half of the rows, its leaves measured on the other",
            columns=(
                "leaf",
                *(f"{_ORDINALS[step]} question" for step in range(depth)),
                "rows",
                found.metric.replace("_", " "),
                "low",
                "high",
            ),
            rows=tuple(rows),
            note="Read a row from left to right: the answers that lead to this leaf.",
        )
    )
    return sheet


_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def _leaf_cells(found: Losses, leaf: Leaf, part: Moments, law: Law, depth: int) -> tuple[Scalar, ...]:
    steps = (*leaf.steps, *("",) * (depth - len(leaf.steps)))
    interval = found.interval_shown(law.mean_interval(part)) or (None, None)
    value = shown(found.shown(part.mean)) if part.weight > 0 else None
    return (*steps, part.rows, value, *(shown(end) if end is not None else None for end in interval))
