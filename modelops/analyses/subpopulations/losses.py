"""What the model loses on each row: one number a row, whose mean over any group of rows is the metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import EvaluationData
from modelops.analyses.outcomes import Outcomes, outcomes
from modelops.analyses.performance.regression import quantities
from modelops.analyses.statistics.intervals import Interval
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured

Numbers = NDArray[np.float64]
Metric = Literal[
    "automatic",
    "accuracy",
    "recall",
    "precision",
    "specificity",
    "log_loss",
    "brier_score",
    "mean_absolute_error",
    "mean_squared_error",
]

_OF_CLASSES = ("accuracy", "recall", "precision", "specificity", "log_loss", "brier_score")
_OF_QUANTITIES = ("mean_absolute_error", "mean_squared_error")
_OF_TWO_CLASSES = ("recall", "precision", "specificity")
_SMALLEST = 1e-15


@dataclass(frozen=True)
class Losses:
    """The rows that count for a metric.

    ``values`` of shape (n,) are losses: the larger, the worse. Where ``is_gain`` the metric is 1 less their mean
    (accuracy: a loss is a wrong prediction), otherwise their mean. ``rows`` are positions in the table.
    ``effect`` is the design effect: how many rows are worth one independent row.
    """

    metric: str
    values: Numbers
    rows: NDArray[np.intp]
    weights: Numbers | None
    entities: NDArray[np.int64] | None
    effect: float
    is_gain: bool
    dropped: dict[str, int]
    notes: tuple[str, ...]

    @property
    def is_share(self) -> bool:
        """Whether each row either loses or does not."""
        return self.metric in _OF_CLASSES[:4]

    def shown(self, loss: float) -> float:
        """Return a mean loss as the metric."""
        return 1 - loss if self.is_gain else loss

    def interval_shown(self, interval: Interval | None) -> Interval | None:
        """Return the interval of a mean loss as that of the metric."""
        return interval and (1 - interval[1], 1 - interval[0]) if self.is_gain else interval

    def take(self, kept: NDArray[np.intp]) -> Losses:
        """Return some of the rows."""
        return Losses(
            self.metric,
            self.values[kept],
            self.rows[kept],
            None if self.weights is None else self.weights[kept],
            None if self.entities is None else np.unique(self.entities[kept], return_inverse=True)[1],
            self.effect,
            self.is_gain,
            self.dropped,
            self.notes,
        )


def losses(data: EvaluationData, metric: Metric, *, threshold: float) -> Losses:
    """Return what each row loses by ``metric``; automatic is accuracy, or the mean absolute error.

    Raises
    ------
    NotMeasured
        If there is no target, or no row that counts.
    InvalidInput
        If the metric is for another task.
    """
    if data.data.roles.target is None:
        raise NotMeasured("Comparing groups by their errors needs a target column; there is none.")
    if data.task is Task.REGRESSION:
        return _of_quantities(data, "mean_absolute_error" if metric == "automatic" else metric)
    return _of_classes(data, "accuracy" if metric == "automatic" else metric, threshold)


def _of_quantities(data: EvaluationData, metric: str) -> Losses:
    _check(metric, _OF_QUANTITIES, "regression")
    found = quantities(data.data)
    distance = np.abs(found.errors)
    return Losses(
        metric=metric,
        values=distance if metric == "mean_absolute_error" else distance**2,
        rows=found.rows,
        weights=found.how.weights,
        entities=found.entities,
        effect=found.how.design_effect,
        is_gain=False,
        dropped=found.dropped,
        notes=(found.how.note,) if found.how.note else (),
    )


def _of_classes(data: EvaluationData, metric: str, threshold: float) -> Losses:
    _check(metric, _OF_CLASSES, "classification")
    found = outcomes(data, threshold=threshold).labelled()
    if metric in _OF_TWO_CLASSES and found.positive is None:
        raise InvalidInput(f"The metric {metric!r} is for two classes; with more choose accuracy or log_loss.")
    found, values = _losses(found, metric)
    if not found.n_rows or (found.weights is not None and not found.weights.any()):
        raise NotMeasured(f"No row counts for {metric.replace('_', ' ')}: no label, score or weight above zero.")
    how = found.weighting()
    return Losses(
        metric=metric,
        values=values,
        rows=found.rows,
        weights=how.weights,
        entities=found.entities,
        effect=how.design_effect,
        is_gain=metric in _OF_CLASSES[:4],
        dropped=found.dropped,
        notes=(*found.notes, how.note) if how.note else found.notes,
    )


def _losses(found: Outcomes, metric: str) -> tuple[Outcomes, Numbers]:
    """Return the rows that count for ``metric`` and what each of them loses."""
    if metric in {"log_loss", "brier_score"}:
        return _of_scores(found, metric)
    if metric != "accuracy":
        by = found.predicted if metric == "precision" else found.truth
        wanted = (by == found.positive) != (metric == "specificity")
        found = found.kept(wanted, dropped=f"they do not count for {metric}")
    return found, (found.truth != found.predicted).astype(np.float64)


def _of_scores(found: Outcomes, metric: str) -> tuple[Outcomes, Numbers]:
    if found.scores is None:
        raise NotMeasured(f"The metric {metric.replace('_', ' ')} needs scores. {found.no_scores}")
    found = found.kept(np.all(np.isfinite(found.scores), axis=1), dropped="a score is missing")
    scores = found.scores
    if scores is None or not found.n_rows:
        raise NotMeasured("No row has a label and all of its scores.")
    if scores.min() < 0 or scores.max() > 1:
        raise NotMeasured("The scores lie outside 0 to 1, so they are not probabilities.")
    given = scores[np.arange(found.n_rows), found.truth]
    if metric == "log_loss":
        return found, -np.log(np.maximum(given, _SMALLEST))
    if found.positive is not None:
        return found, (1 - given) ** 2
    true = np.zeros_like(scores)
    true[np.arange(found.n_rows), found.truth] = 1
    return found, np.asarray(((scores - true) ** 2).sum(axis=1))


def _check(metric: str, known: tuple[str, ...], task: str) -> None:
    if metric not in known:
        raise InvalidInput(f"The metric {metric!r} is not for {task}; choose {', '.join(known)} or automatic.")
