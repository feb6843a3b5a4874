from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from modelops.analyses.base import Run
from modelops.analyses.overfitting import OVERFITTING, OverfittingParameters
from modelops.analyses.statistics.intervals import newcombe
from modelops.domain.columns import Task
from modelops.domain.policy import load_policy
from modelops.errors import NotMeasured
from tests.analyses.fitted_model import FittedModel
from tests.analyses.judged import verdicts
from tests.analyses.samples import (
    BINARY_ROLES,
    MULTICLASS_ROLES,
    binary,
    binary_columns,
    evaluation,
    multiclass_columns,
)

POLICY = Path(__file__).parents[2] / "data" / "policies" / "default.yaml"
ROLES = {"features": ("x", "z"), "target": "y", "prediction": "said", "scores": ("score",)}


def compute(data, seed=1, **parameters):
    return OVERFITTING.compute(data, OverfittingParameters(**parameters), Run(seed=seed))


def measured(found, metric, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


def value(found, metric, **scope):
    return measured(found, metric, **scope).value


def noisy(rows, seed):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=rows), rng.normal(size=rows)
    return {"x": x, "z": z, "y": (x + rng.normal(0, 2, rows) > 0).astype(int)}


def trained_on(estimator, train, test):
    """Both tables with the answers of an estimator trained on the first."""
    frames = [np.column_stack([part["x"], part["z"]]) for part in (train, test)]
    frames = [pd.DataFrame(frame, columns=["x", "z"]) for frame in frames]
    estimator.fit(frames[0], train["y"])
    filled = []
    for part, frame in zip((train, test), frames, strict=True):
        score = estimator.predict_proba(frame)[:, 1]
        filled.append({**part, "said": estimator.predict(frame), "score": score})
    data = evaluation(filled[1], positive="1", train=filled[0], **ROLES)
    return replace(data, model=FittedModel(estimator, ("x", "z"))), filled


@pytest.fixture(scope="module")
def forest():
    estimator = RandomForestClassifier(30, random_state=0, n_jobs=1)
    data, filled = trained_on(estimator, noisy(300, 1), noisy(400, 2))
    return compute(data, permutations=2), filled


def test_one_permutation_has_no_interval():
    estimator = RandomForestClassifier(5, random_state=0, n_jobs=1)
    data, _ = trained_on(estimator, noisy(200, 1), noisy(200, 2))
    found = compute(data, permutations=1)
    for metric, scope in (("roc_auc", {"split": "train", "labels": "permuted"}), ("memorised_share", {})):
        one = measured(found, metric, **scope)
        assert one.value is not None
        assert one.interval is None


def test_both_sides_are_measured_as_by_scikit_learn(forest):
    found, (train, test) = forest
    for name, part in (("train", train), ("test", test)):
        assert value(found, "roc_auc", split=name) == pytest.approx(metrics.roc_auc_score(part["y"], part["score"]))
        assert value(found, "f1", split=name) == pytest.approx(metrics.f1_score(part["y"], part["said"]))
        assert value(found, "log_loss", split=name) == pytest.approx(metrics.log_loss(part["y"], part["score"]))


def test_a_gap_is_train_less_test_and_turned_for_losses(forest):
    found, _ = forest
    expected = value(found, "accuracy", split="train") - value(found, "accuracy", split="test")
    assert value(found, "accuracy_gap") == pytest.approx(expected)
    expected = value(found, "log_loss", split="test") - value(found, "log_loss", split="train")
    assert value(found, "log_loss_gap") == pytest.approx(expected)
    low, high = measured(found, "log_loss_gap").interval
    assert low < value(found, "log_loss_gap") < high


def test_the_gap_of_the_accuracy_has_newcombes_interval(forest):
    found, (train, test) = forest
    right = [int((part["said"] == part["y"]).sum()) for part in (train, test)]
    assert measured(found, "accuracy_gap").interval == pytest.approx(newcombe(right[0], 300, right[1], 400))


def test_a_forest_that_knows_its_rows_by_heart_is_found(forest):
    found, _ = forest
    assert measured(found, "roc_auc_gap").interval[0] > 0.1
    assert "where the model has seen the rows" in found.summary


