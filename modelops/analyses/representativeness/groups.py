"""Columns as groups: how many rows of the data and of the population belong to each, and what those are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.cores.arrow_numbers import Kind, kind_of
from modelops.analyses.levels import OTHER, Coded, coded, in_order, range_edges, range_names
from modelops.analyses.statistics.weighting import row_entities, row_weights, weighting
from modelops.errors import InvalidInput

Numbers = NDArray[np.float64]

FEW_VALUES = 10
"""Numbers with at most so many distinct values are levels; more are cut into ranges."""


@dataclass(frozen=True)
class Counted:
    """The groups of one column in one table, shape (k,).

    ``share`` adds up to 1 over the rows that have a value; ``rows`` are rows; ``effective`` is how many independent
    rows of equal weight the table is worth where this group is concerned. ``missing`` rows of ``n_rows`` have no value.
    """

    share: Numbers
    rows: NDArray[np.int64]
    effective: Numbers
    missing: int
    n_rows: int

    @property
    def present(self) -> int:
        """Rows that have a value."""
        return self.n_rows - self.missing


@dataclass(frozen=True)
class Table:
    """One table with the weight and the entity of each row."""

    sample: Sample
    weights: Numbers | None
    entities: NDArray[np.int64] | None

    @classmethod
    def of(cls, sample: Sample) -> Table:
        """Read weights and entities; rows whose weight cannot be used weigh nothing."""
        weights = row_weights(sample)
        return cls(sample, None if weights is None else np.nan_to_num(weights), row_entities(sample))

    def counted(self, codes: NDArray[np.int32], n_levels: int) -> Counted:
        """Count the rows of each level."""
        there = codes >= 0
        weights = self.weights
        if weights is not None:
            there &= weights > 0
        kept = codes[there]
        rows = np.bincount(kept, minlength=n_levels)
        mine = None if weights is None else weights[there]
        mass: Numbers = np.bincount(kept, weights=mine, minlength=n_levels).astype(np.float64)
        share = mass / mass.sum() if kept.size else np.zeros(n_levels)
        effective = np.full(n_levels, float(kept.size))
        if kept.size and (weights is not None or self.entities is not None):
            names = None if self.entities is None else np.unique(self.entities[there], return_inverse=True)[1]
            for level in range(n_levels):
                indicator = (kept == level).astype(np.float64)
                effective[level] = kept.size / weighting(mine, names, indicator).design_effect
        return Counted(share, rows, effective, int(codes.size - kept.size), codes.size)


@dataclass(frozen=True)
class Column:
    """One column (or two sensitive ones together) as groups.

    ``levels`` names the groups by the values of the columns in ``names``. ``codes`` are those of the data, for columns
    that are joined with others; ``population`` is a table or, in ``stated``, shares; neither where nothing is known.
    """

    names: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    data: Counted
    codes: tuple[NDArray[np.int32], NDArray[np.int32] | None]
    population: Counted | None = None
    stated: Numbers | None = None
    reason: str | None = None
    note: str | None = None

    def without_rows(self) -> Column:
        """Return the counts alone: the rows are of no use once nothing is joined with them."""
        nothing = np.zeros(0, dtype=np.int32)
        return replace(self, codes=(nothing, None))

    @property
    def title(self) -> str:
        """What the column is called."""
        return " & ".join(self.names)

    @property
    def expected(self) -> Numbers | None:
        """The share of each group in the population."""
        return self.stated if self.stated is not None else None if self.population is None else self.population.share

    def group(self, place: int) -> dict[str, str]:
        """Return the group as a scope names it."""
        return dict(zip(self.names, self.levels[place], strict=True))

    def label(self, place: int) -> str:
        """Return the group as a chart names it."""
        return ", ".join(f"{name}: {level}" for name, level in self.group(place).items())


def column(
    name: str, data: Table, population: Table | None, stated: Mapping[str, float] | None, *, bins: int, most: int
) -> Column:
    """Read one column of both tables as the same groups.

    Raises
    ------
    InvalidInput
        If the data has no such column.
    """
    if name not in data.sample.source.names:
        raise InvalidInput(f"The data has no column {name!r}, so its groups cannot be compared.")
    if stated is not None:
        return _against_stated(name, data, stated)
    other = population if population is not None and name in population.sample.source.names else None
    reason = None
    if population is None:
        reason = "No population is given: neither a table of it nor a stated share of this column."
    elif other is None:
        reason = f"The population table has no column {name!r}, and no share of it is stated."
    if _is_of_numbers(data.sample, name) and (other is None or _is_of_numbers(other.sample, name)):
        ranged = _ranges(name, data, other, bins=bins, reason=reason)
        if ranged is not None:
            return ranged
    return _levels(name, data, other, most=most, reason=reason)


def _is_of_numbers(sample: Sample, name: str) -> bool:
    return kind_of(sample.source.column(name)) is Kind.NUMBER


def _ranges(name: str, data: Table, other: Table | None, *, bins: int, reason: str | None) -> Column | None:
    """Cut numbers at the population's quantiles, or at those of the data; ``None`` if they are few."""
    numbers = data.sample.numbers(name)
    theirs = other.sample.numbers(name) if other is not None else None
    known = numbers if theirs is None or not np.isfinite(theirs).any() else theirs
    finite = known[np.isfinite(known)]
    if np.unique(finite[: 100 * FEW_VALUES]).size <= FEW_VALUES and np.unique(finite).size <= FEW_VALUES:
        return None
    with np.errstate(over="ignore"):
        spread = np.ptp(np.quantile(finite, [0.05, 0.95]))
    if not np.isfinite(spread):
        return None
    edges, whole = range_edges(finite, count=bins)
    levels = tuple((level,) for level in range_names(edges, whole=whole))
    codes = _cut(numbers, edges)
    return _column((name,), levels, data, other, codes, None if theirs is None else _cut(theirs, edges), reason)


