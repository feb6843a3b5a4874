import numpy as np
import pytest
from scipy import optimize, stats
from sklearn import metrics
from statsmodels.stats.contingency_tables import mcnemar as library_mcnemar

from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.paired import (
    bootstrap_p_value,
    disagreements,
    mcnemar_test,
    mean_p_value,
    paired_errors,
    paired_losses,
    paired_proportions_interval,
    paired_ranking,
    paired_rates,
    smallest_detectable,
)
from modelops.analyses.statistics.weighting import Weighting
from modelops.errors import InvalidInput


def uncertainty(draws=1000):
    return Uncertainty(np.random.default_rng(0), draws)


def two_classifiers(rows=400, seed=0, skill=(0.8, 0.7), classes=2):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, rows)
    other = (truth + rng.integers(1, classes, rows)) % classes
    predicted = [np.where(rng.random(rows) < share, truth, other) for share in skill]
    return truth, predicted


def by_metric(pairs):
    return {pair.metric: pair for pair in pairs}


def rates(truth, predicted, classes=2, **changes):
    right = [(each == truth).astype(float) for each in predicted]
    return by_metric(paired_rates(truth, *right, n_classes=classes, uncertainty=uncertainty(), **changes))


def test_mcnemar_gives_the_golden_figure():
    statistic, p_value = mcnemar_test(150, 86)
    assert (round(statistic, 3), f"{p_value:.1e}") == (17.356, "3.1e-05")


@pytest.mark.parametrize(("first", "second"), [(150, 86), (30, 12), (13, 13)])
def test_mcnemar_equals_statsmodels_without_correction(first, second):
    found = library_mcnemar([[500, first], [second, 100]], exact=False, correction=False)
    assert mcnemar_test(first, second) == (pytest.approx(found.statistic), pytest.approx(found.pvalue))


@pytest.mark.parametrize(("first", "second"), [(9, 1), (0, 5), (3, 3), (14, 10)])
def test_few_disagreements_get_the_exact_test_of_statsmodels(first, second):
    found = library_mcnemar([[50, first], [second, 10]], exact=True)
    assert mcnemar_test(first, second)[1] == pytest.approx(found.pvalue)


def test_no_disagreement_is_no_evidence():
    assert mcnemar_test(0, 0) == (0.0, 1.0)


def _score_distance(difference, first, second, total):
    """Tango's score statistic, with the restricted maximum likelihood found by search instead of the closed form."""
    rest = total - first - second

    def loss(share):  # share of rows that only the second gets right
        one = share + difference
        same = 1 - one - share
        return -(first * np.log(one) + second * np.log(share) + rest * np.log(same))

    low, high = max(0.0, -difference), (1 - difference) / 2
    share = optimize.minimize_scalar(loss, bounds=(low + 1e-12, high - 1e-12), method="bounded").x
    variance = (2 * share + difference - difference**2) / total
    return ((first - second) / total - difference) / np.sqrt(variance)


@pytest.mark.parametrize(("first", "second", "total"), [(12, 5, 60), (150, 86, 1000), (3, 9, 40)])
def test_tangos_interval_inverts_the_score_test(first, second, total):
    low, high = paired_proportions_interval(first, second, total)
    assert _score_distance(low, first, second, total) == pytest.approx(1.95996, abs=2e-3)
    assert _score_distance(high, first, second, total) == pytest.approx(-1.95996, abs=2e-3)


def test_tangos_interval_equals_the_published_one():
    # M. W. Fagerland et al., Statistics in Medicine 33, 2014: airway hyper-responsiveness before and after.
    low, high = paired_proportions_interval(1, 7, 21)
    assert (round(low, 3), round(high, 3)) == (-0.517, -0.026)


def test_methods_that_never_disagree_are_not_proven_equal():
    low, high = paired_proportions_interval(0, 0, 30)
    assert low < -0.05
    assert high > 0.05


