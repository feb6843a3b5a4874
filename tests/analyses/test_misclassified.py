"""The queue of mistakes: complete, in the order asked for, without raw rows in the result."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, mean_absolute_error, roc_auc_score

from modelops.analyses.base import Run
from modelops.analyses.misclassified import MISCLASSIFIED, MisclassifiedParameters
from modelops.analyses.misclassified.queue import cells
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.samples import (
    BINARY_ROLES,
    binary,
    binary_columns,
    evaluation,
    multiclass,
    permuted,
    regression,
)


def compute(data, seed=1, **parameters):
    return MISCLASSIFIED.compute(data, MisclassifiedParameters(**parameters), Run(seed=seed))


def value(found, metric, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope).value


def queue(found):
    return next(table for table in found.tables if table.name == "queue")


def column(table, name):
    return [row[table.columns.index(name)] for row in table.rows]


def truth_and_said(data):
    return data.data.labels("default"), data.data.labels("decision")


def test_the_queue_holds_every_mistake_and_nothing_else_if_it_is_long_enough():
    data = binary(300)
    truth, said = truth_and_said(data)
    found = compute(data, rows=1000)
    assert set(column(queue(found), "row")) == {int(row) + 1 for row in np.flatnonzero(truth != said)}
    assert value(found, "queued_error_share") == 1
    assert value(found, "accuracy") == pytest.approx(accuracy_score(truth, said))


def test_the_surest_mistakes_come_first():
    found = compute(binary(300), rows=20)
    scores = column(queue(found), "score of predicted")
    assert scores == sorted(scores, reverse=True)
    data = binary(300)
    truth, said = truth_and_said(data)
    sure = np.where(said == "yes", data.data.numbers("probability"), 1 - data.data.numbers("probability"))
    assert scores[0] == pytest.approx(sure[truth != said].max())


def test_costly_mistakes_come_first_and_among_them_the_surest():
    found = compute(binary(300), order="cost", cost_false_negative=5, rows=1000)
    table = queue(found)
    costs = column(table, "cost")
    assert costs == sorted(costs, reverse=True)
    missed = [row for row in table.rows if row[1:3] == ("yes", "no")]
    assert list(table.rows[: len(missed)]) == missed
    scores = [row[3] for row in missed]
    assert scores == sorted(scores, reverse=True)


def test_costs_of_several_classes_are_those_of_the_matrix():
    table = queue(compute(multiclass(300), order="cost", cost_matrix="a > c = 9; b > a = 2", rows=1000))
    assert {row[1:3]: row[5] for row in table.rows}["a", "c"] == 9
    assert table.rows[0][1:3] == ("a", "c")
    assert {row[1:3]: row[5] for row in table.rows}["c", "b"] == 0


def test_planted_label_errors_come_first_where_labels_are_in_doubt():
    rng = np.random.default_rng(5)
    x = rng.normal(0, 2, 2000)
    probability = 1 / (1 + np.exp(-2 * x))
    truth = rng.random(2000) < probability
    flipped = rng.choice(2000, 60, replace=False)
    labels = truth.copy()
    labels[flipped] = ~labels[flipped]
    columns = {"x": x, "y": labels.astype(int), "s": probability, "p": (probability > 0.5).astype(int)}
    data = evaluation(columns, positive="1", features=("x",), target="y", prediction="p", scores=("s",))
    found = compute(data, order="label_suspicion", rows=40)
    planted = {int(row) + 1 for row in flipped}
    # Of all mistakes, 60 in 338 are planted: a queue without skill would hold seven.
    assert len(planted & set(column(queue(found), "row"))) >= 30
    assert all(column(queue(found), "label suspected")[:20])


@pytest.mark.parametrize(
    "distorted", [lambda z: z, lambda z: 2.5 * z, lambda z: z + 1.4], ids=["right", "sure", "shifted"]
)
def test_mistakes_of_a_model_on_right_labels_are_not_called_wrong_labels(distorted):
    claimed = mistakes = 0.0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        z = rng.normal(-1.2, 1.2, 1500)
        truth = rng.random(1500) < 1 / (1 + np.exp(-z))
        score = 1 / (1 + np.exp(-distorted(z)))
        columns = {"y": truth.astype(int), "s": score, "p": (score > 0.5).astype(int)}
        found = compute(evaluation(columns, positive="1", target="y", prediction="p", scores=("s",)))
        claimed += value(found, "suspected_label_error_count")
        mistakes += value(found, "misclassified_count")
    assert claimed < 0.03 * mistakes


def test_most_labels_that_are_called_wrong_are():
    rng = np.random.default_rng(5)
    score = 1 / (1 + np.exp(-rng.normal(0, 4, 4000)))
    flipped = rng.random(4000) < 0.04
    labels = (rng.random(4000) < score) ^ flipped
    columns = {"y": labels.astype(int), "s": score, "p": (score > 0.5).astype(int)}
    found = compute(evaluation(columns, positive="1", target="y", prediction="p", scores=("s",)), rows=1000)
    table = queue(found)
    place = table.columns.index("label suspected")
    called = [int(row[0]) - 1 for row in table.rows if row[place]]
    assert len(called) == value(found, "suspected_label_error_count") > 30
    assert flipped[called].mean() > 0.7
    assert f"In {len(called)} of the mistakes the label is more likely wrong than the model." in found.summary


def test_scores_that_are_no_probabilities_call_no_label_wrong():
    columns = binary_columns(300)
    columns["probability"] = np.asarray(columns["probability"]) * 150
    found = compute(evaluation(columns, positive="yes", **BINARY_ROLES))
    (one,) = [one for one in found.measurements if one.metric == "suspected_label_error_count"]
    assert (one.value, one.note) == (None, "The scores lie outside 0 to 1, so they are not probabilities.")
    assert "label is more likely wrong" not in found.summary


def test_how_well_the_score_warns_is_the_area_of_scikit_learn():
    data = binary(300)
    truth, said = truth_and_said(data)
    sure = np.where(said == "yes", data.data.numbers("probability"), 1 - data.data.numbers("probability"))
    found = compute(data)
    assert value(found, "error_detection_roc_auc") == pytest.approx(roc_auc_score(truth == said, sure))
    assert value(found, "mean_confidence", outcome="wrong") == pytest.approx(sure[truth != said].mean())


def test_a_random_queue_is_a_random_sample_of_the_mistakes():
    data = binary(2000)
    truth, said = truth_and_said(data)
    wrong = set((np.flatnonzero(truth != said) + 1).tolist())
    drawn = [frozenset(column(queue(compute(data, seed=s, order="random", rows=50)), "row")) for s in range(40)]
    assert len(set(drawn)) == 40
    assert all(rows <= wrong for rows in drawn)
    # Every mistake is as likely as every other: how often each was drawn varies as a binomial count does.
    times = np.array([sum(row in rows for rows in drawn) for row in sorted(wrong)])
    share = 50 / len(wrong)
    assert times.var() == pytest.approx(40 * share * (1 - share), rel=0.3)


def test_the_same_rows_are_queued_whatever_the_order_of_the_table():
    columns = binary_columns(300)
    order = np.random.default_rng(0).permutation(300)
    plain = queue(compute(evaluation(columns, positive="yes", **BINARY_ROLES), rows=30))
    mixed = queue(compute(evaluation(permuted(columns, order), positive="yes", **BINARY_ROLES), rows=30))
    assert [int(order[row - 1]) + 1 for row in column(mixed, "row")] == column(plain, "row")


def test_the_largest_errors_of_a_regression_come_first():
    data = regression(300)
    price, estimate = data.data.numbers("price"), data.data.numbers("estimate")
    found = compute(data, rows=10)
    largest = np.argsort(-np.abs(estimate - price))[:10]
    assert column(queue(found), "row") == [int(row) + 1 for row in largest]
    assert value(found, "mean_absolute_error") == pytest.approx(mean_absolute_error(price, estimate))
    expected = np.abs(estimate - price)[largest].sum() / np.abs(estimate - price).sum()
    assert value(found, "queued_error_share") == pytest.approx(expected)


def test_errors_of_a_regression_cost_by_their_direction():
    found = compute(regression(300), order="cost", cost_false_positive=0, cost_false_negative=2, rows=10)
    errors, costs = column(queue(found), "error"), column(queue(found), "cost")
    assert all(error < 0 for error in errors)
    assert costs == pytest.approx([-2 * error for error in errors])


def test_the_values_of_rows_stand_in_the_cases_and_not_in_the_result():
    columns = binary_columns(200)
    columns["remark"] = [f"remark number {row}" for row in range(200)]
    roles = {**BINARY_ROLES, "features": (*BINARY_ROLES["features"], "remark")}
    found = compute(evaluation(columns, positive="yes", **roles))
    rows = column(found.cases, "row")
    assert column(found.cases, "remark") == [f"remark number {row - 1}" for row in rows]
    result = "".join(part.model_dump_json() for part in (*found.measurements, *found.curves, *found.tables))
    assert "remark" not in result + json.dumps(found.notes) + found.summary


def test_sensitive_columns_are_not_shown_to_the_reader_of_a_case():
    found = compute(binary(200))
    assert not {"sex", "region"} & set(found.cases.columns)


def test_values_of_every_kind_can_be_read():
    import pandas as pd

    assert cells(pd.Series([1, 2])) == [1, 2]
    assert cells(pd.Series([True, False])) == [True, False]
    assert cells(pd.Series([np.inf, 0.5])) == ["inf", 0.5]
    assert cells(pd.Series(pd.to_datetime(["2025-01-02", None]))) == ["2025-01-02 00:00:00", None]
    assert cells(pd.Series(["x" * 5000]))[0] == "x" * 999 + "\N{HORIZONTAL ELLIPSIS}"


def test_without_scores_the_queue_is_random_and_says_so():
    data = binary(300)
    columns = {name: data.data.source.column(name) for name in data.data.source.names}
    roles = {name: of for name, of in BINARY_ROLES.items() if name != "scores"}
    found = compute(evaluation(columns, positive="yes", **roles))
    assert any("queued at random" in note for note in found.notes)
    assert value(found, "error_detection_roc_auc") is None


def test_no_mistakes_is_a_result():
    data = evaluation({"y": [0, 1] * 30, "p": [0, 1] * 30}, positive="1", target="y", prediction="p")
    found = compute(data)
    assert found.summary == "None of 60 predictions is wrong, so there is nothing to read."
    assert value(found, "queue_length") == 0


def test_a_table_without_labels_is_refused():
    with pytest.raises(NotMeasured, match="needs a target column"):
        compute(evaluation({"p": [0, 1]}, prediction="p"))


def test_a_negative_cost_is_refused():
    with pytest.raises(InvalidInput, match="costs are 0 or more"):
        compute(binary(100), cost_matrix="yes > no = -1")


def test_repeated_rows_do_not_make_the_detection_of_errors_surer():
    columns = binary_columns(200)
    repeated = {name: np.repeat(np.asarray(values), 5) for name, values in columns.items()}
    repeated["who"] = np.repeat(np.arange(200), 5)
    found = [compute(evaluation(columns, positive="yes", **BINARY_ROLES))]
    found.append(compute(evaluation(repeated, positive="yes", ids=("who",), **BINARY_ROLES)))
    ends = [
        next(one for one in each.measurements if one.metric == "error_detection_roc_auc").interval for each in found
    ]
    widths = [high - low for low, high in ends]
    assert widths[1] == pytest.approx(widths[0], rel=0.1)  # not by the root of five
