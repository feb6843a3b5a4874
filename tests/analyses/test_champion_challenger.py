from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics
from statsmodels.stats.proportion import proportion_confint

from modelops.analyses.base import Run
from modelops.analyses.champion_challenger import CHAMPION_CHALLENGER, ChampionChallengerParameters
from modelops.analyses.champion_challenger.segments import halves
from modelops.analyses.side_by_side import Rows
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.samples import BINARY_ROLES, binary, binary_columns, evaluation, multiclass, regression
from tests.analyses.test_every_analysis import fitted

Y = {"target": "y", "prediction": "new", "positive": "1"}


def compute(data, seed=1, **parameters):
    return CHAMPION_CHALLENGER.compute(data, ChampionChallengerParameters(**parameters), Run(seed=seed))


def by_columns(columns, **parameters):
    given = {name: parameters.pop(name) for name in ("features", "sensitive", "weight") if name in parameters}
    return compute(evaluation(columns, **Y, **given), champion_prediction="old", **parameters)


def measured(found, metric, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


def value(found, metric, **scope):
    return measured(found, metric, **scope).value


def table(found, name):
    return next(one for one in found.tables if one.name == name)


def advice(found):
    return dict(table(found, "switching").rows)["advice"]


def two_models(rows=1000, only_new=150, only_old=86, both_wrong=100):
    """Labels and two models with exactly these disagreements."""
    y = np.tile([0, 1], rows // 2)
    new, old = y.copy(), y.copy()
    old[:only_new] = 1 - y[:only_new]
    new[only_new : only_new + only_old] = 1 - y[only_new : only_new + only_old]
    for said in (new, old):
        said[rows - both_wrong :] = 1 - y[rows - both_wrong :]
    return {"y": y, "new": new, "old": old}


@pytest.fixture(scope="module")
def golden():
    return by_columns(two_models())


def test_the_golden_figure_of_mcnemar(golden):
    assert value(golden, "mcnemar_statistic") == pytest.approx(17.356, abs=5e-4)
    assert value(golden, "mcnemar_p_value") == pytest.approx(3.1e-5, abs=5e-7)


def test_flips_and_churn_are_the_planted_ones(golden):
    assert value(golden, "positive_flip_rate") == pytest.approx(0.150)
    assert value(golden, "negative_flip_rate") == pytest.approx(0.086)
    assert value(golden, "churn_rate") == pytest.approx(0.236)
    expected = proportion_confint(86, 1000, method="wilson")
    assert measured(golden, "negative_flip_rate").interval == pytest.approx(expected)


def test_churn_is_counted_in_both_directions(golden):
    columns = two_models()
    up, down = ((columns["old"] == a) & (columns["new"] == 1 - a) for a in (0, 1))
    assert value(golden, "churn_rate", change="0 to 1") == pytest.approx(up.mean())
    assert value(golden, "churn_rate", change="1 to 0") == pytest.approx(down.mean())
    rows = {(row[0], row[1]): row for row in table(golden, "churn").rows}
    assert rows["0", "1"][4] + rows["0", "1"][5] == rows["0", "1"][2]


def test_both_models_are_measured_as_by_scikit_learn(golden):
    columns = two_models()
    for model, said in (("challenger", columns["new"]), ("champion", columns["old"])):
        assert value(golden, "f1", model=model) == pytest.approx(metrics.f1_score(columns["y"], said))
        expected = metrics.balanced_accuracy_score(columns["y"], said)
        assert value(golden, "balanced_accuracy", model=model) == pytest.approx(expected)


def test_a_better_challenger_is_promoted_and_a_worse_one_rejected():
    better, worse = two_models(), two_models()
    worse["new"], worse["old"] = worse["old"], worse["new"]
    assert advice(by_columns(better)) == "promote"
    assert advice(by_columns(worse)) == "reject"
    assert by_columns(better).summary.startswith("Promote: ")
    assert "(better by 0." in by_columns(better).summary
    assert "(worse by 0." in by_columns(worse).summary


def test_equal_models_are_held_unless_not_being_worse_is_the_aim():
    columns = two_models(4000, only_new=20, only_old=20)
    assert advice(by_columns(columns)) == "hold"
    assert advice(by_columns(columns, goal="non-inferiority", margin=0.01)) == "promote"
    assert advice(by_columns(columns, goal="non-inferiority", margin=0.001)) == "hold"


def test_a_slightly_worse_challenger_within_the_margin_is_not_rejected_where_that_is_the_aim():
    columns = two_models(4000, only_new=10, only_old=60)
    assert advice(by_columns(columns, goal="superiority")) == "reject"
    assert advice(by_columns(columns, goal="non-inferiority", margin=0.05)) == "promote"


def test_equally_good_models_are_rarely_promoted_or_rejected():
    decided = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 2, 300)
        new, old = (np.where(rng.random(300) < 0.8, y, 1 - y) for _ in range(2))
        decided += advice(by_columns({"y": y, "new": new, "old": old})) != "hold"
    assert decided <= 8  # 5 % of 60 is 3; more than 8 has a probability under 1 %


def losing_segment(seed=0, loss=0.5, rows=1600):
    """A challenger that is better for 90 % of the rows and much worse for one region."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    region = rng.choice(["north", "south", "west", "island"], rows, p=[0.3, 0.3, 0.3, 0.1])
    old = np.where(rng.random(rows) < 0.75, y, 1 - y)
    skill = np.where(region == "island", 0.75 - loss, 0.88)
    new = np.where(rng.random(rows) < skill, y, 1 - y)
    return {"y": y, "new": new, "old": old, "region": list(region), "noise": rng.normal(size=rows)}


def test_a_planted_losing_segment_is_found_and_confirmed():
    found = by_columns(losing_segment(), features=("noise",), sensitive=("region",))
    status = {(row[0], row[1]): row[-1] for row in table(found, "segments").rows}
    assert status["region", "island"] == "loss, confirmed"
    assert status["region", "north"] == "win, confirmed"
    assert value(found, "mcnemar_adjusted_p_value", group={"region": "island"}) < 0.001
    assert value(found, "accuracy_improvement", group={"region": "island"}) == pytest.approx(-0.5, abs=0.12)


def test_a_confirmed_loss_holds_a_challenger_that_is_better_overall():
    found = by_columns(losing_segment(), features=("noise",), sensitive=("region",))
    assert advice(found) == "hold"
    assert "region: island" in found.summary


def test_segments_without_difference_are_rarely_confirmed():
    confirmed, tested = 0, 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 2, 500)
        new, old = (np.where(rng.random(500) < 0.8, y, 1 - y) for _ in range(2))
        columns = {"y": y, "new": new, "old": old, "a": rng.normal(size=500), "b": rng.normal(size=500)}
        rows = table(by_columns(columns, features=("a", "b")), "segments").rows
        confirmed += sum(row[-1].endswith(", confirmed") for row in rows)
        tested += len(rows)
    assert confirmed <= 0.01 * tested


def test_a_small_segment_is_not_judged():
    columns = losing_segment()
    columns["region"][:10] = ["islet"] * 10
    found = by_columns(columns, sensitive=("region",), minimum_rows=30)
    status = {row[1]: row[-1] for row in table(found, "segments").rows}
    assert status["islet"] == "not enough data"
    assert measured(found, "accuracy_improvement", group={"region": "islet"}).sample_size == 10


def test_costs_are_those_of_the_matrix():
    columns = two_models()
    found = by_columns(columns, cost_false_positive=2.0, cost_false_negative=5.0, metric="cost_per_row")
    for model, said in (("challenger", columns["new"]), ("champion", columns["old"])):
        (_, false_positive), (false_negative, _) = metrics.confusion_matrix(columns["y"], said)
        expected = (2 * false_positive + 5 * false_negative) / 1000
        assert value(found, "cost_per_row", model=model) == pytest.approx(expected)
    gain = value(found, "cost_per_row", model="champion") - value(found, "cost_per_row", model="challenger")
    assert value(found, "cost_per_row_improvement") == pytest.approx(gain)


def test_costs_of_many_classes_come_from_the_text():
    data = replace(multiclass(300), champion=fitted("multiclass", seed=12))
    assert value(compute(data), "cost_per_row", model="champion") is None
    found = compute(data, cost_matrix="a > b = 3; c > a = 10")
    guess, kind = (data.data.labels(name) for name in ("guess", "kind"))
    expected = 3 * ((kind == "a") & (guess == "b")).mean() + 10 * ((kind == "c") & (guess == "a")).mean()
    assert value(found, "cost_per_row", model="challenger") == pytest.approx(expected)


def test_costs_of_a_quantity_tell_too_high_from_too_low():
    columns = {"y": np.zeros(40), "new": np.tile([2.0, -1.0], 20), "old": np.tile([3.0, -3.0], 20)}
    data = evaluation(columns, task=Task.REGRESSION, target="y", prediction="new")
    found = compute(data, champion_prediction="old", cost_too_high=10.0, cost_too_low=1.0)
    assert value(found, "cost_per_row", model="challenger") == pytest.approx((20 + 1) / 2)
    assert value(found, "cost_per_row", model="champion") == pytest.approx((30 + 3) / 2)


def test_a_champion_model_answers_the_same_rows():
    data = replace(binary(300), champion=fitted("binary", seed=12))
    model = fitted("binary", seed=12)
    frame = data.data.frame(model.features)
    truth = data.data.labels("default") == "yes"
    found = compute(data)
    right = (np.asarray(model.predict(frame)) == "yes") == truth
    assert value(found, "accuracy", model="champion") == pytest.approx(right.mean())
    expected = metrics.roc_auc_score(truth, model.scores(frame)[:, list(model.classes).index("yes")])
    assert value(found, "roc_auc", model="champion") == pytest.approx(expected)
    assert value(found, "roc_auc_improvement") == pytest.approx(value(found, "roc_auc", model="challenger") - expected)


def test_two_models_answer_themselves_whatever_the_table_says():
    champion, challenger = fitted("binary", seed=12), fitted("binary")
    data = binary(300)
    columns = data.data.labels("decision")
    frame, truth = data.data.frame(challenger.features), data.data.labels("default")
    said = np.asarray(challenger.predict(frame))
    assert (said != columns).any()
    found = compute(replace(data, model=challenger, champion=champion))
    assert value(found, "accuracy", model="challenger") == pytest.approx((said == truth).mean())


def test_a_champion_score_column_decides_by_the_threshold():
    columns = {**binary_columns(300), "old": np.linspace(0, 1, 300)}
    found = compute(evaluation(columns, positive="yes", **BINARY_ROLES), champion_score="old", threshold=0.8)
    truth = np.array(columns["default"]) == "yes"
    assert value(found, "accuracy", model="champion") == pytest.approx(((columns["old"] >= 0.8) == truth).mean())
    assert value(found, "roc_auc", model="champion") == pytest.approx(metrics.roc_auc_score(truth, columns["old"]))


def test_scores_of_one_model_alone_are_measured_and_not_compared():
    columns = binary_columns(200)
    found = compute(binary(200, old=columns["decision"]), champion_prediction="old")
    truth = np.array(columns["default"]) == "yes"
    expected = metrics.roc_auc_score(truth, columns["probability"])
    assert value(found, "roc_auc", model="challenger") == pytest.approx(expected)
    assert "no score column" in measured(found, "roc_auc", model="champion").note
    assert value(found, "roc_auc_improvement") is None


def test_a_model_against_itself_changes_nothing():
    found = compute(binary(200, old=binary_columns(200)["decision"]), champion_prediction="old")
    assert value(found, "churn_rate") == 0
    assert value(found, "accuracy_improvement") == 0
    assert advice(found) == "hold"
    assert table(found, "churn_list").rows == ()


def test_changes_of_a_quantity_count_from_a_share_of_its_spread():
    rng = np.random.default_rng(3)
    y = rng.normal(0, 10, 400)
    columns = {"y": y, "old": y, "new": y + np.where(np.arange(400) < 100, 5.0, 0.01)}
    data = evaluation(columns, task=Task.REGRESSION, target="y", prediction="new")
    found = compute(data, champion_prediction="old", change=0.1)
    assert value(found, "churn_rate") == pytest.approx(0.25)
    assert value(found, "negative_flip_rate") == pytest.approx(0.25)
    assert value(found, "churn_rate", change="up") == pytest.approx(0.25)
    assert len(table(found, "churn_list").rows) == 50


def test_the_list_names_rows_by_number_and_holds_no_features():
    columns = two_models(100, only_new=1, only_old=0, both_wrong=0)
    found = by_columns({**columns, "secret": [f"person {k}" for k in range(100)]})
    assert [row[0] for row in table(found, "churn_list").rows] == [1]
    assert not any("person" in str(row) for one in found.tables if one.name == "churn_list" for row in one.rows)


def test_the_champion_comes_back_beyond_its_own_value_and_the_margin():
    found = by_columns(two_models(), metric="accuracy", margin=0.02)
    assert value(found, "rollback_threshold") == pytest.approx(value(found, "accuracy", model="champion") - 0.02)
    # One-sided 5 %, power 80 %: n = p (1 - p) ((1.645 + 0.842) / 0.02)^2, up to how the interval is made.
    share = value(found, "accuracy", model="challenger")
    expected = share * (1 - share) * ((1.645 + 0.842) / 0.02) ** 2
    assert value(found, "rollback_rows") == pytest.approx(expected, rel=0.02)


def test_errors_come_back_above_the_champions():
    data = regression(200, old=regression(200).data.numbers("estimate") + 5)
    found = compute(data, champion_prediction="old", margin=0.1)
    assert value(found, "rollback_threshold") == pytest.approx(
        1.1 * value(found, "mean_absolute_error", model="champion")
    )


def test_rows_without_an_answer_of_the_champion_are_counted():
    columns = two_models(200, 10, 5, 10)
    old = [None if row < 30 else int(said) for row, said in enumerate(columns["old"])]
    found = by_columns({**columns, "old": old})
    assert found.dropped["the champion has no answer"] == 30
    assert measured(found, "accuracy", model="challenger").sample_size == 170


def test_without_a_champion_it_says_how_to_give_one():
    with pytest.raises(NotMeasured, match=r"in use today.*champion_prediction"):
        compute(binary(100))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"champion_prediction": "nobody"}, "no column 'nobody'"),
        ({"champion_prediction": "employment"}, "none of the classes"),
        ({"champion_score": "employment"}, "numbers are needed"),
        ({"champion_prediction": "decision", "metric": "r2"}, "not for classification"),
        ({"champion_prediction": "decision", "segments": ("nobody",)}, "no column 'nobody'"),
        ({"champion_prediction": "decision", "cost_matrix": "yes = 3"}, "label > prediction"),
    ],
)
def test_what_does_not_fit_is_refused(parameters, said):
    with pytest.raises(InvalidInput, match=said):
        compute(binary(100), **parameters)


def test_weights_count_in_every_number():
    columns = two_models(200, 20, 10, 10)
    doubled = {name: np.concatenate([values, values[:20]]) for name, values in columns.items()}
    columns["weight"] = np.where(np.arange(200) < 20, 2.0, 1.0)
    weighted, plain = by_columns(columns, weight="weight"), by_columns(doubled)
    for metric in ("accuracy_improvement", "churn_rate", "cost_per_row_improvement"):
        assert value(weighted, metric) == pytest.approx(value(plain, metric))


def test_an_entity_lies_in_one_half():
    rng = np.random.default_rng(0)
    entities = rng.integers(0, 40, 300)
    mine = halves(Rows(np.zeros(300), np.arange(300), rng.permutation(300), entities=entities))
    for entity in range(40):
        assert np.unique(mine[entities == entity]).size == 1
    assert 80 < mine.sum() < 220
