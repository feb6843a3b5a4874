"""Label quality: planted wrong labels are found and counted, and honest doubt is no error."""

import json

import numpy as np
import pytest
from scipy.stats import t as student

from modelops.analyses.base import Run
from modelops.analyses.label_quality import LABEL_QUALITY, LabelQualityParameters
from modelops.analyses.label_quality.confident import by_chance, class_thresholds, confident_class, joint, suspects
from modelops.analyses.label_quality.deviations import deviations, far_out
from modelops.analyses.label_quality.noise import label_noise
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.judged import verdicts
from tests.analyses.samples import evaluation, permuted


class Found:
    def __init__(self, computed):
        self.computed = computed
        self._values = {(one.metric, json.dumps(one.scope)): one for one in computed.measurements}

    def one(self, metric, **scope):
        return self._values[metric, json.dumps(scope)]

    @property
    def queue(self):
        return next((table.rows for table in self.computed.tables if table.name == "review_queue"), ())

    @property
    def queued(self):
        return {row[0] for row in self.queue}


def checked(columns, train=None, task=Task.CLASSIFICATION, **parameters):
    scores = tuple(name for name in columns if name.startswith("p_"))
    outputs = ("y", "guess", *scores)
    data = evaluation(
        columns,
        task=task,
        train=train,
        target="y",
        prediction="guess" if "guess" in columns else None,
        scores=scores,
        score_classes=tuple(name[2:] for name in scores),
        features=tuple(name for name in columns if name not in outputs),
    )
    return Found(LABEL_QUALITY.compute(data, LabelQualityParameters(**parameters), Run(seed=1)))


def planted(rows=2000, wrong=0.05, seed=0, classes="abc"):
    """Classes that are told apart well, scores that know the truth, and some labels changed at random."""
    rng = np.random.default_rng(seed)
    k = len(classes)
    truth = rng.integers(0, k, rows)
    logits = rng.normal(0, 0.8, (rows, k))
    logits[np.arange(rows), truth] += 5
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    changed = rng.random(rows) < wrong
    labels = np.where(changed, (truth + rng.integers(1, k, rows)) % k, truth)
    columns = {f"p_{name}": scores[:, place] for place, name in enumerate(classes)}
    columns["x"] = truth + rng.normal(0, 0.15, rows)
    columns["z"] = rng.normal(size=rows)
    columns["y"] = [classes[label] for label in labels]
    return columns, set((np.flatnonzero(changed) + 1).tolist())


def precision_and_recall(found, truth):
    hits = len(found & truth)
    return hits / len(found), hits / len(truth)


# Recovery


@pytest.mark.parametrize("classes", ["ab", "abc"])
def test_five_percent_of_wrong_labels_are_found_with_given_scores(classes):
    columns, wrong = planted(classes=classes)
    found = checked(columns)
    precision, recall = precision_and_recall(found.queued, wrong)
    assert precision > 0.9
    assert recall > 0.9
    rate = found.one("estimated_label_error_rate")
    assert rate.interval[0] < len(wrong) / 2000 < rate.interval[1] + 0.01
    assert found.one("label_issue_p_value").value < 0.01


def test_five_percent_of_wrong_labels_are_found_without_any_scores():
    columns, wrong = planted()
    found = checked({name: columns[name] for name in ("x", "z", "y")})
    precision, recall = precision_and_recall(found.queued, wrong)
    assert precision > 0.8
    assert recall > 0.9
    assert any("five folds" in note for note in found.computed.notes)


def test_which_label_is_mistaken_for_which_is_estimated():
    rng = np.random.default_rng(3)
    columns, _ = planted(4000, wrong=0.0)
    labels = np.array(columns["y"])
    changed = (labels == "a") & (rng.random(4000) < 0.2)
    columns["y"] = list(np.where(changed, "b", labels))
    found = checked(columns)
    cell = found.one("label_noise_joint", **{"class": "b", "true_class": "a"})
    assert cell.interval[0] <= changed.mean() <= cell.interval[1]
    assert found.one("label_noise_joint", **{"class": "a", "true_class": "b"}).value < 0.005
    assert all(row[1:3] == ("b", "a") for row in found.queue[:50])


