"""Two large columns compared on a grid of bins, with the few bins that matter sorted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelops.analyses.cores.arrow_numbers import Chunk
from modelops.analyses.cores.grid import BINS, Grid
from modelops.analyses.cores.numeric_pair import (
    QUANTILES,
    Histogram,
    NumericPair,
    Summary,
    finite_or_none,
    inner_probabilities,
    interpolated,
    overlay_edges,
    reference_edges,
)

_CODES = 1 << 16
_BLUR = 1e-5
"""A bin that could blur the Wasserstein distance by more than this many standard deviations is sorted too."""


def pair_from_grid(
    chunks: tuple[Sequence[Chunk], Sequence[Chunk]], rows: tuple[int, int], grid: Grid, *, n_bins: int, codes: bool
) -> NumericPair:
    """Compare two columns of float64 buffers.

    Everything is exact but two: the Wasserstein distance takes the values of an unsorted bin as evenly spread (an error
    around 1e-6 standard deviations on smooth data), and so do the bars of the overlay.
    """
    sides = (_count(chunks[0], rows[0], grid), _count(chunks[1], rows[1], grid))
    probabilities = tuple(sorted({*QUANTILES, *inner_probabilities(n_bins)}))
    boundaries = grid.boundaries()
    wanted = _wanted(sides, boundaries, probabilities)
    for side in sides:
        side.gather(wanted)
    found = [{p: side.quantile(p) for p in probabilities} for side in sides]
    summaries = [side.summary([values[p] for p in QUANTILES]) for side, values in zip(sides, found, strict=True)]
    edges = reference_edges([found[0][p] for p in inner_probabilities(n_bins)], summaries[0].maximum)
    missed = np.setdiff1d(grid.bins_of(edges), np.flatnonzero(wanted))
    if missed.size:
        wanted[missed] = True
        for side in sides:
            side.gather(wanted)
    statistic = location = wasserstein = None
    if min(side.present for side in sides) > 0:
        knots = _knots(sides, wanted)
        statistic, location = _widest_gap(sides, knots, boundaries)
        wasserstein = _wasserstein(sides, wanted, knots, boundaries)
    bars = overlay_edges([values[p] for values in found for p in (QUANTILES[0], QUANTILES[-1])])
    return NumericPair(
        reference=summaries[0],
        current=summaries[1],
        statistic=statistic,
        location=location,
        wasserstein=wasserstein,
        quantile_bins=Histogram(edges, *(side.counts_between(edges, grid) for side in sides)),
        overlay=Histogram(bars, *(side.blurred_counts(bars, boundaries) for side in sides)),
        levels=None,
        level_counts=None,
        codes=(sides[0].present_codes(), sides[1].present_codes()) if codes else None,
    )


@dataclass
class _Side:
    """One table on the grid: rows per bin, the bin of each row, the moments, and the sorted values of wanted bins."""

    chunks: Sequence[Chunk]
    rows: int
    pivot: float
    counts: np.ndarray
    codes: np.ndarray
    moments: np.ndarray

    def __post_init__(self) -> None:
        self.cumulative = np.cumsum(self.counts)
        self.before = self.cumulative - self.counts
        self.present = int(self.cumulative[-1])
        self.lowest, self.highest = int(self.moments[4]), int(self.moments[5])
        self.finite = self.present - self.lowest - self.highest
        self.values = np.empty(0)
        self.skipped = self.before

    def gather(self, wanted: np.ndarray) -> None:
        """Sort the values of the wanted bins; a bin is before another if its values are."""
        from modelops.analyses.cores.histogram_kernels import gather

        lookup = np.zeros(_CODES, dtype=np.bool_)
        lookup[: len(wanted)] = wanted
        kept = np.where(wanted, self.counts, 0)
        values = np.empty(int(kept.sum()))
        at = start = 0
        for chunk in self.chunks:
            end = start + len(chunk.values)
            at = gather(chunk.values, self.codes[start:end], lookup, values, at)
            start = end
        values.sort()
        self.values = values
        self.skipped = self.before - (np.cumsum(kept) - kept)

    def rows_up_to(self, values: np.ndarray, bins: np.ndarray) -> np.ndarray:
        """Return how many rows hold at most each value, whose (gathered) bin is known."""
        return np.asarray(np.searchsorted(self.values, values, side="right") + self.skipped[bins])

    def at_rank(self, rank: int) -> float:
        """Return the value with ``rank`` present rows before it; its bin has been gathered."""
        code = int(np.searchsorted(self.cumulative, rank, side="right"))
        return float(self.values[rank - self.skipped[code]])

    def ranks(self, probability: float) -> tuple[int, int, float]:
        """Return the two neighbouring ranks of a quantile of the finite values, and the way between them."""
        place = probability * (self.finite - 1)
        rank = math.floor(place)
        return self.lowest + rank, self.lowest + min(rank + 1, self.finite - 1), place - rank

    def quantile(self, probability: float) -> float:
        """Return a quantile of the finite values, interpolated linearly; NaN without any."""
        if not self.finite:
            return math.nan
        left, right, share = self.ranks(probability)
        return interpolated(self.at_rank(left), self.at_rank(right), share)

    def summary(self, quantiles: Sequence[float]) -> Summary:
        """Return the summary; moments from the sums around the pivot, which keeps their digits."""
        shift = float(self.moments[0]) / self.finite if self.finite else math.nan
        return Summary(
            rows=self.rows,
            missing=self.rows - self.present,
            infinite=self.lowest + self.highest,
            mean=finite_or_none(self.pivot + shift),
            standard_deviation=finite_or_none(self.deviation),
            minimum=finite_or_none(float(self.moments[2])),
            maximum=finite_or_none(float(self.moments[3])),
            quantiles=tuple(quantiles) if self.finite else (),
        )

    @property
    def deviation(self) -> float:
        """The standard deviation of the finite values; NaN under two of them."""
        if self.finite < 2:
            return math.nan
        total, squares = float(self.moments[0]), float(self.moments[1])
        return math.sqrt(max(squares - total * total / self.finite, 0.0) / (self.finite - 1))

    def counts_between(self, edges: np.ndarray, grid: Grid) -> np.ndarray:
        """Return the rows between ``edges``, whose bins have been gathered; a value on an edge belongs below it."""
        up_to = self.rows_up_to(edges, grid.bins_of(edges))
        return np.diff(np.concatenate([[0.0], up_to, [self.present]]))

    def blurred_counts(self, edges: np.ndarray, boundaries: np.ndarray) -> np.ndarray:
        """Return the rows between ``edges`` with the rows of a bin spread evenly over it."""
        up_to = np.interp(edges, boundaries, self.cumulative[:-1])
        return np.asarray(np.diff(np.concatenate([[0], up_to, [self.present]])))

    def present_codes(self) -> np.ndarray:
        """Return the bin of each row that has a value."""
        from modelops.analyses.cores.histogram_kernels import MISSING

        return np.asarray(self.codes[self.codes != MISSING])


def _count(chunks: Sequence[Chunk], rows: int, grid: Grid) -> _Side:
    from modelops.analyses.cores.histogram_kernels import count_bins

    counts = np.zeros(BINS + 2, dtype=np.int64)
    codes = np.empty(rows, dtype=np.uint16)
    moments = np.array([0.0, 0.0, np.inf, -np.inf, 0.0, 0.0])
    start = 0
    for chunk in chunks:
        end = start + len(chunk.values)
        part = codes[start:end]
        count_bins(
            chunk.values,
            chunk.validity,
            chunk.offset,
            grid.low,
            grid.scale,
            grid.pivot,
            grid.base,
            counts,
            part,
            moments,
        )
        start = end
    return _Side(chunks, rows, grid.pivot, counts, codes, moments)


def _wanted(sides: tuple[_Side, _Side], boundaries: np.ndarray, probabilities: Sequence[float]) -> np.ndarray:
    """Return which bins must be sorted: outer ones, those that may hold the widest gap, a quantile, or much blur."""
    wanted = np.zeros(BINS + 2, dtype=np.bool_)
    wanted[[0, -1]] = True
    if min(side.present for side in sides) > 0:
        up, other = (side.cumulative / side.present for side in sides)
        left, other_left = (side.before / side.present for side in sides)
        wanted |= np.maximum(up - other_left, other - left) > np.abs(up - other).max()
        blur = ((up - left) + (other - other_left))[1:-1] * np.diff(boundaries)
        wanted[1:-1] |= blur > _BLUR * sides[0].deviation
    for side in sides:
        if side.finite:
            ranks = [rank for p in probabilities for rank in side.ranks(p)[:2]]
            wanted[np.searchsorted(side.cumulative, ranks, side="right")] = True
    return wanted


@dataclass(frozen=True)
class _Knots:
    """The distinct gathered values of both tables, each with its bin and the gap F - G from it on."""

    values: np.ndarray
    bins: np.ndarray
    gaps: np.ndarray


def _knots(sides: tuple[_Side, _Side], wanted: np.ndarray) -> _Knots:
    values, bins = [], []
    for side in sides:
        last = np.flatnonzero(side.values[:-1] != side.values[1:])
        last = np.append(last, len(side.values) - 1) if side.values.size else last
        values.append(side.values[last])
        bins.append(np.repeat(np.flatnonzero(wanted), side.counts[wanted])[last])
    at, code = np.concatenate(values), np.concatenate(bins)
    up, other = (side.rows_up_to(at, code) / side.present for side in sides)
    return _Knots(at, code, up - other)


def _widest_gap(sides: tuple[_Side, _Side], knots: _Knots, boundaries: np.ndarray) -> tuple[float, float | None]:
    """Return the largest |F - G| over all meeting points of bins and all gathered values, and where it is."""
    between = np.abs(sides[0].cumulative / sides[0].present - sides[1].cumulative / sides[1].present)
    widest = int(np.argmax(between))
    inside = np.abs(knots.gaps)
    if inside.size and inside.max() >= between[widest]:
        return float(inside.max()), finite_or_none(float(knots.values[np.argmax(inside)]))
    return float(between[widest]), float(boundaries[min(widest, BINS)])


def _wasserstein(sides: tuple[_Side, _Side], wanted: np.ndarray, knots: _Knots, boundaries: np.ndarray) -> float | None:
    """Return the area between the distribution functions; ``None`` with infinite values."""
    if any(side.lowest + side.highest for side in sides):
        return None
    ends = sides[0].cumulative / sides[0].present - sides[1].cumulative / sides[1].present
    starts = np.concatenate([[0.0], ends[:-1]])
    unsorted = np.flatnonzero(~wanted)
    area = _area_of_lines(starts[unsorted], ends[unsorted], np.diff(boundaries)[unsorted - 1])
    low = min(float(boundaries[0]), *(float(side.moments[2]) for side in sides))
    high = max(float(boundaries[-1]), *(float(side.moments[3]) for side in sides))
    edges = np.concatenate([[low], boundaries, [high]])
    opened = np.flatnonzero(wanted)
    values = np.concatenate([edges[opened], knots.values])
    bins = np.concatenate([opened, knots.bins])
    gaps = np.concatenate([starts[opened], knots.gaps])
    is_value = np.arange(len(values)) >= len(opened)
    order = np.lexsort((values, is_value, bins))
    values, bins, gaps = values[order], bins[order], gaps[order]
    following = np.where(np.append(bins[1:] == bins[:-1], False), np.append(values[1:], high), edges[bins + 1])
    return finite_or_none(area + float((np.abs(gaps) * np.maximum(following - values, 0.0)).sum()))


def _area_of_lines(starts: np.ndarray, ends: np.ndarray, widths: np.ndarray) -> float:
    """Return the area between zero and straight lines that run from ``starts`` to ``ends``."""
    heights = np.abs(starts) + np.abs(ends)
    crossing = (starts * ends < 0) & (heights > 0)
    mean = np.where(crossing, (starts**2 + ends**2) / np.where(heights > 0, heights, 1.0), heights) / 2
    return float((mean * widths).sum())
