"""How many rows are enough: to know a rate, or to see a difference."""

from __future__ import annotations

import math
from statistics import NormalDist

from modelops.analyses.statistics.intervals import LEVEL, normal_quantile, wilson
from modelops.errors import InvalidInput


def rows_for_precision(precision: float, *, level: float = LEVEL) -> int:
    """Return how many rows a rate needs to be known to within ``precision``, whatever the rate is.

    The half width of Wilson's interval at a rate of one half, where it is widest.

    Raises
    ------
    InvalidInput
        If ``precision`` does not lie between 0 and one half.

    Examples
    --------
    >>> rows_for_precision(0.1), rows_for_precision(0.05)
    (93, 381)
    """
    if not 0 < precision < 0.5:
        raise InvalidInput(f"Got the precision {precision}, expected a number between 0 and 0.5 such as 0.05.")
    return math.ceil(normal_quantile(level) ** 2 * (1 / (4 * precision**2) - 1))


def margin_of_error(rows: float, *, level: float = LEVEL) -> float | None:
    """Return the half width of Wilson's interval at a rate of one half, for so many rows; ``None`` for none."""
    if rows <= 0:
        return None
    low, high = wilson(rows / 2, rows, level=level)
    return (high - low) / 2


def rows_to_compare_rates(rate: float, other: float, *, alpha: float, power: float) -> int:
    """Return how many rows each of two samples needs so that the two-sided test tells these two rates apart.

    On the arcsine scale, where the spread of a rate is nearly the same everywhere.

    Raises
    ------
    InvalidInput
        If the rates are equal, or one lies outside 0 to 1.

    References
    ----------
    J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, chapter 6.

    Examples
    --------
    >>> rows_to_compare_rates(0.5, 0.6, alpha=0.05, power=0.8)
    388
    """
    if rate == other or not (0 <= rate <= 1 and 0 <= other <= 1):
        raise InvalidInput(f"Got the rates {rate} and {other}, expected two different ones between 0 and 1.")
    effect = 2 * abs(math.asin(math.sqrt(rate)) - math.asin(math.sqrt(other)))
    return rows_to_compare_means(effect, alpha=alpha, power=power)


def rows_to_compare_means(effect: float, *, alpha: float, power: float) -> int:
    """Return how many rows each of two samples needs to see a difference of ``effect`` standard deviations.

    Examples
    --------
    >>> rows_to_compare_means(0.2, alpha=0.05, power=0.8)
    393
    """
    if not effect > 0:
        raise InvalidInput(f"Got the effect {effect}, expected a number above 0 such as 0.2.")
    normal = NormalDist()
    return math.ceil(2 * ((normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)) / effect) ** 2)