def test_the_queue_begins_with_the_most_suspicious_and_counts_rows_from_one():
    columns, wrong = planted()
    queue = checked(columns, queue=30).queue
    margins = [row[5] for row in queue]
    assert len(queue) == 30
    assert margins == sorted(margins, reverse=True)
    assert {row[0] for row in queue} <= wrong
    assert all(columns["y"][row[0] - 1] == row[1] for row in queue)


def test_wrong_targets_of_a_regression_lead_the_queue():
    rng = np.random.default_rng(4)
    x = rng.normal(size=2000)
    y = 10 * x + rng.normal(0, 1, 2000)
    wrong = rng.choice(2000, 40, replace=False)
    y[wrong] *= -1
    y[wrong] += 30
    found = checked({"x": x, "guess": 10 * x, "y": y}, task=Task.REGRESSION)
    precision, recall = precision_and_recall(found.queued, set((wrong + 1).tolist()))
    assert (precision, recall) > (0.95, 0.9)
    assert found.one("label_issue_p_value").value < 1e-6
    assert "Not applicable" in found.one("estimated_label_error_rate").note


# No alarm


def test_outcomes_that_are_uncertain_are_no_errors():
    alarms = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        p = rng.beta(2, 2, 1000)
        y = np.where(rng.random(1000) < p, "yes", "no")
        found = checked({"p_no": 1 - p, "p_yes": p, "y": list(y)}, draws=60)
        alarms += found.one("label_issue_p_value").value <= 0.05
    # 20 runs at 5 %: more than 4 with a probability of 3 in 1,000.
    assert alarms <= 4


def test_features_that_tell_nothing_are_no_sign_of_wrong_labels():
    excesses = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        columns = {f"x{k}": rng.normal(size=600) for k in range(6)} | {"y": rng.choice(["a", "b"], 600)}
        found = checked(columns, draws=100)
        excesses.append(found.one("excess_label_issue_rate").value)
    assert np.mean(excesses) < 0.04  # 0.11 by the scores' own doubt


def test_a_queue_that_is_too_short_for_all_suspects_is_not_said_to_hold_them():
    rng = np.random.default_rng(0)
    p = rng.beta(2, 2, 1000)
    columns = {"p_no": 1 - p, "p_yes": p, "y": list(np.where(rng.random(1000) < p, "yes", "no"))}
    assert "; the 20 most suspicious stand in the review queue." in checked(columns, queue=20).computed.summary
    assert "; they stand in the review queue." in checked(columns, queue=1000).computed.summary


def test_doubt_is_said_to_be_doubt():
    rng = np.random.default_rng(0)
    p = rng.beta(2, 2, 1000)
    y = np.where(rng.random(1000) < p, "yes", "no")
    found = checked({"p_no": 1 - p, "p_yes": p, "y": list(y)})
    assert "all labels may be right" in found.computed.summary
    assert "one right answer" not in found.computed.summary
    assert found.one("expected_label_issue_rate").value == pytest.approx(found.one("label_issue_rate").value, abs=0.03)


def test_right_labels_that_are_told_apart_raise_nothing():
    columns, _ = planted(wrong=0.0)
    found = checked(columns)
    assert found.one("label_issue_rate").value < 0.005
    assert found.one("label_issue_p_value").value > 0.05


@pytest.mark.parametrize("degrees", [3, 200])
def test_long_tails_of_a_regression_are_expected(degrees):
    alarms = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=2000)
        errors = rng.standard_t(degrees, 2000)
        alarms += (
            checked({"x": x, "guess": x, "y": x + errors}, task=Task.REGRESSION).one("label_issue_p_value").value
            <= 0.01
        )
    assert alarms <= 4


# The numbers


