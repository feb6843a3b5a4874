"""Tree SHAP values: exact, of the class asked for, and only where the trees see the raw columns."""

import numpy as np
import pytest
from scipy.special import logit
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from modelops.sandbox.detect import detect
from modelops.sandbox.model_process import open_model
from modelops.treeshap import from_scikit_learn
from modelops.treeshap.values import METHOD
from tests.sandbox import sandbox_models as made
from tests.treeshap.reference import by_definition

SKLEARN = {
    "tree": (DecisionTreeClassifier(max_depth=3), "three"),
    "tree of numbers": (DecisionTreeRegressor(max_depth=3), "number"),
    "forest": (RandomForestClassifier(3, max_depth=3, random_state=0), "three"),
    "forest of numbers": (RandomForestRegressor(3, max_depth=3, random_state=0), "number"),
    "extra trees": (ExtraTreesClassifier(3, max_depth=3, random_state=0), "binary"),
    "boosting": (GradientBoostingClassifier(n_estimators=3), "binary"),
    "boosting of numbers": (GradientBoostingRegressor(n_estimators=3), "number"),
    "histogram boosting": (HistGradientBoostingClassifier(max_iter=3), "binary"),
    "histogram boosting of counts": (HistGradientBoostingRegressor(max_iter=3, loss="poisson"), "number"),
    "histogram boosting of classes": (HistGradientBoostingClassifier(max_iter=3), "three"),
    "boosting of classes": (GradientBoostingClassifier(n_estimators=3), "three"),
}
BOOSTERS = {"xgboost": made.xgboost, "lightgbm": made.lightgbm, "catboost": made.catboost}


def open_case(case):
    return open_model(case.path, detect(case.path, name="m"))


def check_sums(model, rows, class_index):
    found = model.contributions(rows, class_index=class_index)
    assert found is not None
    assert found.values.shape == (len(rows), rows.shape[1])
    sums = found.values.sum(axis=1) + found.base
    if found.unit == "probability":
        wanted = model.scores(rows)[:, class_index]
    elif found.unit == "log odds":
        wanted = logit(model.scores(rows)[:, class_index])
    elif found.unit == "raw score":
        return found
    else:
        wanted = model.predict(rows)
        wanted = np.log(wanted) if found.unit.startswith("log") else wanted
    np.testing.assert_allclose(sums, wanted, rtol=1e-4, atol=2e-5)
    return found


@pytest.mark.parametrize("name", SKLEARN)
def test_values_of_scikit_learn_trees_add_up_to_what_the_model_gives(name, tmp_path):
    estimator, task = SKLEARN[name]
    case = made.skops(tmp_path, estimator, task)
    model = open_case(case)
    for class_index in range(max(1, len(case.classes))):
        check_sums(model, made.through_wire(case.rows), class_index)


@pytest.mark.parametrize("task", ["binary", "number"])
@pytest.mark.parametrize("name", BOOSTERS)
def test_values_of_boosters_add_up_to_what_the_model_gives(name, task, tmp_path):
    case = BOOSTERS[name](tmp_path, task, missing=True, text=True)
    model = open_case(case)
    for class_index in range(max(1, len(case.classes))):
        check_sums(model, made.through_wire(case.rows), class_index)


@pytest.mark.parametrize("name", BOOSTERS)
def test_values_of_three_classes_give_the_probabilities_by_softmax(name, tmp_path):
    case = BOOSTERS[name](tmp_path, "three", missing=False, text=False)
    model = open_case(case)
    rows = made.through_wire(case.rows)
    parts = [check_sums(model, rows, class_index) for class_index in range(3)]
    powers = np.exp(np.column_stack([part.values.sum(axis=1) + part.base for part in parts]))
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), model.scores(rows), rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # shap's own use of matplotlib
@pytest.mark.parametrize("name", [name for name in SKLEARN if name != "boosting of classes"])  # shap refuses that one
def test_values_of_scikit_learn_trees_equal_those_of_the_shap_package(name, tmp_path):
    import shap

    estimator, task = SKLEARN[name]
    case = made.skops(tmp_path, estimator, task)
    model, rows = open_case(case), made.through_wire(case.rows)
    expected = shap.TreeExplainer(model._model, feature_perturbation="tree_path_dependent").shap_values(case.rows)
    for class_index in range(max(1, len(case.classes))):
        found = model.contributions(rows, class_index=class_index)
        if expected.ndim == 3:
            wanted = expected[:, :, class_index]
        else:
            wanted = -expected if case.classes and class_index == 0 else expected
        np.testing.assert_allclose(found.values, wanted, atol=1e-9)
        assert found.method == METHOD


