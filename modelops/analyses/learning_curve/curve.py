"""The learning curve with its uncertainty, and what the power law makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.learning_curve.power_law import PowerLaw, fitted
from modelops.analyses.learning_curve.training import Scores
from modelops.analyses.statistics.bootstrap import Uncertainty, percentile_interval
from modelops.analyses.statistics.intervals import Interval

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

    def of_law(self, value: Numbers, draws: Numbers) -> tuple[float, Interval | None]:
        """Return a number of the fitted law with its interval, which holds the number."""
        estimate = float(value[0])
        ends = percentile_interval(draws, level=self.level)
        return estimate, ends and (min(ends[0], estimate), max(ends[1], estimate))


def learning_curve(
    scores: Scores, uncertainty: Uncertainty, *, entities: NDArray[np.int64] | None = None
) -> LearningCurve:
    """Resample test rows and repeats together, and fit a power law to each resampled curve.

    All sizes share the test rows of a draw, so what test rows have in common does not blur the gain between sizes. The
    repeats spread a little too little for their number, by the root of ``(r - 1) / r``, which is put right.

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
    wider = np.sqrt(n_repeats / (n_repeats - 1)) if n_repeats > 1 else 1.0
    deviations = (scores.values - means[:, None]) * wider
    drawn = means + np.einsum("bsr,br->bs", shifts + deviations, chosen, optimize=True)
    law = laws = None
    if len(means) >= FEWEST_SIZES:
        variances = drawn.var(axis=0)
        law = fitted(scores.sizes.astype(np.float64), 1 - means[None], variances)
        laws = fitted(scores.sizes.astype(np.float64), 1 - drawn, variances)
    return LearningCurve(scores, means, drawn, uncertainty.level, law, laws)


def _times_drawn(n_test: int, entities: NDArray[np.int64] | None, draws: int, rng: np.random.Generator) -> Numbers:
    """How often each test row is in each resample, shape (draws, n_test)."""
    codes = np.arange(n_test) if entities is None else np.unique(entities, return_inverse=True)[1]
    units = int(codes.max()) + 1
    counts = np.stack([np.bincount(rng.integers(0, units, units), minlength=units) for _ in range(draws)])
    return counts[:, codes].astype(np.float64)
