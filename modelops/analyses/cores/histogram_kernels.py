"""Compiled loops over float64 buffers. Importing this imports numba: do it inside the function that runs them.

One explicit signature each: compiled once (about a second), then loaded from numba's cache.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

MISSING = 65535
"""The bin code of a row without a value."""


def _read_only(item: types.Type) -> types.Array:
    return types.Array(item, 1, "C", readonly=True)


_NUMBERS, _BYTES, _CODES = _read_only(types.float64), _read_only(types.uint8), _read_only(types.uint16)


@njit(
    types.void(
        _NUMBERS,
        _BYTES,
        types.int64,
        types.float64,
        types.float64,
        types.float64,
        _NUMBERS,
        types.int64[::1],
        types.uint16[::1],
        types.float64[::1],
    ),
    cache=True,
    nogil=True,
)
def count_bins(values, validity, offset, low, scale, pivot, base, counts, codes, moments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Count values per bin, note each row's bin, and add up the moments, in one pass.

    The bin grows with the value, whatever the rounding: that is what makes the statistic exact. ``moments`` collects
    the sum and the sum of squares of the distance to ``pivot``, minimum, maximum, and how many
    values are minus and plus infinity.
    """
    cells = len(base) - 1
    bins = len(counts) - 2
    has_missing = len(validity) > 0
    total = 0.0
    squares = 0.0
    smallest = np.inf
    largest = -np.inf
    lowest = 0
    highest = 0
    for row in range(len(values)):
        value = values[row]
        bit = row + offset
        if (has_missing and not (validity[bit >> 3] >> (bit & 7)) & 1) or value != value:  # noqa: PLR0124
            codes[row] = MISSING
            continue
        place = (value - low) * scale
        if place < 0:
            code = 0
        elif place >= cells:
            code = bins + 1
        else:
            cell = int(place)
            start = base[cell]
            end = base[cell + 1]
            code = min(int(start + (end - start) * (place - cell)), int(end), bins - 1) + 1
        counts[code] += 1
        codes[row] = code
        if np.isinf(value):
            if value < 0:
                lowest += 1
            else:
                highest += 1
            continue
        distance = value - pivot
        total += distance
        squares += distance * distance
        if value < smallest:  # noqa: PLR1730
            smallest = value
        if value > largest:  # noqa: PLR1730
            largest = value
    moments[0] += total
    moments[1] += squares
    moments[2] = min(moments[2], smallest)
    moments[3] = max(moments[3], largest)
    moments[4] += lowest
    moments[5] += highest


@njit(types.void(_read_only(types.int64), _BYTES, types.int64, types.int64, types.int64[::1]), cache=True, nogil=True)
def count_whole(values, validity, offset, low, counts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Count whole numbers from ``low`` on, one bin for each; those that are there must fit."""
    has_missing = len(validity) > 0
    for row in range(len(values)):
        bit = row + offset
        if has_missing and not (validity[bit >> 3] >> (bit & 7)) & 1:
            continue
        counts[values[row] - low] += 1


@njit(types.int64(_NUMBERS, _CODES, _read_only(types.boolean), types.float64[::1], types.int64), cache=True, nogil=True)
def gather(values, codes, wanted, out, at):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Copy the values whose bin is wanted to ``out`` from position ``at`` on; return the next position."""
    for row in range(len(values)):
        if wanted[codes[row]]:
            out[at] = values[row]
            at += 1
    return at
