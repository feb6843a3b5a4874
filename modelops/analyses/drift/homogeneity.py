"""Chi-squared test that two samples of categories have the same distribution, and how strong the difference is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from modelops.analyses.drift.kolmogorov import POWER
from modelops.analyses.statistics.intervals import LEVEL, Interval, wilson
from modelops.errors import NotMeasured

_PERMUTATIONS = 1_999
_MOST_PERMUTED = 200
_LOW_EXPECTED = 5.0
_LEAST_EXPECTED = 1.0
_LOW_SHARE = 0.2


@dataclass(frozen=True)
class Homogeneity:
    """Chi-squared test that two rows of counts come from one distribution.

    ``pooled`` is how many rare levels were counted as one; ``permuted`` says that p comes from random tables with the
    same margins and not from the chi-squared distribution. ``statistic`` has Yates' correction if there is one degree
    of freedom, ``plain`` never has.
    """

    statistic: float
    plain: float
    degrees_of_freedom: int
    p_value: float
    rows: tuple[int, int]
    pooled: int
    permuted: bool


def homogeneity(counts: np.ndarray, *, rng: np.random.Generator) -> Homogeneity:
    """Test whether two samples of categories come from the same distribution.

    Chi-squared on the 2 x k table, never goodness of fit against a sample. Where more than a fifth of the expected
    counts is under 5, or any under 1, rare levels are pooled; where pooling leaves a single level, p comes from random
    tables. If both tables hold one and the same value there is nothing to be uncertain of: statistic 0, p = 1.

    Parameters
    ----------
    counts : ndarray of shape (2, k)
        Rows of each level in the reference and in the current table.

    Raises
    ------
    NotMeasured
        If a table is empty, or there are so many rare levels that no test can tell them apart.

    References
    ----------
    W. G. Cochran, "Some methods for strengthening the common chi-squared tests", Biometrics 10, 1954.

    Examples
    --------
    >>> test = homogeneity(np.array([[30, 50, 20], [45, 35, 20]]), rng=np.random.default_rng(0))
    >>> round(test.statistic, 4), test.degrees_of_freedom, round(test.p_value, 4)
    (5.6471, 2, 0.0594)
    """
    from scipy.special import chdtrc

    table = counts[:, counts.sum(axis=0) > 0]
    rows = (int(table[0].sum()), int(table[1].sum()))
    if min(rows) == 0:
        raise NotMeasured("One of the tables has no value in this column.")
    if table.shape[1] == 1:
        return Homogeneity(0.0, 0.0, 0, 1.0, rows, pooled=0, permuted=False)
    pooled, levels_pooled = _pool_rare(table)
    if pooled.shape[1] < 2:
        if table.shape[1] > _MOST_PERMUTED:
            raise NotMeasured(f"Nearly every one of the {table.shape[1]} categories is too rare to compare its shares.")
        return _permuted(table, rng)
    plain, corrected = _chi_squared(pooled)
    freedom = pooled.shape[1] - 1
    return Homogeneity(
        corrected, plain, freedom, float(chdtrc(freedom, corrected)), rows, levels_pooled, permuted=False
    )


def material_effect(table: Homogeneity, *, inflation: float) -> float:
    """Return how strong the difference is beyond what chance alone gives: Cramér's V of the excess of chi-squared.

    By chance alone chi-squared is about its degrees of freedom: with many levels V would pass a margin on noise.
    """
    excess = max(0.0, table.plain / inflation - table.degrees_of_freedom)
    return math.sqrt(excess * inflation / sum(table.rows))


def _expected(table: np.ndarray) -> np.ndarray:
    return np.asarray(np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum())


def _chi_squared(table: np.ndarray) -> tuple[float, float]:
    """Return chi-squared without and with Yates' correction, which only one degree of freedom has."""
    expected = _expected(table)
    distance = np.abs(table - expected)
    plain = float((distance**2 / expected).sum())
    if table.shape[1] > 2:
        return plain, plain
    return plain, float(((distance - np.minimum(0.5, distance)) ** 2 / expected).sum())


def _is_dense(table: np.ndarray) -> bool:
    expected = _expected(table)
    return bool(expected.min() >= _LEAST_EXPECTED and (expected < _LOW_EXPECTED).mean() <= _LOW_SHARE)


