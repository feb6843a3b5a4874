"""The labels that leaks are measured against: coded, split in two halves by content, and permuted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.levels import coded
from modelops.analyses.statistics.weighting import row_owners
from modelops.errors import NotMeasured

MOST_CLASSES = 10
FEWEST_ROWS = 30

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Labels:
    """The labelled ones of the drawn rows.

    ``rows`` are their positions in the table, in an order that follows from their content; ``half`` says which of two
    halves each is in. Of classes ``codes`` of shape (n,) point into ``n_classes`` classes, of a regression ``values``
    holds the targets, centred and scaled. ``permuted`` of shape (n_permutations, n) holds positions.
    """

    rows: Rows
    half: Codes
    permuted: NDArray[np.int32]
    n_classes: int
    codes: Codes | None = None
    values: Numbers | None = None

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.rows.size

    @property
    def n_permutations(self) -> int:
        """How many times the labels were permuted."""
        return len(self.permuted)


def class_labels(sample: Sample, target: str, rows: Rows, *, permutations: int, rng: np.random.Generator) -> Labels:
    """Return the labels of a classification; the classes with the most rows, all others together as one.

    Raises
    ------
    NotMeasured
        If there are too few labelled rows, or fewer than two classes.
    """
    column = coded(sample, target)
    codes = column.codes[rows].astype(np.int64)
    kept = codes >= 0
    rows, codes = rows[kept], codes[kept]
    counts = np.bincount(codes, minlength=1)
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    _check(rows.size, varied=order.size > 1)
    place = np.full(counts.size, MOST_CLASSES, dtype=np.int64)
    place[order[:MOST_CLASSES]] = np.arange(min(order.size, MOST_CLASSES))
    codes = place[codes]
    owners = row_owners(sample, rows)
    return Labels(rows, _halves(owners), _permuted(owners, permutations, rng), int(codes.max()) + 1, codes=codes)


def number_labels(sample: Sample, target: str, rows: Rows, *, permutations: int, rng: np.random.Generator) -> Labels:
    """Return the targets of a regression.

    Raises
    ------
    NotMeasured
        If there are too few rows with a target, or it does not vary, or is no number.
    """
    values = sample.numbers(target)[rows]
    kept = np.isfinite(values)
    rows, values = rows[kept], values[kept]
    size = float(np.abs(values).max(initial=0.0))
    values = values / size if size > 0 else values
    _check(rows.size, varied=bool(values.size) and float(values.std()) > 0)
    values = (values - values.mean()) / values.std()
    owners = row_owners(sample, rows)
    return Labels(rows, _halves(owners), _permuted(owners, permutations, rng), 0, values=values)


def _check(rows: int, *, varied: bool) -> None:
    if rows < FEWEST_ROWS:
        raise NotMeasured(f"Not enough data: {rows} labelled rows, {FEWEST_ROWS} are needed.")
    if not varied:
        raise NotMeasured("All labels are alike: nothing can predict them.")


def _halves(owners: Codes) -> Codes:
    """Every other entity: their order is as good as random, since rows were drawn by their content.

    Rows of one entity in both halves would let any feature of it recognise it, and with it its label.
    """
    return owners % 2


def _permuted(owners: Codes, permutations: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Deal the labels of whole entities to other entities, over and again where one has more rows.

    Labels of one entity are often alike: dealt row by row, they would scatter less by chance than they do.
    """
    order = np.argsort(owners, kind="stable")
    counts = np.bincount(owners)
    starts = np.cumsum(counts) - counts
    turn = np.empty(owners.size, dtype=np.int64)
    turn[order] = np.arange(owners.size) - np.repeat(starts, counts)
    dealt = []
    for _ in range(permutations):
        other = rng.permutation(counts.size)[owners]
        dealt.append(order[starts[other] + turn % counts[other]])
    return np.stack(dealt).astype(np.int32)
