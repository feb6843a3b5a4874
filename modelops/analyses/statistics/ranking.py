"""How well scores put positives before negatives: ROC, precision-recall, gain, and the area under the ROC curve.

Everything comes from one sort of the scores; equal scores are one step, so the order of the rows never matters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.cores.confusion_counts import resampled_counts
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.intervals import LEVEL, Interval, normal_quantile, two_sided_p_value
from modelops.errors import InvalidInput, NotMeasured

_BINS = 2000

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """The rows by falling score, equal scores together.

    ``thresholds``, ``negatives`` and ``positives`` have shape (m,): for each distinct score, from the largest, the
    score and the weight of the negative and positive rows that have at least this score.
    """

    thresholds: Numbers
    negatives: Numbers
    positives: Numbers

    @property
    def n_negatives(self) -> float:
        """The weight of all negative rows."""
        return float(self.negatives[-1])

    @property
    def n_positives(self) -> float:
        """The weight of all positive rows."""
        return float(self.positives[-1])

    @property
    def steps(self) -> Numbers:
        """The weight of negatives and positives at each distinct score, shape (2, m)."""
        return np.stack([np.diff(self.negatives, prepend=0.0), np.diff(self.positives, prepend=0.0)])

    def at(self, thresholds: Numbers) -> tuple[Numbers, Numbers]:
        """Return the weight of negatives and of positives that have at least each of these scores."""
        place = np.searchsorted(-self.thresholds, -thresholds, side="right")
        return np.append(0.0, self.negatives)[place], np.append(0.0, self.positives)[place]


def ranked(scores: Numbers, positive: NDArray[np.bool_], *, weights: Numbers | None = None) -> Ranking:
    """Sort rows by score.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Finite.
    positive : ndarray of bool, shape (n,)
    weights : ndarray of shape (n,), optional

    Raises
    ------
    NotMeasured
        If there are no rows.
    """
    if not scores.size:
        raise NotMeasured("There are no rows with a score and a label.")
    order = np.argsort(scores)[::-1]
    sorted_scores = scores[order]
    last = np.append(np.flatnonzero(np.diff(sorted_scores)), scores.size - 1)
    weight = np.ones(scores.size) if weights is None else weights[order]
    hit = np.where(positive[order], weight, 0.0)
    positives = np.cumsum(hit)[last]
    return Ranking(sorted_scores[last], np.maximum(np.cumsum(weight)[last] - positives, 0.0), positives)


def area_under_roc(steps: Numbers) -> Numbers:
    """Return the area from the weight of negatives and positives at each step, shape (..., 2, m), falling scores.

    The share of pairs of a positive and a negative row that are in the right order; equal scores count half. NaN
    without negatives or positives.
    """
    negatives, positives = steps[..., 0, :], steps[..., 1, :]
    below = negatives.sum(axis=-1, keepdims=True) - np.cumsum(negatives, axis=-1)
    pairs = negatives.sum(axis=-1) * positives.sum(axis=-1)
    right = np.sum(positives * (below + negatives / 2), axis=-1)
    return _ratio(right, pairs)


def average_precision(steps: Numbers) -> Numbers:
    """Return the mean over the positives of the precision at their score, as scikit-learn does."""
    positives = steps[..., 1, :]
    found = np.cumsum(positives, axis=-1)
    seen = np.cumsum(steps.sum(axis=-2), axis=-1)
    precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
    total = positives.sum(axis=-1)
    weighed = np.sum(positives * precision, axis=-1)
    return _ratio(weighed, total)


def gain(steps: Numbers, share: float) -> Numbers:
    """Return which share of the positives is among the ``share`` of the rows with the largest scores.

    Where the cut falls among rows of equal score, they count in proportion.
    """
    seen = np.cumsum(steps.sum(axis=-2), axis=-1)
    found = np.cumsum(steps[..., 1, :], axis=-1)
    wanted = share * seen[..., -1:]
    place = np.minimum(np.sum(seen < wanted * (1 - 1e-12), axis=-1, keepdims=True), seen.shape[-1] - 1)
    mass = np.take_along_axis(steps.sum(axis=-2), place, -1)
    hits = np.take_along_axis(steps[..., 1, :], place, -1)
    excess = np.take_along_axis(seen, place, -1) - wanted
    part = np.divide(excess, mass, out=np.zeros_like(mass), where=mass > 0)
    reached = (np.take_along_axis(found, place, -1) - hits * part)[..., 0]
    total = found[..., -1]
    return _ratio(reached, total)


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    share: Numbers = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
    return share


def resampled_steps(
    ranking: Ranking, uncertainty: Uncertainty, *, design_effect: float = 1.0
) -> tuple[Numbers, Numbers]:
    """Resample the rows within negatives and within positives, as weights at each step.

    Beyond 2,000 distinct scores neighbours are merged to bins of about equal weight; the second array holds the bins
    themselves, so that the caller can shift the draws by what the binning changes.

    Returns
    -------
    tuple of ndarray
        The draws of shape (draws, 2, m) and the binned steps of shape (2, m).
    """
    steps = ranking.steps
    if steps.shape[1] > _BINS:
        seen = np.cumsum(steps.sum(axis=0))
        bins = np.minimum((seen / seen[-1] * _BINS).astype(np.int64), _BINS - 1)
        steps = np.stack([np.bincount(bins, weights=row, minlength=_BINS) for row in steps])
    drawn = resampled_counts(steps, draws=uncertainty.draws, rng=uncertainty.rng, strata=1, design_effect=design_effect)
    return drawn, steps


@dataclass(frozen=True)
class Area:
    """The area under the ROC curve with DeLong's standard error; ``None`` with fewer than two rows of a class."""

    value: float
    error: float | None
    n_negatives: int
    n_positives: int

    def interval(self, *, level: float = LEVEL) -> Interval | None:
        """Return the interval on the log odds of the area, which never leaves 0 to 1.

        Where every pair is in the right (or every one in the wrong) order, the standard error is 0 and says nothing;
        then Newcombe's score interval is used.

        References
        ----------
        R. G. Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic, part 2",
        Statistics in Medicine 25, 2006.
        """
        z = normal_quantile(level)
        if self.error is None or self.error <= 0 or not 0 < self.value < 1:
            return _newcombe_area(self.value, self.n_negatives, self.n_positives, z)
        odds = math.log(self.value / (1 - self.value))
        half = z * self.error / (self.value * (1 - self.value))
        return 1 / (1 + math.exp(-(odds - half))), 1 / (1 + math.exp(-min(odds + half, 700.0)))


