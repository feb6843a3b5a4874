"""Rates of the confusion matrix: each is one sum of cells over another, so it has an exact interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.measuring import measured
from modelops.analyses.statistics.intervals import LEVEL, Interval, wilson
from modelops.analyses.statistics.weighting import Weighting
from modelops.domain.result import Measurement, Scope

Numbers = NDArray[np.float64]

TRUE_NEGATIVE, FALSE_POSITIVE, FALSE_NEGATIVE, TRUE_POSITIVE = (0, 0), (0, 1), (1, 0), (1, 1)
_EVERY = (TRUE_NEGATIVE, FALSE_POSITIVE, FALSE_NEGATIVE, TRUE_POSITIVE)


@dataclass(frozen=True)
class Rate:
    """``metric`` is the share of the cells ``part`` in the cells ``whole`` (each as label, prediction).

    ``denominator`` says in words which rows count, for the reason shown where there are none.
    """

    metric: str
    part: tuple[tuple[int, int], ...]
    whole: tuple[tuple[int, int], ...]
    denominator: str

    @property
    def needs_labels(self) -> bool:
        """Whether the rate depends on the labels, not on predictions alone."""
        return self.part != _SELECTED or self.whole != _EVERY

    def of(self, counts: Numbers) -> tuple[Numbers, Numbers]:
        """Return numerator and denominator from counts of shape (..., 2, 2) by label and prediction."""
        return _sum(counts, self.part), _sum(counts, self.whole)

    def share(self, counts: Numbers) -> Numbers:
        """Return the rate; NaN where its denominator is zero.

        Examples
        --------
        >>> TRUE_POSITIVE_RATE.share(np.array([[50.0, 10.0], [4.0, 16.0]])).item()
        0.8
        """
        part, whole = self.of(counts)
        share: Numbers = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
        return share

    def interval(self, counts: Numbers, *, design_effect: float = 1.0, level: float = LEVEL) -> Interval | None:
        """Return the Wilson interval for one table of counts, or ``None`` where the rate is not defined."""
        part, whole = (float(value) / design_effect for value in self.of(counts))
        return wilson(min(part, whole), whole, level=level) if whole > 0 else None


def rate_measurement(
    rate: Rate, raw: Numbers, counts: Numbers, how: Weighting, *, level: float = LEVEL, scope: Scope | None = None
) -> Measurement:
    """Return one rate with its Wilson interval.

    Parameters
    ----------
    raw, counts : ndarray of shape (2, 2)
        Numbers of rows, and the same as weights (equal where rows are not weighted).
    """
    return measured(
        rate.metric,
        float(rate.share(counts)),
        size=float(rate.of(raw)[1]),
        scope=scope,
        interval=rate.interval(counts, design_effect=how.design_effect, level=level),
        level=level,
        otherwise=rate.denominator,
    )


def _sum(counts: Numbers, cells: tuple[tuple[int, int], ...]) -> Numbers:
    total = counts[..., cells[0][0], cells[0][1]]
    for label, prediction in cells[1:]:
        total = total + counts[..., label, prediction]
    return np.asarray(total, dtype=np.float64)


_NEGATIVES, _POSITIVES = (TRUE_NEGATIVE, FALSE_POSITIVE), (FALSE_NEGATIVE, TRUE_POSITIVE)
_SELECTED, _REJECTED = (FALSE_POSITIVE, TRUE_POSITIVE), (TRUE_NEGATIVE, FALSE_NEGATIVE)
_LABELLED_POSITIVE = "No row has a positive label."
_LABELLED_NEGATIVE = "No row has a negative label."
_PREDICTED_POSITIVE = "No row was predicted positive."
_PREDICTED_NEGATIVE = "No row was predicted negative."
_NO_ROWS = "There are no rows."

SELECTION_RATE = Rate("selection_rate", _SELECTED, _EVERY, _NO_ROWS)
BASE_RATE = Rate("base_rate", _POSITIVES, _EVERY, _NO_ROWS)
ACCURACY = Rate("accuracy", (TRUE_NEGATIVE, TRUE_POSITIVE), _EVERY, _NO_ROWS)
TRUE_POSITIVE_RATE = Rate("true_positive_rate", (TRUE_POSITIVE,), _POSITIVES, _LABELLED_POSITIVE)
FALSE_NEGATIVE_RATE = Rate("false_negative_rate", (FALSE_NEGATIVE,), _POSITIVES, _LABELLED_POSITIVE)
FALSE_POSITIVE_RATE = Rate("false_positive_rate", (FALSE_POSITIVE,), _NEGATIVES, _LABELLED_NEGATIVE)
SPECIFICITY = Rate("specificity", (TRUE_NEGATIVE,), _NEGATIVES, _LABELLED_NEGATIVE)
PRECISION = Rate("precision", (TRUE_POSITIVE,), _SELECTED, _PREDICTED_POSITIVE)
FALSE_DISCOVERY_RATE = Rate("false_discovery_rate", (FALSE_POSITIVE,), _SELECTED, _PREDICTED_POSITIVE)
NEGATIVE_PREDICTIVE_VALUE = Rate("negative_predictive_value", (TRUE_NEGATIVE,), _REJECTED, _PREDICTED_NEGATIVE)
RECALL = Rate("recall", (TRUE_POSITIVE,), _POSITIVES, _LABELLED_POSITIVE)

GROUP_RATES = (
    SELECTION_RATE,
    TRUE_POSITIVE_RATE,
    FALSE_POSITIVE_RATE,
    FALSE_NEGATIVE_RATE,
    FALSE_DISCOVERY_RATE,
    PRECISION,
    ACCURACY,
)


def composed_metrics(counts: Numbers) -> Numbers:
    """Return balanced accuracy, F1 of the last class, Matthews correlation and Cohen's kappa of a confusion matrix.

    Parameters
    ----------
    counts : ndarray of shape (..., k, k)
        Rows by label, columns by prediction.

    Returns
    -------
    ndarray of shape (..., 4)
        NaN where not defined: balanced accuracy without labels, F1 without a positive label or prediction, the
        correlation where labels or predictions are all alike, kappa where chance alone would agree fully. Classes
        without labels do not count in balanced accuracy, as in scikit-learn.

    Examples
    --------
    >>> composed_metrics(np.array([[50.0, 10.0], [4.0, 16.0]])).round(4).tolist()
    [0.8167, 0.6957, 0.5855, 0.5758]
    """
    total = counts.sum(axis=(-2, -1))
    labelled, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    hit = right.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        recall = np.where(labelled > 0, right / labelled, 0.0)
        balanced = recall.sum(axis=-1) / (labelled > 0).sum(axis=-1)
        f1 = 2 * right[..., -1] / (labelled[..., -1] + predicted[..., -1])
        together = np.sum(labelled * predicted, axis=-1)
        spread = (total**2 - np.sum(labelled**2, axis=-1)) * (total**2 - np.sum(predicted**2, axis=-1))
        correlation = np.where(spread > 0, (hit * total - together) / np.sqrt(spread), np.nan)
        chance = together / total**2
        kappa = np.where(chance < 1, (hit / total - chance) / (1 - chance), np.nan)
    return np.stack([balanced, f1, correlation, kappa], axis=-1)


def macro_averages(counts: Numbers) -> Numbers:
    """Return macro precision, recall, F1 and then the same weighted by the labels, over the classes that occur.

    Parameters
    ----------
    counts : ndarray of shape (..., k, k)

    Returns
    -------
    ndarray of shape (..., 6)
        A class without any prediction has precision 0 here, one without labels recall 0, as in scikit-learn with
        ``zero_division=0``; its own precision or recall is not defined and is shown so.
    """
    labelled, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    occurs = (labelled + predicted) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(predicted > 0, right / predicted, 0.0)
        recall = np.where(labelled > 0, right / labelled, 0.0)
        f1 = np.where(occurs, 2 * right / (labelled + predicted), 0.0)
        scores = np.stack([precision, recall, f1], axis=-2)
        macro = scores.sum(axis=-1) / occurs.sum(axis=-1)[..., None]
        weighted = (scores * labelled[..., None, :]).sum(axis=-1) / labelled.sum(axis=-1)[..., None]
    return np.concatenate([macro, weighted], axis=-1)
