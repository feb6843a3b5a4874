"""Confident learning: which labels are likely wrong, and how many of each kind, from scores that did not see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.statistics.bootstrap import percentile_interval
from modelops.analyses.statistics.intervals import Interval

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]

_MOST_RESAMPLED = 50_000


@dataclass(frozen=True)
class Suspects:
    """What the scores say of the labels.

    ``suggested`` of shape (n,) is the class that the scores are confident of, or the given one; ``confidence`` the
    score of the given label, ``margin`` by how much the largest score of another class exceeds it. ``joint`` of shape
    (k, k) estimates the share of rows by given and true label.
    """

    given: Codes
    suggested: Codes
    confidence: Numbers
    margin: Numbers
    joint: Numbers

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which labels are likely wrong."""
        return np.asarray(self.suggested != self.given)

    @property
    def error_rate(self) -> float:
        """The estimated share of wrong labels."""
        return float(1 - np.trace(self.joint))


def class_thresholds(scores: Numbers, given: Codes) -> Numbers:
    """Return for each class the mean score of it among the rows that are labelled so; above 1 for classes without rows.

    A class that the model is generally less sure of is confidently predicted from a lower score on.
    """
    k = scores.shape[1]
    counts = np.bincount(given, minlength=k)
    own = np.bincount(given, weights=scores[np.arange(given.size), given], minlength=k)
    means: Numbers = np.divide(own, counts, out=np.full(k, np.inf), where=counts > 0)
    return means


def confident_class(scores: Numbers, thresholds: Numbers) -> Codes:
    """Return the class with the largest score among those that reach their threshold; -1 if none does."""
    reached = np.where(scores >= thresholds - 1e-12, scores, -np.inf)
    best = reached.argmax(axis=1)
    return np.where(np.isfinite(reached[np.arange(len(best)), best]), best, -1)


def suspects(scores: Numbers, given: Codes) -> Suspects:
    """Find labels that are likely wrong.

    A row is counted for a class if its score reaches the mean score of the class's own rows. Rows that are counted for
    another class than they are labelled with are likely wrong. The table of these counts, brought to the number of
    rows of each given label, estimates the joint distribution of given and true labels.

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        Probabilities from a model that was not trained on these labels.
    given : ndarray of shape (n,)
        Labels, 0 to k - 1.

    References
    ----------
    C. Northcutt, L. Jiang, I. Chuang, "Confident learning: estimating uncertainty in dataset labels", Journal of
    Artificial Intelligence Research 70, 2021.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.9, 0.1], [0.1, 0.9], [0.2, 0.8]])
    >>> found = suspects(scores, np.array([0, 0, 1, 1, 1]))
    >>> found.wrong.tolist()
    [False, False, True, False, False]
    """
    confident = confident_class(scores, class_thresholds(scores, given))
    own = scores[np.arange(given.size), given]
    others = scores.copy()
    others[np.arange(given.size), given] = -np.inf
    margin = others.max(axis=1) - own
    # What reaches the threshold of another class but is surest of its own label is not suspected.
    suggested = np.where((confident >= 0) & (margin > 0), confident, given)
    return Suspects(given, suggested, own, margin, joint(given, confident, scores.argmax(axis=1), scores.shape[1]))


def joint(given: Codes, confident: Codes, surest: Codes, k: int) -> Numbers:
    """Return the estimated joint distribution of given and true labels, shape (k, k); sums to 1.

    Of the rows that are truly of a class, only those that reach its threshold are counted; by how many that is too few
    is told by the rows whose given label is also the surest. Without this step a class with a high threshold, because
    its own labels are all right, would hardly be found among the labels of others.

    Parameters
    ----------
    given, confident, surest : ndarray of shape (n,)
        The label, the class that is counted (-1: none), the class with the largest score.
    """
    counted = confident >= 0
    counts = np.bincount(given[counted] * k + confident[counted], minlength=k * k).reshape(k, k).astype(np.float64)
    agree = given == surest
    agreeing = np.bincount(given[agree], minlength=k)
    sure = np.bincount(given[agree & (confident == given)], minlength=k)
    counts /= np.divide(sure, agreeing, out=np.ones(k), where=(agreeing > 0) & (sure > 0))
    rows = np.bincount(given, minlength=k).astype(np.float64)
    empty = counts.sum(axis=1) == 0
    counts[empty, empty] = 1.0  # nothing is known against the label of a class without confident rows
    calibrated = counts / counts.sum(axis=1, keepdims=True) * rows[:, None]
    result: Numbers = calibrated / calibrated.sum()
    return result


@dataclass(frozen=True)
class Spread:
    """How sure the estimates are: intervals of the error rate, of the rate for each given label, and of each cell."""

    error_rate: Interval | None
    by_class: tuple[Interval | None, ...]
    cells: tuple[tuple[Interval | None, ...], ...]
    resampled: int


def spread(scores: Numbers, given: Codes, *, draws: int, level: float, rng: np.random.Generator) -> Spread:
    """Return intervals by resampling the rows; thresholds and table are made anew for each draw.

    Of more rows than are needed some stand for all; their intervals are then somewhat too wide.
    """
    n = min(given.size, _MOST_RESAMPLED)
    scores, given = scores[:n], given[:n]
    k, surest = scores.shape[1], scores.argmax(axis=1)
    drawn = np.empty((draws, k, k))
    for draw in range(draws):
        rows = rng.integers(0, n, n)
        some, labels = scores[rows], given[rows]
        drawn[draw] = joint(labels, confident_class(some, class_thresholds(some, labels)), surest[rows], k)
    totals = drawn.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        wrong = 1 - np.diagonal(drawn, axis1=1, axis2=2) / totals
    return Spread(
        percentile_interval(1 - np.trace(drawn, axis1=1, axis2=2), level=level),
        tuple(percentile_interval(wrong[:, place], level=level) for place in range(k)),
        tuple(tuple(percentile_interval(drawn[:, i, j], level=level) for j in range(k)) for i in range(k)),
        n,
    )


@dataclass(frozen=True)
class ByChance:
    """How many labels look wrong if they are drawn from the scores: the mean share, and p for as many as there are."""

    rate: float
    p_value: float
    rows: int


def by_chance(
    scores: Numbers, given: Codes, *, draws: int, rng: np.random.Generator, doubt: Numbers | None = None
) -> ByChance:
    """Draw labels from the scores (or from ``doubt``, of the same shape) and count those that look wrong.

    Where outcomes are uncertain, as whether a loan is repaid, a label against the odds is no error. If no more labels
    look wrong than the scores themselves expect, there is no sign of errors beyond that. p is (1 + b) / (1 + B).
    """
    n = min(given.size, _MOST_RESAMPLED)
    scores, given = scores[:n], given[:n]
    seen = int(suspects(scores, given).wrong.sum())
    edges = np.cumsum(scores if doubt is None else doubt[:n], axis=1)
    edges /= edges[:, -1:]
    counts = np.empty(draws)
    for draw in range(draws):
        labels = (rng.random(n)[:, None] > edges[:, :-1]).sum(axis=1)
        counts[draw] = suspects(scores, labels).wrong.sum()
    return ByChance(float(counts.mean() / n), (1 + int((counts >= seen).sum())) / (1 + draws), n)