def area(
    scores: Numbers, positive: NDArray[np.bool_], *, weights: Numbers | None = None, design_effect: float = 1.0
) -> Area:
    """Return the area under the ROC curve with its standard error by DeLong's placements.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Finite.
    positive : ndarray of bool, shape (n,)
    weights : ndarray of shape (n,), optional
        Their unequal size is accounted for here; ``design_effect`` is for repeated entities.

    Raises
    ------
    NotMeasured
        If there are no positives or no negatives.

    References
    ----------
    E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the areas under two or more correlated receiver
    operating characteristic curves", Biometrics 44, 1988.

    Examples
    --------
    >>> found = area(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    >>> found.value
    0.75
    """
    value, placements = _placements(scores, positive, weights)
    if min(part.size for part, _ in placements) < 2:
        return Area(value, None, placements[1][0].size, placements[0][0].size)
    variance = sum(_mean_variance(part, weight) for part, weight in placements) * design_effect
    return Area(value, math.sqrt(variance), placements[1][0].size, placements[0][0].size)


@dataclass(frozen=True)
class PairedAreas:
    """Two scores on the same rows: first area minus second, its standard error, interval and p-value."""

    first: float
    second: float
    difference: float
    error: float
    interval: Interval
    p_value: float


def paired_areas(
    first: Numbers,
    second: Numbers,
    positive: NDArray[np.bool_],
    *,
    weights: Numbers | None = None,
    design_effect: float = 1.0,
    level: float = LEVEL,
) -> PairedAreas:
    """Compare the areas of two scores on the same rows by DeLong's test.

    Unequal ``weights`` are accounted for here; ``design_effect`` is for repeated entities, as in `area`.

    Raises
    ------
    NotMeasured
        If there are fewer than two positives or two negatives.
    """
    (a, placed_a), (b, placed_b) = (_placements(scores, positive, weights) for scores in (first, second))
    if min(part.size for part, _ in placed_a) < 2:
        raise NotMeasured("Comparing two areas needs at least two positive and two negative rows.")
    variance = sum(_mean_variance(x - y, weight) for (x, weight), (y, _) in zip(placed_a, placed_b, strict=True))
    error, difference = math.sqrt(variance * design_effect), a - b
    half = normal_quantile(level) * error
    p_value = two_sided_p_value(difference / error) if error > 0 else float(difference == 0)
    return PairedAreas(a, b, difference, error, (max(-1.0, difference - half), min(1.0, difference + half)), p_value)


