"""Checks of a CatBoost cbm file before CatBoost reads it.

CatBoost verifies the structure of its FlatBuffers message and not the indices inside: a patched one reads or writes
outside its arrays when predicting.

References
----------
The schema, ``catboost/libs/model/flatbuffers/model.fbs`` and ``features.fbs`` in CatBoost's repository.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import numpy as np

from modelops.errors import RefusedFile
from modelops.sandbox.adapters.base import MAX_CLASSES, MAX_FEATURES, MAX_TREES
from modelops.sandbox.adapters.flatbuffer import Table
from modelops.sandbox.adapters.tree_shape import check_tree, in_range, same_length

_MAGIC = b"CBM1"
_MAX_SYMMETRIC_DEPTH = 16
_DAMAGED = "This CatBoost file is damaged, or made to do harm: {}. Export it again with save_model()."


class _Trees(IntEnum):
    """Fields of TModelTrees."""

    APPROX_DIMENSION = 0
    SPLITS = 1
    SIZES = 2
    STARTS = 3
    CAT_FEATURES = 4
    FLOAT_FEATURES = 5
    ONE_HOT_FEATURES = 6
    CTR_FEATURES = 7
    LEAF_VALUES = 8
    LEAF_WEIGHTS = 9
    STEP_NODES = 10
    NODE_LEAVES = 11
    TEXT_FEATURES = 12
    ESTIMATED_FEATURES = 13


def check(content: bytes) -> None:
    """Check the content of a file.

    Raises
    ------
    RefusedFile
        If a count is absurd, an index is out of range, a tree is none, or the model reads text columns.
    """
    if content[:4] != _MAGIC or len(content) < 8:
        raise RefusedFile(_DAMAGED.format("it does not begin as one"))
    size = struct.unpack_from("<I", content, 4)[0]
    if size > len(content) - 8:
        raise RefusedFile("This CatBoost file is cut off. Upload it again.")
    trees = Table.root(content[8 : 8 + size]).table(1)
    if trees is None:
        raise RefusedFile(_DAMAGED.format("it holds no trees"))
    dimension = trees.integer(_Trees.APPROX_DIMENSION, 0)
    if not 1 <= dimension <= MAX_CLASSES:
        raise RefusedFile(_DAMAGED.format(f"{dimension} numbers for each row, the limit is {MAX_CLASSES:,}"))
    if trees.count(_Trees.TEXT_FEATURES) or trees.count(_Trees.ESTIMATED_FEATURES):
        raise RefusedFile("The model reads text or embedding columns, which are not supported. Train it without them.")
    conditions = _check_features(trees)
    _check_trees(trees, conditions, dimension)


def _check_features(trees: Table) -> int:
    """Check the features; return how many conditions (feature and border) there are."""
    floats = list(trees.tables(_Trees.FLOAT_FEATURES))
    categories = list(trees.tables(_Trees.CAT_FEATURES))
    total = len(floats) + len(categories)
    if total > MAX_FEATURES:
        raise RefusedFile(_DAMAGED.format(f"{total:,} features, the limit is {MAX_FEATURES:,}"))
    for features, kind in ((floats, "numeric"), (categories, "categorical")):
        own = np.array([feature.integer(_index(kind), -1) for feature in features], dtype=np.int64)
        flat = np.array([feature.integer(_index(kind) + 1, -1) for feature in features], dtype=np.int64)
        in_range(own, 0, len(features), f"{kind} features are numbered")
        in_range(flat, 0, total, f"{kind} features are in the columns")
        if len(np.unique(own)) != len(own) or len(np.unique(flat)) != len(flat):
            raise RefusedFile(_DAMAGED.format("two features are the same column"))
    conditions = sum(feature.count(3) for feature in floats)
    for one_hot in trees.tables(_Trees.ONE_HOT_FEATURES):
        in_range(np.array([one_hot.integer(0, -1)]), 0, len(categories), "categorical splits use the features")
        conditions += one_hot.count(1)
    for ctr in trees.tables(_Trees.CTR_FEATURES):
        conditions += ctr.count(1)
        _check_combination(ctr, len(floats), len(categories))
    return conditions


def _index(kind: str) -> int:
    """Return the field that holds a feature's number: numeric features have HasNans before it."""
    return 1 if kind == "numeric" else 0


