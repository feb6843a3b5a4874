"""Distances between two sets of shares, and what a change of one share must be to be seen."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from modelops.analyses.drift.kolmogorov import POWER
from modelops.analyses.statistics.intervals import LEVEL
from modelops.errors import InvalidInput

_DEALS = 2000


def smallest_detectable_share_change(share: float, n: float, m: float, *, alpha: float, power: float = POWER) -> float:
    """Return by how much a share must rise from ``share`` for the test of two proportions to find it with ``power``.

    On the arcsine scale, where the spread of a share is nearly the same everywhere.

    References
    ----------
    J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, chapter 6.
    """
    normal = NormalDist()
    step = (normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)) * math.sqrt(1 / n + 1 / m) / 2
    angle = min(math.asin(math.sqrt(share)) + step, math.pi / 2)
    return math.sin(angle) ** 2 - share


def population_stability_index(reference: np.ndarray, current: np.ndarray) -> float:
    """Measure how far shares have moved: the sum over bins of ``(c - r) * ln(c / r)``.

    An empty bin counts as half a row, which keeps the logarithm finite.

    Parameters
    ----------
    reference, current : ndarray of shape (n_bins,)
        Rows in each bin.

    Returns
    -------
    float
        In nats. 0: identical shares. No upper bound.

    Raises
    ------
    InvalidInput
        If a table has no rows.

    References
    ----------
    B. Yurdakul, J. Naranjo, "Statistical properties of the population stability index", Journal of Risk Model
    Validation, 2020: the usual cut-offs (0.10, 0.25) ignore sample size.

    Examples
    --------
    >>> round(population_stability_index(np.array([50, 50]), np.array([60, 40])), 6)
    0.040547
    """
    if not (reference.sum() > 0 and current.sum() > 0):
        raise InvalidInput("Got no rows for the population stability index.")
    then, now = (np.where(counts > 0, counts, 0.5) / counts.sum() for counts in (reference, current))
    return float(((now - then) * np.log(now / then)).sum())


def stability_index_critical_value(n_bins: int, n: float, m: float, *, level: float = LEVEL) -> float:
    """Return what the index stays below with probability ``level`` if nothing has moved.

    ``chi2(n_bins - 1, level) * (1/n + 1/m)`` (Yurdakul and Naranjo 2020).

    Examples
    --------
    >>> round(stability_index_critical_value(10, 500, 50), 4)
    0.3722
    """
    from scipy.special import chdtri

    return float(chdtri(n_bins - 1, 1 - level)) * (1 / n + 1 / m) if n_bins > 1 else 0.0


def permuted_critical_value(reference: np.ndarray, current: np.ndarray, *, seed: int, level: float = LEVEL) -> float:
    """Return what the index stays below with probability ``level`` if the rows were dealt to both sides at random.

    For few rows, where the law of large samples is passed too often. The rows of all bins are pooled and dealt anew to
    sides of the same sizes (multivariate hypergeometric), 2,000 times; the value is the smallest that so many of these
    deals, the real one counted in, reach. The order of the bins makes no difference.

    Parameters
    ----------
    reference, current : ndarray of shape (n_bins,)
        Rows in each bin.
    seed : int
        Fixes the draws.

    References
    ----------
    B. Phipson, G. K. Smyth, "Permutation p-values should never be zero", Statistical Applications in Genetics and
    Molecular Biology 9, 2010.

    Examples
    --------
    >>> round(permuted_critical_value(np.array([60, 40]), np.array([45, 55]), seed=0), 2)
    0.09
    """
    pooled = np.sort((reference + current).astype(np.int64))
    pooled = pooled[pooled > 0]
    if pooled.size < 2:
        return 0.0
    dealt = np.random.default_rng(seed).multivariate_hypergeometric(pooled, int(current.sum()), size=_DEALS)
    then, now = (
        np.where(counts > 0, counts, 0.5) / counts.sum(axis=1, keepdims=True) for counts in (pooled - dealt, dealt)
    )
    indices = np.sort(((now - then) * np.log(now / then)).sum(axis=1))
    return float(indices[min(_DEALS, math.ceil(level * (_DEALS + 1))) - 1])


def jensen_shannon_distance(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the square root of the Jensen-Shannon divergence in base 2: 0 identical shares, 1 no common bin.

    References
    ----------
    D. M. Endres, J. E. Schindelin, "A new metric for probability distributions", IEEE Transactions on Information
    Theory 49, 2003.

    Examples
    --------
    >>> jensen_shannon_distance(np.array([5, 0]), np.array([0, 7]))
    1.0
    """
    then, now = reference / reference.sum(), current / current.sum()
    middle = (then + now) / 2
    divergence = 0.0
    for share in (then, now):
        held = share > 0
        divergence += float((share[held] * np.log2(share[held] / middle[held])).sum()) / 2
    return math.sqrt(max(0.0, divergence))
