"""Means of groups of rows: with their errors, and whether they differ by more than chance explains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.statistics.weighting import Weighting

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class GroupMeans:
    """Mean, its standard error and the number of rows of each group; NaN without rows, error NaN with one.

    ``effective`` is how many independent rows each group is worth.
    """

    mean: Numbers
    error: Numbers
    size: NDArray[np.int64]
    effective: Numbers

    def ends(self, *, level: float) -> tuple[Numbers, Numbers]:
        """Return the ends of the t interval of each mean; NaN where there is no error."""
        from scipy.special import stdtrit

        half = np.full(self.mean.size, np.nan)
        known = np.isfinite(self.error)
        half[known] = stdtrit(self.effective[known] - 1, (1 + level) / 2) * self.error[known]
        return self.mean - half, self.mean + half

    def p_value(self) -> float | None:
        """Return Welch's p-value that all means are equal; ``None`` without two groups of at least two rows."""
        usable = np.isfinite(self.error)
        if np.count_nonzero(usable) < 2:
            return None
        return welch_p_value(self.mean[usable], self.error[usable], self.effective[usable])


def group_means(values: Numbers, codes: NDArray[np.integer], how: Weighting, *, n_groups: int) -> GroupMeans:
    """Return the mean of ``values`` in each group.

    Parameters
    ----------
    values : ndarray of shape (n,)
        NaN does not count.
    codes : ndarray of shape (n,)
        The group of each row from 0; -1 is in none.
    how : Weighting
        Of the same rows.

    Examples
    --------
    >>> from modelops.analyses.statistics.weighting import weighting
    >>> values, codes = np.array([1.0, 3.0, 10.0]), np.array([0, 0, 1])
    >>> group_means(values, codes, weighting(None, None, values), n_groups=2).mean.tolist()
    [2.0, 10.0]
    """
    known = (codes >= 0) & np.isfinite(values)
    place, mine = codes[known], values[known]
    weights = np.ones(mine.size) if how.weights is None else how.weights[known]
    size = np.bincount(place, minlength=n_groups)
    mass = np.bincount(place, weights=weights, minlength=n_groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(place, weights=weights * mine, minlength=n_groups) / mass
        squares = np.bincount(place, weights=weights * (mine - mean[place]) ** 2, minlength=n_groups) / mass
        effective = mass / how.design_effect
        error = np.where(effective > 1, np.sqrt(squares / (effective - 1)), np.nan)
    return GroupMeans(mean, error, size, effective)


def welch_p_value(means: Numbers, errors: Numbers, sizes: Numbers) -> float:
    """Return the p-value of the hypothesis that all means are equal, whatever the variances (Welch's analysis).

    Parameters
    ----------
    means, errors, sizes : ndarray of shape (k,)
        Mean, its standard error and the (effective) number of rows of each group, more than one.

    References
    ----------
    B. L. Welch, "On the comparison of several mean values: an alternative approach", Biometrika 38, 1951.
    """
    from scipy.special import fdtrc

    if (errors <= 0).any():
        return 1.0 if np.ptp(means) == 0 else 0.0
    weights = 1 / errors**2
    total = weights.sum()
    k = means.size
    between = float(np.sum(weights * (means - np.sum(weights * means) / total) ** 2)) / (k - 1)
    spread = float(np.sum((1 - weights / total) ** 2 / (sizes - 1)))
    statistic = between / (1 + 2 * (k - 2) / (k**2 - 1) * spread)
    return float(fdtrc(k - 1, (k**2 - 1) / (3 * spread), statistic)) if spread > 0 else 1.0