def test_disagreements_beyond_the_rows_are_refused():
    with pytest.raises(InvalidInput, match="among 5 rows"):
        paired_proportions_interval(4, 4, 5)


@pytest.mark.parametrize(
    ("metric", "library"),
    [
        ("accuracy", metrics.accuracy_score),
        ("balanced_accuracy", metrics.balanced_accuracy_score),
        ("f1", metrics.f1_score),
        ("matthews_corrcoef", metrics.matthews_corrcoef),
    ],
)
def test_rates_of_both_equal_scikit_learn(metric, library):
    truth, predicted = two_classifiers()
    pair = rates(truth, predicted)[metric]
    assert (pair.first, pair.second) == tuple(pytest.approx(library(truth, each)) for each in predicted)
    assert pair.improvement == pytest.approx(pair.first - pair.second)


def test_balanced_accuracy_of_many_classes_equals_scikit_learn():
    truth, predicted = two_classifiers(classes=5)
    found = rates(truth, predicted, classes=5)
    assert set(found) == {"accuracy", "balanced_accuracy"}
    expected = [metrics.balanced_accuracy_score(truth, each) for each in predicted]
    assert (found["balanced_accuracy"].first, found["balanced_accuracy"].second) == pytest.approx(tuple(expected))


@pytest.mark.parametrize("metric", ["balanced_accuracy", "f1"])
def test_counts_bootstrap_has_the_law_of_resampled_rows(metric):
    truth, predicted = two_classifiers(500)
    library = {"balanced_accuracy": metrics.balanced_accuracy_score, "f1": metrics.f1_score}[metric]
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(1500):
        rows = rng.integers(0, 500, 500)
        drawn.append(library(truth[rows], predicted[0][rows]) - library(truth[rows], predicted[1][rows]))
    pair = rates(truth, predicted)[metric]
    assert pair.interval == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.015)


def test_a_guess_counts_with_its_chance():
    truth, (predicted, _) = two_classifiers(300)
    right = (predicted == truth).astype(float)
    (accuracy, *_) = paired_rates(truth, right, np.full(300, 0.5), n_classes=2, uncertainty=uncertainty())
    assert accuracy.second == pytest.approx(0.5)
    assert disagreements(right, np.full(300, 0.5)) == pytest.approx((right.sum() / 2, (300 - right.sum()) / 2))


def test_delong_equals_an_independent_covariance():
    # The covariance of the areas from their placements, written out as in E. R. DeLong et al. 1988.
    rng = np.random.default_rng(3)
    positive = rng.random(150) < 0.4
    first = positive + rng.normal(0, 1, 150)
    second = 0.5 * first + rng.normal(0, 1, 150)
    kernel = [
        (s[positive][:, None] > s[~positive]) + 0.5 * (s[positive][:, None] == s[~positive]) for s in (first, second)
    ]
    tens, ones = np.cov([k.mean(axis=1) for k in kernel]), np.cov([k.mean(axis=0) for k in kernel])
    covariance = tens / positive.sum() + ones / (~positive).sum()
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    pair = paired_ranking(first, second, positive, uncertainty=uncertainty())
    assert pair.improvement == pytest.approx(kernel[0].mean() - kernel[1].mean())
    assert pair.p_value == pytest.approx(2 * stats.norm.sf(abs(pair.improvement) / error))


def test_delong_with_equal_weights_is_delong():
    rng = np.random.default_rng(4)
    positive, first, second = rng.random(80) < 0.5, rng.normal(size=80), rng.normal(size=80)
    plain = paired_ranking(first, second, positive, uncertainty=uncertainty())
    weighted = paired_ranking(first, second, positive, uncertainty=uncertainty(), how=Weighting(np.ones(80), 1.0))
    assert weighted.p_value == pytest.approx(plain.p_value)


def test_delong_without_positives_gives_the_reason():
    pair = paired_ranking(np.arange(5.0), np.arange(5.0), np.zeros(5, dtype=bool), uncertainty=uncertainty())
    assert np.isnan(pair.first)
    assert "positive and negative" in pair.reason


