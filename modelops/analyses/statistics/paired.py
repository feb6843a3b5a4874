"""Two methods judged on the same rows: every metric of both, what one is better by, and whether that could be chance.

The same rows make both right or wrong together, so the difference is known far better than either number. All draws
here are joint: one resample of the rows for both methods.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.cores.confusion_counts import resampled_counts
from modelops.analyses.statistics.bootstrap import Uncertainty, counts_intervals, draws_of_means, percentile_interval
from modelops.analyses.statistics.intervals import LEVEL, Interval, mcnemar, normal_quantile, wilson
from modelops.analyses.statistics.ranking import area, paired_areas
from modelops.analyses.statistics.rates import composed_metrics
from modelops.analyses.statistics.weighting import Weighting
from modelops.errors import InvalidInput, NotMeasured

_FEW_DISAGREEMENTS = 25
_BISECTIONS = 80
_ALONE = Weighting(None, 1.0)

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """One metric of two methods on the same ``size`` rows.

    ``improvement`` is by how much the first is better, whether high or low values are good; ``p_value`` is two-sided,
    ``statistic`` that of McNemar's test for the accuracy. Where the metric is not defined, the values are NaN and
    ``reason`` says why.
    """

    metric: str
    size: int
    first: float = np.nan
    second: float = np.nan
    improvement: float = np.nan
    interval: Interval | None = None
    first_interval: Interval | None = None
    second_interval: Interval | None = None
    p_value: float = np.nan
    statistic: float | None = None
    reason: str = "It is not defined on these rows."


def mcnemar_test(only_first: float, only_second: float) -> tuple[float, float]:
    """Return McNemar's chi-squared without correction, and a p-value that also holds for few disagreements.

    Under 25 disagreements p is that of the exact binomial test, else of chi-squared.

    Parameters
    ----------
    only_first, only_second : float
        Rows that only the first, and only the second, gets right. Not whole where rows are weighted.

    References
    ----------
    Q. McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12, 1947.

    Examples
    --------
    >>> statistic, p_value = mcnemar_test(150, 86)
    >>> round(statistic, 3), f"{p_value:.1e}"
    (17.356, '3.1e-05')
    >>> mcnemar_test(9, 1)[1]
    0.021484375
    """
    total = only_first + only_second
    if total > _FEW_DISAGREEMENTS or total == 0:
        return mcnemar(only_first, only_second)
    from scipy.special import bdtr

    fewer, whole = round(min(only_first, only_second)), round(total)
    statistic = (only_first - only_second) ** 2 / total
    return statistic, min(1.0, 2 * float(bdtr(fewer, whole, 0.5))) if whole else 1.0


def paired_proportions_interval(
    only_first: float, only_second: float, total: float, *, level: float = LEVEL
) -> Interval:
    """Return the score interval of the difference of two proportions on the same rows, first minus second.

    All differences that the score test does not reject; it also holds where the methods never disagree.

    References
    ----------
    T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
    Statistics in Medicine 17, 1998.

    Examples
    --------
    >>> low, high = paired_proportions_interval(1, 7, 21)
    >>> round(low, 3), round(high, 3)
    (-0.517, -0.026)
    """
    if not total > 0 or min(only_first, only_second) < 0 or only_first + only_second > total * (1 + 1e-9):
        raise InvalidInput(f"Got {only_first} and {only_second} disagreements among {total} rows.")
    limit = normal_quantile(level)
    estimate = (only_first - only_second) / total

    def distance(difference: float) -> float:
        b = (2 * total - only_first + only_second) * difference - only_first - only_second
        c = -only_second * difference * (1 - difference)
        only = (np.sqrt(max(b * b - 8 * total * c, 0.0)) - b) / (4 * total)
        variance = total * (2 * only + difference * (1 - difference))
        off = only_first - only_second - total * difference
        return float(abs(off) / np.sqrt(variance)) if variance > 0 else (np.inf if abs(off) > 1e-12 else 0.0)

    def end(outside: float) -> float:
        inside = estimate
        for _ in range(_BISECTIONS):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if distance(middle) > limit else (middle, outside)
        return float(inside)

    return end(-1.0), end(1.0)


def paired_rates(
    truth: NDArray[np.integer],
    first: Numbers,
    second: Numbers,
    *,
    n_classes: int,
    uncertainty: Uncertainty,
    how: Weighting = _ALONE,
) -> list[Pair]:
    """Compare two methods by what they get right: accuracy, balanced accuracy; of two classes F1 and Matthews too.

    Everything depends on the counts of label, first right, second right: their multinomial draws have the law of
    resampled rows. Accuracy has Tango's interval and McNemar's test, the others BCa intervals and a bootstrap p-value.

    Parameters
    ----------
    truth : ndarray of int, shape (n,)
        Class codes; of two classes 1 is the positive one.
    first, second : ndarray of shape (n,)
        Whether each method is right: 1 or 0, or the chance of it for a method that guesses.
    """
    cells = _right_cells(truth, first, second, n_classes, how.weights)
    size = truth.size

    def statistic(flat: Numbers) -> Numbers:
        drawn = flat.reshape((*flat.shape[:-1], 2, 2))
        one, other = _rates(drawn.sum(axis=-1)), _rates(drawn.sum(axis=-2))
        return np.concatenate([one, other, one - other], axis=-1)

    flat = cells.reshape(n_classes, 4)
    values = statistic(flat)
    intervals = counts_intervals(flat, statistic, uncertainty, design_effect=how.design_effect)
    drawn = statistic(
        resampled_counts(flat, draws=uncertainty.draws, rng=uncertainty.rng, design_effect=how.design_effect)
    )
    found = [_accuracy(cells, size, how.design_effect, uncertainty.level)]
    names = {"balanced_accuracy": "No row has a label."}
    if n_classes == 2:
        names["f1"] = "There is neither a positive label nor a positive prediction."
        names["matthews_corrcoef"] = "All labels or all predictions are alike."
    count = len(names)
    for place, (name, reason) in enumerate(names.items()):
        one, other, gain = place, place + count, place + 2 * count
        found.append(
            Pair(
                metric=name,
                size=size,
                first=float(values[one]),
                second=float(values[other]),
                improvement=float(values[gain]),
                interval=intervals[gain],
                first_interval=intervals[one],
                second_interval=intervals[other],
                p_value=bootstrap_p_value(drawn[:, gain]) if np.isfinite(values[gain]) else np.nan,
                reason=reason,
            )
        )
    return found


def disagreements(first: Numbers, second: Numbers, how: Weighting = _ALONE) -> tuple[float, float]:
    """Return how many rows only the first and only the second gets right, in effective rows."""
    weights = np.ones(first.size) if how.weights is None else how.weights
    only_first = float(np.sum(weights * first * (1 - second)))
    only_second = float(np.sum(weights * second * (1 - first)))
    return only_first / how.design_effect, only_second / how.design_effect


def _right_cells(
    truth: NDArray[np.integer], first: Numbers, second: Numbers, n_classes: int, weights: Numbers | None
) -> Numbers:
    """Rows by label, first right, second right, shape (n_classes, 2, 2)."""
    each = np.ones(truth.size) if weights is None else weights
    cells = np.empty((n_classes, 2, 2))
    for one in (0, 1):
        for other in (0, 1):
            share = each * (first if one else 1 - first) * (second if other else 1 - second)
            cells[:, one, other] = np.bincount(truth, weights=share, minlength=n_classes)
    return cells


def _rates(right: Numbers) -> Numbers:
    """Balanced accuracy, and of two classes F1 and Matthews correlation, from wrong and right rows (..., k, 2)."""
    total = right.sum(axis=-1)
    if right.shape[-2] == 2:
        negative, positive = right[..., 0, ::-1], right[..., 1, :]
        return composed_metrics(np.stack([negative, positive], axis=-2))[..., :3]
    recall = np.divide(right[..., 1], total, out=np.zeros_like(total), where=total > 0)
    occurring = np.count_nonzero(total > 0, axis=-1).astype(np.float64)
    summed = recall.sum(axis=-1)
    return np.asarray(np.divide(summed, occurring, out=np.full_like(summed, np.nan), where=occurring > 0))[..., None]


def _accuracy(cells: Numbers, size: int, effect: float, level: float) -> Pair:
    total = float(cells.sum())
    if total <= 0:
        return Pair("accuracy", size)
    rows = size / effect
    one, other = (float(cells[(slice(None), *place)].sum()) / total for place in ((1, 0), (0, 1)))
    both = float(cells[:, 1, 1].sum()) / total
    first, second = both + one, both + other
    statistic, p_value = mcnemar_test(one * rows, other * rows)
    return Pair(
        metric="accuracy",
        size=size,
        first=first,
        second=second,
        improvement=one - other,
        interval=paired_proportions_interval(one * rows, other * rows, rows, level=level),
        first_interval=wilson(min(first, 1.0) * rows, rows, level=level),
        second_interval=wilson(min(second, 1.0) * rows, rows, level=level),
        p_value=p_value,
        statistic=statistic,
    )


def bootstrap_p_value(drawn: Numbers) -> float:
    """Return the two-sided p-value of the hypothesis that a difference is zero, from its bootstrap draws.

    Twice the smaller share of draws on one side of zero, counted with one draw more, so it is never 0.

    Examples
    --------
    >>> bootstrap_p_value(np.full(999, 0.2))
    0.002
    """
    defined = drawn[np.isfinite(drawn)]
    tails = [1 + np.count_nonzero(defined <= 1e-12), 1 + np.count_nonzero(defined >= -1e-12)]
    return min(1.0, 2 * float(min(tails)) / (defined.size + 1))


def mean_p_value(differences: Numbers, how: Weighting = _ALONE) -> float:
    """Return the two-sided p-value of the hypothesis that the mean of paired differences is zero (paired t test).

    Where all differences are the same and not zero, it is that of the sign test. NaN under two rows.
    """
    from scipy.special import stdtr

    largest = float(np.abs(differences).max(initial=0.0))
    if differences.size < 2 or not np.isfinite(largest):
        return np.nan
    if largest == 0:
        return 1.0
    scaled = differences / largest
    mean = float(np.average(scaled, weights=how.weights))
    rows = differences.size / how.design_effect
    counting = scaled if how.weights is None else scaled[how.weights > 0]
    if float(np.ptp(counting)) <= 1e-12:
        return float(min(1.0, 2.0 ** (1 - rows)))
    spread = float(np.average((scaled - mean) ** 2, weights=how.weights)) * rows / max(rows - 1, 1e-9)
    return float(2 * stdtr(max(rows - 1, 1.0), -abs(mean) / np.sqrt(spread / rows)))


def paired_ranking(
    first: Numbers,
    second: Numbers,
    positive: NDArray[np.bool_],
    *,
    uncertainty: Uncertainty,
    how: Weighting = _ALONE,
) -> Pair:
    """Compare two scores on the same rows by the area under the ROC curve, with DeLong's test."""
    size, level = positive.size, uncertainty.level
    effect = how.repeats_effect
    try:
        found = paired_areas(first, second, positive, weights=how.weights, design_effect=effect, level=level)
        each = [area(one, positive, weights=how.weights, design_effect=effect) for one in (first, second)]
    except NotMeasured as reason:
        return Pair("roc_auc", size, reason=str(reason))
    return Pair(
        metric="roc_auc",
        size=size,
        first=found.first,
        second=found.second,
        improvement=found.difference,
        interval=found.interval,
        first_interval=each[0].interval(level=level),
        second_interval=each[1].interval(level=level),
        p_value=found.p_value,
    )


