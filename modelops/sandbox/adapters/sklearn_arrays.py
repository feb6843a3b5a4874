"""Checks of arrays that scikit-learn's compiled code follows without looking."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelops.errors import RefusedFile
from modelops.sandbox.adapters.tree_shape import check_tree, in_range, same_length

_DAMAGED = "The model is damaged, or made to do harm: {}. Save it again with skops.io.dump()."
_BITS = 256


def check(item: object) -> None:
    """Check one object that was built from a file; objects of other types pass.

    Raises
    ------
    RefusedFile
        If an index is out of range or two sizes do not fit.
    """
    for kind in type(item).__mro__:
        look = _CHECKS.get(f"{kind.__module__}.{kind.__name__}")
        if look is not None:
            try:
                look(item)
            except (AttributeError, KeyError, TypeError, IndexError, ValueError) as error:
                raise RefusedFile(_DAMAGED.format(f"a {type(item).__name__} is incomplete")) from error


def _tree(tree: Any) -> None:
    left, right = np.asarray(tree.children_left), np.asarray(tree.children_right)
    is_leaf = left == -1
    same_length(tree.node_count, left=left, right=right, values=tree.value)
    check_tree(left, right, is_leaf)
    in_range(np.asarray(tree.feature)[~is_leaf], 0, tree.n_features, "splits use the features")


def _tree_owner(owner: Any) -> None:
    if hasattr(owner, "tree_") and owner.tree_.n_features != owner.n_features_in_:
        raise RefusedFile(_DAMAGED.format("a tree is for another number of features than its model"))


def _ensemble(owner: Any) -> None:
    for member in np.asarray(getattr(owner, "estimators_", ()), dtype=object).ravel():
        if member.n_features_in_ != owner.n_features_in_:
            raise RefusedFile(_DAMAGED.format("a tree is for another number of features than its forest"))


def _boosting(owner: Any) -> None:
    _ensemble(owner)
    stages = np.asarray(owner.estimators_, dtype=object)
    n_classes = len(getattr(owner, "classes_", ()))
    expected = n_classes if n_classes > 2 else 1
    if stages.ndim != 2 or stages.shape[1] != expected or owner.n_trees_per_iteration_ != expected:
        raise RefusedFile(_DAMAGED.format(f"{stages.shape} trees for {max(n_classes, 1)} classes"))


def _predictor(predictor: Any) -> None:
    nodes = predictor.nodes
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

    if nodes.dtype != PREDICTOR_RECORD_DTYPE or nodes.ndim != 1:
        raise RefusedFile(_DAMAGED.format("the nodes of a tree have another type than they should"))
    is_leaf = nodes["is_leaf"].astype(bool)
    check_tree(nodes["left"].astype(np.int64), nodes["right"].astype(np.int64), is_leaf)
    split = nodes[~is_leaf & nodes["is_categorical"].astype(bool)]
    for bits in (predictor.raw_left_cat_bitsets, predictor.binned_left_cat_bitsets):
        if bits.ndim != 2 or bits.shape[1] != 8 or bits.dtype != np.uint32:
            raise RefusedFile(_DAMAGED.format("the categories of a tree have another type than they should"))
        in_range(split["bitset_idx"].astype(np.int64), 0, len(bits), "categorical splits use the sets")


def _histogram_boosting(owner: Any) -> None:
    n_features = int(owner.n_features_in_)
    for stage in owner._predictors:  # noqa: SLF001 - where scikit-learn keeps its trees
        if len(stage) != owner.n_trees_per_iteration_:
            raise RefusedFile(_DAMAGED.format("a round has another number of trees than it should"))
        for predictor in stage:
            nodes = predictor.nodes
            in_range(nodes["feature_idx"][~nodes["is_leaf"].astype(bool)], 0, n_features, "splits use the features")
    mapper = owner._bin_mapper  # noqa: SLF001
    is_categorical = np.asarray(mapper.is_categorical_)
    same_length(n_features, is_categorical=is_categorical, bin_thresholds=mapper.bin_thresholds_)
    for position in np.flatnonzero(is_categorical):
        in_range(np.asarray(mapper.bin_thresholds_[position]), 0, _BITS, "categories are")


def _neighbours(index: Any) -> None:
    data, order, nodes, bounds = (np.asarray(part) for part in index.get_arrays())
    n_rows, n_columns = data.shape
    same_length(n_rows, idx_array=order)
    in_range(order, 0, n_rows, "rows are")
    in_range(nodes["idx_start"], 0, n_rows + 1, "parts start at")
    in_range(nodes["idx_end"], 0, n_rows + 1, "parts end at")
    if (nodes["idx_start"] > nodes["idx_end"]).any():
        raise RefusedFile(_DAMAGED.format("a part of the index ends before it starts"))
    inner = np.flatnonzero(nodes["is_leaf"] == 0)
    in_range(2 * inner + 2, 0, len(nodes), "child nodes are")
    if bounds.shape[1:] != (len(nodes), n_columns) or not len(nodes):
        raise RefusedFile(_DAMAGED.format("the bounds of the index do not fit its nodes"))


def _support_vectors(machine: Any) -> None:
    if not hasattr(machine, "support_vectors_"):
        return
    total = int(np.sum(machine._n_support))  # noqa: SLF001 - what libsvm is given
    coefficients = machine._dual_coef_
    n_classes = len(getattr(machine, "classes_", ())) or 2
    fits = machine.support_vectors_.shape == (total, machine.shape_fit_[1])
    if not fits or len(machine.support_) != total or coefficients.shape != (n_classes - 1, total):
        raise RefusedFile(_DAMAGED.format("support vectors and coefficients have different sizes"))
    if machine.shape_fit_[1] != machine.n_features_in_ and machine.kernel != "precomputed":
        raise RefusedFile(_DAMAGED.format("support vectors are for another number of features"))


_CHECKS = {
    "sklearn.tree._tree.Tree": _tree,
    "sklearn.tree._classes.BaseDecisionTree": _tree_owner,
    "sklearn.ensemble._forest.BaseForest": _ensemble,
    "sklearn.ensemble._gb.BaseGradientBoosting": _boosting,
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor": _predictor,
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.BaseHistGradientBoosting": _histogram_boosting,
    "sklearn.neighbors._kd_tree.KDTree": _neighbours,
    "sklearn.neighbors._ball_tree.BallTree": _neighbours,
    "sklearn.svm._base.BaseLibSVM": _support_vectors,
}
