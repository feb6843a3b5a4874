"""The smallest plausible change of a row that turns its answer.

Plausible: each changed value is one that the column really takes, or lies between two of them. Distances count a
number in standard deviations of its column and another category as 1, summed over the changed columns. The search only
asks for answers, so it works for every model, and what it finds is an upper bound: a smaller change may exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelops.analyses.asked import Asked, Numbers, decided, finite_rows
from modelops.analyses.composed import BATCH_CELLS
from modelops.analyses.robustness.outcomes import Ruler
from modelops.analyses.robustness.scenarios import is_whole, kind_of

if TYPE_CHECKING:
    import pandas as pd

    from modelops.analyses.base import Progress

_LEVELS = 8
_HALVINGS = 8
_QUANTILES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)


@dataclass(frozen=True)
class Turned:
    """One row: the smallest change found, as (column, value before, value after); empty if none turned the answer."""

    changes: tuple[tuple[str, object, object], ...]
    distance: float
    before: float
    after: float


@dataclass(frozen=True)
class _Column:
    name: str
    choices: tuple[Any, ...]
    scale: float | None
    is_whole: bool


def turned(
    subject: Asked, ruler: Ruler, features: tuple[str, ...], *, rows: int, at_once: int, progress: Progress
) -> tuple[Turned, ...]:
    """Search for the smallest change of each of the first ``rows`` rows, in up to ``at_once`` of ``features``.

    First every column is tried alone at quantiles of its own values (at its commonest levels); where one turns the
    answer, the way to it is halved until the turn is known closely, and the column with the shortest way wins. Rows
    that no single column turns keep the change that went furthest and are searched again.
    """
    search = _Search(subject, ruler, features, min(rows, subject.n_rows))
    for step in range(at_once):
        progress(step / at_once, "searching the smallest change that turns the answer")
        if not search.advance():
            break
    return search.found()


class _Search:
    def __init__(self, subject: Asked, ruler: Ruler, features: tuple[str, ...], n_rows: int) -> None:
        self._model, self._ruler = subject.model, ruler
        self._columns = [found for name in features if (found := _column(subject.rows[name], name))]
        self._batch = max(1, BATCH_CELLS // max(1, subject.rows.shape[1]))
        self._start = subject.rows.iloc[:n_rows].reset_index(drop=True)
        self._now = {str(name): _values(self._start[name]) for name in self._start.columns}
        self._base = ruler.base[:n_rows]
        self._open = np.arange(n_rows)
        self._after = self._base.copy()

    def advance(self) -> bool:
        """Change one more column of every open row; say whether any is still open."""
        proposals = [
            (int(row), column, value)
            for row in self._open
            for column in self._columns
            for value in column.choices
            if not _equal(self._now[column.name][row], value)
        ]
        if not proposals:
            return False
        answers = self._answers([(row, {column.name: value}) for row, column, value in proposals])
        rows = np.array([row for row, _, _ in proposals], dtype=np.intp)
        with np.errstate(invalid="ignore"):
            flips = self._ruler.flipped(answers, self._base[rows]) & finite_rows(answers)
        nearest: dict[tuple[int, str], tuple[float, _Column, Any]] = {}
        for place in np.flatnonzero(flips):
            row, column, value = proposals[place]
            way = _way(self._now[column.name][row], value, column)
            if (row, column.name) not in nearest or way < nearest[row, column.name][0]:
                nearest[row, column.name] = way, column, value
        closed = self._closest(nearest)
        self._go_on(closed, proposals, answers, rows)
        return bool(self._open.size)

    def _closest(self, nearest: dict[tuple[int, str], tuple[float, _Column, Any]]) -> set[int]:
        """Halve the way to each turning value, and keep the shortest of each row."""
        keys = list(nearest)
        ends = [nearest[key][2] for key in keys]
        starts = [self._now[name][row] for row, name in keys]
        low, high = np.zeros(len(keys)), np.ones(len(keys))
        bending = [k for k, key in enumerate(keys) if nearest[key][1].scale is not None and _is_number(starts[k])]
        for _ in range(_HALVINGS if bending else 0):
            middle = (low + high) / 2
            tried = [_between(starts[k], ends[k], middle[k], nearest[keys[k]][1]) for k in bending]
            asked = [(keys[k][0], {keys[k][1]: value}) for k, value in zip(bending, tried, strict=True)]
            answers = self._answers(asked)
            base = self._base[[row for row, _ in asked]]
            flips = self._ruler.flipped(answers, base) & finite_rows(answers)
            for k, flip in zip(bending, flips, strict=True):
                low[k], high[k] = (low[k], middle[k]) if flip else (middle[k], high[k])
        best: dict[int, tuple[float, str, Any]] = {}
        for k, (row, name) in enumerate(keys):
            column = nearest[row, name][1]
            value = _between(starts[k], ends[k], high[k], column) if k in set(bending) else ends[k]
            way = _way(starts[k], value, column)
            if row not in best or way < best[row][0]:
                best[row] = way, name, value
        for row, (_, name, value) in best.items():
            self._now[name][row] = value
        return set(best)

    def _go_on(self, closed: set[int], proposals: list[Any], answers: Numbers, rows: np.ndarray) -> None:
        """Close what has turned; of the other rows keep the change that brought the answer furthest on its way."""
        self._after[list(closed)] = self._answers([(row, {}) for row in closed])
        progress = self._towards(answers, self._base[rows])
        still = [row for row in self._open if row not in closed]
        for row in still:
            own = np.flatnonzero(rows == row)
            if own.size and np.isfinite(progress[own]).any():
                _, column, value = proposals[own[np.nanargmax(progress[own])]]
                self._now[column.name][row] = value
        self._open = np.array(still, dtype=np.intp)

    def _towards(self, answers: Numbers, base: Numbers) -> Numbers:
        """Return how far answers have come: the lead of the best other class, or the way of the number."""
        if answers.ndim == 1:
            return np.abs(answers - base)
        own = decided(base)[:, None] == np.arange(base.shape[1])
        return np.asarray(np.where(own, -np.inf, answers).max(axis=1) - np.where(own, answers, -np.inf).max(axis=1))

    def _answers(self, changed: list[tuple[int, dict[str, Any]]]) -> Numbers:
        """Ask about rows, each with some values changed."""
        parts = [self._asked(changed[start : start + self._batch]) for start in range(0, len(changed), self._batch)]
        return np.concatenate(parts) if parts else self._base[:0]

    def _asked(self, changed: list[tuple[int, dict[str, Any]]]) -> Numbers:
        import pandas as pd

        rows = np.array([row for row, _ in changed], dtype=np.intp)
        frame = {name: values[rows].copy() for name, values in self._now.items()}
        for place, (_, change) in enumerate(changed):
            for name, value in change.items():
                frame[name][place] = value
        asked = pd.DataFrame({name: _like(values, self._start[name]) for name, values in frame.items()})
        return np.asarray(self._model.answers(asked), dtype=np.float64)

    def found(self) -> tuple[Turned, ...]:
        """Return what was found for each row."""
        by_name = {column.name: column for column in self._columns}
        open_rows = set(self._open.tolist())
        result = []
        for row in range(len(self._start)):
            before, after = _told(self._base[row], self._base[row]), _told(self._base[row], self._after[row])
            if row in open_rows:
                result.append(Turned((), float("inf"), before, before))
                continue
            pairs = {name: (_values(self._start[name])[row], values[row]) for name, values in self._now.items()}
            changes = tuple((name, old, new) for name, (old, new) in pairs.items() if not _equal(old, new))
            length = sum(_way(old, new, by_name[name]) for name, old, new in changes)
            result.append(Turned(changes, length, before, after))
        return tuple(result)


def _told(base: Any, answer: Any) -> float:
    """Return what is shown of an answer: the number, or the score of the class that the base decides for."""
    return float(answer) if np.ndim(base) == 0 else float(answer[int(np.argmax(base))])


def _column(column: pd.Series[Any], name: str) -> _Column | None:
    """Return the values that a column may be changed to; ``None`` where it takes only one."""
    if kind_of(column) == "number":
        values = column.to_numpy(dtype=np.float64)
        known = values[np.isfinite(values)]
        with np.errstate(over="ignore", invalid="ignore"):
            scale = float(known.std()) if known.size else 0.0
        if not 0 < scale < np.inf:
            return None
        choices = np.unique(np.quantile(known, _QUANTILES, method="nearest"))
        return _Column(name, tuple(choices.tolist()), scale, is_whole(column))
    counts = column.value_counts()
    levels = sorted(counts.index, key=lambda level: (-counts[level], str(level)))[:_LEVELS]
    return _Column(name, tuple(levels), None, is_whole=False) if len(levels) > 1 else None


def _values(column: pd.Series[Any]) -> np.ndarray:
    return column.to_numpy(dtype=np.float64 if kind_of(column) == "number" else object, copy=True)


def _like(values: np.ndarray, column: pd.Series[Any]) -> np.ndarray:
    return values.astype(bool) if kind_of(column) == "truth" else values


def _is_number(value: object) -> bool:
    return isinstance(value, float | np.floating) and bool(np.isfinite(value))


def _equal(one: object, other: object) -> bool:
    return one == other or (_is_missing(one) and _is_missing(other))


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def _way(old: Any, new: Any, column: _Column) -> float:
    if column.scale is None or not _is_number(old):
        return 1.0
    return abs(float(new) - float(old)) / column.scale


def _between(start: Any, end: Any, share: float, column: _Column) -> float:
    """Return a value on the way; of a column of whole numbers a whole one, rounded towards the end."""
    value = float(start) + (float(end) - float(start)) * share
    if not column.is_whole:
        return value
    return float(np.ceil(value) if end > start else np.floor(value))
