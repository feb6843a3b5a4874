"""Quantiles of rows that may be weighted, with their intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.statistics.intervals import Interval, normal_quantile

Numbers = NDArray[np.float64]


def quantile(
    ordered: Numbers, weights: Numbers | None, share: float, *, effect: float, level: float
) -> tuple[float, Interval]:
    """Return one quantile, and its interval from the binomial law of order statistics.

    Parameters
    ----------
    ordered : ndarray of shape (n,)
        In rising order, at least one.
    weights : ndarray of shape (n,), optional
        In the order of ``ordered``; the quantile is then the first value up to which ``share`` of the weight lies.
    effect : float
        How many rows are worth one independent row.

    Examples
    --------
    >>> quantile(np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 4.0]), 0.5, effect=1, level=0.95)[0]
    9.0
    """
    half = normal_quantile(level) * float(np.sqrt(share * (1 - share) * effect / ordered.size))
    ends = np.clip([share - half, share, share + half], 0, 1)
    if weights is None:
        low, value, high = np.quantile(ordered, ends)
    else:
        reached = np.cumsum(weights) / weights.sum()
        places = np.minimum(np.searchsorted(reached, ends - 1e-12), ordered.size - 1)
        low, value, high = ordered[places]
    return float(value), (float(low), float(high))
