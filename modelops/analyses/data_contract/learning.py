"""Checks learned from rows that are known to be good, each with the reason for its bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.data_contract.tails import Tails, rows_beyond
from modelops.analyses.data_contract.values import Values
from modelops.analyses.statistics.intervals import wilson
from modelops.domain.columns import ColumnRoles, ValueKind
from modelops.domain.contract import AllowedRule, Check, MissingRule, RangeRule, Rule, TypeRule, UniqueRule, title
from modelops.domain.number_words import percent

CHANCE = 0.001
"""A bound on a share is set so that a batch like the reference breaks it no more often than this."""

_FEWEST = 20
_FEWEST_UNIQUE = 100
_OFTEN = 10
"""Where a level is rarer than this there may be others that were not seen."""
_REPEATS_AWAITED = 7.0
"""So many pairs of equal whole numbers awaited if they were drawn by chance, and none seen: they name the rows."""


@dataclass(frozen=True)
class Learner:
    """How checks are learned: the roles of the columns and how wide the bounds are set.

    ``range_tolerance`` is a share of the distance between smallest and largest value, ``most_levels`` the most levels
    that a list of allowed values has, ``batch_rows`` the size of the batches that bounds on shares are made for.
    """

    roles: ColumnRoles
    range_tolerance: float
    most_levels: int
    batch_rows: int

    def column_checks(self, column: Values) -> Iterator[Check]:
        """Yield what one column is expected to be."""
        n_rows, missing = column.missing.size, int(np.count_nonzero(column.missing))
        present = n_rows - missing
        if column.kind is None or present < _FEWEST:
            return
        yield self._type(column)
        yield from self._missing(column, missing, n_rows)
        unique = tuple(self._unique(column, present))
        # The names of rows move on, as dates do: where they lie says nothing of other rows.
        if (
            column.kind in (ValueKind.NUMBER, ValueKind.WHOLE_NUMBER)
            and column.name not in self.roles.ids
            and not unique
        ):
            yield from self._range(column, present)
        if column.codes is not None:
            yield from self._allowed(column, column.codes, present)
        yield from unique

    def _type(self, column: Values) -> Check:
        comes_later = {self.roles.target, self.roles.prediction, *self.roles.scores}
        required = column.name not in comes_later
        why = f"Every value in {column.missing.size:,} rows is of this kind."
        if not required:
            why += " Batches may come without it: outcomes and predictions are added later."
        kind = column.kind or ValueKind.TEXT
        return learned(TypeRule(column=column.name, type=kind, required=required), why)

    def _missing(self, column: Values, missing: int, n_rows: int) -> Iterator[Check]:
        if not missing:
            yield learned(MissingRule(column=column.name, at_most=0.0), f"None of {n_rows:,} rows lacks a value.")
            return
        most = self._most(missing, n_rows, rows=self.batch_rows)
        if most < 1:
            why = f"{percent(missing / n_rows)} of {n_rows:,} rows lack a value; {self._chance_words()}"
            yield learned(MissingRule(column=column.name, at_most=most), why)

    def _most(self, count: int, n_rows: int, *, rows: int) -> float:
        """Return the share that a batch exceeds with the probability `CHANCE` at most, for the rate that may be."""
        from scipy.stats import binom

        highest = wilson(count, n_rows)[1]
        return float(np.round(binom.ppf(1 - CHANCE, rows, highest) / rows, 6))

    def _rows_with_value(self, column: Values, present: int) -> int:
        """Return how many rows of a batch have a value."""
        return max(1, round(self.batch_rows * present / column.missing.size))

    def _chance_words(self) -> str:
        return f"a batch of {self.batch_rows:,} rows like these exceeds the bound once in {1 / CHANCE:,.0f} times."

    def _range(self, column: Values, present: int) -> Iterator[Check]:
        values = column.as_numbers
        finite = values[np.isfinite(values)]
        if finite.size < _FEWEST:
            return
        low, high = float(finite.min()), float(finite.max())
        with np.errstate(over="ignore"):
            width = high - low
            # So far out bounds would be no numbers any more.
            if not np.isfinite(3 * max(abs(low), abs(high), (1 + self.range_tolerance) * width)):
                return
        rows = self._rows_with_value(column, present)
        tails = Tails.of(finite, rows=rows, chance=CHANCE)
        whole = column.kind is ValueKind.WHOLE_NUMBER
        # Less than a whole step is no tolerance between whole numbers: 0 and 1 stay 0 and 1.
        spare = float(np.floor(self.range_tolerance * width)) if whole else self.range_tolerance * width
        first = _rounded(low - max(spare, tails.below or 0.0), width, up=False, whole=whole)
        last = _rounded(high + max(spare, tails.above or 0.0), width, up=True, whole=whole)
        why = (
            f"Seen from {low:.6g} to {high:.6g}; on each side {percent(self.range_tolerance)} of the width is"
            " tolerated, or as far as a tail like this one reaches."
        )
        if low >= 0 > first:
            first, why = 0.0, f"{why} No value was negative."
        if column.name in self.roles.scores and low >= 0 and high <= 1:
            first, last, tails, why = 0.0, 1.0, Tails(0.0, 0.0, finite.size), "Scores are probabilities."
        tolerated, more = self._beyond(tails, infinite=present - finite.size, rows=rows)
        if tolerated < 1:
            rule = RangeRule(column=column.name, low=first, high=last, tolerated=tolerated)
            yield learned(rule, f"{why}{more}")

    def _beyond(self, tails: Tails, *, infinite: int, rows: int) -> tuple[float, str]:
        """Return the share of the rows that may lie outside, and why."""
        tolerated, why = 0.0, ""
        if tails.n_open:
            tolerated = rows_beyond(tails.n_values, tails.n_open, rows=rows, chance=CHANCE) / rows
            why = " Nothing in these values says where they end: some rows may lie outside."
        if infinite:
            tolerated += self._most(infinite, tails.n_values + infinite, rows=rows)
            why += f" {infinite:,} of them are infinite."
        return float(np.round(tolerated, 6)), f"{why} {self._chance_words().capitalize()}" if why else ""

    def _allowed(self, column: Values, codes: NDArray[np.int32], present: int) -> Iterator[Check]:
        counts = np.bincount(codes[codes >= 0], minlength=len(column.levels))
        seen = [level for level, count in zip(column.levels, counts, strict=True) if count]
        once = int(np.count_nonzero(counts == 1))
        if len(seen) > self.most_levels or 2 * once > len(seen):
            return
        why = f"The {len(seen)} values that {present:,} rows hold."
        tolerated = 0.0
        if counts[counts > 0].min() < _OFTEN:
            # Good and Turing: the share of unseen values is about that of the rows whose value was seen once.
            tolerated = self._most(once, present, rows=self._rows_with_value(column, present))
            rare = f"{once} of them occurred once" if once else f"Some of them occurred fewer than {_OFTEN} times"
            why += f" {rare}, so there may be others; {self._chance_words()}"
        if tolerated < 1:
            yield learned(AllowedRule(column=column.name, values=tuple(seen), tolerated=tolerated), why)

    def _unique(self, column: Values, present: int) -> Iterator[Check]:
        is_id = column.name in self.roles.ids
        if column.kind not in (ValueKind.TEXT, ValueKind.WHOLE_NUMBER) or not (is_id or present >= _FEWEST_UNIQUE):
            return
        if not column.repeated().any() and (is_id or self._names_rows(column, present)):
            why = "It identifies the row" if is_id else "It looks like the name of a row"
            yield learned(UniqueRule(column=column.name), f"{why}: {present:,} values, none of them twice.")

    def _names_rows(self, column: Values, present: int) -> bool:
        """Say whether that no value stands twice is more than chance: amounts from a wide range seldom repeat."""
        if column.kind is not ValueKind.WHOLE_NUMBER:
            return True
        width = float(np.nanmax(column.as_numbers) - np.nanmin(column.as_numbers)) + 1
        return present * (present - 1) / (2 * width) >= _REPEATS_AWAITED


def learned(rule: Rule, why: str) -> Check:
    """Return a check that was learned."""
    return Check(id=title(rule), rule=rule, why=why, origin="learned")


def without_doubles(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return checks of different names: a column whose name looks like another check's name loses."""
    return tuple({check.id: check for check in reversed(tuple(checks))}.values())[::-1]


def _rounded(bound: float, width: float, *, up: bool, whole: bool) -> float:
    """Round a bound outward to a number that a person can read: to a thousandth of the width; kept where none is."""
    part = width / 100  # which is 0 for the very smallest numbers
    step = 10.0 ** np.floor(np.log10(part)) if part > 0 else 0.0
    if whole:
        step = max(step, 1.0)
    if not step or not np.isfinite(step):
        return bound
    steps = float(np.ceil(bound / step) if up else np.floor(bound / step))
    # Python's own rounding: numpy's multiplies first, which huge numbers do not survive.
    rounded = round(steps * float(step), 12) + 0.0
    return rounded if np.isfinite(rounded) else bound
