"""Checks of an XGBoost model before XGBoost reads it: it follows the indices in the file without looking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops.errors import RefusedFile
from modelops.sandbox.adapters.base import MAX_CLASSES, MAX_FEATURES, MAX_TREES
from modelops.sandbox.adapters.tree_shape import check_tree, in_range, same_length

_DAMAGED = "This XGBoost file is damaged, or made to do harm: {}. Export it again with save_model()."

_NO_PARENT = (-1, 2**31 - 1)


@dataclass(frozen=True)
class Outline:
    """What the checks found and the adapter needs.

    ``categories`` has, for each feature, the number of stored categories (0 for none) and whether they are numbers.
    """

    n_features: int
    n_groups: int
    n_targets: int
    objective: str
    booster: str
    is_from_scikit_learn: bool
    best_iteration: int | None
    categories: tuple[tuple[int, bool], ...]


def check(document: Any) -> Outline:
    """Check a parsed XGBoost JSON or UBJSON model.

    Raises
    ------
    RefusedFile
        If a count is absurd, an index is out of range, or a tree is none.
    """
    try:
        return _check(document)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise RefusedFile(_DAMAGED.format("a part is missing or of another type than it should be")) from error


def _check(document: Any) -> Outline:
    learner = document["learner"]
    sizes = learner["learner_model_param"]
    n_features = _count(sizes, "num_feature", MAX_FEATURES)
    n_groups = max(1, _count(sizes, "num_class", MAX_CLASSES))
    n_targets = max(1, _count(sizes, "num_target", MAX_CLASSES, default=1))
    for name in ("feature_names", "feature_types"):
        if len(learner.get(name, ())) not in (0, n_features):
            raise RefusedFile(_DAMAGED.format(f"{n_features} features and {len(learner[name])} entries in {name!r}"))
    booster = learner["gradient_booster"]
    kind = booster["name"]
    if kind == "dart":
        weights = booster["weight_drop"]
        booster = booster["gbtree"]
        if len(weights) != len(booster["model"]["trees"]):
            raise RefusedFile(_DAMAGED.format("as many weights as trees are needed"))
    model = booster["model"]
    if kind == "gblinear":
        if len(model["weights"]) != (n_features + 1) * n_groups:
            raise RefusedFile(_DAMAGED.format(f"{len(model['weights'])} weights for {n_features} features"))
    elif kind in ("gbtree", "dart"):
        _check_trees(model, n_features=n_features, n_groups=max(n_groups, n_targets))
    else:
        raise RefusedFile(_DAMAGED.format("an unknown booster"))
    attributes = learner.get("attributes", {})
    best = attributes.get("best_iteration")
    return Outline(
        n_features=n_features,
        n_groups=n_groups,
        n_targets=n_targets,
        objective=str(learner["objective"]["name"]),
        booster=str(kind),
        is_from_scikit_learn="scikit_learn" in attributes,
        best_iteration=None if best is None else int(best),
        categories=_categories(model.get("cats"), n_features),
    )


def _count(sizes: dict[str, Any], name: str, most: int, *, default: int = 0) -> int:
    value = int(sizes.get(name, default))
    if not 0 <= value <= most:
        raise RefusedFile(_DAMAGED.format(f"{name} is {value}, the limit is {most:,}"))
    return value


def _check_trees(model: dict[str, Any], *, n_features: int, n_groups: int) -> None:
    trees = model["trees"]
    declared = int(model["gbtree_model_param"]["num_trees"])
    if declared != len(trees) or len(trees) > MAX_TREES:
        raise RefusedFile(_DAMAGED.format(f"{declared} trees declared and {len(trees)} there (limit {MAX_TREES:,})"))
    groups = _whole(model["tree_info"])
    same_length(len(trees), tree_info=groups)
    in_range(groups, 0, n_groups, "trees are for the classes")
    bounds = _whole(model.get("iteration_indptr", [0, len(trees)]))
    if len(bounds) and (bounds[0] != 0 or bounds[-1] != len(trees) or (np.diff(bounds) < 0).any()):
        raise RefusedFile(_DAMAGED.format("the rounds do not add up to the trees"))
    for tree in trees:
        _check_tree(tree, n_features)


def _check_tree(tree: dict[str, Any], n_features: int) -> None:
    declared = tree["tree_param"]
    size, width = int(declared["num_nodes"]), int(declared.get("size_leaf_vector", 1) or 1)
    left, right = _whole(tree["left_children"]), _whole(tree["right_children"])
    is_leaf = left == -1
    features = _whole(tree["split_indices"])
    conditions = np.asarray(tree["split_conditions"], dtype=np.float64)
    defaults, parents = _whole(tree["default_left"]), _whole(tree["parents"])
    same_length(size, left_children=left, split_indices=features, split_conditions=conditions, parents=parents)
    same_length(size, default_left=defaults)
    if len(tree["base_weights"]) < size or not 1 <= width <= MAX_CLASSES or int(declared["num_feature"]) != n_features:
        raise RefusedFile(_DAMAGED.format("the parts of a tree have different sizes"))
    check_tree(left, right, is_leaf)
    own = np.flatnonzero(~is_leaf)
    if parents[0] not in _NO_PARENT or (parents[left[own]] != own).any() or (parents[right[own]] != own).any():
        raise RefusedFile(_DAMAGED.format("a node of a tree names another parent than it has"))
    in_range(features[~is_leaf], 0, n_features, "splits use the features")
    if width > 1:
        # Leaves of several numbers: the position in the list of weights stands where the right child would.
        leaves = right[is_leaf]
        in_range(leaves, 0, len(tree["leaf_weights"]) // width, "leaves use the weights")
    kinds = _whole(tree["split_type"])
    same_length(size, split_type=kinds)
    in_range(kinds, 0, 2, "kinds of splits are")
    _check_categories(tree, np.flatnonzero(kinds == 1), size)


def _check_categories(tree: dict[str, Any], categorical: np.ndarray, size: int) -> None:
    nodes, starts = _whole(tree["categories_nodes"]), _whole(tree["categories_segments"])
    lengths, values = _whole(tree["categories_sizes"]), _whole(tree["categories"])
    same_length(len(nodes), categories_segments=starts, categories_sizes=lengths)
    in_range(nodes, 0, size, "categorical splits are in the nodes")
    in_range(starts, 0, len(values) + 1, "categories start at")
    in_range(lengths, 0, len(values) + 1, "categories number")
    in_range(starts + lengths, 0, len(values) + 1, "categories end at")
    in_range(values, 0, 1 << 24, "categories are")
    if not np.isin(categorical, nodes).all():
        raise RefusedFile(_DAMAGED.format("a categorical split has no categories"))


def _categories(stored: Any, n_features: int) -> tuple[tuple[int, bool], ...]:
    encodings = (stored or {}).get("enc", [])
    if not len(encodings):
        return ((0, False),) * n_features
    if len(encodings) != n_features:
        raise RefusedFile(_DAMAGED.format("categories for another number of features"))
    found = []
    for encoding in encodings:
        is_number = "type" in encoding
        count = len(encoding["values"]) if is_number else max(0, len(encoding["offsets"]) - 1)
        if not is_number and len(encoding["offsets"]):
            in_range(_whole(encoding["offsets"]), 0, len(encoding["values"]) + 1, "category names end at")
        found.append((count, is_number))
    return tuple(found)


def _whole(values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.size == 0:
        return np.zeros(0, dtype=np.int64)
    if array.dtype.kind not in "iub" or array.ndim != 1:
        raise TypeError("whole numbers are needed")
    return array.astype(np.int64)