def test_a_model_that_can_memorise_learns_permuted_labels_too(forest):
    found, _ = forest
    assert value(found, "roc_auc", split="train", labels="permuted") > 0.95
    assert value(found, "memorised_share") > 0.9


def test_a_linear_model_has_no_gap_and_cannot_memorise():
    data, _ = trained_on(LogisticRegression(), noisy(1500, 1), noisy(800, 2))
    found = compute(data)
    low, high = measured(found, "roc_auc_gap").interval
    assert low < 0 < high
    assert value(found, "memorised_share") < 0.25
    assert "no more apart than chance explains" in found.summary


def test_without_a_gap_few_intervals_exclude_zero():
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        parts = []
        for rows in (200, 300):
            y = rng.integers(0, 2, rows)
            parts.append({"y": y, "said": np.where(rng.random(rows) < 0.8, y, 1 - y)})
        data = evaluation(parts[0], target="y", prediction="said", positive="1", train=parts[1])
        low, high = measured(compute(data), "balanced_accuracy_gap").interval
        alarms += not low <= 0 <= high
    assert alarms <= 8  # 5 % of 60 is 3; more than 8 has a probability under 1 %


def test_the_rounds_of_a_model_that_has_none_do_not_apply():
    data, _ = trained_on(LogisticRegression(), noisy(300, 3), noisy(300, 4))
    told = verdicts(compute(data, permutations=0), "overfitting.rounds")
    assert [str(one.verdict) for one in told] == ["not applicable"]
    assert "not boosted" in told[0].because


def test_without_a_model_whether_it_is_boosted_is_not_known():
    data, _ = trained_on(LogisticRegression(), noisy(300, 3), noisy(300, 4))
    told = verdicts(compute(replace(data, model=None)), "overfitting.rounds")
    assert [str(one.verdict) for one in told] == ["not enough data"]


def test_boosting_that_goes_on_too_long_is_found():
    estimator = GradientBoostingClassifier(n_estimators=300, learning_rate=0.3, max_depth=4, random_state=0)
    data, (_, test) = trained_on(estimator, noisy(300, 3), noisy(1000, 4))
    found = compute(data, permutations=0, stages=60)
    assert value(found, "boosting_rounds") == 300
    assert value(found, "best_boosting_round") < 40
    assert measured(found, "loss_increase_after_best_round").interval[0] > 0.5
    assert [str(one.verdict) for one in verdicts(found, "overfitting.rounds")] == ["failed"]
    assert "rounds of boosting are more than it needs" in found.summary
    curve = next(one for one in found.curves if one.name == "stages")
    expected = metrics.log_loss(test["y"], test["score"])
    assert curve.series[1].y[-1] == pytest.approx(expected)
    assert curve.y_title == "Log loss"


def test_the_train_curve_of_boosting_keeps_falling():
    estimator = GradientBoostingRegressor(n_estimators=80, max_depth=4, random_state=0)
    parts = [{**noisy(rows, rows), "y": np.random.default_rng(rows).normal(size=rows)} for rows in (200, 300)]
    estimator.fit(pd.DataFrame({name: parts[0][name] for name in ("x", "z")}), parts[0]["y"])
    parts = [
        {**part, "said": estimator.predict(pd.DataFrame({name: part[name] for name in ("x", "z")}))} for part in parts
    ]
    roles = {"features": ("x", "z"), "target": "y", "prediction": "said"}
    data = evaluation(parts[1], task=Task.REGRESSION, train=parts[0], **roles)
    found = compute(replace(data, model=FittedModel(estimator, ("x", "z"))), permutations=0)
    curve = next(one for one in found.curves if one.name == "stages")
    assert curve.y_title == "Mean squared error"
    train, test = curve.series
    assert np.all(np.diff(train.y) < 0)
    assert test.y[-1] == pytest.approx(metrics.mean_squared_error(parts[1]["y"], parts[1]["said"]))


def test_early_stopped_boosting_is_not_accused():
    accused = 0
    for seed in range(12):
        estimator = GradientBoostingClassifier(n_estimators=12, learning_rate=0.05, max_depth=2, random_state=seed)
        data, _ = trained_on(estimator, noisy(600, 2 * seed), noisy(400, 2 * seed + 1))
        accused += measured(compute(data, permutations=0), "loss_increase_after_best_round").interval[0] > 0
    assert accused <= 2


