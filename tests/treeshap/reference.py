"""Shapley values of a tree from their definition, and random trees with every kind of split."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from modelops.treeshap.ensemble import Categories, Rule, Tree, packed

N_CATEGORIES = 40


def goes_left(tree: Tree, node: int, x: float) -> bool:
    """Say where one value goes, by the words of `Rule`."""
    rule = Rule(int(tree.rule[node]))
    if rule is Rule.CATEGORY:
        chosen = tree.categories[node]
        if math.isnan(x):
            return chosen.missing_left
        if not 0 <= x < chosen.size:
            return chosen.others_left
        return bool(int(chosen.words[int(x) // 32]) >> (int(x) % 32) & 1)
    if rule in (Rule.AT_MOST_NOT_ZERO, Rule.AT_MOST_OR_ZERO) and (math.isnan(x) or x == 0):
        return rule is Rule.AT_MOST_OR_ZERO
    if math.isnan(x):
        return rule is Rule.AT_MOST_OR_MISSING
    return bool(x <= tree.threshold[node])


def game(tree: Tree, row: np.ndarray, coalition: frozenset[int], node: int = 0) -> float:
    """Return the value of a coalition: other features are averaged over by the shares of the training data."""
    if tree.left[node] < 0:
        return float(tree.value[node])
    left, right, feature = int(tree.left[node]), int(tree.right[node]), int(tree.feature[node])
    if feature in coalition:
        return game(tree, row, coalition, left if goes_left(tree, node, row[feature]) else right)
    share = tree.cover[left] / tree.cover[node]
    return share * game(tree, row, coalition, left) + (1 - share) * game(tree, row, coalition, right)


def by_definition(trees: list[Tree], row: np.ndarray) -> np.ndarray:
    """Return the Shapley values of one row as the weighted sum over all coalitions."""
    n = len(row)
    values = np.zeros(n)
    for i in range(n):
        others = [j for j in range(n) if j != i]
        for size in range(n):
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            for chosen in combinations(others, size):
                without, together = frozenset(chosen), frozenset((*chosen, i))
                values[i] += weight * sum(game(tree, row, together) - game(tree, row, without) for tree in trees)
    return values


def by_polynomials(tree: Tree, row: np.ndarray) -> np.ndarray:
    """Return the same leaf by leaf, with the sizes of coalitions counted by polynomials: for any number of features."""
    values = np.zeros(len(row))
    waiting: list[tuple[int, dict[int, tuple[float, bool]]]] = [(0, {})]
    while waiting:
        node, way = waiting.pop()
        if tree.left[node] < 0:
            if not way:
                continue  # one leaf alone: no feature plays a part
            size = len(way)
            # Entry [i, k]: coalitions of k others than i that lead here, weighted by the shares of the rest.
            ways = np.zeros((size, size))
            ways[:, 0] = 1.0
            for j, (share, holds) in enumerate(way.values()):
                longer = share * ways
                longer[:, 1:] += float(holds) * ways[:, :-1]
                longer[j] = ways[j]
                ways = longer
            weights = [1 / (size * math.comb(size - 1, k)) for k in range(size)]
            gains = [float(holds) - share for share, holds in way.values()]
            values[list(way)] += tree.value[node] * np.array(gains) * (ways @ np.array(weights))
            continue
        feature = int(tree.feature[node])
        left = goes_left(tree, node, row[feature])
        for child, holds in ((int(tree.left[node]), left), (int(tree.right[node]), not left)):
            before, held = way.get(feature, (1.0, True))
            share = before * tree.cover[child] / tree.cover[node]
            waiting.append((child, {**way, feature: (share, held and holds)}))
    return values


def random_tree(
    rng: np.random.Generator, *, n_features: int, depth: int, rules: tuple[Rule, ...] = tuple(Rule)
) -> Tree:
    """Grow a tree with random splits, shares and leaves; even features hold numbers, odd ones categories."""
    nodes: list[dict[str, float]] = []
    sets: dict[int, Categories] = {}

    def grow(cover: float, level: int) -> int:
        place = len(nodes)
        node = {"left": -1, "right": -1, "feature": 0, "threshold": 0.0, "rule": 0, "cover": cover, "value": 0.0}
        nodes.append(node)
        if level == 0 or (level < depth and rng.random() < 0.15):
            node["value"] = rng.normal()
            return place
        feature = int(rng.integers(n_features))
        numeric = [rule for rule in rules if rule is not Rule.CATEGORY]
        is_category = feature % 2 == 1 and Rule.CATEGORY in rules
        node |= {"feature": feature, "threshold": round(rng.normal(), 1)}
        node["rule"] = Rule.CATEGORY if is_category else rng.choice(numeric)
        if is_category:
            size = int(rng.integers(1, N_CATEGORIES))
            sets[place] = Categories(
                packed(rng.random(size) < 0.5), size, bool(rng.random() < 0.5), bool(rng.random() < 0.5)
            )
        share = rng.uniform(0.05, 0.95)
        node["left"] = grow(cover * share, level - 1)
        node["right"] = grow(cover * (1 - share), level - 1)
        return place

    grow(1000.0, depth)
    return tree_of(nodes, sets)


def tree_of(nodes: list[dict[str, float]], sets: dict[int, Categories] | None = None) -> Tree:
    """Return a tree from one record for each node."""
    whole = {
        name: np.array([node[name] for node in nodes], dtype=np.int64) for name in ("left", "right", "feature", "rule")
    }
    numbers = {name: np.array([node[name] for node in nodes], dtype=float) for name in ("threshold", "cover", "value")}
    return Tree(**whole, **numbers, categories=sets or {})


def random_rows(rng: np.random.Generator, n: int, n_features: int) -> np.ndarray:
    """Draw rows with missing values, zeros, and categories of which some are in no set."""
    rows = rng.normal(size=(n, n_features)).round(1)
    rows[:, 1::2] = rng.integers(0, N_CATEGORIES + 5, size=rows[:, 1::2].shape)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    rows[:, ::2][rng.random(rows[:, ::2].shape) < 0.1] = 0.0
    return rows
