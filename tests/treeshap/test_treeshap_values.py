"""Exact tree SHAP against the definition of the Shapley value, for every kind of split."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelops.errors import NotMeasured
from modelops.treeshap.ensemble import Rule, Tree, assemble
from modelops.treeshap.values import base, shapley_values
from tests.treeshap.reference import (
    by_definition,
    by_polynomials,
    game,
    random_rows,
    random_tree,
    tree_of,
)

SEEDS = st.integers(0, 2**32 - 1)


def grown(seed, *, n_features, depth, n_trees=2, n_rows=8):
    rng = np.random.default_rng(seed)
    trees = [random_tree(rng, n_features=n_features, depth=depth) for _ in range(n_trees)]
    return trees, random_rows(rng, n_rows, n_features)


HARMFUL = {
    "a cycle": ("left", [1, 0, -1, -1, -1]),
    "a root with a parent": ("left", [0, 3, -1, -1, -1]),
    "a child of two": ("right", [1, 4, -1, -1, -1]),
    "a child in the next tree": ("right", [2, 5, -1, -1, -1]),
    "no right child": ("right", [-1, 4, -1, -1, -1]),
    "a feature too many": ("feature", [0, 2, 0, 0, 0]),
    "a feature too few": ("feature", [0, -1, 0, 0, 0]),
    "an unknown rule": ("rule", [0, 9, 0, 0, 0]),
    "a cover that is no number": ("cover", [4, np.nan, 2, 1, 1]),
    "a negative cover": ("cover", [4, -2, 6, 1, 1]),
    "an endless cover": ("cover", [np.inf, 2, 2, 1, 1]),
}


@pytest.mark.parametrize("what", HARMFUL)
def test_a_harmful_structure_is_refused_before_compiled_code_follows_it(what):
    parts = {
        "left": [1, 3, -1, -1, -1],
        "right": [2, 4, -1, -1, -1],
        "feature": [0, 1, 0, 0, 0],
        "threshold": [0.0] * 5,
        "rule": [0] * 5,
        "cover": [4.0, 2, 2, 1, 1],
        "value": [0.0, 0, 1, 2, 3],
    }
    sound = Tree(**{name: np.array(values) for name, values in parts.items()})
    assert assemble([sound, sound], n_features=2, offset=0.0).depth == 2
    name, values = HARMFUL[what]
    harmful = Tree(**{each: np.array(given) for each, given in {**parts, name: values}.items()})
    for trees in ([harmful, sound], [sound, harmful]):
        with pytest.raises(NotMeasured):
            assemble(trees, n_features=2, offset=0.0)


def values_of(trees, rows, *, offset=0.0):
    return shapley_values(assemble(trees, n_features=rows.shape[1], offset=offset), rows)


@given(SEEDS, st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_values_equal_the_sum_over_all_coalitions(seed, n_features, depth):
    trees, rows = grown(seed, n_features=n_features, depth=depth)
    expected = [by_definition(trees, row) for row in rows]
    np.testing.assert_allclose(values_of(trees, rows), expected, atol=1e-12)


@given(SEEDS, st.integers(1, 12), st.integers(1, 8), st.sampled_from([1, 7, 60, 700]))
@settings(max_examples=40, deadline=None)
def test_values_and_base_add_up_to_the_output_of_every_row(seed, n_features, depth, n_rows):
    trees, rows = grown(seed, n_features=n_features, depth=depth, n_rows=n_rows)
    ensemble = assemble(trees, n_features=n_features, offset=3.5)
    output = [3.5 + sum(game(tree, row, frozenset(range(n_features))) for tree in trees) for row in rows]
    np.testing.assert_allclose(shapley_values(ensemble, rows).sum(axis=1) + base(ensemble), output, atol=1e-10)


@given(SEEDS, st.sampled_from([20, 90]), st.integers(6, 11))
@settings(max_examples=15, deadline=None)
def test_values_of_large_trees_equal_those_counted_by_polynomials(seed, n_features, depth):
    trees, rows = grown(seed, n_features=n_features, depth=depth, n_trees=1, n_rows=6)
    expected = [by_polynomials(trees[0], row) for row in rows]
    np.testing.assert_allclose(values_of(trees, rows), expected, atol=1e-11)


@pytest.mark.parametrize("n_rows", [1, 2, 31, 500, 2_047, 2_500])
def test_a_row_gets_the_same_values_whatever_rows_are_beside_it(n_rows):
    trees, rows = grown(5, n_features=9, depth=10, n_rows=2_500)
    alone = [values_of(trees, rows[k : k + 1])[0] for k in range(0, n_rows, 97)]
    np.testing.assert_allclose(values_of(trees, rows[:n_rows])[::97], alone, atol=1e-12)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_a_feature_that_no_split_looks_at_gets_exactly_nothing(seed):
    trees, rows = grown(seed, n_features=4, depth=5)
    wider = np.column_stack([rows, np.arange(len(rows))])
    assert (values_of(trees, wider)[:, 4] == 0).all()


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_features_in_the_same_part_get_the_same(seed):
    rng = np.random.default_rng(seed)
    tree = random_tree(rng, n_features=2, depth=4, rules=(Rule.AT_MOST, Rule.AT_MOST_OR_MISSING))
    feature = tree.feature
    # The mirror image has the two features change places; together they are treated alike.
    mirrored = type(tree)(**{**vars(tree), "feature": 1 - feature})
    rows = np.repeat(rng.normal(size=(6, 1)), 2, axis=1)
    values = values_of([tree, mirrored], rows)
    np.testing.assert_allclose(values[:, 0], values[:, 1], atol=1e-12)


@given(SEEDS, st.floats(-3, 3))
@settings(max_examples=20, deadline=None)
def test_values_of_a_sum_of_trees_are_the_sums_of_their_values(seed, factor):
    trees, rows = grown(seed, n_features=4, depth=5)
    scaled = type(trees[1])(**{**vars(trees[1]), "value": factor * trees[1].value})
    apart = values_of(trees[:1], rows) + factor * values_of(trees[1:], rows)
    np.testing.assert_allclose(values_of([trees[0], scaled], rows), apart, atol=1e-11)


def chain(n_features):
    """Grow a tree that leaves at each level: as deep as it has features, all of them on the way to the last leaf."""
    nodes = []
    for k in range(n_features):
        cover = 2.0 ** -(k / 20)
        nodes.append(
            {
                "left": 2 * k + 1,
                "right": 2 * k + 2,
                "feature": k,
                "threshold": 0.0,
                "rule": 1,
                "cover": cover,
                "value": 0,
            }
        )
        leaf = {"left": -1, "right": -1, "feature": 0, "threshold": 0.0, "rule": 0, "value": np.sin(k)}
        nodes.append({**leaf, "cover": cover - 2.0 ** -((k + 1) / 20)})
    nodes.append({**nodes[-1], "cover": 2.0 ** -(n_features / 20), "value": 5.0})
    return tree_of(nodes)


@pytest.mark.parametrize("n_features", [63, 64, 65, 66, 130])
def test_more_features_on_the_way_than_a_word_has_bits(n_features):
    tree = chain(n_features)
    rows = np.random.default_rng(1).normal(size=(5, n_features)) + 0.8
    rows[0] = 1.0
    expected = [by_polynomials(tree, row) for row in rows]
    np.testing.assert_allclose(values_of([tree], rows), expected, atol=1e-11)


def test_the_number_of_quadrature_points_may_stop_growing():
    tree = chain(700)
    rows = np.vstack([np.ones(700), np.random.default_rng(2).normal(size=(1, 700)) + 1.5])
    ensemble = assemble([tree], n_features=700, offset=0.0)
    output = [game_of_chain(tree, row) for row in rows]
    np.testing.assert_allclose(shapley_values(ensemble, rows).sum(axis=1) + base(ensemble), output, atol=1e-10)


def game_of_chain(tree, row):
    node = 0
    while tree.left[node] >= 0:
        node = int(tree.left[node] if row[tree.feature[node]] <= 0 else tree.right[node])
    return tree.value[node]


def test_a_tree_that_is_too_deep_is_not_measured():
    with pytest.raises(NotMeasured, match="2,100 levels deep"):
        values_of([chain(2_100)], np.ones((1, 2_100)))


def test_a_part_that_no_training_row_reached_gets_halves():
    leaf = {"left": -1, "right": -1, "feature": 0, "threshold": 0.0, "rule": 0}
    split = {"threshold": 0.0, "rule": 0, "value": 0.0}
    tree = tree_of(
        [
            {**split, "left": 1, "right": 2, "feature": 0, "cover": 10.0},
            {**leaf, "cover": 10.0, "value": 1.0},
            {**split, "left": 3, "right": 4, "feature": 1, "cover": 0.0},
            {**leaf, "cover": 0.0, "value": 2.0},
            {**leaf, "cover": 0.0, "value": 6.0},
        ]
    )
    # The row (1, 1) ends in the last leaf: base 1; coalition of the first feature alone (2 + 6) / 2 = 4, of the second
    # alone 1, of both 6. So the first gets (4 - 1 + 6 - 1) / 2 and the second (0 + 6 - 4) / 2.
    np.testing.assert_allclose(values_of([tree], np.array([[1.0, 1.0]])), [[4.0, 1.0]])


@pytest.mark.parametrize("n_trees", [0, 1])
def test_without_splits_everything_is_the_base(n_trees):
    leaf = {"left": -1, "right": -1, "feature": 0, "threshold": 0.0, "rule": 0, "cover": 1.0, "value": 2.5}
    ensemble = assemble([tree_of([leaf])] * n_trees, n_features=3, offset=1.0)
    assert shapley_values(ensemble, np.zeros((4, 3))).tolist() == [[0.0] * 3] * 4
    assert base(ensemble) == 1.0 + 2.5 * n_trees


def test_no_rows_have_no_values():
    trees, rows = grown(3, n_features=3, depth=3)
    assert values_of(trees, rows[:0]).shape == (0, 3)
