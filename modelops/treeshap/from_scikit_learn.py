"""Trees of scikit-learn's fitted estimators, read from their arrays; scikit-learn itself is not imported."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelops.treeshap.ensemble import Categories, Ensemble, Rule, Tree, assemble, packed


def forest(members: list[Any], *, n_features: int, output: int | None) -> Ensemble:
    """Return the mean of the trees of a forest, or a single tree; it looks at values rounded to float32.

    Parameters
    ----------
    members : list of sklearn.tree._tree.Tree
        ``tree_`` of each estimator.
    n_features : int
        Columns of the table.
    output : int or None
        The position of the class whose probability is explained; ``None`` for a regression.
    """
    trees = [_tree(member, _leaf_means(member, output) / len(members)) for member in members]
    return assemble(trees, n_features=n_features, offset=0.0)


def boosted(members: list[Any], *, n_features: int, rate: float, offset: float) -> Ensemble:
    """Return trees of regression that are added with a rate to a constant start."""
    trees = [_tree(member, rate * member.value[:, 0, 0]) for member in members]
    return assemble(trees, n_features=n_features, offset=offset)


def _leaf_means(member: Any, output: int | None) -> np.ndarray:
    values = np.asarray(member.value, dtype=np.float64)[:, 0, :]
    if output is None:
        return np.asarray(values[:, 0])
    return np.asarray(values[:, output] / np.maximum(values.sum(axis=1), np.finfo(float).tiny))


def _tree(member: Any, value: np.ndarray) -> Tree:
    missing_left = np.asarray(member.missing_go_to_left).astype(bool)
    return Tree(
        left=np.asarray(member.children_left, dtype=np.int64),
        right=np.asarray(member.children_right, dtype=np.int64),
        feature=np.asarray(member.feature, dtype=np.int64),
        threshold=np.asarray(member.threshold, dtype=np.float64),
        rule=np.where(missing_left, Rule.AT_MOST_OR_MISSING, Rule.AT_MOST),
        cover=np.asarray(member.weighted_n_node_samples, dtype=np.float64),
        value=value,
    )


def histogram_boosting(
    predictors: list[Any], *, n_features: int, offset: float, known: np.ndarray, place: np.ndarray
) -> Ensemble:
    """Return the trees of histogram gradient boosting for one output, on columns as it encodes them itself.

    Parameters
    ----------
    predictors : list of TreePredictor
        One tree for each round.
    n_features : int
        Columns of the table.
    offset : float
        The baseline of the output.
    known : ndarray of uint32, shape (n_categorical, 8)
        Sets of the categories that each categorical column had in training.
    place : ndarray of int, shape (n_features,)
        Where in ``known`` the set of a column is.
    """
    trees = [_predictor(predictor, known, place) for predictor in predictors]
    return assemble(trees, n_features=n_features, offset=offset)


def _predictor(predictor: Any, known: np.ndarray, place: np.ndarray) -> Tree:
    nodes = predictor.nodes
    is_leaf = nodes["is_leaf"].astype(bool)
    is_category = nodes["is_categorical"].astype(bool) & ~is_leaf
    missing_left = nodes["missing_go_to_left"].astype(bool)
    rule = np.where(missing_left, Rule.AT_MOST_OR_MISSING, Rule.AT_MOST)
    rule[is_category] = Rule.CATEGORY
    categories = {}
    for node in np.flatnonzero(is_category):
        left = _members(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]])
        if missing_left[node]:
            # A category that training never saw is treated as missing.
            left = left | ~_members(known[place[nodes["feature_idx"][node]]])
        categories[int(node)] = Categories(packed(left), len(left), bool(missing_left[node]), bool(missing_left[node]))
    return Tree(
        left=np.where(is_leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(is_leaf, -1, nodes["right"].astype(np.int64)),
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        rule=rule,
        cover=nodes["count"].astype(np.float64),
        value=nodes["value"].astype(np.float64),
        categories=categories,
    )


def _members(words: np.ndarray) -> np.ndarray:
    return np.unpackbits(np.ascontiguousarray(words).astype("<u4").view(np.uint8), bitorder="little").astype(bool)
