"""A small tree of where the model errs: grown on one half of the rows, its leaves measured on the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.subpopulations.columns import MISSING, Column, Span
from modelops.analyses.subpopulations.contrast import tally

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Leaf:
    """One end of the tree: ``steps`` say how to get there, in words; ``path`` is which turn each branching took."""

    steps: tuple[str, ...]
    path: tuple[bool, ...]
    rows: NDArray[np.bool_]

    @property
    def name(self) -> str:
        """All steps in one line."""
        return " & ".join(self.steps) or "all rows"


@dataclass(frozen=True)
class _Cut:
    """A branching: the levels of one column that go left; the others go right."""

    column: Column
    left: NDArray[np.bool_]
    gain: float

    def sides(self) -> tuple[str, str]:
        """Return both sides in words."""
        return _side(self.column, self.left), _side(self.column, ~self.left)


@dataclass(frozen=True)
class Tree:
    """How the tree is grown.

    A branching must leave ``smallest`` rows on both sides, and stand out from chance: the p-value of the best of all
    branchings, times how many were tried, must be below ``alpha`` (as in conditional inference trees).
    """

    columns: Sequence[Column]
    values: Numbers
    weights: Numbers | None
    grown_on: NDArray[np.bool_]
    effect: float
    smallest: float
    depth: int
    alpha: float

    def leaves(self) -> list[Leaf]:
        """Return the leaves from left to right; ``rows`` are those of the leaf on both halves."""
        return list(self._leaves(Leaf((), (), np.ones(self.values.size, dtype=bool))))

    def _leaves(self, node: Leaf) -> Iterator[Leaf]:
        cut = self._best_cut(node.rows) if len(node.path) < self.depth else None
        if cut is None:
            yield node
            return
        is_left = cut.left[cut.column.codes]
        for turn, (side, words) in enumerate(zip((is_left, ~is_left), cut.sides(), strict=True)):
            yield from self._leaves(Leaf((*node.steps, words), (*node.path, bool(turn)), node.rows & side))

    def _best_cut(self, rows: NDArray[np.bool_]) -> _Cut | None:
        mine = rows & self.grown_on
        values = self.values[mine]
        weights = None if self.weights is None else self.weights[mine]
        n_tried, best = 0, None
        for column in self.columns:
            cells = tally(column.codes[mine], len(column.levels), values, weights).cells
            lefts = _lefts(column, cells)
            gains = _gains(lefts @ cells, cells.sum(axis=0), self.smallest)
            n_tried += int(np.count_nonzero(gains > 0))
            k = int(np.argmax(gains)) if gains.size else 0
            if gains.size and gains[k] > 0 and (best is None or gains[k] > best.gain):
                best = _Cut(column, lefts[k].astype(bool), float(gains[k]))
        return best if best is not None and self._stands_out(best, values, weights, n_tried) else None

    def _stands_out(self, cut: _Cut, values: Numbers, weights: Numbers | None, n_tried: int) -> bool:
        from scipy.special import fdtrc

        weight = float(values.size) if weights is None else float(weights.sum())
        spread = float(np.average((values - np.average(values, weights=weights)) ** 2, weights=weights)) * weight
        within = spread - cut.gain
        freedom = weight / self.effect - 2
        if freedom <= 0:
            return False
        if within <= 1e-12 * spread:
            return True
        ratio = cut.gain / self.effect / (within / self.effect / freedom)
        return float(fdtrc(1, freedom, ratio)) * n_tried < self.alpha


def _lefts(column: Column, cells: Numbers) -> Numbers:
    """Return the candidate left sides, shape (n, n_levels), as 0 and 1.

    Of ordered levels everything up to each of them, missing values on either side; of others everything up to each of
    them in the order of their mean loss, which holds the best of all divisions.
    """
    n_levels, n_ordered = len(column.levels), column.n_ordered
    if not n_ordered:
        with np.errstate(divide="ignore", invalid="ignore"):
            means = np.where(cells[:, 1] > 0, cells[:, 2] / cells[:, 1], np.inf)
        order = np.lexsort((np.arange(n_levels), means))
        lefts = np.zeros((n_levels - 1, n_levels))
        for k in range(n_levels - 1):
            lefts[k, order[: k + 1]] = 1
        return lefts
    lefts = np.tril(np.ones((n_ordered, n_levels)))
    if n_levels == n_ordered:
        return lefts[:-1]
    with_missing = lefts[:-1].copy()
    with_missing[:, n_ordered:] = 1
    return np.concatenate([lefts, with_missing])


def _gains(left: Numbers, whole: Numbers, smallest: float) -> Numbers:
    """Return what each division takes off the sum of squares; 0 where a side is too small."""
    right = whole - left
    fits = (left[:, 0] >= smallest) & (right[:, 0] >= smallest) & (left[:, 1] > 0) & (right[:, 1] > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = left[:, 2] ** 2 / left[:, 1] + right[:, 2] ** 2 / right[:, 1] - whole[2] ** 2 / whole[1]
    return np.where(fits & (gain > 1e-12 * whole[3]), gain, 0.0)


def _side(column: Column, held: NDArray[np.bool_]) -> str:
    codes = np.flatnonzero(held)
    if not column.n_ordered:
        names = [column.levels[code] for code in codes]
        if len(names) > 3 and len(names) > len(held) // 2:
            return f"{column.name}: not {' or '.join(column.levels[code] for code in np.flatnonzero(~held))}"
        return f"{column.name}: {' or '.join(names)}"
    ordered = codes[codes < column.n_ordered]
    parts = [column.label(Span(int(ordered[0]), int(ordered[-1])))] if ordered.size else []
    parts += [MISSING.strip("()")] if codes.size > ordered.size else []
    return f"{column.name}: {' or '.join(parts)}"
