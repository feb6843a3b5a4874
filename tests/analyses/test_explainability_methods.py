"""Dependence curves, permutation importance, local surrogates, associations and agreement, each on its own."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.inspection import partial_dependence
from sklearn.inspection import permutation_importance as sklearn_importance
from sklearn.linear_model import LinearRegression
from sklearn.metrics import log_loss, roc_auc_score

from modelops.analyses.composed import ComposedModel, drawn
from modelops.analyses.explainability.agreement import agreements, rank_correlation
from modelops.analyses.explainability.lime import Stability, local_fits
from modelops.analyses.explainability.partial_dependence import dependences, grid_of
from modelops.analyses.explainability.permutation_importance import (
    permutation_importance,
    prediction_changes,
    scoring,
    target_of,
)
from modelops.analyses.statistics.association import associations, groups
from modelops.domain.columns import Task
from modelops.errors import NotMeasured
from tests.analyses.fitted_model import FittedModel
from tests.analyses.samples import permuted, sample
from tests.analyses.test_explainability_shapley import Formula, composed, normal_pool


def dependence(model, column, *, rows=None, n_points=20):
    grid = grid_of(model.pool.iloc[:, column], column, n_points=n_points)
    rows = np.arange(model.n_pool) if rows is None else rows
    return next(dependences(model, rows, [grid]))


def test_both_slopes_equal_the_coefficient_of_a_linear_model():
    pool = normal_pool(300, 3)
    estimator = LinearRegression().fit(pool, pool @ [1.5, -2.0, 0.3])
    for column, coefficient in enumerate(estimator.coef_):
        found = dependence(composed(estimator, pool), column)
        span = np.diff(found.grid.edges)
        np.testing.assert_allclose(np.diff(found.average) / span, coefficient, atol=1e-9)
        np.testing.assert_allclose(np.diff(found.effect) / span, coefficient, atol=1e-9)


def test_partial_dependence_equals_scikit_learns():
    pool = normal_pool(200, 3)
    estimator = GradientBoostingRegressor(random_state=0).fit(pool, pool.x0 * pool.x1 + pool.x2)
    found = dependence(composed(estimator, pool), 0)
    theirs = partial_dependence(
        estimator, pool, ["x0"], kind="both", custom_values={"x0": found.grid.edges}, method="brute"
    )
    np.testing.assert_allclose(found.average, theirs["average"][0], atol=1e-10)
    np.testing.assert_allclose(found.curves, theirs["individual"][0], atol=1e-10)


def test_accumulated_effect_does_not_ask_about_combinations_that_never_occur():
    # Apley and Zhu 2020, section 1: x1 = x0, the model is wild only far off the diagonal.
    x = np.random.default_rng(0).uniform(size=400)
    pool = pd.DataFrame({"a": x, "b": x})
    model = composed(Formula(lambda a, b: a + np.where(np.abs(a - b) > 0.3, 100.0, 0.0)), pool)
    found = dependence(model, 0)
    assert np.ptp(found.effect) == pytest.approx(np.ptp(found.grid.edges), rel=1e-6)
    assert np.ptp(found.average) > 20


def test_accumulated_effect_has_mean_zero_over_the_rows_of_a_smooth_model():
    pool = normal_pool(2_000, 2)
    found = dependence(composed(Formula(lambda a, b: a + 0 * b), pool), 0, n_points=100)
    at_rows = np.interp(pool.x0, found.grid.edges, found.effect)
    assert abs(at_rows.mean()) < 0.01


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, 5.0, np.nan]), min_size=2, max_size=40), st.integers(3, 8))
@settings(max_examples=60, deadline=None)
def test_curves_stand_any_ties_and_missing_values(values, n_points):
    pool = pd.DataFrame({"x": values, "y": 1.0})
    model = composed(Formula(lambda x, y: np.nan_to_num(x) * 2 + y), pool)
    grid = grid_of(pool.x, 0, n_points=n_points)
    found = next(dependences(model, np.arange(len(pool)), [grid]))
    assert grid.counts.sum() == pool.x.notna().sum()
    np.testing.assert_allclose(found.average, grid.edges * 2 + 1)
    if found.effect is not None and len(found.effect) > 1:
        assert np.isfinite(found.effect_error).all()


def test_levels_get_a_curve_by_level_with_missing_as_one_of_them():
    pool = pd.DataFrame({"kind": pd.Categorical(["b", "a", "b", None, "b", "a"])})
    model = composed(Formula(lambda kind: np.where(kind == "a", 3.0, 1.0)), pool)
    found = dependence(model, 0)
    assert found.grid.labels == ("b", "a", "(missing)")
    assert found.grid.counts.tolist() == [3, 2, 1]
    assert found.average.tolist() == [1.0, 3.0, 1.0]
    assert found.effect is None


def test_all_curves_are_asked_for_in_one_round_trip():
    pool = normal_pool(100, 5)
    model = composed(LinearRegression().fit(pool, pool.x0), pool)
    grids = [grid_of(pool.iloc[:, k], k, n_points=10) for k in range(5)]
    assert len(list(dependences(model, np.arange(100), grids))) == 5
    assert len(model.model.calls) == 1


def importance(model, truth, *, task, repeats=20, features=None, seed=0):
    features = [(k,) for k in range(model.n_features)] if features is None else features
    before, found = permutation_importance(
        model,
        np.arange(model.n_pool),
        truth,
        features=features,
        score=scoring(task, model.model.classes),
        repeats=repeats,
        rng=np.random.default_rng(seed),
    )
    return before, list(found)


def test_importance_equals_scikit_learns_within_the_spread():
    pool = normal_pool(1_500, 4)
    truth = (pool.x0 + 0.5 * pool.x1 + np.random.default_rng(1).normal(size=1_500) > 0).to_numpy().astype(int)
    estimator = RandomForestClassifier(30, min_samples_leaf=10, random_state=0).fit(pool[:700], truth[:700])
    held_out = pool[700:].reset_index(drop=True)
    before, found = importance(composed(estimator, held_out, explained=1), truth[700:], task=Task.CLASSIFICATION)
    theirs = sklearn_importance(estimator, held_out, truth[700:], scoring="roc_auc", n_repeats=20, random_state=0)
    assert before == pytest.approx(roc_auc_score(truth[700:], estimator.predict_proba(held_out)[:, 1]))
    for mine, other in zip(found, theirs.importances_mean, strict=True):
        assert abs(mine.mean - other) < mine.spread


def test_correlated_columns_shuffled_together_lose_what_neither_loses_alone():
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    pool = pd.DataFrame({"a": x + 0.01 * rng.normal(size=600), "b": x})
    model = composed(Formula(lambda a, b: (a + b) / 2), pool)
    _, (first, second, both) = importance(model, x, task=Task.REGRESSION, features=[(0,), (1,), (0, 1)])
    assert both.mean > 1.5 * (first.mean + second.mean)


def test_a_column_that_the_model_ignores_has_importance_zero():
    pool = normal_pool(100, 2)
    _, found = importance(composed(Formula(lambda a, b: a), pool), pool.x0.to_numpy(), task=Task.REGRESSION)
    assert found[1].losses.tolist() == [0.0] * 20


def test_log_loss_of_three_classes_equals_scikit_learns():
    pool = normal_pool(400, 2)
    labels = np.array(["a", "b", "c"])[np.digitize(pool.x0, [-0.5, 0.5])]
    model = composed(RandomForestClassifier(10, random_state=0).fit(pool, labels), pool, explained=0)
    codes = target_of(labels, model.model.classes, 0)
    before, found = importance(model, codes, task=Task.CLASSIFICATION, repeats=3)
    assert -before == pytest.approx(log_loss(labels, model.model.estimator.predict_proba(pool)))
    assert found[0].mean > found[1].mean


def test_one_class_only_is_not_measured():
    pool = normal_pool(50, 2)
    model = composed(RandomForestClassifier(5, random_state=0).fit(pool, pool.x0 > 0), pool, explained=1)
    with pytest.raises(NotMeasured, match="50 positive and 0 negative"):
        importance(model, np.ones(50, dtype=int), task=Task.CLASSIFICATION)


def test_a_label_that_the_model_does_not_know_is_named():
    with pytest.raises(NotMeasured, match="'maybe'"):
        target_of(np.array(["yes", "maybe"], dtype=object), ("no", "yes"), 1)


def test_shuffling_tells_which_columns_matter_without_a_target():
    pool = normal_pool(64, 5)
    model = composed(Formula(lambda a, b, c, d, e: 3 * b + d), pool)
    changes = list(prediction_changes(model, np.arange(64), np.random.default_rng(0)))
    assert np.argsort(changes)[::-1][:2].tolist() == [1, 3]
    assert changes[0] == changes[2] == changes[4] == 0


def test_local_slopes_of_a_linear_model_are_its_coefficients_and_effects_its_shapley_values():
    pool = normal_pool(400, 3) * [1.0, 20.0, 0.1]
    estimator = LinearRegression().fit(pool, pool @ [2.0, -0.1, 5.0])
    fit = next(local_fits(composed(estimator, pool), np.array([7]), features=[0, 1, 2], samples=500, seeds=[1, 2, 3]))
    np.testing.assert_allclose(fit.slopes, np.tile(estimator.coef_, (3, 1)), rtol=1e-3)
    np.testing.assert_allclose(fit.mean, estimator.coef_ * (pool.iloc[7] - pool.mean()), rtol=1e-3)
    assert fit.fit.min() > 0.999
    assert fit.badge is Stability.STABLE


def test_the_effect_of_a_level_is_its_distance_from_the_mean():
    pool = pd.DataFrame({"kind": pd.Categorical(["a", "b", "c", "c"] * 25), "x": np.arange(100.0)})
    model = composed(Formula(lambda kind, x: 4.0 * (kind == "a") + 0 * x), pool)
    fit = next(local_fits(model, np.array([0]), features=[0, 1], samples=2_000, seeds=[0, 1]))
    assert fit.mean[0] == pytest.approx(4 - 1, rel=0.01)


def test_a_wild_model_is_not_called_stable():
    pool = normal_pool(300, 4)
    model = composed(Formula(lambda a, b, c, d: np.sign(np.sin(40 * a * b)) + 0 * c + 0 * d), pool)
    fit = next(local_fits(model, np.array([3]), features=range(4), samples=100, seeds=[1, 2, 3]))
    assert fit.badge in {Stability.POOR_FIT, Stability.UNSTABLE}


def test_features_that_are_not_varied_keep_the_rows_value():
    pool = normal_pool(100, 2)
    model = composed(Formula(lambda a, b: 1000 * b + a), pool)
    fit = next(local_fits(model, np.array([0]), features=[0], samples=100, seeds=[0, 1]))
    assert fit.slopes.shape == (2, 1)
    np.testing.assert_allclose(fit.slopes, 1, rtol=1e-3)


def test_association_of_numbers_is_spearmans():
    pool = normal_pool(200, 3)
    pool["x1"] += pool.x0
    np.testing.assert_allclose(associations(pool), np.abs(spearmanr(pool).statistic), atol=1e-12)


def test_levels_and_numbers_that_tell_each_other_are_fully_associated():
    codes = np.arange(300) % 3
    frame = pd.DataFrame(
        {"n": codes * 1.0, "k": pd.Categorical(np.array(["p", "q", "r"])[codes]), "l": codes.astype(str)}
    )
    np.testing.assert_allclose(associations(frame), 1, atol=1e-9)


def test_independent_columns_of_all_kinds_are_hardly_associated():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "n": rng.normal(size=3_000),
            "k": rng.choice(list("abcdefgh"), 3_000),
            "b": rng.random(3_000) < 0.5,
            "one": "x",
        }
    )
    off = associations(frame) - np.eye(4)
    assert off.max() < 0.08


def test_a_chain_of_neighbours_is_not_one_group():
    association = np.array([[1, 0.9, 0.2], [0.9, 1, 0.8], [0.2, 0.8, 1]])
    assert groups(association, at_least=0.7) == [[0, 1]]
    assert groups(association, at_least=0.95) == []


def test_rank_correlation_equals_scipys_with_ties():
    a, b = np.array([1.0, 2, 2, 5, 0]), np.array([3.0, 3, 1, 4, 0])
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)


def test_agreement_is_measured_on_the_features_that_both_measured():
    nan = np.nan
    (found,) = agreements({"a": np.array([5.0, 4, 3, 2, nan]), "b": np.array([1.0, nan, 3, 4, 9])}, top=2)
    assert found.n_features == 3
    assert found.rank_correlation == -1
    assert found.overlap == 0.5


def test_agreement_without_spread_is_not_defined():
    (found,) = agreements({"a": np.zeros(4), "b": np.arange(4.0)}, top=5)
    assert found.rank_correlation is None
    assert found.overlap is None


def test_the_same_rows_are_drawn_whatever_their_order():
    columns = {"x": [3.0, 1, 1, None, 2, 1] * 10, "k": ["a", "b", None, "a", "b", "b"] * 10}
    order = np.random.default_rng(0).permutation(60)
    first = sample(columns)
    second = sample(permuted(columns, order))
    here = first.frame(("x", "k")).iloc[drawn(first, ("x", "k"), limit=25, seed=3)].reset_index(drop=True)
    there = second.frame(("x", "k")).iloc[drawn(second, ("x", "k"), limit=25, seed=3)].reset_index(drop=True)
    pd.testing.assert_frame_equal(here, there, check_categorical=False)


def test_another_seed_draws_other_rows_and_equal_rows_are_drawn_one_by_one():
    columns = {"x": [1.0] * 50 + [2.0] * 50}
    rows = [drawn(sample(columns), ("x",), limit=20, seed=seed) for seed in range(40)]
    assert len({tuple(sorted(r.tolist())) for r in rows}) == 40
    shares = [float((r < 50).mean()) for r in rows]
    assert 0.4 < np.mean(shares) < 0.6
    assert min(shares) > 0
    assert max(shares) < 1


def test_batches_are_cut_and_answers_come_back_in_order():
    pool = normal_pool(50, 2)
    model = ComposedModel(FittedModel(Formula(lambda a, b: a), tuple(pool)), pool, explained=None)
    model._batch = 7
    blocks = [model.unchanged(np.arange(k, k + size)) for k, size in ((0, 3), (5, 20), (9, 1), (2, 6))]
    answers = list(model.outputs(blocks))
    expected = [pool.x0.to_numpy()[block[:, 0]] for block in blocks]
    for answer, wanted in zip(answers, expected, strict=True):
        np.testing.assert_array_equal(answer, wanted)
    assert max(model.model.calls) <= 7
