"""Ground truth against scikit-learn, statsmodels and scipy; a planted fall found, no alarm without one."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.multitest import multipletests

from modelops.analyses.base import Run
from modelops.analyses.ground_truth import GROUND_TRUTH, GroundTruthParameters
from modelops.analyses.ground_truth.labels import Delays, delay_measurements, waiting_time
from modelops.analyses.ground_truth.metrics_over_time import balanced_accuracy, f1_score
from modelops.analyses.statistics.multiplicity import holm
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.judged import verdicts
from tests.analyses.samples import evaluation

ROLES = {"features": ("x", "site"), "target": "label", "scores": ("score",), "time": "when"}
AMOUNTS = {"features": ("x", "site"), "target": "truth", "prediction": "guess", "time": "when"}


def compute(data, *, seed=1, **parameters):
    return GROUND_TRUTH.compute(data, GroundTruthParameters(**parameters), Run(seed=seed))


def measured(found, metric, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


def value(found, metric, **scope):
    return measured(found, metric, **scope).value


def each(found, metric):
    """The values by period, in their order."""
    return [one.value for one in found.measurements if one.metric == metric and "period" in one.scope]


def decisions(rows, *, seed, start="2026-01-01", wrong_from=1.0, labelled=None):
    """Scores that come true; from the share ``wrong_from`` of the time on, labels have nothing to do with them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, rows)
    score = 1 / (1 + np.exp(-2 * x))
    chance = np.where(np.arange(rows) < wrong_from * rows, score, 0.5)
    labels = np.where(rng.random(rows) < chance, "yes", "no").astype(object)
    when = pd.Timestamp(start) + pd.to_timedelta(np.arange(rows) * 180 / rows, unit="D")
    columns = {"x": x, "site": rng.choice(["east", "west"], rows).tolist(), "score": score, "when": when}
    if labelled is not None:
        labels[~labelled(columns, rng)] = None
    return {**columns, "label": labels.tolist()}


def classified(rows=1800, *, seed=0, reference_rows=1500, **planted):
    reference = decisions(reference_rows, seed=seed + 1000, start="2025-06-01")
    return evaluation(decisions(rows, seed=seed, **planted), positive="yes", reference=reference, **ROLES)


def amounts(rows, *, seed, start="2026-01-01", noise=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, rows)
    guess = 50 + 10 * x
    when = pd.Timestamp(start) + pd.to_timedelta(np.arange(rows) * 180 / rows, unit="D")
    errors = rng.normal(0, np.exp(x / 2) * noise * 3)
    site = rng.choice(["east", "west"], rows).tolist()
    return {"x": x, "site": site, "guess": guess, "when": when, "truth": guess + errors}


def test_every_period_has_the_metrics_of_scikit_learn():
    data = classified()
    found = compute(data, period="month")
    columns = pd.DataFrame({name: data.data.series(name) for name in data.data.source.names})
    march = columns[columns["when"].dt.strftime("%Y-%m") == "2026-03"]
    truth, said = (march["label"] == "yes").to_numpy(), (march["score"] >= 0.5).to_numpy()
    period = {"period": "2026-03"}
    assert measured(found, "accuracy", **period).sample_size == len(march)
    assert value(found, "accuracy", **period) == pytest.approx(metrics.accuracy_score(truth, said))
    assert value(found, "balanced_accuracy", **period) == pytest.approx(metrics.balanced_accuracy_score(truth, said))
    assert value(found, "f1", **period) == pytest.approx(metrics.f1_score(truth, said))
    assert value(found, "roc_auc", **period) == pytest.approx(metrics.roc_auc_score(truth, march["score"]))
    assert value(found, "brier_score", **period) == pytest.approx(metrics.brier_score_loss(truth, march["score"]))
    assert value(found, "log_loss", **period) == pytest.approx(metrics.log_loss(truth, march["score"]))


