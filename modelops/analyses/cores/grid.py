"""A grid of many narrow bins of about equal mass, laid from a sample, on which two large columns are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelops.analyses.cores.arrow_numbers import Chunk

CELLS = 1 << 10
BINS = 1 << 14
_SAMPLE = 8_000
_TAIL = 0.001
_WIDENING = 0.25
_BY_MASS = 0.8


@dataclass(frozen=True)
class Grid:
    """`CELLS` equal cells from ``low`` on, each cut in as many of the `BINS` bins as its share of the sample asks for.

    Cell ``k`` holds the bins from ``base[k]`` to ``base[k + 1]``. Bin 0 lies below the grid and bin ``BINS + 1`` above.
    """

    low: float
    scale: float
    pivot: float
    base: np.ndarray

    def bins_of(self, values: np.ndarray) -> np.ndarray:
        """Return the bin of each value; the same arithmetic, step by step, as the compiled count."""
        place = (values - self.low) * self.scale
        inside = (place >= 0) & (place < CELLS)
        cell = np.where(inside, place, 0).astype(np.int64)
        start, end = self.base[cell], self.base[cell + 1]
        code = (start + (end - start) * (np.where(inside, place, 0) - cell)).astype(np.int64)
        code = np.minimum(np.minimum(code, end.astype(np.int64)), BINS - 1) + 1
        return np.where(inside, code, np.where(place < 0, 0, BINS + 1))

    def boundaries(self) -> np.ndarray:
        """Return where the bins meet, shape (BINS + 1,); exact up to rounding."""
        cells = np.interp(np.arange(BINS + 1), self.base, np.arange(CELLS + 1))
        return np.asarray(self.low + cells / self.scale)


def sample_of(chunks: Sequence[Chunk]) -> np.ndarray:
    """Return some `_SAMPLE` finite values, evenly spread over the rows, ascending."""
    rows = sum(len(chunk.values) for chunk in chunks)
    step = max(1, rows // _SAMPLE)
    picked = []
    for chunk in chunks:
        places = np.arange(0, len(chunk.values), step)
        picked.append(chunk.values[places[chunk.is_there(places)]])
    values = np.concatenate([np.empty(0), *picked])
    return np.sort(values[np.isfinite(values)])


def lay(sample: np.ndarray) -> Grid | None:
    """Lay a grid over the central part of an ascending ``sample``; ``None`` where its values leave no width for one.

    Heavy tails would leave the middle a few bins only: the grid keeps to the central 99.8 % and a margin, what is
    further out falls in the two outer bins. A fifth of the bins is spread evenly, so that no gap of the sample is wide.
    """
    if not sample.size:
        return None
    low, high = sample[int(_TAIL * len(sample))], sample[int((1 - _TAIL) * (len(sample) - 1))]
    with np.errstate(over="ignore", invalid="ignore"):
        margin = (high - low) * _WIDENING
        central = sample[(sample >= low - margin) & (sample <= high + margin)]
        width = central[-1] - central[0] if central.size else 0.0
        scale = CELLS / width if width > 0 else 0.0
    if not (np.isfinite(width) and 0 < scale < np.inf):
        return None
    cuts = central[0] + np.arange(CELLS + 1) / scale
    mass = np.searchsorted(central, cuts, side="left") / len(central)
    even = np.arange(CELLS + 1) / CELLS
    base = BINS * (_BY_MASS * mass + (1 - _BY_MASS) * even) / (_BY_MASS * mass[-1] + 1 - _BY_MASS)
    return Grid(float(central[0]), float(scale), float(sample[len(sample) // 2]), np.maximum.accumulate(base))
