"""Partial dependence, single-row curves (ICE) and accumulated local effects (ALE), all from values that occur."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelops.analyses.composed import ComposedModel
from modelops.analyses.statistics.association import level_codes, ordered_values

if TYPE_CHECKING:
    import pandas as pd

# The outermost values stretch the axis and stand for next to nothing.
_ENDS = 0.005


@dataclass(frozen=True)
class Grid:
    """Where one feature is looked at.

    ``labels`` are the grid values (numbers, or text for levels and times), ``sources`` of shape (g,) the row of the
    pool that each value is taken from, ``counts`` of shape (g,) how many of the rows are nearest to it (or hold this
    level), ``positions`` of shape (n_pool,) the values as numbers, ``None`` for levels.
    """

    feature: int
    labels: tuple[float | str, ...]
    sources: np.ndarray
    counts: np.ndarray
    positions: np.ndarray | None

    @property
    def edges(self) -> np.ndarray:
        """The grid values as numbers, shape (g,)."""
        if self.positions is None:
            raise TypeError("levels have no edges")
        return np.asarray(self.positions[self.sources], dtype=np.float64)


@dataclass(frozen=True)
class Dependence:
    """What the model's output does when one feature moves.

    ``curves`` has shape (n, g): one line for each row. ``effect`` and ``effect_error`` of shape (g,) are the
    accumulated local effects around 0 with their standard errors; ``None`` for levels, which have no order to
    accumulate along, and where there is only one value.
    """

    grid: Grid
    curves: np.ndarray
    effect: np.ndarray | None
    effect_error: np.ndarray | None

    @property
    def average(self) -> np.ndarray:
        """Partial dependence: the mean over rows, shape (g,)."""
        return np.asarray(self.curves.mean(axis=0))

    @property
    def average_error(self) -> np.ndarray:
        """The standard error over rows of `average` around its own mean level, shape (g,); NaN for a single row.

        How high the whole curve lies says nothing about the feature, so that part of the spread is left out.
        """
        n = len(self.curves)
        if n < 2:
            return np.full(self.curves.shape[1], np.nan)
        centred = self.curves - self.curves.mean(axis=1, keepdims=True)
        return np.asarray(centred.std(axis=0, ddof=1) / np.sqrt(n))


def grid_of(column: pd.Series[Any], feature: int, *, n_points: int) -> Grid:
    """Choose the grid of one column: quantiles that occur, or its most frequent levels."""
    positions = ordered_values(column)
    if positions is None:
        return _level_grid(column, feature, n_points=n_points)
    present = np.flatnonzero(np.isfinite(positions))
    order = present[np.argsort(positions[present], kind="stable")]
    values, first = np.unique(positions[order], return_index=True)
    if len(values) > n_points:
        wanted = np.linspace(_ENDS, 1 - _ENDS, n_points)
        chosen = np.unique(np.quantile(positions[order], wanted, method="inverted_cdf"))
        if len(chosen) < n_points // 2:
            chosen = np.unique(np.quantile(values, wanted, method="inverted_cdf"))
        first = first[np.searchsorted(values, chosen)]
        values = chosen
    sources = order[first]
    middles = (values[1:] + values[:-1]) / 2
    counts = np.bincount(np.searchsorted(middles, positions[present]), minlength=len(values))
    return Grid(feature, _labels(column, sources), sources, counts[: len(values)], positions)


def _labels(column: pd.Series[Any], sources: np.ndarray) -> tuple[float | str, ...]:
    chosen = column.iloc[sources]
    if column.dtype.kind == "M":
        return tuple(str(value.isoformat()) for value in chosen)
    return tuple(float(value) for value in chosen)


def _level_grid(column: pd.Series[Any], feature: int, *, n_points: int) -> Grid:
    codes, levels = level_codes(column)
    counts = np.bincount(codes, minlength=len(levels))
    frequent = np.argsort(-counts, kind="stable")[:n_points]
    first = np.unique(codes, return_index=True)[1] if len(codes) else np.zeros(0, dtype=np.int64)
    return Grid(feature, tuple(levels[k] for k in frequent), first[frequent], counts[frequent], None)


def dependences(model: ComposedModel, rows: np.ndarray, grids: Sequence[Grid]) -> Iterator[Dependence]:
    """Yield the dependence of the output on each feature, asked for in joint batches.

    Partial dependence sets one column of every row to each grid value. For accumulated local effects, each row
    moves only between the two grid values around its own: the mean steps are added up, and the sum is centred so that
    its mean over the rows is 0. Correlated features are thus not combined in ways that never occur. For a linear
    model the slope of both is the coefficient.

    Parameters
    ----------
    rows : ndarray of int, shape (n,)
        Positions in the pool.
    grids : sequence of Grid
        One for each feature.

    References
    ----------
    J. Friedman, "Greedy function approximation", 2001; A. Goldstein et al., "Peeking inside the black box", 2015;
    D. Apley, J. Zhu, "Visualizing the effects of predictor variables in black box supervised learning models", 2020.
    """
    bins = [_bins(grid, rows) for grid in grids]
    answers = model.outputs(_blocks(model, rows, grids, bins))
    for grid, found in zip(grids, bins, strict=True):
        curves = next(answers).reshape(len(grid.sources), len(rows)).T
        effect = error = None
        if found is not None:
            low, high = next(answers).reshape(2, -1)
            effect, error = _accumulated(grid, found, high - low)
        yield Dependence(grid, curves, effect, error)


@dataclass(frozen=True)
class _Bins:
    """The rows that have a value, the interval of each, and the grid points that bound non-empty intervals."""

    rows: np.ndarray
    interval: np.ndarray
    points: np.ndarray


def _bins(grid: Grid, rows: np.ndarray) -> _Bins | None:
    if grid.positions is None or len(grid.sources) < 2:
        return None
    values = grid.positions[rows]
    present = np.isfinite(values)
    if not present.any():
        return None
    edges = grid.edges
    interval = np.clip(np.searchsorted(edges, values[present], side="left"), 1, len(edges) - 1)
    points = np.r_[0, np.unique(interval)]
    if points[1] > 1:
        points[0] = points[1] - 1
    return _Bins(rows[present], np.searchsorted(points, interval), points)


def _blocks(
    model: ComposedModel, rows: np.ndarray, grids: Sequence[Grid], bins: Sequence[_Bins | None]
) -> Iterator[np.ndarray]:
    for grid, found in zip(grids, bins, strict=True):
        block = np.tile(model.unchanged(rows), (len(grid.sources), 1))
        block[:, grid.feature] = np.repeat(grid.sources, len(rows))
        yield block
        if found is not None:
            block = np.tile(model.unchanged(found.rows), (2, 1))
            low, high = found.points[found.interval - 1], found.points[found.interval]
            block[:, grid.feature] = np.r_[grid.sources[low], grid.sources[high]]
            yield block


def _accumulated(grid: Grid, bins: _Bins, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add up the mean steps; return effect and standard error at every grid point, shape (g,) each."""
    n_bins = len(bins.points) - 1
    counts = np.bincount(bins.interval - 1, minlength=n_bins)
    mean = np.bincount(bins.interval - 1, steps, minlength=n_bins) / counts
    squares = np.bincount(bins.interval - 1, (steps - mean[bins.interval - 1]) ** 2, minlength=n_bins)
    variance = squares / np.maximum(counts - 1, 1) / counts
    share = counts / counts.sum()
    # Effect k = sum over bins of (1 where the bin lies before k, minus its weight in the centring) * mean step.
    weight = share[::-1].cumsum()[::-1] - share / 2
    passed = np.tril(np.ones((n_bins + 1, n_bins)), -1) - weight
    edges = grid.edges
    effect = np.interp(edges, edges[bins.points], passed @ mean)
    error = np.interp(edges, edges[bins.points], np.sqrt(passed**2 @ variance))
    return effect, error
