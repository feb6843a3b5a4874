"""Rows as 64-bit hashes: equal rows are found in one pass over the columns, without ever comparing two rows.

The hash of a row is the sum of the scattered hashes of its values, so that the hash of the row without one column is
one subtraction away. Among n rows the chance of any two unequal ones sharing a hash is below n**2 / 2**65: 3e-8 for a
million.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from modelops.analyses.cores.arrow_numbers import EXACT_INTEGER, Kind, kind_of, numeric

Hashes = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MISSING = np.uint64(0x6D697373696E67)
_BIG = np.uint64(0xB16B00B5CAFE0001)
_BLOCK = 1 << 15


def mixed(values: Hashes) -> Hashes:
    """Scatter 64-bit integers (the finaliser of SplitMix64), block by block so that the work stays in cache."""
    result = np.empty_like(values)
    for start in range(0, len(values), _BLOCK):
        part = values[start : start + _BLOCK] + _GOLDEN
        part ^= part >> np.uint64(30)
        part *= np.uint64(0xBF58476D1CE4E5B9)
        part ^= part >> np.uint64(27)
        part *= np.uint64(0x94D049BB133111EB)
        part ^= part >> np.uint64(31)
        result[start : start + _BLOCK] = part
    return result


def value_hashes(column: pa.ChunkedArray, *, digits: int | None = None) -> Hashes:
    """Return a hash for each value: equal values have equal hashes in every table, whatever type holds them.

    1, 1.0 and true are equal, so are all missing values. With ``digits``, numbers count as equal if they are so after
    rounding to that many significant digits, and texts if they differ in case and spaces alone.

    Examples
    --------
    >>> one, other = value_hashes(pa.chunked_array([[1, 2]])), value_hashes(pa.chunked_array([[1.0, None]]))
    >>> (one == other).tolist()
    [True, False]
    """
    kind = kind_of(column)
    if kind is Kind.EMPTY:
        return np.full(len(column), _MISSING)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
        kind = Kind.NUMBER
    if kind in (Kind.NUMBER, Kind.TIME):
        return _number_hashes(numeric(column), digits if kind is Kind.NUMBER else None)
    return _text_hashes(column, alike=digits is not None)


def row_hashes(columns: Iterable[Hashes], n_rows: int) -> Hashes:
    """Return the hash of each row, given the hashes of its values column by column; one is in memory at a time.

    Examples
    --------
    >>> values = [value_hashes(pa.chunked_array([["a", "a", "b"]])), value_hashes(pa.chunked_array([[1, 1, 1]]))]
    >>> whole = row_hashes(values, 3)
    >>> bool(whole[0] == whole[1]), bool(whole[0] == whole[2])
    (True, False)
    """
    total = np.zeros(n_rows, dtype=np.uint64)
    for place, values in enumerate(columns):
        total += in_place(values, place)
    return total


def in_place(values: Hashes, place: int) -> Hashes:
    """Return what the column number ``place`` adds to the hashes of its rows."""
    return mixed(values ^ mixed(np.array([place + 1], dtype=np.uint64)))


def repeats(hashes: Hashes) -> int:
    """Return how many rows have an equal one before them.

    Examples
    --------
    >>> repeats(np.array([7, 7, 8, 7], dtype=np.uint64))
    2
    """
    ordered = np.sort(hashes)
    return int(np.count_nonzero(ordered[1:] == ordered[:-1]))


def _number_hashes(column: pa.ChunkedArray, digits: int | None) -> Hashes:
    missing = column.is_null().to_numpy()
    values = (pc.fill_null(column, 0) if column.null_count else column).to_numpy()
    # Adding zero turns -0.0 into 0.0; a copy is made either way.
    numbers = values.astype(np.float64) + 0.0
    if digits is not None:
        numbers = significant(numbers, digits)
    bits = numbers.view(np.uint64)
    if values.dtype.kind == "f":
        missing = missing | np.isnan(values)
    elif digits is None and len(values) and max(abs(int(values.min())), abs(int(values.max()))) > EXACT_INTEGER:
        large = np.abs(numbers) > EXACT_INTEGER
        bits[large] = values[large].view(np.uint64) ^ _BIG
    bits[missing] = _MISSING
    return mixed(bits)


def significant(numbers: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """Round to significant digits; 0 and what is not finite stay as they are.

    Examples
    --------
    >>> significant(np.array([1234.5, 0.00012345, 0.0]), 3).tolist()
    [1230.0, 0.000123, 0.0]
    """
    usable = np.isfinite(numbers) & (numbers != 0)
    exponent = np.floor(np.log10(np.abs(numbers), where=usable, out=np.zeros_like(numbers)))
    rounded = np.array(numbers)
    with np.errstate(over="ignore"):
        scale = np.power(10.0, digits - 1 - exponent)
        usable &= np.isfinite(scale) & (scale > 0)
        rounded[usable] = np.rint(numbers[usable] * scale[usable]) / scale[usable]
    return np.where(np.isfinite(rounded), rounded + 0.0, numbers)


def _text_hashes(column: pa.ChunkedArray, *, alike: bool) -> Hashes:
    import pandas as pd

    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    whole = encoded.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        return np.empty(0, dtype=np.uint64)
    values = whole.dictionary.to_pylist()
    texts = [None if value is None else str(value) for value in values]
    if alike:
        texts = [None if text is None else " ".join(text.split()).casefold() for text in texts]
    known = np.array([text or "" for text in texts], dtype=object)
    table = np.append(pd.util.hash_array(known, categorize=False), _MISSING).astype(np.uint64)
    table[[place for place, text in enumerate(texts) if text is None]] = _MISSING
    return np.asarray(table[whole.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)])
