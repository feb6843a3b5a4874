"""Two numeric columns compared exactly without sorting them: Kolmogorov-Smirnov, moments, quantiles, bins.

How it works on large columns, in one pass and a bit:

1. A sample lays a monotone grid of bins of about equal mass (`grid`).
2. One compiled pass over the Arrow buffers of each table counts the rows of each bin and adds up the moments.
3. Where two bins meet, the difference of the two distribution functions F and G is exact. Inside a bin it cannot
   exceed ``max(F(right) - G(left), G(right) - F(left))``.
4. Only bins whose bound beats the best meeting point are gathered and sorted (mostly under 2 % of the rows), with them
   the outer bins and those that hold a wanted quantile.

Small tables, and columns of few distinct or small whole numbers, are counted value by value at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops.analyses.cores.arrow_numbers import EXACT_INTEGER, extremes, float_chunks, numeric, present, whole_chunks
from modelops.analyses.cores.grid import lay, sample_of
from modelops.analyses.cores.gridded_pair import pair_from_grid
from modelops.analyses.cores.numeric_pair import MOST_LEVELS, NumericPair, pair_from_counts

SMALL = 20_000
"""Below this many rows in all, sorting is quicker than loading compiled code."""

_DENSE_RANGE = 1 << 16


def compare_numbers(
    reference: pa.ChunkedArray, current: pa.ChunkedArray, *, n_bins: int = 10, codes: bool = False
) -> NumericPair:
    """Compare two numeric columns.

    Parameters
    ----------
    reference, current : pyarrow.ChunkedArray
        Whole or floating-point numbers, decimals, dates or times (as seconds since 1970). NaN counts as missing.
    n_bins : int
        How many bins of equal reference mass `NumericPair.quantile_bins` has at most.
    codes : bool
        Whether to keep a rank-like code of each value, in row order.

    Examples
    --------
    >>> pair = compare_numbers(pa.chunked_array([[1.0, 2.0, None, 3.0]]), pa.chunked_array([[2.0, 3.0, 4.0]]))
    >>> round(pair.statistic, 4), pair.reference.missing, pair.current.mean
    (0.3333, 1, 3.0)
    """
    columns = (numeric(reference), numeric(current))
    rows = (len(reference), len(current))
    if sum(rows) < SMALL:
        return _pair_by_sorting(columns, rows, n_bins, codes=codes)
    if all(pa.types.is_integer(column.type) for column in columns):
        found = [ends for ends in map(extremes, columns) if ends]
        if not found:
            return _pair_by_sorting(columns, rows, n_bins, codes=codes)
        low, high = min(ends[0] for ends in found), max(ends[1] for ends in found)
        if high - low < _DENSE_RANGE and high < 1 << 63:
            return _pair_by_range(columns, rows, n_bins, (low, high), codes=codes)
        if max(-low, high) > EXACT_INTEGER:
            return _pair_by_sorting(columns, rows, n_bins, codes=codes)
    chunks = [float_chunks(column) for column in columns]
    samples = [sample_of(pieces) for pieces in chunks]
    sample = np.sort(np.concatenate(samples))
    grid = lay(sample)
    if grid is None or _distinct(sample) <= MOST_LEVELS:
        return _pair_by_value_counts(columns, rows, n_bins, codes=codes)
    return pair_from_grid((chunks[0], chunks[1]), rows, grid, n_bins=n_bins, codes=codes)


def _distinct(ascending: np.ndarray) -> int:
    return int(np.count_nonzero(np.diff(ascending))) + bool(ascending.size)


def _pair_by_sorting(
    columns: tuple[pa.ChunkedArray, pa.ChunkedArray], rows: tuple[int, int], n_bins: int, *, codes: bool
) -> NumericPair:
    dense = [present(column) for column in columns]
    values, places = np.unique(np.concatenate(dense), return_inverse=True)
    split = [places[: len(dense[0])], places[len(dense[0]) :]]
    counts = np.stack([np.bincount(part, minlength=len(values)) for part in split])
    return _pair(values, counts, rows, n_bins, split if codes else None)


def _pair_by_range(
    columns: tuple[pa.ChunkedArray, pa.ChunkedArray],
    rows: tuple[int, int],
    n_bins: int,
    ends: tuple[int, int],
    *,
    codes: bool,
) -> NumericPair:
    from modelops.analyses.cores.histogram_kernels import count_whole

    low, high = ends
    counts = np.zeros((2, high - low + 1), dtype=np.int64)
    for row, column in zip(counts, columns, strict=True):
        for chunk in whole_chunks(column):
            count_whole(chunk.values, chunk.validity, chunk.offset, low, row)
    seen = np.flatnonzero(counts.any(axis=0))
    places = [present(column) - low for column in columns] if codes else None
    return _pair(low + seen, counts[:, seen], rows, n_bins, places)


def _pair_by_value_counts(
    columns: tuple[pa.ChunkedArray, pa.ChunkedArray], rows: tuple[int, int], n_bins: int, *, codes: bool
) -> NumericPair:
    found = [_value_counts(column) for column in columns]
    values = np.unique(np.concatenate([each for each, _ in found]))
    counts = np.zeros((2, len(values)), dtype=np.int64)
    for row, (each, often) in zip(counts, found, strict=True):
        np.add.at(row, np.searchsorted(values, each), often)
    places = [np.searchsorted(values, present(column)) for column in columns] if codes else None
    return _pair(values, counts, rows, n_bins, places)


def _value_counts(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    table = pc.value_counts(pc.cast(column, pa.float64(), safe=False))
    values = table.field("values").to_numpy(zero_copy_only=False)
    there = ~np.isnan(values)
    return values[there], table.field("counts").to_numpy(zero_copy_only=False)[there]


def _pair(
    values: np.ndarray, counts: np.ndarray, rows: tuple[int, int], n_bins: int, codes: Sequence[np.ndarray] | None
) -> NumericPair:
    numbers = values.astype(np.float64)
    kept = None if codes is None else (codes[0], codes[1])
    return pair_from_counts(numbers, counts, rows=rows, n_bins=n_bins, codes=kept)


def kolmogorov_smirnov_statistic(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the largest distance between the distribution functions of two samples.

    Parameters
    ----------
    reference, current : ndarray of shape (n,), (m,)
        Numbers; NaN is left out, infinities are ordered like any other value.

    Returns
    -------
    float
        0: the same distribution; 1: every value of one lies below every value of the other. NaN if a sample is empty.

    References
    ----------
    N. Smirnov, "Table for estimating the goodness of fit of empirical distributions", Annals of Mathematical
    Statistics 19, 1948.

    Examples
    --------
    >>> kolmogorov_smirnov_statistic(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 4.0, 5.0, 6.0]))
    0.5
    """
    pair = compare_numbers(pa.chunked_array([pa.array(reference)]), pa.chunked_array([pa.array(current)]))
    return float("nan") if pair.statistic is None else pair.statistic
