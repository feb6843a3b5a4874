"""Permutation Shapley values against closed forms and against the shap package."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression

from modelops.analyses.base import Contributions
from modelops.analyses.composed import ComposedModel
from modelops.analyses.explainability.own_shapley import exact_shapley, own_shapley
from modelops.analyses.explainability.shapley import grown_shapley, permutation_shapley
from tests.analyses.fitted_model import FittedModel


class Formula:
    """An estimator whose prediction is a formula of the columns."""

    def __init__(self, formula):
        self.formula = formula

    def predict(self, rows):
        return self.formula(*(rows[name].to_numpy() for name in rows))


def composed(estimator, pool, explained=None):
    return ComposedModel(FittedModel(estimator, tuple(pool)), pool, explained=explained)


def normal_pool(rows, columns, seed=0):
    draws = np.random.default_rng(seed).normal(size=(rows, columns))
    return pd.DataFrame(draws, columns=[f"x{k}" for k in range(columns)])


def shapley(model, rows, background, *, players=None, rounds=2, seed=0):
    players = np.arange(model.n_features) if players is None else players
    return permutation_shapley(
        model, rows, background=background, players=players, rounds=rounds, rng=np.random.default_rng(seed)
    )


def test_values_of_a_linear_model_are_the_coefficient_times_the_distance_from_the_mean():
    pool = normal_pool(60, 4)
    estimator = LinearRegression().fit(pool, pool @ [1.5, -2.0, 0.0, 0.3] + 4)
    found = shapley(composed(estimator, pool), np.arange(60), np.arange(60))
    by_hand = estimator.coef_ * (pool - pool.mean()).to_numpy()
    np.testing.assert_allclose(found.phi, by_hand, atol=1e-12)
    assert found.noise.max() < 1e-12


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(2, 3))
@settings(max_examples=25, deadline=None)
def test_contributions_plus_base_are_the_prediction(seed, n_features, rounds):
    pool = normal_pool(12, n_features, seed)
    model = composed(Formula(lambda *x: np.tanh(np.prod(x, axis=0)) + x[0] * x[-1]), pool)
    found = shapley(model, np.arange(5), np.arange(5, 12), rounds=rounds, seed=seed)
    np.testing.assert_allclose(found.phi.sum(axis=1) + found.base, model.output(np.arange(5)), atol=1e-9)
    assert found.additivity_error < 1e-9


def test_values_equal_shaps_exact_explainer_where_at_most_two_features_interact():
    pool = normal_pool(20, 4)
    formula = lambda a, b, c, d: a * b + np.sin(c) * d**2 + 2 * a
    found = shapley(composed(Formula(formula), pool), np.arange(6), np.arange(6, 20))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        masker = shap.maskers.Independent(pool.to_numpy()[6:], max_samples=14)
        explainer = shap.ExactExplainer(lambda rows: formula(*rows.T), masker)
        expected = explainer(pool.to_numpy()[:6])
    np.testing.assert_allclose(found.phi, expected.values, atol=1e-10)
    assert found.base == pytest.approx(float(expected.base_values[0]))


def test_values_of_a_forest_equal_shaps_interventional_tree_values_within_the_stated_error():
    pool = normal_pool(300, 5)
    truth = (pool.x0 * pool.x1 + pool.x2 > 0).to_numpy()
    estimator = RandomForestClassifier(20, max_depth=5, random_state=0).fit(pool, truth)
    found = shapley(composed(estimator, pool, explained=1), np.arange(30), np.arange(200, 300), rounds=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        explainer = shap.TreeExplainer(estimator, pool[200:], feature_perturbation="interventional")
        expected = explainer.shap_values(pool[:30])[..., 1]
    error = np.sqrt(((found.phi - expected) ** 2).mean(axis=0))
    assert (error < 1.6 * found.noise).all()
    assert (error > found.noise / 1.6).all()


def test_one_round_overstates_its_error_rather_than_hiding_it():
    pool = normal_pool(60, 5)
    model = composed(Formula(lambda *x: np.prod(x, axis=0) + x[0]), pool)
    rough = shapley(model, np.arange(20), np.arange(20, 60), rounds=1)
    fine = shapley(model, np.arange(20), np.arange(20, 60), rounds=60, seed=1)
    assert (np.sqrt(((rough.phi - fine.phi) ** 2).mean(axis=0)) < 1.2 * rough.noise).all()


def test_a_feature_that_the_model_ignores_gets_nothing():
    pool = normal_pool(30, 3)
    found = shapley(composed(Formula(lambda a, b, c: a * b), pool), np.arange(10), np.arange(10, 30))
    assert np.abs(found.phi[:, 2]).max() == 0


def test_columns_of_one_player_share_one_value_that_equals_the_sum_for_an_additive_model():
    pool = normal_pool(30, 3)
    model = composed(Formula(lambda a, b, c: a + 2 * b - c), pool)
    alone = shapley(model, np.arange(10), np.arange(10, 30))
    together = shapley(model, np.arange(10), np.arange(10, 30), players=np.array([0, 1, 1]))
    np.testing.assert_allclose(together.phi[:, 1], alone.phi[:, 1:].sum(axis=1), atol=1e-12)


def test_text_columns_are_explained_as_they_are():
    pool = pd.DataFrame({"kind": pd.Categorical(["a", "b", "a", "c"]), "x": [1.0, 2.0, 3.0, 4.0]})
    model = composed(Formula(lambda kind, x: (kind == "a") * 10.0 + x), pool)
    found = shapley(model, np.arange(4), np.arange(4))
    np.testing.assert_allclose(found.phi[:, 0], [5, -5, 5, -5], atol=1e-12)


def test_rows_grow_only_until_the_means_are_precise():
    pool = normal_pool(500, 3)
    model = composed(Formula(lambda a, b, c: a + 0.5 * b + 0.1 * c), pool)

    def rows_for(precision):
        found, why = grown_shapley(
            model,
            np.arange(400),
            background=np.arange(400, 500),
            players=np.arange(3),
            rounds=2,
            precision=precision,
            budget=10**6,
            rng=np.random.default_rng(0),
            progress=lambda fraction: None,
        )
        return len(found.rows), why

    few, why = rows_for(0.2)
    assert few == 32
    assert "enough" in why
    assert rows_for(0.05)[0] > 100
    assert rows_for(0.001) == (400, rows_for(0.001)[1])


def test_the_budget_limits_the_rows_and_is_named():
    pool = normal_pool(200, 3)
    model = composed(Formula(lambda a, b, c: a * b * c), pool)
    found, why = grown_shapley(
        model,
        np.arange(100),
        background=np.arange(100, 110),
        players=np.arange(3),
        rounds=2,
        precision=1e-6,
        budget=1_000,
        rng=np.random.default_rng(0),
        progress=lambda fraction: None,
    )
    assert len(found.rows) == 1_000 // (2 * 2 * 10 * 2)
    assert "budget of 1,000" in why
    assert model.asked <= 1_000 + 2 * (10 + len(found.rows))


def test_the_standard_error_covers_the_mean_over_all_rows():
    pool = normal_pool(1_100, 2)
    model = composed(Formula(lambda a, b: a + b**2), pool)
    whole = shapley(model, np.arange(1_000), np.arange(1_000, 1_100)).importance
    inside = []
    for start in range(0, 1_000, 50):
        part = shapley(model, np.arange(start, start + 50), np.arange(1_000, 1_100))
        inside += (np.abs(part.importance - whole) <= 1.96 * part.importance_error).tolist()
    assert np.mean(inside) > 0.85


def regression_contributions(pool):
    estimator = RandomForestRegressor(10, max_depth=4, random_state=0).fit(pool, pool.x0 * pool.x1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        explainer = shap.TreeExplainer(estimator)
        values = explainer.shap_values(pool)
    return Contributions(values, float(np.ravel(explainer.expected_value)[0]), "prediction", "tree"), estimator


def test_a_models_own_contributions_are_taken_if_they_add_up():
    pool = normal_pool(50, 3)
    own, estimator = regression_contributions(pool)
    found = exact_shapley(own, np.arange(50), estimator.predict(pool), two_classes=False)
    assert found is not None
    assert found.additivity_error < 1e-6
    assert found.noise.max() == 0


def test_rounding_of_large_predictions_is_no_gap():
    values, base = np.array([[2.5e5, 1e4], [-3e4, 7.0]]), 4e5
    own = Contributions(values, base, "prediction", "tree")
    found = exact_shapley(own, np.arange(2), np.float32(values.sum(axis=1) + base).astype(float), two_classes=False)
    assert found is not None
    assert found.additivity_error < 1e-7


def test_contributions_that_do_not_add_up_are_not_believed():
    pool = normal_pool(50, 3)
    own, estimator = regression_contributions(pool)
    lie = Contributions(np.multiply(own.values, 1.1), own.base, own.unit, own.method)
    assert exact_shapley(lie, np.arange(50), estimator.predict(pool), two_classes=False) is None


def test_log_odds_are_checked_against_the_probability_and_turned_round_for_the_other_class():
    values, base = np.array([[1.0, -0.5], [0.2, 0.1]]), -0.3
    probability = 1 / (1 + np.exp(-(values.sum(axis=1) + base)))
    own = Contributions(values, base, "log odds", "tree")
    same = exact_shapley(own, np.arange(2), probability, two_classes=True)
    other = exact_shapley(own, np.arange(2), 1 - probability, two_classes=True)
    assert same is not None
    assert other is not None
    np.testing.assert_array_equal(same.phi, -other.phi)
    assert other.base == 0.3


class OfEachClass(FittedModel):
    """A boosted model with raw scores for each of three classes, by hand-made additive contributions."""

    def contributions(self, rows, *, label=None):
        values = np.tanh(rows.to_numpy()) * [1.0, -2.0, 0.5] * (self.classes.index(label) + 1)
        return Contributions(values, 0.3 * self.classes.index(label), "raw score", "tree")


class SoftmaxOfSums:
    classes_ = np.array(["a", "b", "c"])
    factor = 1.0

    def predict_proba(self, rows):
        sums = (np.tanh(rows.to_numpy()) * [1.0, -2.0, 0.5]).sum(axis=1)
        raw = self.factor * np.column_stack([k * 0.3 + (k + 1) * sums for k in range(3)])
        powers = np.exp(raw)
        return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("explained", [0, 2])
def test_raw_scores_of_several_classes_are_believed_if_their_softmax_is_the_probability(explained):
    pool = normal_pool(20, 3)
    model = ComposedModel(OfEachClass(SoftmaxOfSums(), tuple(pool)), pool, explained=explained)
    found, notes = own_shapley(model, np.arange(20))
    assert notes == ()
    assert found.additivity_error < 1e-12
    assert found.base == pytest.approx(0.3 * explained)


def test_raw_scores_of_several_classes_that_give_another_probability_are_not_believed():
    pool = normal_pool(20, 3)
    other = SoftmaxOfSums()
    other.factor = 1.1
    found, notes = own_shapley(ComposedModel(OfEachClass(other, tuple(pool)), pool, explained=1), np.arange(20))
    assert found is None
    assert "do not add up" in notes[0]


def test_logarithms_are_checked_against_the_prediction():
    values, base = np.array([[1.0, -0.5], [0.2, 0.1]]), -0.3
    own = Contributions(values, base, "log of the prediction", "tree")
    found = exact_shapley(own, np.arange(2), np.exp(values.sum(axis=1) + base), two_classes=False)
    assert found is not None
    assert exact_shapley(own, np.arange(2), values.sum(axis=1) + base, two_classes=False) is None