def test_the_p_value_of_a_mean_equals_the_paired_t_test():
    rng = np.random.default_rng(5)
    first, second = rng.normal(0, 1, 40), rng.normal(0.3, 1, 40)
    assert mean_p_value(second - first) == pytest.approx(stats.ttest_rel(second, first).pvalue)


def test_differences_that_are_all_alike_have_the_p_value_of_the_sign_test():
    assert mean_p_value(np.full(8, 3.0)) == pytest.approx(stats.binomtest(8, 8).pvalue)
    assert mean_p_value(np.zeros(8)) == 1.0
    assert np.isnan(mean_p_value(np.array([2.0])))


def test_errors_of_both_equal_scikit_learn_at_any_scale():
    rng = np.random.default_rng(6)
    truth = rng.normal(5, 3, 200) * 1e90
    first, second = truth + rng.normal(0, 1e90, 200), truth + rng.normal(0, 2e90, 200)
    found = by_metric(paired_errors(truth, first, second, uncertainty=uncertainty()))
    assert found["mean_absolute_error"].first == pytest.approx(metrics.mean_absolute_error(truth, first))
    assert found["root_mean_squared_error"].second == pytest.approx(metrics.root_mean_squared_error(truth, second))
    assert found["r2"].first == pytest.approx(metrics.r2_score(truth, first))
    skill = 1 - metrics.mean_absolute_error(truth, first) / metrics.mean_absolute_error(truth, second)
    assert found["mean_absolute_error_skill_score"].improvement == pytest.approx(skill)


def test_a_smaller_loss_is_an_improvement():
    rng = np.random.default_rng(7)
    loss = rng.random(100)
    (pair,) = paired_losses({"log_loss": (loss, loss + 0.1)}, uncertainty=uncertainty())
    assert pair.improvement == pytest.approx(0.1)
    assert pair.interval == pytest.approx((0.1, 0.1))


def test_the_p_value_of_a_bootstrap_is_never_zero():
    assert bootstrap_p_value(np.ones(999)) == pytest.approx(0.002)
    assert bootstrap_p_value(np.zeros(999)) == 1.0


def test_equal_methods_are_rarely_told_apart():
    # 300 pairs of equally good methods at the 5 % level: 3 to 7 % plus the noise of 300 simulations.
    alarms = np.zeros(3)
    for seed in range(300):
        truth, predicted = two_classifiers(300, seed=seed, skill=(0.75, 0.75))
        found = rates(truth, predicted)
        p_values = [found["accuracy"].p_value, found["balanced_accuracy"].p_value, found["f1"].p_value]
        alarms += np.array(p_values) < 0.05
    assert (alarms / 300 < 0.09).all()
    assert (alarms / 300 > 0.015).all()


def test_a_really_better_method_is_found():
    truth, predicted = two_classifiers(600, seed=1, skill=(0.85, 0.72))
    found = rates(truth, predicted)
    assert all(found[name].interval[0] > 0 and found[name].p_value < 0.01 for name in found)


def test_a_design_effect_widens_intervals_and_raises_p():
    truth, predicted = two_classifiers(500, skill=(0.78, 0.72))
    plain, four = rates(truth, predicted), rates(truth, predicted, how=Weighting(None, 4.0))
    for name in ("accuracy", "balanced_accuracy"):
        width = [np.ptp(found[name].interval) for found in (plain, four)]
        assert width[1] / width[0] == pytest.approx(2, rel=0.15)
        assert four[name].p_value > plain[name].p_value


def test_the_smallest_detectable_difference_has_the_power_that_it_says():
    # A normal estimate with standard error 1: two-sided 5 % test, power 80 % at 2.80.
    smallest = smallest_detectable((-1.959964, 1.959964), level=0.95)
    assert stats.norm.sf(1.959964 - smallest) == pytest.approx(0.8, abs=1e-4)
