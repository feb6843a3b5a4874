"""How far apart groups are: the largest difference and the smallest ratio between any two, with honest intervals.

The largest minus the smallest of several rates is never negative, and resampling adds its own noise to it: with five
groups that do not differ at all, the percentile (and the BCa) interval of this gap excluded 0 in every simulated run.
So the interval is made for all pairs at once instead: a critical value that holds for every pair together comes from
the bootstrap of the counts (the largest studentised change of any pair), and each pair's ends come from its two Wilson
intervals at that value. The gap lies between the largest lower and the largest upper end of any pair. In simulation it
covers the true gap in at least 94 % of the runs, for equal and for unequal groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.intervals import Interval, normal_quantile
from modelops.errors import InvalidInput

_SMALL_EXPECTED = 5.0

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class GroupRate:
    """One rate in k groups, all with a denominator above 0.

    ``hits`` and ``totals`` have shape (k,), ``drawn_hits`` and ``drawn_totals`` shape (draws, k); all in effective rows
    (divided by the design effect).
    """

    hits: Numbers
    totals: Numbers
    drawn_hits: Numbers
    drawn_totals: Numbers

    @property
    def shares(self) -> Numbers:
        """The rate of each group."""
        return self.hits / self.totals


class Spread(NamedTuple):
    """How far apart groups are; ``ratio`` is ``None`` where the largest rate is 0."""

    difference: float
    difference_interval: Interval
    ratio: float | None
    ratio_interval: Interval | None


def spread(rates: Sequence[GroupRate], uncertainty: Uncertainty) -> Spread:
    """Return the largest difference and the smallest ratio of any two groups in any of the rates.

    Parameters
    ----------
    rates : sequence of GroupRate
        One for demographic parity; the true and the false positive rate together for equalized odds.

    Raises
    ------
    InvalidInput
        If a rate has fewer than two groups.

    References
    ----------
    G. Y. Zou, A. Donner, "Construction of confidence limits about effect measures", Statistics in Medicine 27, 2008
    (ends of each pair); Y. Hochberg, A. C. Tamhane, "Multiple Comparison Procedures", 1987 (all pairs at once).
    """
    if any(rate.totals.size < 2 for rate in rates):
        raise InvalidInput("Comparing groups needs at least two groups with rows.")
    critical = _critical_value(rates, uncertainty)
    pairs = [_pair_ends(rate, critical) for rate in rates]
    difference = max(float(np.ptp(rate.shares)) for rate in rates)
    low = max(0.0, *(float(ends.lower_difference.max()) for ends in pairs))
    high = max(float(ends.upper_difference.max()) for ends in pairs)
    difference_interval = (min(low, difference), max(min(high, 1.0), difference))
    if any(rate.shares.max() <= 0 for rate in rates):
        return Spread(difference, difference_interval, None, None)
    ratio = min(float(rate.shares.min() / rate.shares.max()) for rate in rates)
    low = min(float(ends.lower_ratio.min()) for ends in pairs)
    high = min(1.0, *(float(ends.upper_ratio.min()) for ends in pairs))
    return Spread(difference, difference_interval, ratio, (min(low, ratio), max(high, ratio)))


def _critical_value(rates: Sequence[GroupRate], uncertainty: Uncertainty) -> float:
    largest = np.zeros(uncertainty.draws, dtype=np.float32)
    normal = np.zeros(uncertainty.draws)
    for rate in rates:
        # Groups as rows: what is compared for all draws lies together. Squares spare a root for each pair and draw.
        hits, totals = np.ascontiguousarray(rate.drawn_hits.T), np.ascontiguousarray(rate.drawn_totals.T)
        defined = totals > 0
        totals[~defined] = 1.0
        change = np.where(defined, hits / totals - rate.shares[:, None], 0.0)
        smooth = (hits + 2) / (totals + 4)
        # Seven digits are more than a quantile of draws is worth, and pass twice as fast.
        variance = (smooth * (1 - smooth) / (totals + 4)).astype(np.float32)
        change = change.astype(np.float32)
        for first in range(len(change) - 1):
            squared = change[first + 1 :] - change[first]
            squared *= squared
            squared /= variance[first + 1 :] + variance[first]
            np.maximum(largest, squared.max(axis=0), out=largest)
        # The floor: what independent normal rates would need. Small counts can make every draw alike.
        simulated = uncertainty.rng.standard_normal((uncertainty.draws, rate.totals.size))
        normal = np.maximum(normal, np.ptp(simulated, axis=1) / np.sqrt(2))
    found = max(float(np.quantile(column, uncertainty.level)) for column in (np.sqrt(largest), normal))
    return max(found, normal_quantile(uncertainty.level))


class _Ends(NamedTuple):
    lower_difference: Numbers
    upper_difference: Numbers
    lower_ratio: Numbers
    upper_ratio: Numbers


def _pair_ends(rate: GroupRate, critical: float) -> _Ends:
    """Ends for each pair (row: first group, column: second): first minus second, and first over second."""
    shares = rate.shares
    squared = critical**2
    # Without a division by the totals, as in `wilson`.
    centre = (shares * rate.totals + squared / 2) / (rate.totals + squared)
    half = np.sqrt(squared * (shares * (1 - shares) * rate.totals + squared / 4)) / (rate.totals + squared)
    low = np.where(rate.hits <= 0, 0.0, np.minimum(centre - half, shares))
    high = np.where(rate.hits >= rate.totals, 1.0, np.maximum(centre + half, shares))
    below, above = shares - low, high - shares
    difference = shares[:, None] - shares
    lower = difference - np.sqrt(below[:, None] ** 2 + above**2)
    upper = difference + np.sqrt(above[:, None] ** 2 + below**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(shares)
        log_below, log_above = np.where(shares > 0, log - np.log(low), 0.0), np.log(high) - log
        log_ratio = log[:, None] - log
        lower_ratio = np.exp(log_ratio - np.sqrt(log_below[:, None] ** 2 + log_above**2))
        upper_ratio = np.exp(log_ratio + np.sqrt(log_above[:, None] ** 2 + log_below**2))
        none = shares <= 0
        lower_ratio = np.where(none[:, None], 0.0, np.where(none, 1.0, lower_ratio))
        upper_ratio = np.where(none[:, None], high[:, None] / low, np.where(none, np.inf, upper_ratio))
    np.fill_diagonal(lower_ratio, 1.0)
    np.fill_diagonal(upper_ratio, 1.0)
    return _Ends(lower, upper, np.nan_to_num(lower_ratio, nan=1.0), np.nan_to_num(upper_ratio, nan=np.inf))


def spread_of_estimates(values: Numbers, drawn: Numbers, *, level: float) -> tuple[float, Interval]:
    """Return the largest difference between any two of k estimates, with the same kind of interval from draws alone.

    Parameters
    ----------
    values : ndarray of shape (k,)
    drawn : ndarray of shape (draws, k)
        Independent between groups; finite.
    """
    errors = drawn.std(axis=0)
    floor = 1e-12 * max(1.0, float(np.abs(values).max()))
    pair_errors = np.sqrt(errors[:, None] ** 2 + errors**2) + floor
    change = drawn - drawn.mean(axis=0)
    largest = np.zeros(len(drawn))
    for first in range(values.size - 1):
        distance = np.abs(change[:, first : first + 1] - change[:, first + 1 :])
        largest = np.maximum(largest, (distance / pair_errors[first, first + 1 :]).max(axis=1))
    critical = max(float(np.quantile(largest, level)), normal_quantile(level))
    difference = np.abs(values[:, None] - values)
    gap = float(difference.max())
    reach = critical * pair_errors
    np.fill_diagonal(reach, 0.0)
    return gap, (min(gap, max(0.0, float((difference - reach).max()))), max(gap, float((difference + reach).max())))


def homogeneity_p_value(
    tables: Sequence[tuple[Numbers, Numbers]], uncertainty: Uncertainty, *, design_effect: float = 1.0
) -> float:
    """Return the p-value of the hypothesis that all groups have the same rate, in each of some independent tables.

    Chi-squared (divided by the design effect); where an expected count is under 5, the permutation test: hits are dealt
    to the groups at random, which on counts is a draw from the multivariate hypergeometric distribution, and p is
    ``(1 + b) / (1 + B)``.

    Parameters
    ----------
    tables : sequence of (hits, totals), each of shape (k,)
        Totals above 0.
    """
    from scipy.special import chdtrc

    statistic = sum(_chi_squared(hits, totals) for hits, totals in tables) / design_effect
    whole = all(np.array_equal(part, np.rint(part)) for table in tables for part in table)
    expected = min(
        float(min(hits.sum(), totals.sum() - hits.sum()) * totals.min() / totals.sum()) for hits, totals in tables
    )
    if expected >= _SMALL_EXPECTED or not whole or design_effect > 1:
        degrees = sum(totals.size - 1 for hits, totals in tables if 0 < hits.sum() < totals.sum())
        return float(chdtrc(degrees, statistic)) if degrees else 1.0
    drawn = np.zeros(uncertainty.draws)
    for hits, totals in tables:
        dealt = uncertainty.rng.multivariate_hypergeometric(
            totals.astype(np.int64), int(hits.sum()), size=uncertainty.draws, method="marginals"
        )
        drawn += _chi_squared(dealt.astype(np.float64), totals)
    return float((1 + np.count_nonzero(drawn >= statistic * (1 - 1e-9))) / (1 + uncertainty.draws))


def _chi_squared(hits: Numbers, totals: Numbers) -> Numbers:
    pooled = hits.sum(axis=-1, keepdims=True) / totals.sum()
    variance = pooled * (1 - pooled)
    distance = np.sum((hits - totals * pooled) ** 2 / totals, axis=-1)
    return np.asarray(np.divide(distance, variance[..., 0], out=np.zeros_like(distance), where=variance[..., 0] > 0))


def below_four_fifths(selected: int, total: int, other_selected: int, other_total: int) -> bool:
    """Say whether one selection rate is less than four fifths of the other, in whole numbers.

    Fractions get it wrong: 4 of 25 against 1 of 5 is exactly four fifths, yet ``(4 / 25) / (1 / 5) < 0.8``. This is a
    convention of United States employment law (29 CFR 1607.4 D), not a general truth.

    Examples
    --------
    >>> below_four_fifths(4, 25, 1, 5), below_four_fifths(45, 100, 60, 100)
    (False, True)
    """
    if min(total, other_total) < 1 or min(selected, other_selected) < 0:
        raise InvalidInput("The four-fifths rule needs groups with rows and counts that are not negative.")
    return 5 * selected * other_total < 4 * other_selected * total


def shrunken_rates(hits: Numbers, totals: Numbers, *, level: float) -> tuple[Numbers, list[Interval]]:
    """Return rates of small groups drawn toward their common mean as far as their size demands.

    Empirical Bayes: the groups' rates are taken to follow a beta distribution, whose spread is estimated by moments
    from the groups; where they spread no more than chance explains, each rate is drawn almost to the mean.

    Parameters
    ----------
    hits, totals : ndarray of shape (k,)
        Totals above 0.

    References
    ----------
    J. C. Kleinman, "Proportions with extraneous variance", JASA 68, 1973.
    """
    from scipy.special import betaincinv

    mean = float(np.clip(hits.sum() / totals.sum(), 1e-9, 1 - 1e-9))
    k, total = totals.size, float(totals.sum())
    variance = mean * (1 - mean)
    squares = float(np.sum(totals * (hits / totals - mean) ** 2))
    room = total - float(np.sum(totals**2)) / total
    between = (squares - (k - 1) * variance) / room if room > 0 else 0.0
    strength = float(np.clip(variance / between - 1, 1.0, total)) if between > 0 else total
    first, second = hits + strength * mean, totals - hits + strength * (1 - mean)
    low, high = (betaincinv(first, second, share) for share in ((1 - level) / 2, (1 + level) / 2))
    return first / (first + second), [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
