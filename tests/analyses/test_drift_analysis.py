"""The whole analysis: what it finds, what it says, what it leaves unmeasured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, ks_2samp
from statsmodels.stats.multitest import multipletests

from modelops.analyses.base import Computed, Need, Run
from modelops.analyses.drift import DRIFT, DriftParameters
from modelops.analyses.drift.columns import Settings, Subject, compare_column
from modelops.analyses.drift.findings import Margins, judge_family
from modelops.domain.result import Curve, Measurement
from modelops.errors import NotMeasured
from tests.analyses.samples import BINARY_ROLES, arrow, binary_columns, evaluation


def drift(current: dict[str, Any], reference: dict[str, Any], *, run: Run | None = None, **changes: Any) -> Computed:
    parameters = {name: changes.pop(name) for name in list(changes) if name in DriftParameters.model_fields}
    roles = changes or {"features": tuple(dict.fromkeys([*reference, *current]))}
    data = evaluation(current, reference=reference, **roles)
    return DRIFT.compute(data, DriftParameters(**{"domain_classifier": False, **parameters}), run or Run())


def find(computed: Computed, metric: str, **scope: Any) -> Measurement:
    return next(m for m in computed.measurements if m.metric == metric and m.scope == scope)


def normal(seed: int, rows: int = 1000, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, rows)


def credit() -> Computed:
    reference, current = binary_columns(3000, seed=1), binary_columns(2000, seed=5, shift=0.4)
    return drift(current, reference, **BINARY_ROLES)


def test_a_planted_shift_is_found_and_nothing_else():
    found = credit()
    assert find(found, "drifted_feature_share").value == pytest.approx(1 / 3)
    assert "1 of 3 features has changed by more than the margin: income." in found.summary


def test_statistic_and_p_values_are_scipys():
    reference, current = binary_columns(3000, seed=1), binary_columns(2000, seed=5, shift=0.4)
    found = credit()
    sides = [np.asarray(table["income"]) for table in (reference, current)]
    expected = ks_2samp(*(side[~np.isnan(side)] for side in sides))
    assert find(found, "kolmogorov_smirnov_statistic", feature="income").value == pytest.approx(expected.statistic)
    assert find(found, "kolmogorov_smirnov_p_value", feature="income").value == pytest.approx(expected.pvalue, abs=1e-9)
    levels = ["salaried", "self-employed", "none"]
    counts = [[table["employment"].count(level) for level in levels] for table in (reference, current)]
    expected = chi2_contingency(counts)
    assert find(found, "chi_squared_statistic", feature="employment").value == pytest.approx(expected.statistic)
    assert find(found, "chi_squared_p_value", feature="employment").value == pytest.approx(expected.pvalue)
    assert find(found, "chi_squared_degrees_of_freedom", feature="employment").value == expected.dof


def test_p_values_are_adjusted_over_the_features():
    found = credit()
    names = ("income", "age", "employment")
    tests = ("kolmogorov_smirnov_p_value", "kolmogorov_smirnov_p_value", "chi_squared_p_value")
    raw = [find(found, test, feature=name).value for test, name in zip(tests, names, strict=True)]
    adjusted = [find(found, "adjusted_p_value", feature=name).value for name in names]
    assert adjusted == pytest.approx(multipletests(raw, method="fdr_bh")[1])


def test_predictions_scores_and_target_have_scopes_of_their_own():
    found = credit()
    assert find(found, "chi_squared_p_value", prediction="decision").value is not None
    assert find(found, "kolmogorov_smirnov_p_value", score="probability").value < 0.01
    assert find(found, "cramers_v", target="default").value > 0


def test_figures_then_and_now_stand_side_by_side():
    found = drift({"x": np.arange(100.0)}, {"x": np.arange(50.0)})
    assert find(found, "mean", feature="x").value == 49.5
    assert find(found, "mean", feature="x", table="reference").value == 24.5
    assert find(found, "maximum", feature="x", table="reference").value == 49
    assert find(found, "quantile", feature="x", probability=0.5).value == 49.5


def test_sixty_in_a_hundred_newly_missing_values_are_drift():
    values = normal(1)
    gone = np.where(np.random.default_rng(2).random(1000) < 0.6, np.nan, values)
    found = drift({"x": gone}, {"x": values})
    assert find(found, "missing_rate", feature="x").value == pytest.approx(0.6, abs=0.05)
    assert find(found, "missing_rate_adjusted_p_value", feature="x").value < 1e-100
    assert find(found, "drifted_feature_share").value == 1.0
    assert find(found, "kolmogorov_smirnov_p_value", feature="x").value > 0.05


def test_a_column_that_is_wholly_missing_now_is_drift_without_a_test_of_values():
    found = drift({"x": [None] * 500}, {"x": normal(1)})
    assert find(found, "drifted_feature_share").value == 1.0
    statistic = find(found, "kolmogorov_smirnov_statistic", feature="x")
    assert (statistic.value, statistic.note[:15]) == (None, "Not enough data")


def test_stability_index_is_the_hand_computation_on_reference_deciles():
    reference, current = normal(1, 5000), normal(2, 4000, 0.3)
    edges = np.quantile(reference, np.arange(1, 10) / 10)
    then, now = (np.histogram(side, [-np.inf, *edges, np.inf])[0] / len(side) for side in (reference, current))
    found = find(drift({"x": current}, {"x": reference}), "population_stability_index", feature="x")
    assert found.value == pytest.approx(((now - then) * np.log(now / then)).sum())


def test_stability_index_of_few_rows_is_not_enough_data():
    found = find(drift({"x": normal(1, 60)}, {"x": normal(2, 500)}), "population_stability_index", feature="x")
    assert (found.value, found.note[:15]) == (None, "Not enough data")


def test_few_rows_are_not_enough_data_and_never_a_pass():
    found = drift({"x": normal(1, 12)}, {"x": normal(2)})
    for metric in ("kolmogorov_smirnov_statistic", "adjusted_p_value", "smallest_detectable_change"):
        measurement = find(found, metric, feature="x")
        assert measurement.value is None
        assert measurement.note == "Not enough data: 12 values in the current table, at least 30 are needed."
    assert find(found, "drifted_feature_share").value is None


def test_numbers_with_few_distinct_values_are_tested_as_a_table():
    rng = np.random.default_rng(3)
    reference, current = rng.integers(0, 5, 1000), rng.integers(0, 5, 5000)
    found = drift({"x": current}, {"x": reference})
    expected = chi2_contingency([np.bincount(reference), np.bincount(current)])
    assert find(found, "adjusted_p_value", feature="x").value == pytest.approx(expected.pvalue)
    assert "ties" in find(found, "kolmogorov_smirnov_p_value", feature="x").note
    assert find(found, "smallest_detectable_change", feature="x").unit == "cramers_v"


def test_new_categories_are_a_finding_with_names_share_and_interval():
    found = drift({"c": ["a"] * 150 + ["z"] * 50}, {"c": ["a"] * 120 + ["b"] * 80})
    new = find(found, "new_category_share", feature="c", category="z")
    assert (new.value, new.sample_size) == (0.25, 200)
    assert new.interval[0] < 0.25 < new.interval[1]
    assert find(found, "vanished_category_share", feature="c").note == "b"
    assert find(found, "chi_squared_p_value", feature="c").value > 0


def test_columns_of_another_kind_are_not_compared():
    found = drift({"x": ["a", "b"] * 100}, {"x": np.arange(200.0)})
    note = find(found, "adjusted_p_value", feature="x").note
    assert note == "The column held values of kind number in the reference and holds category now."
    assert any(text.startswith("x: The column held") for text in found.notes)


def test_a_column_that_the_current_table_lacks_is_not_compared():
    found = drift({"x": normal(1)}, {"x": normal(2), "y": normal(3)})
    assert find(found, "adjusted_p_value", feature="y").note == "The current table has no column y."


def test_lists_are_not_compared():
    lists = pa.chunked_array([pa.array([[1], [2]] * 50)])
    found = drift({"x": lists}, {"x": lists})
    assert "neither numbers, times nor text" in find(found, "adjusted_p_value", feature="x").note


def test_infinite_values_are_said():
    current = normal(1)
    current[:7] = np.inf
    found = drift({"x": current}, {"x": normal(2)})
    assert find(found, "mean", feature="x").note == "7 infinite values are left out."
    assert find(found, "kolmogorov_smirnov_statistic", feature="x").value is not None


def test_a_constant_column_has_no_distance_in_deviations():
    found = drift({"x": [1.0] * 200}, {"x": [1.0] * 200})
    assert find(found, "wasserstein_distance", feature="x").value is None
    assert find(found, "cramers_v", feature="x").value == 0.0
    assert find(found, "drifted_feature_share").value == 0.0


def test_a_real_but_small_change_is_not_drifted():
    found = drift({"x": normal(1, 60_000, 0.06)}, {"x": normal(2, 60_000)})
    assert find(found, "adjusted_p_value", feature="x").value < 0.01
    assert find(found, "drifted_feature_share").value == 0.0
    assert "1 more changed measurably, but by less than the margin of 0.1." in found.summary


def test_a_change_of_the_smallest_detectable_size_is_found_four_times_in_five():
    rng = np.random.default_rng(5)
    hits = []
    for _ in range(60):
        reference, current = rng.random(1000), rng.random(1000)
        size = find(drift({"x": current}, {"x": reference}), "smallest_detectable_change", feature="x").value
        hits.append(find(drift({"x": current + size}, {"x": reference}), "adjusted_p_value", feature="x").value <= 0.05)
    assert np.mean(hits) >= 0.8


def test_false_alarms_over_many_columns_are_rare():
    rng = np.random.default_rng(6)

    def table() -> dict[str, Any]:
        numbers = {f"n{k}": rng.normal(size=400) for k in range(15)}
        return numbers | {f"c{k}": list(rng.choice(list("abcde"), 400)) for k in range(5)}

    alarms = 0
    for _ in range(60):
        found = drift(table(), table(), margin=0.0)
        alarms += find(found, "drifted_feature_share").value > 0
    assert alarms / 60 <= 0.12  # 5 in 100 runs, give or take two standard errors


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(6)))
def test_adjusted_p_values_do_not_depend_on_the_order_of_columns(order):
    drifts = [
        compare_column(
            Subject("feature", f"x{k}"), arrow(normal(k)), arrow(normal(9, mean=k / 20)), Settings(10, 30, 0)
        )
        for k in range(6)
    ]
    margins = Margins(0.05, 0.1, 0.05)
    straight = {each.drift.subject.column: each.adjusted_p for each in judge_family(drifts, margins)}
    mixed = {each.drift.subject.column: each.adjusted_p for each in judge_family([drifts[k] for k in order], margins)}
    assert mixed == straight


def test_a_seed_fixes_the_result():
    tables = binary_columns(500, seed=1), binary_columns(500, seed=2)
    first, second = (drift(*tables, domain_classifier=True, run=Run(seed=3), **BINARY_ROLES) for _ in range(2))
    assert first == second


def test_progress_is_reported_and_never_falls():
    seen: list[float] = []
    tables = binary_columns(300, seed=1), binary_columns(300, seed=2)
    drift(*tables, domain_classifier=True, run=Run(progress=lambda done, _: seen.append(done)), **BINARY_ROLES)
    assert seen == sorted(seen)
    assert len(seen) > 6


def overlays(computed: Computed) -> list[Curve]:
    return [curve for curve in computed.curves if curve.name == "overlay"]


def test_only_the_most_drifted_features_are_drawn():
    current = {f"x{k}": normal(k, mean=k / 10) for k in range(6)}
    reference = {f"x{k}": normal(k + 50) for k in range(6)}
    assert [curve.scope["feature"] for curve in overlays(drift(current, reference, overlays=2))] == ["x5", "x4"]


def test_shares_of_an_overlay_add_up_to_one():
    for curve in overlays(credit()):
        for series in curve.series:
            shares = series.y[:-1] if curve.shape == "step" else series.y
            assert sum(shares) == pytest.approx(1.0)


def test_effects_are_shown_with_their_intervals_and_the_margin():
    forest = next(curve for curve in credit().curves if curve.name == "effects")
    assert forest.reference == 0.1
    assert forest.series[0].low[0] < forest.series[0].y[0] < forest.series[0].high[0]


def test_without_a_reference_nothing_is_measured():
    with pytest.raises(NotMeasured, match="No reference"):
        DRIFT.compute(evaluation({"x": [1.0]}, features=("x",)), DriftParameters(), Run())


def test_an_empty_table_is_refused():
    with pytest.raises(NotMeasured, match="no rows"):
        drift({"x": np.empty(0)}, {"x": normal(1)})


def test_tables_without_roles_are_refused():
    data = evaluation({"x": [1.0]}, reference={"x": [1.0]})
    with pytest.raises(NotMeasured, match="No column has the role"):
        DRIFT.compute(data, DriftParameters(), Run())


def test_a_reference_is_what_the_analysis_needs():
    assert DRIFT.missing(evaluation({"x": [1.0]}, features=("x",))) == (Need.REFERENCE,)


def test_too_few_rows_for_the_domain_classifier_are_said():
    found = drift({"x": normal(1, 50)}, {"x": normal(2, 50)}, domain_classifier=True)
    measurement = find(found, "domain_classifier_roc_auc")
    assert (measurement.value, measurement.note[:15]) == (None, "Not enough data")


def test_an_id_like_text_column_is_not_compared_but_its_new_values_are():
    found = drift({"k": [f"a{k}" for k in range(400)]}, {"k": [f"b{k}" for k in range(400)]})
    assert "too rare" in find(found, "cramers_v", feature="k").note
    assert find(found, "new_category_share", feature="k").value == 1.0


def test_outputs_that_stay_and_move_are_told_in_one_sentence():
    moved, still = normal(1) + 2, normal(2)
    reference = {"x": normal(3), "prediction": normal(4), "score_a": normal(5), "y": normal(6)}
    current = {"x": normal(7), "prediction": moved, "score_a": still, "y": normal(8)}
    roles = {"features": ("x",), "target": "y", "prediction": "prediction", "scores": ("score_a",)}
    found = drift(current, reference, domain_classifier=False, **roles)
    assert "The prediction has changed; the score_a and the target y have not." in found.summary
    found = drift(reference, reference, domain_classifier=False, **roles)
    assert "The prediction, the score_a and the target y have not changed by more than the margin." in found.summary
