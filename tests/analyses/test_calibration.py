"""Calibration against statsmodels, scikit-learn and hand computations; planted miscalibration; no alarm without."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from sklearn.metrics import brier_score_loss

from modelops.analyses.base import Run
from modelops.analyses.calibration import CALIBRATION, CalibrationParameters
from modelops.analyses.calibration.brier import brier_parts
from modelops.analyses.calibration.classwise import binned, classwise_error
from modelops.analyses.calibration.conformal import class_errors, limit, split
from modelops.analyses.calibration.recalibration import linear_recalibration, logistic_recalibration, logits
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.intervals import wilson
from modelops.analyses.statistics.reliability import reliability
from modelops.analyses.statistics.weighting import weighting
from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured
from tests.analyses.judged import verdicts
from tests.analyses.samples import BINARY_ROLES, binary, binary_columns, evaluation, multiclass, regression

ALIKE = weighting(None, None, np.ones(2))


def compute(data, *, seed=1, **parameters):
    return CALIBRATION.compute(data, CalibrationParameters(**parameters), Run(seed=seed))


def measured(found, metric, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


def value(found, metric, **scope):
    return measured(found, metric, **scope).value


def scores(rows, *, seed=0, slope=1.0, intercept=0.0):
    """Scores, and labels that follow them after a shift and a stretch of the log odds."""
    rng = np.random.default_rng(seed)
    score = rng.beta(1.5, 2.5, rows)
    truth = rng.random(rows) < 1 / (1 + np.exp(-(intercept + slope * logits(score))))
    return score, truth


def scored(rows, **planted):
    score, truth = scores(rows, **planted)
    group = np.where(np.arange(rows) % 3 == 0, "a", "b")
    columns = {"score": score, "label": np.where(truth, "yes", "no").tolist(), "group": group.tolist()}
    return evaluation(columns, positive="yes", target="label", scores=("score",), sensitive=("group",))


def test_slope_and_intercept_are_those_of_statsmodels():
    score, truth = scores(800, slope=0.6, intercept=0.4)
    found = logistic_recalibration(score, truth, ALIKE)
    fit = sm.Logit(truth.astype(float), sm.add_constant(logits(score))).fit(disp=0)
    assert [found.line.intercept, found.line.slope] == pytest.approx(fit.params)
    assert [found.line.intercept_error, found.line.slope_error] == pytest.approx(fit.bse)


def test_the_shift_at_slope_one_is_that_of_a_model_with_offset():
    score, truth = scores(800, intercept=0.7)
    fit = sm.GLM(truth.astype(float), np.ones(800), family=sm.families.Binomial(), offset=logits(score)).fit()
    found = logistic_recalibration(score, truth, ALIKE)
    assert found.shift == pytest.approx((fit.params[0], fit.bse[0]))


def test_the_linear_slope_and_its_test_are_those_of_statsmodels():
    rng = np.random.default_rng(2)
    predicted = rng.gamma(3, 20, 400)
    truth = 8 + 0.9 * predicted + rng.normal(0, 1 + predicted / 10)
    found = linear_recalibration(predicted, truth, ALIKE)
    fit = sm.OLS(truth, sm.add_constant(predicted)).fit(cov_type="HC1")
    assert [found.line.intercept, found.line.slope] == pytest.approx(fit.params)
    assert [found.line.intercept_error, found.line.slope_error] == pytest.approx(fit.bse)
    test = fit.wald_test((np.eye(2), np.array([0.0, 1.0])), scalar=True, use_f=False)
    assert found.p_value == pytest.approx(float(test.pvalue))


def test_weights_count_as_repeated_rows_would():
    score, truth = scores(200, slope=0.7)
    times = np.random.default_rng(1).integers(1, 4, 200)
    repeated = logistic_recalibration(np.repeat(score, times), np.repeat(truth, times), ALIKE)
    weighted = logistic_recalibration(score, truth, weighting(times.astype(float), None, truth.astype(float)))
    assert weighted.line.slope == pytest.approx(repeated.line.slope)
    assert weighted.line.intercept == pytest.approx(repeated.line.intercept)


def test_the_parts_add_up_to_the_brier_score():
    score, truth = (column[np.argsort(scores(300)[0])] for column in scores(300))
    whole = brier_score_loss(truth, score)
    bins = reliability(score, truth)
    for parts in brier_parts(bins, whole):
        assert parts.reliability - parts.resolution + parts.uncertainty + parts.within_bins == pytest.approx(whole)


def test_debiased_reliability_of_calibrated_scores_is_zero_on_average():
    plain, debiased = [], []
    for seed in range(300):
        score, truth = scores(200, seed=seed)
        order = np.argsort(score)
        parts = brier_parts(reliability(score[order], truth[order]), brier_score_loss(truth, score))
        plain.append(parts[0].reliability)
        debiased.append(parts[1].reliability)
    error = np.std(debiased) / np.sqrt(300)
    assert abs(np.mean(debiased)) < 3 * error
    assert np.mean(plain) > 5 * error


def test_bins_have_equal_mass_with_wilson_intervals_and_counts():
    found = compute(scored(1000))
    line = next(curve for curve in found.curves if curve.name == "reliability").series[0]
    assert line.size == (100,) * 10
    hits = round(line.y[0] * 100)
    assert (line.low[0], line.high[0]) == pytest.approx(wilson(hits, 100))


def test_the_brier_score_stands_beside_that_of_the_base_rate():
    data = scored(500)
    found = compute(data)
    truth = data.data.labels("label") == "yes"
    assert value(found, "brier_score") == pytest.approx(brier_score_loss(truth, data.data.numbers("score")))
    assert value(found, "base_rate_brier_score") == pytest.approx(truth.mean() * (1 - truth.mean()))


def test_calibrated_scores_are_not_called_uncalibrated():
    p_values = [value(compute(scored(300, seed=seed)), "calibration_p_value") for seed in range(200)]
    # 5 % of 200 runs, and twice the standard error of that.
    assert 0.02 <= np.mean(np.array(p_values) < 0.05) <= 0.09
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_planted_overconfidence_is_found_with_its_slope():
    found = compute(scored(5000, slope=0.5))
    slope = measured(found, "calibration_slope")
    assert slope.interval[0] < 0.5 < slope.interval[1] < 1
    assert value(found, "calibration_p_value") < 1e-6
    assert "slope" in found.summary


def test_a_group_with_scores_too_high_is_found():
    data = scored(4000, seed=7)
    columns = {name: data.data.series(name).tolist() for name in data.data.source.names}
    columns["score"] = [
        score + 0.15 * (1 - score) if group == "a" else score
        for score, group in zip(columns["score"], columns["group"], strict=True)
    ]
    found = compute(evaluation(columns, positive="yes", target="label", scores=("score",), sensitive=("group",)))
    assert value(found, "calibration_adjusted_p_value", group={"group": "a"}) < 0.001
    assert value(found, "calibration_adjusted_p_value", group={"group": "b"}) > 0.05
    assert measured(found, "calibration_in_the_large", group={"group": "a"}).interval[1] < 0


def test_the_error_by_chance_is_near_the_error_of_calibrated_scores():
    found = compute(scored(2000, seed=4))
    by_chance = value(found, "expected_calibration_error_by_chance")
    assert 0.3 * by_chance < value(found, "expected_calibration_error") < 2 * by_chance


def test_the_conformal_limit_is_the_published_quantile():
    # Lei et al. 2018: the ceil((n + 1) * coverage)-th smallest; with n = 9 and 90 % that is the largest.
    assert limit(np.arange(1.0, 10.0), coverage=0.9).value == 9.0
    with pytest.raises(NotMeasured, match="at least 9 rows"):
        limit(np.arange(1.0, 9.0), coverage=0.9)


def test_adaptive_errors_add_up_the_likelier_classes():
    assert class_errors(np.array([[0.2, 0.5, 0.3]]), cumulative=True) == pytest.approx(np.array([[1.0, 0.5, 0.8]]))


@pytest.mark.parametrize("sets", ["smallest", "adaptive"])
def test_conformal_sets_cover_as_often_as_asked_on_average(sets):
    shares = []
    for seed in range(25):
        found = compute(multiclass(300, seed=seed), seed=seed, coverage=0.8, conformal_sets=sets)
        shares.append(value(found, "conformal_coverage"))
    # Coverage is at least 0.8 and less than 0.8 + 1 / 151; the mean of 25 runs scatters by about 0.009.
    assert 0.78 < np.mean(shares) < 0.83


def test_conformal_intervals_miss_the_group_with_the_larger_errors():
    rng = np.random.default_rng(3)
    noisy = rng.random(4000) < 0.2
    truth = rng.normal(100, 20, 4000)
    columns = {
        "truth": truth,
        "guess": truth + rng.normal(0, np.where(noisy, 15, 3)),
        "group": np.where(noisy, "noisy", "quiet").tolist(),
    }
    found = compute(evaluation(columns, task=Task.REGRESSION, target="truth", prediction="guess", sensitive=("group",)))
    assert measured(found, "conformal_coverage").interval[1] > 0.9
    assert measured(found, "conformal_coverage_gap", group={"group": "noisy"}).interval[1] < -0.1
    assert value(found, "conformal_coverage_adjusted_p_value", group={"group": "noisy"}) < 0.001
    assert value(found, "conformal_coverage_adjusted_p_value", group={"group": "quiet"}) > 0.5


def test_a_scale_makes_conformal_intervals_fit_each_row():
    rng = np.random.default_rng(4)
    deviation = rng.choice([1.0, 10.0], 2000)
    truth = rng.normal(0, 50, 2000)
    columns = {"truth": truth, "guess": truth + rng.normal(0, deviation), "spread": deviation}
    data = evaluation(columns, task=Task.REGRESSION, target="truth", prediction="guess")
    plain, scaled = compute(data), compute(data, deviation="spread")
    assert value(scaled, "conformal_interval_width") < 0.8 * value(plain, "conformal_interval_width")
    assert value(scaled, "conformal_limit") == pytest.approx(stats.norm.ppf(0.95), rel=0.1)


def test_pit_of_right_distributions_is_even_and_of_too_narrow_ones_is_not():
    rng = np.random.default_rng(5)
    guess = rng.normal(0, 5, 1500)
    columns = {"truth": guess + rng.normal(0, 2, 1500), "guess": guess, "right": np.full(1500, 2.0)}
    columns["narrow"] = np.full(1500, 1.0)
    data = evaluation(columns, task=Task.REGRESSION, target="truth", prediction="guess")
    pit = stats.norm.cdf((columns["truth"] - guess) / 2)
    right = compute(data, deviation="right")
    expected = stats.kstest(pit, "uniform")
    assert value(right, "pit_distance") == pytest.approx(expected.statistic)
    assert value(right, "pit_p_value") == pytest.approx(expected.pvalue, rel=1e-6)
    assert value(compute(data, deviation="narrow"), "pit_p_value") < 1e-6


def test_quantile_columns_are_held_against_what_came():
    rng = np.random.default_rng(6)
    guess = rng.normal(0, 5, 2000)
    columns = {"truth": guess + rng.normal(0, 1, 2000), "guess": guess}
    columns |= {"low": guess + stats.norm.ppf(0.1), "high": guess + stats.norm.ppf(0.8)}
    data = evaluation(columns, task=Task.REGRESSION, target="truth", prediction="guess")
    found = compute(data, quantiles=("low=0.1", "high=0.9"))
    assert measured(found, "quantile_coverage", feature="low").interval[0] < 0.1
    assert value(found, "quantile_coverage_adjusted_p_value", feature="low") > 0.05
    assert value(found, "quantile_coverage_error", feature="high") == pytest.approx(-0.1, abs=0.03)
    assert value(found, "quantile_coverage_adjusted_p_value", feature="high") < 1e-6


def test_more_than_two_classes_have_a_top_label_and_each_class():
    found = compute(multiclass(600))
    titles = [curve.scope for curve in found.curves if curve.name == "reliability"]
    assert titles == [{"prediction": "top label"}, {"class": "a"}, {"class": "b"}, {"class": "c"}]
    assert value(found, "conformal_coverage", **{"class": "c"}) is not None


def classes_scored(rows, *, k=3, seed=0, sharpness=1.0, lift=0.0):
    """Scores of ``k`` classes, and labels that follow them before they are sharpened or the first class is lifted."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 1.5, (rows, k))
    true = np.exp(logit) / np.exp(logit).sum(axis=1, keepdims=True)
    truth = (rng.random(rows)[:, None] > true.cumsum(axis=1)[:, :-1]).sum(axis=1)
    said = np.exp(sharpness * logit + lift * (np.arange(k) == 0))
    said /= said.sum(axis=1, keepdims=True)
    names = tuple("abcdefgh"[:k])
    columns = {"kind": [names[code] for code in truth]}
    columns |= {f"p_{name}": said[:, place] for place, name in enumerate(names)}
    return evaluation(columns, target="kind", scores=tuple(f"p_{name}" for name in names), score_classes=names)


