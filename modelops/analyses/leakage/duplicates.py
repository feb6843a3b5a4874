"""Rows that stand in the training data as well: equal, equal after rounding, and how many would be so by chance.

The tables are read one column at a time; what remains of a column is what it adds to the hashes of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.cores.row_hashes import Hashes, in_place, repeats, value_hashes
from modelops.analyses.leakage.surrogate import Rows, Surrogate

EXACT = "exact"
ROUNDED = "rounded"
WITH_LABEL = " with label"


@dataclass(frozen=True)
class Shared:
    """Rows of the data that also stand in the training data.

    ``mask`` of shape (n,) says which. ``by_chance`` counts those of ``chance_rows`` composed rows (`surrogate`) that
    do. ``fraction`` is the share of the training rows that was searched.
    """

    match: str
    mask: NDArray[np.bool_]
    by_chance: int
    chance_rows: int
    fraction: float = 1.0
    note: str | None = None

    @property
    def rows(self) -> int:
        """How many rows were looked up."""
        return self.mask.size

    @property
    def count(self) -> int:
        """How many of them stand in the training data."""
        return int(np.count_nonzero(self.mask))

    @property
    def share(self) -> float:
        """The share of rows that stand in the training data."""
        return self.count / self.rows

    @property
    def chance(self) -> float:
        """The share that would by chance."""
        return self.by_chance / self.chance_rows


@dataclass(frozen=True)
class Repeated:
    """Rows of the data that repeat an earlier row of it."""

    match: str
    rows: int
    count: int


@dataclass(frozen=True)
class RowKeys:
    """The hashes of all rows of one table, over the features, and over features and label (``None`` without one)."""

    features: Hashes
    labelled: Hashes | None

    @property
    def whole(self) -> Hashes:
        """Everything that is known of a row."""
        return self.features if self.labelled is None else self.labelled


def row_keys(
    sample: Sample, names: Sequence[str], target: str | None, *, digits: int | None, rows: Rows | None = None,
    composed: Surrogate | None = None,
) -> RowKeys:  # fmt: skip
    """Hash the rows of a table.

    Parameters
    ----------
    digits : int, optional
        Significant digits that numbers are rounded to; texts are then alike whatever their case and spaces.
    rows : ndarray, optional
        Some rows only.
    composed : Surrogate, optional
        Rows composed of the values of those.
    """
    columns = [*names] if target is None else [*names, target]
    size = sample.n_rows if rows is None else len(rows)
    features, labelled = np.zeros(size, dtype=np.uint64), None
    for place, name in enumerate(columns):
        column = sample.source.column(name)
        if rows is not None:
            column = column.take(pa.array(rows))
        if composed is not None:
            column = composed.column(place, column)
        part = in_place(value_hashes(column, digits=digits), place)
        if place < len(names):
            features += part
        else:
            labelled = features + part
    return RowKeys(features, labelled)


def shared(match: str, own: RowKeys, train: RowKeys, chance: RowKeys) -> list[Shared]:
    """Look for the rows of the data, and for the composed ones, in the training data; with and without label."""
    found = [_shared(match, own.features, train.features, chance.features)]
    if own.labelled is not None and train.labelled is not None and chance.labelled is not None:
        found.append(_shared(match + WITH_LABEL, own.labelled, train.labelled, chance.labelled))
    return found


def _shared(match: str, own: Hashes, train: Hashes, chance: Hashes) -> Shared:
    return Shared(match, np.isin(own, train), int(np.count_nonzero(np.isin(chance, train))), chance.size)


def repeated(match: str, own: RowKeys) -> list[Repeated]:
    """Count the rows that repeat an earlier one; with and without label."""
    found = [Repeated(match, own.features.size, repeats(own.features))]
    if own.labelled is not None:
        found.append(Repeated(match + WITH_LABEL, own.labelled.size, repeats(own.labelled)))
    return found
