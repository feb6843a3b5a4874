"""Checks of a LightGBM text model before LightGBM reads it: it follows the indices in the file without looking."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops.errors import RefusedFile
from modelops.sandbox.adapters.base import MAX_CLASSES, MAX_FEATURES, MAX_TREES
from modelops.sandbox.adapters.tree_shape import check_tree, in_range, same_length

_DAMAGED = "This LightGBM file is damaged, or made to do harm: {}. Export it again with booster_.save_model()."
_MAX_LEAVES = 1 << 20
# LightGBM ends the process at a number that it cannot read, and Python reads more than it does.
_NUMBERS = re.compile(r"[ 0-9.eE+-]*(?:(?:inf|nan)[ 0-9.eE+-]*)*")
_CATEGORICAL = 1  # bit of decision_type


@dataclass(frozen=True)
class Outline:
    """What the checks found and the adapter needs.

    ``end`` is where the trees end in the text.
    ``categorical`` are the positions of the features that were declared categorical; ``categories`` the stored values
    of each column that was a pandas categorical in training, in their order.
    """

    end: int
    features: tuple[str, ...]
    n_classes: int
    objective: str
    n_trees: int
    is_linear: bool
    is_average: bool
    categorical: tuple[int, ...]
    categories: tuple[list[Any], ...]


def check(text: str) -> Outline:
    """Check the text of a model.

    Raises
    ------
    RefusedFile
        If a count is absurd, an index is out of range, a tree is none, or the sizes do not add up.
    """
    try:
        return _check(text)
    except (KeyError, ValueError, IndexError, OverflowError, RecursionError) as error:
        raise RefusedFile(_DAMAGED.format("a part is missing or of another type than it should be")) from error


def _check(text: str) -> Outline:
    start = text.index("\nTree=") + 1 if "\nTree=" in text else text.index("end of trees")
    head = _values(text[:start])
    n_features = _count(head, "max_feature_idx", MAX_FEATURES - 1) + 1
    n_classes = _count(head, "num_class", MAX_CLASSES)
    per_round = _count(head, "num_tree_per_iteration", MAX_CLASSES)
    names = head["feature_names"].split(" ")
    infos = head["feature_infos"].split(" ")
    if len(names) != n_features or len(infos) != n_features or n_classes < 1 or per_round < 1:
        raise RefusedFile(_DAMAGED.format(f"{n_features} features, {len(names)} names, {len(infos)} ranges"))
    if per_round not in (1, n_classes):
        raise RefusedFile(_DAMAGED.format(f"{per_round} trees a round for {n_classes} classes"))
    end = text.index("end of trees")
    blocks = _blocks(text[start:end], head.get("tree_sizes", ""))
    if len(blocks) % per_round:
        raise RefusedFile(_DAMAGED.format(f"{len(blocks)} trees are no multiple of {per_round}"))
    is_linear = [_check_tree(_values(block), n_features) for block in blocks]
    tail = text[end:]
    return Outline(
        end=end,
        features=tuple(names),
        n_classes=n_classes,
        objective=head.get("objective", ""),
        n_trees=len(blocks),
        is_linear=any(is_linear),
        is_average="\naverage_output\n" in text[:start],
        categorical=_declared_categorical(tail, n_features),
        categories=_stored_categories(tail),
    )


def trees(text: str) -> list[dict[str, str]]:
    """Return the lines ``name=value`` of each tree of a text that has been checked."""
    return [_values(block) for block in _blocks(text[: text.index("end of trees")], "")]


def _values(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.split("\n") if "=" in line)


def _count(values: dict[str, str], name: str, most: int) -> int:
    value = int(values[name])
    if not 0 <= value <= most:
        raise RefusedFile(_DAMAGED.format(f"{name} is {value}, the limit is {most:,}"))
    return value


def _blocks(text: str, sizes: str) -> list[str]:
    """Cut the trees apart by the announced sizes, as LightGBM does, and see that each begins where it should."""
    blocks = ["Tree=" + part for part in text.split("Tree=")[1:]]
    if len(blocks) > MAX_TREES:
        raise RefusedFile(_DAMAGED.format(f"{len(blocks):,} trees, the limit is {MAX_TREES:,}"))
    announced = [int(size) for size in sizes.split()]
    if announced and announced != [len(block.encode()) for block in blocks]:
        raise RefusedFile(_DAMAGED.format("the announced sizes of the trees are not their sizes"))
    if any(block.split("\n", 1)[0] != f"Tree={index}" for index, block in enumerate(blocks)):
        raise RefusedFile(_DAMAGED.format("the trees are not numbered in order"))
    return blocks


def _check_tree(tree: dict[str, str], n_features: int) -> bool:
    if not all(_NUMBERS.fullmatch(value) for value in tree.values()):
        raise RefusedFile(_DAMAGED.format("a tree holds something that is no number"))
    leaves = int(tree["num_leaves"])
    n_categorical = int(tree["num_cat"])
    if not 1 <= leaves <= _MAX_LEAVES or not 0 <= n_categorical < max(leaves, 1):
        raise RefusedFile(_DAMAGED.format(f"a tree with {leaves} leaves and {n_categorical} categorical splits"))
    same_length(leaves, leaf_value=_numbers(tree, "leaf_value"))
    is_linear = tree.get("is_linear", "0").strip() == "1"
    if is_linear:
        _check_linear(tree, leaves, n_features)
    if leaves == 1:
        return is_linear
    features, kinds = _whole(tree, "split_feature"), _whole(tree, "decision_type")
    left, right = _whole(tree, "left_child"), _whole(tree, "right_child")
    thresholds = _numbers(tree, "threshold")
    same_length(leaves - 1, split_feature=features, decision_type=kinds, left_child=left, right_child=right)
    same_length(leaves - 1, threshold=thresholds)
    for name in ("leaf_count", "leaf_weight"):
        if tree.get(name, "").strip():
            same_length(leaves, **{name: _numbers(tree, name)})
    for name in ("internal_value", "internal_count", "internal_weight", "split_gain"):
        if tree.get(name, "").strip():
            same_length(leaves - 1, **{name: _numbers(tree, name)})
    in_range(features, 0, n_features, "splits use the features")
    in_range(kinds, 0, 16, "kinds of splits are")
    _check_children(left, right, leaves)
    _check_categories(tree, thresholds[(kinds & _CATEGORICAL) == 1], n_categorical)
    return is_linear


def _check_children(left: np.ndarray, right: np.ndarray, leaves: int) -> None:
    """Inner nodes are 0 and up, leaf k is written as -(k + 1); put the leaves behind the inner nodes."""
    inner = leaves - 1
    in_range(np.concatenate([left, right]), -leaves, inner, "child nodes are")
    padding = np.zeros(leaves, dtype=np.int64)
    lefts, rights = (np.where(side >= 0, side, inner - 1 - side) for side in (left, right))
    is_leaf = np.arange(inner + leaves) >= inner
    check_tree(np.concatenate([lefts, padding]), np.concatenate([rights, padding]), is_leaf)


def _check_categories(tree: dict[str, str], chosen: np.ndarray, n_categorical: int) -> None:
    if n_categorical == 0:
        if chosen.size:
            raise RefusedFile(_DAMAGED.format("a categorical split has no categories"))
        return
    bounds, bits = _whole(tree, "cat_boundaries"), _whole(tree, "cat_threshold")
    same_length(n_categorical + 1, cat_boundaries=bounds)
    in_range(bounds, 0, len(bits) + 1, "categories are stored at")
    if (np.diff(bounds) < 0).any() or bounds[0] != 0:
        raise RefusedFile(_DAMAGED.format("the categories are not in order"))
    in_range(chosen.astype(np.int64), 0, n_categorical, "categorical splits use the lists")


def _check_linear(tree: dict[str, str], leaves: int, n_features: int) -> None:
    counts = _whole(tree, "num_features")
    same_length(leaves, num_features=counts, leaf_const=_numbers(tree, "leaf_const"))
    total = int(counts.sum())
    features = _whole(tree, "leaf_features")
    same_length(total, leaf_features=features, leaf_coeff=_numbers(tree, "leaf_coeff"))
    in_range(counts, 0, n_features + 1, "leaves use a number of features of")
    in_range(features, 0, n_features, "leaves use the features")


def _whole(tree: dict[str, str], name: str) -> np.ndarray:
    return np.array([int(part) for part in tree[name].split()], dtype=np.int64)


def _numbers(tree: dict[str, str], name: str) -> np.ndarray:
    return np.array([float(part) for part in tree[name].split()], dtype=np.float64)


def _declared_categorical(tail: str, n_features: int) -> tuple[int, ...]:
    for line in tail.split("\n"):
        if line.startswith("[categorical_feature: "):
            parts = line.removeprefix("[categorical_feature: ").rstrip("]").split(",")
            found = tuple(int(part) for part in parts if part.strip().isdigit())
            in_range(np.array(found, dtype=np.int64), 0, n_features, "categorical features are")
            return found
    return ()


def _stored_categories(tail: str) -> tuple[list[Any], ...]:
    for line in reversed(tail.split("\n")):
        if line.startswith("pandas_categorical:"):
            stored = json.loads(line.removeprefix("pandas_categorical:"))
            return tuple(list(values) for values in stored or ())
    return ()
