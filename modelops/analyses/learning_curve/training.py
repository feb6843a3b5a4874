"""Training on more and more rows: which rows, in nested parts, several times over, and the scores on the test rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import EvaluationData
from modelops.analyses.refitting import (
    NO_RECIPE,
    Labelled,
    Learner,
    classes_of,
    labelled,
    scored,
    stratified_prefixes,
)
from modelops.analyses.side_by_side import times_of
from modelops.errors import InvalidInput, NotMeasured

if TYPE_CHECKING:
    from modelops.analyses.learning_curve import LearningCurveParameters

FEWEST_TRAIN, FEWEST_TEST = 40, 20
_TEST_SHARE = 0.3
_SMALLEST = 20
_ROWS_PER_CLASS = 5

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Split:
    """The rows to train on, the rows to score on, and how they were parted."""

    pool: Labelled
    test: Labelled
    note: str


def split_of(data: EvaluationData, parameters: LearningCurveParameters, *, seed: int) -> Split:
    """Return training and test rows: the training data and the data, or two parts of the data.

    Without training data the last 30 % in time are scored on where there is time, otherwise 30 % at random: whole
    entities where rows of one repeat, within classes else.

    Raises
    ------
    NotMeasured
        If there are no features, or too few rows.
    """
    names = data.data.roles.features if data.model is None else data.model.features
    if data.train is not None:
        names = tuple(name for name in names if name in data.train.source.names)
    if not names:
        raise NotMeasured("There are no feature columns to train on.")
    samples = (data.data,) if data.train is None else (data.data, data.train)
    classes = classes_of(data, samples)
    if data.train is not None:
        pool = labelled(data, data.train, names, classes, limit=parameters.rows, seed=seed)
        test = labelled(data, data.data, names, classes, limit=parameters.test_rows, seed=seed)
        split = Split(pool, test, "Trained on the training data, scored on the data.")
    else:
        limit = parameters.rows + parameters.test_rows
        split = _parted(data, labelled(data, data.data, names, classes, limit=limit, seed=seed), parameters)
    if split.pool.n_rows < FEWEST_TRAIN or split.test.n_rows < FEWEST_TEST:
        raise NotMeasured(
            f"Not enough data: {split.pool.n_rows} rows to train on and {split.test.n_rows} to score on; "
            f"{FEWEST_TRAIN} and {FEWEST_TEST} are the least."
        )
    return split


def _parted(data: EvaluationData, rows: Labelled, parameters: LearningCurveParameters) -> Split:
    n_test = min(round(rows.n_rows * _TEST_SHARE), parameters.test_rows)
    times = times_of(data.data)
    if times is not None:
        times = np.nan_to_num(times[rows.positions], nan=-np.inf)
        latest = np.sort(times)[rows.n_rows - n_test] if n_test else np.inf
        tested, how = times >= latest, "the latest rows were scored on"
    elif rows.entities is not None:
        # The rows stand in random order, so the entities that come first are a random draw.
        _, first, code = np.unique(rows.entities, return_index=True, return_inverse=True)
        counts = np.bincount(code)
        order = np.argsort(first)
        taken = order[np.cumsum(counts[order]) <= n_test]
        tested, how = np.isin(code, taken), "some of the entities were scored on, with all their rows"
    else:
        tested = np.zeros(rows.n_rows, dtype=np.bool_)
        tested[stratified_prefixes(rows)[:n_test]] = True
        how = "a part drawn at random was scored on"
    pool = rows.taken(np.flatnonzero(~tested)[: parameters.rows])
    return Split(pool, rows.taken(np.flatnonzero(tested)), f"No training data was given: {how}, the others trained on.")


def sizes_of(split: Split, *, points: int) -> NDArray[np.int64]:
    """Return the numbers of training rows: all of them, half, a quarter and so on, rising."""
    least = max(_SMALLEST, _ROWS_PER_CLASS * len(split.pool.classes))
    sizes = [split.pool.n_rows]
    while len(sizes) < points and sizes[-1] // 2 >= least:
        sizes.append(sizes[-1] // 2)
    return np.array(sizes[::-1])


@dataclass(frozen=True)
class Scores:
    """The score after training on each number of rows in each repeat.

    ``values`` has shape (n_sizes, n_repeats), ``influences`` of each test row shape (n_sizes, n_repeats, n_test).
    """

    sizes: NDArray[np.int64]
    values: Numbers
    influences: Numbers
    learner: Learner
    notes: tuple[str, ...] = ()


def scores_of(
    split: Split,
    learner: Learner,
    sizes: NDArray[np.int64],
    *,
    repeats: int,
    seed: int,
    progress: Callable[[float], None],
) -> Scores:
    """Train on nested parts of the rows, each repeat on another order of them, and score.

    Where the model's file holds no recipe, a model of ours takes its place.

    Raises
    ------
    NotMeasured
        If nothing could be trained, or the test rows are all alike.
    """
    pool, notes = split.pool, []
    rng = np.random.default_rng(seed)
    orders = []
    for _ in range(repeats):
        shuffled = rng.permutation(pool.n_rows)
        orders.append(shuffled[stratified_prefixes(pool.taken(shuffled))])
    kept: list[int] = []
    values: list[Numbers] = []
    influences: list[Numbers] = []
    for size in sizes:
        found = []
        # Our own model has no luck of its own: on all the rows every repeat would be the same.
        alone = learner.model is None and size == pool.n_rows
        try:
            for repeat, order in enumerate(orders[:1] if alone else orders):
                answers = learner.answers(pool.taken(order[:size]), split.test.frame, seed=seed + repeat)
                if answers is None:
                    learner = Learner(learner.n_rows)
                    notes.append(f"{NO_RECIPE} So {learner.called} was trained in its place.")
                    again = scores_of(split, learner, sizes, repeats=repeats, seed=seed, progress=progress)
                    return Scores(again.sizes, again.values, again.influences, learner, (*notes, *again.notes))
                found.append(scored(answers, split.test.truth, pool.classes))
        except InvalidInput as reason:
            notes.append(f"Training on {size:,} rows failed: {reason}")
            continue
        found = found * repeats if alone else found
        kept.append(int(size))
        values.append(np.array([one.value for one in found]))
        influences.append(np.array([one.influence for one in found]))
        progress(float(sizes[sizes <= size].sum() / sizes.sum()))
    if not kept or not np.isfinite(values[-1]).all():
        raise NotMeasured(notes[-1] if notes else "The target is the same in every row that is scored on.")
    return Scores(np.array(kept), np.array(values), np.array(influences), learner, tuple(notes))
