"""The rows, what the model answers, and every baseline that can be had."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import EvaluationData, Run, Sample
from modelops.analyses.baseline.linear import Fit, Training, cross_fitted, from_training
from modelops.analyses.baseline.rivals import (
    Rival,
    constant_class,
    constant_number,
    earlier_method,
    guessed_class,
    highest,
    last_value,
)
from modelops.analyses.composed import drawn
from modelops.analyses.levels import coded
from modelops.analyses.outcomes import outcomes
from modelops.analyses.performance.regression import LARGEST, quantities
from modelops.analyses.side_by_side import Answers, Rows, class_rows, number_rows
from modelops.errors import NotMeasured

if TYPE_CHECKING:
    import pandas as pd

    from modelops.analyses.baseline import BaselineParameters

_NO_TIME = "There is no time column, so no value is the last one."
_NOTHING_EARLIER = "No row has an earlier one of the same id, so no value is the last one."
_OWN_LABELS = "The labels of these rows themselves were used, which helps the baseline a little."

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Contest:
    """The model's answers and the baselines' on the same rows."""

    rows: Rows
    model: Answers
    rivals: list[Rival]
    notes: tuple[str, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)


def contest_of_classes(data: EvaluationData, parameters: BaselineParameters, run: Run) -> Contest:
    """Return the baselines of a classification."""
    labelled = outcomes(data, threshold=parameters.threshold).labelled()
    if not labelled.n_rows or (labelled.weights is not None and not labelled.weights.any()):
        raise NotMeasured("No row has a label, a prediction and a weight above zero.")
    if labelled.positive is not None:
        labelled = labelled.one_against_rest(labelled.positive)
    rows, model = class_rows(labelled, data.data, seed=run.seed)
    n_classes = len(rows.classes)
    target = None if data.train is None else _codes(data.train, data.data.roles.target, rows.classes)
    known = rows.truth[:0] if target is None else target[target >= 0]
    from_train = known.size > 0
    shares = np.bincount(known if from_train else rows.truth, minlength=n_classes).astype(np.float64)
    shares /= shares.sum()
    how = "of the training data" if from_train else "of these rows"
    note = f"The shares {how}: {', '.join(f'{n} {s:.3g}' for n, s in _largest(rows.classes, shares))}."
    note += "" if from_train else f" {_OWN_LABELS}"
    rivals = [
        constant_class(shares, rows.n_rows, note=f"Always {rows.classes[int(np.argmax(shares))]!r}. {note}"),
        guessed_class(shares, rows.n_rows, note=f"Guessing by the shares of the classes; exact, not drawn. {note}"),
        _last(rows),
    ]
    selected = int(np.count_nonzero(model.predicted == 1)) if n_classes == 2 else None
    if parameters.linear:
        rivals.append(_linear(data, parameters, run, rows, target, selected=selected))
    rivals += [
        earlier_method(data.data, name, rows.positions, rows.classes, selected=selected)
        for name in dict.fromkeys(parameters.columns)
    ]
    return Contest(rows, model, rivals, labelled.notes, labelled.dropped)


def contest_of_numbers(data: EvaluationData, parameters: BaselineParameters, run: Run) -> Contest:
    """Return the baselines of a regression."""
    usable = quantities(data.data)
    rows, model = number_rows(usable, data.data, seed=run.seed)
    target = None if data.train is None else _numbers(data.train, data.data.roles.target)
    known = rows.truth[:0] if target is None else target[np.isfinite(target)]
    from_train = known.size > 0
    values = known if from_train else rows.truth
    how = "of the training data." if from_train else f"of these rows. {_OWN_LABELS}"
    rivals = [
        constant_number("mean", float(values.mean()), rows.n_rows, note=f"Always the mean {how}"),
        constant_number("median", float(np.median(values)), rows.n_rows, note=f"Always the median {how}"),
        _last(rows),
    ]
    if parameters.linear:
        rivals.append(_linear(data, parameters, run, rows, target, selected=None))
    columns = dict.fromkeys(parameters.columns)
    rivals += [earlier_method(data.data, name, rows.positions, (), selected=None) for name in columns]
    return Contest(rows, model, rivals, (), usable.dropped)


def _largest(classes: tuple[str, ...], shares: Numbers) -> list[tuple[str, float]]:
    order = np.argsort(-shares, kind="stable")[:4]
    return [(repr(classes[code]), float(shares[code])) for code in order]


def _codes(train: Sample, target: str | None, classes: tuple[str, ...]) -> NDArray[np.int64] | None:
    """The target of the training data in the classes of the data; -1 for what is not one of them."""
    name = train.roles.target or target
    if name is None or name not in train.source.names:
        return None
    column = coded(train, name)
    place = {label: code for code, label in enumerate(classes)}
    table = np.array([*(place.get(level, -1) for level in column.levels), -1], dtype=np.int64)
    return np.asarray(table[column.codes])


def _numbers(train: Sample, target: str | None) -> Numbers | None:
    name = train.roles.target or target
    if name is None or name not in train.source.names:
        return None
    try:
        values = train.numbers(name)
    except NotMeasured:
        return None
    return np.where(np.abs(values) < LARGEST, values, np.nan)


def _last(rows: Rows) -> Rival:
    if rows.times is None:
        return Rival("last value", None, "", reason=_NO_TIME)
    values = last_value(rows.times, rows.truth, rows.entities, n_classes=len(rows.classes))
    if rows.entities is not None and not np.any(values >= 0 if rows.classes else np.isfinite(values)):
        return Rival("last value", None, "", reason=_NOTHING_EARLIER, applies=False)
    whose = "" if rows.entities is None else " of the same entity"
    note = f"What was true at the last earlier time{whose}, as if it were known at once."
    return Rival("last value", Answers(values, None, "The last value is a class, not a score."), note)


def _linear(
    data: EvaluationData,
    parameters: BaselineParameters,
    run: Run,
    rows: Rows,
    target: np.ndarray | None,
    *,
    selected: int | None,
) -> Rival:
    try:
        fit = _fit(data, parameters, run, rows, target)
    except NotMeasured as reason:
        return Rival("linear", None, "", reason=str(reason))
    if not rows.classes:
        return Rival("linear", Answers(fit.answers), f"Ridge regression. {fit.note}")
    known = np.asarray(np.isfinite(fit.answers).all(axis=1), dtype=np.bool_)
    if selected is None:
        predicted = np.where(known, np.argmax(np.where(known[:, None], fit.answers, 0.0), axis=1), -1)
        note = f"Logistic regression. {fit.note}"
    else:
        count = round(selected * float(known.mean()))
        predicted = highest(fit.answers[:, 1], count)
        note = f"Logistic regression. {fit.note} It selects as many rows as the model, those it scores highest."
    return Rival("linear", Answers(predicted, fit.answers), note)


def _fit(
    data: EvaluationData,
    parameters: BaselineParameters,
    run: Run,
    rows: Rows,
    target: np.ndarray | None,
) -> Fit:
    names = data.data.roles.features
    if not names:
        raise NotMeasured("There are no feature columns to train a linear model on.")
    run.progress(0.15, "Training a linear model")
    n_classes = len(rows.classes)
    if data.train is None or target is None:
        frame = _part(data.data, names, rows.positions)

        def progress(done: float) -> None:
            run.progress(0.15 + 0.5 * done, "Training a linear model")

        return cross_fitted(frame, rows, limit=parameters.rows, seed=run.seed, progress=progress)
    shared = tuple(name for name in names if name in data.train.source.names)
    if not shared:
        raise NotMeasured("The training data has none of the features.")
    usable = np.flatnonzero(target >= 0 if n_classes else np.isfinite(target))
    kept = usable
    if usable.size > parameters.rows:
        keyed = drawn(data.train, (*shared, *data.train.roles.named), limit=data.train.n_rows, seed=run.seed)
        kept = keyed[np.isin(keyed, usable)][: parameters.rows]
    training = Training(_part(data.train, shared, kept), target[kept], usable.size)
    frame = _part(data.data, shared, rows.positions)
    return from_training(training, frame, n_classes=n_classes, seed=run.seed)


def _part(sample: Sample, names: tuple[str, ...], positions: NDArray[np.intp]) -> pd.DataFrame:
    return sample.frame(names).iloc[positions].reset_index(drop=True)
