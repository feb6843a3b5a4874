"""Shares of a column: what is missing, which categories are new or gone, and the bars of the overlay."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from modelops.analyses.cores.category_counts import CategoryPair
from modelops.analyses.cores.numeric_pair import Histogram
from modelops.analyses.statistics.intervals import (
    Interval,
    newcombe,
    two_proportions_p_value,
    two_sided_p_value,
    wilson,
)

MOST_NAMED = 20
"""How many new or vanished categories are named; the rest is counted."""

_MOST_BINS = 50
_FEWEST_PER_BIN = 5


@dataclass(frozen=True)
class Missing:
    """Missing values then and now. Without rows on a side, or nothing missing at all, there is no test."""

    counts: tuple[int, int]
    rows: tuple[int, int]
    difference: float | None = None
    interval: Interval | None = None
    p_value: float | None = None
    corrected_p_value: float | None = None


def missing_test(counts: tuple[int, int], rows: tuple[int, int], *, inflation: float) -> Missing:
    """Test whether as many values are missing now as in the reference.

    Parameters
    ----------
    counts, rows : tuple of int
        Missing values and rows of the reference and of the current table.
    inflation : float
        By which factor autocorrelation inflates the variance; it stretches the interval and weakens the p-value.

    Examples
    --------
    >>> test = missing_test((20, 620), (1000, 1000), inflation=1.0)
    >>> round(test.difference, 2), test.p_value < 1e-100
    (0.6, True)
    """
    if min(rows) == 0:
        return Missing(counts, rows)
    difference = counts[1] / rows[1] - counts[0] / rows[0]
    effective = (rows[0] / inflation, rows[1] / inflation)
    interval = newcombe(counts[1] / inflation, effective[1], counts[0] / inflation, effective[0])
    if sum(counts) == 0:
        return Missing(counts, rows, difference, interval)
    p_value = two_proportions_p_value(counts[1], rows[1], counts[0], rows[0])
    corrected = p_value
    if inflation > 1:
        pooled = sum(counts) / sum(rows)
        error = math.sqrt(pooled * (1 - pooled) * (1 / effective[0] + 1 / effective[1]))
        corrected = max(p_value, two_sided_p_value(difference / error)) if error else p_value
    return Missing(counts, rows, difference, interval, p_value, corrected)


@dataclass(frozen=True)
class CategoryChange:
    """One category that only one table holds.

    ``by_chance`` is the probability that all its rows would fall in that table if both were dealt from one pile.
    """

    name: str
    rows: int
    share: float
    interval: Interval
    by_chance: float


@dataclass(frozen=True)
class Changes:
    """The categories that only one table holds: how many, with how many rows, and the most frequent by name."""

    count: int = 0
    rows: int = 0
    named: tuple[CategoryChange, ...] = ()


NO_CHANGES = Changes()


def changes(pair: CategoryPair) -> tuple[Changes, Changes]:
    """Return the new and the vanished categories."""
    return _only_in(pair, 1), _only_in(pair, 0)


def _only_in(pair: CategoryPair, side: int) -> Changes:
    total, other = pair.present[side], pair.present[1 - side]
    if not (total and other):
        return Changes()
    places = np.flatnonzero((pair.counts[side] > 0) & (pair.counts[1 - side] == 0))
    ordered = places[np.argsort(-pair.counts[side][places], kind="stable")]
    found = []
    for place in ordered[:MOST_NAMED].tolist():
        rows = int(pair.counts[side][place])
        chance = _all_on_one_side(rows, total, other)
        found.append(CategoryChange(pair.levels[place], rows, rows / total, wilson(rows, total), chance))
    return Changes(len(places), int(pair.counts[side][places].sum()), tuple(found))


def _all_on_one_side(rows: int, total: int, other: int) -> float:
    """Return C(total, rows) / C(total + other, rows)."""
    log = math.lgamma(total + 1) - math.lgamma(total - rows + 1)
    log -= math.lgamma(total + other + 1) - math.lgamma(total + other - rows + 1)
    return min(1.0, math.exp(log))


def level_bins(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bins of an index over categories: the reference's frequent ones, and one for all others and new ones.

    A category has a bin of its own if it is among the 50 most frequent of the reference with at least 5 rows there.
    """
    order = np.argsort(-counts[0], kind="stable")
    own = order[:_MOST_BINS][counts[0][order[:_MOST_BINS]] >= _FEWEST_PER_BIN]
    rest = counts.sum(axis=1) - counts[:, own].sum(axis=1)
    bins = np.column_stack([counts[:, own], rest]) if rest.any() else counts[:, own]
    return bins[0], bins[1]


@dataclass(frozen=True)
class Bars:
    """Both distributions for an overlay: counts over common bins.

    ``labels`` names categories; for numbers it is empty and ``edges`` holds the inner edges of the bins.
    """

    labels: tuple[str, ...]
    edges: np.ndarray
    reference: np.ndarray
    current: np.ndarray

    @classmethod
    def of_numbers(cls, histogram: Histogram) -> Bars:
        """Return the bars of a numeric column."""
        return cls((), histogram.edges, histogram.reference, histogram.current)


def level_bars(levels: tuple[str, ...], counts: np.ndarray, *, keep_order: bool = False) -> Bars:
    """Return the bars of the most frequent categories of both tables; the others are one bar."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    top = np.argsort(-shares.sum(axis=0), kind="stable")[:MOST_NAMED]
    if keep_order:
        top = np.sort(top)
    rest = counts.sum(axis=1) - counts[:, top].sum(axis=1)
    labels = tuple(levels[place] for place in top.tolist())
    if not rest.any():
        return Bars(labels, np.empty(0), counts[0, top], counts[1, top])
    others = f"({len(levels) - len(top)} others)"
    return Bars((*labels, others), np.empty(0), np.append(counts[0, top], rest[0]), np.append(counts[1, top], rest[1]))
