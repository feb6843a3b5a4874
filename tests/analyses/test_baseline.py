import datetime as dt

import numpy as np
import pytest
from sklearn import metrics
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from modelops.analyses.base import Run
from modelops.analyses.baseline import BASELINE, BaselineParameters
from modelops.analyses.baseline.rivals import highest, last_value
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.samples import (
    BINARY_ROLES,
    binary,
    binary_columns,
    evaluation,
    multiclass,
    multiclass_columns,
    permuted,
    regression,
    regression_columns,
)


def compute(data, seed=1, **parameters):
    return BASELINE.compute(data, BaselineParameters(**parameters), Run(seed=seed))


def measured(found, metric, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


def value(found, metric, baseline=None):
    return measured(found, metric, **({"baseline": baseline} if baseline else {})).value


def outcome(found, baseline):
    (table,) = found.tables
    return next(row[-1] for row in table.rows if row[0] == baseline)


@pytest.fixture(scope="module")
def two():
    return compute(binary(400))


@pytest.fixture(scope="module")
def labels():
    columns = binary_columns(400)
    return np.array([label == "yes" for label in columns["default"]]), columns


def test_the_majority_is_that_of_scikit_learns_dummy(two, labels):
    truth, _ = labels
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((400, 1)), truth)
    guess, shares = dummy.predict(np.zeros((400, 1))), dummy.predict_proba(np.zeros((400, 1)))
    assert value(two, "accuracy", "majority") == pytest.approx(metrics.accuracy_score(truth, guess))
    assert value(two, "log_loss", "majority") == pytest.approx(metrics.log_loss(truth, shares))
    assert value(two, "brier_score", "majority") == pytest.approx(metrics.brier_score_loss(truth, shares[:, 1]))
    assert value(two, "roc_auc", "majority") == 0.5


def test_the_model_itself_is_measured_as_by_scikit_learn(two, labels):
    truth, columns = labels
    predicted = np.array(columns["decision"]) == "yes"
    assert value(two, "f1") == pytest.approx(metrics.f1_score(truth, predicted))
    assert value(two, "roc_auc") == pytest.approx(metrics.roc_auc_score(truth, columns["probability"]))
    assert value(two, "log_loss") == pytest.approx(metrics.log_loss(truth, columns["probability"]))


def test_a_stratified_guess_is_what_many_guesses_give_on_average(two, labels):
    truth, _ = labels
    rng = np.random.default_rng(0)
    found = [metrics.accuracy_score(truth, rng.random(400) < truth.mean()) for _ in range(4000)]
    assert value(two, "accuracy", "stratified") == pytest.approx(np.mean(found), abs=0.003)
    assert value(two, "balanced_accuracy", "stratified") == pytest.approx(0.5)


def test_improvements_are_differences_on_the_same_rows(two):
    for metric in ("accuracy", "balanced_accuracy", "roc_auc"):
        expected = value(two, metric) - value(two, metric, "majority")
        assert value(two, f"{metric}_improvement", "majority") == pytest.approx(expected)
    expected = value(two, "log_loss", "majority") - value(two, "log_loss")
    assert value(two, "log_loss_improvement", "majority") == pytest.approx(expected)


def test_without_time_there_is_no_last_value_and_it_says_so(two):
    one = measured(two, "accuracy", baseline="last value")
    assert one.value is None
    assert "no time column" in one.note


def test_a_linear_model_trained_on_the_training_data_equals_scikit_learn():
    train, test = regression_columns(300, seed=4), regression_columns(200)
    data = evaluation(
        test,
        task=Task.REGRESSION,
        features=("area", "rooms"),
        target="price",
        prediction="estimate",
        train=train,
    )
    scaler = StandardScaler().fit(np.column_stack([train["area"], train["rooms"]]))
    target = train["price"]
    ridge = Ridge(alpha=1.0).fit(scaler.transform(np.column_stack([train["area"], train["rooms"]])), target)
    expected = ridge.predict(scaler.transform(np.column_stack([test["area"], test["rooms"]])))
    found = value(compute(data), "mean_absolute_error", "linear")
    assert found == pytest.approx(metrics.mean_absolute_error(test["price"], expected), rel=1e-6)


