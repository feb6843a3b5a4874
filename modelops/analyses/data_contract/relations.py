"""Rules between columns: one is never above another, one is there exactly where another says so.

What holds in every row may hold by chance. A rule is learned only if it would have been broken in many rows, had the
two columns nothing to do with each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.data_contract.learning import learned
from modelops.analyses.data_contract.values import Numbers, Values
from modelops.domain.columns import ColumnRoles, ValueKind
from modelops.domain.contract import LONGEST_LEVEL, Check, ComparisonRule, PresenceRule
from modelops.domain.number_words import percent

_FEWEST = 30
_SURPRISING = 20.0
"""Rows that would have broken the rule if the columns were independent."""
_MOST_COMPARED = 200
_MOST_LEVELS = 20
_GLANCE = 2_000
"""Rows that are looked at first: most pairs are settled by them."""
_ODDS = 1e-6

_Kinds = tuple[ValueKind, ...]
_NUMBERS: _Kinds = (ValueKind.NUMBER, ValueKind.WHOLE_NUMBER)


def comparisons(table: Mapping[str, Values], roles: ColumnRoles, *, most: int) -> tuple[Check, ...]:
    """Return which columns are never above others, the most surprising ``most`` of them.

    Columns of numbers are compared with each other, and columns of times; identifiers, weights and what the model says
    are left out, and so is what follows from the ranges or from two other comparisons.
    """
    left_out = {*roles.ids, roles.weight, roles.prediction, *roles.scores}
    found: list[tuple[float, Check]] = []
    for kinds in (_NUMBERS, (ValueKind.TIME,)):
        columns = [v for name, v in table.items() if v.kind in kinds and name not in left_out and v.numbers is not None]
        found += _comparisons(columns[:_MOST_COMPARED])
    found.sort(key=lambda pair: (-pair[0], pair[1].id))
    return tuple(check for _, check in found[:most])


def _comparisons(columns: Sequence[Values]) -> list[tuple[float, Check]]:
    size = len(columns)
    holds = np.zeros((size, size), dtype=np.bool_)
    surprise = np.zeros((size, size))
    rows = np.zeros((size, size), dtype=np.int64)
    equal = np.zeros((size, size), dtype=np.bool_)
    for i in range(size):
        for j in range(size):
            first, second = columns[i].numbers, columns[j].numbers
            if i == j or first is None or second is None or (first[:_GLANCE] > second[:_GLANCE]).any():
                continue
            both = np.isfinite(first) & np.isfinite(second)
            if np.count_nonzero(both) < _FEWEST or (first[both] > second[both]).any():
                continue
            rows[i, j] = np.count_nonzero(both)
            surprise[i, j] = rows[i, j] * _above(first[both], second[both])
            equal[i, j] = bool((first[both] == second[both]).all())
            holds[i, j] = equal[i, j] or surprise[i, j] >= _SURPRISING
    holds &= ~(equal & np.tril(np.ones_like(holds)))
    implied = ((holds.astype(np.int64) @ holds.astype(np.int64)) > 0) & ~equal
    found = []
    for i, j in np.argwhere(holds & ~implied).tolist():
        expected = float(surprise[i, j])
        names = columns[i].name, columns[j].name
        found.append((expected, _comparison(*names, int(rows[i, j]), expected, is_equal=bool(equal[i, j]))))
    return found


def _above(first: Numbers, second: Numbers) -> float:
    """Return how often a value of the first column is above one of the second if they are drawn independently."""
    return float(np.mean(np.searchsorted(np.sort(second), first, side="left")) / second.size)


def _comparison(first: str, second: str, rows: int, surprise: float, *, is_equal: bool) -> Check:
    operator: Literal["=", "<="] = "=" if is_equal else "<="
    why = f"It holds in all {rows:,} rows that have both values"
    if not is_equal:
        why += f"; independent columns would break it in about {surprise:,.0f} of them"
    return learned(ComparisonRule(column=first, operator=operator, other=second), f"{why}.")


def presences(table: Mapping[str, Values]) -> Iterator[Check]:
    """Yield where a column is always, or never, there because of what another column says.

    Only for columns that lack values elsewhere: with the rate of all other rows, none (or nothing but) missing among
    the rows of a level would have a probability under a millionth, divided by how many levels were looked at.
    """
    gaps = {name: column for name, column in table.items() if column.missing.any() and not column.missing.all()}
    levels = {name: column for name, column in table.items() if column.codes is not None and _few(column)}
    tries = sum(len(column.levels) for column in levels.values()) * max(len(gaps), 1)
    for name, column in gaps.items():
        for other, conditions in levels.items():
            codes = conditions.codes
            if other == name or codes is None:
                continue
            yield from _presences(name, column.missing, other, codes, conditions.levels, tries)


def _few(column: Values) -> bool:
    return 2 <= len(column.levels) <= _MOST_LEVELS


def _presences(
    name: str,
    missing: NDArray[np.bool_],
    other: str,
    codes: NDArray[np.int32],
    levels: tuple[str, ...],
    tries: int,
) -> Iterator[Check]:
    inside = codes >= 0
    rows = np.bincount(codes[inside], minlength=len(levels))
    gaps = np.bincount(codes[inside], weights=missing[inside], minlength=len(levels))
    n_missing, n_rows = int(np.count_nonzero(missing)), missing.size
    for level, count, lacking in zip(levels, rows.tolist(), gaps.tolist(), strict=True):
        if count < _FEWEST or lacking not in (0, count) or n_rows == count or len(level) > LONGEST_LEVEL:
            continue
        present = lacking == 0
        elsewhere = (n_missing - lacking) / (n_rows - count)
        chance = 1 - elsewhere if present else elsewhere
        if chance < 1 and (chance <= 0 or count * np.log(chance) < np.log(_ODDS / tries)):
            rule = PresenceRule(column=name, present=present, when=other, equals=level)
            said = "never" if present else "always"
            why = f"{name} is {said} missing in these {int(count):,} rows, and in {percent(elsewhere)} of the others."
            yield learned(rule, why)
