"""Targets of a regression that lie far from what is predicted for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_FEWEST_PER_RANGE = 50
_MOST_RANGES = 10
_NORMAL = 1.4826


@dataclass(frozen=True)
class Deviations:
    """Differences of target and prediction in robust standard deviations, of rows with a similar prediction.

    ``standardized`` has shape (n,), 0 is as expected; ``scale`` is the spread of all rows in the unit of the target.
    """

    standardized: Numbers
    scale: float

    def beyond(self, limit: float) -> NDArray[np.bool_]:
        """Return which targets lie further out."""
        return np.asarray(np.abs(self.standardized) > limit)


def deviations(target: Numbers, predicted: Numbers) -> Deviations:
    """Standardise the differences by median and median absolute deviation.

    In up to ten ranges of the prediction with at least 50 rows each, since errors are often larger where predictions
    are. A range without spread takes that of all rows.

    Examples
    --------
    >>> found = deviations(np.array([1.0, 2.0, 3.0, 4.0, 90.0]), np.array([1.1, 1.9, 3.2, 3.9, 5.0]))
    >>> found.beyond(5).tolist()
    [False, False, False, False, True]
    """
    apart = target - predicted
    whole = _NORMAL * float(np.median(np.abs(apart - np.median(apart))))
    if not (np.isfinite(whole) and whole > 0):
        whole = float(np.std(apart)) if np.isfinite(apart).all() else 0.0
    ranges = min(_MOST_RANGES, max(1, target.size // _FEWEST_PER_RANGE))
    edges = np.unique(np.quantile(predicted, np.arange(1, ranges) / ranges)) if ranges > 1 else np.empty(0)
    places = np.searchsorted(edges, predicted, side="right")
    result = np.zeros(target.size)
    for place in np.unique(places):
        rows = places == place
        centre = float(np.median(apart[rows]))
        spread = _NORMAL * float(np.median(np.abs(apart[rows] - centre)))
        spread = spread if spread > 0 else whole
        result[rows] = (apart[rows] - centre) / spread if spread > 0 else 0.0
    return Deviations(result, whole)


@dataclass(frozen=True)
class FarOut:
    """How many deviations as large are to be expected, and how often there would be as many as were seen."""

    rate: float
    p_value: float
    degrees_of_freedom: float


def far_out(found: Deviations, limit: float) -> FarOut:
    """Expect as many as a Student distribution with the tails of the middle 90 % of the deviations would have.

    Errors of models have longer tails than a normal distribution; its degrees of freedom are those with the same ratio
    of the 90 % quantile of absolute deviations to their median.
    """
    from scipy.stats import binom
    from scipy.stats import t as student

    sizes = np.abs(found.standardized)
    middle, high = np.quantile(sizes, [0.5, 0.9])
    ratio = float(high / middle) if middle > 0 else np.inf
    low_df, high_df = 1.0, 200.0
    for _ in range(40):
        degrees = (low_df + high_df) / 2
        if student.ppf(0.95, degrees) / student.ppf(0.75, degrees) > ratio:
            low_df = degrees
        else:
            high_df = degrees
    scale = _NORMAL * float(student.ppf(0.75, degrees))
    rate = 2 * float(student.sf(limit * scale, degrees))
    seen = int(found.beyond(limit).sum())
    return FarOut(rate, float(binom.sf(seen - 1, sizes.size, rate)), degrees)
