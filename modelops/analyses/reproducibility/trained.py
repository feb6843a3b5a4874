"""Training again: by the recipe of the file, twice with one seed, and with several seeds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from modelops.analyses.asked import Asked, Numbers, decided
from modelops.analyses.base import EvaluationData, Progress, Sample
from modelops.analyses.composed import drawn
from modelops.analyses.reproducibility.repeats import Repeat, attempted
from modelops.analyses.statistics.intervals import Interval
from modelops.analyses.statistics.ranking import area
from modelops.errors import NotMeasured

if TYPE_CHECKING:
    import pandas as pd

NO_TRAINING_DATA = "No training data was given, so nothing can be trained again."
NO_RECIPE = "The model's file holds no recipe to train it by: only scikit-learn models saved with skops do."
RECIPE, SAME_SEED = "trained by its recipe", "trained again, same seed"


@dataclass(frozen=True)
class Training:
    """Rows to train on, in the order of the table, and their target as the model takes it."""

    rows: pd.DataFrame
    target: np.ndarray
    is_whole: bool


def training(data: EvaluationData, *, limit: int, seed: int) -> Training:
    """Return the training rows that have a target, at most ``limit``, in the order in which they stand.

    Raises
    ------
    NotMeasured
        If there is no training data, it lacks a column, or no row has a target.
    """
    model, train = data.model, data.train
    if train is None or model is None:
        raise NotMeasured(NO_TRAINING_DATA)
    name = train.roles.target or data.data.roles.target
    if name is None or name not in train.source.names:
        raise NotMeasured("The training data has no target column, so nothing can be trained again.")
    if absent := [feature for feature in model.features if feature not in train.source.names]:
        raise NotMeasured(f"The training data lacks features of the model: {', '.join(absent[:5])}.")
    target = _target(train, name, classes=bool(model.classes))
    usable = np.array([value is not None for value in target]) if model.classes else np.isfinite(target)
    if not usable.any():
        raise NotMeasured("No training row has a target.")
    chosen = np.flatnonzero(usable)
    is_whole = len(chosen) <= limit
    if not is_whole:
        order = drawn(train, (*model.features, name), limit=train.n_rows, seed=seed)
        chosen = np.sort(order[usable[order]][:limit])
    return Training(train.frame(model.features).iloc[chosen].reset_index(drop=True), target[chosen], is_whole)


def _target(train: Sample, name: str, *, classes: bool) -> np.ndarray:
    return train.labels(name) if classes else train.numbers(name)


@dataclass(frozen=True)
class Seeded:
    """The answers of one training, and its quality by metric."""

    seed: int
    answers: Numbers
    quality: dict[str, float]


def retrained(
    subject: Asked, base: Numbers, train: Training, *, seeds: tuple[int, ...], truth: Numbers | None, progress: Progress
) -> tuple[list[Repeat], list[Seeded]]:
    """Train by the recipe of the file, twice with the first seed, and once with each other seed.

    ``truth`` holds positions of classes or numbers for the rows asked, NaN where there is none.
    """
    model, rows = subject.model, subject.rows

    def fitted(seed: int | None) -> Numbers | None:
        return model.refit(train.rows, train.target, rows, seed=seed)

    progress(0.0, "training by the recipe of the file")
    by_recipe = attempted(RECIPE, base, partial(fitted, None), otherwise=NO_RECIPE)
    if by_recipe.answers is None:
        return [by_recipe, Repeat(SAME_SEED, base, None, by_recipe.why)], []
    found: list[Seeded] = []
    for place, seed in enumerate(seeds):
        progress((place + 1) / (len(seeds) + 2), f"training with seed {seed}")
        one = attempted("", base, partial(fitted, seed), otherwise=NO_RECIPE)
        if one.answers is None:
            return [by_recipe, Repeat(SAME_SEED, base, None, one.why)], []
        found.append(Seeded(seed, one.answers, quality(one.answers, truth)))
    progress(1 - 1 / (len(seeds) + 2), f"training with seed {seeds[0]} again")
    twice = attempted(SAME_SEED, found[0].answers, partial(fitted, seeds[0]), otherwise=NO_RECIPE)
    return [by_recipe, twice], found


def quality(answers: Numbers, truth: Numbers | None) -> dict[str, float]:
    """Return quality measures of answers where the truth is known: empty where it is not."""
    if truth is None:
        return {}
    finite = np.isfinite(answers) if answers.ndim == 1 else np.isfinite(answers).all(axis=1)
    usable = finite & np.isfinite(truth)
    known, real = answers[usable], truth[usable]
    if not real.size:
        return {}
    if known.ndim == 1:
        errors = known - real
        found = {"mean_absolute_error": float(np.abs(errors).mean())}
        variance = float(np.square(real - real.mean()).sum())
        return found | ({"r2": 1 - float(np.square(errors).sum()) / variance} if variance > 0 else {})
    right = decided(known) == real
    found = {
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(np.mean([right[real == code].mean() for code in np.unique(real)])),
    }
    if known.shape[1] == 2 and 0 < real.mean() < 1:
        found["roc_auc"] = area(known[:, 1], real == 1).value
    return found


def churn(found: list[Seeded]) -> tuple[float, float, float]:
    """Return the share of rows that two trainings decide differently: mean, smallest and largest over all pairs."""
    chosen = [decided(one.answers) for one in found]
    shares = [float((first != second).mean()) for first, second in combinations(chosen, 2)]
    return float(np.mean(shares)), min(shares), max(shares)


def row_spreads(found: list[Seeded]) -> Numbers:
    """Return the standard deviation of each row's answer over the seeds, shape (n,): of the class that moves most."""
    spread = np.stack([one.answers for one in found]).std(axis=0, ddof=1)
    return np.asarray(spread if spread.ndim == 1 else spread.max(axis=1))


def deviation_interval(deviation: float, n: int, *, level: float = 0.95) -> Interval:
    """Return the interval of a standard deviation of ``n`` normal values, by the chi-squared distribution.

    Examples
    --------
    >>> low, high = deviation_interval(1.0, 10)
    >>> round(low, 3), round(high, 3)
    (0.688, 1.826)
    """
    from scipy.stats import chi2

    low, high = (float(chi2.ppf(share, n - 1)) for share in ((1 - level) / 2, (1 + level) / 2))
    return deviation * float(np.sqrt((n - 1) / high)), deviation * float(np.sqrt((n - 1) / low))


def margin_of(deviation: float, n: int, *, level: float = 0.95) -> float:
    """Return the difference of two trainings that the seed alone exceeds in one of twenty cases.

    Two independent trainings differ with the deviation times the root of two; that the deviation was estimated from
    ``n`` trainings is accounted for by Student's t.
    """
    from scipy.stats import t

    return float(t.ppf((1 + level) / 2, n - 1)) * float(np.sqrt(2)) * deviation
