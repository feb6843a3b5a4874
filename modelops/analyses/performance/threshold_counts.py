"""Confusion counts at every threshold of a grid, for all rows and each group: what the workbench computes from.

From these counts follow rates, intervals, costs and effects on groups for any cost matrix, without the rows. The table
is written into the result by `threshold_table` and read back by `ThresholdCounts.read`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.statistics.intervals import Interval
from modelops.analyses.statistics.rates import SELECTION_RATE, Rate
from modelops.domain.record import Scalar
from modelops.domain.result import AnalysisResult, ResultTable
from modelops.errors import NotMeasured

TABLE = "threshold_counts"
MOST_THRESHOLDS = 200
_COLUMNS = (
    *("column", "group", "threshold"),
    *("true negatives", "false positives", "false negatives", "true positives"),
)
_DIGITS = 6

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """All rows (no ``column``), or those with one ``level`` of a sensitive column."""

    column: str | None
    level: str | None

    @property
    def name(self) -> str:
        """What people call it."""
        return "all rows" if self.column is None else f"{self.column} = {self.level}"


@dataclass(frozen=True)
class ThresholdCounts:
    """Counts of shape (groups, thresholds, 2, 2) by label and prediction; the first group is all rows.

    ``design_effect`` is how many rows are worth one independent row, as weights and repeated entities make it.
    """

    thresholds: Numbers
    groups: tuple[Group, ...]
    counts: Numbers
    design_effect: float = 1.0

    @classmethod
    def read(cls, result: AnalysisResult) -> ThresholdCounts:
        """Read the counts of a result.

        Raises
        ------
        NotMeasured
            If the result has none: it is not one of `performance` on scores of two classes, or of an earlier version.
        """
        table = next((one for one in result.tables if one.name == TABLE), None)
        if table is None or not table.rows:
            raise NotMeasured(
                "This result holds no counts by threshold: the workbench needs performance on scores of two classes. "
                "A result of an earlier version of the app lacks them; run it again."
            )
        groups = tuple(dict.fromkeys((row[0], row[1]) for row in table.rows))
        numbers = np.array([row[2:] for row in table.rows], dtype=np.float64).reshape(len(groups), -1, 5)
        worth = result.find("effective_sample_size")
        effect = worth.sample_size / worth.value if worth is not None and worth.value else 1.0
        return cls(
            numbers[0, :, 0],
            tuple(Group(_text(column), _text(level)) for column, level in groups),
            numbers[..., 1:].reshape(len(groups), -1, 2, 2),
            effect,
        )

    def nearest(self, threshold: float) -> int:
        """Return the place of the threshold of the grid that is closest."""
        return int(np.abs(self.thresholds - threshold).argmin())

    def cost(self, costs: Numbers, group: int = 0) -> Numbers:
        """Return the mean cost of a decision at each threshold, given costs of shape (2, 2)."""
        counts = self.counts[group]
        return np.asarray((counts * costs).sum(axis=(-2, -1)) / counts.sum(axis=(-2, -1)))

    def allowed(self, capacity: float | None) -> NDArray[np.bool_]:
        """Return which thresholds select no more than the share ``capacity`` of the rows; without one, all."""
        if capacity is None:
            return np.ones(len(self.thresholds), dtype=np.bool_)
        return np.asarray(SELECTION_RATE.share(self.counts[0]) <= capacity + 1e-12)

    def selecting(self, share: float, *, near: float) -> int:
        """Return the place of the threshold that selects as close to ``share`` of the rows as any.

        Of those that are equally close, the one closest to the threshold ``near``.
        """
        apart = np.abs(SELECTION_RATE.share(self.counts[0]) - share)
        closest = np.flatnonzero(apart <= apart.min() + 1e-9)
        return int(closest[np.abs(self.thresholds[closest] - near).argmin()])

    def cheapest(self, costs: Numbers, *, capacity: float | None = None) -> int | None:
        """Return the place of the threshold with the lowest cost among those that the capacity allows.

        ``None`` if every threshold of the grid selects more than ``capacity``.
        """
        allowed = self.allowed(capacity)
        if not allowed.any():
            return None
        return int(np.where(allowed, self.cost(costs), np.inf).argmin())

    def rate(self, rate: Rate, place: int, group: int = 0) -> tuple[float | None, Interval | None]:
        """Return one rate of one group at one threshold with its Wilson interval; ``None`` where it is not defined."""
        counts = self.counts[group, place]
        share = float(rate.share(counts))
        return (None if np.isnan(share) else share), rate.interval(counts, design_effect=self.design_effect)

    def denominator(self, rate: Rate, place: int, group: int = 0) -> int:
        """Return how many rows count for a rate: for precision those selected, for recall the positives."""
        return round(float(rate.of(self.counts[group, place])[1]))


def threshold_table(
    thresholds: Numbers, overall: Numbers, groups: Mapping[str, tuple[Sequence[str], Numbers]]
) -> ResultTable:
    """Return the counts as a table of the result.

    Parameters
    ----------
    thresholds : ndarray of shape (m,)
    overall : ndarray of shape (m, 2, 2)
    groups : mapping of column to its levels and their counts of shape (levels, m, 2, 2)
    """
    lines = _lines(None, None, thresholds, overall)
    for column, (levels, counts) in groups.items():
        for level, one in zip(levels, counts, strict=True):
            lines += _lines(column, level, thresholds, one)
    return ResultTable(
        name=TABLE,
        title="Counts at each threshold, for the workbench",
        columns=_COLUMNS,
        rows=tuple(lines),
        note="Without a group: all rows. A score of at least the threshold counts as positive.",
    )


def _lines(column: str | None, level: str | None, thresholds: Numbers, counts: Numbers) -> list[tuple[Scalar, ...]]:
    cells = np.round(counts.reshape(-1, 4), _DIGITS)
    return [(column, level, *line) for line in np.column_stack([thresholds, cells]).tolist()]


def _text(value: Scalar) -> str | None:
    return None if value is None else str(value)