MISSING = {
    "forest": (RandomForestClassifier(5, max_depth=6, random_state=0), "three"),
    "extra trees": (ExtraTreesRegressor(5, max_depth=6, random_state=0), "number"),
    "tree": (DecisionTreeClassifier(max_depth=6, random_state=0), "binary"),
    "histogram boosting": (HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=3), "number"),
}


@pytest.mark.parametrize("name", MISSING)
def test_values_of_rows_with_missing_numbers_add_up(name, tmp_path):
    estimator, task = MISSING[name]
    case = made.skops(tmp_path, estimator, task, missing=True)
    for class_index in range(max(1, len(case.classes))):
        assert check_sums(open_case(case), made.through_wire(case.rows), class_index).method == METHOD


@pytest.mark.parametrize("task", ["binary", "three", "number"])
def test_values_of_histogram_boosting_on_categories_equal_the_definition(task, tmp_path):
    kind = HistGradientBoostingRegressor if task == "number" else HistGradientBoostingClassifier
    case = made.skops(tmp_path, kind(max_iter=4, min_samples_leaf=3), task, missing=True, text=True)
    model, rows = open_case(case), made.through_wire(case.rows)
    rows["c"] = rows["c"].astype(object)
    rows.loc[3, "c"] = "never seen"
    fitted = model._model
    known, place = fitted._bin_mapper.make_known_categories_bitsets()
    encoded = fitted._preprocess_X(model._frame(rows), reset=False)[:12]
    for class_index in range(max(1, len(case.classes))):
        found = check_sums(model, rows, class_index)
        column = class_index if task == "three" else 0
        trees = [from_scikit_learn._predictor(stage[column], known, place) for stage in fitted._predictors]
        sign = -1 if task == "binary" and class_index == 0 else 1
        expected = sign * np.array([by_definition(trees, row) for row in encoded])
        order = [list(rows.columns).index(name) for name in ("c", "a", "b", "d")]  # it puts categories first
        np.testing.assert_allclose(found.values[:12, order], expected, atol=1e-12)


XGBOOST = {
    "trees": {},
    "sets of categories": {"max_cat_to_onehot": 1, "max_depth": 6},
    "dropped trees": {"booster": "dart", "rate_drop": 0.5},
    "forests": {"num_parallel_tree": 3, "subsample": 0.6},
    "early stopping": {"suffix": "ubj"},
}
LIGHTGBM = {
    "trees": {"num_leaves": 15},
    "sets of categories": {"min_data_per_group": 1, "cat_smooth": 0.0, "max_cat_to_onehot": 1, "num_leaves": 15},
    "zero is missing": {"zero_as_missing": True, "num_leaves": 15},
    "nothing is missing": {"use_missing": False},
    "dropped trees": {"boosting_type": "dart"},
}


def check_against_library(model, rows, own, n_classes):
    for class_index in range(max(1, n_classes)):
        found = model.contributions(rows, class_index=class_index)
        assert found.method == METHOD
        expected = own(rows, class_index)
        sign = -1 if n_classes == 2 and class_index == 0 else 1
        np.testing.assert_allclose(found.values, sign * expected.values, atol=1e-6, rtol=1e-6)
        assert found.base == pytest.approx(sign * expected.base, abs=1e-6)


@pytest.mark.parametrize("task", ["binary", "three", "number"])
@pytest.mark.parametrize("name", XGBOOST)
def test_values_equal_those_of_xgboost_itself(name, task, tmp_path):
    case = made.xgboost(tmp_path, task, missing=True, text=True, **XGBOOST[name])
    model = open_case(case)
    check_against_library(model, made.through_wire(case.rows), model._pred_contribs, len(case.classes))


@pytest.mark.parametrize("objective", ["count:poisson", "reg:gamma", "reg:tweedie", "reg:absoluteerror"])
def test_values_equal_those_of_xgboost_itself_for_other_losses(objective, tmp_path):
    case = made.xgboost(tmp_path, "number", missing=True, text=False, objective=objective)
    model = open_case(case)
    check_against_library(model, made.through_wire(case.rows), model._pred_contribs, 0)


@pytest.mark.parametrize("task", ["binary", "three", "number"])
@pytest.mark.parametrize("name", LIGHTGBM)
def test_values_equal_those_of_lightgbm_itself(name, task, tmp_path):
    case = made.lightgbm(tmp_path, task, missing=True, text=True, **LIGHTGBM[name])
    model = open_case(case)
    rows = made.through_wire(case.rows)
    rows.loc[::9, "b"] = 0.0
    check_against_library(model, rows, model._pred_contrib, len(case.classes))


