"""Methods that need no model: always the commonest answer, a guess, the mean, the last value, another column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.levels import coded
from modelops.analyses.side_by_side import Answers
from modelops.errors import InvalidInput, NotMeasured

_NO_SCORE = "This baseline answers with a class, not with a score."
_LARGEST = 1e120

Numbers = NDArray[np.float64]
Codes = NDArray[np.integer]

COLUMN = "column:"
_OURS = frozenset({"majority", "stratified", "mean", "median", "last value", "linear", "the model"})


@dataclass(frozen=True)
class Rival:
    """A baseline with its ``answers`` (one for each row compared), or the ``reason`` why there are none.

    ``applies`` is false where rows of this kind can have no such baseline, so that more of them would bring none.
    """

    name: str
    answers: Answers | None
    note: str
    reason: str = ""
    applies: bool = True

    @property
    def title(self) -> str:
        """What people call it: a column by its name alone, unless one of the others has that name."""
        column = self.name.removeprefix(COLUMN)
        return self.name if column in _OURS else column


def constant_class(shares: Numbers, n_rows: int, *, note: str) -> Rival:
    """Always the commonest class, with the share of each class as its probability."""
    codes = np.full(n_rows, int(np.argmax(shares)), dtype=np.int64)
    return Rival("majority", Answers(codes, np.broadcast_to(shares, (n_rows, shares.size))), note)


def guessed_class(shares: Numbers, n_rows: int, *, note: str) -> Rival:
    """Each class at random with its share; what that gives on average is computed, so no luck is involved."""
    answers = Answers(np.zeros(n_rows, dtype=np.int64), None, _NO_SCORE, chances=shares)
    return Rival("stratified", answers, note)


def constant_number(name: str, value: float, n_rows: int, *, note: str) -> Rival:
    """Always the same number."""
    return Rival(name, Answers(np.full(n_rows, value)), note)


def last_value(times: Numbers, values: np.ndarray, entities: Codes | None, *, n_classes: int = 0) -> np.ndarray:
    """Return for each row what was true at the last earlier time, of the same entity where there are entities.

    Where several rows share that time, their mean or their commonest class counts.

    Parameters
    ----------
    times : ndarray of shape (n,)
        NaN where not known: no value is then taken from such a row, nor given to it.
    values : ndarray of shape (n,)
        Numbers, or class codes where ``n_classes`` is not 0.

    Returns
    -------
    ndarray of shape (n,)
        NaN, or -1 for classes, where nothing came before.

    Examples
    --------
    >>> last_value(np.array([3.0, 1.0, 2.0, 2.0]), np.array([7.0, 1.0, 4.0, 6.0]), None).tolist()
    [5.0, nan, 1.0, 1.0]
    """
    known = np.isfinite(times)
    who = np.zeros(times.size, dtype=np.int64) if entities is None else entities
    moments, place = np.unique(np.column_stack([who[known], times[known]]), axis=0, return_inverse=True)
    place = place.ravel()
    if n_classes:
        cells = np.bincount(place * n_classes + values[known], minlength=len(moments) * n_classes)
        truth: np.ndarray = np.argmax(cells.reshape(len(moments), n_classes), axis=1)
        before: np.ndarray = np.full(len(moments), -1, dtype=np.int64)
        found: np.ndarray = np.full(times.size, -1, dtype=np.int64)
    else:
        truth = np.bincount(place, weights=values[known], minlength=len(moments)) / np.bincount(place)
        before, found = np.full(len(moments), np.nan), np.full(times.size, np.nan)
    follows = np.flatnonzero(moments[1:, 0] == moments[:-1, 0]) + 1
    before[follows] = truth[follows - 1]
    found[known] = before[place]
    return found


def earlier_method(
    sample: Sample, name: str, rows: NDArray[np.intp], classes: tuple[str, ...], *, selected: int | None
) -> Rival:
    """Return the predictions of an earlier method, which stand in a column of the table.

    Class labels or, for two classes, numbers as scores: then as many rows as the model selects (``selected``), those
    with the highest scores, count as positive.

    Raises
    ------
    InvalidInput
        If there is no such column, or it holds neither labels that occur nor scores.
    """
    if name not in sample.source.names:
        raise InvalidInput(f"There is no column {name!r} that could hold an earlier method's predictions.")
    called = f"{COLUMN}{name}"
    if not classes:
        try:
            numbers = sample.numbers(name)[rows]
        except NotMeasured as reason:
            raise InvalidInput(f"{reason} It should hold an earlier method's predictions.") from reason
        usable = np.where(np.abs(numbers) < _LARGEST, numbers, np.nan)
        return Rival(called, Answers(usable), f"The predictions in the column {name!r}.")
    column = coded(sample, name).take(rows)
    seen = [level for level, count in zip(column.levels, column.counts(), strict=True) if count]
    place = {label: code for code, label in enumerate(classes)}
    if set(seen) <= set(classes):
        table = np.array([*(place.get(level, -1) for level in column.levels), -1], dtype=np.int64)
        answers = Answers(table[column.codes], None, _NO_SCORE)
        return Rival(called, answers, f"The predictions in the column {name!r}.")
    try:
        scores = sample.numbers(name)[rows]
    except NotMeasured:
        scores = None
    if scores is None or len(classes) != 2 or selected is None:
        unknown = next(level for level in seen if level not in place)
        raise InvalidInput(
            f"The column {name!r} holds {unknown!r}, which is none of the classes {', '.join(map(repr, classes))}."
        )
    scores = np.where(np.isfinite(scores), scores, np.nan)
    answers = Answers(highest(scores, selected), np.column_stack([1 - scores, scores]))
    return Rival(called, answers, f"The scores in the column {name!r}; as many rows as the model selects are selected.")


def highest(scores: Numbers, count: int) -> Codes:
    """Return 1 for the ``count`` highest scores (more where scores are equal), 0 for the others, -1 where missing."""
    known = np.isfinite(scores)
    codes = np.where(known, 0, -1)
    count = min(count, int(np.count_nonzero(known)))
    if count:
        least = np.partition(scores[known], -count)[-count]
        codes[known & (scores >= least)] = 1
    return codes
