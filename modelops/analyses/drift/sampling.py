"""The rows that the domain classifier gets: drawn from both tables, as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from modelops.analyses.cores.arrow_numbers import Kind, kind_of, numeric
from modelops.analyses.cores.category_counts import count_categories
from modelops.analyses.drift.classifier import Encoded, encode_categories
from modelops.analyses.drift.time import TimeOrder

_LARGEST = 1e300
_ID_LIKE = 0.9
_FEWEST_FOR_IDS = 100


@dataclass(frozen=True)
class RowSample:
    """Positions of the drawn rows in the reference and the current table; in the order of time if ``timed``."""

    positions: tuple[np.ndarray, np.ndarray]
    timed: bool


def draw_rows(rows: tuple[int, int], *, limit: int, seed: int, orders: tuple[TimeOrder, TimeOrder] | None) -> RowSample:
    """Draw at most ``limit`` rows of each table at random without replacement."""
    drawn = []
    for side, count in enumerate(rows):
        picked = np.arange(count)
        if count > limit:
            picked = np.sort(np.random.default_rng([seed, 10 + side]).choice(count, limit, replace=False))
        drawn.append(orders[side].of(np.arange(count))[picked] if orders else picked)
    return RowSample((drawn[0], drawn[1]), timed=orders is not None)


@dataclass(frozen=True)
class EncodedColumn:
    """The drawn rows of one column as numbers, or why it is left out."""

    name: str
    sides: tuple[np.ndarray, np.ndarray] | None
    left_out: str | None = None


def encode_column(name: str, reference: pa.ChunkedArray, current: pa.ChunkedArray, sample: RowSample) -> EncodedColumn:
    """Return the drawn rows of one feature; identifiers and times are left out, they would give every row away."""
    kinds = {kind_of(column) for column in (reference, current)} - {Kind.EMPTY}
    if Kind.TIME in kinds:
        return EncodedColumn(name, None, left_out="a time")
    if len(kinds) != 1 or Kind.OTHER in kinds:
        return EncodedColumn(name, None, left_out="no values of one kind")
    sides = [_taken(column, at) for column, at in zip((reference, current), sample.positions, strict=True)]
    if kinds == {Kind.CATEGORY}:
        return _encode_texts(name, sides)
    if all(pa.types.is_integer(side.type) and _counts_up(side) for side in sides):
        return EncodedColumn(name, None, left_out="counts up with the rows, as a row number does")
    numbers = [np.clip(_floats(side), -_LARGEST, _LARGEST) for side in sides]
    return EncodedColumn(name, (numbers[0], numbers[1]))


def _taken(column: pa.ChunkedArray, positions: np.ndarray) -> pa.ChunkedArray:
    column = column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column
    whole = len(positions) == len(column) and bool((np.diff(positions) == 1).all())
    return column if whole else column.take(pa.array(positions))


def _floats(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(numeric(column).to_numpy(), dtype=np.float64)


def _counts_up(column: pa.ChunkedArray) -> bool:
    if column.null_count or len(column) < _FEWEST_FOR_IDS:
        return False
    values = column.to_numpy()
    return bool((values[1:] > values[:-1]).all())


def _encode_texts(name: str, sides: Sequence[pa.ChunkedArray]) -> EncodedColumn:
    pair = count_categories(sides[0], sides[1], codes=True)
    if pair.codes is None or min(pair.rows) == 0:
        return EncodedColumn(name, None, left_out="no rows")
    distinct = (pair.counts > 0).sum(axis=1)
    if min(pair.present) >= _FEWEST_FOR_IDS and (distinct > _ID_LIKE * np.array(pair.present)).all():
        return EncodedColumn(name, None, left_out="nearly every value is distinct, as in an identifier")
    numbers = encode_categories(pair.counts, pair.codes)
    return EncodedColumn(name, (numbers[0], numbers[1]))


def assemble(columns: Sequence[EncodedColumn], sample: RowSample) -> Encoded:
    """Return the usable columns side by side.

    Without an order of time the rows are put in an order that depends on their content alone, so that the split, and
    with it the outcome, is the same however the table was sorted.
    """
    used = [column for column in columns if column.sides is not None]
    sides = []
    for side, positions in enumerate(sample.positions):
        parts = [column.sides[side] for column in used if column.sides is not None]
        rows = np.column_stack(parts) if parts else np.empty((len(positions), 0))
        sides.append(rows if sample.timed or not parts else rows[np.lexsort(parts)])
    return Encoded(
        names=tuple(column.name for column in used),
        reference=sides[0],
        current=sides[1],
        timed=sample.timed,
    )