def test_a_linear_classifier_selects_as_many_rows_as_the_model():
    train, test = binary_columns(500, seed=4), binary_columns(300)
    data = evaluation(test, positive="yes", train=train, **{**BINARY_ROLES, "features": ("age",), "sensitive": ()})
    scaler = StandardScaler().fit(np.reshape(train["age"], (-1, 1)))
    logistic = LogisticRegression().fit(scaler.transform(np.reshape(train["age"], (-1, 1))), train["default"])
    scores = logistic.predict_proba(scaler.transform(np.reshape(test["age"], (-1, 1))))[:, 1]
    truth = np.array(test["default"]) == "yes"
    found = compute(data)
    assert value(found, "roc_auc", "linear") == pytest.approx(metrics.roc_auc_score(truth, scores))
    selected = highest(scores, int((np.array(test["decision"]) == "yes").sum()))
    assert value(found, "accuracy", "linear") == pytest.approx(metrics.accuracy_score(truth, selected))


def test_without_training_data_no_row_is_answered_by_a_model_that_saw_it():
    # 60 features of noise: a linear model judged on its own rows would look far better than chance.
    rng = np.random.default_rng(8)
    columns = {f"x{k}": rng.normal(size=200) for k in range(60)}
    columns |= {"y": rng.integers(0, 2, 200), "said": rng.integers(0, 2, 200)}
    data = evaluation(columns, features=tuple(f"x{k}" for k in range(60)), target="y", prediction="said", positive="1")
    found = compute(data)
    assert value(found, "balanced_accuracy", "linear") == pytest.approx(0.5, abs=0.12)
    assert any("No training data was given" in note for note in found.notes)


def test_a_planted_linear_relation_is_found_and_a_poor_model_loses_to_it():
    rng = np.random.default_rng(9)
    x = rng.normal(size=400)
    columns = {"x": x, "y": 3 * x + rng.normal(0, 1, 400), "said": x + rng.normal(0, 1, 400)}
    data = evaluation(columns, task=Task.REGRESSION, features=("x",), target="y", prediction="said")
    found = compute(data)
    assert outcome(found, "linear") == "worse"
    assert outcome(found, "mean") == "beats it by the margin"
    assert "Worse than: linear" in found.summary


def test_a_model_that_knows_nothing_beats_nobody():
    alarms = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        columns = {"y": rng.integers(0, 2, 200), "said": rng.integers(0, 2, 200)}
        found = compute(evaluation(columns, target="y", prediction="said", positive="1"), linear=False)
        alarms += outcome(found, "majority") not in ("not shown to be better", "not measured")
    assert alarms <= 5  # 5 % of 40 is 2; more than 5 has a probability under 2 %


def test_the_last_value_is_that_of_the_last_earlier_time():
    times = np.array([5.0, 1.0, 3.0, np.nan])
    assert last_value(times, np.array([50.0, 10.0, 30.0, 7.0]), None).tolist()[:3] == [
        30.0,
        pytest.approx(np.nan, nan_ok=True),
        10.0,
    ]


def test_the_last_value_is_that_of_the_same_entity():
    times, who = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 1, 0, 1])
    assert last_value(times, np.array([0, 1, 1, 0]), who, n_classes=2).tolist() == [-1, -1, 0, 1]


