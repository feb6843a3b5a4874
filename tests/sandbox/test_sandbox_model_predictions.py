"""Predictions through the adapters equal the library's own, for every format.

The models are trained here a moment before, so they are opened in this process; `test_sandbox_model_process` goes
through the sandbox.
"""

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from modelops.domain.columns import Task
from modelops.sandbox.detect import detect
from modelops.sandbox.model_process import open_model
from tests.sandbox import sandbox_models as made

TASKS = ("binary", "three", "number")
DATA = {
    "numbers": {"missing": False, "text": False},
    "missing": {"missing": True, "text": False},
    "text": {"missing": False, "text": True},
    "missing text": {"missing": True, "text": True},
}
ESTIMATORS = {
    "logistic regression": (LogisticRegression(), "three"),
    "ridge without probabilities": (RidgeClassifier(), "three"),
    "linear regression": (LinearRegression(), "number"),
    "decision tree": (DecisionTreeClassifier(max_depth=3), "three"),
    "forest": (RandomForestClassifier(3, max_depth=3, random_state=0, n_jobs=2), "three"),
    "extra trees": (ExtraTreesRegressor(3, max_depth=3, random_state=0), "number"),
    "gradient boosting": (GradientBoostingClassifier(n_estimators=3), "three"),
    "histogram boosting": (HistGradientBoostingClassifier(max_iter=3), "three"),
    "histogram boosting of numbers": (HistGradientBoostingRegressor(max_iter=3), "number"),
    "ada boost": (AdaBoostClassifier(n_estimators=3), "binary"),
    "naive Bayes": (GaussianNB(), "three"),
    "neighbours": (KNeighborsClassifier(), "three"),
    "network": (MLPClassifier((4,), max_iter=2000, random_state=0, tol=1e-2), "binary"),
    "support vectors": (SVC(), "three"),
}


def check(case, opened):
    arrived = made.through_wire(case.rows)
    found = opened.predict(arrived)
    assert opened.summary.classes == case.classes
    if not case.classes:
        assert opened.summary.task is Task.REGRESSION
        np.testing.assert_array_equal(found, case.labels.astype(np.float64))
        return
    assert opened.summary.task is Task.CLASSIFICATION
    np.testing.assert_array_equal(np.array(opened.summary.classes)[found], case.labels)
    if case.scores.ndim == 2:
        np.testing.assert_allclose(opened.scores(arrived), case.scores, rtol=0, atol=2e-7)


def opened(case):
    return open_model(case.path, detect(case.path, name=case.path.name))


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("train", [made.xgboost, made.lightgbm, made.catboost])
def test_boosters_predict_as_their_library_does(train, task, data, tmp_path):
    case = train(tmp_path, task, **DATA[data])
    check(case, opened(case))


def test_xgboost_in_binary_json_predicts_as_its_library_does(tmp_path):
    case = made.xgboost(tmp_path, "three", missing=True, text=True, suffix="ubj")
    check(case, opened(case))


def test_xgboost_with_dropped_trees_predicts_as_its_library_does(tmp_path):
    case = made.xgboost(tmp_path, "binary", missing=True, text=False, booster="dart", rate_drop=0.5)
    check(case, opened(case))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # XGBoost: gblinear will go one day
def test_a_linear_xgboost_model_predicts_as_its_library_does(tmp_path):
    case = made.xgboost(tmp_path, "number", missing=False, text=False, booster="gblinear", updater="coord_descent")
    check(case, opened(case))


@pytest.mark.parametrize("policy", ["Lossguide", "Depthwise"])
def test_catboost_with_trees_that_are_not_symmetric_predicts_as_its_library_does(policy, tmp_path):
    case = made.catboost(tmp_path, "three", missing=True, text=False, grow_policy=policy)
    check(case, opened(case))


def test_lightgbm_with_linear_trees_predicts_as_its_library_does(tmp_path):
    case = made.lightgbm(tmp_path, "number", missing=False, text=False, linear_tree=True)
    check(case, opened(case))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_scikit_learn_models_predict_as_scikit_learn_does(name, tmp_path):
    estimator, task = ESTIMATORS[name]
    case = made.skops(tmp_path, estimator, task)
    check(case, opened(case))


def test_a_pipeline_with_text_and_missing_values_predicts_as_scikit_learn_does(tmp_path):
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = make_column_transformer((numbers, made.NUMBERS), (OneHotEncoder(handle_unknown="ignore"), ["c"]))
    case = made.skops(tmp_path, make_pipeline(columns, LogisticRegression()), "three", missing=True, text=True)
    model = opened(case)
    check(case, model)
    assert model.summary.features == ("a", "b", "d", "c")
    assert model.summary.steps == ("columntransformer: ColumnTransformer", "logisticregression: LogisticRegression")


def test_histogram_boosting_on_pandas_categories_predicts_as_scikit_learn_does(tmp_path):
    case = made.skops(tmp_path, HistGradientBoostingClassifier(max_iter=3), "three", missing=True, text=True)
    check(case, opened(case))


@pytest.mark.parametrize("zipmap", [False, True])
@pytest.mark.parametrize("named", [(), ("bad", "good", "new")])
def test_onnx_classifiers_predict_as_onnx_runtime_does(zipmap, named, tmp_path):
    case = made.onnx(
        tmp_path, RandomForestClassifier(3, max_depth=3, random_state=0), "three", zipmap=zipmap, named=named
    )
    check(case, opened(case))


def test_onnx_labels_that_stand_in_a_tensor_are_found(tmp_path):
    case = made.onnx(tmp_path, GaussianNB(), "three", named=("bad", "good", "new"))
    check(case, opened(case))


def test_onnx_regression_predicts_as_onnx_runtime_does(tmp_path):
    case = made.onnx(tmp_path, LinearRegression(), "number")
    check(case, opened(case))
