"""Weak segments: groups of rows described by up to three columns in which the model does worst, found on one half.

Of every pair of columns one table of counts and sums is made, and from its two-dimensional sums every combination of
neighbouring levels is read off: all segments of two columns are looked at, not a sample of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.subpopulations.columns import Column, Span
from modelops.analyses.subpopulations.contrast import tally

# How many candidates are kept of one table, and of each depth in all.
_OF_ONE_TABLE = 20
_OF_A_DEPTH = 150
_DEEPENED = 15
# What another condition must add, in standard errors: less is noise, and makes a segment harder to read.
_WORTH_A_CONDITION = 1.0
# How much of its strength a segment keeps at least when the rows of stronger ones are taken away.
_LEFT_OF_STRENGTH = 0.5

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Segment:
    """Conditions on columns, by their place in the list of columns.

    ``strength`` is how far it stands out, in standard errors of the half it was found on.
    """

    conditions: tuple[tuple[int, Span], ...]
    strength: float

    def holds(self, columns: Sequence[Column]) -> NDArray[np.bool_]:
        """Return which rows lie in the segment."""
        return np.asarray(np.logical_and.reduce([columns[place].holds(span) for place, span in self.conditions]))

    def text(self, columns: Sequence[Column]) -> str:
        """Return the conditions in words: ``age: 30 to 44 & employment: none``."""
        return " & ".join(f"{columns[place].name}: {columns[place].label(span)}" for place, span in self.conditions)


@dataclass(frozen=True)
class Search:
    """The rows on which segments are searched, as losses and columns of levels.

    ``smallest`` is the number of rows that a segment has at least; ``pair_columns`` how many of the columns, those in
    which losses differ most, are combined with each other.
    """

    columns: Sequence[Column]
    values: Numbers
    weights: Numbers | None
    smallest: float
    pair_columns: int

    def found(self, *, depth: int, most: int, progress: Callable[[float], None]) -> list[Segment]:
        """Return up to ``most`` segments that share few rows, the most outstanding first."""
        singles = [self._of_one(place) for place in range(len(self.columns))]
        known = [segment for found in singles for segment in found]
        if depth > 1:
            known += self._deeper(singles, depth, progress)
        return self._apart(known, most)

    def _deeper(self, singles: list[list[Segment]], depth: int, progress: Callable[[float], None]) -> list[Segment]:
        by_strength = sorted(range(len(singles)), key=lambda place: (-_best(singles[place]), place))
        places = sorted(by_strength[: self.pair_columns])
        pairs = [(one, other) for k, one in enumerate(places) for other in places[k + 1 :]]
        best_alone = [_by_span(found) for found in singles]
        found: list[Segment] = []
        for done, (one, other) in enumerate(pairs):
            found += self._of_two(one, other, best_alone[one], best_alone[other])
            progress((done + 1) / (len(pairs) + 1))
        found = _strongest(found, _OF_A_DEPTH)
        if depth > 2:
            for parent in self._apart(found, _DEEPENED):
                found += self._within(parent, places)
        return found

    def _tables(self, codes: NDArray[np.integer], shape: tuple[int, ...], rows: NDArray[np.bool_] | None) -> Numbers:
        values, weights = self.values, self.weights
        if rows is not None:
            codes, values = codes[rows], values[rows]
            weights = None if weights is None else weights[rows]
        return tally(codes, math.prod(shape), values, weights).cells.reshape(*shape, 4)

    def _strengths(self, cells: Numbers, whole: Numbers | None = None) -> Numbers:
        """Return how far each group stands out against all other rows; 0 for one that is too small or not worse."""
        all_rows, all_weight, all_total, squares = self._whole if whole is None else whole
        variance = squares / all_weight - (all_total / all_weight) ** 2 if all_weight > 0 else 0.0
        if not variance > 0:
            return np.zeros(cells.shape[:-1])
        rows, weight, total = cells[..., 0], cells[..., 1], cells[..., 2]
        rest = all_weight - weight
        fits = (rows >= self.smallest) & (all_rows - rows >= self.smallest) & (weight > 0) & (rest > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            difference = total / weight - (all_total - total) / rest
            strength = difference / np.sqrt(variance * (1 / weight + 1 / rest))
        return np.where(fits & (strength > 0), strength, 0.0)

    @cached_property
    def _whole(self) -> Numbers:
        one_cell = np.zeros(len(self.values), dtype=np.int8)
        return np.asarray(tally(one_cell, 1, self.values, self.weights).cells[0])

    def _of_one(self, place: int, parent: Segment | None = None) -> list[Segment]:
        column = self.columns[place]
        rows = None if parent is None else parent.holds(self.columns)
        table = self._tables(column.codes, (len(column.levels),), rows)
        spans = column.spans()
        strengths = self._strengths(_sums(column, spans) @ table)
        before = () if parent is None else parent.conditions
        needed = 0.0 if parent is None else parent.strength + _WORTH_A_CONDITION
        return [
            Segment(tuple(sorted((*before, (place, span)))), float(strength))
            for span, strength in zip(spans, strengths, strict=True)
            if strength > needed
        ]

    def _of_two(self, one: int, other: int, alone: dict[Span, float], beside: dict[Span, float]) -> Iterator[Segment]:
        first, second = self.columns[one], self.columns[other]
        codes = first.codes.astype(np.int64) * len(second.levels) + second.codes
        table = self._tables(codes, (len(first.levels), len(second.levels)), None)
        spans, others = first.spans(), second.spans()
        sums = np.einsum("ia,abk,jb->ijk", _sums(first, spans), table, _sums(second, others), optimize=True)
        strengths = self._strengths(sums)
        needed = np.maximum(
            np.array([alone.get(span, 0.0) for span in spans])[:, None], [beside.get(span, 0.0) for span in others]
        )
        strengths = np.where(strengths > needed + _WORTH_A_CONDITION, strengths, 0.0)
        for place in _largest(strengths.ravel(), _OF_ONE_TABLE):
            i, j = divmod(int(place), len(others))
            if strengths[i, j] > 0:
                yield Segment(((one, spans[i]), (other, others[j])), float(strengths[i, j]))

    def _within(self, parent: Segment, places: Sequence[int]) -> Iterator[Segment]:
        used = {place for place, _ in parent.conditions}
        for place in places:
            if place not in used:
                yield from self._of_one(place, parent)

    def _apart(self, known: list[Segment], most: int) -> list[Segment]:
        """Return the strongest that are weak also without the rows of those before them."""
        kept: list[Segment] = []
        left = np.ones(len(self.values), dtype=bool)
        for segment in _strongest(known, _OF_A_DEPTH):
            if len(kept) == most:
                break
            mine = segment.holds(self.columns)
            if not kept or self._strength_among(left, mine) >= _LEFT_OF_STRENGTH * segment.strength:
                kept.append(segment)
                left &= ~mine
        return kept

    def _strength_among(self, left: NDArray[np.bool_], mine: NDArray[np.bool_]) -> float:
        """Return how far the rows of a segment that are ``left`` stand out among all that are."""
        weights = None if self.weights is None else self.weights[left]
        cells = tally(mine[left].astype(np.int8), 2, self.values[left], weights).cells
        return float(self._strengths(cells[1], cells.sum(axis=0)))


def _sums(column: Column, spans: Sequence[Span]) -> Numbers:
    """Return the matrix that adds up levels to spans, shape (n_spans, n_levels)."""
    codes = np.arange(len(column.levels))
    return np.array([(codes >= span.low) & (codes <= span.high) for span in spans], dtype=np.float64)


def _largest(values: Numbers, most: int) -> NDArray[np.intp]:
    return np.argsort(-values, kind="stable")[:most]


def _strongest(found: list[Segment], most: int) -> list[Segment]:
    return sorted(found, key=lambda segment: (-segment.strength, len(segment.conditions), segment.conditions))[:most]


def _best(found: Sequence[Segment]) -> float:
    return max((segment.strength for segment in found), default=0.0)


def _by_span(found: Sequence[Segment]) -> dict[Span, float]:
    return {segment.conditions[0][1]: segment.strength for segment in found}
