"""What was true, what was predicted and with which score, for classification: read once, row by row comparable."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import EvaluationData, Sample
from modelops.analyses.cores.confusion_counts import cell_counts
from modelops.analyses.levels import Coded, Codes, coded, in_order
from modelops.analyses.statistics.weighting import Weighting, row_entities, row_weights, weighting
from modelops.errors import InvalidInput, NotMeasured

MOST_CLASSES = 200
NO_SCORES = "There is no score column."
NOT_PROBABILITIES = "The scores lie outside 0 to 1, so they are not probabilities."

_OPPOSITES = {"1": "0", "True": "False", "true": "false", "yes": "no", "Yes": "No", "Y": "N", "y": "n"}
_NEGATIVES = {negative: positive for positive, negative in _OPPOSITES.items()}

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Outcomes:
    """The rows that have a prediction.

    ``truth`` and ``predicted`` of shape (n,) point into ``classes``; -1 in ``truth`` is a missing label, and without a
    target column all of it is. ``positive`` is the code of the positive class where there are two, ``named``
    of the class that the caller named, of however many. ``scores`` has shape
    (n, n_classes) in the order of ``classes`` with NaN where missing, or is ``None`` for the reason ``no_scores``.
    ``rows`` are the positions in the table.
    """

    classes: tuple[str, ...]
    truth: Codes
    predicted: Codes
    rows: NDArray[np.intp]
    positive: int | None = None
    named: int | None = None
    scores: Numbers | None = None
    no_scores: str = NO_SCORES
    weights: Numbers | None = None
    entities: NDArray[np.int64] | None = None
    has_target: bool = True
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.rows.size

    def kept(self, mask: NDArray[np.bool_], *, dropped: str | None = None) -> Outcomes:
        """Return the rows where ``mask`` holds; the others are counted under the reason ``dropped``."""
        if bool(mask.all()):
            return self
        counted = dict(self.dropped)
        if dropped:
            counted[dropped] = counted.get(dropped, 0) + int(np.count_nonzero(~mask))
        return replace(
            self,
            truth=self.truth[mask],
            predicted=self.predicted[mask],
            rows=self.rows[mask],
            scores=None if self.scores is None else self.scores[mask],
            weights=None if self.weights is None else self.weights[mask],
            entities=None if self.entities is None else np.unique(self.entities[mask], return_inverse=True)[1],
            dropped=counted,
        )

    def labelled(self) -> Outcomes:
        """Return the rows that have a label."""
        return self.kept(self.truth >= 0, dropped="the target is missing")

    def confusion(self, weights: Numbers | None = None) -> Numbers:
        """Return the rows (or their weight) by label and prediction, shape (n_classes, n_classes); all are labelled."""
        size = len(self.classes)
        return cell_counts([self.truth, self.predicted], [size, size], weights=weights)

    def weighting(self) -> Weighting:
        """Return how labelled rows count: their weights, and how far rows of one entity agree in being right."""
        return weighting(self.weights, self.entities, (self.truth == self.predicted).astype(np.float64))

    def one_against_rest(self, code: int) -> Outcomes:
        """Return the same rows as two classes: ``code`` (positive) and everything else."""
        if code == 1 and len(self.classes) == 2:
            return replace(self, positive=1)
        name = self.classes[code]
        rest = self.classes[1 - code] if len(self.classes) == 2 else f"not {name}"
        scores = None
        if self.scores is not None:
            mine = self.scores[:, code]
            scores = np.column_stack([1 - mine, mine])
        return replace(
            self,
            classes=(rest, name),
            truth=np.where(self.truth < 0, -1, self.truth == code).astype(np.int32),
            predicted=(self.predicted == code).astype(np.int32),
            scores=scores,
            positive=1,
            named=1,
        )

    @property
    def positive_scores(self) -> Numbers | None:
        """The score of the positive class, shape (n,); ``None`` without scores or without two classes."""
        return None if self.scores is None or self.positive is None else self.scores[:, self.positive]


def outcomes(data: EvaluationData, *, threshold: float) -> Outcomes:
    """Read labels, predictions and scores.

    Without a prediction column the prediction is the positive class where its score reaches ``threshold``, or the class
    with the largest score. Where nobody named the positive class of two, it is the later one in sorted order.

    Raises
    ------
    NotMeasured
        If there is neither a prediction nor a score column, or no row that has a prediction.
    InvalidInput
        If the positive class is not among the labels, target and prediction share no label, or there are too many
        classes.
    """
    sample = data.data
    roles = sample.roles
    truth = None if roles.target is None else _occurring(coded(sample, roles.target))
    predicted = None if roles.prediction is None else _occurring(coded(sample, roles.prediction))
    if predicted is None and not roles.scores:
        raise NotMeasured("There is neither a prediction nor a score column, so there is nothing to judge.")
    classes, positive, notes = _classes(data, truth, predicted)
    named = None if data.positive is None else classes.index(_as_label(data.positive))
    scores, no_scores, about_scores = _scores(sample, classes, positive, named)
    notes += about_scores
    none = np.full(sample.n_rows, -1, dtype=np.int32)
    codes = none if predicted is None else predicted.in_levels(classes)
    if predicted is None:
        codes, note = _from_scores(scores, no_scores, positive, threshold)
        notes.append(note)
    found = Outcomes(
        classes=classes,
        truth=none if truth is None else truth.in_levels(classes),
        predicted=codes,
        rows=np.arange(sample.n_rows),
        positive=positive,
        named=named,
        scores=scores,
        no_scores=no_scores,
        weights=row_weights(sample),
        entities=row_entities(sample),
        has_target=truth is not None,
        notes=tuple(notes),
    ).kept(codes >= 0, dropped="the prediction is missing")
    if found.weights is not None:
        found = found.kept(~np.isnan(found.weights), dropped="the weight is missing, negative or infinite")
        if found.n_rows and not np.any(found.weights):
            raise NotMeasured("Every weight is zero.")
    if not found.n_rows:
        raise NotMeasured("No row has a usable prediction.")
    return found


def _occurring(column: Coded) -> Coded:
    used = np.flatnonzero(column.counts())
    table = np.full(len(column.levels) + 1, -1, dtype=np.int32)
    table[used] = np.arange(used.size)
    return Coded(table[column.codes], tuple(column.levels[position] for position in used))


def _classes(
    data: EvaluationData, truth: Coded | None, predicted: Coded | None
) -> tuple[tuple[str, ...], int | None, list[str]]:
    seen = [column.levels for column in (truth, predicted) if column is not None]
    if len(seen) == 2 and min(map(len, seen)) > 1 and not set(seen[0]) & set(seen[1]):
        raise InvalidInput(
            f"The target holds {_listed(seen[0])} and the prediction {_listed(seen[1])}: no label is in both. "
            "Write both columns with the same labels. If the model's file numbers its classes, name them in their "
            "order: with the version of the model, or by --classes LABEL,LABEL."
        )
    labels = in_order([label for levels in seen for label in levels] + list(data.data.roles.score_classes))
    if len(labels) > MOST_CLASSES:
        raise InvalidInput(
            f"Target and prediction hold {len(labels)} distinct labels, at most {MOST_CLASSES} classes are supported. "
            "If they are quantities, choose the task regression."
        )
    wanted = None if data.positive is None else _as_label(data.positive)
    if wanted is not None and wanted not in labels and len(labels) > 1:
        raise InvalidInput(f"The positive class {wanted!r} is not among the labels {_listed(labels)}.")
    if len(labels) > 2:
        return labels, None, []
    notes = []
    if wanted is None:
        wanted = _guessed(labels)
        notes.append(f"No positive class was named; {wanted!r} is taken as the positive one.")
    others = [label for label in labels if label != wanted]
    negative = others[0] if others else _OPPOSITES.get(wanted, f"not {wanted}")
    classes = in_order([wanted, negative])
    return classes, classes.index(wanted), notes


def _guessed(labels: tuple[str, ...]) -> str:
    if len(labels) == 2:
        return labels[1]
    if not labels:
        return "1"
    return _NEGATIVES.get(labels[0], labels[0])


def _as_label(text: str) -> str:
    """A label as people type it: 1.0 is the label 1, as it is in a column of numbers."""
    return re.sub(r"^(-?\d+)\.0+$", r"\1", text)


def _listed(labels: tuple[str, ...], most: int = 8) -> str:
    text = ", ".join(repr(label) for label in labels[:most])
    return text + (f" and {len(labels) - most} more" if len(labels) > most else "")


def _scores(
    sample: Sample, classes: tuple[str, ...], positive: int | None, named: int | None
) -> tuple[Numbers | None, str, list[str]]:
    names, owners = sample.roles.scores, tuple(_as_label(owner) for owner in sample.roles.score_classes)
    if not names:
        return None, NO_SCORES, []
    columns = [sample.numbers(name) for name in names]
    notes = []
    if infinite := sum(int(np.count_nonzero(np.isinf(column))) for column in columns):
        notes.append(f"{infinite} infinite scores are treated as missing.")
    columns = [np.where(np.isinf(column), np.nan, column) for column in columns]
    if len(names) == 1:
        if positive is None and named is not None:
            scores = np.full((sample.n_rows, len(classes)), np.nan)
            scores[:, named] = columns[0]
            return scores, "", notes
        if positive is None:
            return None, "One score column cannot serve more than two classes; give one for each class.", notes
        mine = 1 - columns[0] if owners and owners[0] == classes[1 - positive] else columns[0]
        both = (1 - mine, mine) if positive == 1 else (mine, 1 - mine)
        return np.column_stack(both), "", notes
    if missing := [label for label in classes if label not in owners]:
        return None, f"There is no score column for the class {missing[0]!r}.", notes
    return np.column_stack([columns[owners.index(label)] for label in classes]), "", notes


def _from_scores(scores: Numbers | None, no_scores: str, positive: int | None, threshold: float) -> tuple[Codes, str]:
    if scores is None:
        raise NotMeasured(f"There is no prediction column, and none can be made from the scores: {no_scores}")
    known = np.all(~np.isnan(scores), axis=1)
    if positive is not None:
        codes = np.where(scores[:, positive] >= threshold, positive, 1 - positive)
        note = f"There is no prediction column; a score of at least {threshold:g} counts as the positive class."
    else:
        codes = np.argmax(np.where(known.reshape(-1, 1), scores, -np.inf), axis=1)
        note = "There is no prediction column; the class with the largest score counts as the prediction."
    return np.where(known, codes, -1).astype(np.int32), note
