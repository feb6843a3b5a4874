"""Data and reference brought to the same classes: what was true, what was said, how it counts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import EvaluationData, Sample
from modelops.analyses.fairness.regression import predicted_quantities
from modelops.analyses.levels import in_order
from modelops.analyses.outcomes import Outcomes, outcomes
from modelops.analyses.statistics.weighting import Weighting, weighting
from modelops.domain.columns import Task
from modelops.errors import NotMeasured

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Said:
    """Rows with a prediction, of a table; ``rows`` are their positions.

    For classes ``truth`` and ``predicted`` are codes into ``classes`` (-1: no label), the positive one of two being 1,
    and ``scores`` of shape (n, n_classes) probabilities, or ``None`` for the reason ``no_scores``. For quantities
    ``classes`` is empty, ``truth`` and ``predicted`` are numbers (NaN: no label) and ``scores`` is ``None``.
    """

    sample: Sample
    rows: NDArray[np.intp]
    classes: tuple[str, ...]
    truth: NDArray[np.generic]
    predicted: NDArray[np.generic]
    scores: Numbers | None
    no_scores: str
    how: Weighting
    has_target: bool
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many rows there are."""
        return self.rows.size

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which rows have a label."""
        known = self.truth.astype(np.float64)
        return np.asarray(known >= 0) if self.classes else np.isfinite(known)

    def kept(self, mask: NDArray[np.bool_]) -> Said:
        """Return the rows where ``mask`` holds."""
        return replace(
            self,
            rows=self.rows[mask],
            truth=self.truth[mask],
            predicted=self.predicted[mask],
            scores=None if self.scores is None else self.scores[mask],
            how=self.how if self.how.weights is None else replace(self.how, weights=self.how.weights[mask]),
        )


def said(data: EvaluationData) -> tuple[Said, Said | str]:
    """Return what was said of the data, and of the labelled rows of the reference, or why there are none.

    Raises
    ------
    NotMeasured
        If the data has no usable prediction.
    """
    if data.task is Task.REGRESSION:
        return _quantities(data.data), _reference_quantities(data)
    now = outcomes(data, threshold=0.5)
    then = _reference_outcomes(data, now)
    if isinstance(then, str):
        return _of_classes(data.data, _own(now)), then
    now, then = _own(now), _own(then)
    if now.positive is None or then.positive is None:
        classes = in_order([*now.classes, *then.classes])
        now, then = _in_classes(now, classes), _in_classes(then, classes)
    mine = _of_classes(data.data, now)
    reference = data.reference if data.reference is not None else data.data
    return mine, replace(_of_classes(reference, then), classes=mine.classes)


def _own(rows: Outcomes) -> Outcomes:
    """Of two classes, put the positive one at code 1."""
    return rows if rows.positive is None else rows.one_against_rest(rows.positive)


def _reference_outcomes(data: EvaluationData, now: Outcomes) -> Outcomes | str:
    if data.reference is None:
        return "There is no reference table to compare with."
    if data.reference.roles.target is None:
        return "The reference has no target column, so nothing is known of how good predictions were."
    positive = data.positive if now.positive is None else now.classes[now.positive]
    try:
        then = outcomes(replace(data, data=data.reference, positive=positive), threshold=0.5).labelled()
    except NotMeasured as reason:
        return f"The reference cannot be used: {reason}"
    if not then.n_rows or (then.weights is not None and not then.weights.any()):
        return "No row of the reference has a label and a prediction."
    if (now.positive is None) != (then.positive is None) and len(then.classes) < 2:
        return "The reference knows a single class."
    return then


def _in_classes(rows: Outcomes, classes: tuple[str, ...]) -> Outcomes:
    place = np.array([*(classes.index(name) for name in rows.classes), -1], dtype=np.int32)
    scores = None
    if rows.scores is not None:
        scores = np.zeros((rows.n_rows, len(classes)))
        scores[:, place[:-1]] = rows.scores
    return replace(
        rows, classes=classes, truth=place[rows.truth], predicted=place[rows.predicted], scores=scores, positive=None
    )


def _of_classes(sample: Sample, rows: Outcomes) -> Said:
    scores, no_scores = rows.scores, rows.no_scores
    if scores is not None and (np.nanmin(scores, initial=0.0) < 0 or np.nanmax(scores, initial=0.0) > 1):
        scores, no_scores = None, "The scores lie outside 0 to 1, so they are not probabilities."
    if scores is not None and np.isnan(scores).any():
        complete = np.asarray(~np.isnan(scores).any(axis=1))
        if not complete.any():
            scores, no_scores = None, "No row has all scores."
        else:
            count = int(np.count_nonzero(~complete))
            rows = replace(rows.kept(complete, dropped="a score is missing"), notes=rows.notes)
            scores, no_scores = rows.scores, f"{count} rows have no score."
    right = (rows.truth == rows.predicted).astype(np.float64)
    return Said(
        sample=sample,
        rows=rows.rows,
        classes=rows.classes,
        truth=rows.truth,
        predicted=rows.predicted,
        scores=scores,
        no_scores=no_scores,
        how=weighting(rows.weights, rows.entities, right),
        has_target=rows.has_target,
        dropped=dict(rows.dropped),
        notes=rows.notes,
    )


def _quantities(sample: Sample) -> Said:
    found = predicted_quantities(sample)
    return Said(
        sample=sample,
        rows=found.rows,
        classes=(),
        truth=found.predicted - found.errors,
        predicted=found.predicted,
        scores=None,
        no_scores="",
        how=found.how,
        has_target=found.has_target,
        dropped=found.dropped,
    )


def _reference_quantities(data: EvaluationData) -> Said | str:
    if data.reference is None:
        return "There is no reference table to compare with."
    try:
        then = _quantities(data.reference)
    except NotMeasured as reason:
        return f"The reference cannot be used: {reason}"
    then = then.kept(then.labelled)
    if not then.size or (then.how.weights is not None and not then.how.weights.any()):
        return "No row of the reference has a target and a prediction."
    return then
