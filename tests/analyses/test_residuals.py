"""Residuals against statsmodels and scipy, planted faults found, and no alarm where there are none."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.diagnostic import acorr_ljungbox, het_breuschpagan, het_white
from statsmodels.stats.oneway import anova_oneway
from statsmodels.stats.stattools import durbin_watson as reference_durbin_watson

from modelops.analyses.base import Run
from modelops.analyses.residuals import RESIDUALS, ResidualsParameters
from modelops.analyses.residuals.bias import tails
from modelops.analyses.residuals.shape import breusch_pagan
from modelops.analyses.residuals.values import quantile_residuals
from modelops.analyses.statistics.means import group_means
from modelops.analyses.statistics.weighting import Weighting
from modelops.domain.columns import Task
from modelops.errors import NotMeasured
from tests.analyses.judged import verdicts
from tests.analyses.samples import (
    BINARY_ROLES,
    MULTICLASS_ROLES,
    REGRESSION_ROLES,
    binary_columns,
    evaluation,
    multiclass,
    multiclass_columns,
    regression,
)


def compute(data, *, seed=1, **parameters):
    return RESIDUALS.compute(data, ResidualsParameters(**parameters), Run(seed=seed))


def measured(found, metric, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


def value(found, metric, **scope):
    return measured(found, metric, **scope).value


def planted(rows=1200, *, seed=0, spread=None, shift=None, noise=None):
    """Predictions with an error of deviation 5; ``spread`` scales it and ``shift`` moves it, given x and the site."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, rows)
    site = rng.choice(["east", "north", "west"], rows)
    error = rng.normal(0, 5, rows) if noise is None else noise(rng, rows)
    error = error * (1 if spread is None else spread(x, site)) + (0 if shift is None else shift(x, site))
    guess = 100 + 10 * x
    columns = {"x": x, "other": rng.normal(0, 1, rows), "site": site.tolist(), "guess": guess, "truth": guess + error}
    columns["when"] = pd.date_range("2026-01-01", periods=rows, freq="h")
    roles = {"features": ("x", "other", "site"), "target": "truth", "prediction": "guess", "time": "when"}
    return evaluation(columns, task=Task.REGRESSION, **roles)


def errors_of(data):
    return data.data.numbers("truth") - data.data.numbers("guess")


def test_breusch_pagan_is_that_of_statsmodels():
    rng = np.random.default_rng(1)
    columns = rng.normal(0, 1, (300, 3))
    values = rng.normal(0, np.exp(columns[:, 0] / 3))
    statistic, p_value, *_ = het_breuschpagan(values, sm.add_constant(columns))
    found = breusch_pagan(values, columns)
    assert (found.statistic, found.p_value, found.degrees_of_freedom) == pytest.approx((statistic, p_value, 3))


def test_columns_that_repeat_others_do_not_count():
    rng = np.random.default_rng(2)
    columns = rng.normal(0, 1, (300, 2))
    values = rng.normal(0, 1, 300)
    repeated = np.column_stack([columns, columns[:, 0] - columns[:, 1], np.ones(300)])
    assert breusch_pagan(values, repeated).degrees_of_freedom == 2
    assert breusch_pagan(values, repeated).statistic == pytest.approx(breusch_pagan(values, columns).statistic)


def test_white_over_the_prediction_is_that_of_statsmodels():
    data = planted(spread=lambda x, site: np.exp(x / 4))
    statistic, p_value, *_ = het_white(errors_of(data), sm.add_constant(data.data.numbers("guess")))
    found = compute(data)
    assert value(found, "white_statistic") == pytest.approx(statistic)
    assert value(found, "white_p_value") == pytest.approx(p_value)


def test_the_order_of_time_is_tested_as_in_statsmodels():
    def autoregressive(rng, rows):
        steps = rng.normal(0, 5, rows)
        for row in range(1, rows):
            steps[row] += 0.3 * steps[row - 1]
        return steps

    data = planted(noise=autoregressive)
    errors = errors_of(data)
    reference = acorr_ljungbox(errors, lags=[10])
    found = compute(data)
    assert value(found, "durbin_watson_statistic") == pytest.approx(reference_durbin_watson(errors))
    assert value(found, "ljung_box_statistic") == pytest.approx(reference.lb_stat.iloc[0])
    assert value(found, "ljung_box_p_value") == pytest.approx(reference.lb_pvalue.iloc[0])
    first = measured(found, "residual_autocorrelation")
    assert first.value == pytest.approx(sm.tsa.acf(errors, nlags=1)[1])
    assert first.interval[0] < 0.3 < first.interval[1]