@pytest.mark.parametrize("measure", [balanced_accuracy, f1_score])
def test_the_error_of_a_metric_of_counts_is_that_of_resampling(measure):
    counts = np.array([[50.0, 10, 5], [8, 40, 4], [3, 6, 20]])
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(int(counts.sum()), counts.ravel() / counts.sum(), size=20_000).reshape(-1, 3, 3)
    values = measure(drawn.astype(float))[0]
    assert np.sqrt(measure(counts)[1]) == pytest.approx(values.std(), rel=0.03)


def test_f1_of_two_classes_has_the_error_of_resampling():
    counts = np.array([[70.0, 10], [12, 30]])
    drawn = np.random.default_rng(1).multinomial(122, counts.ravel() / 122, size=20_000).reshape(-1, 2, 2)
    assert np.sqrt(f1_score(counts)[1]) == pytest.approx(f1_score(drawn.astype(float))[0].std(), rel=0.03)


def test_parts_hold_equally_many_rows_and_keep_the_same_time_together():
    data = classified(600)
    found = compute(data, rows_per_period=100)
    assert [one.sample_size for one in found.measurements if one.metric == "label_coverage" and one.scope] == [100] * 6
    columns = decisions(600, seed=3) | {"when": np.repeat([1, 2, 3], 200)}
    found = compute(evaluation(columns, positive="yes", **ROLES), rows_per_period=100)
    assert [one.sample_size for one in found.measurements if one.metric == "label_coverage" and one.scope] == [200] * 3


def test_calendar_periods_are_named_as_people_write_them():
    data = classified(600)
    labels = {name: next(t for t in compute(data, period=name).tables if t.name == "periods").rows[0][0]
              for name in ("week", "month", "quarter", "year")}  # fmt: skip
    assert labels == {"week": "2026-W01", "month": "2026-01", "quarter": "2026-Q1", "year": "2026"}


def test_dates_as_text_are_read():
    columns = decisions(300, seed=3)
    columns["when"] = [f"{moment:%Y-%m-%d}" for moment in columns["when"]]
    found = compute(evaluation(columns, positive="yes", **ROLES), period="quarter")
    assert len(each(found, "accuracy")) == 2


def test_a_planted_fall_is_found_when_it_happened():
    found = compute(classified(wrong_from=0.5), rows_per_period=300)
    adjusted = each(found, "performance_loss_adjusted_p_value")
    assert [p < 0.05 for p in adjusted] == [False] * 3 + [True] * 3
    assert each(found, "performance_loss")[-1] == pytest.approx(0.35, abs=0.1)
    assert "3 of 6 periods" in found.summary


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "log_loss"])
def test_without_a_change_one_run_in_twenty_has_an_alarm_at_most(metric):
    alarms = []
    for seed in range(60):
        data = classified(500, seed=seed, reference_rows=500)
        found = compute(data, rows_per_period=100, metric=metric)
        alarms.append(min(each(found, "performance_loss_adjusted_p_value")) < 0.05)
    # At most 5 %, and three standard errors of 60 runs.
    assert np.mean(alarms) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


def test_an_improvement_is_no_loss():
    better = evaluation(
        decisions(900, seed=5),
        positive="yes",
        reference=decisions(900, seed=6, wrong_from=0.5),
        **ROLES,
    )
    found = compute(better, rows_per_period=300)
    assert max(each(found, "performance_loss")) < 0
    assert min(each(found, "performance_loss_p_value")) > 0.5


def test_holm_is_that_of_statsmodels():
    p_values = np.random.default_rng(0).random(12) ** 3
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])
    assert np.isnan(holm([0.01, np.nan])).tolist() == [False, True]


def test_the_trend_is_that_of_scipy():
    found = compute(classified(wrong_from=0.6), rows_per_period=150)
    values = each(found, "roc_auc")
    tau = stats.kendalltau(np.arange(len(values)), values)
    slope = stats.theilslopes(values, np.arange(len(values)), alpha=0.95)
    assert value(found, "performance_trend_tau") == pytest.approx(tau.statistic)
    assert value(found, "performance_trend_p_value") == pytest.approx(tau.pvalue)
    one = measured(found, "performance_trend_slope")
    assert (one.value, *one.interval) == pytest.approx((slope.slope, slope.low_slope, slope.high_slope))


