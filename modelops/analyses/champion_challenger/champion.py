"""What the champion answers: asked of its model, or read from columns of the same table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import EvaluationData, Model, Sample, as_labels
from modelops.analyses.levels import coded
from modelops.analyses.side_by_side import Answers, Rows
from modelops.errors import InvalidInput, NotMeasured

if TYPE_CHECKING:
    from modelops.analyses.champion_challenger import ChampionChallengerParameters

_BATCH = 50_000
_LARGEST = 1e120
_NO_CHAMPION = (
    "There is no champion to compare with: give the file of the model in use today, or name the "
    "column of its predictions (champion_prediction) or of its scores (champion_score)."
)

Numbers = NDArray[np.float64]


def champion_answers(data: EvaluationData, rows: Rows, parameters: ChampionChallengerParameters) -> Answers:
    """Return the champion's answers on the rows.

    Columns that the parameters name count; without them the model is asked.

    Raises
    ------
    NotMeasured
        If there is neither a model nor a column.
    InvalidInput
        If a column is not there or does not fit.
    """
    prediction, score = parameters.champion_prediction.strip(), parameters.champion_score.strip()
    if prediction or score:
        return _from_columns(data.data, rows, prediction, score, threshold=parameters.threshold)
    if data.champion is None:
        raise NotMeasured(_NO_CHAMPION)
    return model_answers(data.data, rows, data.champion, "champion")


def _from_columns(sample: Sample, rows: Rows, prediction: str, score: str, *, threshold: float) -> Answers:
    for name in filter(None, (prediction, score)):
        if name not in sample.source.names:
            raise InvalidInput(f"There is no column {name!r} that could hold the champion's answers.")
    if not rows.classes:
        if not prediction:
            raise InvalidInput("A quantity has no scores; name the column of the champion's predictions instead.")
        return Answers(_usable(_numbers(sample, prediction)[rows.positions]))
    if score and len(rows.classes) > 2:
        raise InvalidInput("One score column cannot serve more than two classes; name the predictions alone.")
    scores = None
    if score:
        mine = _numbers(sample, score)[rows.positions]
        mine = np.where(np.isfinite(mine), mine, np.nan)
        scores = np.column_stack([1 - mine, mine])
    if not prediction and scores is not None:
        codes = np.where(np.isnan(scores[:, 1]), -1, scores[:, 1] >= threshold)
        return Answers(codes.astype(np.int64), scores)
    column = coded(sample, prediction).take(rows.positions)
    occurring = np.flatnonzero(column.counts())
    places = _places([column.levels[level] for level in occurring], rows.classes, f"column {prediction!r}")
    table = np.full(len(column.levels) + 1, -1, dtype=np.int64)
    table[occurring] = places
    return Answers(table[column.codes], scores, "There is no score column of the champion.")


def model_answers(sample: Sample, rows: Rows, model: Model, whose: str) -> Answers:
    """Return what a model says of the rows; ``whose`` names it in messages."""
    predicted, scored = [], []
    for start in range(0, rows.n_rows, _BATCH):
        part = sample.frame(model.features).iloc[rows.positions[start : start + _BATCH]].reset_index(drop=True)
        predicted.append(model.predict(part))
        if rows.classes and model.classes:
            scored.append(model.scores(part))
    answers = np.concatenate(predicted)
    if not rows.classes:
        return Answers(_usable(np.asarray(answers, dtype=np.float64)))
    import pandas as pd

    labels, codes = np.unique(as_labels(pd.Series(answers)).astype(str), return_inverse=True)
    places = np.array(_places(labels.tolist(), rows.classes, whose), dtype=np.int64)
    owners = [str(as_labels(pd.Series([label]))[0]) for label in model.classes]
    if missing := [label for label in rows.classes if label not in owners]:
        return Answers(places[codes], None, f"The {whose} has no score for the class {missing[0]!r}.")
    scores = np.concatenate(scored)[:, [owners.index(label) for label in rows.classes]]
    return Answers(places[codes], np.asarray(scores, dtype=np.float64))


def _places(labels: list[str], classes: tuple[str, ...], whose: str) -> list[int]:
    """The class codes of labels; of more than two classes an unknown one is wrong everywhere, a class of its own."""
    unknown = [label for label in labels if label not in classes]
    if unknown and (len(classes) == 2 or len(unknown) == len(labels)):
        known = ", ".join(map(repr, classes[:8]))
        raise InvalidInput(f"The {whose} answers {unknown[0]!r}, which is none of the classes {known}.")
    return [classes.index(label) if label in classes else len(classes) for label in labels]


def _numbers(sample: Sample, name: str) -> Numbers:
    try:
        return sample.numbers(name)
    except NotMeasured as reason:
        raise InvalidInput(f"{reason} It should hold the champion's answers.") from reason


def _usable(numbers: Numbers) -> Numbers:
    return np.where(np.abs(numbers) < _LARGEST, numbers, np.nan)
