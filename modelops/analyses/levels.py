"""Columns as codes: class labels, groups, and numbers cut into ranges that a person can read.

Every level is touched once and every row once as a small integer, so a million rows cost milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample, as_labels
from modelops.errors import InvalidInput

Codes = NDArray[np.int32]

OTHER = "(other)"
_FEW = 10
_RANGES = 5
_ROUNDED = 1e100
_LARGEST = 1e300
_SMALLEST = 1e-300
_PRECISION = 1e-15


@dataclass(frozen=True)
class Coded:
    """One column: ``codes`` of shape (n,) point into ``levels``; -1 is missing."""

    codes: Codes
    levels: tuple[str, ...]

    @property
    def missing(self) -> int:
        """How many rows have no value."""
        return int(np.count_nonzero(self.codes < 0))

    def counts(self) -> NDArray[np.int64]:
        """Return how many rows each level has."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))

    def take(self, rows: NDArray[np.intp]) -> Coded:
        """Return some rows."""
        return Coded(self.codes[rows], self.levels)

    def in_levels(self, levels: Sequence[str]) -> Codes:
        """Return the codes in another list of levels that holds all of these."""
        place = {level: position for position, level in enumerate(levels)}
        table = np.array([*(place[level] for level in self.levels), -1], dtype=np.int32)
        return table[self.codes]


def coded(sample: Sample, name: str) -> Coded:
    """Return one column as codes into those labels that occur in it, sorted (numbers in numeric order).

    A dictionary may hold more: a file keeps the categories of rows that were filtered out.

    Raises
    ------
    InvalidInput
        If the column holds nested values.
    """
    import pyarrow as pa

    column = sample.source.column(name)
    if pa.types.is_null(column.type):
        return Coded(np.full(len(column), -1, dtype=np.int32), ())
    if not pa.types.is_dictionary(column.type):
        try:
            column = column.dictionary_encode()
        except pa.ArrowNotImplementedError as error:
            raise InvalidInput(f"Column {name!r} holds {column.type} values, expected text or numbers.") from error
    whole = column.unify_dictionaries().combine_chunks()
    labels = as_labels(whole.dictionary.to_pandas())
    indices = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    occurs = np.bincount(indices + 1, minlength=len(labels) + 1)[1:] > 0
    levels = in_order(label for label in labels[occurs] if label is not None)
    place = {level: position for position, level in enumerate(levels)}
    table = np.array([*(place.get(label, -1) for label in labels), -1], dtype=np.int32)
    return Coded(table[indices], levels)


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct labels sorted; in numeric order if all of them are numbers.

    Examples
    --------
    >>> in_order(["10", "9", "9"])
    ('9', '10')
    """
    distinct = set(labels)
    try:
        numbers = {label: float(label) for label in distinct}
    except ValueError:
        return tuple(sorted(distinct))
    if not all(math.isfinite(number) for number in numbers.values()):
        return tuple(sorted(distinct))
    return tuple(sorted(distinct, key=lambda label: (numbers[label], label)))


def groups(sample: Sample, name: str, *, most: int, count: int = _RANGES) -> tuple[Coded, str | None]:
    """Return a column as groups of people, and a note if it was changed for that.

    Numbers with more than ten distinct values are cut into up to ``count`` ranges at round numbers near quantiles. Of
    text with more than ``most`` levels the largest stay, the rest become ``(other)``.
    """
    import pyarrow as pa

    kind = sample.source.column(name).type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = sample.numbers(name)
        present = numbers[~np.isnan(numbers)]
        if np.unique(present[: 100 * _FEW]).size > _FEW or np.unique(present).size > _FEW:
            ranged = ranges(numbers, count=count)
            return ranged, f"{name} holds numbers; it was cut into the ranges {', '.join(ranged.levels)}."
    column = coded(sample, name)
    if len(column.levels) <= most:
        return column, None
    counts = column.counts()
    largest = set(np.lexsort((np.arange(counts.size), -counts))[: most - 1].tolist())
    kept = (level for position, level in enumerate(column.levels) if position in largest and level != OTHER)
    levels = (*kept, OTHER)
    place = {level: position for position, level in enumerate(levels)}
    table = np.array([*(place.get(level, len(levels) - 1) for level in column.levels), -1], dtype=np.int32)
    note = f"{name} has {len(column.levels)} levels; the {most - 1} largest are shown, the rest together as {OTHER}."
    return Coded(table[column.codes], levels), note


def ranges(numbers: NDArray[np.float64], *, count: int = _RANGES) -> Coded:
    """Cut numbers into ranges at round numbers near their quantiles; NaN is missing.

    Examples
    --------
    >>> ranges(np.array([18.0, 25, 33, 41, 48, 56, 64, 71]), count=4).levels
    ('under 30', '30 to 44', '45 to 59', '60 and over')
    """
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return Coded(np.full(numbers.size, -1, dtype=np.int32), ())
    edges, whole = range_edges(finite, count=count)
    codes = np.searchsorted(edges, numbers, side="right").astype(np.int32)
    codes[np.isnan(numbers)] = -1
    return Coded(codes, range_names(edges, whole=whole))


def range_edges(finite: NDArray[np.float64], *, count: int = _RANGES) -> tuple[NDArray[np.float64], bool]:
    """Return round numbers near the quantiles, increasing, and whether all numbers are whole; at least one number.

    A range holds its lower edge and not its upper one. There may be fewer edges than ``count - 1``, or none.
    """
    whole = bool(np.all(finite == np.rint(finite)))
    bounded = np.clip(finite, -_LARGEST, _LARGEST)  # whose differences do not overflow
    quantiles = np.quantile(bounded, np.arange(1, count) / count)
    step = _round_step(float(np.ptp(np.quantile(bounded, [0.05, 0.95]))) / (3 * count), whole=whole)
    step = max(step, float(np.abs(quantiles).max()) * _PRECISION)
    edges = np.rint(quantiles / step) * step + 0.0  # minus zero becomes zero
    if np.abs(edges).max() < _ROUNDED:
        edges = np.round(edges, 12)
    edges = np.unique(edges)
    return edges[(edges > finite.min()) & (edges <= finite.max())], whole


def _round_step(width: float, *, whole: bool) -> float:
    if width < _SMALLEST:
        return 1.0 if width <= 0 else _SMALLEST
    power = 10.0 ** math.floor(math.log10(width))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= width * 0.999)
    return max(step, 1.0) if whole else step


def range_names(edges: NDArray[np.float64], *, whole: bool) -> tuple[str, ...]:
    """Return the names of the ranges between edges, one more than there are edges."""
    if not edges.size:
        return ("all",)
    shown = [f"{edge:.12g}" for edge in edges]
    tops = [f"{edge - 1:.12g}" for edge in edges] if whole else [f"under {text}" for text in shown]
    inner = [low if low == top else f"{low} to {top}" for low, top in zip(shown[:-1], tops[1:], strict=True)]
    return (f"under {shown[0]}", *inner, f"{shown[-1]} and over")