def test_a_random_walk_is_hard_to_beat_for_the_mean_but_not_for_the_last_value():
    rng = np.random.default_rng(10)
    walk = np.cumsum(rng.normal(size=500))
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=day) for day in range(500)]
    columns = {"day": days, "y": walk, "said": walk + rng.normal(0, 2, 500)}
    found = compute(evaluation(columns, task=Task.REGRESSION, target="y", prediction="said", time="day"))
    expected = np.abs(np.diff(walk)).mean()
    assert value(found, "mean_absolute_error", "last value") == pytest.approx(expected)
    assert measured(found, "mean_absolute_error", baseline="last value").sample_size == 499
    assert outcome(found, "last value") == "worse"
    assert outcome(found, "mean") == "beats it by the margin"


def test_where_no_id_comes_twice_in_time_a_last_value_does_not_apply():
    columns = {
        "day": np.append(np.arange(49), 48),
        "who": [f"ticket {min(k, 48)}" for k in range(50)],
        "y": ["a", "b"] * 25,
        "said": ["a"] * 50,
    }
    found = compute(evaluation(columns, target="y", prediction="said", time="day", ids=("who",)))
    one = measured(found, "balanced_accuracy_improvement", baseline="last value")
    assert (one.value, one.applies) == (None, False)
    assert one.note == "No row has an earlier one of the same id, so no value is the last one."


def test_a_baseline_in_a_column_is_called_by_the_name_of_the_column(labels):
    _, columns = labels
    found = compute(binary(400, rule=columns["default"], majority=columns["default"]), columns=("rule", "majority"))
    table = next(one for one in found.tables if one.name == "baselines")
    assert [row[0] for row in table.rows][-2:] == ["rule", "column:majority"]
    assert "column:rule" not in found.summary


def test_with_time_the_linear_model_learns_from_the_past_only():
    days = np.arange(200)
    columns = {"day": days, "x": days * 1.0, "y": days * 1.0, "said": days * 1.0}
    data = evaluation(columns, task=Task.REGRESSION, features=("x",), target="y", prediction="said", time="day")
    found = compute(data)
    assert measured(found, "mean_absolute_error", baseline="linear").sample_size == 160
    assert any("what came before it" in note for note in found.notes)


def test_with_time_the_order_of_the_rows_changes_nothing():
    rng = np.random.default_rng(11)
    columns = {
        "day": rng.integers(0, 30, 200),
        "x": rng.normal(size=200),
        "y": rng.normal(size=200),
        "said": rng.normal(size=200),
    }
    roles = {"features": ("x",), "target": "y", "prediction": "said", "time": "day"}
    one, other = (
        compute(evaluation(each, task=Task.REGRESSION, **roles))
        for each in (columns, permuted(columns, rng.permutation(200)))
    )
    for name in ("mean", "last value", "linear"):
        assert value(one, "mean_absolute_error", name) == pytest.approx(value(other, "mean_absolute_error", name))


def test_an_earlier_method_in_a_column_is_a_baseline(labels):
    truth, columns = labels
    rule = ["yes" if income < 45 else "no" for income in columns["income"]]
    found = compute(binary(400, rule=rule), columns=("rule", "rule"))
    expected = metrics.accuracy_score(truth, [label == "yes" for label in rule])
    assert sum(one.metric == "accuracy" and one.scope == {"baseline": "column:rule"} for one in found.measurements) == 1
    assert value(found, "accuracy", "column:rule") == pytest.approx(expected)


def test_the_golden_figure_of_mcnemar_comes_out_of_the_analysis():
    # 1,000 rows; the model alone is right in 150, the earlier method alone in 86.
    truth = np.tile([0, 1], 500)
    model, earlier = truth.copy(), truth.copy()
    earlier[:150] = 1 - earlier[:150]
    model[150:236] = 1 - model[150:236]
    columns = {"y": truth, "said": model, "before": earlier}
    found = compute(evaluation(columns, target="y", prediction="said", positive="1"), columns=("before",))
    assert value(found, "mcnemar_statistic", "column:before") == pytest.approx(17.356, abs=5e-4)
    assert value(found, "mcnemar_p_value", "column:before") == pytest.approx(3.1e-5, abs=5e-7)