def told(found, rule):
    return {str(one.verdict) for one in verdicts(found, f"calibration.{rule}")}


MULTICLASS_RULES = ("too_extreme", "too_timid", "scores_too_high", "scores_too_low", "confidence", "classwise")


def test_the_classwise_error_is_the_mean_of_the_errors_of_the_classes():
    data = multiclass(600)
    found = compute(data)
    truth = data.data.labels("kind")
    alone = []
    for name in "abc":
        score = data.data.numbers(f"p_{name}")
        order = np.lexsort((truth == name, score))
        alone.append(reliability(score[order], (truth == name)[order]).error)
    assert value(found, "classwise_calibration_error") == pytest.approx(np.mean(alone))
    debiased = np.mean(alone) - value(found, "classwise_calibration_error_by_chance")
    assert value(found, "classwise_calibration_error_debiased") == pytest.approx(debiased)


def classwise(rows, *, seed, **planted):
    data = classes_scored(rows, seed=seed, **planted).data
    said = np.column_stack([data.numbers(name) for name in data.roles.scores])
    truth = np.array([data.roles.score_classes.index(label) for label in data.labels("kind")])
    uncertainty = Uncertainty(np.random.default_rng(seed), 200, 0.95)
    return classwise_error(binned(said, truth, np.ones(rows), bins=10), uncertainty)


