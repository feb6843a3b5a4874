"""The neutral record of an ensemble of trees: what every library's trees are turned into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from modelops.errors import NotMeasured

MAX_WORDS = 1 << 24
"""Of 32 categories each: what all sets of categories together may take."""


class Rule(IntEnum):
    """How a split sends a row to the left; everything else goes right.

    ``AT_MOST``: values up to the threshold. ``AT_MOST_OR_MISSING``: those and missing ones. ``AT_MOST_NOT_ZERO``:
    values up to the threshold but neither zero nor missing. ``AT_MOST_OR_ZERO``: values up to the threshold, zero, and
    missing ones. ``CATEGORY``: whole numbers in the split's set; others and missing ones as two flags say.
    """

    AT_MOST = 0
    AT_MOST_OR_MISSING = 1
    AT_MOST_NOT_ZERO = 2
    AT_MOST_OR_ZERO = 3
    CATEGORY = 4


@dataclass(frozen=True)
class Categories:
    """Where one categorical split sends rows.

    Bit k of ``words`` (32 in each) says whether category k goes left, for k below ``size``; the flags say it for other
    values and for missing ones.
    """

    words: np.ndarray
    size: int
    others_left: bool
    missing_left: bool


def packed(goes_left: np.ndarray) -> np.ndarray:
    """Return truth values as words of 32 bits.

    Examples
    --------
    >>> packed(np.array([True, False, True])).tolist()
    [5]
    """
    bits = np.zeros(-(-len(goes_left) // 32) * 32, dtype=bool)
    bits[: len(goes_left)] = goes_left
    return np.packbits(bits, bitorder="little").view("<u4").astype(np.uint32)


@dataclass(frozen=True)
class Tree:
    """One tree; node 0 is its root and every array has an entry for each node.

    Attributes
    ----------
    left, right : ndarray of int
        Children, -1 for a leaf.
    feature : ndarray of int
        The position of the column that a split looks at.
    threshold : ndarray of float
        Compared with the value as float64; a strict comparison is written with the next lower number.
    rule : ndarray of int
        See `Rule`.
    cover : ndarray of float
        How much of the training data passed each node.
    value : ndarray of float
        What a leaf adds to the output.
    categories : dict
        The sets of the categorical splits by node.
    """

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    rule: np.ndarray
    cover: np.ndarray
    value: np.ndarray
    categories: dict[int, Categories] = field(default_factory=dict)


NODE = np.dtype(
    {
        "names": [
            "left",
            "right",
            "feature",
            "splits",
            "first_word",
            "n_categories",
            "threshold",
            "share",
            "value",
            "rule",
            "flags",
        ],
        "formats": ["i8"] * 6 + ["f8"] * 3 + ["i8"] * 2,
    }
)
"""One node as the kernels read it.

