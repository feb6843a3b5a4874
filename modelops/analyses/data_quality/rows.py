"""Rows that are alike in every feature but not in their label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.cores.row_hashes import Hashes


@dataclass(frozen=True)
class Twins:
    """Labelled rows that share every feature with another labelled row, and those of them that disagree.

    ``majority`` counts the rows whose label is the commonest among their twins (every row without twins is): their
    share is the best accuracy that any function of the features can have on these rows. ``within`` is the sum of
    squared distances of numeric labels from the mean of their twins.
    """

    rows: int
    twins: int
    conflicting: int
    majority: int
    within: float | None = None
    total: float | None = None

    @property
    def attainable(self) -> float:
        """The best share of right answers, or of explained variance, that a function of the features can reach."""
        if self.within is not None and self.total is not None:
            return 1 - self.within / self.total if self.total > 0 else float("nan")
        return self.majority / self.rows if self.rows else float("nan")


def class_twins(features: Hashes, labels: NDArray[np.integer]) -> Twins:
    """Compare the labels of rows with equal features.

    Parameters
    ----------
    features : ndarray of shape (n,)
        Hash of the features of each labelled row.
    labels : ndarray of shape (n,)
        Class codes, none missing.

    Examples
    --------
    >>> found = class_twins(np.array([1, 1, 1, 2], dtype=np.uint64), np.array([0, 0, 1, 0]))
    >>> found.conflicting, found.attainable
    (3, 0.75)
    """
    _, group, sizes = np.unique(features, return_inverse=True, return_counts=True)
    n_labels = int(labels.max(initial=0)) + 1
    cells, rows = np.unique(group * n_labels + labels, return_counts=True)
    owner = cells // n_labels
    kinds = np.bincount(owner, minlength=sizes.size)
    largest = np.zeros(sizes.size, dtype=np.int64)
    np.maximum.at(largest, owner, rows)
    return Twins(
        rows=features.size,
        twins=int(sizes[sizes > 1].sum()),
        conflicting=int(sizes[kinds > 1].sum()),
        majority=int(largest.sum()),
    )


def number_twins(features: Hashes, labels: NDArray[np.float64]) -> Twins:
    """Compare numeric labels of rows with equal features; finite labels only.

    Examples
    --------
    >>> found = number_twins(np.array([1, 1, 2, 2], dtype=np.uint64), np.array([1.0, 3.0, 5.0, 5.0]))
    >>> found.conflicting, round(found.attainable, 4)
    (2, 0.8182)
    """
    _, group, sizes = np.unique(features, return_inverse=True, return_counts=True)
    spread = float(np.ptp(labels)) if labels.size else 0.0
    # Only ratios of squares are asked for; scaling keeps huge labels from overflowing.
    scaled = (labels - labels.min()) / spread if 0 < spread < np.inf else np.zeros(labels.size)
    means = np.bincount(group, weights=scaled, minlength=sizes.size) / np.maximum(sizes, 1)
    high, low = np.full(sizes.size, -np.inf), np.full(sizes.size, np.inf)
    np.maximum.at(high, group, labels)
    np.minimum.at(low, group, labels)
    return Twins(
        rows=features.size,
        twins=int(sizes[sizes > 1].sum()),
        conflicting=int(sizes[high > low].sum()),
        majority=0,
        within=float(((scaled - means[group]) ** 2).sum()),
        total=float(((scaled - scaled.mean()) ** 2).sum()) if scaled.size else 0.0,
    )