def test_scores_of_an_earlier_method_are_compared_by_their_area(labels):
    truth, columns = labels
    found = compute(binary(400, old=np.asarray(columns["age"]) / 100), columns=("old",))
    expected = metrics.roc_auc_score(truth, columns["age"])
    assert value(found, "roc_auc", "column:old") == pytest.approx(expected)


def test_rows_without_an_earlier_prediction_are_left_out_of_that_comparison_only(labels):
    _, columns = labels
    rule = [None if row < 100 else label for row, label in enumerate(columns["decision"])]
    found = compute(binary(400, rule=rule), columns=("rule",))
    assert measured(found, "accuracy", baseline="column:rule").sample_size == 300
    assert measured(found, "accuracy", baseline="majority").sample_size == 400
    assert outcome(found, "rule") == "not shown to be better"
    assert any("no answer for 100 rows" in note for note in found.notes)


def test_a_model_equal_to_the_earlier_method_is_no_better_and_no_worse():
    found = compute(multiclass(200, before=multiclass_columns(200)["guess"]), columns=("before",))
    assert value(found, "accuracy_improvement", "column:before") == 0
    assert value(found, "mcnemar_p_value", "column:before") == 1
    assert measured(found, "accuracy_improvement", baseline="column:before").interval[0] < 0


def test_shares_come_from_the_training_data_where_there_is_some():
    train = {**binary_columns(200), "default": ["no"] * 150 + ["yes"] * 50}
    found = compute(evaluation(binary_columns(300), positive="yes", train=train, **BINARY_ROLES))
    truth = np.array(binary_columns(300)["default"])
    assert value(found, "accuracy", "majority") == pytest.approx((truth == "no").mean())
    expected = np.where(truth == "no", 0.75, 0.25).mean()
    assert value(found, "accuracy", "stratified") == pytest.approx(expected)


def test_p_values_are_adjusted_upwards(two):
    raw = {(one.metric, str(one.scope)): one.value for one in two.measurements if one.metric.endswith("_p_value")}
    for (metric, scope), value in raw.items():
        if "adjusted" not in metric and value is not None:
            assert raw[metric.replace("_p_value", "_adjusted_p_value"), scope] >= value - 1e-12


def test_the_margin_enters_the_outcome_and_no_number():
    data = binary(400)
    small, large = compute(data, margin=0.01), compute(data, margin=0.9)
    assert small.measurements == large.measurements
    assert outcome(small, "majority") == "beats it by the margin"
    assert outcome(large, "majority") == "beats it by less than the margin"


def test_repeated_rows_of_one_person_widen_the_interval():
    base = binary_columns(150)
    columns = {name: np.repeat(np.asarray(values, dtype=object), 4).tolist() for name, values in base.items()}
    columns["who"] = np.repeat(np.arange(150), 4)
    widths = [
        np.ptp(
            measured(
                compute(evaluation(columns, positive="yes", **BINARY_ROLES, **ids), linear=False),
                "balanced_accuracy_improvement",
                baseline="majority",
            ).interval
        )
        for ids in ({}, {"ids": ("who",)})
    ]
    assert widths[1] / widths[0] == pytest.approx(2, rel=0.2)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"columns": ("nobody",)}, "no column 'nobody'"),
        ({"columns": ("employment",)}, "none of the classes"),
        ({"metric": "r2"}, "not for classification"),
    ],
)
def test_what_does_not_fit_is_refused(parameters, said):
    with pytest.raises(InvalidInput, match=said):
        compute(binary(100), **parameters)


def test_a_text_column_cannot_hold_predictions_of_a_quantity():
    with pytest.raises(InvalidInput, match="earlier method"):
        compute(regression(100), columns=("district",))


def test_without_a_target_nothing_is_measured():
    with pytest.raises(NotMeasured, match="target"):
        compute(evaluation(binary_columns(50), **{**BINARY_ROLES, "target": None}))