def test_few_periods_have_no_trend():
    assert "at least 5 periods" in measured(compute(classified(400), rows_per_period=100), "performance_trend_tau").note


def test_the_waiting_time_is_that_of_kaplan_and_meier():
    rng = np.random.default_rng(2)
    days, until = rng.exponential(10, 300), rng.uniform(0, 40, 300)
    come = days <= until
    waited = np.where(come, days, until)
    reference = SurvfuncRight(waited, come.astype(int))
    for share in (0.5, 0.9):
        found, interval = waiting_time(Delays(waited, come, 0), share, level=0.95)
        assert found == pytest.approx(reference.quantile(share))
        assert interval[0] <= found <= interval[1]
    # Leaving out what has not come yet would make labels look faster.
    assert waiting_time(Delays(waited, come, 0), 0.5, level=0.95)[0] > np.median(waited[come])


def test_labels_of_the_last_weeks_are_missing_and_the_delay_is_known():
    columns = decisions(1200, seed=4)
    last = pd.Series(columns["when"]).max()
    arrival = pd.Series(columns["when"]) + pd.Timedelta(days=30)
    columns["label"] = [label if at <= last else None for label, at in zip(columns["label"], arrival, strict=True)]
    columns["arrived"] = arrival.where(arrival <= last)
    found = compute(evaluation(columns, positive="yes", **ROLES), period="month", label_time="arrived")
    assert value(found, "label_delay_days", quantile=0.5) == pytest.approx(30)
    assert value(found, "label_coverage") == pytest.approx(150 / 180, abs=0.01)
    assert value(found, "label_coverage", period="2026-06") == 0
    assert "Every row whose label should have come by now has one." in measured(found, "label_bias_share").note


def test_where_every_label_has_come_none_can_be_a_biased_sample():
    told = verdicts(compute(classified(600)), "ground_truth.labels_unbiased")
    assert [str(one.verdict) for one in told] == ["not applicable"]
    assert "Every row whose label should have come by now has one." in told[0].because


def test_where_no_label_has_come_whether_they_are_biased_is_not_known():
    told = verdicts(
        compute(classified(600, labelled=lambda columns, rng: np.zeros(600, dtype=bool))),
        "ground_truth.labels_unbiased",
    )
    assert [str(one.verdict) for one in told] == ["not enough data"]


def test_labels_that_come_for_one_kind_of_row_are_a_biased_sample():
    data = classified(1600, labelled=lambda columns, rng: (columns["x"] > 0) | (rng.random(1600) < 0.2))
    found = compute(data)
    assert value(found, "label_bias", feature="x") > 0.4
    assert value(found, "label_bias_adjusted_p_value", feature="x") < 1e-6
    assert value(found, "label_bias_adjusted_p_value", feature="site") > 0.01
    assert measured(found, "label_bias_classifier_roc_auc").interval[0] > 0.7


def test_labels_at_random_are_not_a_biased_sample():
    found = compute(classified(1600, labelled=lambda columns, rng: rng.random(1600) < 0.5))
    assert value(found, "label_bias_share") == 0
    assert value(found, "label_bias_classifier_p_value") > 0.01


def test_without_labels_the_estimates_are_near_the_hidden_truth():
    truth = decisions(3000, seed=8)
    hidden = {**truth, "label": [None] * 3000}
    reference = decisions(3000, seed=9, start="2025-06-01")
    found = compute(evaluation(hidden, positive="yes", reference=reference, **ROLES))
    happened, score = np.array(truth["label"]) == "yes", truth["score"]
    for name, seen in (
        ("accuracy", metrics.accuracy_score(happened, score >= 0.5)),
        ("f1", metrics.f1_score(happened, score >= 0.5)),
        ("roc_auc", metrics.roc_auc_score(happened, score)),
        ("brier_score", metrics.brier_score_loss(happened, score)),
        ("log_loss", metrics.log_loss(happened, score)),
    ):
        one = measured(found, f"estimated_{name}")
        assert one.interval[0] < seen < one.interval[1], name
    assert "estimated" in found.summary


