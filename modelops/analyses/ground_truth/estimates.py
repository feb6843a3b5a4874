"""How good predictions are while no label has come: confidence-based estimates, and a direct estimate of the loss.

Both take the relation of score (or features) and label to be as it was in the reference. A change of that relation is
what they cannot see; so they come with a lamp that says how far the rows are from the reference, and are held against
the truth as soon as labels come.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.binnable import binnable
from modelops.analyses.composed import drawn
from modelops.analyses.ground_truth.metrics_over_time import balanced_accuracy, f1_score
from modelops.analyses.ground_truth.rows import Said
from modelops.analyses.levels import coded
from modelops.analyses.statistics.ranking import area_under_roc
from modelops.analyses.threads import threads_for
from modelops.errors import NotMeasured

FEWEST_REFERENCE = 100
_EPSILON = float(np.finfo(np.float64).eps)
_ROUNDS = 60
_LEAVES = 15
_IN_A_LEAF = 20

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Calibrator:
    """From the score of one class to its probability, rising: isotonic regression on the reference."""

    scores: Numbers
    shares: Numbers

    def __call__(self, scores: Numbers) -> Numbers:
        """Return the probabilities of scores of shape (n,)."""
        return np.asarray(np.interp(scores, self.scores, self.shares))


def calibrator(scores: Numbers, happened: NDArray[np.bool_], weights: Numbers | None) -> Calibrator:
    """Fit the probability of a class to its score, rising with it.

    Scores are first put into bins of equal mass of about the square root of the number of rows, so that single rows do
    not become steps to 0 or 1; between the bins it is interpolated.
    """
    from scipy.optimize import isotonic_regression

    order = np.lexsort((happened, scores))
    ordered, hit = scores[order], happened[order].astype(np.float64)
    weight = np.ones(ordered.size) if weights is None else np.maximum(weights[order], 1e-12)
    size = max(10, int(np.sqrt(ordered.size)))
    edges = np.unique(ordered[np.arange(size, ordered.size, size)])
    place = np.searchsorted(edges, ordered, side="right")
    mass = np.bincount(place, weights=weight)
    filled = mass > 0
    means = np.bincount(place, weights=weight * ordered)[filled] / mass[filled]
    shares = np.bincount(place, weights=weight * hit)[filled] / mass[filled]
    fitted = isotonic_regression(shares, weights=mass[filled]).x
    return Calibrator(means, np.asarray(fitted))


@dataclass(frozen=True)
class Estimated:
    """One estimated metric in k periods, each of shape (k,); NaN where it is not defined, for the reason ``reason``."""

    metric: str
    values: Numbers
    reason: str = "There are no rows."


class ConfidenceBased:
    """Metrics of classes estimated from the scores alone (CBPE).

    Scores are calibrated on the reference. Each row then counts in the confusion matrix, and in the ranking, as each
    class with its probability; the metrics are those of these expected counts.

    Raises
    ------
    NotMeasured
        If data or reference have no probabilities, or the reference too few labels.

    References
    ----------
    J. Bialek et al., "Estimating model performance under covariate shift without labels", 2024.
    """

    def __init__(self, now: Said, reference: Said) -> None:
        if now.scores is None:
            raise NotMeasured(now.no_scores)
        if reference.size < FEWEST_REFERENCE:
            raise NotMeasured(
                f"The reference has {reference.size} labelled rows; {FEWEST_REFERENCE} are the least to calibrate on."
            )
        self.chances = calibrated(now.scores, reference)
        self.scores = now.scores
        self.predicted = now.predicted.astype(np.int64)
        self.weights = np.ones(now.size) if now.how.weights is None else now.how.weights
        self.size = len(now.classes)

    def over(self, codes: NDArray[np.int64], count: int) -> list[Estimated]:
        """Return the estimates of all metrics in ``count`` periods; -1 in ``codes`` is in none."""
        known = codes >= 0
        place, weight = codes[known], self.weights[known]
        scores, chances, predicted = self.scores[known], self.chances[known], self.predicted[known]
        brier = np.sum((scores - chances) ** 2 + chances * (1 - chances), axis=1) / (2 if self.size == 2 else 1)
        loss = -np.sum(chances * np.log(np.clip(scores, _EPSILON, None)), axis=1)
        confusion = self._confusion(place, predicted, chances, weight, count)
        found = [
            Estimated("accuracy", period_means(chances[np.arange(place.size), predicted], weight, place, count)),
            Estimated("balanced_accuracy", balanced_accuracy(confusion)[0]),
            Estimated("f1", f1_score(confusion)[0]),
            Estimated("brier_score", period_means(brier, weight, place, count)),
            Estimated("log_loss", period_means(loss, weight, place, count)),
        ]
        if self.size == 2:
            found.append(Estimated("roc_auc", _areas(scores[:, 1], chances[:, 1], weight, place, count)))
        return found

    def value(self, codes: NDArray[np.int64], count: int, matrix: Numbers) -> Numbers:
        """Return the estimated mean value of a decision in each period, by a matrix over label and prediction."""
        known = codes >= 0
        each = np.sum(self.chances * matrix[:, self.predicted].T, axis=1)[known]
        return period_means(each, self.weights[known], codes[known], count)

    def _confusion(
        self, place: NDArray[np.int64], predicted: NDArray[np.int64], chances: Numbers, weight: Numbers, count: int
    ) -> Numbers:
        """Expected counts by period, label and prediction."""
        cell, cells = place * self.size + predicted, count * self.size
        labels = [np.bincount(cell, weights=weight * chances[:, code], minlength=cells) for code in range(self.size)]
        return np.stack([label.reshape(count, self.size) for label in labels], axis=1)


def period_means(column: Numbers, weight: Numbers, place: NDArray[np.int64], count: int) -> Numbers:
    """Return the weighted mean of a column in each period; NaN where there is no weight."""
    total = np.bincount(place, weights=weight, minlength=count).astype(np.float64)
    summed = np.bincount(place, weights=weight * column, minlength=count)
    return np.asarray(np.divide(summed, total, out=np.full(count, np.nan), where=total > 0))


def calibrated(scores: Numbers, reference: Said) -> Numbers:
    """Return the probabilities of all classes that scores stand for in the reference, shape (n, n_classes)."""
    if reference.scores is None:
        raise NotMeasured(f"In the reference: {reference.no_scores}")
    if scores.shape[1] == 2:
        chance = calibrator(reference.scores[:, 1], np.asarray(reference.truth == 1), reference.how.weights)(
            scores[:, 1]
        )
        return np.column_stack([1 - chance, chance])
    columns = [
        calibrator(reference.scores[:, code], np.asarray(reference.truth == code), reference.how.weights)(
            scores[:, code]
        )
        for code in range(scores.shape[1])
    ]
    chances = np.column_stack(columns)
    total = chances.sum(axis=1, keepdims=True)
    # Where no class ever came with scores as low as all of these, the scores say nothing.
    even = np.full(chances.shape, 1 / chances.shape[1])
    return np.asarray(np.divide(chances, total, out=even, where=total > 0))


def _areas(scores: Numbers, chance: Numbers, weight: Numbers, place: NDArray[np.int64], count: int) -> Numbers:
    values = np.full(count, np.nan)
    order = np.lexsort((scores, place))
    bounds = np.searchsorted(place[order], np.arange(count + 1))
    for period in range(count):
        mine = order[bounds[period] : bounds[period + 1]][::-1]
        if not mine.size:
            continue
        starts = np.flatnonzero(np.diff(scores[mine], prepend=np.inf))
        positives = np.add.reduceat(weight[mine] * chance[mine], starts)
        negatives = np.add.reduceat(weight[mine] * (1 - chance[mine]), starts)
        values[period] = float(area_under_roc(np.stack([negatives, positives])))
    return values


class DirectLoss:
    """Errors of quantities estimated by a model that predicts the loss from features and prediction (DLE).

    Histogram gradient boosting of the absolute and of the squared error, trained on the reference.

    Raises
    ------
    NotMeasured
        If the reference has too few rows to train on.

    References
    ----------
    D. Yoo, I. S. Kweon, "Learning loss for active learning", CVPR 2019; direct loss estimation as in NannyML, 2022.
    """

    def __init__(self, now: Said, reference: Said, *, seed: int, most: int) -> None:
        if reference.size < FEWEST_REFERENCE:
            raise NotMeasured(
                f"The reference has {reference.size} rows with a target; {FEWEST_REFERENCE} are the least to train on."
            )
        names = tuple(name for name in now.sample.roles.features if name in reference.sample.source.names)
        training = _chosen(reference, seed=seed, most=most)
        mine, rows = _encoded(now, reference, names)
        rows = rows[training]
        errors = (reference.predicted.astype(np.float64) - reference.truth.astype(np.float64))[training]
        # In an order that the content gives: the sums inside the trees then do not depend on that of the table.
        order = np.lexsort((errors, *rows.T))
        self.scale = float(np.abs(errors).max()) or 1.0
        loss = np.abs(errors[order]) / self.scale
        self.absolute = _fitted(rows[order], loss, mine, seed=seed)
        self.squared = _fitted(rows[order], loss**2, mine, seed=seed)
        self.weights = np.ones(now.size) if now.how.weights is None else now.how.weights
        self.note = None
        if training.size < reference.size:
            self.note = (
                f"The loss was learned from {training.size:,} of {reference.size:,} reference rows, drawn at random "
                f"with seed {seed}."
            )

    def over(self, codes: NDArray[np.int64], count: int) -> list[Estimated]:
        """Return the estimates of all metrics in ``count`` periods; -1 in ``codes`` is in none."""
        known = codes >= 0
        absolute, squared = (
            period_means(column[known], self.weights[known], codes[known], count)
            for column in (self.absolute, self.squared)
        )
        return [
            Estimated("mean_absolute_error", absolute * self.scale),
            Estimated("root_mean_squared_error", np.sqrt(squared) * self.scale),
        ]


def _fitted(rows: Numbers, loss: Numbers, mine: Numbers, *, seed: int) -> Numbers:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        max_iter=_ROUNDS,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=_IN_A_LEAF,
        early_stopping=False,
        random_state=seed,
    )
    with threads_for(len(rows)):
        return np.asarray(np.maximum(model.fit(binnable(rows), loss).predict(mine), 0.0))


def _chosen(reference: Said, *, seed: int, most: int) -> NDArray[np.intp]:
    every = np.arange(reference.size)
    if reference.size <= most:
        return every
    roles = reference.sample.roles
    names = [name for name in (roles.target, roles.prediction, *roles.features) if name]
    order = drawn(reference.sample, names, limit=reference.sample.n_rows, seed=seed)
    place = np.full(reference.sample.n_rows, -1, dtype=np.intp)
    place[reference.rows] = every
    order = place[order]
    return np.sort(order[order >= 0][:most])


def _encoded(now: Said, reference: Said, names: tuple[str, ...]) -> tuple[Numbers, Numbers]:
    """Features and prediction of both as numbers; levels by their place among those of the reference, new ones NaN."""
    columns = [
        (_numbers_or_codes(now, reference, name), _numbers_or_codes(reference, reference, name)) for name in names
    ]
    columns.append((now.predicted.astype(np.float64), reference.predicted.astype(np.float64)))
    sides = [np.column_stack([column[side] for column in columns]) for side in (0, 1)]
    return np.clip(sides[0], -1e300, 1e300), np.clip(sides[1], -1e300, 1e300)


def _numbers_or_codes(rows: Said, reference: Said, name: str) -> Numbers:
    if is_numeric(reference.sample, name) and is_numeric(rows.sample, name):
        return rows.sample.numbers(name)[rows.rows]
    known = coded(reference.sample, name)
    mine = coded(rows.sample, name)
    place = {level: position for position, level in enumerate(known.levels)}
    table = np.array([*(place.get(level, np.nan) for level in mine.levels), np.nan], dtype=np.float64)
    return table[mine.codes[rows.rows]]


def is_numeric(sample: Sample, name: str) -> bool:
    """Say whether a column holds numbers."""
    try:
        sample.numbers(name)
    except NotMeasured:
        return False
    return True