def test_lag_1_has_the_p_value_of_a_normal_with_the_error_of_bartlett():
    found = compute(planted(400, seed=4))
    first = value(found, "residual_autocorrelation")
    expected = 2 * stats.norm.sf(abs(first) * np.sqrt(400))
    assert value(found, "residual_autocorrelation_p_value") == pytest.approx(expected)
    assert value(found, "residual_autocorrelation_adjusted_p_value") == pytest.approx(expected)


def followed(rows=900, *, lasting=0.0, seed=0):
    """Three classes in the order of time; with ``lasting``, what class comes depends on the one before."""
    columns = dict(multiclass_columns(rows, seed=seed))
    rng = np.random.default_rng(seed + 1)
    kind = list(columns["kind"])
    for row in range(1, rows):
        kind[row] = kind[row - 1] if rng.random() < lasting else kind[row]
    columns |= {"kind": kind, "when": np.datetime64("2026-01-01") + np.arange(rows)}
    return evaluation(columns, **{**MULTICLASS_ROLES, "time": "when"})


@pytest.mark.parametrize(("lasting", "outcomes"), [(0.0, {"passed"}), (0.8, {"failed"})])
def test_each_of_several_classes_is_judged_for_its_order_in_time(lasting, outcomes):
    told = verdicts(compute(followed(lasting=lasting)), "residuals.autocorrelated")
    assert [one.scope for one in told] == [{"class": "a"}, {"class": "b"}, {"class": "c"}]
    assert {str(one.verdict) for one in told} == outcomes


def test_rows_at_the_same_time_are_averaged():
    data = planted(400)
    columns = {name: data.data.series(name).tolist() for name in data.data.source.names}
    columns["when"] = np.repeat(np.arange(100), 4)
    roles = {"features": ("x",), "target": "truth", "prediction": "guess", "time": "when"}
    found = compute(evaluation(columns, task=Task.REGRESSION, **roles))
    averaged = errors_of(data).reshape(100, 4).mean(axis=1)
    assert value(found, "durbin_watson_statistic") == pytest.approx(reference_durbin_watson(averaged))
    assert measured(found, "durbin_watson_statistic").sample_size == 100


def test_a_planted_bias_of_one_site_is_found_with_its_share():
    found = compute(planted(shift=lambda x, site: np.where(site == "west", 6.0, 0.0)))
    # A shift of 6 in a third of the rows has the variance 36 * 2 / 9 = 8, beside 25 of the noise.
    assert value(found, "residual_variance_explained", feature="site") == pytest.approx(8 / 33, abs=0.05)
    assert value(found, "residual_adjusted_p_value", feature="site") < 1e-6
    assert "site" in found.summary
    table = next(table for table in found.tables if table.name == "residuals_by_column")
    assert table.rows[0][0] == "site"
    assert table.rows[0][6] == "west"


def test_the_test_by_levels_is_that_of_statsmodels():
    data = planted(shift=lambda x, site: np.where(site == "west", 0.7, 0.0))
    site, errors = np.array(data.data.series("site").tolist()), errors_of(data)
    groups = [errors[site == level] for level in ("east", "north", "west")]
    reference = anova_oneway(groups, use_var="bf")
    assert value(compute(data), "residual_p_value", feature="site") == pytest.approx(reference.pvalue)


def test_of_two_levels_it_is_that_of_scipy():
    rng = np.random.default_rng(8)
    values, codes = rng.normal(size=60), np.repeat([0, 1], [20, 40])
    found = group_means(values, codes, Weighting(None, 1.0), n_groups=2).p_value()
    assert found == pytest.approx(stats.ttest_ind(values[:20], values[20:], equal_var=False).pvalue)


@pytest.mark.parametrize(
    "draw",
    [lambda rng, n: rng.normal(size=n), lambda rng, n: rng.choice([-1.0, 0.0, 1.0], p=[0.1, 0.8, 0.1], size=n)],
    ids=["normal", "right or wrong"],
)
def test_small_cells_raise_no_false_alarm(draw):
    rng = np.random.default_rng(9)
    codes = np.repeat(np.arange(15), [40] * 10 + [2, 2, 3, 3, 10])
    how = Weighting(None, 1.0)
    p_values = [group_means(draw(rng, codes.size), codes, how, n_groups=15).p_value() for _ in range(400)]
    assert np.mean(np.array(p_values) < 0.05) < 0.08