def test_the_confident_joint_is_that_of_a_hand_computation():
    # Thresholds: mean score of a among rows labelled a: (0.9 + 0.8 + 0.2) / 3; of b among b: (0.9 + 0.6 + 0.3) / 3.
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9], [0.4, 0.6], [0.7, 0.3]])
    given = np.array([0, 0, 0, 1, 1, 1])
    thresholds = class_thresholds(scores, given)
    assert thresholds == pytest.approx([1.9 / 3, 0.6])
    confident = confident_class(scores, thresholds)
    assert confident.tolist() == [0, 0, 1, 1, 1, 0]
    # Each given label has three rows, two of them confident of it: half of the rows times two thirds.
    assert joint(given, confident, scores.argmax(axis=1), 2) == pytest.approx(
        np.array([[1 / 3, 1 / 6], [1 / 6, 1 / 3]])
    )
    found = suspects(scores, given)
    assert found.wrong.tolist() == [False, False, True, False, False, True]
    assert found.margin == pytest.approx([-0.8, -0.6, 0.6, -0.8, -0.2, 0.4])


def test_the_joint_has_the_given_shares_in_its_rows():
    columns, _ = planted(wrong=0.2)
    found = checked(columns)
    for name in "abc":
        cells = [found.one("label_noise_joint", **{"class": name, "true_class": other}).value for other in "abc"]
        assert sum(cells) == pytest.approx(columns["y"].count(name) / 2000)


def test_the_p_value_is_never_zero():
    columns, _ = planted(wrong=0.3)
    assert checked(columns, draws=50).one("label_issue_p_value").value == pytest.approx(1 / 51)