def test_the_classwise_error_of_calibrated_scores_is_what_chance_gives():
    found = [classwise(200, seed=seed) for seed in range(100)]
    errors, by_chance = [one.value for one in found], [one.by_chance for one in found]
    assert np.mean(errors) == pytest.approx(np.mean(by_chance), rel=0.05)
    p_values = [one.p_value for one in found]
    assert sum(p < 0.05 for p in p_values) <= 12  # more has a probability of 0.4 %
    assert sum(p < 0.5 for p in p_values) >= 30  # fewer of under 0.01 %: the test is not merely silent


def test_a_planted_classwise_error_lies_in_its_interval():
    # On a million rows there is next to no error by chance: that is the true one.
    true = classwise(1_000_000, seed=99, sharpness=1.6).value
    found = [classwise(500, seed=seed, sharpness=1.6) for seed in range(40)]
    assert sum(one.interval[0] <= true <= one.interval[1] for one in found) >= 34
    assert all(one.p_value < 0.05 for one in found)


def test_the_error_of_calibrated_scores_is_called_too_large_one_time_in_twenty():
    p_values = []
    for seed in range(100):
        score, truth = scores(300, seed=seed)
        order = np.lexsort((truth, score))
        uncertainty = Uncertainty(np.random.default_rng(seed), 500, 0.95)
        bins = reliability(score[order], truth[order])
        p_values.append(bins.calibration_error_by_chance(uncertainty).p_value)
    assert sum(p < 0.05 for p in p_values) <= 12
    assert sum(p < 0.5 for p in p_values) >= 30


