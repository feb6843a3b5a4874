"""Confidence intervals and tests for proportions and for the area under the ROC curve.

All of them answer for small samples and for proportions of 0 and 1, where the interval of the textbook (estimate plus
and minus two standard errors) collapses to a point.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from modelops.errors import InvalidInput

Interval = tuple[float, float]

LEVEL = 0.95
_SMALL_EXPECTED = 5.0
_BISECTIONS = 100


def normal_quantile(level: float = LEVEL) -> float:
    """Return how many standard deviations hold the central share ``level`` of a normal distribution.

    Examples
    --------
    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    if not 0 < level < 1:
        raise InvalidInput(f"Got the confidence level {level}, expected a number between 0 and 1 such as 0.95.")
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(count: float, total: float, *, level: float = LEVEL) -> Interval:
    """Return the score interval of one proportion.

    Parameters
    ----------
    count, total : float
        How many of how many. Not whole numbers where rows are weighted: then ``total`` is the effective sample size.

    Raises
    ------
    InvalidInput
        If ``total`` is not positive, or ``count`` lies outside 0 to ``total``.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.

    Examples
    --------
    >>> low, high = wilson(81, 263)
    >>> round(low, 4), round(high, 4)
    (0.2553, 0.3662)
    """
    _check(count, total)
    z2 = normal_quantile(level) ** 2
    share = count / total
    # Without a division by the total, which is next to nothing where a row weighs next to nothing.
    centre = (share * total + z2 / 2) / (total + z2)
    half = math.sqrt(z2 * (share * (1 - share) * total + z2 / 4)) / (total + z2)
    low = 0.0 if count <= 0 else max(0.0, centre - half)
    high = 1.0 if count >= total else min(1.0, centre + half)
    return low, high


def newcombe(count: float, total: float, other_count: float, other_total: float, *, level: float = LEVEL) -> Interval:
    """Return the interval of the difference of two independent proportions, first minus other.

    Built from the two Wilson intervals (hybrid score, method 10), so it never leaves -1 to 1.

    References
    ----------
    R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in
    Medicine 17, 1998.

    Examples
    --------
    >>> low, high = newcombe(56, 70, 48, 80)
    >>> round(low, 4), round(high, 4)
    (0.0524, 0.3339)
    """
    low, high = wilson(count, total, level=level)
    other_low, other_high = wilson(other_count, other_total, level=level)
    own, theirs = (low, high), (other_low, other_high)
    ends = independent_difference(count / total, own, other_count / other_total, theirs)
    return max(-1.0, ends[0]), min(1.0, ends[1])


def ratio_of_proportions(
    count: float, total: float, other_count: float, other_total: float, *, level: float = LEVEL
) -> tuple[float, float | None]:
    """Return the interval of the ratio of two independent proportions, first over other.

    The score interval: every ratio that the score test does not reject. Works with zero counts, where the interval of
    the logarithm does not.

    Returns
    -------
    tuple of float and (float or None)
        The upper end is ``None`` where the data sets no bound (the other count is 0).

    References
    ----------
    P. A. R. Koopman, "Confidence intervals for the ratio of two binomial proportions", Biometrics 40, 1984.

    Examples
    --------
    >>> low, high = ratio_of_proportions(30, 100, 45, 100)
    >>> round(low, 3), round(high, 3)
    (0.458, 0.959)
    """
    _check(count, total)
    _check(other_count, other_total)
    limit = normal_quantile(level) ** 2

    def rejected(ratio: float) -> bool:
        return _ratio_score(ratio, count, total, other_count, other_total) > limit

    if other_count == 0:
        return (0.0 if count == 0 else _boundary(rejected, inside=1e12, outside=0.0)), None
    estimate = (count * other_total) / (total * other_count)
    low = 0.0 if count == 0 else _boundary(rejected, inside=estimate, outside=0.0)
    far = max(estimate, 1.0)
    while not rejected(far):
        far *= 2
    return low, _boundary(rejected, inside=estimate, outside=far)


