"""Errors of a regression: how they are spread, and which to read first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.measuring import Findings, finite, measured, shown, thinned
from modelops.analyses.performance.regression import Quantities
from modelops.analyses.statistics.bootstrap import Uncertainty, draws_of_means, percentile_interval
from modelops.domain.record import Scalar
from modelops.domain.result import Curve, Series, Shape

_PARTS = 10

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Errors:
    """Rows of a regression; what one unit too much and one unit too little cost."""

    rows: Quantities
    cost_too_high: float
    cost_too_low: float
    uncertainty: Uncertainty

    @cached_property
    def size(self) -> Numbers:
        """How far each prediction is off."""
        return np.asarray(np.abs(self.rows.errors))

    @cached_property
    def cost(self) -> Numbers:
        """What each error costs."""
        return np.asarray(self.size * np.where(self.rows.errors > 0, self.cost_too_high, self.cost_too_low))

    @cached_property
    def suspicion(self) -> Numbers:
        """How many times the usual error of predictions of that size: what stands out there may be a wrong label."""
        predicted = self.rows.predicted
        edges = np.unique(np.quantile(predicted, np.arange(1, _PARTS) / _PARTS))
        part = np.searchsorted(edges, predicted, side="left")
        usual = np.array([np.median(self.size[part == k]) if (part == k).any() else 0.0 for k in range(edges.size + 1)])
        scale = np.where(usual > 0, usual, max(float(np.median(self.size)), np.finfo(float).tiny))
        return np.asarray(self.size / scale[part])

    def findings(self) -> Findings:
        """Measure the errors."""
        found = Findings(notes=[self.rows.how.note] if self.rows.how.note else [])
        how, n = self.rows.how, self.rows.n_rows
        drawn = draws_of_means(
            self.size[:, None], self.uncertainty, weights=how.weights, design_effect=how.design_effect
        )
        level = self.uncertainty.level
        mean = float(np.average(self.size, weights=how.weights))
        interval = percentile_interval(drawn[:, 0], level=level)
        found.measurements += [
            measured("mean_absolute_error", mean, size=n, interval=interval, level=level),
            measured("max_error", float(self.size.max()), size=n),
        ]
        if self.size.any():
            found.curves.append(self._concentration())
        return found

    def _concentration(self) -> Curve:
        ordered = np.sort(self.size)[::-1]
        share = np.cumsum(ordered) / ordered.sum()
        rows = np.arange(1, ordered.size + 1) / ordered.size
        kept = thinned(rows)
        return Curve(
            name="error_concentration",
            title="How much of all error lies in the worst rows",
            shape=Shape.LINE,
            x_title="Share of the rows, the worst first",
            y_title="Share of the sum of all errors",
            series=(Series(name="errors", x=finite(rows[kept]), y=finite(share[kept])),),
            reference="diagonal",
            note="The further above the diagonal, the more a few rows make up the error.",
        )

    def rank(self, order: str, keys: NDArray[np.uint64]) -> tuple[Numbers, str | None]:
        """Return how soon each row is to be read (NaN: it is exactly right)."""
        by = {"cost": self.cost, "label_suspicion": self.suspicion, "random": keys.astype(np.float64)}
        return np.where(self.size > 0, by.get(order, self.size), np.nan), None

    def table_columns(self) -> tuple[str, ...]:
        """Return what the queue says of a case, beside row number, true and predicted value."""
        return ("error", "cost", "times the usual error")

    def cells(self, place: int) -> tuple[Scalar, ...]:
        """Return the cells of one case in the queue."""
        numbers = (
            self.rows.truth[place],
            self.rows.predicted[place],
            self.rows.errors[place],
            self.cost[place],
            self.suspicion[place],
        )
        return tuple(shown(float(number)) for number in numbers)
