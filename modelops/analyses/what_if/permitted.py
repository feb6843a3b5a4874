"""Which changes of a case are permitted: which columns, to which values, in which direction, under which rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import as_labels
from modelops.analyses.explainability.partial_dependence import grid_of
from modelops.analyses.statistics.association import ordered_values
from modelops.analyses.what_if.case import Case
from modelops.analyses.what_if.row_rules import RowRule, row_rule
from modelops.errors import InvalidInput


@dataclass(frozen=True)
class Permitted:
    """The limits of a search for changes.

    ``fixed`` columns keep their value; those of ``up`` may only rise, of ``down`` only fall; ``ranges`` hold the lowest
    and the highest number, ``levels`` the permitted levels.
    """

    case: Case
    fixed: frozenset[str]
    up: frozenset[str]
    down: frozenset[str]
    ranges: dict[str, tuple[float, float]]
    levels: dict[str, frozenset[str]]
    rules: tuple[RowRule, ...]

    @cached_property
    def _allowed(self) -> tuple[NDArray[np.bool_], ...]:
        return tuple(self._column_allows(name) for name in self.case.names)

    def _column_allows(self, name: str) -> NDArray[np.bool_]:
        """Say for each row of the pool whether its value may stand in for the case's."""
        pool, case = self.case.model.pool[name], self.case
        if name in self.fixed:
            return np.zeros(len(pool), dtype=bool)
        allowed = pool.notna().to_numpy().copy()
        values = ordered_values(pool)
        if values is None:
            labels = as_labels(pool)
            allowed &= labels != labels[case.edited]
            return allowed & np.isin(labels.astype(str), list(self.levels[name])) if name in self.levels else allowed
        now = values[case.edited]
        low, high = self.ranges.get(name, (-np.inf, np.inf))
        allowed &= np.isfinite(values) & (values >= low) & (values <= high) & (values != now)
        if name in self.up:
            allowed &= values > now
        if name in self.down:
            allowed &= values < now
        return allowed

    def allows(self, feature: int, source: int) -> bool:
        """Say whether the value of a row of the pool may stand in for the case's."""
        return bool(self._allowed[feature][source])

    def sources(self, feature: int, *, values: int) -> NDArray[np.intp]:
        """Return rows of the pool whose values stand for all permitted ones: quantiles that occur, or levels."""
        allowed = np.flatnonzero(self._allowed[feature][self.case.others])
        if not allowed.size:
            return allowed
        column = self.case.model.pool.iloc[allowed, feature].reset_index(drop=True)
        return np.asarray(allowed[grid_of(column, feature, n_points=values).sources])

    def between(self, feature: int, source: int) -> NDArray[np.intp]:
        """Return rows whose permitted values lie between the case's and that of ``source``, from the case outwards."""
        values = ordered_values(self.case.model.pool.iloc[:, feature])
        if values is None or not np.isfinite(values[self.case.edited]):
            return np.array([source])
        start, end = values[self.case.edited], values[source]
        inside = (
            self._allowed[feature]
            & (np.abs(values - start) <= abs(end - start))
            & ((values - start) * (end - start) > 0)
        )
        rows = np.flatnonzero(inside)
        found, first = np.unique(np.abs(values[rows] - start), return_index=True)
        return rows[first] if found.size else np.array([source])

    def broken(self, rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Say for each composed row whether it leaves what is permitted, or breaks a rule; shape (n,).

        Looked up in the values themselves, whatever the search did.
        """
        broken = np.zeros(len(rows), dtype=bool)
        for feature, forbidden in enumerate(self._forbidden):
            broken |= forbidden[rows[:, feature]]
        if self.rules and len(rows):
            frame = self.case.model.frame(rows)
            for rule in self.rules:
                broken |= ~rule.holds(frame)
        return broken

    @cached_property
    def _forbidden(self) -> tuple[NDArray[np.bool_], ...]:
        return tuple(self._forbids(name) for name in self.case.names)

    def _forbids(self, name: str) -> NDArray[np.bool_]:
        """Say for each row of the pool whether its value is a change of the case that is not permitted."""
        pool = self.case.model.pool[name]
        values = ordered_values(pool)
        if values is None:
            labels = as_labels(pool)
            moved = labels != labels[self.case.edited]
            levels = self.levels.get(name)
            outside = np.array([levels is not None and label not in levels for label in labels], dtype=bool)
        else:
            now = values[self.case.edited]
            moved = ~((values == now) | (np.isnan(values) & np.isnan(now)))
            low, high = self.ranges.get(name, (-np.inf, np.inf))
            outside = (values < low) | (values > high)
            outside |= (name in self.up) & ~(values >= now) | (name in self.down) & ~(values <= now)
        return np.asarray(moved & (outside | (name in self.fixed)))

    def broken_rules(self, row: int) -> list[str]:
        """Return the rules that a row of the pool breaks."""
        frame = self.case.model.rows(np.array([row]))
        return [rule.text for rule in self.rules if not rule.holds(frame)[0]]


def permitted(
    case: Case,
    *,
    fixed: Sequence[str],
    up: Sequence[str],
    down: Sequence[str],
    ranges: Sequence[str],
    rules: Sequence[str],
) -> Permitted:
    """Read what is permitted.

    Raises
    ------
    InvalidInput
        If a column is none of the model's features, or a range or a rule cannot be read.
    """
    for name in (*up, *down):
        if name not in case.names:
            raise InvalidInput(f"Column {name!r} is to move in one direction and is no feature of the model.")
        if ordered_values(case.model.pool[name]) is None:
            raise InvalidInput(f"Column {name!r} holds levels, which have no direction.")
    if both := set(up) & set(down):
        raise InvalidInput(f"Column {min(both)!r} may neither rise nor fall; name it as immutable instead.")
    bounds, levels = {}, {}
    for text in ranges:
        name, found = _range(text, case)
        if isinstance(found, tuple):
            bounds[name] = found
        else:
            levels[name] = found
    return Permitted(
        case=case,
        fixed=frozenset(fixed),
        up=frozenset(up),
        down=frozenset(down),
        ranges=bounds,
        levels=levels,
        rules=tuple(row_rule(text, case.names) for text in rules if text.strip()),
    )


def _range(text: str, case: Case) -> tuple[str, tuple[float, float] | frozenset[str]]:
    name, separator, values = (part.strip() for part in text.partition("="))
    if not separator or name not in case.names:
        raise InvalidInput(f"Got the range {text!r}, expected 'column = low to high' or 'column = level, level'.")
    if ordered_values(case.model.pool[name]) is None:
        return name, frozenset(level.strip().strip("'\"") for level in values.split(","))
    ends = values.split(" to ")
    try:
        low, high = (float(end) for end in ends)
    except ValueError:
        raise InvalidInput(f"Got the range {text!r}, expected two numbers: '{name} = low to high'.") from None
    if not low <= high:
        raise InvalidInput(f"The range {text!r} runs from {low:g} down to {high:g}; write the lower end first.")
    return name, (low, high)
