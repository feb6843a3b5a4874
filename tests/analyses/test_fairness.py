import time
import warnings
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fairlearn
from scipy import stats
from sklearn import metrics as sklearn
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.oneway import anova_oneway

from modelops.analyses.base import Run
from modelops.analyses.fairness import FAIRNESS, FairnessParameters
from modelops.analyses.fairness.proxies import cramers_v
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.samples import (
    BINARY_ROLES,
    MULTICLASS_ROLES,
    binary,
    binary_columns,
    evaluation,
    multiclass_columns,
    regression,
    regression_columns,
)


def compute(data, seed=1, **parameters):
    return FAIRNESS.compute(data, FairnessParameters(**parameters), Run(seed=seed))


def measured(found, metric, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


def value(found, metric, **scope):
    return measured(found, metric, **scope).value


@pytest.fixture(scope="module")
def credit():
    return compute(binary(1500))


@pytest.fixture(scope="module")
def table():
    frame = pd.DataFrame({name: list(column) for name, column in binary_columns(1500).items()})
    return frame.assign(truth=frame.default == "yes", predicted=frame.decision == "yes")


RATES = {
    "selection_rate": fairlearn.selection_rate,
    "true_positive_rate": fairlearn.true_positive_rate,
    "false_positive_rate": fairlearn.false_positive_rate,
    "false_negative_rate": fairlearn.false_negative_rate,
    "precision": sklearn.precision_score,
    "accuracy": sklearn.accuracy_score,
    "false_discovery_rate": lambda truth, predicted: 1 - sklearn.precision_score(truth, predicted),
    "base_rate": lambda truth, _: np.mean(truth),
}


@pytest.mark.parametrize("features", [["sex"], ["region"], ["sex", "region"]])
def test_every_rate_of_every_group_equals_fairlearn(credit, table, features):
    frame = fairlearn.MetricFrame(
        metrics=RATES, y_true=table.truth, y_pred=table.predicted, sensitive_features=table[features]
    )
    for key, row in frame.by_group.iterrows():
        group = dict(zip(features, key if isinstance(key, tuple) else (key,), strict=True))
        for metric in RATES:
            assert value(credit, metric, group=group) == pytest.approx(row[metric]), (metric, group)


@pytest.mark.parametrize(
    ("metric", "library"),
    [
        ("demographic_parity_difference", fairlearn.demographic_parity_difference),
        ("demographic_parity_ratio", fairlearn.demographic_parity_ratio),
        ("equalized_odds_difference", fairlearn.equalized_odds_difference),
        ("equalized_odds_ratio", fairlearn.equalized_odds_ratio),
        ("equal_opportunity_difference", fairlearn.equal_opportunity_difference),
        ("equal_opportunity_ratio", fairlearn.equal_opportunity_ratio),
    ],
)
@pytest.mark.parametrize("feature", ["sex", "region"])
def test_every_criterion_equals_fairlearn(credit, table, metric, library, feature):
    expected = library(table.truth, table.predicted, sensitive_features=table[feature])
    assert value(credit, metric, feature=feature) == pytest.approx(expected)


def test_the_area_of_a_group_equals_scikit_learn(credit, table):
    mine = table[table.sex == "female"]
    expected = sklearn.roc_auc_score(mine.truth, mine.probability)
    assert value(credit, "roc_auc", group={"sex": "female"}) == pytest.approx(expected)


def test_calibration_of_a_group_is_its_labels_less_its_scores(credit, table):
    mine = table[table.region == "west"]
    group = {"region": "west"}
    expected = mine.truth.mean() - mine.probability.mean()
    assert value(credit, "calibration_in_the_large", group=group) == pytest.approx(expected)
    expected = sklearn.brier_score_loss(mine.truth, mine.probability)
    assert value(credit, "brier_score", group=group) == pytest.approx(expected)
    assert value(credit, "expected_calibration_error", group=group) > 0


def test_the_denominator_that_counts_is_shown(credit, table):
    negatives = int((~table[table.sex == "male"].truth).sum())
    assert measured(credit, "false_positive_rate", group={"sex": "male"}).sample_size == negatives


def test_a_group_is_compared_with_everybody_else(credit, table):
    mine = table.region == "north"
    found = measured(credit, "selection_rate_difference", group={"region": "north"})
    assert found.value == pytest.approx(table[mine].predicted.mean() - table[~mine].predicted.mean())
    assert found.interval[0] < found.value < found.interval[1]


def test_the_p_values_of_groups_and_metrics_are_adjusted_together(credit):
    tested = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy")
    pairs = [
        (one.value, value(credit, f"{metric}_adjusted_p_value", **one.scope))
        for metric in tested
        for one in credit.measurements
        if one.metric == f"{metric}_p_value" and "group" in one.scope
    ]
    raw, adjusted = map(np.array, zip(*pairs, strict=True))
    assert raw.size == 5 * (2 + 3 + 6)
    assert adjusted == pytest.approx(multipletests(raw, method="fdr_bh")[1])


def test_the_p_value_of_demographic_parity_is_that_of_the_chi_squared_test(credit, table):
    counts = pd.crosstab(table.region, table.predicted)
    expected = stats.chi2_contingency(counts, correction=False).pvalue
    assert value(credit, "demographic_parity_p_value", feature="region") == pytest.approx(expected)


def test_groups_of_one_origin_have_five_percent_false_alarms():
    rng = np.random.default_rng(4)
    alarms = []
    for seed in range(150):
        columns = {"g": list(rng.choice(["a", "b", "c"], 200)), "p": list(rng.integers(0, 2, 200))}
        found = compute(evaluation(columns, prediction="p", sensitive=("g",), positive="1"), seed=seed)
        alarms.append(value(found, "demographic_parity_p_value", feature="g") < 0.05)
    assert np.mean(alarms) == pytest.approx(0.05, abs=0.045)


def test_predictions_alone_give_selection_rates_and_the_rest_with_its_reason():
    columns = {"g": ["a", "a", "a", "b", "b"], "p": [1, 0, 1, 0, 0]}
    found = compute(evaluation(columns, prediction="p", sensitive=("g",), positive="1"))
    assert value(found, "selection_rate", group={"g": "a"}) == pytest.approx(2 / 3)
    assert value(found, "selection_rate", group={"g": "b"}) == 0.0
    assert value(found, "demographic_parity_difference", feature="g") == pytest.approx(2 / 3)
    for metric in ("true_positive_rate", "accuracy", "roc_auc"):
        missing = measured(found, metric, group={"g": "a"})
        assert missing.value is None
        assert "no target column" in missing.note
    assert value(found, "equalized_odds_difference", feature="g") is None


def test_rows_without_label_count_in_the_selection_rate_only():
    columns = {"g": ["a"] * 4 + ["b"] * 4, "p": [1, 1, 0, 0, 1, 0, 0, 0], "y": [1, None, 0, None, 1, 0, 1, 0]}
    found = compute(evaluation(columns, prediction="p", target="y", sensitive=("g",), positive="1"))
    assert value(found, "selection_rate", group={"g": "a"}) == 0.5
    assert measured(found, "accuracy", group={"g": "a"}).sample_size == 2
    assert found.dropped == {}
    assert "The target is missing in 2 of 8 rows, which count in the selection rate only." in found.notes


def test_a_group_without_positives_has_no_true_positive_rate():
    columns = {"g": ["a"] * 4 + ["b"] * 4, "p": [1, 0] * 4, "y": [1, 0, 1, 0, 0, 0, 0, 0]}
    found = compute(evaluation(columns, prediction="p", target="y", sensitive=("g",), positive="1"))
    missing = measured(found, "true_positive_rate", group={"g": "b"})
    assert (missing.value, missing.sample_size, missing.note) == (None, 0, "No row has a positive label.")
    assert value(found, "equal_opportunity_difference", feature="g") is None
    assert value(found, "false_positive_rate", group={"g": "b"}) == 0.5


def test_an_empty_intersection_is_not_measured_and_not_left_out():
    columns = {"g": ["a", "a", "b", "b"], "h": ["x", "y", "x", "x"], "p": [1, 0, 1, 0]}
    found = compute(evaluation(columns, prediction="p", sensitive=("g", "h"), positive="1"))
    missing = measured(found, "selection_rate", group={"g": "b", "h": "y"})
    assert (missing.value, missing.note) == (None, "The group has no rows.")


def test_four_fifths_are_judged_in_whole_numbers():
    # Rates of 60, 45, 48 and 51 %: only 45 is below four fifths of 60.
    groups = {"a": 60, "b": 45, "c": 48, "d": 51}
    columns = {"g": [], "p": []}
    for name, selected in groups.items():
        columns["g"] += [name] * 100
        columns["p"] += [1] * selected + [0] * (100 - selected)
    found = compute(evaluation(columns, prediction="p", sensitive=("g",), positive="1"))
    assert [value(found, "below_four_fifths", group={"g": name}) for name in groups] == [0, 1, 0, 0]
    assert value(found, "adverse_impact_ratio", group={"g": "c"}) == 0.8
    assert "United States" in measured(found, "below_four_fifths", group={"g": "a"}).note


def test_the_adverse_impact_ratio_is_the_nearest_number_to_the_fraction():
    columns = {"g": ["a"] * 25 + ["b"] * 5, "p": [1] * 4 + [0] * 21 + [1] + [0] * 4}
    found = compute(evaluation(columns, prediction="p", sensitive=("g",), positive="1"))
    assert value(found, "adverse_impact_ratio", group={"g": "a"}) == float(Fraction(4, 5))


def test_groups_below_the_smallest_size_are_named_and_not_compared():
    columns = {"g": ["a"] * 50 + ["b"] * 50 + ["c"] * 3, "p": [1, 0] * 50 + [1, 1, 1]}
    data = evaluation(columns, prediction="p", sensitive=("g",), positive="1")
    assert value(compute(data), "demographic_parity_difference", feature="g") == 0.5
    gap = measured(compute(data, smallest_group=10), "demographic_parity_difference", feature="g")
    assert gap.value == 0.0
    assert gap.note == "Not enough data to compare: c."


def test_the_gap_rests_on_the_smaller_of_the_two_groups_that_make_it():
    columns = {"g": ["a"] * 50 + ["b"] * 50 + ["c"] * 3, "p": [1, 0] * 50 + [1, 1, 1]}
    found = compute(evaluation(columns, prediction="p", sensitive=("g",), positive="1"))
    assert measured(found, "demographic_parity_difference", feature="g").sample_size == 3


def test_conditioning_takes_off_what_the_column_explains():
    # Simpson: within each department men and women are accepted alike, over all they are not.
    counts = [("easy", "m", 80, 64), ("easy", "f", 20, 16), ("hard", "m", 20, 4), ("hard", "f", 80, 16)]
    columns = {"department": [], "sex": [], "p": []}
    for department, sex, rows, selected in counts:
        columns["department"] += [department] * rows
        columns["sex"] += [sex] * rows
        columns["p"] += [1] * selected + [0] * (rows - selected)
    data = evaluation(columns, prediction="p", sensitive=("sex",), positive="1")
    found = compute(data, condition="department")
    assert value(found, "demographic_parity_difference", feature="sex") == pytest.approx(0.36)
    scope = {"feature": "sex", "condition": "department"}
    assert value(found, "conditional_demographic_parity_difference", **scope) == pytest.approx(0.0, abs=1e-12)
    assert value(found, "conditional_demographic_parity_p_value", **scope) > 0.9
    assert value(found, "conditional_demographic_parity_difference", **scope, stratum="easy") == 0.0


def test_an_unknown_column_to_condition_on_is_refused():
    with pytest.raises(InvalidInput, match="no column 'nothing'"):
        compute(binary(50), condition="nothing")


def test_a_feature_that_gives_the_group_away_is_found():
    columns = binary_columns(800)
    columns["height"] = np.random.default_rng(0).normal(180.0, 5, 800) - 15 * (np.array(columns["sex"]) == "female")
    roles = {**BINARY_ROLES, "features": ("income", "age", "employment", "height")}
    found = compute(evaluation(columns, positive="yes", **roles))
    proxies = next(table for table in found.tables if table.name == "proxies")
    assert next(row for row in proxies.rows if row[0] == "sex")[1] == "height"
    assert value(found, "proxy_roc_auc", feature="height", sensitive="sex") > 0.95
    assert value(found, "proxy_cramers_v", feature="age", sensitive="sex") < 0.2


def test_cramers_v_equals_scipy_before_its_correction():
    counts = np.array([[200.0, 100.0, 50.0], [100.0, 200.0, 150.0]])
    plain = stats.contingency.association(counts.astype(int), method="cramer")
    n = counts.sum()
    phi = max(0.0, plain**2 - 2 / (n - 1))
    expected = np.sqrt(phi / (2 - 1 / (n - 1) - 1))
    assert float(cramers_v(counts)) == pytest.approx(expected)


def test_each_criterion_meets_its_own_demand_and_its_price_is_shown():
    found = compute(binary(20_000), mitigation=True, intersections=False)
    scope = {"feature": "sex", "criterion": "demographic parity"}
    free = {"feature": "sex", "criterion": "one threshold for all"}
    assert value(found, "demographic_parity_difference", **scope) < 0.04
    assert value(found, "accuracy", **scope) <= value(found, "accuracy", **free) + 0.01
    assert any(table.name == "group_thresholds:sex" for table in found.tables)


def test_a_group_of_one_label_has_no_thresholds():
    default = binary_columns(300)["default"]
    sex = binary_columns(300)["sex"]
    labels = ["no" if group == "male" else label for group, label in zip(sex, default, strict=True)]
    found = compute(binary(300, default=labels), mitigation=True)
    missing = measured(found, "accuracy", feature="sex", criterion="equalized odds")
    assert (missing.value, missing.note) == (
        None,
        "A group has no positive or no negative label in one half of the rows.",
    )


def test_numeric_groups_are_cut_into_ranges_and_it_is_said():
    found = compute(evaluation(binary_columns(500), positive="yes", **{**BINARY_ROLES, "sensitive": ("age",)}))
    groups = [one.scope["group"]["age"] for one in found.measurements if one.metric == "selection_rate"]
    assert groups[0].startswith("under ")
    assert any("cut into the ranges" in note for note in found.notes)


def test_small_intersections_are_shrunken_to_the_mean():
    found = compute(binary(300))
    group = {"sex": "female", "region": "west"}
    plain, shrunken = (value(found, f"{kind}selection_rate", group=group) for kind in ("", "shrunken_"))
    overall = np.mean([decision == "yes" for decision in binary_columns(300)["decision"]])
    assert abs(shrunken - overall) <= abs(plain - overall)
    assert measured(found, "shrunken_selection_rate", group=group).sample_size > 0


def test_three_classes_are_compared_one_by_one_or_for_the_named_one():
    columns = multiclass_columns(400)
    frame = pd.DataFrame(columns)
    expected = frame.groupby("farm").guess.apply(lambda guesses: (guesses == "b").mean())
    every = compute(evaluation(columns, **MULTICLASS_ROLES))
    assert value(every, "selection_rate", group={"farm": "hill"}, **{"class": "b"}) == pytest.approx(expected["hill"])
    named = compute(evaluation(columns, positive="b", **MULTICLASS_ROLES))
    assert value(named, "selection_rate", group={"farm": "hill"}) == pytest.approx(expected["hill"])


def test_weights_count_like_repeated_rows():
    columns = binary_columns(400)
    weights = np.random.default_rng(0).integers(1, 4, 400)
    repeated = {name: list(np.repeat(np.array(column), weights)) for name, column in columns.items()}
    weighted = compute(evaluation({**columns, "w": weights}, positive="yes", weight="w", **BINARY_ROLES))
    plain = compute(evaluation(repeated, positive="yes", **BINARY_ROLES))
    for metric in ("selection_rate", "true_positive_rate", "precision", "roc_auc", "mean_score"):
        group = {"sex": "female"}
        assert value(weighted, metric, group=group) == pytest.approx(value(plain, metric, group=group)), metric
    gap = "equalized_odds_difference"
    assert value(weighted, gap, feature="sex") == pytest.approx(value(plain, gap, feature="sex"))


def test_missing_groups_are_counted_and_left_out():
    columns = binary_columns(200)
    columns["sex"][:20] = [None] * 20
    found = compute(evaluation(columns, positive="yes", **BINARY_ROLES))
    assert found.dropped == {}
    assert "sex is missing in 20 of 200 rows, which count in none of its groups." in found.notes
    sizes = [
        m.sample_size for m in found.measurements if m.metric == "selection_rate" and set(m.scope["group"]) == {"sex"}
    ]
    assert sum(sizes) == 180


def test_errors_of_quantities_are_compared_between_groups():
    found = compute(regression(500))
    frame = pd.DataFrame(regression_columns(500))
    errors = (frame.estimate - frame.price).groupby(frame.district).agg(list)
    for name, mine in errors.items():
        assert value(found, "mean_error", group={"district": name}) == pytest.approx(np.mean(mine))
        assert value(found, "mean_absolute_error", group={"district": name}) == pytest.approx(np.mean(np.abs(mine)))
    expected = anova_oneway(list(errors), use_var="unequal", welch_correction=True).pvalue
    assert value(found, "mean_error_p_value", feature="district") == pytest.approx(expected)
    gap = measured(found, "mean_error_difference", feature="district")
    assert gap.value == pytest.approx(abs(np.mean(errors["centre"]) - np.mean(errors["edge"])))
    standardized = value(found, "standardized_mean_error_difference", feature="district")
    assert standardized == pytest.approx(gap.value / frame.price.std(ddof=0))


def test_predicted_quantities_alone_give_mean_predictions():
    found = compute(
        evaluation(regression_columns(100), task=Task.REGRESSION, prediction="estimate", sensitive=("district",))
    )
    assert value(found, "mean_prediction", group={"district": "edge"}) is not None
    assert measured(found, "mean_error", group={"district": "edge"}).note.startswith("There is no target")


def test_without_a_sensitive_column_nothing_is_compared():
    with pytest.raises(NotMeasured, match="sensitive column"):
        compute(evaluation(binary_columns(50), positive="yes", **{**BINARY_ROLES, "sensitive": ()}))


def test_the_sentence_names_the_widest_gap(credit, table):
    rates = table.groupby("sex").predicted.mean()
    assert f"{rates['male'] * 100:.1f} %" in credit.summary
    assert "'female'" in credit.summary


def test_a_million_rows_take_seconds():
    data = binary(1_000_000)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compute(data)
    assert time.perf_counter() - start < 20