def paired_losses(
    losses: Mapping[str, tuple[Numbers, Numbers]], *, uncertainty: Uncertainty, how: Weighting = _ALONE
) -> list[Pair]:
    """Compare two methods by mean losses (low is good): percentile intervals of joint draws, paired t test.

    Parameters
    ----------
    losses : mapping of str to (first, second)
        For each metric the loss of each row under both methods, shape (n,). Finite.
    """
    columns = np.column_stack([column for pair in losses.values() for column in pair])
    means = np.average(columns, axis=0, weights=how.weights)
    drawn = draws_of_means(columns, uncertainty, weights=how.weights, design_effect=how.design_effect)
    found = []
    for place, (name, (one, other)) in enumerate(losses.items()):
        first, second = 2 * place, 2 * place + 1
        found.append(
            Pair(
                metric=name,
                size=len(columns),
                first=float(means[first]),
                second=float(means[second]),
                improvement=float(means[second] - means[first]),
                interval=percentile_interval(drawn[:, second] - drawn[:, first], level=uncertainty.level),
                first_interval=percentile_interval(drawn[:, first], level=uncertainty.level),
                second_interval=percentile_interval(drawn[:, second], level=uncertainty.level),
                p_value=mean_p_value(other - one, how),
            )
        )
    return found


def paired_errors(
    truth: Numbers, first: Numbers, second: Numbers, *, uncertainty: Uncertainty, how: Weighting = _ALONE
) -> list[Pair]:
    """Compare two predictions of a quantity: mean absolute error, root mean squared error, R2, skill.

    Skill is by which share the first's mean absolute error is smaller than the second's: free of the unit.

    Returns
    -------
    list of Pair
        ``mean_absolute_error``, ``root_mean_squared_error``, ``r2`` and ``mean_absolute_error_skill_score``; of the
        last only ``improvement``, ``interval`` and ``p_value``.
    """
    centre = float(np.average(truth, weights=how.weights))
    wrong = [first - truth, second - truth]
    scale = max(float(np.abs(column).max()) for column in (*wrong, truth - centre)) or 1.0
    one, other, off = (column / scale for column in (*wrong, truth - centre))
    columns = np.column_stack([np.abs(one), np.abs(other), one**2, other**2, off, off**2])

    def statistic(means: Numbers) -> dict[str, tuple[Numbers, Numbers, Numbers]]:
        mine, theirs, square, their_square, mean, mean_square = np.moveaxis(means, -1, 0)
        roots = np.sqrt(np.maximum(square, 0)) * scale, np.sqrt(np.maximum(their_square, 0)) * scale
        variance = np.maximum(mean_square - mean**2, 0)
        r2 = _explained(square, variance), _explained(their_square, variance)
        skill = _explained(mine, theirs)
        return {
            "mean_absolute_error": (mine * scale, theirs * scale, (theirs - mine) * scale),
            "root_mean_squared_error": (*roots, roots[1] - roots[0]),
            "r2": (*r2, r2[0] - r2[1]),
            "mean_absolute_error_skill_score": (skill * np.nan, skill * np.nan, skill),
        }

    values = statistic(np.average(columns, axis=0, weights=how.weights))
    if np.ptp(truth) == 0:
        values["r2"] = (np.array(np.nan),) * 3
    drawn = statistic(draws_of_means(columns, uncertainty, weights=how.weights, design_effect=how.design_effect))
    absolute, squared = mean_p_value(np.abs(other) - np.abs(one), how), mean_p_value(other**2 - one**2, how)
    tests = {"root_mean_squared_error": squared, "r2": squared}
    reasons = {
        "r2": "The target is the same in every row.",
        "mean_absolute_error_skill_score": "The other has no error.",
    }
    found = []
    for name, triple in values.items():
        intervals = [percentile_interval(draws, level=uncertainty.level) for draws in drawn[name]]
        found.append(
            Pair(
                metric=name,
                size=truth.size,
                first=float(triple[0]),
                second=float(triple[1]),
                improvement=float(triple[2]),
                interval=intervals[2],
                first_interval=intervals[0],
                second_interval=intervals[1],
                p_value=tests.get(name, absolute),
                reason=reasons.get(name, Pair.reason),
            )
        )
    return found


