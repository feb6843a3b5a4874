"""What a plain linear model on the same features answers, without having seen the rows that it answers for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.side_by_side import Rows
from modelops.analyses.stand_ins import LINEAR
from modelops.errors import NotMeasured

if TYPE_CHECKING:
    import pandas as pd

FOLDS = 5
_FEWEST = 20

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """The answers of shape (n,) or (n, n_classes), NaN where there are none, and how they came about."""

    answers: Numbers
    note: str


@dataclass(frozen=True)
class Training:
    """Training rows apart from the data: their features, and the target as codes or numbers."""

    frame: pd.DataFrame
    target: NDArray[Any]
    total: int


def from_training(training: Training, frame: pd.DataFrame, *, n_classes: int, seed: int) -> Fit:
    """Train on the training rows, answer for all others."""
    if len(training.target) < _FEWEST:
        raise NotMeasured(f"The training data has {len(training.target)} usable rows; at least {_FEWEST} are needed.")
    names = list(training.frame)
    answers = LINEAR.answers(training.frame, training.target, frame[names], n_classes=n_classes, seed=seed)
    some = f", {len(training.target):,} of {training.total:,} rows drawn at random" if _is_part(training) else ""
    return Fit(answers, f"Trained on the training data{some}, with {len(names)} features.")


def _is_part(training: Training) -> bool:
    return len(training.target) < training.total


def cross_fitted(
    frame: pd.DataFrame,
    rows: Rows,
    *,
    limit: int,
    seed: int,
    progress: Callable[[float], None],
) -> Fit:
    """Answer for each fold of the rows with a model trained on the others.

    With time, a fold is a stretch of time and the model is trained on what came before, so that the first stretch has
    no answer. Otherwise folds are drawn at random: within classes, and whole entities where rows of one repeat.
    """
    n_rows = rows.n_rows
    if n_rows < _FEWEST:
        raise NotMeasured(f"Not enough data: {n_rows} rows, a linear model of their own needs {_FEWEST}.")
    fold = _random_folds(rows) if rows.times is None else _stretches(rows.times)
    n_classes = len(rows.classes)
    answers = np.full((n_rows, n_classes) if n_classes else n_rows, np.nan)
    for part in range(FOLDS):
        mine = np.flatnonzero(fold == part)
        others = np.flatnonzero(fold != part if rows.times is None else fold < part)
        others = others[np.argsort(rows.rank[others])][:limit]
        if mine.size and others.size >= _FEWEST // 2:
            target = rows.truth[others]
            answers[mine] = LINEAR.answers(frame.iloc[others], target, frame.iloc[mine], n_classes=n_classes, seed=seed)
        progress((part + 1) / FOLDS)
    how = f"each of {FOLDS} parts of the rows by a model trained on the others"
    if rows.times is not None:
        how = f"each stretch of time but the first of {FOLDS} by a model trained on what came before it"
    return Fit(answers, f"No training data was given, so it was trained on these rows: {how}.")


def _stretches(times: Numbers) -> NDArray[np.int64]:
    """Equal parts in the order of time; rows of the same time stay together."""
    ordered = np.sort(times)
    return np.asarray(np.searchsorted(ordered, times, side="left") * FOLDS // times.size, dtype=np.int64)


def _random_folds(rows: Rows) -> NDArray[np.int64]:
    if rows.entities is not None:
        first = np.full(int(rows.entities.max()) + 1, np.iinfo(np.int64).max)
        np.minimum.at(first, rows.entities, rows.rank)
        return np.asarray(np.argsort(np.argsort(first))[rows.entities] % FOLDS, dtype=np.int64)
    fold = np.empty(rows.n_rows, dtype=np.int64)
    strata = rows.truth if rows.classes else np.zeros(rows.n_rows, dtype=np.int64)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        fold[members[np.argsort(rows.rank[members])]] = np.arange(members.size) % FOLDS
    return fold
