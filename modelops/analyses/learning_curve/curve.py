"""The learning curve with its uncertainty, and what the power law makes of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.learning_curve.power_law import PowerLaw, fitted
from modelops.analyses.learning_curve.training import Scores
from modelops.analyses.statistics.bootstrap import Uncertainty, percentile_interval
from modelops.analyses.statistics.intervals import Interval, normal_quantile

FEWEST_SIZES = 3

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class LearningCurve:
    """The mean score at each size, its draws of shape (n_draws, n_sizes), and the power laws of both.

    ``law`` holds the fit to the means, ``laws`` those to the draws; ``None`` with fewer than three sizes.
    """

    scores: Scores
    means: Numbers
    drawn: Numbers
    level: float
    law: PowerLaw | None
    laws: PowerLaw | None

    @property
    def n_rows(self) -> int:
        """The largest number of training rows."""
        return int(self.scores.sizes[-1])

    def interval(self, place: int) -> Interval | None:
        """Return the interval of the score at one size."""
        return percentile_interval(self.drawn[:, place], level=self.level)

    def last_doubling(self) -> tuple[float, Interval | None]:
        """Return by how much the score rose from half of the rows to all."""
        if len(self.means) < 2:
            return np.nan, None
        draws = self.drawn[:, -1] - self.drawn[:, -2]
        return float(self.means[-1] - self.means[-2]), percentile_interval(draws, level=self.level)

    def expected(self, rows: float) -> tuple[float, Interval | None]:
        """Return the score to be expected: what all the rows gave, and what the law adds; endless rows are the limit.

        NaN with fewer than three sizes.
        """
        if self.law is None or self.laws is None:
            return np.nan, None
        factor = rows / self.n_rows
        gains = [law.gain(self.n_rows, factor=factor) for law in (self.law, self.laws)]
        return self.of_law(np.minimum(self.means[-1:] + gains[0], 1.0), np.minimum(self.drawn[:, -1] + gains[1], 1.0))

    def of_law(self, value: Numbers, draws: Numbers) -> tuple[float, Interval | None]:
        """Return a number of the fitted law with its interval, which holds the number."""
        estimate = float(value[0])
        ends = percentile_interval(draws, level=self.level)
        return estimate, ends and (min(ends[0], estimate), max(ends[1], estimate))


def learning_curve(
    scores: Scores, uncertainty: Uncertainty, *, entities: NDArray[np.int64] | None = None
) -> LearningCurve:
    """Resample test rows and repeats together, and fit a power law to each resampled curve.

    All sizes share the test rows of a draw, so what test rows have in common does not blur the gain between sizes.
    Resampled, a few repeats spread too little: by the root of ``(r - 1) / r``, and by as much as Student's t exceeds
    the normal quantile. Both are put right; in simulation the interval of the next gain then holds the true one in 92 %
    of the runs or more, without it in 82 to 87 %.

    Parameters
    ----------
    entities : ndarray of shape (n_test,), optional
        A code for the entity of each test row: whole entities are drawn.
    """
    rng, draws = uncertainty.rng, uncertainty.draws
    _, n_repeats = scores.values.shape
    n_test = scores.influences.shape[2]
    times = _times_drawn(n_test, entities, draws, rng)
    shifts = np.einsum("bi,sri->bsr", times, scores.influences, optimize=True) / n_test
    chosen = rng.multinomial(n_repeats, np.full(n_repeats, 1 / n_repeats), size=draws) / n_repeats
    means = scores.values.mean(axis=1)
    wider = _widening(n_repeats, uncertainty.level)
    deviations = (scores.values - means[:, None]) * wider
    drawn = means + np.einsum("bsr,br->bs", shifts + deviations, chosen, optimize=True)
    law = laws = None
    if len(means) >= FEWEST_SIZES:
        # What all sizes of a draw have in common moves the curve as a whole and says nothing of its shape.
        variances = (drawn - drawn.mean(axis=1, keepdims=True)).var(axis=0)
        # Variances of a few repeats are themselves uncertain: half of the way to their mean.
        variances = (variances + variances.mean()) / 2
        law = fitted(scores.sizes.astype(np.float64), 1 - means[None], variances)
        laws = fitted(scores.sizes.astype(np.float64), 1 - drawn, variances)
    return LearningCurve(scores, means, drawn, uncertainty.level, law, laws)


def _widening(n_repeats: int, level: float) -> float:
    from scipy.special import stdtrit

    if n_repeats < 2:
        return 1.0
    student = float(stdtrit(n_repeats - 1, (1 + level) / 2)) / normal_quantile(level)
    return math.sqrt(n_repeats / (n_repeats - 1)) * student


def _times_drawn(n_test: int, entities: NDArray[np.int64] | None, draws: int, rng: np.random.Generator) -> Numbers:
    """How often each test row is in each resample, shape (draws, n_test)."""
    codes = np.arange(n_test) if entities is None else np.unique(entities, return_inverse=True)[1]
    units = int(codes.max()) + 1
    counts = np.stack([np.bincount(rng.integers(0, units, units), minlength=units) for _ in range(draws)])
    return counts[:, codes].astype(np.float64)