def test_no_training_data_is_an_outcome_of_its_own():
    found = compute(binary(200))
    assert value(found, "accuracy", split="test") is not None
    for one in (measured(found, "accuracy_gap"), measured(found, "accuracy", split="train")):
        assert one.value is None
        assert "No training data was given" in one.note
    assert "No training data was given" in found.summary


def test_training_data_without_predictions_gives_the_reason():
    train = {
        name: values for name, values in binary_columns(200, seed=7).items() if name not in ("decision", "probability")
    }
    found = compute(evaluation(binary_columns(200), positive="yes", train=train, **BINARY_ROLES))
    assert "could not be measured" in measured(found, "accuracy_gap").note


def test_a_model_without_a_recipe_gives_the_reason():
    class Sealed(FittedModel):
        def refit(self, train, target, rows, *, seed):
            return None

    data, _ = trained_on(LogisticRegression(), noisy(200, 1), noisy(200, 2))
    found = compute(replace(data, model=Sealed(data.model.estimator, ("x", "z"))))
    assert "no recipe" in measured(found, "memorised_share").note
    assert "not boosted" in measured(found, "boosting_rounds").note


def test_better_on_test_than_on_train_never_fails():
    rule = load_policy(POLICY.read_text(encoding="utf-8")).rule("overfitting.gap")
    y = np.tile([0, 1], 200)
    test, train = {"y": y, "said": y}, {"y": y, "said": np.where(np.arange(400) < 150, 1 - y, y)}
    found = compute(evaluation(test, target="y", prediction="said", positive="1", train=train))
    gap = measured(found, rule.or_metric)
    assert gap.interval[1] < 0
    assert rule.excess(gap.value) < 0


def test_permuted_labels_do_not_teach_a_regression_anything_but_a_tree_learns_them():
    rng = np.random.default_rng(5)
    parts = [{"x": rng.normal(size=200), "z": rng.normal(size=200)} for _ in range(2)]
    for part in parts:
        part["y"] = part["said"] = part["x"] + rng.normal(size=200)
    roles = {"features": ("x", "z"), "target": "y", "prediction": "said"}
    frame = pd.DataFrame({name: parts[0][name] for name in ("x", "z")})
    tree = DecisionTreeRegressor(random_state=0).fit(frame, parts[0]["y"])
    data = evaluation(parts[1], task=Task.REGRESSION, train=parts[0], **roles)
    found = compute(replace(data, model=FittedModel(tree, ("x", "z"))), permutations=2)
    assert value(found, "r2", split="train", labels="permuted") == pytest.approx(1.0)
    assert value(found, "memorised_share") == pytest.approx(1.0)


def test_many_classes_are_told_apart_by_balanced_accuracy():
    found = compute(evaluation(multiclass_columns(300), train=multiclass_columns(300, seed=8), **MULTICLASS_ROLES))
    assert measured(found, "balanced_accuracy_gap").interval is not None
    assert "more than two classes" in measured(found, "roc_auc_gap").note


def test_repeated_rows_of_one_person_widen_the_interval_of_the_gap():
    base = binary_columns(150)
    columns = {name: np.repeat(np.asarray(values, dtype=object), 4).tolist() for name, values in base.items()}
    columns["who"] = np.repeat(np.arange(150), 4)
    widths = [
        np.ptp(
            measured(
                compute(evaluation(columns, positive="yes", train=columns, **BINARY_ROLES, **ids)), "accuracy_gap"
            ).interval
        )
        for ids in ({}, {"ids": ("who",)})
    ]
    assert widths[1] / widths[0] == pytest.approx(2, rel=0.15)


def test_without_a_target_nothing_is_measured():
    with pytest.raises(NotMeasured, match="target"):
        compute(evaluation(binary_columns(50), **{**BINARY_ROLES, "target": None}))


def test_a_metric_that_several_classes_do_not_have_takes_no_row_of_the_table():
    data = evaluation(multiclass_columns(200), train=multiclass_columns(300, seed=7), **MULTICLASS_ROLES)
    table = next(one for one in compute(data).tables if one.name == "gaps")
    assert [row[0] for row in table.rows] == ["Accuracy", "Balanced accuracy", "Log loss", "Brier score"]