def test_a_curve_that_the_model_missed_is_found_although_it_is_uncorrelated():
    found = compute(planted(shift=lambda x, site: 3 * (x**2 - 1)))
    assert value(found, "residual_variance_explained", feature="x") > 0.2
    assert value(found, "residual_adjusted_p_value", feature="(prediction)") < 1e-6


def test_planted_uneven_spread_is_found():
    found = compute(planted(spread=lambda x, site: np.exp(x / 2)))
    ratio = measured(found, "residual_spread_ratio")
    assert value(found, "breusch_pagan_p_value") < 1e-6
    assert ratio.interval[0] > 2
    # By construction exp(x / 2) in the outer fifths of a normal x, root mean square: about 4.
    assert ratio.interval[0] < 4.1 < ratio.interval[1]


def test_the_worst_errors_are_found_where_they_were_planted():
    found = compute(planted(spread=lambda x, site: np.where(site == "north", 2.5, 1.0)))
    for side in ("overestimated", "underestimated"):
        assert value(found, "error_bias", feature="site", side=side) > 0.2
        assert value(found, "error_bias_adjusted_p_value", feature="site", side=side) < 1e-6
        assert value(found, "error_bias_adjusted_p_value", feature="other", side=side) > 0.01


def test_error_bias_of_numbers_is_the_kolmogorov_smirnov_test():
    data = planted(shift=lambda x, site: 2 * x)
    errors, x = errors_of(data), data.data.numbers("x")
    worst = tails(errors, share=0.05).underestimated
    assert worst.sum() == 60
    reference = stats.ks_2samp(x[worst], x[~worst])
    found = compute(data)
    assert value(found, "error_bias", feature="x", side="underestimated") == pytest.approx(reference.statistic)
    assert value(found, "error_bias_p_value", feature="x", side="underestimated") == pytest.approx(
        reference.pvalue, rel=0.05
    )


def test_residuals_without_any_pattern_raise_no_alarm():
    tests = ("residual_p_value", "error_bias_p_value", "breusch_pagan_p_value", "white_p_value", "ljung_box_p_value")
    seen = {name: [] for name in tests}
    for seed in range(60):
        for one in compute(planted(400, seed=seed), draws=1000, curves=0).measurements:
            if one.metric in seen and one.scope.get("feature") not in {"when", "(prediction)"}:
                seen[one.metric].append(one.value)
    for name, values in seen.items():
        share, size = np.mean(np.array(values) < 0.05), len(values)
        # 5 %, and three standard errors of as many runs (tests of one run are not quite independent).
        assert share < 0.05 + 3 * np.sqrt(0.05 * 0.95 / min(size, 180)), name
    assert np.mean([p < 0.05 for p in seen["residual_p_value"]]) > 0.01


def test_quantile_residuals_are_normal_if_the_scores_are_right():
    rng = np.random.default_rng(4)
    scores = rng.beta(1, 2, 4000)
    truth = (rng.random(4000) < scores).astype(float)
    values = quantile_residuals(truth, scores, rng.random(4000))
    assert stats.kstest(values, "norm").pvalue > 0.01
    wrong = quantile_residuals(truth, scores**2, rng.random(4000))
    assert stats.kstest(wrong, "norm").pvalue < 1e-6


def test_the_skewness_and_kurtosis_are_those_of_scipy():
    data = planted(noise=lambda rng, rows: rng.gamma(2, 3, rows))
    found = compute(data)
    assert value(found, "residual_skewness") == pytest.approx(stats.skew(errors_of(data)))
    assert value(found, "residual_excess_kurtosis") == pytest.approx(stats.kurtosis(errors_of(data)))


def test_a_quantile_has_the_interval_of_order_statistics():
    data = planted(500)
    one = measured(compute(data), "residual_quantile", quantile=0.5)
    assert one.value == pytest.approx(np.median(errors_of(data)))
    half = 1.959964 * np.sqrt(0.25 / 500)
    assert one.interval == pytest.approx(tuple(np.quantile(errors_of(data), [0.5 - half, 0.5 + half])), rel=1e-5)


