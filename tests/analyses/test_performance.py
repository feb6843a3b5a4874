import time

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from modelops.analyses.base import Run
from modelops.analyses.performance import PERFORMANCE, PerformanceParameters
from modelops.analyses.performance.value import matrix_from_text
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.judged import verdicts
from tests.analyses.samples import (
    BINARY_ROLES,
    MULTICLASS_ROLES,
    binary,
    binary_columns,
    evaluation,
    multiclass,
    multiclass_columns,
    regression,
    regression_columns,
)


def compute(data, **parameters):
    return PERFORMANCE.compute(data, PerformanceParameters(**parameters), Run(seed=1))


def measured(found, metric, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


def value(found, metric, **scope):
    return measured(found, metric, **scope).value


@pytest.fixture(scope="module")
def two():
    return compute(binary(400))


@pytest.fixture(scope="module")
def two_columns():
    columns = binary_columns(400)
    truth = np.array([label == "yes" for label in columns["default"]])
    predicted = np.array([label == "yes" for label in columns["decision"]])
    return truth, predicted, columns["probability"]


@pytest.mark.parametrize(
    ("metric", "library"),
    [
        ("accuracy", metrics.accuracy_score),
        ("balanced_accuracy", metrics.balanced_accuracy_score),
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("f1", metrics.f1_score),
        ("matthews_corrcoef", metrics.matthews_corrcoef),
        ("cohen_kappa", metrics.cohen_kappa_score),
    ],
)
def test_a_metric_of_predictions_equals_scikit_learn(two, two_columns, metric, library):
    truth, predicted, _ = two_columns
    assert value(two, metric) == pytest.approx(library(truth, predicted))


@pytest.mark.parametrize(
    ("metric", "library"),
    [
        ("roc_auc", metrics.roc_auc_score),
        ("average_precision", metrics.average_precision_score),
        ("log_loss", metrics.log_loss),
        ("brier_score", metrics.brier_score_loss),
    ],
)
def test_a_metric_of_scores_equals_scikit_learn(two, two_columns, metric, library):
    truth, _, scores = two_columns
    assert value(two, metric) == pytest.approx(library(truth, scores))


def test_every_metric_has_an_interval_that_holds_it(two):
    for one in two.measurements:
        if one.value is not None and "criterion" not in one.scope and one.metric != "effective_sample_size":
            assert one.interval is not None, one.metric
            assert one.interval[0] <= one.value <= one.interval[1], one.metric


def test_the_rates_are_those_of_the_confusion_matrix(two, two_columns):
    truth, predicted, _ = two_columns
    tn, fp, fn, tp = metrics.confusion_matrix(truth, predicted).ravel()
    assert value(two, "specificity") == pytest.approx(tn / (tn + fp))
    assert value(two, "false_negative_rate") == pytest.approx(fn / (fn + tp))
    assert value(two, "negative_predictive_value") == pytest.approx(tn / (tn + fn))
    assert measured(two, "false_positive_rate").sample_size == tn + fp
    assert two.tables[0].rows == (("no", tn, fp), ("yes", fn, tp))


def test_the_curves_are_there_and_short():
    found = compute(binary(5000))
    assert [curve.name for curve in found.curves][:3] == ["confusion_matrix", "roc", "precision_recall"]
    names = {curve.name for curve in found.curves}
    assert {"confusion_matrix", "roc", "precision_recall", "gain", "lift", "threshold_rates", "threshold_cost"} <= names
    assert {"threshold_selection_rate", "threshold_true_positive_rate"} <= names
    assert max(len(series.x) for curve in found.curves for series in curve.series) <= 500


def test_a_row_of_the_workbench_is_a_count_at_its_threshold(two, two_columns):
    truth, _, scores = two_columns
    rates = next(curve for curve in two.curves if curve.name == "threshold_rates")
    lines = {series.name: series for series in rates.series}
    at = lines["recall"].x.index(0.3)
    assert lines["recall"].y[at] == pytest.approx(metrics.recall_score(truth, scores >= 0.3))
    assert lines["selected"].y[at] == pytest.approx(np.mean(scores >= 0.3))


def test_the_cheapest_threshold_is_the_cheapest_of_all(two_columns):
    truth, _, scores = two_columns
    found = compute(binary(400), cost_false_negative=5.0)
    chosen = value(found, "cost_per_row", criterion="lowest cost")
    costs = [np.mean(5.0 * (truth & (scores < cut)) + (~truth & (scores >= cut))) for cut in [*scores, 2.0]]
    assert chosen == pytest.approx(min(costs))


def test_capacity_is_kept_and_used(two_columns):
    found = compute(binary(400), capacity=0.1)
    assert value(found, "selection_rate", criterion="capacity") == pytest.approx(0.1)


def test_an_operating_point_says_what_it_means_for_each_group():
    found = compute(binary(400))
    columns = pd.DataFrame(binary_columns(400))
    cut = value(found, "threshold", criterion="lowest cost")
    table = next(table for table in found.tables if table.name == "operating_points_by_group")
    row = next(row for row in table.rows if row[:3] == ("lowest cost", "sex", "female"))
    mine = columns[columns.sex == "female"]
    assert row[3] == pytest.approx((mine.probability >= cut).mean())
    assert row[4] == pytest.approx((mine[mine.default == "yes"].probability >= cut).mean())


def test_business_value_is_the_sum_over_the_matrix(two_columns):
    truth, predicted, _ = two_columns
    found = compute(binary(400), value_true_positive=100.0, value_false_positive=-30.0)
    expected = 100.0 * np.sum(truth & predicted) - 30.0 * np.sum(~truth & predicted)
    total = measured(found, "business_value")
    assert total.value == pytest.approx(expected)
    assert total.interval[0] < expected < total.interval[1]
    same = compute(binary(400), value_matrix="yes > yes = 100; no > yes = -30")
    assert value(same, "business_value") == pytest.approx(expected)


def test_without_a_value_matrix_the_value_is_not_measured(two):
    assert value(two, "business_value") is None


@pytest.mark.parametrize("text", ["yes > yes", "yes > maybe = 3", "yes = 3", "yes > no = much"])
def test_a_value_matrix_that_cannot_be_read_is_refused(text):
    with pytest.raises(InvalidInput):
        matrix_from_text(text, ["no", "yes"])


def test_two_ways_to_set_the_value_are_refused():
    with pytest.raises(InvalidInput, match="one of the two"):
        compute(binary(50), value_true_positive=1.0, value_matrix="yes > yes = 1")


def test_weights_count_like_repeated_rows():
    columns = binary_columns(300)
    weights = np.random.default_rng(0).integers(1, 4, 300)
    weighted = compute(evaluation({**columns, "w": weights}, positive="yes", weight="w", **BINARY_ROLES))
    repeated = {name: np.repeat(np.array(column), weights) for name, column in columns.items()}
    plain = compute(evaluation({k: list(v) for k, v in repeated.items()}, positive="yes", **BINARY_ROLES))
    for metric in ("accuracy", "f1", "roc_auc", "average_precision", "brier_score", "matthews_corrcoef", "recall"):
        assert value(weighted, metric) == pytest.approx(value(plain, metric)), metric
    assert measured(weighted, "accuracy").sample_size == 300


def test_rows_of_one_entity_widen_the_intervals():
    columns = binary_columns(100)
    four = {name: list(np.repeat(np.array(column), 4)) for name, column in columns.items()}
    four["person"] = [f"p{n // 4}" for n in range(400)]
    alone = measured(compute(evaluation(columns, positive="yes", **BINARY_ROLES)), "accuracy")
    found = compute(evaluation(four, positive="yes", ids=("person",), **BINARY_ROLES))
    assert measured(found, "accuracy").interval == pytest.approx(alone.interval, abs=0.01)
    assert any("entity repeat" in note for note in found.notes)


def test_no_positive_label_leaves_recall_not_measured():
    found = compute(binary(60, default=["no"] * 60))
    for metric in ("recall", "roc_auc", "average_precision", "false_negative_rate"):
        assert value(found, metric) is None
        assert measured(found, metric).note
    assert value(found, "specificity") is not None


@pytest.mark.parametrize("label", ["no", "yes"])
def test_one_class_leaves_out_curves_without_points_and_the_workbench_and_says_why(label):
    found = compute(binary(60, default=[label] * 60))
    assert [curve.name for curve in found.curves] == ["confusion_matrix", "score_distribution"]
    assert [table.name for table in found.tables] == ["confusion_matrix"]
    assert any("are of one class" in note and "workbench are left out" in note for note in found.notes)


def test_scores_that_are_not_probabilities_still_rank():
    scores = np.random.default_rng(0).normal(0, 10, 60)
    found = compute(binary(60, probability=scores))
    assert value(found, "roc_auc") is not None
    assert value(found, "brier_score") is None
    assert "not probabilities" in measured(found, "log_loss").note


def test_dropped_rows_are_counted_with_their_reason():
    columns = binary_columns(50)
    columns["default"][0] = None
    columns["decision"][1] = None
    found = compute(evaluation(columns, positive="yes", **BINARY_ROLES))
    assert found.dropped == {"the target is missing": 1, "the prediction is missing": 1}


def test_without_target_nothing_is_measured():
    with pytest.raises(NotMeasured, match="target"):
        compute(evaluation(binary_columns(20), **{**BINARY_ROLES, "target": None}))


@pytest.fixture(scope="module")
def three():
    return compute(multiclass(500))


@pytest.fixture(scope="module")
def three_columns():
    columns = multiclass_columns(500)
    scores = np.column_stack([columns[name] for name in ("p_a", "p_b", "p_c")])
    return np.array(columns["kind"]), np.array(columns["guess"]), scores


def test_averages_over_classes_equal_scikit_learn(three, three_columns):
    truth, predicted, _ = three_columns
    for average, scope in (("macro", {}), ("weighted", {"average": "weighted"})):
        expected = metrics.precision_recall_fscore_support(truth, predicted, average=average)
        for metric, number in zip(("precision", "recall", "f1"), expected, strict=False):
            assert value(three, metric, **scope) == pytest.approx(number)
    assert value(three, "balanced_accuracy") == pytest.approx(metrics.balanced_accuracy_score(truth, predicted))
    assert value(three, "matthews_corrcoef") == pytest.approx(metrics.matthews_corrcoef(truth, predicted))


def test_each_class_has_its_own_metrics(three, three_columns):
    truth, predicted, scores = three_columns
    expected = metrics.precision_recall_fscore_support(truth, predicted, labels=["a", "b", "c"])
    for code, name in enumerate("abc"):
        for metric, numbers in zip(("precision", "recall", "f1"), expected, strict=False):
            assert value(three, metric, **{"class": name}) == pytest.approx(numbers[code])
        auc = metrics.roc_auc_score(truth == name, scores[:, code])
        assert value(three, "roc_auc", **{"class": name}) == pytest.approx(auc)


def test_scores_of_three_classes_equal_scikit_learn(three, three_columns):
    truth, _, scores = three_columns
    assert value(three, "roc_auc") == pytest.approx(metrics.roc_auc_score(truth, scores, multi_class="ovr"))
    assert value(three, "log_loss") == pytest.approx(metrics.log_loss(truth, scores))
    codes = np.searchsorted(["a", "b", "c"], truth)
    assert value(three, "brier_score") == pytest.approx(np.mean(np.sum((scores - np.eye(3)[codes]) ** 2, axis=1)))


def test_a_table_has_the_metrics_of_each_class(three, three_columns):
    truth, predicted, _ = three_columns
    table = next(one for one in three.tables if one.name == "classes")
    assert table.columns == ("class", "labels", "predictions", "precision", "recall", "F1", "ROC AUC")
    for row in table.rows:
        name = row[0]
        assert row[1:3] == ((truth == name).sum(), (predicted == name).sum())
        metrics_of_it = [value(three, metric, **{"class": name}) for metric in ("precision", "recall", "f1", "roc_auc")]
        assert list(row[3:]) == metrics_of_it


def test_rates_of_each_class_are_drawn_with_their_intervals(three):
    drawn = next(one for one in three.curves if one.name == "rates_by_class")
    for series in drawn.series:
        for place, name in enumerate(series.x):
            found = measured(three, series.name.lower(), **{"class": name})
            assert (series.y[place], series.low[place], series.high[place]) == (found.value, *found.interval)


def test_curves_of_each_class_against_the_rest_hold_its_area(three, three_columns):
    truth, _, scores = three_columns
    drawn = next(one for one in three.curves if one.name == "roc")
    assert [series.name for series in drawn.series] == ["a", "b", "c"]
    for code, series in enumerate(drawn.series):
        expected = metrics.roc_auc_score(truth == series.name, scores[:, code])
        assert np.trapezoid(series.y, series.x) == pytest.approx(expected, abs=0.002)


def four_classes(right, *, rows=2000, seed=0):
    """Labels of four classes; a share ``right`` of the predictions is right, the others are drawn from all four."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(list("abcd"), rows, p=[0.4, 0.3, 0.2, 0.1])
    guess = np.where(rng.random(rows) < right, truth, rng.choice(list("abcd"), rows))
    return {"kind": list(truth), "guess": list(guess)}


@pytest.mark.parametrize(
    ("columns", "outcome"),
    [
        (four_classes(0.2), {"passed"}),
        (four_classes(0.0), {"failed", "not enough data"}),
        ({**four_classes(0.0), "guess": ["a"] * 2000}, {"failed", "not enough data"}),
    ],
    ids=["better than chance, below one half", "chance", "always the commonest"],
)
def test_of_several_classes_chance_is_the_bar_and_not_one_half(columns, outcome):
    found = compute(evaluation(columns, target="kind", prediction="guess"))
    assert value(found, "balanced_accuracy") < 0.5
    assert {str(one.verdict) for one in verdicts(found, "performance.beats_chance")} <= outcome


def test_a_class_without_labels_has_no_curve_against_the_rest():
    columns = multiclass_columns(60)
    columns["kind"] = ["a" if label == "c" else label for label in columns["kind"]]
    drawn = next(one for one in compute(evaluation(columns, **MULTICLASS_ROLES)).curves if one.name == "roc")
    assert [series.name for series in drawn.series] == ["a", "b"]
    assert drawn.note == "The 2 classes with most labels of 3 that can be ranked."


def test_without_scores_there_are_no_curves_against_the_rest():
    roles = {**MULTICLASS_ROLES, "scores": (), "score_classes": ()}
    names = [one.name for one in compute(evaluation(multiclass_columns(60), **roles)).curves]
    assert names == ["confusion_matrix", "rates_by_class"]


def test_a_class_that_is_only_predicted_has_no_recall():
    columns = multiclass_columns(60)
    columns["kind"] = ["a" if label == "c" else label for label in columns["kind"]]
    found = compute(evaluation(columns, **MULTICLASS_ROLES))
    assert value(found, "recall", **{"class": "c"}) is None
    assert value(found, "precision", **{"class": "c"}) == 0.0


@pytest.fixture(scope="module")
def house():
    return compute(regression(300))


@pytest.mark.parametrize(
    ("metric", "library"),
    [
        ("mean_absolute_error", metrics.mean_absolute_error),
        ("root_mean_squared_error", metrics.root_mean_squared_error),
        ("mean_squared_error", metrics.mean_squared_error),
        ("median_absolute_error", metrics.median_absolute_error),
        ("mean_absolute_percentage_error", metrics.mean_absolute_percentage_error),
        ("r2", metrics.r2_score),
        ("explained_variance", metrics.explained_variance_score),
        ("max_error", metrics.max_error),
    ],
)
def test_a_metric_of_quantities_equals_scikit_learn(house, metric, library):
    columns = regression_columns(300)
    assert value(house, metric) == pytest.approx(library(columns["price"], columns["estimate"]))


def test_a_target_of_zero_has_no_relative_error():
    columns = regression_columns(50)
    columns["price"][0] = 0.0
    assert value(compute(regression(50, price=columns["price"])), "mean_absolute_percentage_error") is None


def test_a_constant_target_has_no_r2():
    assert value(compute(regression(50, price=np.full(50, 3.0))), "r2") is None


def test_infinite_predictions_are_dropped_and_counted():
    estimate = regression_columns(50)["estimate"]
    estimate[:2] = [np.inf, np.nan]
    found = compute(regression(50, estimate=estimate))
    assert found.dropped == {"the prediction is missing or infinite": 2}


def test_weighted_errors_equal_scikit_learn():
    columns = regression_columns(200)
    weights = np.random.default_rng(0).uniform(0, 3, 200)
    roles = {"target": "price", "prediction": "estimate", "weight": "w"}
    found = compute(evaluation({**columns, "w": weights}, task=Task.REGRESSION, **roles))
    pair = columns["price"], columns["estimate"]
    for metric, library in (
        ("mean_absolute_error", metrics.mean_absolute_error),
        ("r2", metrics.r2_score),
        ("mean_squared_error", metrics.mean_squared_error),
    ):
        assert value(found, metric) == pytest.approx(library(*pair, sample_weight=weights))


def test_the_interval_of_the_mean_error_is_that_of_the_textbook(house):
    columns = regression_columns(300)
    errors = columns["estimate"] - columns["price"]
    half = 1.96 * errors.std() / np.sqrt(300)
    assert measured(house, "mean_error").interval == pytest.approx(
        (errors.mean() - half, errors.mean() + half), abs=half * 0.15
    )


def test_a_large_target_does_not_drown_in_rounding():
    columns = regression_columns(200)
    found = compute(regression(200, price=columns["price"] + 1e9, estimate=columns["estimate"] + 1e9))
    assert value(found, "r2") == pytest.approx(metrics.r2_score(columns["price"], columns["estimate"]), rel=1e-4)


def test_a_million_rows_take_seconds():
    data = binary(1_000_000)
    start = time.perf_counter()
    compute(data)
    assert time.perf_counter() - start < 30