def test_estimates_follow_the_scores_where_the_population_moves():
    rng = np.random.default_rng(11)
    hard = decisions(4000, seed=12)
    near = np.abs(hard["x"]) < 0.5
    columns = {name: [v for v, kept in zip(values, near, strict=True) if kept] for name, values in hard.items()}
    happened, score = np.array(columns["label"]) == "yes", np.array(columns["score"])
    columns["label"] = [None] * len(score)
    found = compute(evaluation(columns, positive="yes", reference=decisions(3000, seed=int(rng.integers(99))), **ROLES))
    assert value(found, "estimated_accuracy") == pytest.approx(metrics.accuracy_score(happened, score >= 0.5), abs=0.03)
    assert value(found, "estimated_accuracy") < 0.7


def test_estimates_are_held_against_the_truth():
    found = compute(classified(1800), rows_per_period=300)
    assert np.abs(each(found, "estimation_error")).max() < 0.06
    assert value(found, "estimation_coverage") >= 0.8
    wrong = compute(classified(1800, wrong_from=0.0), rows_per_period=300)
    assert min(each(wrong, "estimation_error")) > 0.2
    assert value(wrong, "estimation_coverage") == 0


def test_the_loss_of_quantities_is_estimated_from_the_features():
    shifted = amounts(2000, seed=1)
    rng = np.random.default_rng(5)
    x = shifted["x"] * 0.5 + 1
    truth = shifted["guess"] + rng.normal(0, np.exp(x / 2) * 3)
    hidden = {**shifted, "x": x, "guess": 50 + 10 * x, "truth": [None] * 2000}
    errors = np.abs(truth - shifted["guess"])
    data = evaluation(hidden, task=Task.REGRESSION, reference=amounts(4000, seed=2), **AMOUNTS)
    found = compute(data)
    assert value(found, "estimated_mean_absolute_error") == pytest.approx(errors.mean(), rel=0.1)
    assert value(found, "estimated_root_mean_squared_error") == pytest.approx(np.sqrt(np.mean(errors**2)), rel=0.12)


def test_the_interval_of_an_estimated_error_does_not_reach_below_zero():
    reference = amounts(600, seed=2)
    reference["truth"] = np.array(reference["truth"], dtype=float)
    reference["truth"][::50] += 4000.0
    data = evaluation(amounts(400, seed=1), task=Task.REGRESSION, reference=reference, **AMOUNTS)
    found = compute(data, rows_per_period=40)
    lows = [
        one.interval[0]
        for one in found.measurements
        if one.metric == "estimated_root_mean_squared_error" and one.interval is not None
    ]
    assert min(lows) == 0.0
    curve = next(one for one in found.curves if one.scope == {"metric": "root_mean_squared_error"})
    drawn = next(series for series in curve.series if series.name == "estimated without labels")
    assert min(low for low in drawn.low if low is not None) == 0.0


def test_larger_errors_of_quantities_are_a_relative_loss():
    data = evaluation(
        amounts(1200, seed=3, noise=1.5), task=Task.REGRESSION, reference=amounts(1200, seed=4), **AMOUNTS
    )
    found = compute(data, rows_per_period=300)
    assert np.mean(each(found, "relative_performance_loss")) == pytest.approx(0.5, abs=0.12)
    assert max(each(found, "performance_loss_adjusted_p_value")) < 0.01


def test_the_lamp_shows_rows_that_the_reference_does_not_reach():
    columns = decisions(600, seed=3)
    columns["site"] = ["north" if row % 4 == 0 else "east" for row in range(600)]
    found = compute(evaluation(columns, positive="yes", reference=decisions(800, seed=4, start="2025-06-01"), **ROLES))
    assert 0.25 <= value(found, "out_of_support_share") < 0.27
    # The reference runs for 180 days from 1 June 2025, the data for as many from 1 January 2026.
    assert value(found, "calibration_age_days") == pytest.approx(214, abs=0.5)
    table = next(table for table in found.tables if table.name == "out_of_support")
    assert table.rows[0][:2] == ("site", 150)


