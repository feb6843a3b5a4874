"""Whether scores come true: reliability in bins of equal mass, and the calibration error that they give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.measuring import finite
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.intervals import Interval, wilson
from modelops.domain.result import Series

BINS = 10

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class ErrorByChance:
    """What error scores without any would show: the mean, and how often it is as large as the one that was found."""

    mean: float
    p_value: float


@dataclass(frozen=True)
class Reliability:
    """Rows in bins of about equal mass by score, each array of shape (bins,).

    ``mass``, ``hits`` and ``totals`` are the weight of the rows, of the positive ones, and the weighted sum of the
    scores; ``rows`` counts them; ``lowest`` and ``highest`` are the ends of the scores. ``design_effect`` is how many
    rows are worth one independent row.
    """

    mass: Numbers
    hits: Numbers
    totals: Numbers
    rows: NDArray[np.int64]
    lowest: Numbers
    highest: Numbers
    design_effect: float = 1.0

    @property
    def observed(self) -> Numbers:
        """The share of positive rows in each bin."""
        return np.clip(self.hits / self.mass, 0.0, 1.0)

    @property
    def scores(self) -> Numbers:
        """The mean score of each bin."""
        return self.totals / self.mass

    @property
    def effective(self) -> Numbers:
        """How many independent rows each bin is worth."""
        return self.mass / self.design_effect

    def intervals(self, *, level: float) -> list[Interval]:
        """Return Wilson's interval of the share of positive rows of each bin."""
        pairs = zip(self.observed.tolist(), self.effective.tolist(), strict=True)
        return [wilson(share * total, total, level=level) for share, total in pairs]

    def series(self, name: str, *, level: float) -> Series:
        """Return the bins as one line of a reliability diagram."""
        ends = self.intervals(level=level)
        return Series(
            name=name,
            x=finite(self.scores),
            y=finite(self.observed),
            low=tuple(low for low, _ in ends),
            high=tuple(high for _, high in ends),
            size=tuple(int(total) for total in self.rows),
        )

    @property
    def error(self) -> float:
        """The expected calibration error: the mean distance of mean score and share of positive rows over the bins."""
        return float(np.sum(np.abs(self.hits - self.totals)) / self.mass.sum())

    def calibration_error(self, uncertainty: Uncertainty) -> tuple[float, Interval]:
        """Return the expected calibration error and its interval.

        Resampling adds to an absolute value what sampling has added once already; the reflected interval takes it off.
        """
        error = self.error
        drawn = self._errors_drawn(self.observed, uncertainty)
        tails = [(1 + uncertainty.level) / 2, (1 - uncertainty.level) / 2]
        low, high = 2 * error - np.quantile(drawn, tails)
        return error, (max(0.0, min(float(low), error)), max(float(high), error))

    def calibration_error_by_chance(self, uncertainty: Uncertainty) -> ErrorByChance:
        """Return the calibration error that scores without any would show with as many rows; p is (1 + b) / (1 + B).

        References
        ----------
        J. Bröcker, L. A. Smith, "Increasing the reliability of reliability diagrams", Weather and Forecasting 22, 2007.
        """
        drawn = self._errors_drawn(np.clip(self.scores, 0, 1), uncertainty)
        as_large = int(np.count_nonzero(drawn >= self.error - 1e-12))
        return ErrorByChance(float(drawn.mean()), (1 + as_large) / (1 + drawn.size))

    def _errors_drawn(self, shares: Numbers, uncertainty: Uncertainty) -> Numbers:
        sizes = np.maximum(np.rint(self.effective), 1).astype(np.int64)
        drawn = uncertainty.rng.binomial(sizes, shares, size=(uncertainty.draws, sizes.size)) / sizes
        return np.asarray(np.sum(np.abs(drawn - self.scores) * self.mass, axis=1) / self.mass.sum())


def reliability(
    scores: Numbers,
    positive: NDArray[np.bool_],
    *,
    weights: Numbers | None = None,
    design_effect: float = 1.0,
    bins: int = BINS,
) -> Reliability:
    """Put rows into up to ``bins`` bins of equal mass; equal scores stay together.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        In rising order, at least one.
    positive : ndarray of bool, shape (n,)
    weights : ndarray of shape (n,), optional
        Not all zero; bins without any weight are left out.

    Examples
    --------
    >>> found = reliability(np.array([0.1, 0.2, 0.7, 0.9]), np.array([False, False, True, True]), bins=2)
    >>> found.observed.tolist(), found.scores.round(2).tolist()
    ([0.0, 1.0], [0.15, 0.8])
    """
    weight = np.ones(scores.size) if weights is None else weights
    edges = np.unique(scores[(np.arange(1, bins) * scores.size) // bins])
    place = np.searchsorted(edges, scores, side="right")
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    mass = np.add.reduceat(weight, starts)
    filled = mass > 0
    ends = np.append(starts[1:], scores.size) - 1
    return Reliability(
        mass=mass[filled],
        hits=np.add.reduceat(weight * positive, starts)[filled],
        totals=np.add.reduceat(weight * scores, starts)[filled],
        rows=(ends - starts + 1)[filled],
        lowest=scores[starts][filled],
        highest=scores[ends][filled],
        design_effect=design_effect,
    )
