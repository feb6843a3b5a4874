"""The columns that groups are made of, each as a few levels: categories, ranges of numbers, missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.levels import Coded, coded, groups, range_edges, range_names

MISSING = "(missing)"
_FEW = 10

Codes = NDArray[np.int32]
Numbers = NDArray[np.float64]


class Span(NamedTuple):
    """Neighbouring levels of one column, from ``low`` to ``high``, both included."""

    low: int
    high: int


@dataclass(frozen=True)
class Column:
    """One column as codes into its levels; a missing value is the last level where there are any.

    ``edges`` are those of ranges of numbers, ``None`` for other columns; ``n_ordered`` is how many of the levels, from
    the first, have an order.
    """

    name: str
    codes: Codes
    levels: tuple[str, ...]
    n_ordered: int
    edges: Numbers | None = None
    is_whole: bool = False

    def spans(self) -> list[Span]:
        """Return what a segment may say of this column: neighbouring levels where there is an order, else one level.

        All levels together say nothing and are left out.
        """
        single = [Span(code, code) for code in range(self.n_ordered, len(self.levels))]
        if not self.n_ordered:
            return single
        ordered = [Span(low, high) for low in range(self.n_ordered) for high in range(low, self.n_ordered)]
        return [span for span in ordered + single if span != Span(0, len(self.levels) - 1)]

    def holds(self, span: Span) -> NDArray[np.bool_]:
        """Return which rows lie in ``span``."""
        return (self.codes >= span.low) & (self.codes <= span.high)

    def label(self, span: Span) -> str:
        """Return a span as text: ``30 to 59``, ``under 45``, ``none``."""
        if span.low == span.high:
            return self.levels[span.low]
        if self.edges is None:
            return f"{self.levels[span.low]} to {self.levels[span.high]}"
        inner = self.edges[[edge for edge in (span.low - 1, span.high) if 0 <= edge < self.edges.size]]
        names = range_names(inner, whole=self.is_whole)
        if span.low == 0:
            return names[0] if inner.size else "any value"
        return names[1] if len(names) == 3 else names[-1]

    def take(self, kept: NDArray[np.intp]) -> Column:
        """Return some of the rows."""
        return Column(self.name, self.codes[kept], self.levels, self.n_ordered, self.edges, self.is_whole)


def chosen_names(sample: Sample, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns to look at: those wanted, or sensitive columns and features, in this order."""
    if wanted:
        return tuple(dict.fromkeys(wanted))
    return tuple(dict.fromkeys([*sample.roles.sensitive, *sample.roles.features]))


def columns(
    sample: Sample, names: tuple[str, ...], rows: NDArray[np.intp], *, bins: int, most: int
) -> Iterator[tuple[Column | None, str | None]]:
    """Yield each column cut into levels, or ``None``, with what is to be said of it."""
    for name in names:
        yield _column(sample, name, rows, bins=bins, most=most)


def _column(
    sample: Sample, name: str, rows: NDArray[np.intp], *, bins: int, most: int
) -> tuple[Column | None, str | None]:
    import pyarrow as pa

    kind = sample.source.column(name).type
    if pa.types.is_temporal(kind) or pa.types.is_nested(kind):
        return None, f"{name} holds times or lists and is not cut into groups."
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _of_numbers(sample, name, rows, bins)
    found, note = groups(sample, name, most=most)
    return _whole(name, found.take(rows), ordered=False), note


def _of_numbers(sample: Sample, name: str, rows: NDArray[np.intp], bins: int) -> tuple[Column | None, str | None]:
    numbers = sample.numbers(name)[rows]
    finite = numbers[np.isfinite(numbers)]
    if np.unique(finite[: 100 * _FEW]).size <= _FEW and np.unique(finite).size <= _FEW:
        return _whole(name, coded(sample, name).take(rows), ordered=True), None
    edges, is_whole = range_edges(finite, count=bins)
    codes = np.searchsorted(edges, numbers, side="right").astype(np.int32)
    codes[np.isnan(numbers)] = -1
    found = Coded(codes, range_names(edges, whole=is_whole))
    return _whole(name, found, ordered=True, edges=edges, is_whole=is_whole), None


def _whole(
    name: str, found: Coded, *, ordered: bool, edges: Numbers | None = None, is_whole: bool = False
) -> Column | None:
    """Leave out levels without rows (but for ranges, which stay in order), and add the level of missing values."""
    levels, codes = found.levels, found.codes
    if edges is None and levels:
        used = np.flatnonzero(found.counts())
        table = np.full(len(levels) + 1, -1, dtype=np.int32)
        table[used] = np.arange(used.size)
        codes, levels = table[codes], tuple(levels[code] for code in used)
    n_ordered = len(levels) if ordered else 0
    if found.missing:
        codes = np.where(codes < 0, len(levels), codes).astype(np.int32)
        levels = (*levels, MISSING if MISSING not in levels else f"{MISSING} value")
    if len(levels) < 2:
        return None
    return Column(name, codes, levels, n_ordered, edges, is_whole)