def test_a_class_is_judged_by_label_less_score():
    columns = binary_columns(500)
    found = compute(evaluation(columns, positive="yes", **BINARY_ROLES))
    labels = np.array([label == "yes" for label in columns["default"]])
    assert value(found, "mean_residual") == pytest.approx(np.mean(labels - columns["probability"]))
    assert "uneven by nature" in measured(found, "breusch_pagan_p_value").note


def test_labels_alone_give_residuals_of_labels():
    columns = binary_columns(500)
    roles = {**BINARY_ROLES, "scores": ()}
    found = compute(evaluation(columns, positive="yes", **roles))
    labels = np.array([label == "yes" for label in columns["default"]])
    said = np.array([label == "yes" for label in columns["decision"]])
    assert value(found, "mean_residual") == pytest.approx(np.mean(labels.astype(float) - said))
    assert measured(found, "residual_skewness").note == "There is no score column."


def test_each_class_of_three_has_its_own_residuals():
    found = compute(multiclass())
    scopes = [one.scope for one in found.measurements if one.metric == "mean_residual"]
    assert scopes == [{"class": "a"}, {"class": "b"}, {"class": "c"}]


def test_of_several_classes_the_one_with_most_left_is_summed_up():
    columns = dict(multiclass_columns(900))
    columns["length"] = [9.0 if kind == "c" else 1.0 for kind in columns["kind"]]
    found = compute(evaluation(columns, **MULTICLASS_ROLES))
    left = {
        one.scope["class"]: one.value
        for one in found.measurements
        if one.metric == "residual_variance_explained" and one.scope["feature"] == "length"
    }
    assert max(left, key=left.get) == "c"
    assert found.summary.startswith("Most is left for the class 'c': over 900 rows ")
    assert "length still tells where" in found.summary


def test_scores_of_several_classes_that_leave_nothing_are_summed_up_together():
    columns = dict(multiclass_columns(300))
    rng = np.random.default_rng(5)
    columns |= {name: [1 / 3] * 300 for name in MULTICLASS_ROLES["scores"]}
    columns |= {"kind": rng.choice(["a", "b", "c"], 300), "length": rng.normal(size=300), "farm": ["hill"] * 300}
    found = compute(evaluation(columns, **MULTICLASS_ROLES))
    assert found.summary == "No column was found to say anything more about the errors of the scores of 3 classes."


def test_without_time_the_order_is_not_measured():
    assert "no time column" in measured(compute(regression()), "durbin_watson_statistic").note


def test_missing_values_are_a_cell_of_their_own():
    data = regression(area=[None if row % 3 == 0 else float(row) for row in range(600)])
    curve = next(one for one in compute(data).curves if one.scope.get("feature") == "area")
    assert curve.series[0].x[-1] == "(missing)"
    assert curve.series[0].size[-1] == 200


def test_without_a_target_there_are_no_residuals():
    data = evaluation({"estimate": [1.0]}, task=Task.REGRESSION, **{**REGRESSION_ROLES, "target": None, "features": ()})
    with pytest.raises(NotMeasured, match="target"):
        compute(data)


def test_sampled_rows_are_said():
    found = compute(planted(1200), rows=500)
    assert any("500 of 1,200 rows" in note for note in found.notes)
    assert measured(found, "breusch_pagan_p_value").sample_size == 500


def test_worst_errors_of_repeated_rows_are_no_bias():
    alarms = 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        guess, error, site = rng.normal(size=80), rng.normal(size=80), rng.choice(["east", "west"], 80)
        columns = {"guess": guess, "truth": guess + error, "x": rng.normal(size=80), "site": site}
        columns = {name: np.repeat(values, 15) for name, values in columns.items()}
        columns |= {"who": np.repeat(np.arange(80), 15), "site": columns["site"].tolist()}
        roles = {"features": ("x", "site"), "target": "truth", "prediction": "guess", "ids": ("who",)}
        found = compute(evaluation(columns, task=Task.REGRESSION, **roles))
        p_values = [one.value for one in found.measurements if one.metric == "error_bias_adjusted_p_value"]
        alarms += min(p_values) < 0.05
    assert alarms <= 3


def test_large_predictions_are_named_without_powers_of_ten():
    target = [20_000.0 + 10 * k for k in range(200)]
    columns = {"y": target, "prediction": [value + (-1) ** k for k, value in enumerate(target)]}
    found = compute(evaluation(columns, task=Task.REGRESSION, target="y", prediction="prediction"))
    chart = next(one for one in found.curves if one.title == "Mean residual by prediction")
    assert all("e+" not in name for series in chart.series for name in series.x)
