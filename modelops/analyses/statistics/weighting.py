"""How much one row counts, and how many independent rows a table is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample

_FEWEST_ENTITIES = 30
_LARGEST = 1e100

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Weighting:
    """Weights with mean 1 (``None``: all alike) and the design effect.

    ``design_effect`` is how many rows are worth one independent row: intervals are those of a sample that much smaller.
    """

    weights: Numbers | None
    design_effect: float
    note: str | None = None

    @property
    def repeats_effect(self) -> float:
        """The part of the design effect that comes from repeated entities, not from unlike weights."""
        return self.design_effect / (1.0 if self.weights is None else float(np.mean(self.weights**2)))

    def of_rows(self, rows: NDArray[np.intp]) -> Weighting:
        """Return how some of the rows count, in their order: weights with mean 1, entities repeating as in the whole.

        Examples
        --------
        >>> Weighting(np.array([0.5, 1.5]), 1.25).of_rows(np.array([1])).weights.tolist()
        [1.0]
        """
        if self.weights is None:
            return self
        mine = self.weights[rows]
        if not mine.any():
            return Weighting(mine, self.design_effect, self.note)
        mine = mine / mine.mean()
        return Weighting(mine, self.repeats_effect * float(np.mean(mine**2)), self.note)


def weighting(weights: Numbers | None, entities: NDArray[np.integer] | None, indicator: Numbers) -> Weighting:
    """Return how rows count.

    Unlike weights cost Kish's factor ``n * sum(w**2) / sum(w)**2``. Where rows of one entity repeat, the variance
    of the mean of ``indicator`` between entities is compared with that of independent rows; less than 1 counts as 1.
    All rows of a single entity are worth one row.

    Parameters
    ----------
    weights : ndarray of shape (n,), optional
        Finite, not negative, not all zero.
    entities : ndarray of shape (n,), optional
        A code from 0 for each entity.
    indicator : ndarray of shape (n,)
        What the entities may agree in, such as whether the prediction was right.

    References
    ----------
    L. Kish, "Survey Sampling", 1965; J. N. K. Rao, A. J. Scott, "On chi-squared tests for multiway contingency tables",
    Annals of Statistics 12, 1984.

    Examples
    --------
    >>> twice = weighting(None, np.repeat(np.arange(50), 2), np.repeat(np.arange(50) % 2, 2).astype(float))
    >>> round(twice.design_effect, 2)
    2.04
    """
    n_rows = indicator.size
    notes = []
    effect = 1.0
    if weights is not None:
        weights = weights / weights.mean()
        effect = float(np.mean(weights**2))
        if effect > 1 + 1e-12:
            notes.append(f"Rows are weighted: {n_rows} rows are worth {n_rows / effect:.0f} rows of equal weight.")
        else:
            weights = None
    if entities is not None and n_rows:
        whole = effect * _entity_effect(weights, entities, indicator) if entities.max() > 0 else float(n_rows)
        repeated = whole / effect
        if repeated > 1:
            effect = whole
            notes.append(f"Rows of one entity repeat; intervals are widened for it (design effect {repeated:.2f}).")
    return Weighting(weights, effect, " ".join(notes) or None)


def _entity_effect(weights: Numbers | None, entities: NDArray[np.integer], indicator: Numbers) -> float:
    n_entities = int(entities.max()) + 1
    deviation = indicator - np.average(indicator, weights=weights)
    if weights is not None:
        deviation = deviation * weights
    alone = float(np.sum(deviation**2))
    together = float(np.sum(np.bincount(entities, weights=deviation) ** 2)) * n_entities / (n_entities - 1)
    return max(1.0, together / alone) if alone > 0 else 1.0


def row_weights(sample: Sample) -> Numbers | None:
    """Return the weight column as numbers (NaN where it cannot be used), or ``None`` if there is none."""
    if sample.roles.weight is None:
        return None
    weights = sample.numbers(sample.roles.weight)
    weights = np.where(np.isfinite(weights) & (weights >= 0), weights, np.nan)
    largest = float(np.nanmax(weights, initial=0.0))
    if largest > _LARGEST or 0 < largest < 1 / _LARGEST:  # only their ratios count, and sums must not overflow
        weights = np.ldexp(weights, -math.frexp(largest)[1])
    return weights


def row_entities(sample: Sample) -> NDArray[np.int64] | None:
    """Return a code for the entity of each row, or ``None`` where no id repeats.

    Of several id columns the one that repeats most counts, as long as it holds at least 30 entities: fewer say too
    little about how rows of one entity agree. A missing id is an entity of its own.
    """
    import pyarrow as pa

    best: NDArray[np.int64] | None = None
    fewest = sample.n_rows
    for name in sample.roles.ids:
        column = sample.source.column(name)
        if pa.types.is_null(column.type) or pa.types.is_nested(column.type):
            continue
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        indices = column.unify_dictionaries().combine_chunks().indices.fill_null(-1)
        codes = indices.to_numpy(zero_copy_only=False).astype(np.int64)
        missing = np.flatnonzero(codes < 0)
        codes[missing] = int(codes.max(initial=-1)) + 1 + np.arange(missing.size)
        occurring, codes = np.unique(codes, return_inverse=True)
        if _FEWEST_ENTITIES <= occurring.size < fewest:
            best, fewest = codes, occurring.size
    return best


def row_owners(sample: Sample, rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return the entity of some rows, numbered in the order of these rows; each row its own where no id repeats."""
    entities = row_entities(sample)
    if entities is None:
        return np.arange(rows.size, dtype=np.int64)
    _, first, codes = np.unique(entities[rows], return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[codes], dtype=np.int64)
