"""What the comparison of two numeric columns hands back, and how it follows from counts of distinct values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Which quantiles a `Summary` holds."""

OVERLAY_BARS = 40
MOST_LEVELS = 64
"""Columns with at most this many distinct values keep their counts."""


@dataclass(frozen=True)
class Summary:
    """One column of one table. All but the counts is over the finite values; ``None`` where there are too few.

    ``standard_deviation`` has n - 1 in the denominator; ``quantiles`` interpolate linearly, as numpy's default.
    """

    rows: int
    missing: int
    infinite: int
    mean: float | None
    standard_deviation: float | None
    minimum: float | None
    maximum: float | None
    quantiles: tuple[float, ...]

    @property
    def present(self) -> int:
        """How many rows hold a value; infinities are values, NaN is not."""
        return self.rows - self.missing


@dataclass(frozen=True)
class Histogram:
    """Rows of both tables in common bins. ``edges`` are the inner ones; a value on an edge belongs below it."""

    edges: np.ndarray
    reference: np.ndarray
    current: np.ndarray


@dataclass(frozen=True)
class NumericPair:
    """Two numeric columns compared.

    Attributes
    ----------
    statistic : float or None
        The two-sample Kolmogorov-Smirnov statistic, 0 (same) to 1 (no overlap); ``None`` if a side has no value.
    location : float or None
        A value at which the two distribution functions differ that much.
    wasserstein : float or None
        The area between the distribution functions in the column's unit; ``None`` with infinite values.
    quantile_bins : Histogram
        Bins between the quantiles of the reference.
    overlay : Histogram
        Equal bins over the central 98 % of both, the rest in the two outer ones. Counts may be fractions.
    levels : ndarray or None
        The distinct values, ascending, where there are at most `MOST_LEVELS`; then ``level_counts`` has shape
        (2, n_levels): reference, current.
    codes : tuple of two ndarrays or None
        On request: for each value that is there, in row order, a whole number that grows with the value.
    """

    reference: Summary
    current: Summary
    statistic: float | None
    location: float | None
    wasserstein: float | None
    quantile_bins: Histogram
    overlay: Histogram
    levels: np.ndarray | None
    level_counts: np.ndarray | None
    codes: tuple[np.ndarray, np.ndarray] | None = None


def pair_from_counts(
    values: np.ndarray,
    counts: np.ndarray,
    *,
    rows: tuple[int, int],
    n_bins: int,
    codes: tuple[np.ndarray, np.ndarray] | None,
) -> NumericPair:
    """Compare two columns of which the distinct values are counted.

    Parameters
    ----------
    values : ndarray of shape (k,)
        Strictly ascending; the ends may be infinite.
    counts : ndarray of shape (2, k)
        How often each occurs in the reference and in the current table.
    rows : tuple of int
        All rows of both tables, those without a value included.
    """
    present = counts.sum(axis=1)
    statistic = location = wasserstein = None
    if present.min() > 0:
        gaps = np.cumsum(counts[0]) / present[0] - np.cumsum(counts[1]) / present[1]
        widest = int(np.argmax(np.abs(gaps)))
        statistic, location = float(abs(gaps[widest])), finite_or_none(float(values[widest]))
        if np.isfinite(values).all():
            with np.errstate(over="ignore", invalid="ignore"):
                wasserstein = finite_or_none(float((np.abs(gaps[:-1]) * np.diff(values)).sum()))
    inner = np.isfinite(values)
    finite, finite_counts = values[inner], counts[:, inner]
    cumulative = np.cumsum(finite_counts, axis=1)
    few = len(values) <= MOST_LEVELS
    reference = _summary_of_counts(finite, finite_counts[0], rows[0], int(present[0]))
    cuts = [quantile_of_counts(finite, cumulative[0], p) for p in inner_probabilities(n_bins)]
    bounds = [quantile_of_counts(finite, total, p) for total in cumulative for p in (QUANTILES[0], QUANTILES[-1])]
    return NumericPair(
        reference=reference,
        current=_summary_of_counts(finite, finite_counts[1], rows[1], int(present[1])),
        statistic=statistic,
        location=location,
        wasserstein=wasserstein,
        quantile_bins=_binned(values, counts, reference_edges(cuts, reference.maximum)),
        overlay=_binned(values, counts, overlay_edges(bounds)),
        levels=values if few else None,
        level_counts=counts if few else None,
        codes=codes,
    )


def _summary_of_counts(values: np.ndarray, counts: np.ndarray, rows: int, present: int) -> Summary:
    finite = int(counts.sum())
    seen = values[counts > 0]
    mean = deviation = None
    with np.errstate(over="ignore", invalid="ignore"):
        if finite:
            mean = finite_or_none(float((values * counts).sum()) / finite)
        if mean is not None and finite > 1:
            deviation = math.sqrt(float(((values - mean) ** 2 * counts).sum()) / (finite - 1))
    cumulative = np.cumsum(counts)
    return Summary(
        rows=rows,
        missing=rows - present,
        infinite=present - finite,
        mean=mean,
        standard_deviation=finite_or_none(deviation),
        minimum=float(seen[0]) if finite else None,
        maximum=float(seen[-1]) if finite else None,
        quantiles=tuple(quantile_of_counts(values, cumulative, p) for p in QUANTILES) if finite else (),
    )


def quantile_of_counts(values: np.ndarray, cumulative: np.ndarray, probability: float) -> float:
    """Return a quantile, interpolated linearly between neighbouring rows; NaN without rows."""
    if not cumulative.size or not cumulative[-1]:
        return math.nan
    place = probability * (int(cumulative[-1]) - 1)
    below = math.floor(place)
    ranks = [below, min(below + 1, int(cumulative[-1]) - 1)]
    left, right = values[np.searchsorted(cumulative, ranks, side="right")]
    return interpolated(float(left), float(right), place - below)


def interpolated(left: float, right: float, share: float) -> float:
    """Return the number that lies ``share`` of the way from ``left`` to ``right``."""
    return left if left == right else left * (1 - share) + right * share


def reference_edges(quantiles: Sequence[float], highest: float | None) -> np.ndarray:
    """Return the inner bin edges at ``quantiles`` of the reference, without repeats and without an empty last bin."""
    if highest is None:
        return np.empty(0)
    edges = np.unique(np.asarray(quantiles, dtype=np.float64))
    return edges[edges < highest]


def inner_probabilities(n_bins: int) -> tuple[float, ...]:
    """Return the probabilities that cut a distribution in ``n_bins`` equal parts."""
    return tuple(k / n_bins for k in range(1, n_bins))


def overlay_edges(bounds: Sequence[float]) -> np.ndarray:
    """Return the inner edges of `OVERLAY_BARS` equal bins between the lowest and the highest of ``bounds``."""
    finite = [bound for bound in bounds if math.isfinite(bound)]
    if not finite or not math.isfinite(max(finite) - min(finite)) or max(finite) <= min(finite):
        return np.array(sorted(set(finite)))
    return np.linspace(min(finite), max(finite), OVERLAY_BARS + 1)[1:-1]


def finite_or_none(value: float | None) -> float | None:
    """Return ``value`` if it is a number that a result can hold."""
    return value if value is not None and math.isfinite(value) else None


def _binned(values: np.ndarray, counts: np.ndarray, edges: np.ndarray) -> Histogram:
    bins = np.searchsorted(edges, values, side="left")
    shares = [np.bincount(bins, weights=row, minlength=len(edges) + 1) for row in counts]
    return Histogram(edges, *shares)