def _cut(numbers: Numbers, edges: Numbers) -> NDArray[np.int32]:
    codes = np.searchsorted(edges, numbers, side="right").astype(np.int32)
    codes[np.isnan(numbers)] = -1
    return codes


def _levels(name: str, data: Table, other: Table | None, *, most: int, reason: str | None) -> Column:
    ours = coded(data.sample, name)
    theirs = coded(other.sample, name) if other is not None else None
    known = ours if theirs is None or not theirs.counts().sum() else theirs
    kept, note = _largest(name, known, most)
    # Levels of the data that the population does not have stay apart from its own small ones.
    new = [level for level in ours.levels if level not in set(known.levels)]
    unknown = in_order(new) if len(new) <= most else ()
    rest = (OTHER,) if len(kept) < len(known.levels) or len(new) > most else ()
    names = tuple(dict.fromkeys((*kept, *unknown, *rest)))
    codes = _renamed(ours, names)
    population = None if theirs is None else _renamed(theirs, names)
    return _column((name,), tuple((level,) for level in names), data, other, codes, population, reason, note)


def _largest(name: str, known: Coded, most: int) -> tuple[tuple[str, ...], str | None]:
    if len(known.levels) <= most:
        return known.levels, None
    counts = known.counts()
    top = set(np.lexsort((np.arange(counts.size), -counts))[: most - 1].tolist())
    kept = tuple(level for place, level in enumerate(known.levels) if place in top and level != OTHER)
    return kept, f"{name} has {len(known.levels)} levels; the {most - 1} largest are shown, the rest as {OTHER}."


def _renamed(column: Coded, names: Sequence[str]) -> NDArray[np.int32]:
    place = {level: position for position, level in enumerate(names)}
    rest = place.get(OTHER, -1)
    table = np.array([*(place.get(level, rest) for level in column.levels), -1], dtype=np.int32)
    return np.asarray(table[column.codes], dtype=np.int32)


def _against_stated(name: str, data: Table, stated: Mapping[str, float]) -> Column:
    ours = coded(data.sample, name)
    rest = [level for level in ours.levels if level not in stated]
    names = tuple(stated) if OTHER in stated or not rest else (*stated, OTHER)
    shares = np.array([stated.get(level, 0.0) for level in names])
    codes = _renamed(ours, names)
    found = _column((name,), tuple((level,) for level in names), data, None, codes, None, None)
    return Column(found.names, found.levels, found.data, found.codes, stated=shares)


def _column(
    names: tuple[str, ...],
    levels: tuple[tuple[str, ...], ...],
    data: Table,
    other: Table | None,
    codes: NDArray[np.int32],
    theirs: NDArray[np.int32] | None,
    reason: str | None,
    note: str | None = None,
) -> Column:
    population = other.counted(theirs, len(levels)) if other is not None and theirs is not None else None
    if population is not None and not population.present:
        population, reason = None, "No row of the population has a value in this column."
    return Column(
        names, levels, data.counted(codes, len(levels)), (codes, theirs), population, reason=reason, note=note
    )


def intersection(first: Column, second: Column, data: Table, population: Table | None) -> Column:
    """Return the groups by two columns together: those that occur in the data or in the population."""
    width = len(second.levels)
    ours = _joined(first.codes[0], second.codes[0], width)
    theirs = None
    if population is not None and first.codes[1] is not None and second.codes[1] is not None:
        theirs = _joined(first.codes[1], second.codes[1], width)
    both = ours if theirs is None else np.concatenate([ours, theirs])
    there = np.unique(both[both >= 0])
    place = np.full(len(first.levels) * width + 1, -1, dtype=np.int32)
    place[there] = np.arange(there.size)
    levels = tuple((*first.levels[code // width], *second.levels[code % width]) for code in there.tolist())
    reason = "Stated shares of two columns do not say how they go together, and no table of the population has both."
    return _column(
        (*first.names, *second.names),
        levels,
        data,
        population,
        place[ours],
        None if theirs is None else place[theirs],
        None if theirs is not None else reason,
    )


def _joined(first: NDArray[np.int32], second: NDArray[np.int32], width: int) -> NDArray[np.int32]:
    return np.where((first < 0) | (second < 0), -1, first * width + second).astype(np.int32)