def placements(scores: Numbers, positive: NDArray[np.bool_]) -> tuple[float, tuple[Numbers, Numbers]]:
    """Return the area under the ROC curve, and of each positive and each negative row the share that it beats.

    Raises
    ------
    NotMeasured
        If there are no positives or no negatives.
    """
    value, ((of_positive, _), (of_negative, _)) = _placements(scores, positive, None)
    return value, (of_positive, of_negative)


def _placements(
    scores: Numbers, positive: NDArray[np.bool_], weights: Numbers | None
) -> tuple[float, tuple[tuple[Numbers, Numbers | None], tuple[Numbers, Numbers | None]]]:
    """The area, and for positives and then negatives the share of the other class that each beats, with weights."""
    if scores.shape != positive.shape:
        raise InvalidInput(f"Got {scores.size} scores for {positive.size} labels.")
    if weights is not None:
        counted = weights > 0
        scores, positive, weights = scores[counted], positive[counted], weights[counted]
    if not positive.any() or positive.all():
        raise NotMeasured("The area under the ROC curve needs positive and negative labels.")
    high, low = scores[positive], scores[~positive]
    high_weight = None if weights is None else weights[positive]
    low_weight = None if weights is None else weights[~positive]
    of_high = _share_below(high, low, low_weight)
    of_low = 1 - _share_below(low, high, high_weight)
    value = float(np.average(of_high, weights=high_weight))
    return value, ((of_high, high_weight), (of_low, low_weight))


def _share_below(scores: Numbers, others: Numbers, weights: Numbers | None) -> Numbers:
    """For each score the weight share of ``others`` below it, equal ones half."""
    order = np.argsort(others)
    ordered = others[order]
    mass = np.arange(others.size + 1.0) if weights is None else np.append(0.0, np.cumsum(weights[order]))
    by_score = np.argsort(scores)
    sorted_scores = scores[by_score]
    left = np.searchsorted(ordered, sorted_scores, side="left")
    right = np.searchsorted(ordered, sorted_scores, side="right")
    shares = np.empty(scores.size)
    shares[by_score] = (mass[left] + mass[right]) / (2 * mass[-1])
    return shares


def _mean_variance(values: Numbers, weights: Numbers | None) -> float:
    if weights is None:
        return float(values.var(ddof=1)) / values.size
    deviation = weights * (values - np.average(values, weights=weights))
    return float(np.sum(deviation**2)) / float(weights.sum()) ** 2 * values.size / (values.size - 1)


def _newcombe_area(value: float, n_negatives: int, n_positives: int, z: float) -> Interval:
    def variance(area: float) -> float:
        half = (n_negatives + n_positives) / 2 - 1
        spread = 1 + half * (1 - area) / (2 - area) + half * area / (1 + area)
        return area * (1 - area) * spread / (n_negatives * n_positives)

    def end(outside: float) -> float:
        inside = value
        for _ in range(60):
            middle = (inside + outside) / 2
            if abs(middle - value) <= z * math.sqrt(variance(middle)):
                inside = middle
            else:
                outside = middle
        return inside

    return end(0.0), end(1.0)
