"""One column looked at once: what kind of values it holds, what is missing, what stands out."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from modelops.analyses.cores.arrow_numbers import Kind, kind_of, numeric, present
from modelops.analyses.data_quality.numbers import QUANTILES, NumberProfile, number_profile
from modelops.analyses.data_quality.personal import Personal, by_name, by_pattern, in_numbers
from modelops.analyses.data_quality.texts import TextProfile, levels_of, text_profile

_FEWEST_FOR_IDS = 100
_MANY_FOR_IDS = 1000
_ID_SHARE = 0.95
_LONGEST_ID = 64
_LEAST_NUMBER = 10**8
_EVEN = 0.05
_ID_NAME = re.compile(r"(^|_)(id|ids|uid|uuid|guid|key|identifier)$")
_MOST_EXACT = 2.0**63

_PLAUSIBLE: dict[str, tuple[float, float]] = {
    "age": (0, 125),
    "age_years": (0, 125),
    "latitude": (-90, 90),
    "lat": (-90, 90),
    "longitude": (-180, 180),
    "lon": (-180, 180),
    "lng": (-180, 180),
    "month": (1, 12),
    "day_of_month": (1, 31),
    "day_of_week": (0, 7),
    "weekday": (0, 7),
    "hour": (0, 24),
    "minute": (0, 60),
    "quarter": (1, 4),
}
"""What columns of these names cannot go beyond."""


@dataclass(frozen=True)
class Looking:
    """How columns are looked at; ``ranges`` are the limits that a person gave, by column."""

    factor: float
    rare_rows: int
    ranges: dict[str, tuple[float, float]]
    also_missing: frozenset[str]
    answers: frozenset[str]


@dataclass(frozen=True)
class ColumnQuality:
    """What was found in one column.

    ``named`` is the kind of personal data that the name speaks of. ``limits`` are the values that make sense, where
    somebody said so or the name does.
    """

    name: str
    kind: str
    rows: int
    nulls: int
    number: NumberProfile | None = None
    text: TextProfile | None = None
    personal: tuple[Personal, ...] = ()
    named: str | None = None
    limits: tuple[float, float] | None = None
    is_time: bool = False

    @property
    def disguised(self) -> int:
        """How many rows hold a value that stands for "missing"."""
        if self.number is not None:
            return self.number.coded_missing
        return self.text.spelled_missing if self.text is not None else 0

    @property
    def present(self) -> int:
        """How many rows hold a value that stands for itself."""
        return self.rows - self.nulls - self.disguised

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        profile = self.number or self.text
        return profile.distinct if profile is not None else 0

    @property
    def is_constant(self) -> bool:
        """Whether all values are one, or there is none."""
        return self.rows > 0 and self.distinct <= 1

    @property
    def is_id_like(self) -> bool:
        """Whether the values name rows rather than describe them: nearly all distinct, whole numbers or short texts."""
        if self.text is not None:
            found = self.text
            several = found.n_values >= _FEWEST_FOR_IDS and found.longest <= _LONGEST_ID
            return several and found.distinct >= _ID_SHARE * found.n_values
        found_number = self.number
        if found_number is None or self.is_time or not found_number.whole:
            return False
        n = found_number.n_values
        if n < _FEWEST_FOR_IDS or found_number.distinct < n:
            return False
        counts_up = (found_number.maximum or 0.0) - (found_number.minimum or 0.0) == n - 1
        return counts_up or n >= _MANY_FOR_IDS

    @property
    def names_rows(self) -> bool:
        """Whether the column is an identifier and not merely distinct in nearly every row, as amounts and texts are.

        Its name says so; or its numbers count up or are dealt evenly over their range, as numbers of cases are and
        amounts are not; or its texts are single words.
        """
        if not self.is_id_like:
            return False
        if _ID_NAME.search(_words_of(self.name)):
            return True
        if self.text is not None:
            return self.text.several_words <= (1 - _ID_SHARE) * self.text.n_values
        found = self.number
        if found is None or found.minimum is None or found.maximum is None or not found.quantiles:
            return True
        span = found.maximum - found.minimum
        even = [found.minimum + share * span for share in QUANTILES]
        return max(abs(own - other) for own, other in zip(found.quantiles, even, strict=True)) <= _EVEN * span

    @property
    def may_be_personal(self) -> bool:
        """Whether values or name speak of personal data."""
        return bool(self.personal) or self.named is not None

    @property
    def is_shown(self) -> bool:
        """Whether single values may be shown: not where they may be somebody's."""
        return not (self.may_be_personal or self.is_id_like)


def look_at(name: str, column: pa.ChunkedArray, how: Looking) -> ColumnQuality:
    """Profile one column."""
    kind = kind_of(column)
    rows = len(column)
    blank = ColumnQuality(name, "empty", rows, rows, named=by_name(name))
    if kind in (Kind.EMPTY, Kind.OTHER) or column.null_count == rows:
        return blank if kind is not Kind.OTHER else replace(blank, kind="other", nulls=column.null_count)
    if kind is Kind.CATEGORY:
        return _texts(blank, column, how)
    return _numbers(blank, column, how, times=kind is Kind.TIME)


def _texts(blank: ColumnQuality, column: pa.ChunkedArray, how: Looking) -> ColumnQuality:
    levels = levels_of(column)
    nulls = blank.rows - int(levels.counts.sum())
    profile = text_profile(levels, nulls=nulls, rare=how.rare_rows, also_missing=how.also_missing, answers=how.answers)
    kind = "true or false" if pa.types.is_boolean(column.type) else "text"
    return replace(blank, kind=kind, nulls=nulls, text=profile, personal=by_pattern(levels, named=blank.named))


def _numbers(blank: ColumnQuality, column: pa.ChunkedArray, how: Looking, *, times: bool) -> ColumnQuality:
    values = present(numeric(column))
    numbers = values.astype(np.float64)
    limits = how.ranges.get(blank.name) or (None if times else _PLAUSIBLE.get(_plain(blank.name)))
    profile = number_profile(numbers, factor=how.factor, limits=limits, times=times)
    kind = "date and time" if times else "whole number" if profile.whole and not profile.infinite else "number"
    personal: tuple[Personal, ...] = ()
    if kind == "whole number" and profile.maximum is not None and _LEAST_NUMBER <= profile.maximum < _MOST_EXACT:
        personal = in_numbers(np.unique(values.astype(np.int64)))
    return replace(
        blank,
        kind=kind,
        nulls=blank.rows - len(values),
        number=profile,
        personal=personal,
        limits=limits,
        is_time=times,
    )


def _words_of(name: str) -> str:
    """Return a name in small letters with its words apart: ``customerId`` is ``customer_id``."""
    return _plain(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name))


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")