def test_classes_whose_scores_come_true_pass_every_rule():
    found = compute(classes_scored(3000, k=4))
    assert {rule: told(found, rule) for rule in MULTICLASS_RULES} == {rule: {"passed"} for rule in MULTICLASS_RULES}


def test_overconfidence_over_classes_fails():
    found = compute(classes_scored(1500, sharpness=1.8))
    failing = [rule for rule in MULTICLASS_RULES if "failed" in told(found, rule)]
    assert failing == ["too_extreme", "confidence", "classwise"]


def test_a_class_that_is_promised_too_much_fails_though_the_named_one_is_right_as_often_as_said():
    found = compute(classes_scored(3000, k=4, lift=0.8))
    by_class = {one.scope["class"]: str(one.verdict) for one in verdicts(found, "calibration.scores_too_high")}
    assert by_class == {"a": "failed", "b": "passed", "c": "passed", "d": "passed"}
    assert told(found, "confidence") <= {"passed", "immaterial"}
    assert told(found, "classwise") == {"failed"}


def test_two_classes_have_no_classwise_error_and_quantities_neither():
    two = compute(scored(500))
    assert told(two, "classwise") == told(two, "confidence") == {"not applicable"}
    quantities = verdicts(compute(regression()), "calibration.classwise", task=Task.REGRESSION)
    assert [str(one.verdict) for one in quantities] == ["not applicable"]


