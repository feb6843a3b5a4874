"""Trees of an XGBoost model, read from its JSON or UBJSON document; XGBoost itself is not imported."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from modelops.errors import NotMeasured
from modelops.treeshap.ensemble import MAX_WORDS, Categories, Ensemble, Rule, Tree, assemble, packed

_LOGIT = ("binary:logistic", "reg:logistic")
_LOG = ("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft")


def boosted(learner: Mapping[str, Any], *, output: int, rounds: int | None) -> Ensemble:
    """Return the trees of one output; they look at values rounded to float32, and add up to the margin.

    Parameters
    ----------
    learner : mapping
        The part ``learner`` of a document whose indices have been checked.
    output : int
        The class, 0 where there is one output.
    rounds : int or None
        How many rounds are used; ``None`` for all.

    Raises
    ------
    NotMeasured
        If the sets of categories are too large to be kept.
    """
    booster = learner["gradient_booster"]
    weights = booster.get("weight_drop")
    model = booster["gbtree"]["model"] if weights is not None else booster["model"]
    every = model["trees"]
    end = len(every) if rounds is None else int(model["iteration_indptr"][rounds])
    factors = np.ones(len(every)) if weights is None else np.asarray(weights, dtype=np.float64)
    if sum(int(np.max(tree["categories"], initial=0)) for tree in every) > 32 * MAX_WORDS:
        raise NotMeasured("The model's splits name too many categories for exact contributions.")
    chosen = [
        _tree(tree, output, factor)
        for tree, group, factor in zip(every[:end], model["tree_info"], factors, strict=False)
        if int(group) == output or _width(tree) > 1
    ]
    sizes = learner["learner_model_param"]
    return assemble(chosen, n_features=int(sizes["num_feature"]), offset=_margin(learner, sizes["base_score"], output))


def category_names(learner: Mapping[str, Any]) -> dict[int, list[Any]]:
    """Return the stored categories of columns, as text or numbers in the order of their codes, by position."""
    booster = learner["gradient_booster"]
    model = booster["gbtree"]["model"] if "gbtree" in booster else booster["model"]
    found: dict[int, list[Any]] = {}
    for position, encoding in enumerate((model.get("cats") or {}).get("enc") or ()):
        if "type" in encoding:
            found[position] = np.asarray(encoding["values"]).tolist()
        elif len(encoding["offsets"]):
            content = np.asarray(encoding["values"]).astype(np.uint8).tobytes()
            parts = pairwise(int(end) for end in encoding["offsets"])
            found[position] = [content[start:end].decode(errors="replace") for start, end in parts]
    return found


def _margin(learner: Mapping[str, Any], written: Any, output: int) -> float:
    scores = [float(part) for part in str(written).strip("[]").split(",")]
    score = scores[output if len(scores) > 1 else 0]
    objective = learner["objective"]["name"]
    if objective in _LOGIT:
        return float(-np.log(1.0 / score - 1.0))
    return float(np.log(score)) if objective in _LOG else score


def _width(tree: Mapping[str, Any]) -> int:
    return int(tree["tree_param"].get("size_leaf_vector", 1) or 1)


def _tree(tree: Mapping[str, Any], output: int, factor: float) -> Tree:
    left = np.asarray(tree["left_children"], dtype=np.int64)
    right = np.asarray(tree["right_children"], dtype=np.int64)
    is_leaf = left < 0
    conditions = np.asarray(tree["split_conditions"]).astype(np.float32).astype(np.float64)
    missing_left = np.asarray(tree["default_left"]).astype(bool)
    is_category = (np.asarray(tree["split_type"]) == 1) & ~is_leaf
    rule = np.where(missing_left, Rule.AT_MOST_OR_MISSING, Rule.AT_MOST)
    rule[is_category] = Rule.CATEGORY
    width = _width(tree)
    value = np.where(is_leaf, conditions, 0.0)
    if width > 1:
        # Leaves of several numbers: their place in the list stands where the right child would.
        written = np.asarray(tree["leaf_weights"]).astype(np.float32).astype(np.float64)
        value[is_leaf] = written.reshape(-1, width)[right[is_leaf], output]
    return Tree(
        left=left,
        right=right,
        feature=np.where(is_leaf, 0, np.asarray(tree["split_indices"], dtype=np.int64)),
        threshold=np.nextafter(conditions, -np.inf),
        rule=rule,
        cover=np.asarray(tree["sum_hessian"]).astype(np.float32).astype(np.float64),
        value=factor * value,
        categories=_categories(tree, is_category, missing_left),
    )


def _categories(tree: Mapping[str, Any], is_category: np.ndarray, missing_left: np.ndarray) -> dict[int, Categories]:
    """Return the sets: listed categories go right, all others left."""
    found = {}
    listed = np.asarray(tree["categories"], dtype=np.int64)
    parts = zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True)
    for node, start, size in parts:
        if is_category[node]:
            own = listed[int(start) : int(start) + int(size)]
            goes_left = np.ones(int(own.max(initial=0)) + 1, dtype=bool)
            goes_left[own] = False
            found[int(node)] = Categories(packed(goes_left), len(goes_left), True, bool(missing_left[node]))
    return found