def _pool_rare(table: np.ndarray) -> tuple[np.ndarray, int]:
    """Count rare levels as one until Cochran's rule holds; which ones depends on the totals alone, so p stays right."""
    if _is_dense(table):
        return table, 0
    ordered = table[:, np.argsort(table.sum(axis=0), kind="stable")]
    rare = int(((_expected(ordered) < _LOW_EXPECTED).any(axis=0)).sum())
    for pooled in range(max(2, rare), ordered.shape[1]):
        joined = np.column_stack([ordered[:, :pooled].sum(axis=1), ordered[:, pooled:]])
        if _is_dense(joined):
            return joined, pooled
    return ordered.sum(axis=1, keepdims=True), ordered.shape[1]


def _permuted(table: np.ndarray, rng: np.random.Generator) -> Homogeneity:
    plain, corrected = _chi_squared(table)
    drawn = rng.multivariate_hypergeometric(table.sum(axis=0), int(table[0].sum()), size=_PERMUTATIONS)
    expected = _expected(table)
    others = table.sum(axis=0) - drawn
    statistics = ((drawn - expected[0]) ** 2 / expected[0]).sum(axis=1)
    statistics = statistics + ((others - expected[1]) ** 2 / expected[1]).sum(axis=1)
    p_value = (1 + int((statistics >= plain * (1 - 1e-9)).sum())) / (1 + _PERMUTATIONS)
    rows = (int(table[0].sum()), int(table[1].sum()))
    return Homogeneity(corrected, plain, table.shape[1] - 1, p_value, rows, pooled=0, permuted=True)


def cramers_v(test: Homogeneity) -> float:
    """Return the strength of a 2 x k table: 0 for the same shares, 1 if no level occurs on both sides.

    ``sqrt(chi-squared / rows)``, without correction for continuity.
    """
    return min(1.0, math.sqrt(test.plain / sum(test.rows)))


def cramers_v_interval(test: Homogeneity, *, inflation: float = 1.0, level: float = LEVEL) -> Interval:
    """Return the strengths whose noncentral chi-squared distribution makes the statistic likely.

    ``inflation`` divides the statistic where rows are autocorrelated. The estimate is biased upward with many levels;
    where it would lie outside, the interval is widened to hold it.

    References
    ----------
    M. Smithson, "Confidence Intervals", Sage, 2003, chapter 4 (inversion of the noncentral chi-squared).
    """
    from scipy.special import chndtr, chndtrinc

    rows, freedom = sum(test.rows) / inflation, test.degrees_of_freedom
    if freedom == 0:
        return 0.0, _unseen_strength(test.rows[0] / inflation, test.rows[1] / inflation, level)
    statistic = test.plain / inflation
    ends = []
    for tail in ((1 + level) / 2, (1 - level) / 2):
        beyond = float(chndtr(statistic, freedom, 0.0)) <= tail
        ends.append(0.0 if beyond else float(chndtrinc(statistic, freedom, tail)))
    low, high = (min(1.0, math.sqrt(max(0.0, end) / rows)) for end in ends)
    estimate = cramers_v(test)
    return min(low, estimate), max(high, estimate)


def _unseen_strength(n: float, m: float, level: float) -> float:
    """Return the strength of a table with a second level on one side, as frequent as no row of it still allows."""
    strongest = 0.0
    for here, other in ((n, m), (m, n)):
        unseen = wilson(0, here, level=level)[1]
        pooled = unseen * here / (here + other)
        strongest = max(strongest, unseen * math.sqrt(n * m / (pooled * (1 - pooled))) / (n + m))
    return min(1.0, strongest)


def smallest_detectable_cramers_v(rows: float, freedom: int, *, alpha: float, power: float = POWER) -> float:
    """Return the strength of a 2 x k table that the chi-squared test finds with ``power``.

    Parameters
    ----------
    rows : float
        The rows of both tables together.

    References
    ----------
    J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, chapter 7.

    Examples
    --------
    >>> round(smallest_detectable_cramers_v(785, 1, alpha=0.05), 3)
    0.1
    """
    from scipy.special import chdtri, chndtrinc

    return min(1.0, math.sqrt(float(chndtrinc(float(chdtri(freedom, alpha)), freedom, 1 - power)) / rows))