def test_scores_that_add_up_to_nothing_are_no_distribution():
    data = multiclass(300)
    doubled = multiclass(300, p_c=np.minimum(1, data.data.numbers("p_c") + 0.5))
    assert "add up to 1" in measured(compute(doubled), "classwise_calibration_error").note
    assert told(compute(doubled), "classwise") == {"not enough data"}


def test_repeated_entities_widen_what_chance_may_do():
    one = classes_scored(200, seed=3)
    columns = {name: one.data.series(name).tolist() * 5 for name in one.data.source.names}
    roles = one.data.roles.model_dump(include={"target", "scores", "score_classes"})
    alone = compute(evaluation(columns, **roles))
    grouped = compute(evaluation({**columns, "who": [f"w{row}" for row in range(200)] * 5}, ids=("who",), **roles))
    name = "classwise_calibration_error_by_chance"
    assert value(grouped, name) > 1.5 * value(alone, name)


def test_slope_and_shift_have_p_values_that_agree_with_their_intervals():
    for seed in range(12):
        found = compute(scored(300, seed=seed, slope=0.85, intercept=0.2))
        for metric, right in (("calibration_slope", 1.0), ("calibration_in_the_large", 0.0)):
            low, high = measured(found, metric).interval
            assert (value(found, f"{metric}_p_value") < 0.05) == (not low <= right <= high)


def test_scores_that_are_all_off_by_the_same_are_found():
    columns = {"score": [0.9] * 200, "label": ["yes"] * 200}
    found = compute(evaluation(columns, positive="yes", target="label", scores=("score",)))
    # 200 of 200 where 0.9 is said: z = 0.1 / sqrt(0.09 / 200) = 4.71
    assert value(found, "calibration_in_the_large_p_value") == pytest.approx(2 * stats.norm.sf(4.714), rel=0.01)


def test_point_predictions_say_that_they_have_no_distribution():
    assert "single numbers" in measured(compute(regression()), "pit_p_value").note


def test_separated_classes_have_no_slope_and_say_so():
    columns = {"score": [0.1] * 20 + [0.9] * 20, "label": ["no"] * 20 + ["yes"] * 20}
    found = compute(evaluation(columns, positive="yes", target="label", scores=("score",)))
    assert "without a single mistake" in measured(found, "calibration_slope").note


def test_scores_that_are_no_probabilities_are_not_judged():
    columns = {**binary_columns(200), "probability": np.linspace(-3, 3, 200)}
    found = compute(evaluation(columns, positive="yes", **BINARY_ROLES))
    assert "outside 0 to 1" in measured(found, "brier_score").note


def test_predicted_labels_alone_are_not_enough():
    data = evaluation({"a": ["x", "y"], "b": ["x", "y"]}, target="a", prediction="b")
    with pytest.raises(NotMeasured, match="score column"):
        compute(data)


def test_a_quantile_that_is_not_there_is_refused():
    with pytest.raises(InvalidInput, match="no column 'nowhere'"):
        compute(regression(), quantiles=("nowhere=0.9",))


def test_rows_of_one_entity_stay_on_one_side_of_the_split():
    person = np.repeat(np.arange(100), 4)
    data = binary(400, person=[f"p{code}" for code in person])
    halves = split(data.data, np.arange(400), person, seed=1)
    assert not set(person[halves.calibration]) & set(person[halves.test])
    assert len(halves.calibration) == len(halves.test) == 200
