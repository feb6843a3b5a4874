"""Rows that are nearly those of the training data: every number within a small distance, or all but one value equal.

Near rows are found by locality-sensitive hashing on randomly shifted grids and then compared value by value, so that
none is reported that is not near. Two rows within the distance fall in one cell of a grid with probability (1 - 1/2d)
to the power d for d numbers, at least one half; eight grids miss a pair with probability below 0.4 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.cores.arrow_numbers import Kind, kind_of, numeric
from modelops.analyses.cores.row_hashes import Hashes, in_place, value_hashes
from modelops.analyses.leakage.duplicates import WITH_LABEL, Shared
from modelops.analyses.leakage.surrogate import Numbers, Rows, Surrogate

NEAR = "near"
ALL_BUT_ONE = "all but one column"

_GRIDS = 8
_MOST_IN_CELL = 24
_FEWEST_COLUMNS = 3


@dataclass(frozen=True)
class Side:
    """Some rows of one table: their numbers in deviations (0 where missing), and hashes of everything else.

    ``numbers`` has shape (n, d), ``others`` and ``label`` shape (n,); ``others`` tells texts and which numbers are
    missing. ``values`` has the hashes of all columns, shape (n_columns, n).
    """

    numbers: Numbers
    others: Hashes
    label: Hashes
    values: Hashes


@dataclass(frozen=True)
class Sides:
    """The drawn rows of the data, of the training data, and the composed ones."""

    data: Side
    train: Side
    chance: Side
    columns: int
    fraction: float


def sides(
    data: Sample,
    train: Sample,
    names: Sequence[str],
    target: str | None,
    positions: tuple[Rows, Rows],
    composed: Surrogate,
) -> Sides:
    """Read the drawn rows of both tables; ``composed`` ones are made of those of the data."""
    numbers: list[list[Numbers]] = [[], [], []]
    others = [np.zeros(len(rows), dtype=np.uint64) for rows in (positions[0], positions[1], positions[0])]
    values: list[list[Hashes]] = [[], [], []]
    for place, name in enumerate(names):
        own = data.source.column(name).take(pa.array(positions[0]))
        their = train.source.column(name).take(pa.array(positions[1]))
        random = composed.column(place, own)
        parts = [in_place(value_hashes(column), place) for column in (own, their, random)]
        for side in range(3):
            values[side].append(parts[side])
        if kind_of(own) is Kind.NUMBER and kind_of(their) is Kind.NUMBER:
            for side, column in enumerate(_scaled(_floats(own), _floats(their), _floats(random))):
                missing = np.isnan(column)
                numbers[side].append(np.where(missing, 0.0, column))
                others[side] += in_place(missing.astype(np.uint64), place)
        else:
            for side in range(3):
                others[side] += parts[side]
    labels = _labels(data, train, target, positions, composed)
    found = [
        Side(
            np.column_stack(numbers[side]) if numbers[side] else np.empty((len(others[side]), 0)),
            others[side],
            labels[side],
            np.array(values[side], dtype=np.uint64),
        )
        for side in range(3)
    ]
    return Sides(found[0], found[1], found[2], len(names), len(positions[1]) / max(1, train.n_rows))


def _labels(
    data: Sample, train: Sample, target: str | None, positions: tuple[Rows, Rows], composed: Surrogate
) -> tuple[Hashes, Hashes, Hashes]:
    if target is None:
        return tuple(np.zeros(len(rows), dtype=np.uint64) for rows in (*positions, positions[0]))  # type: ignore[return-value]
    own = value_hashes(data.source.column(target).take(pa.array(positions[0])))
    their = value_hashes(train.source.column(target).take(pa.array(positions[1])))
    return (
        own,
        their,
        value_hashes(composed.column(len(composed.index) - 1, data.source.column(target).take(pa.array(positions[0])))),
    )


def _floats(column: pa.ChunkedArray) -> Numbers:
    values = np.asarray(numeric(column).to_numpy(), dtype=np.float64)
    return np.where(np.isinf(values), np.nan, values)


def _scaled(own: Numbers, their: Numbers, random: Numbers) -> list[Numbers]:
    """Return all in deviations of the training data (by its quartiles where they differ)."""
    known = their[~np.isnan(their)]
    centre, spread = 0.0, 1.0
    if known.size:
        first, centre, third = (float(value) for value in np.quantile(known, [0.25, 0.5, 0.75]))
        with np.errstate(over="ignore", invalid="ignore"):
            spread = (third - first) / 1.349 or float(known.std())
    if not (np.isfinite(spread) and spread > 0):
        spread = 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        return [np.clip((column - centre) / spread, -1e12, 1e12) for column in (own, their, random)]


def near(found: Sides, *, distance: float, seed: int, with_label: bool) -> Shared:
    """Return the rows of the data with a training row that is near: each number within ``distance``, all else equal.

    Parameters
    ----------
    distance : float
        In deviations of the training data (a normal distribution's, from the quartiles), for each number by itself.
    """
    match = NEAR + (WITH_LABEL if with_label else "")
    width = 2 * max(1, found.data.numbers.shape[1]) * distance
    rng = np.random.default_rng([seed, 23])
    shifts = rng.random((_GRIDS, found.data.numbers.shape[1]))
    mask = _near(found.data, found.train, width, distance, shifts, with_label=with_label)
    chance = _near(found.chance, found.train, width, distance, shifts, with_label=with_label)
    note = f"every number within {distance:g} deviations, all else equal"
    return Shared(match, mask, int(chance.sum()), chance.size, found.fraction, note)


def _near(
    own: Side, train: Side, width: float, distance: float, shifts: Numbers, *, with_label: bool
) -> NDArray[np.bool_]:
    fixed = [side.others + (in_place(side.label, 10**6) if with_label else np.uint64(0)) for side in (own, train)]
    mask = np.zeros(len(own.others), dtype=np.bool_)
    for shift in shifts:
        left = np.flatnonzero(~mask)
        cells = [_cells(own.numbers[left], width, shift, fixed[0][left]), _cells(train.numbers, width, shift, fixed[1])]
        order = np.argsort(cells[1], kind="stable")
        ordered = cells[1][order]
        starts = np.searchsorted(ordered, cells[0], side="left")
        counts = np.searchsorted(ordered, cells[0], side="right") - starts
        for turn in range(min(_MOST_IN_CELL, int(counts.max(initial=0)))):
            # Of a crowded cell evenly spaced rows are compared.
            usable = np.flatnonzero((counts > turn) & ~mask[left])
            if not usable.size:
                break
            step = np.maximum(counts[usable] / _MOST_IN_CELL, 1.0)
            partner = order[starts[usable] + (turn * step).astype(np.intp)]
            apart = np.abs(own.numbers[left[usable]] - train.numbers[partner])
            same = fixed[0][left[usable]] == fixed[1][partner]
            mask[left[usable[same & (apart <= distance).all(axis=1)]]] = True
    return mask


def _cells(numbers: Numbers, width: float, shift: Numbers, fixed: Hashes) -> Hashes:
    total = fixed.copy()
    for place in range(numbers.shape[1]):
        cell = np.floor(np.clip(numbers[:, place] / width, -1e15, 1e15) + shift[place])
        total += in_place(cell.astype(np.int64).view(np.uint64), 2 * 10**6 + place)
    return total


def all_but_one(found: Sides) -> Shared | None:
    """Return the rows of the data that differ from a training row in one column at most; ``None`` with few columns."""
    if found.columns < _FEWEST_COLUMNS:
        return None
    masks = []
    for side in (found.data, found.chance):
        own, train = side.values.sum(axis=0), found.train.values.sum(axis=0)
        mask = np.isin(own, train)
        for mine, theirs in zip(side.values, found.train.values, strict=True):
            mask |= np.isin(own - mine, train - theirs)
        masks.append(mask)
    chance = int(masks[1].sum())
    return Shared(ALL_BUT_ONE, masks[0], chance, masks[1].size, found.fraction, "at most one column differs")