def test_a_small_reference_of_many_columns_does_not_fail_rows_that_are_like_it():
    def wide(rows, seed):
        rng = np.random.default_rng(seed)
        columns = {f"x{k}": rng.normal(size=rows) for k in range(20)}
        return decisions(rows, seed=seed) | columns

    roles = ROLES | {"features": tuple(f"x{k}" for k in range(20))}
    shares, excesses = [], []
    for seed in range(6):
        data = evaluation(wide(400, seed), positive="yes", reference=wide(200, 100 + seed), **roles)
        found = compute(data)
        shares.append(value(found, "out_of_support_share"))
        excesses.append(value(found, "excess_out_of_support_share"))
        assert [one.verdict for one in verdicts(found, "ground_truth.within_support")] != ["failed"]
    assert min(shares) > 0.1
    assert np.mean(excesses) == pytest.approx(0, abs=0.04)


def test_without_any_label_none_is_older_than_its_prediction():
    found = next(
        one
        for one in delay_measurements(Delays(np.array([3.0]), np.array([False]), 0), level=0.95)
        if one.metric == "label_before_prediction_share"
    )
    assert (found.value, found.note) == (None, "No label has come yet.")


def test_the_business_value_of_a_period_is_the_sum_of_its_decisions():
    data = classified(400)
    found = compute(data, period="year", value_matrix="yes > yes = 10; no > yes = -4")
    truth = data.data.labels("label") == "yes"
    said = data.data.numbers("score") >= 0.5
    total = 10 * np.sum(truth & said) - 4 * np.sum(~truth & said)
    assert value(found, "business_value", period="2026") == pytest.approx(total)
    assert value(found, "estimated_business_value_per_row", period="2026") == pytest.approx(total / 400, abs=0.6)


def test_costs_of_quantities_are_their_value():
    data = evaluation(amounts(300, seed=3), task=Task.REGRESSION, **AMOUNTS)
    found = compute(data, period="year", cost_over=2.0, cost_under=5.0)
    errors = data.data.numbers("guess") - data.data.numbers("truth")
    expected = -np.mean(np.where(errors > 0, 2 * errors, -5 * errors))
    assert value(found, "business_value_per_row", period="2026") == pytest.approx(expected)


def test_no_reference_is_said_and_no_alarm():
    found = compute(evaluation(decisions(400, seed=1), positive="yes", **ROLES))
    assert "no reference" in measured(found, "estimated_roc_auc").note
    assert all("no reference" in one.note for one in found.measurements if one.metric == "performance_loss")


def test_neighbours_in_time_that_err_alike_widen_the_band():
    def sticky(rows, seed):
        rng = np.random.default_rng(seed)
        columns = decisions(rows, seed=seed)
        wrong = np.repeat(rng.random(rows // 50) < 0.3, 50)
        columns["label"] = np.where((columns["score"] >= 0.5) != wrong, "yes", "no").tolist()
        return columns

    data = evaluation(sticky(1000, 1), positive="yes", reference=sticky(2000, 2), **ROLES)
    found = compute(data, metric="accuracy", rows_per_period=100)
    assert any("nearby times are alike" in note for note in found.notes)
    assert min(each(found, "performance_loss_adjusted_p_value")) > 0.01


def test_numbers_as_times_have_no_calendar():
    columns = decisions(200, seed=1) | {"when": np.arange(200)}
    with pytest.raises(InvalidInput, match="need dates"):
        compute(evaluation(columns, positive="yes", **ROLES), period="month")


def test_a_metric_of_another_task_is_refused():
    with pytest.raises(InvalidInput, match="does not fit"):
        compute(classified(200), metric="mean_absolute_error")


def test_too_many_periods_are_refused():
    with pytest.raises(InvalidInput, match="longer ones"):
        compute(classified(5000), rows_per_period=10)


def test_without_time_nothing_is_measured():
    with pytest.raises(NotMeasured, match="time column"):
        compute(evaluation(decisions(100, seed=1), positive="yes", **{**ROLES, "time": None}))
