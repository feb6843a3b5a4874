"""Scores of a model with what each row adds to them, so that any resample of the rows costs one product of matrices.

The score of a resample is, to first order, the score plus the mean influence of the rows drawn. For the area under the
ROC curve these influences are DeLong's placements, for means they are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.statistics.ranking import placements

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """A score and the influence of each row on it, shape (n,); their mean is 0."""

    value: float
    influence: Numbers

    @property
    def error(self) -> float:
        """The standard error of the score."""
        return float(self.influence.std() / np.sqrt(max(self.influence.size - 1, 1)))


def area_with_influence(scores: Numbers, positive: NDArray[np.bool_]) -> Scored:
    """Return the area under the ROC curve.

    Raises
    ------
    NotMeasured
        If there are no positive or no negative rows.

    References
    ----------
    E. R. DeLong et al., Biometrics 44, 1988.

    Examples
    --------
    >>> area_with_influence(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])).value
    0.75
    """
    value, (of_positive, of_negative) = placements(scores, positive)
    influence = np.empty(scores.size)
    influence[positive] = (of_positive - value) * scores.size / of_positive.size
    influence[~positive] = (of_negative - value) * scores.size / of_negative.size
    return Scored(value, influence)


def balanced_accuracy_with_influence(predicted: NDArray[np.integer], truth: NDArray[np.integer]) -> Scored:
    """Return the mean over the classes that occur of the share of their rows that are predicted right.

    Examples
    --------
    >>> round(balanced_accuracy_with_influence(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1])).value, 4)
    0.8333
    """
    right = (predicted == truth).astype(np.float64)
    counts = np.bincount(truth)
    recall = np.bincount(truth, weights=right) / np.maximum(counts, 1)
    occurring = np.count_nonzero(counts)
    influence = (right - recall[truth]) * truth.size / (counts[truth] * occurring)
    return Scored(float(recall.sum() / occurring), influence)


def r2_with_influence(predicted: Numbers, truth: Numbers) -> Scored:
    """Return the share of the variance of the target that is explained; NaN where the target does not vary.

    Examples
    --------
    >>> round(r2_with_influence(np.array([2.0, 1.0, 4.0]), np.array([1.0, 2.0, 4.0])).value, 4)
    0.5714
    """
    deviation = truth - truth.mean()
    scale = float(np.abs(deviation).max(initial=0.0))
    if scale == 0:
        return Scored(np.nan, np.zeros(truth.size))
    square, spread = ((predicted - truth) / scale) ** 2, (deviation / scale) ** 2
    unexplained, variance = float(square.mean()), float(spread.mean())
    influence = -(square - unexplained) / variance + unexplained * (spread - variance) / variance**2
    return Scored(1 - unexplained / variance, influence)
