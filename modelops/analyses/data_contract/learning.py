"""Checks learned from rows that are known to be good, each with the reason for its bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from modelops.analyses.data_contract.values import Numbers, Values
from modelops.analyses.measuring import percent
from modelops.analyses.statistics.intervals import wilson
from modelops.domain.columns import ColumnRoles, ValueKind
from modelops.domain.contract import AllowedRule, Check, MissingRule, RangeRule, Rule, TypeRule, UniqueRule, title

CHANCE = 0.001
"""A bound on a share is set so that a batch like the reference breaks it no more often than this."""

_FEWEST = 20
_FEWEST_UNIQUE = 100
_TAIL, _TAIL_VALUES = 0.01, 5
_TAILS, _TAIL_DISTINCT = (0.05, 0.01), 3
"""The tail whose length says how far beyond it values may lie: a hundredth of the rows, and a few values at least."""


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
        if column.kind in (ValueKind.NUMBER, ValueKind.WHOLE_NUMBER) and column.name not in self.roles.ids:
            yield from self._range(column)
        if column.codes is not None:
            yield from self._allowed(column, present)
        yield from self._unique(column, present)

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
        most = self._most(missing, n_rows)
        if most < 1:
            why = f"{percent(missing / n_rows)} of {n_rows:,} rows lack a value; {self._chance_words()}"
            yield learned(MissingRule(column=column.name, at_most=most), why)

    def _most(self, count: int, n_rows: int) -> float:
        """Return the share that a batch exceeds with the probability `CHANCE` at most, for the rate that may be."""
        from scipy.stats import binom

        highest = wilson(count, n_rows)[1]
        return float(np.round(binom.ppf(1 - CHANCE, self.batch_rows, highest) / self.batch_rows, 6))

    def _chance_words(self) -> str:
        return f"a batch of {self.batch_rows:,} rows like these exceeds the bound once in {1 / CHANCE:,.0f} times."

    def _range(self, column: Values) -> Iterator[Check]:
        values = column.as_numbers
        finite = values[np.isfinite(values)]
        if finite.size < _FEWEST:
            return
        low, high = float(finite.min()), float(finite.max())
        with np.errstate(over="ignore"):
            width = high - low
        if not np.isfinite(width):
            return
        tail = max(_TAIL, min(0.1, _TAIL_VALUES / finite.size))
        tails = np.quantile(finite, (tail, 1 - tail))
        whole = column.kind is ValueKind.WHOLE_NUMBER
        # Less than a whole step is no tolerance between whole numbers: 0 and 1 stay 0 and 1.
        spare = float(np.floor(self.range_tolerance * width)) if whole else self.range_tolerance * width
        reach = [self._reach(side) for side in (-finite, finite)]
        below, above = max(spare, float(tails[0]) - low, reach[0]), max(spare, high - float(tails[1]), reach[1])
        first = _rounded(low - below, width, up=False, whole=whole)
        last = _rounded(high + above, width, up=True, whole=whole)
        why = (
            f"Seen from {low:.6g} to {high:.6g}; on each side {percent(self.range_tolerance)} of the width is"
            f" tolerated, or as much as the outermost {percent(tail)} of the rows span, or as far as a tail like theirs"
            f" reaches: {self._chance_words()}"
        )
        if low >= 0 > first:
            first, why = 0.0, f"{why} No value was negative."
        if column.name in self.roles.scores and low >= 0 and high <= 1:
            first, last, why = 0.0, 1.0, "Scores are probabilities."
        yield learned(RangeRule(column=column.name, low=first, high=last), why)

    def _reach(self, values: Numbers) -> float:
        """Return how far above the largest value a batch reaches once in ``1 / CHANCE`` times.

        Beyond a quantile the tail is taken to fall off exponentially, with the mean that was seen: the longer one of
        two tails counts, a broad one that is known well and a short one that shows if it grows heavier. Of very few
        distinct values nothing can be told: 0.
        """
        highest, reach = float(values.max()), 0.0
        for tail in _TAILS:
            start = float(np.quantile(values, 1 - tail))
            outside = values[values > start] - start
            if np.unique(outside).size >= _TAIL_DISTINCT:
                farthest = float(outside.mean()) * np.log(max(1.0, tail * self.batch_rows / CHANCE))
                reach = max(reach, start + farthest - highest)
        return reach

    def _allowed(self, column: Values, present: int) -> Iterator[Check]:
        codes = column.codes
        if codes is None:
            return
        counts = np.bincount(codes[codes >= 0], minlength=len(column.levels))
        seen = [level for level, count in zip(column.levels, counts, strict=True) if count]
        once = int(np.count_nonzero(counts == 1))
        if len(seen) > self.most_levels or 2 * once > len(seen):
            return
        why = f"The {len(seen)} values that {present:,} rows hold."
        tolerated = 0.0
        if once:
            # Good and Turing: the share of unseen values is about that of the rows whose value was seen once.
            tolerated = self._most(once, present)
            why += f" {once} of them occurred once, so there are others; {self._chance_words()}"
        if tolerated < 1:
            yield learned(AllowedRule(column=column.name, values=tuple(seen), tolerated=tolerated), why)

    def _unique(self, column: Values, present: int) -> Iterator[Check]:
        is_id = column.name in self.roles.ids
        if column.kind not in (ValueKind.TEXT, ValueKind.WHOLE_NUMBER) or not (is_id or present >= _FEWEST_UNIQUE):
            return
        if not column.repeated().any():
            why = "It identifies the row" if is_id else "It looks like the name of a row"
            yield learned(UniqueRule(column=column.name), f"{why}: {present:,} values, none of them twice.")


def learned(rule: Rule, why: str) -> Check:
    """Return a check that was learned."""
    return Check(id=title(rule), rule=rule, why=why, origin="learned")


def without_doubles(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return checks of different names: a column whose name looks like another check's name loses."""
    return tuple({check.id: check for check in reversed(tuple(checks))}.values())[::-1]


def _rounded(bound: float, width: float, *, up: bool, whole: bool) -> float:
    """Round a bound outward to a number that a person can read: to a thousandth of the width."""
    step = 10.0 ** np.floor(np.log10(width / 100)) if width > 0 else 0.0
    if whole:
        step = max(step, 1.0)
    if not step or not np.isfinite(step):
        return bound
    steps = np.ceil(bound / step) if up else np.floor(bound / step)
    # Python's own rounding: numpy's multiplies first, which huge numbers do not survive.
    return round(float(steps * step), 12) + 0.0