``share`` is the part of its parent's training data that the node got, ``splits`` the number of splits at and below it.
``n_categories`` bits from ``first_word`` on say which categories go left, ``flags`` where others (1) and missing ones
(2) go.
"""


@dataclass(frozen=True)
class Ensemble:
    """Trees whose leaves add up to one output.

    Attributes
    ----------
    n_features : int
        Columns of the table.
    offset : float
        What the output starts from before any tree.
    roots : ndarray of int64, shape (n_trees,)
        Where in ``nodes`` each tree begins.
    nodes : ndarray of `NODE`
        Of all trees, behind each other.
    words : ndarray of uint32
        The sets of categories, 32 in each number.
    depth : int
        The largest number of splits on the way to a leaf.
    """

    n_features: int
    offset: float
    roots: np.ndarray
    nodes: np.ndarray
    words: np.ndarray
    depth: int

    @property
    def longest(self) -> int:
        """The largest number of different features that the way to a leaf can have."""
        return max(1, min(self.depth, self.n_features))


def assemble(trees: Sequence[Tree], *, n_features: int, offset: float) -> Ensemble:
    """Put trees behind each other.

    Parameters
    ----------
    trees : sequence of Tree
        As a library wrote them.
    n_features : int
        Columns of the table.
    offset : float
        What the output starts from before any tree.

    Raises
    ------
    NotMeasured
        If the sets of categories are too large to be kept, or an index points where it should not.
    """
    ends = np.cumsum([0, *(len(tree.left) for tree in trees)]).astype(np.int64)
    roots = ends[:-1]
    nodes = np.zeros(ends[-1], dtype=NODE)
    for tree, start, end in zip(trees, ends[:-1], ends[1:], strict=True):
        part = nodes[start:end]
        part["left"] = np.where(tree.left < 0, -1, tree.left + start)
        part["right"] = np.where(tree.left < 0, -1, tree.right + start)
        for name in ("feature", "threshold", "value", "rule"):
            part[name] = getattr(tree, name)
    words = _keep_sets(trees, roots, nodes)
    cover = np.concatenate([np.zeros(0), *(tree.cover for tree in trees)])
    _refuse_unsound(nodes, roots, ends[1:], cover, words, n_features)
    levels = _levels(nodes, roots)
    nodes["share"] = _shares(nodes, levels, cover)
    nodes["splits"] = _splits(nodes, levels)
    return Ensemble(n_features, float(offset), roots, nodes, words, len(levels))


def _refuse_unsound(
    nodes: np.ndarray, roots: np.ndarray, ends: np.ndarray, cover: np.ndarray, words: np.ndarray, n_features: int
) -> None:
    """Check everything that the kernels follow without looking.

    A file was checked when it was opened; what a library hands out of it need not be what stood in the file.
    """
    first, last = (np.repeat(side, ends - roots) for side in (roots, ends))
    inner = np.flatnonzero(nodes["left"] >= 0)
    split = nodes[inner]
    children = np.concatenate([split["left"], split["right"]])
    # No node has two parents and no root has one: then what hangs on the roots are trees.
    is_sound = (
        bool((ends > roots).all())
        and bool((children > np.tile(first[inner], 2)).all() and (children < np.tile(last[inner], 2)).all())
        and len(np.unique(children)) == len(children)
        and bool(((split["feature"] >= 0) & (split["feature"] < n_features)).all())
        and bool(((split["rule"] >= 0) & (split["rule"] <= max(Rule))).all())
        and bool((split["n_categories"] <= 32 * np.maximum(len(words) - split["first_word"], 0)).all())
        and bool((np.isfinite(cover) & (cover >= 0)).all())
        and len(cover) == len(nodes)
    )
    if not is_sound:
        raise NotMeasured("The trees of the model are not such that contributions can be computed.")


def _levels(nodes: np.ndarray, roots: np.ndarray) -> list[np.ndarray]:
    """Return the inner nodes of all trees, level by level from the roots."""
    left, right = nodes["left"], nodes["right"]
    levels = []
    level = roots[left[roots] >= 0]
    while level.size:
        levels.append(level)
        below = np.concatenate([left[level], right[level]])
        level = below[left[below] >= 0]
    return levels


def _shares(nodes: np.ndarray, levels: list[np.ndarray], cover: np.ndarray) -> np.ndarray:
    """Return each node's part of its parent; below a node that nothing passed, halves."""
    share = np.ones(len(nodes))
    for level in levels:
        above = cover[level]
        for side in ("left", "right"):
            below = nodes[side][level]
            share[below] = np.divide(cover[below], above, out=np.full(len(level), 0.5), where=above > 0)
    return share


def _splits(nodes: np.ndarray, levels: list[np.ndarray]) -> np.ndarray:
    splits = (nodes["left"] >= 0).astype(np.int64)
    for level in reversed(levels):
        splits[level] += splits[nodes["left"][level]] + splits[nodes["right"][level]]
    return splits


def _keep_sets(trees: Sequence[Tree], roots: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Note in ``nodes`` where the sets of the categorical splits are; return the words that hold them."""
    packed_sets: list[np.ndarray] = []
    at = 0
    for tree, root in zip(trees, roots, strict=True):
        for place, found in tree.categories.items():
            packed_sets.append(found.words)
            node = nodes[root + place : root + place + 1]
            node["first_word"], node["n_categories"] = at, found.size
            node["flags"] = found.others_left + 2 * found.missing_left
            at += len(found.words)
            if at > MAX_WORDS:
                raise NotMeasured("The model's splits name too many categories for exact contributions.")
    return np.concatenate([np.zeros(0, np.uint32), *packed_sets]).astype(np.uint32)
