"""Whether the nodes of a tree form a tree, whatever the format writes them as."""

from __future__ import annotations

import numpy as np

from modelops.errors import RefusedFile

MAX_DEPTH = 4_000


def in_range(values: np.ndarray, low: int, high: int, what: str) -> None:
    """Refuse values outside ``low <= value < high``.

    Raises
    ------
    RefusedFile
        If there is one.
    """
    if values.size and (values.min() < low or values.max() >= high):
        raise RefusedFile(
            f"The model is damaged or made to do harm: {what} {int(values.min())} to {int(values.max())}, expected "
            f"{low} to {high - 1}. Export it again with the library that made it."
        )


def same_length(size: int, **arrays: np.ndarray) -> None:
    """Refuse arrays that are not all ``size`` long.

    Raises
    ------
    RefusedFile
        If one has another length.
    """
    for name, values in arrays.items():
        if len(values) != size:
            raise RefusedFile(
                f"The model is damaged: a tree of {size:,} nodes has {len(values):,} entries in {name!r}. Export it "
                "again."
            )


def check_tree(left: np.ndarray, right: np.ndarray, is_leaf: np.ndarray) -> int:
    """Walk a tree from its root, node 0, and return its depth.

    Parameters
    ----------
    left, right : ndarray of int, shape (n,)
        Children of each node; ignored for leaves.
    is_leaf : ndarray of bool, shape (n,)

    Raises
    ------
    RefusedFile
        If a child does not exist, a node has two parents (a cycle has, too), or the tree is deeper than `MAX_DEPTH`.
    """
    size = len(left)
    same_length(size, right=right, is_leaf=is_leaf)
    if size == 0:
        raise RefusedFile("The model is damaged: it holds a tree without nodes. Export it again.")
    inner = ~is_leaf
    in_range(np.concatenate([left[inner], right[inner]]), 1, size, "child nodes are")
    seen = np.zeros(size, dtype=bool)
    level = np.zeros(1, dtype=np.int64)
    depth = 0
    while level.size:
        if seen[level].any() or len(np.unique(level)) != level.size:
            raise RefusedFile("The model is made to do harm: the nodes of a tree form a cycle. Export it again.")
        seen[level] = True
        level = level[inner[level]]
        level = np.concatenate([left[level], right[level]]).astype(np.int64)
        depth += 1
        if depth > MAX_DEPTH:
            raise RefusedFile(f"The model holds a tree deeper than {MAX_DEPTH:,} levels, which no training makes.")
    return depth
