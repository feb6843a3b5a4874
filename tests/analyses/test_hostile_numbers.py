"""Numbers and columns at the edges of what a table can hold: they change no other number and break nothing."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from modelops.analyses.bars import equal_bins
from modelops.analyses.base import Run
from modelops.analyses.calibration.recalibration import linear_recalibration
from modelops.analyses.champion_challenger.switching import switch
from modelops.analyses.cores.arrow_numbers import numeric
from modelops.analyses.cores.row_hashes import significant
from modelops.analyses.levels import coded, ranges
from modelops.analyses.measuring import measured
from modelops.analyses.performance.value import matrix_from_text
from modelops.analyses.registry import analysis
from modelops.analyses.robustness.guard import usual
from modelops.analyses.statistics.bootstrap import Uncertainty, draws_of_means
from modelops.analyses.statistics.intervals import wilson
from modelops.analyses.statistics.paired import Pair, mean_p_value, ratio_of_means
from modelops.analyses.statistics.weighting import row_weights, weighting
from modelops.analyses.subpopulations.contrast import Law, Moments
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.samples import (
    BINARY_ROLES,
    MULTICLASS_ROLES,
    REGRESSION_ROLES,
    binary_columns,
    evaluation,
    regression,
    regression_columns,
    sample,
)
from tests.analyses.test_every_analysis import CASES, by_scope, fitted


def computed(key, data, **parameters):
    declared = analysis(key)
    return declared.compute(data, declared.parameters(**parameters), Run(seed=3))


_POWERS = {"mean_squared_error": 2} | dict.fromkeys(
    ["r2", "explained_variance", "pearson_correlation", "spearman_correlation", "mean_absolute_percentage_error"], 0
)


@pytest.mark.parametrize("unit", [1e-9, 1e9, 1e60])
def test_errors_in_another_unit_have_the_same_intervals(unit):
    rng = np.random.default_rng(0)
    truth = rng.gamma(3, 1, 6000)
    predicted = truth * (1 + 0.1 * rng.normal(size=6000))
    plain, other = (
        by_scope(computed("performance", regression(6000, price=truth * by, estimate=predicted * by)))
        for by in (1.0, unit)
    )
    for key, one in plain.items():
        by = unit ** _POWERS.get(one.metric, 1)
        assert other[key].value == pytest.approx(one.value * by, rel=1e-6, abs=0), key
        ends = None if one.interval is None else pytest.approx([end * by for end in one.interval], rel=1e-6, abs=0)
        assert (None if one.interval is None else list(other[key].interval)) == ends, key


def test_means_are_drawn_as_well_beside_a_column_of_huge_numbers():
    values = np.random.default_rng(1).normal(size=(6000, 1))
    columns = np.hstack([values, values**2 * 1e24])
    drawn = draws_of_means(columns, Uncertainty(np.random.default_rng(2), 4000))
    # The deviation of a mean is that of the values over the square root of their number.
    assert drawn.std(axis=0) == pytest.approx(columns.std(axis=0) / np.sqrt(6000), rel=0.05)


def test_an_interval_beside_its_value_is_widened_to_hold_it():
    assert measured("r2", 0.0, size=5, interval=(-0.2, -0.1)).interval == (-0.2, 0.0)


def test_errors_from_1e_minus_300_to_1e119_have_metrics():
    rng = np.random.default_rng(4)
    truth, predicted = (10.0 ** rng.uniform(-300, 119, 240) for _ in range(2))
    found = {
        one.metric: one
        for one in computed("performance", regression(240, price=truth, estimate=predicted)).measurements
    }
    assert found["mean_absolute_error"].value == pytest.approx(np.abs(truth - predicted).mean())
    assert found["mean_absolute_percentage_error"].note.startswith("A target is 0 or next to it")
    assert found["pearson_correlation"].value == pytest.approx(
        np.corrcoef(truth / 1e119, predicted / 1e119)[0, 1], abs=1e-6
    )


@pytest.mark.parametrize("values", [[1.7e308, -1.7e308, 1e308, 0.0] * 5, [5e-324 * n for n in range(20)]])
def test_numbers_at_the_ends_of_what_a_float_holds_are_cut_into_ranges(values):
    found = ranges(np.array(values))
    assert found.missing == 0
    assert set(found.codes) <= set(range(len(found.levels)))


def test_a_label_of_a_huge_number_is_short():
    assert coded(sample({"a": [1e300, 9007199254740992.0]}), "a").levels == ("9007199254740992", "1e+300")


@pytest.mark.parametrize("by", [1e300, 1e-310])
def test_only_the_ratios_of_weights_count(by):
    columns = {**binary_columns(300), "weight": np.random.default_rng(2).gamma(2, 1, 300)}
    plain, other = (
        computed(
            "performance", evaluation({**columns, "weight": weight}, positive="yes", weight="weight", **BINARY_ROLES)
        )
        for weight in (columns["weight"], columns["weight"] * by)
    )
    values = [[one.value for one in found.measurements if one.value is not None] for found in (plain, other)]
    assert values[1] == pytest.approx(values[0], rel=1e-4)


def test_weights_at_the_largest_float_count_alike():
    assert weighting(row_weights(sample({"w": [1.7e308] * 9}, weight="w")), None, np.ones(9)).weights is None


def test_all_rows_of_one_entity_are_worth_one_row():
    assert weighting(None, np.zeros(40, dtype=np.int64), np.arange(40.0)).design_effect == 40


def test_the_interval_of_a_share_of_next_to_no_rows_is_everything():
    assert wilson(0, 1e-300) == pytest.approx((0, 1))


def test_predictions_next_to_zero_have_no_slope():
    values = 5e-324 * np.arange(20)
    assert linear_recalibration(values, values, weighting(None, None, values)).line is None


def test_groups_with_huge_losses_are_compared():
    group = Moments(10, 10.0, 1e121, 3e241)
    found = Law(is_share=False).contrast(group, Moments(30, 30.0, 2e121, 4e241))
    assert 0 < found.p_value < 1


@pytest.mark.parametrize("values", [[None] * 300, [1.0] + [None] * 299], ids=["no value", "one value"])
@pytest.mark.parametrize("key", ["drift", "label_quality", "learning_curve", "overfitting"])
def test_a_feature_without_values_leaves_the_others_to_be_looked_at(key, values):
    columns = {**regression_columns(300), "empty": values}
    roles = {**REGRESSION_ROLES, "features": (*REGRESSION_ROLES["features"], "empty")}
    data = evaluation(columns, task=Task.REGRESSION, reference=columns, train=columns, **roles)
    few = {"points": 3, "repeats": 2} if key == "learning_curve" else {}
    assert any(one.value is not None for one in computed(key, data, **few).measurements)


def test_a_single_row_that_counts_shows_no_difference():
    how = weighting(np.array([1.0, 0, 0, 0]), None, np.ones(4))
    assert mean_p_value(np.array([3.0, 1, 2, 5]), how) == 1


def test_a_ratio_whose_error_overflows_has_no_interval():
    assert ratio_of_means(np.array([1e300, 0.0, 1e200]), np.full(3, 1e-5))[1] is None


@pytest.mark.parametrize("ends", [(0.3, 0.1 + 0.2), (1e16, 1e16 + 2), (0.0, 5e-324), (-1.7e308, 1.7e308), (7.0, 7.0)])
def test_values_between_any_two_ends_are_counted_in_bins(ends):
    counts, edges = equal_bins(np.array(ends), *ends, bins=40)
    assert counts.sum() == 2
    assert np.all(np.diff(edges) > 0)


@pytest.mark.parametrize("key", ["performance", "residuals"])
def test_errors_that_differ_by_rounding_alone_are_drawn(key):
    truth = np.linspace(1, 2, 240)
    found = computed(key, regression(240, price=truth, estimate=truth + 7))
    assert any(curve.name in ("error_distribution", "residual_distribution") for curve in found.curves)


def test_predictions_that_differ_by_rounding_alone_have_no_slope():
    predicted = np.array([0.3, 0.1 + 0.2] * 20)
    assert linear_recalibration(predicted, np.arange(40.0), weighting(None, None, predicted)).line is None


def test_a_denormal_number_is_not_rounded():
    assert significant(np.array([5e-324, 1.7e308]), 3).tolist() == [5e-324, 1.7e308]


def test_histograms_of_drift_end_where_floats_end():
    values = 1e308 * np.random.default_rng(3).uniform(-1, 1, 240)
    found = computed("drift", evaluation({"x": values}, reference={"x": np.arange(240.0)}, features=("x",)))
    assert any(curve.name == "overlay" for curve in found.curves)


def test_text_where_training_had_numbers_is_unusual_and_is_not_truncated():
    case = next(case for case in CASES if (case.key, case.kind) == ("robustness", "binary"))
    data = case.data()
    usual_numbers = usual(data, ("income",), tail=0.01)
    rows = pd.DataFrame({"income": ["12", "n/a", None]})
    assert usual_numbers.unusual(rows).tolist() == [True, True, False]
    assert usual_numbers.truncated(rows).equals(rows)


def test_a_gap_to_a_score_that_is_not_defined_is_left_out_of_the_summary():
    columns = {**regression_columns(240), "price": np.full(240, 5.0)}
    data = evaluation(columns, task=Task.REGRESSION, train=regression_columns(240), **REGRESSION_ROLES)
    assert "nan" not in computed("overfitting", data).summary


def test_rows_that_would_decide_between_models_without_end_are_not_counted():
    pair = Pair("mean_absolute_error", 240, 1e-300, 2e-300, 1e-300, (-1.0, 1.0))
    assert switch(pair, margin=0.01, non_inferiority=False, level=0.95, losses=()).rows_to_decide is None


def test_a_weak_segment_without_a_smallest_change_is_not_spoken_of():
    columns = {**regression_columns(240), "weight": 10.0 ** np.random.default_rng(5).uniform(-5, 300, 240)}
    data = evaluation(columns, task=Task.REGRESSION, weight="weight", **REGRESSION_ROLES)
    assert "nan" not in computed("subpopulations", data, bins=4, minimum_rows=15).summary


@pytest.mark.parametrize("value", [1 - 1e-12, 0.5 + 1e-12])
def test_a_level_that_is_a_bound_but_for_rounding_is_refused(value):
    with pytest.raises(ValueError, match="level stays at least 1e-09 away from"):
        analysis("performance").parameters(level=value)


def test_a_cost_beyond_all_sums_is_refused():
    with pytest.raises(ValueError, match="at most 1e"):
        analysis("performance").parameters(cost_false_positive=-1e101)


def test_a_value_beyond_all_sums_is_refused():
    with pytest.raises(InvalidInput, match="expected a number of at most 1e"):
        matrix_from_text("yes > no = 1e101", ["no", "yes"])


def test_periods_before_1677_are_named_by_their_days():
    when = np.datetime64("1500-03-01", "D") + np.arange(240)
    columns = {**binary_columns(240), "when": when.astype("datetime64[us]")}
    found = computed("ground_truth", evaluation(columns, positive="yes", time="when", **BINARY_ROLES))
    assert {one.scope.get("period", "15")[:2] for one in found.measurements} == {"15"}


@pytest.mark.parametrize("day", ["0001-01-01", "1500-03-01", "1969-12-31", "9999-12-31"])
@pytest.mark.parametrize(
    "kind", [pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.date32(), pa.date64()], ids=str
)
def test_every_day_of_the_calendar_keeps_its_place(kind, day):
    days = (date.fromisoformat(day) - date(1970, 1, 1)).days
    column = pa.chunked_array([pa.array([days], pa.int32()).cast(pa.date32()).cast(kind)])
    assert numeric(column).to_pylist() == [days * 86_400.0]


def test_any_move_from_an_answer_that_all_rows_share_is_another_one():
    case = next(case for case in CASES if (case.key, case.kind) == ("robustness", "regression"))
    columns = {**case.columns(), "area": np.full(240, 100.0), "rooms": np.full(240, 3), "district": ["centre"] * 240}
    found = case.compute(case.data(columns))
    assert "All rows get the same prediction as they are: one that moves at all is another." in found.notes
    assert by_scope(found)["flip_rate", '{"feature": "area", "scenario": "zero"}'].value == 1


class Refusing:
    """A model that takes no missing value, as many estimators do."""

    def __init__(self, inner):
        self.features, self.classes = inner.features, inner.classes

    def contributions(self, rows, *, label=None):
        return None

    def scores(self, rows):
        raise InvalidInput("The model cannot predict these rows: Input contains NaN")


class Enormous(Refusing):
    def scores(self, rows):
        return np.full((len(rows), 2), 1e308) * np.sign(np.random.default_rng(0).normal(size=(len(rows), 1)))

    predict = answers = scores


def test_drift_is_measured_where_the_model_refuses_the_reference():
    case = next(case for case in CASES if (case.key, case.kind) == ("drift", "binary"))
    found = case.compute(replace(case.data(), model=Refusing(fitted("binary"))))
    expected = "Features are not ranked by what matters to the model: The model cannot predict these rows"
    assert any(note.startswith(expected) for note in found.notes)
    assert by_scope(found)["kolmogorov_smirnov_statistic", '{"feature": "income"}'].value is not None


def test_drift_is_measured_where_outputs_move_by_more_than_a_number_holds():
    case = next(case for case in CASES if (case.key, case.kind) == ("drift", "binary"))
    assert case.compute(replace(case.data(), model=Enormous(fitted("binary")))).measurements


@pytest.mark.parametrize("key", ["explainability", "what_if"])
def test_outputs_at_the_end_of_floats_are_not_explained(key):
    case = next(case for case in CASES if (case.key, case.kind) == (key, "binary"))
    with pytest.raises(NotMeasured, match="cannot be explained"):
        case.compute(replace(case.data(), model=Enormous(fitted("binary"))))


def test_scores_as_low_as_no_class_ever_had_estimate_a_metric_all_the_same():
    one_of_three = np.eye(3)[np.arange(300) % 3]
    labels = np.array(["a", "b", "c"])[np.arange(300) % 3]
    reference = {"kind": labels, "guess": labels, **{f"p_{c}": one_of_three[:, k] for k, c in enumerate("abc")}}
    columns = {**reference, "when": np.arange(300), **{f"p_{c}": np.zeros(300) for c in "abc"}}
    roles = {**MULTICLASS_ROLES, "features": (), "sensitive": ()}
    found = by_scope(computed("ground_truth", evaluation(columns, reference=reference, time="when", **roles)))
    assert found["estimated_accuracy", "{}"].value == pytest.approx(1 / 3)


@pytest.mark.parametrize(("values", "held"), [(["x", "y"], "text"), ([date(2024, 1, 1)] * 2, "times|text")])
def test_a_column_without_numbers_is_told_in_words(values, held):
    with pytest.raises(NotMeasured, match=f"Column 'a' holds ({held}), numbers are needed"):
        sample({"a": values}).numbers("a")
