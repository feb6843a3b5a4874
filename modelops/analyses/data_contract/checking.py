"""One rule held against one table: which rows it can judge, and which of them break it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from modelops.analyses.data_contract.values import Mask, Numbers, Values
from modelops.domain.columns import ValueKind
from modelops.domain.contract import (
    AllowedRule,
    ComparisonRule,
    MissingRule,
    PresenceRule,
    RangeRule,
    Rule,
    TypeRule,
    UniqueRule,
    columns_of,
    seconds,
    tolerated_share,
)

Table = Mapping[str, Values | None]


@dataclass(frozen=True)
class Held:
    """A rule held against n rows: ``broken`` of shape (n,), and how many rows could be ``judged``.

    ``reason`` says why the rule could not be held against the table at all; then nothing is judged.
    """

    broken: Mask
    judged: int
    reason: str | None = None
    note: str | None = None

    @property
    def count(self) -> int:
        """How many rows break the rule."""
        return int(np.count_nonzero(self.broken))

    def alarms(self, rule: Rule) -> bool:
        """Say whether more rows break the rule than it tolerates."""
        return self.judged > 0 and self.count > tolerated_share(rule) * self.judged * (1 + 1e-12)


def held(rule: Rule, table: Table, n_rows: int) -> Held:
    """Hold one rule against a table.

    Parameters
    ----------
    rule : Rule
        What is demanded.
    table : mapping of str to Values or None
        The columns that the rule looks at; ``None`` for one that is not there.
    n_rows : int
        Rows of the table.
    """
    absent = [name for name in columns_of(rule) if table[name] is None]
    if absent and isinstance(rule, TypeRule) and rule.required:
        return Held(np.ones(n_rows, dtype=np.bool_), n_rows, note="The table has no such column.")
    if absent:
        may = " It may be absent." if isinstance(rule, TypeRule) else ""
        return _not_held(n_rows, f"The table has no column {absent[0]!r}.{may}")
    columns = [column for name in columns_of(rule) if (column := table[name]) is not None]
    if isinstance(rule, MissingRule):
        return Held(columns[0].missing, n_rows)
    if isinstance(rule, PresenceRule):
        applies = columns[1].equals(rule.equals)
        wrong = columns[0].missing if rule.present else ~columns[0].missing
        return Held(applies & wrong, int(np.count_nonzero(applies)))
    if isinstance(rule, ComparisonRule):
        return _compared(rule, *columns)
    present = ~columns[0].missing
    return Held(_broken(rule, columns[0]) & present, int(np.count_nonzero(present)))


def _not_held(n_rows: int, reason: str) -> Held:
    return Held(np.zeros(n_rows, dtype=np.bool_), 0, reason=reason)


def _broken(rule: TypeRule | RangeRule | AllowedRule | UniqueRule, column: Values) -> Mask:
    if isinstance(rule, TypeRule):
        return ~_is_of_kind(rule.type, column)
    if isinstance(rule, AllowedRule):
        return ~column.among(rule.values)
    if isinstance(rule, UniqueRule):
        return column.repeated()
    values = column.as_seconds if rule.is_of_dates else column.as_numbers
    low, high = (seconds(end) if isinstance(end, str) else end for end in (rule.low, rule.high))
    # What is no number at all breaks the rule of the type, and this one too: it lies in no range.
    inside = ~np.isnan(values) & np.isfinite(values)
    inside &= values >= low if low is not None else True
    return ~(inside & (values <= high if high is not None else True))


def _is_of_kind(kind: ValueKind, column: Values) -> Mask:
    everything = np.ones(column.missing.size, dtype=np.bool_)
    if kind is ValueKind.TEXT or kind is column.kind:
        return everything
    if kind is ValueKind.TIME:
        return ~np.isnan(column.as_seconds) if column.codes is not None else ~everything
    if kind is ValueKind.TRUE_FALSE:
        return column.among(("true", "false", "True", "False", "0", "1"))
    if column.kind is ValueKind.TIME:
        return ~everything
    numbers = _truths_as_numbers(column)
    return ~np.isnan(numbers) & (everything if kind is ValueKind.NUMBER else numbers == np.rint(numbers))


def _truths_as_numbers(column: Values) -> Numbers:
    if column.kind is ValueKind.TRUE_FALSE:
        return np.where(column.missing, np.nan, 1.0)
    return column.as_numbers


def _compared(rule: ComparisonRule, first: Values, second: Values) -> Held:
    dates = ValueKind.TIME in (first.kind, second.kind)
    if rule.operator == "=" and first.codes is not None and second.codes is not None:
        judged = ~(first.missing | second.missing)
        labels = {level: place for place, level in enumerate(second.levels)}
        table = np.array([*(labels.get(level, -2) for level in first.levels), -1], dtype=np.int64)
        return Held(judged & (table[first.codes] != second.codes), int(np.count_nonzero(judged)))
    one, other = ((each.as_seconds if dates else each.as_numbers) for each in (first, second))
    judged = ~(np.isnan(one) | np.isnan(other))
    if not judged.any() and (~(first.missing | second.missing)).any():
        return _not_held(judged.size, f"{rule.column} and {rule.other} cannot be compared as they are written.")
    holds = {"<=": one <= other, "<": one < other, "=": one == other}[rule.operator]
    return Held(judged & ~holds, int(np.count_nonzero(judged)))
