"""Columns as a check sees them: read once, as numbers, as levels, as missing or not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.levels import coded
from modelops.domain.columns import ValueKind
from modelops.domain.contract import seconds

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Values:
    """One column of n rows.

    ``kind`` is ``None`` where nothing is known of the kind because every value is missing. Numbers and points in time
    (seconds since 1970) stand in ``numbers`` with NaN for missing; text and truth values as ``codes`` into ``levels``
    with -1 for missing. ``whole`` keeps whole numbers exactly, whatever their size.
    """

    name: str
    kind: ValueKind | None
    missing: Mask
    numbers: Numbers | None = None
    whole: NDArray[np.int64] | None = None
    codes: NDArray[np.int32] | None = None
    levels: tuple[str, ...] = ()

    def take(self, rows: NDArray[np.intp]) -> Values:
        """Return some rows."""
        return replace(
            self,
            missing=self.missing[rows],
            numbers=None if self.numbers is None else self.numbers[rows],
            whole=None if self.whole is None else self.whole[rows],
            codes=None if self.codes is None else self.codes[rows],
        )

    @cached_property
    def as_numbers(self) -> Numbers:
        """The values as numbers, NaN where one is missing or is no number; text is read as a person would."""
        if self.numbers is not None:
            return self.numbers
        return self._by_level(_number(level) for level in self.levels)

    @cached_property
    def as_seconds(self) -> Numbers:
        """The values as seconds since 1970, NaN where one is missing or is no point in time."""
        if self.kind is ValueKind.TIME and self.numbers is not None:
            return self.numbers
        return self._by_level(_moment(level) for level in self.levels)

    def _by_level(self, values: Iterable[float]) -> Numbers:
        table = np.array([*values, np.nan], dtype=np.float64)
        return table[self.codes] if self.codes is not None else np.full(self.missing.size, np.nan)

    def equals(self, label: str) -> Mask:
        """Return where the value, as a label, is ``label``."""
        return self.among((label,))

    def among(self, labels: Iterable[str]) -> Mask:
        """Return where the value, as a label (1 and 1.0 are both ``"1"``), is one of ``labels``."""
        wanted = set(labels)
        if self.codes is not None:
            table = np.array([*(level in wanted for level in self.levels), False], dtype=np.bool_)
            return table[self.codes]
        if self.numbers is None:
            return np.zeros(self.missing.size, dtype=np.bool_)
        scale: Callable[[str], float] = seconds if self.kind is ValueKind.TIME else float
        found = np.isin(self.numbers, [value for label in wanted if (value := _read(label, scale)) is not None])
        return found & ~self.missing

    def repeated(self) -> Mask:
        """Return the rows whose value stands in another row too; missing values are none."""
        keys = self.codes if self.codes is not None else self.whole if self.whole is not None else self.numbers
        if keys is None:
            return np.zeros(self.missing.size, dtype=np.bool_)
        found = np.zeros(self.missing.size, dtype=np.bool_)
        present = np.flatnonzero(~self.missing)
        _, places, counts = np.unique(keys[present], return_inverse=True, return_counts=True)
        found[present] = counts[places] > 1
        return found


def values_of(sample: Sample, name: str) -> Values | None:
    """Read one column; ``None`` if the table does not have it, or holds nested values there."""
    if name not in sample.source.names:
        return None
    column = sample.source.column(name)
    missing = np.asarray(column.is_null().to_numpy(), dtype=np.bool_)
    kind = _kind(column.type)
    if pa.types.is_null(column.type) or pa.types.is_nested(column.type):
        return None if pa.types.is_nested(column.type) else Values(name, None, missing)
    if kind in (ValueKind.TEXT, ValueKind.TRUE_FALSE):
        labels = coded(sample, name)
        return Values(name, kind, labels.codes < 0, codes=labels.codes, levels=labels.levels)
    if kind is ValueKind.TIME:
        from modelops.analyses.cores.arrow_numbers import numeric

        moments = numeric(column).to_pandas().to_numpy(dtype=np.float64, na_value=np.nan)
        return Values(name, kind, np.isnan(moments), numbers=moments)
    numbers = sample.numbers(name)
    whole = None
    if kind is ValueKind.WHOLE_NUMBER:
        whole = column.fill_null(0).cast(pa.int64(), safe=False).to_numpy()
    missing = missing | np.isnan(numbers)
    return Values(name, kind, missing, numbers=numbers, whole=whole)


def _kind(arrow: pa.DataType) -> ValueKind:
    if pa.types.is_boolean(arrow):
        return ValueKind.TRUE_FALSE
    if pa.types.is_temporal(arrow):
        return ValueKind.TIME
    if pa.types.is_integer(arrow):
        return ValueKind.WHOLE_NUMBER
    return ValueKind.NUMBER if pa.types.is_floating(arrow) or pa.types.is_decimal(arrow) else ValueKind.TEXT


def _read(text: str, scale: Callable[[str], float]) -> float | None:
    try:
        return scale(text)
    except ValueError:
        return None


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _moment(text: str) -> float:
    try:
        return seconds(text)
    except ValueError:
        return math.nan
