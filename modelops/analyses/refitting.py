"""Training again: untrained copies of the model under test, or a model of ours where its file holds no recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import EvaluationData, Model, Sample
from modelops.analyses.levels import coded, in_order
from modelops.analyses.side_by_side import content_rank
from modelops.analyses.stand_ins import BOOSTED
from modelops.analyses.statistics.influence import (
    Scored,
    area_with_influence,
    balanced_accuracy_with_influence,
    r2_with_influence,
)
from modelops.analyses.statistics.weighting import row_entities
from modelops.domain.columns import Task
from modelops.errors import NotMeasured

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 1e120
NO_RECIPE = "The model's file holds no recipe to train it by: only scikit-learn models saved with skops do."
NO_MODEL = "No model file was given, so there is nothing to train again."
_MOST_CLASSES = 200

Numbers = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Labelled:
    """Rows that have a target, in a random order that depends on what they hold, not on where they stand.

    ``truth`` holds class codes (of two classes 1 is the positive one) or numbers; ``entities`` a code where rows of one
    entity repeat. ``without_target`` is how many rows of the table have no usable target.
    """

    frame: pd.DataFrame
    truth: np.ndarray
    classes: tuple[str, ...]
    positions: Rows
    entities: NDArray[np.int64] | None = None
    without_target: int = 0

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return int(self.truth.size)

    def taken(self, rows: Rows) -> Labelled:
        """Return some rows."""
        return Labelled(
            self.frame.iloc[rows].reset_index(drop=True),
            self.truth[rows],
            self.classes,
            self.positions[rows],
            None if self.entities is None else self.entities[rows],
            self.without_target,
        )


def classes_of(data: EvaluationData, samples: tuple[Sample, ...]) -> tuple[str, ...]:
    """Return the class labels of the targets, the positive one of two last; empty for a quantity.

    Raises
    ------
    NotMeasured
        If there is only one class, or far too many.
    """
    if data.task is Task.REGRESSION:
        return ()
    found: list[str] = []
    for sample in samples:
        column = coded(sample, str(_target(data, sample)))
        found += [level for level, count in zip(column.levels, column.counts(), strict=True) if count]
    classes = in_order(found)
    if not 2 <= len(classes) <= _MOST_CLASSES:
        raise NotMeasured(f"The target has {len(classes)} classes; from 2 to {_MOST_CLASSES} are needed.")
    if len(classes) == 2 and data.positive == classes[0]:
        return classes[1], classes[0]
    return classes


def _target(data: EvaluationData, sample: Sample) -> str | None:
    name = sample.roles.target or data.data.roles.target
    return name if name in sample.source.names else None


def labelled(
    data: EvaluationData, sample: Sample, names: tuple[str, ...], classes: tuple[str, ...], *, limit: int, seed: int
) -> Labelled:
    """Return up to ``limit`` rows of one table that have a target, drawn at random.

    Raises
    ------
    NotMeasured
        If there is no target, or no row that has one.
    """
    name = _target(data, sample)
    if name is None:
        raise NotMeasured("The table has no target column.")
    if classes:
        column = coded(sample, name)
        place = {label: code for code, label in enumerate(classes)}
        table = np.array([*(place.get(level, -1) for level in column.levels), -1], dtype=np.int64)
        truth = table[column.codes]
        usable = truth >= 0
    else:
        truth = sample.numbers(name)
        usable = np.abs(truth) < LARGEST
    order = np.argsort(content_rank(sample, seed=seed))
    kept = order[usable[order]][:limit]
    if not kept.size:
        raise NotMeasured("No row has a usable target.")
    entities = row_entities(sample)
    return Labelled(
        sample.frame(names).iloc[kept].reset_index(drop=True),
        truth[kept],
        classes,
        kept,
        None if entities is None else entities[kept],
        int(np.count_nonzero(~usable)),
    )


def stratified_prefixes(rows: Labelled) -> Rows:
    """Return an order of the rows in which every beginning has about the classes' shares of the whole.

    Examples
    --------
    >>> import pandas as pd
    >>> truth = np.array([0, 0, 0, 0, 1, 1])
    >>> rows = Labelled(pd.DataFrame(index=range(6)), truth, ("a", "b"), np.arange(6))
    >>> truth[stratified_prefixes(rows)].tolist()
    [0, 1, 0, 0, 1, 0]
    """
    if not rows.classes:
        return np.arange(rows.n_rows)
    place = np.empty(rows.n_rows)
    for code in range(len(rows.classes)):
        mine = np.flatnonzero(rows.truth == code)
        place[mine] = (np.arange(mine.size) + 0.5) / max(mine.size, 1)
    return np.argsort(place, kind="stable")


@dataclass(frozen=True)
class Learner:
    """What is trained again: the model under test, or the model of ours where ``model`` is ``None``.

    The settings of ours are those for ``n_rows`` rows, also where it is trained on fewer.
    """

    n_rows: int
    model: Model | None = None

    @property
    def called(self) -> str:
        """What it is, for a sentence."""
        return BOOSTED.name if self.model is None else "the model"

    def answers(
        self, train: Labelled, rows: pd.DataFrame, *, seed: int, target: np.ndarray | None = None
    ) -> Numbers | None:
        """Train on ``train`` and answer for ``rows``: scores in the order of the classes, or numbers.

        ``target`` replaces the truth of the training rows. ``None`` where the model has no recipe.

        Raises
        ------
        InvalidInput
            If the copy cannot be trained on these rows.
        """
        target = train.truth if target is None else target
        if self.model is None:
            n_classes = len(train.classes)
            return BOOSTED.answers(train.frame, target, rows, n_classes=n_classes, seed=seed, sized_for=self.n_rows)
        labels = np.array(train.classes, dtype=object)[target] if train.classes else target
        found = self.model.refit(train.frame, labels, rows, seed=seed)
        if found is None or not train.classes:
            return found
        columns = [self.model.classes.index(label) for label in train.classes if label in self.model.classes]
        if len(columns) < len(train.classes):
            raise NotMeasured("The target holds a class that the model does not know.")
        return np.asarray(found[:, columns], dtype=np.float64)


def metric_of(classes: tuple[str, ...]) -> str:
    """Return the score by which training is judged: it has no unit and is 1 at best."""
    if not classes:
        return "r2"
    return "roc_auc" if len(classes) == 2 else "balanced_accuracy"


def scored(answers: Numbers, truth: np.ndarray, classes: tuple[str, ...]) -> Scored:
    """Return the score of answers by `metric_of`, with the influence of each row.

    Raises
    ------
    NotMeasured
        If the rows are all of one class.
    """
    if not classes:
        return r2_with_influence(answers, truth)
    if len(classes) == 2:
        return area_with_influence(answers[:, 1], truth == 1)
    return balanced_accuracy_with_influence(np.argmax(answers, axis=1), truth)


def chance_score(classes: tuple[str, ...]) -> float:
    """Return what knowing nothing scores."""
    if not classes:
        return 0.0
    return 0.5 if len(classes) == 2 else 1 / len(classes)
