"""Arrow columns as numbers: what kind of values a column holds, and its buffers without a copy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

EXACT_INTEGER = 1 << 53
"""Whole numbers up to here keep their value as float64."""


class Kind(StrEnum):
    """How a column is compared."""

    NUMBER = "number"
    TIME = "time"
    CATEGORY = "category"
    EMPTY = "empty"
    OTHER = "other"


def kind_of(column: pa.ChunkedArray) -> Kind:
    """Return how the values of ``column`` are compared; `Kind.EMPTY` for the type that only knows missing values."""
    kind = _decoded(column.type)
    if pa.types.is_null(kind):
        return Kind.EMPTY
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Kind.CATEGORY if pa.types.is_dictionary(column.type) else Kind.NUMBER
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return Kind.TIME
    if pa.types.is_boolean(kind) or _is_text(kind):
        return Kind.CATEGORY
    return Kind.OTHER


def _decoded(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def numeric(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ``column`` as int64, uint64 or float64; points in time as seconds since 1970 (UTC).

    Values of 32 bits and less, decimals and times are converted, the rest is handed through without a copy.
    """
    if kind_of(column) is Kind.TIME:
        # Nanoseconds would end in 2262, and the last day of the year 9999 stands for "without end" in many tables.
        zone = column.type.tz if pa.types.is_timestamp(column.type) else None
        whole = pc.cast(pc.cast(column, pa.timestamp("us", zone), safe=False), pa.int64())
        return pc.divide(pc.cast(whole, pa.float64(), safe=False), 1e6)
    wide = {pa.int64(), pa.uint64(), pa.float64()}
    if column.type in wide:
        return column
    if pa.types.is_null(column.type):
        return pa.chunked_array([pa.nulls(len(column), pa.float64())])
    whole = pa.types.is_integer(column.type)
    return pc.cast(column, pa.int64() if whole else pa.float64(), safe=False)


def present(column: pa.ChunkedArray) -> np.ndarray:
    """Return the values of a `numeric` column that are there, in their order: without nulls and without NaN."""
    dense = column.drop_null() if column.null_count else column
    values = dense.to_numpy()
    if values.dtype.kind == "f":
        missing = np.isnan(values)
        return np.asarray(values[~missing] if missing.any() else values)
    return np.asarray(values)


def extremes(column: pa.ChunkedArray) -> tuple[int, int] | None:
    """Return the smallest and the largest value of a column of whole numbers, ``None`` if it has none."""
    found = pc.min_max(column).as_py()
    return None if found["min"] is None else (int(found["min"]), int(found["max"]))


@dataclass(frozen=True)
class Chunk:
    """One piece of a float64 or int64 column as Arrow holds it.

    ``values`` has any content where a row is missing; ``validity`` is the bitmap (bit ``row + offset`` set: there is a
    value), empty where nothing is missing.
    """

    values: np.ndarray
    validity: np.ndarray
    offset: int

    def is_there(self, rows: np.ndarray) -> np.ndarray:
        """Return whether each of ``rows`` has a value."""
        number = ~np.isnan(self.values[rows])
        if not self.validity.size:
            return np.asarray(number)
        bits = rows + self.offset
        return np.asarray(number & ((self.validity[bits >> 3] >> (bits & 7)) & 1 == 1))


def float_chunks(column: pa.ChunkedArray) -> list[Chunk]:
    """Return the non-empty pieces of a `numeric` column as float64 buffers; float64 itself is not copied."""
    doubles = column if column.type == pa.float64() else pc.cast(column, pa.float64(), safe=False)
    return [_chunk(piece, np.float64) for piece in doubles.chunks if len(piece)]


def whole_chunks(column: pa.ChunkedArray) -> list[Chunk]:
    """Return the non-empty pieces of a column of whole numbers as int64 buffers; int64 itself is not copied."""
    whole = column if column.type == pa.int64() else pc.cast(column, pa.int64())
    return [_chunk(piece, np.int64) for piece in whole.chunks if len(piece)]


def _chunk(piece: pa.Array, dtype: type[np.generic]) -> Chunk:
    validity, values = piece.buffers()
    numbers = np.frombuffer(values, dtype)[piece.offset : piece.offset + len(piece)]
    full = validity is None or piece.null_count == 0
    bits = np.empty(0, np.uint8) if full else np.frombuffer(validity, np.uint8)
    return Chunk(numbers, bits, piece.offset)