def sure(rows=1500, *, seed=0, exponent=1.0, wrong=0.0, spread=3.0):
    """Two classes and their scores, raised to ``exponent``; a share of the labels is turned afterwards."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, spread, rows)
    truth = rng.random(rows) < 1 / (1 + np.exp(-logit))
    given = (truth ^ (rng.random(rows) < wrong)).astype(int)
    score = 1 / (1 + np.exp(-exponent * logit))
    return np.column_stack([1 - score, score]), given


@pytest.mark.parametrize("exponent", [0.5, 1.0, 3.0])
def test_right_labels_are_taken_for_wrong_one_time_in_twenty_however_sure_the_scores(exponent):
    p_values = [label_noise(*sure(800, seed=seed, exponent=exponent, spread=1.5)).p_value for seed in range(60)]
    assert sum(p < 0.05 for p in p_values) <= 8  # 5 % of 60 is 3; more than 8 has a probability under 1 %


@pytest.mark.parametrize("exponent", [1.0, 2.0])
def test_wrong_labels_are_counted_beside_scores_that_are_too_sure(exponent):
    found = [label_noise(*sure(seed=seed, exponent=exponent, wrong=0.1)) for seed in range(10)]
    assert all(one.p_value < 0.05 for one in found)
    assert np.mean([one.rate for one in found]) == pytest.approx(0.1, abs=0.015)


@pytest.mark.parametrize(
    ("exponent", "wrong", "outcome"),
    [(1.0, 0.0, "passed"), (3.0, 0.0, "passed"), (1.0, 0.1, "failed"), (2.0, 0.1, "failed")],
)
def test_scores_that_are_too_sure_do_not_fail_right_labels(exponent, wrong, outcome):
    scores, given = sure(2000, exponent=exponent, wrong=wrong, spread=2.5)
    columns = {"score": scores[:, 1], "kind": given}
    data = evaluation(columns, positive="1", target="kind", scores=("score",))
    found = LABEL_QUALITY.compute(data, LabelQualityParameters(draws=50), Run(seed=1))
    assert [str(one.verdict) for one in verdicts(found, "label_quality.wrong_labels")] == [outcome]


def test_labels_drawn_from_sure_scores_are_the_surest_class():
    scores = np.repeat([[0.0, 1.0], [1.0, 0.0]], 50, axis=0)
    given = np.repeat([1, 0], 50)
    assert by_chance(scores, given, draws=20, rng=np.random.default_rng(0)).rate == 0


def test_deviations_are_those_of_median_and_mad():
    rng = np.random.default_rng(1)
    target, predicted = rng.normal(size=49), rng.normal(size=49)
    apart = target - predicted
    expected = (apart - np.median(apart)) / (1.4826 * np.median(np.abs(apart - np.median(apart))))
    assert deviations(target, predicted).standardized == pytest.approx(expected)


def test_the_expected_share_far_out_is_that_of_the_tails():
    errors = np.random.default_rng(2).standard_t(4, 40_000)
    found = far_out(deviations(errors, np.zeros(40_000)), 5.0)
    assert found.degrees_of_freedom == pytest.approx(4, abs=0.6)
    assert found.rate == pytest.approx(2 * student.sf(5 * 1.4826 * student.ppf(0.75, 4), 4), rel=0.4)


# Which scores


def test_scores_that_saw_the_labels_are_replaced_by_ones_that_did_not():
    columns, wrong = planted(600)
    labels = np.array(columns["y"])
    for name in "abc":
        columns[f"p_{name}"] = np.where(labels == name, 0.98, 0.01)
    hidden = checked(columns, scores="given")
    assert not hidden.queue
    found = checked(columns, train=columns)
    assert any("100 % of the rows stand in the training data" in note for note in found.computed.notes)
    assert precision_and_recall(found.queued, wrong)[1] > 0.8


def test_without_training_data_the_doubt_about_the_scores_is_said():
    columns, _ = planted(300)
    assert any("cannot be told without the training data" in note for note in checked(columns).computed.notes)


def test_scores_outside_0_to_1_are_not_used_and_it_is_said():
    columns, _ = planted(300)
    columns["p_a"] = columns["p_a"] * 5
    found = checked(columns)
    assert any("not used: The scores lie outside 0 to 1" in note for note in found.computed.notes)


def test_neither_scores_nor_features_cannot_be_measured():
    with pytest.raises(NotMeasured, match="neither usable scores"):
        checked({"y": ["a", "b"] * 50})


def test_scores_that_are_wanted_and_not_there_are_asked_for():
    columns, _ = planted(300)
    with pytest.raises(NotMeasured, match="held against scores or our own"):
        checked({name: columns[name] for name in ("x", "y")}, scores="given")


def test_one_class_cannot_be_checked():
    columns, _ = planted(100)
    with pytest.raises(NotMeasured, match="no other that could be the right one"):
        checked({**columns, "y": ["a"] * 100})


def test_too_many_classes_are_refused():
    with pytest.raises(InvalidInput, match="regression"):
        checked({"x": np.arange(300.0), "y": [f"c{row}" for row in range(300)]})


def test_rows_that_were_not_drawn_are_counted_as_left_out():
    columns, _ = planted(600)
    found = checked({name: columns[name] for name in ("x", "z", "y")}, rows=200)
    assert found.computed.dropped == {"not drawn for the classifier of our own": 400}
    assert found.one("label_issue_rate").sample_size == 200


def test_a_classifier_of_our_own_does_not_depend_on_the_order_of_rows():
    columns, _ = planted(400)
    columns = {name: columns[name] for name in ("x", "z", "y")}
    order = np.random.default_rng(0).permutation(400)
    one, other = checked(columns), checked(permuted(columns, order))
    assert {order[row - 1] + 1 for row in other.queued} == one.queued
    assert one._values == other._values


def test_a_wrong_label_that_all_rows_of_an_entity_share_is_found():
    rng = np.random.default_rng(3)
    x = rng.normal(size=150)
    wrong = (rng.random(150) < 0.1) & (np.abs(x) > 0.7)
    label = np.where((x > 0) != wrong, "a", "b")
    who = np.repeat(np.arange(150), 12)
    columns = {"x": x[who], "y": label[who].tolist(), "who": who}
    data = evaluation(columns, target="y", features=("x",), ids=("who",))
    found = Found(LABEL_QUALITY.compute(data, LabelQualityParameters(draws=50, queue=2000), Run(seed=1)))
    suspected = np.isin(np.arange(who.size) + 1, list(found.queued))
    assert suspected[wrong[who]].mean() > 0.8