def test_values_of_a_model_trained_without_missing_values_treat_them_as_lightgbm_does(tmp_path):
    case = made.lightgbm(tmp_path, "number", missing=False, text=True)
    model = open_case(case)
    rows = made.through_wire(made.rows(missing=True, text=True))
    check_against_library(model, rows, model._pred_contrib, 0)


@pytest.mark.parametrize("task", ["binary", "number"])
def test_a_random_forest_of_lightgbm_has_them_although_lightgbm_gives_none(task, tmp_path):
    settings = {"boosting_type": "rf", "subsample": 0.7, "subsample_freq": 1}
    case = made.lightgbm(tmp_path, task, missing=False, text=True, **settings)
    for class_index in range(max(1, len(case.classes))):
        check_sums(open_case(case), made.through_wire(case.rows), class_index)


def test_trees_of_xgboost_with_several_numbers_in_a_leaf_have_them_although_xgboost_gives_none(tmp_path):
    case = made.xgboost(tmp_path, "three", missing=True, text=False, multi_strategy="multi_output_tree")
    model, rows = open_case(case), made.through_wire(case.rows)
    parts = [model.contributions(rows, class_index=class_index) for class_index in range(3)]
    margins = np.column_stack([part.values.sum(axis=1) + part.base for part in parts])
    np.testing.assert_allclose(margins, model._raw(rows, output_margin=True), atol=1e-5)


def test_categories_in_another_order_than_in_training_are_the_same_categories(tmp_path):
    case = made.xgboost(tmp_path, "number", missing=True, text=True, max_cat_to_onehot=1)
    model = open_case(case)
    rows = made.through_wire(case.rows)
    turned = rows.assign(c=rows["c"].astype(object))[["c", "d", "b", "a"]]
    found = (model.contributions(table, class_index=0).values for table in (rows, turned))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("name", BOOSTERS)
def test_staged_and_whole_models_do_not_share_their_trees(name, tmp_path):
    if name == "catboost":
        pytest.skip("its values are its own")
    case = BOOSTERS[name](tmp_path, "number", missing=True, text=True)
    model, rows = open_case(case), made.through_wire(case.rows)
    shorter = model._cut_off(2)
    for other in (model, shorter):
        check_sums(other, rows, 0)


def test_trees_too_deep_for_ours_are_left_to_the_library(tmp_path, monkeypatch):
    monkeypatch.setattr("modelops.treeshap.values._MAX_WAY", 1)
    for name in ("xgboost", "lightgbm"):
        case = BOOSTERS[name](tmp_path, "binary", missing=True, text=True)
        assert "pred_contrib" in check_sums(open_case(case), made.through_wire(case.rows), 0).method


def test_the_two_classes_of_a_booster_are_each_others_opposite(tmp_path):
    case = made.xgboost(tmp_path, "binary", missing=False, text=False)
    model = open_case(case)
    rows = made.through_wire(case.rows)
    no, yes = (model.contributions(rows, class_index=index) for index in (0, 1))
    np.testing.assert_array_equal(no.values, -yes.values)
    assert no.base == -yes.base


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        make_pipeline(StandardScaler(), RandomForestClassifier(3, max_depth=2)),
        make_pipeline(make_column_transformer(("passthrough", ["a", "b"])), DecisionTreeClassifier(max_depth=2)),
    ],
    ids=["linear", "scaled", "selected"],
)
def test_models_without_trees_on_raw_columns_have_none(estimator, tmp_path):
    case = made.skops(tmp_path, estimator, "binary")
    assert open_case(case).contributions(made.through_wire(case.rows), class_index=1) is None


def test_an_onnx_model_has_none(tmp_path):
    case = made.onnx(tmp_path, RandomForestClassifier(3, max_depth=2), "binary")
    assert open_case(case).contributions(made.through_wire(case.rows), class_index=1) is None


def test_boosting_that_starts_from_another_model_has_none(tmp_path):
    case = made.skops(tmp_path, GradientBoostingRegressor(n_estimators=3, init=LinearRegression()), "number")
    assert open_case(case).contributions(made.through_wire(case.rows), class_index=0) is None


def test_a_pipeline_of_a_tree_alone_has_them(tmp_path):
    case = made.skops(tmp_path, make_pipeline(DecisionTreeClassifier(max_depth=2)), "binary")
    assert open_case(case).contributions(made.through_wire(case.rows), class_index=1) is not None