def _ratio_score(ratio: float, count: float, total: float, other_count: float, other_total: float) -> float:
    """Chi-squared of the hypothesis that the first proportion is ``ratio`` times the other."""
    if ratio <= 0:
        return math.inf if count else 0.0
    a = (total + other_total) * ratio
    b = -(ratio * (total + other_count) + count + other_total)
    c = count + other_count
    other = (-b - math.sqrt(max(b * b - 4 * a * c, 0.0))) / (2 * a)
    share = min(ratio * other, 1.0)
    chi = 0.0
    for seen, size, expected in ((count, total, share), (other_count, other_total, other)):
        spread = size * expected * (1 - expected)
        distance = (seen - size * expected) ** 2
        if distance > 1e-18 * max(1.0, size):
            chi += distance / spread if spread > 0 else math.inf
    return chi


def _boundary(rejected: Callable[[float], bool], *, inside: float, outside: float) -> float:
    for _ in range(_BISECTIONS):
        middle = (inside + outside) / 2
        if middle in (inside, outside):  # no number lies between
            break
        if rejected(middle):
            outside = middle
        else:
            inside = middle
    return inside


def two_proportions_p_value(count: float, total: float, other_count: float, other_total: float) -> float:
    """Return the two-sided p-value of the hypothesis that two independent proportions are equal.

    The pooled z test (chi-squared with one degree of freedom); Fisher's exact test where an expected count is under 5
    and all counts are whole (effective counts of weighted rows are not).

    Examples
    --------
    >>> round(two_proportions_p_value(56, 70, 48, 80), 4)
    0.008
    """
    _check(count, total)
    _check(other_count, other_total)
    hits, rows = count + other_count, total + other_total
    if hits <= 0 or hits >= rows:
        return 1.0
    table = np.array([[count, total - count], [other_count, other_total - other_count]])
    small = min(hits, rows - hits) * min(total, other_total) / rows < _SMALL_EXPECTED
    if small and np.array_equal(table, np.rint(table)):
        from scipy.stats import fisher_exact

        table = table.astype(np.int64)
        return min(1.0, float(fisher_exact(table).pvalue))
    pooled = hits / rows
    error = math.sqrt(pooled * (1 - pooled) * (1 / total + 1 / other_total))
    return two_sided_p_value((count / total - other_count / other_total) / error)


def two_sided_p_value(z: float) -> float:
    """Return the share of a standard normal distribution that lies further out than ``z`` on both sides."""
    return math.erfc(abs(z) / math.sqrt(2))


def mcnemar(only_first: float, only_second: float) -> tuple[float, float]:
    """Return McNemar's chi-squared without correction and its p-value, from the two counts of disagreement.

    Examples
    --------
    >>> statistic, p_value = mcnemar(150, 86)
    >>> round(statistic, 3), f"{p_value:.1e}"
    (17.356, '3.1e-05')
    """
    if min(only_first, only_second) < 0:
        raise InvalidInput("Got a negative count of disagreements.")
    if only_first == only_second:
        return 0.0, 1.0
    statistic = (only_first - only_second) ** 2 / (only_first + only_second)
    return statistic, two_sided_p_value(math.sqrt(statistic))


def _check(count: float, total: float) -> None:
    if not total > 0:
        raise InvalidInput(f"Got {total} as the number of rows of a proportion, expected at least 1.")
    if not -1e-9 <= count <= total * (1 + 1e-12) + 1e-9:
        raise InvalidInput(f"Got {count} of {total} rows, expected a count between 0 and the number of rows.")


def independent_difference(value: float, interval: Interval, other: float, other_interval: Interval) -> Interval:
    """Return the interval of the difference of two independent estimates, first minus other, from their own intervals.

    For two proportions with Wilson intervals this is `newcombe`; the ends keep the skewness of the two intervals.

    References
    ----------
    G. Y. Zou, A. Donner, "Construction of confidence limits about effect measures", Statistics in Medicine 27, 2008.

    Examples
    --------
    >>> low, high = independent_difference(56 / 70, wilson(56, 70), 48 / 80, wilson(48, 80))
    >>> round(low, 4), round(high, 4)
    (0.0524, 0.3339)
    """
    below = math.hypot(value - interval[0], other_interval[1] - other)
    above = math.hypot(interval[1] - value, other - other_interval[0])
    return value - other - below, value - other + above