def _explained(part: Numbers, whole: Numbers) -> Numbers:
    share = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return np.asarray(1 - share)


def ratio_of_means(
    first: Numbers, second: Numbers, how: Weighting = _ALONE, *, level: float = LEVEL
) -> tuple[float, Interval | None]:
    """Return the mean of ``first`` over that of ``second``, both of the same rows, with its interval (linearised).

    Parameters
    ----------
    first, second : ndarray of shape (n,)
        Not negative.

    Returns
    -------
    tuple of float and (interval or None)
        NaN where the mean of ``second`` is 0; no interval for a single row, or where it has no finite ends.

    Examples
    --------
    >>> ratio, (low, high) = ratio_of_means(np.array([1.0, 2.0, 3.0, 2.0]), np.array([2.0, 5.0, 5.0, 4.0]))
    >>> ratio, round(low, 2), round(high, 2)
    (0.5, 0.34, 0.66)
    """
    from scipy.special import stdtrit

    whole = float(np.average(second, weights=how.weights))
    if not whole > 0:
        return np.nan, None
    ratio = float(np.average(first, weights=how.weights)) / whole
    rows = first.size / how.design_effect
    if rows <= 1:
        return ratio, None
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = (first - ratio * second) / whole
        error = float(np.sqrt(np.average(deviation**2, weights=how.weights) / (rows - 1)))
    half = float(stdtrit(rows - 1, (1 + level) / 2)) * error
    return ratio, (ratio - half, ratio + half) if math.isfinite(half) else None


def smallest_detectable(interval: Interval | None, *, level: float, power: float = 0.8) -> float | None:
    """Return the smallest difference that the same rows would show with ``power``, from the width of its interval.

    Examples
    --------
    >>> round(smallest_detectable((-0.0196, 0.0196), level=0.95), 3)
    0.028
    """
    if interval is None:
        return None
    reach = normal_quantile(level)
    return (reach + NormalDist().inv_cdf(power)) * (interval[1] - interval[0]) / (2 * reach)
