"""What the model itself gives away: another answer for a row alone than in a batch, and results too good to be true."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import EvaluationData, Model, Sample
from modelops.analyses.composed import drawn
from modelops.analyses.outcomes import Outcomes, outcomes
from modelops.analyses.statistics.bootstrap import Uncertainty, counts_intervals
from modelops.analyses.statistics.intervals import Interval, normal_quantile, wilson
from modelops.analyses.statistics.ranking import area
from modelops.analyses.statistics.rates import composed_metrics
from modelops.domain.columns import Task
from modelops.errors import NotMeasured

Numbers = NDArray[np.float64]

_BATCH = 200
_SAME = 1e-6


@dataclass(frozen=True)
class Alone:
    """Rows that were answered otherwise alone than in a batch, and the largest difference of an answer.

    The difference is that of scores, or that of predictions in deviations of the batch's predictions.
    """

    rows: int
    different: int
    largest: float
    batch: int


def one_row_alone(model: Model, sample: Sample, *, rows: int, seed: int, progress: Callable[[float], None]) -> Alone:
    """Ask the model about rows one by one and all together.

    A row's answer must not depend on which other rows are asked about: if it does, a mean, a rank or an imputation is
    taken over the batch, and in use, where rows come alone, the answers are others.

    Raises
    ------
    NotMeasured
        If there are fewer than two rows, or a column of the model is not there.
    """
    missing = [name for name in model.features if name not in sample.source.names]
    if missing:
        raise NotMeasured(f"The data lacks columns of the model: {', '.join(missing[:5])}.")
    positions = drawn(sample, model.features, limit=_BATCH, seed=seed)
    if len(positions) < 2:
        raise NotMeasured("There are fewer than two rows: no batch to compare with.")
    frame = sample.frame(tuple(model.features)).iloc[positions].reset_index(drop=True)
    together = _answers(model, frame)
    some = min(rows, len(positions))
    alone = []
    for row in range(some):
        alone.append(_answers(model, frame.iloc[[row]].reset_index(drop=True))[0])
        progress((row + 1) / some)
    spread = 1.0 if model.classes else float(np.nanstd(together)) or float(np.nanmax(np.abs(together))) or 1.0
    apart = np.abs(np.array(alone) - together[:some]).max(axis=1) / spread
    apart = np.where(np.isnan(apart), np.inf, apart)
    same = np.isnan(np.array(alone)) & np.isnan(together[:some])
    apart = np.where(same.all(axis=1), 0.0, apart)
    finite = apart[np.isfinite(apart)]
    largest = float(finite.max()) if finite.size else math.nan
    return Alone(some, int(np.count_nonzero(apart > _SAME)), largest, len(positions))


def _answers(model: Model, frame: object) -> Numbers:
    if model.classes:
        return np.asarray(model.scores(frame), dtype=np.float64)  # type: ignore[arg-type]
    return np.asarray(model.predict(frame), dtype=np.float64)[:, None]  # type: ignore[arg-type]


@dataclass(frozen=True)
class Quality:
    """How good the given predictions are, and apart from that on new rows and on rows of the training data."""

    metric: str
    value: float
    interval: Interval | None
    rows: int


def prediction_quality(data: EvaluationData, rng: np.random.Generator) -> Quality:
    """Return the one figure by which predictions would be too good to be true.

    The area under the ROC curve where there are two classes and scores, balanced accuracy for other classifications,
    R2 for numbers.

    Raises
    ------
    NotMeasured
        If there are no predictions, or no labels to hold them against.
    """
    if data.task is Task.REGRESSION:
        return _explained(data.data)
    found = _labelled(data)
    scores = found.positive_scores
    if scores is not None:
        known = np.isfinite(scores)
        truth = found.truth[known] == found.positive
        measured = area(scores[known], truth)
        return Quality("roc_auc", measured.value, measured.interval(), int(known.sum()))
    counts = found.confusion()
    value = float(composed_metrics(counts)[0])
    intervals = counts_intervals(counts, lambda each: composed_metrics(each)[..., :1], Uncertainty(rng))
    return Quality("balanced_accuracy", value, intervals[0], found.n_rows)


def _labelled(data: EvaluationData) -> Outcomes:
    if data.data.roles.target is None:
        raise NotMeasured("There is no target column to hold the predictions against.")
    found = outcomes(data, threshold=0.5).labelled()
    if not found.n_rows:
        raise NotMeasured("No row has both a label and a prediction.")
    return found


def _predicted(sample: Sample) -> tuple[Numbers, Numbers, NDArray[np.intp]]:
    target, prediction = sample.roles.target, sample.roles.prediction
    if target is None or prediction is None:
        raise NotMeasured("There is no target or no prediction column.")
    truth, predicted = sample.numbers(target), sample.numbers(prediction)
    rows = np.flatnonzero(np.isfinite(truth) & np.isfinite(predicted))
    if not rows.size:
        raise NotMeasured("No row has both a target and a prediction.")
    return truth[rows], predicted[rows], rows


def _explained(sample: Sample) -> Quality:
    truth, predicted, rows = _predicted(sample)
    size = float(max(np.abs(truth).max(), np.abs(predicted).max())) or 1.0
    truth, predicted = truth / size, predicted / size
    total = float(((truth - truth.mean()) ** 2).sum())
    if not total > 0:
        raise NotMeasured("The target does not vary.")
    value = 1 - float(((truth - predicted) ** 2).sum()) / total
    share = min(max(value, 0.0), 1.0)
    half = normal_quantile() * math.sqrt(4 * share * (1 - share) ** 2 / rows.size)
    return Quality("r2", value, (value - half, min(1.0, value + half)), rows.size)


def split_quality(data: EvaluationData, shared: NDArray[np.bool_]) -> list[tuple[str, Quality]]:
    """Return how good the predictions are on rows that stand in the training data, and on those that do not.

    Accuracy, or the mean absolute error of numbers.

    Raises
    ------
    NotMeasured
        As `prediction_quality`.
    """
    found = []
    if data.task is Task.REGRESSION:
        truth, predicted, rows = _predicted(data.data)
        with np.errstate(over="ignore"):
            errors = np.abs(truth - predicted)
        for word, mask in (("in the training data", shared[rows]), ("new", ~shared[rows])):
            part = errors[mask]
            with np.errstate(over="ignore", invalid="ignore"):
                value = float(part.mean()) if part.size else math.nan
                error = float(part.std(ddof=1)) / math.sqrt(part.size) if part.size > 1 else math.nan
            half = normal_quantile() * error
            found.append((word, Quality("mean_absolute_error", value, (value - half, value + half), part.size)))
        return found
    labelled = _labelled(data)
    right = labelled.truth == labelled.predicted
    for word, mask in (("in the training data", shared[labelled.rows]), ("new", ~shared[labelled.rows])):
        n, hits = int(mask.sum()), int(right[mask].sum())
        value = hits / n if n else math.nan
        found.append((word, Quality("accuracy", value, wilson(hits, n) if n else None, n)))
    return found