def _check_combination(ctr: Table, n_floats: int, n_categories: int) -> None:
    model = ctr.table(0)
    base = None if model is None else model.table(0)
    combination = None if base is None else base.table(0)
    if combination is None:
        raise RefusedFile(_DAMAGED.format("a statistic of categories names none"))
    in_range(combination.array(0, "<i4").astype(np.int64), 0, n_categories, "statistics use the categorical features")
    for field, count in ((1, n_floats), (2, n_categories)):
        pairs = combination.array(field, "<i8").view("<i4").reshape(-1, 2)
        in_range(pairs[:, 0].astype(np.int64), 0, count, "statistics use the features")


def _check_trees(trees: Table, conditions: int, dimension: int) -> None:
    splits = trees.array(_Trees.SPLITS, "<i4").astype(np.int64)
    sizes = trees.array(_Trees.SIZES, "<i4").astype(np.int64)
    starts = trees.array(_Trees.STARTS, "<i4").astype(np.int64)
    values = trees.count(_Trees.LEAF_VALUES)
    if len(sizes) > MAX_TREES:
        raise RefusedFile(_DAMAGED.format(f"{len(sizes):,} trees, the limit is {MAX_TREES:,}"))
    in_range(sizes, 0, len(splits) + 1, "sizes of trees are")
    expected = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if len(sizes) else sizes
    if sizes.sum() != len(splits) or (len(starts) and not np.array_equal(starts, expected)):
        raise RefusedFile(_DAMAGED.format("the trees do not lie one after the other"))
    weights = trees.count(_Trees.LEAF_WEIGHTS)
    if weights and weights * dimension != values:
        raise RefusedFile(_DAMAGED.format(f"{values} leaf values and {weights} leaf weights"))
    if trees.count(_Trees.STEP_NODES):
        _check_free_trees(trees, splits, sizes, expected, conditions, dimension)
        return
    in_range(splits, 0, max(conditions, 1), "splits use the conditions")
    if len(sizes) and sizes.max() > _MAX_SYMMETRIC_DEPTH:
        raise RefusedFile(_DAMAGED.format(f"a tree {sizes.max()} levels deep, the limit is {_MAX_SYMMETRIC_DEPTH}"))
    if int((2**sizes).sum()) * dimension != values:
        raise RefusedFile(_DAMAGED.format(f"{values} leaf values for {int((2**sizes).sum())} leaves"))


def _check_free_trees(
    trees: Table, splits: np.ndarray, sizes: np.ndarray, starts: np.ndarray, conditions: int, dimension: int
) -> None:
    """Check trees that are not symmetric: each node says how far behind it its children are, 0 for none."""
    steps = trees.array(_Trees.STEP_NODES, "<u4").view("<u2").reshape(-1, 2).astype(np.int64)
    leaves = trees.array(_Trees.NODE_LEAVES, "<u4").astype(np.int64)
    values = trees.count(_Trees.LEAF_VALUES)
    same_length(len(splits), steps=steps, leaves=leaves)
    for start, size in zip(starts, sizes, strict=True):
        part = slice(start, start + size)
        own = np.arange(size)
        here = steps[part]
        is_leaf = (here == 0).all(axis=1)
        stops = (here == 0).any(axis=1)  # a node with one child gives its own value on the other side
        left = np.where(here[:, 0] > 0, own + here[:, 0], 0)
        right = np.where(here[:, 1] > 0, own + here[:, 1], 0)
        in_range(np.concatenate([left, right]), 0, size, "child nodes are")
        in_range(splits[part][~is_leaf], 0, max(conditions, 1), "splits use the conditions")
        in_range(leaves[part][stops], 0, max(values - dimension + 1, 1), "leaves use the values")
        if not (is_leaf | ~stops).all():
            continue  # children lie behind their parents, so there is no cycle
        check_tree(left, right, is_leaf)
