"""Tree SHAP values: exact, of the class asked for, and only where the trees see the raw columns."""

import numpy as np
import pytest
from scipy.special import logit
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from modelops.sandbox.detect import detect
from modelops.sandbox.model_process import open_model
from tests.sandbox import sandbox_models as made

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


@pytest.mark.filterwarnings("ignore:The set_bad function")  # shap's own use of matplotlib
def test_values_equal_those_of_the_shap_package(tmp_path):
    import shap
    from skops.io import load

    case = made.skops(tmp_path, RandomForestClassifier(3, max_depth=3, random_state=0), "three")
    forest = load(case.path, trusted=["sklearn.tree._tree.Tree"])
    expected = shap.TreeExplainer(forest).shap_values(case.rows.to_numpy(float))
    found = open_case(case).contributions(made.through_wire(case.rows), class_index=2)
    np.testing.assert_allclose(found.values, expected[:, :, 2], atol=1e-12)


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


def test_histogram_boosting_on_categories_has_none(tmp_path):
    case = made.skops(tmp_path, HistGradientBoostingClassifier(max_iter=3), "binary", text=True)
    assert open_case(case).contributions(made.through_wire(case.rows), class_index=1) is None


def test_a_pipeline_of_a_tree_alone_has_them(tmp_path):
    case = made.skops(tmp_path, make_pipeline(DecisionTreeClassifier(max_depth=2)), "binary")
    assert open_case(case).contributions(made.through_wire(case.rows), class_index=1) is not None
