"""Trees of a LightGBM model, read from the text of each; LightGBM itself is not imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from modelops.errors import NotMeasured
from modelops.treeshap.ensemble import Categories, Ensemble, Rule, Tree, assemble

_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_NO_MISSING, _ZERO_IS_MISSING = 0, 1


def boosted(trees: Sequence[Mapping[str, str]], *, n_features: int, is_average: bool) -> Ensemble:
    """Return the trees of one output, which add up to the raw score.

    Parameters
    ----------
    trees : sequence of mapping of str to str
        The lines ``name=value`` of each tree, checked; not linear ones.
    n_features : int
        Columns of the table.
    is_average : bool
        Whether the mean of the trees counts (random forests) instead of their sum.

    Raises
    ------
    NotMeasured
        If a tree does not say how many rows passed its nodes.
    """
    factor = 1.0 / max(1, len(trees)) if is_average else 1.0
    return assemble([_tree(tree, factor) for tree in trees], n_features=n_features, offset=0.0)


def _tree(tree: Mapping[str, str], factor: float) -> Tree:
    leaves = int(tree["num_leaves"])
    inner = leaves - 1
    value = np.concatenate([np.zeros(inner), factor * _numbers(tree, "leaf_value")])
    if inner == 0:
        nothing = np.zeros(1, dtype=np.int64)
        return Tree(nothing - 1, nothing - 1, nothing, np.zeros(1), nothing, np.ones(1), value)
    if not tree.get("leaf_count", "").strip() or not tree.get("internal_count", "").strip():
        raise NotMeasured("The model does not say how many rows passed the nodes of its trees.")
    kind = _whole(tree, "decision_type")
    threshold = _numbers(tree, "threshold")
    # Inner nodes are 0 and up, leaf k is written as -(k + 1) and put behind them.
    children = [
        np.where(side >= 0, side, inner - 1 - side)
        for side in (_whole(tree, "left_child"), _whole(tree, "right_child"))
    ]
    none, padding = np.full(leaves, -1), np.zeros(leaves)
    return Tree(
        left=np.concatenate([children[0], none]),
        right=np.concatenate([children[1], none]),
        feature=np.concatenate([_whole(tree, "split_feature"), padding.astype(np.int64)]),
        threshold=np.concatenate([threshold, padding]),
        rule=np.concatenate([_rules(kind, threshold), padding.astype(np.int64)]),
        cover=np.concatenate([_numbers(tree, "internal_count"), _numbers(tree, "leaf_count")]),
        value=value,
        categories=_categories(tree, kind, threshold),
    )


def _rules(kind: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Return the rule of each split; where training had nothing missing, a missing value counts as zero."""
    missing = kind >> 2
    default_left = (kind & _DEFAULT_LEFT) > 0
    missing_left = np.where(missing == _NO_MISSING, threshold >= 0, default_left)
    rule = np.where(missing_left, Rule.AT_MOST_OR_MISSING, Rule.AT_MOST)
    zero = np.where(default_left, Rule.AT_MOST_OR_ZERO, Rule.AT_MOST_NOT_ZERO)
    rule = np.where(missing == _ZERO_IS_MISSING, zero, rule)
    return np.where((kind & _CATEGORICAL) > 0, Rule.CATEGORY, rule)


def _categories(tree: Mapping[str, str], kind: np.ndarray, threshold: np.ndarray) -> dict[int, Categories]:
    """Return the sets: listed categories go left, others and missing ones right."""
    chosen = np.flatnonzero((kind & _CATEGORICAL) > 0)
    if not chosen.size:
        return {}
    bounds, words = _whole(tree, "cat_boundaries"), _whole(tree, "cat_threshold").astype(np.uint32)
    found = {}
    for node in chosen:
        place = int(threshold[node])
        own = words[bounds[place] : bounds[place + 1]]
        found[int(node)] = Categories(own, 32 * len(own), others_left=False, missing_left=False)
    return found


def _whole(tree: Mapping[str, str], name: str) -> np.ndarray:
    return np.array([int(part) for part in tree[name].split()], dtype=np.int64)


def _numbers(tree: Mapping[str, str], name: str) -> np.ndarray:
    return np.array(tree[name].split(), dtype=np.float64)
