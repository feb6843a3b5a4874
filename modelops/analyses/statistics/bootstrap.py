"""Intervals by resampling, always with a generator that is handed in.

Which interval: BCa where one number comes from counts, because its two corrections (bias, skewness) are exact and free
there (leaving one row out changes one cell); the percentile interval for smooth functions of means, where the
corrections are smaller than the noise of a thousand draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.cores.confusion_counts import Counts, resampled_counts
from modelops.analyses.statistics.intervals import LEVEL, Interval
from modelops.errors import InvalidInput

DRAWS = 1000
_ROWS_RESAMPLED = 5000
_CHUNK = 4_000_000

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Uncertainty:
    """How intervals are made: at which confidence level, from how many draws of which generator."""

    rng: np.random.Generator
    draws: int = DRAWS
    level: float = LEVEL


def percentile_interval(draws: Numbers, *, level: float = LEVEL) -> Interval | None:
    """Return the central share ``level`` of the draws that are defined, or ``None`` if fewer than half of them are."""
    defined = draws[np.isfinite(draws)]
    if defined.size * 2 < draws.size or not defined.size:
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bca_interval(
    estimate: float, draws: Numbers, left_out: Numbers, left_out_times: Numbers, *, level: float = LEVEL
) -> Interval | None:
    """Return the bias-corrected and accelerated interval.

    Parameters
    ----------
    estimate : float
        The statistic on the data.
    draws : ndarray of shape (B,)
        The statistic on each resample; NaN where it is not defined.
    left_out, left_out_times : ndarray of shape (m,)
        The statistic with one row left out, and how many rows leave that value.

    References
    ----------
    B. Efron, "Better bootstrap confidence intervals", JASA 82, 1987.
    """
    from scipy.special import ndtr, ndtri

    defined = draws[np.isfinite(draws)]
    if defined.size * 2 < draws.size or not defined.size:
        return None
    below = float(np.mean(defined < estimate) + np.mean(defined == estimate) / 2)
    bias = float(ndtri(np.clip(below, 0.5 / defined.size, 1 - 0.5 / defined.size)))
    usable = np.isfinite(left_out) & (left_out_times > 0)
    influence = np.average(left_out[usable], weights=left_out_times[usable]) - left_out[usable] if usable.any() else 0.0
    squares = float(np.sum(left_out_times[usable] * influence**2))
    skew = float(np.sum(left_out_times[usable] * influence**3)) / (6 * squares**1.5) if squares > 0 else 0.0
    z = bias + ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
    low, high = np.quantile(defined, ndtr(bias + z / np.maximum(1 - skew * z, 1e-6)))
    return float(low), float(high)


def counts_intervals(
    counts: Counts,
    statistic: Callable[[Counts], Numbers],
    uncertainty: Uncertainty,
    *,
    design_effect: float = 1.0,
) -> tuple[Interval | None, ...]:
    """Return the BCa interval of each statistic of a table of counts.

    Parameters
    ----------
    counts : ndarray of shape (r, c)
        Rows by label and prediction.
    statistic : callable
        From counts of shape (..., r, c) to statistics of shape (..., m); NaN where not defined.

    Returns
    -------
    tuple of m intervals
        Where every resample is alike (no errors at all), half a row is added to each cell for the draws: thirty right
        answers of thirty do not prove that there are no wrong ones.
    """
    estimates = statistic(counts)
    resamples = _statistics_of_draws(counts, statistic, uncertainty, design_effect=design_effect)
    cells = np.argwhere(counts > 0)
    left_out = np.repeat(counts[None], len(cells), axis=0)
    left_out[np.arange(len(cells)), cells[:, 0], cells[:, 1]] -= np.minimum(1.0, counts[cells[:, 0], cells[:, 1]])
    without = statistic(left_out)
    times = counts[cells[:, 0], cells[:, 1]]
    smooth: Numbers | None = None
    found: list[Interval | None] = []
    for position, estimate in enumerate(estimates):
        column = resamples[:, position]
        if not np.isfinite(estimate):
            found.append(None)
            continue
        if np.nanmax(column, initial=-np.inf) - np.nanmin(column, initial=np.inf) <= 1e-12:
            if smooth is None:
                smooth = _statistics_of_draws(counts + 0.5, statistic, uncertainty, design_effect=design_effect)
            interval = percentile_interval(smooth[:, position], level=uncertainty.level)
        else:
            interval = bca_interval(float(estimate), column, without[:, position], times, level=uncertainty.level)
        found.append(interval and (min(interval[0], float(estimate)), max(interval[1], float(estimate))))
    return tuple(found)


def _statistics_of_draws(
    counts: Counts,
    statistic: Callable[[Counts], Numbers],
    uncertainty: Uncertainty,
    *,
    design_effect: float,
) -> Numbers:
    at_once = max(1, _CHUNK // max(counts.size, 1))
    parts = []
    for done in range(0, uncertainty.draws, at_once):
        draws = min(at_once, uncertainty.draws - done)
        drawn = resampled_counts(counts, draws=draws, rng=uncertainty.rng, design_effect=design_effect)
        parts.append(statistic(drawn))
    return np.concatenate(parts)


def draws_of_means(
    columns: Numbers,
    uncertainty: Uncertainty,
    *,
    weights: Numbers | None = None,
    design_effect: float = 1.0,
) -> Numbers:
    """Draw the joint bootstrap distribution of the means of some columns.

    Up to 5,000 rows the rows are resampled; beyond that the means are drawn from the normal distribution with their
    covariance, to which the bootstrap has converged by then (the error is of the order of one over the square root of
    the rows).

    Parameters
    ----------
    columns : ndarray of shape (n, m)
        Finite.
    weights : ndarray of shape (n,), optional
        With mean 1.

    Returns
    -------
    ndarray of shape (draws, m)
    """
    n_rows = len(columns)
    if not n_rows:
        raise InvalidInput("Got no rows to resample, expected at least one.")
    rng, draws = uncertainty.rng, uncertainty.draws
    if n_rows <= _ROWS_RESAMPLED and design_effect <= 1 and weights is None:
        # In sorted order, so that the same rows in another order give the same draws.
        in_order = columns[np.lexsort(columns.T)]
        times = np.stack([np.bincount(rng.integers(0, n_rows, n_rows), minlength=n_rows) for _ in range(draws)])
        return np.asarray(times @ in_order / n_rows)
    means = np.average(columns, axis=0, weights=weights)
    standard, scales = _standardised(columns - means, weights)
    covariance = np.cov(standard, rowvar=False, aweights=weights, ddof=0).reshape(means.size, means.size)
    covariance *= design_effect / n_rows
    drawn = rng.multivariate_normal(np.zeros(means.size), covariance, size=draws, method="svd")
    return np.asarray(means + scales * drawn)


def _standardised(deviations: Numbers, weights: Numbers | None) -> tuple[Numbers, Numbers]:
    """Return columns of standard deviation 1, and what they were divided by.

    Errors in thousands of millions stand beside their squares: decomposed as they are, the rounding of the largest
    variance would drown the smaller ones.
    """
    largest = np.abs(deviations).max(axis=0)
    unit = np.where(largest > 0, largest, 1.0)
    shares = deviations / unit  # whose squares do not overflow
    spread = np.sqrt(np.average(shares**2, axis=0, weights=weights))
    spread = np.where(spread > 0, spread, 1.0)
    return shares / spread, unit * spread


@dataclass(frozen=True)
class Resampling:
    """How rows are to be resampled: within strata, whole entities where rows of one entity repeat."""

    strata: NDArray[np.integer]
    entities: NDArray[np.integer] | None = None


def stratified_bootstrap(
    statistic: Callable[[NDArray[np.intp]], float],
    plan: Resampling,
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> Numbers:
    """Return the statistic on resamples of the rows that keep the size of every stratum.

    For statistics that no count and no mean determines. With entities, whole entities are drawn instead of rows: rows
    of one entity are not independent, and drawing them one by one makes intervals too narrow.

    Parameters
    ----------
    statistic : callable
        From the positions of the resampled rows to one number; NaN where it is not defined.

    Examples
    --------
    >>> values = np.array([1.0, 2.0, 3.0, 10.0])
    >>> plan = Resampling(strata=np.array([0, 0, 0, 1]))
    >>> drawn = stratified_bootstrap(lambda rows: values[rows].max(), plan, rng=np.random.default_rng(0), draws=50)
    >>> drawn.tolist() == [10.0] * 50
    True
    """
    if plan.entities is not None:
        order = np.argsort(plan.entities, kind="stable")
        starts = np.flatnonzero(np.diff(plan.entities[order], prepend=-1))
        units = np.split(order, starts[1:])
        strata = plan.strata[order[starts]]
    else:
        units = [np.array([row]) for row in range(len(plan.strata))]
        strata = plan.strata
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    whole = np.arange(len(plan.strata)) if plan.entities is None else None
    drawn = np.empty(draws)
    for draw in range(draws):
        chosen = np.concatenate([rng.choice(member, member.size) for member in members])
        rows = whole[chosen] if whole is not None else np.concatenate([units[unit] for unit in chosen])
        drawn[draw] = statistic(rows)
    return drawn
