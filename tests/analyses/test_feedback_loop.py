"""Feedback loops: planted ones are found, data without one does not alarm, numbers by independent libraries."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, spearmanr
from sklearn.metrics import roc_auc_score
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportion_effectsize

from modelops.analyses.base import Run
from modelops.analyses.feedback_loop import FeedbackLoopParameters, feedback_loop
from modelops.analyses.feedback_loop.earlier import association, suspicious_names
from modelops.analyses.feedback_loop.exploration import implied_threshold
from modelops.analyses.statistics.sample_size import rows_to_compare_means, rows_to_compare_rates
from modelops.domain.columns import Task
from modelops.errors import InvalidInput
from tests.analyses.judged import verdicts
from tests.analyses.samples import evaluation

ROLES = {"features": ("income",), "target": "paid", "prediction": "granted", "scores": ("score",)}


def applications(rows=2_000, *, seed=1, explored=0.0, labels="selective", drift=0.0):
    """Decisions by a score with the threshold 0.5, of which some below it are granted all the same."""
    rng = np.random.default_rng(seed)
    income = rng.normal(0, 1, rows)
    score = 1 / (1 + np.exp(-(income + rng.normal(0, 1, rows) + drift * np.linspace(-1, 1, rows))))
    granted = (score >= 0.5) | (rng.random(rows) < explored)
    paid = rng.random(rows) < 0.4 + 0.4 * score
    known = {"selective": granted, "random": rng.random(rows) < 0.6, "all": np.ones(rows, bool)}[labels]
    return {
        "income": income,
        "score": score,
        "granted": ["yes" if one else "no" for one in granted],
        "paid": [("yes" if one else "no") if there else None for one, there in zip(paid, known, strict=True)],
    }


def looked(columns, *, task=Task.CLASSIFICATION, positive="yes", parameters=None, **roles):
    data = evaluation(columns, task=task, positive=positive, **{**ROLES, **roles})
    return feedback_loop(data, FeedbackLoopParameters(**(parameters or {})), Run())


def find(found, metric, **scope):
    return next(one for one in found.measurements if one.metric == metric and one.scope == scope)


def test_labels_that_follow_the_decision_are_found():
    found = looked(applications())
    assert find(found, "label_coverage", **{"class": "yes"}).value == 1
    assert find(found, "label_coverage", **{"class": "no"}).value == 0
    gap = find(found, "label_coverage_gap")
    assert gap.value == 1
    assert gap.interval[0] > 0.9
    assert find(found, "label_coverage_p_value").value < 1e-6
    assert "100 % of the rows that were decided 'yes', and for 0 %" in found.summary


def test_labels_that_come_at_random_seldom_alarm():
    # 100 tables without selection: at the 5 % level 5 alarms are expected; 13 have a probability under 1 in 500.
    alarms = sum(
        find(looked(applications(300, seed=seed, labels="random")), "label_coverage_p_value").value < 0.05
        for seed in range(100)
    )
    assert 1 <= alarms < 13


def test_the_gap_is_tested_by_the_table_of_counts():
    columns = applications(900, seed=3, labels="random")
    yes = np.array([one == "yes" for one in columns["granted"]])
    known = np.array([one is not None for one in columns["paid"]])
    table = pd.crosstab(yes, known).to_numpy()
    found = looked(columns)
    assert find(found, "label_coverage_p_value").value == pytest.approx(chi2_contingency(table).pvalue)
    gap = find(found, "label_coverage_gap")
    (no_missing, no_known), (yes_missing, yes_known) = table
    low, high = confint_proportions_2indep(yes_known, yes_known + yes_missing, no_known, no_known + no_missing)
    difference = yes_known / (yes_known + yes_missing) - no_known / (no_known + no_missing)
    assert gap.value == pytest.approx(abs(difference))
    assert gap.interval[1] == pytest.approx(max(abs(low), abs(high)), abs=0.02)


def test_how_well_the_score_tells_who_has_a_label_is_an_area_under_the_curve():
    columns = applications(800, explored=0.2)
    known = [one is not None for one in columns["paid"]]
    one = find(looked(columns), "label_selection_roc_auc")
    assert one.value == pytest.approx(roc_auc_score(known, columns["score"]))
    assert one.interval[0] > 0.5


@pytest.mark.parametrize("explored", [0.0, 0.05, 0.3])
def test_the_share_of_exploration_is_recovered(explored):
    columns = applications(4_000, explored=explored)
    below = np.asarray(columns["score"]) < 0.5
    yes = np.array([one == "yes" for one in columns["granted"]])
    found = looked(columns)
    one = find(found, "exploration_share")
    count = int((below & yes).sum())
    assert find(found, "decision_threshold").value == pytest.approx(0.5, abs=0.01)
    assert one.value == pytest.approx(count / below.sum(), abs=1e-3)
    assert one.interval == pytest.approx(proportion_confint(count, int(below.sum()), method="wilson"), abs=1e-3)
    assert find(found, "override_share").value == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("labels", "explored", "outcome"),
    [("all", 0.0, "passed"), ("random", 0.0, "passed"), ("selective", 0.0, "failed"), ("selective", 0.1, "passed")],
)
def test_exploration_is_only_asked_for_where_outcomes_are_hidden(labels, explored, outcome):
    found = looked(applications(labels=labels, explored=explored))
    assert [each.verdict for each in verdicts(found, "feedback_loop.exploration")] == [outcome]


def test_a_given_threshold_is_the_one_that_counts():
    found = looked(applications(), parameters={"decision_threshold": 0.7})
    assert find(found, "decision_threshold").value == 0.7
    assert find(found, "override_share").value == 0
    assert find(found, "exploration_share").value > 0.1


@pytest.mark.parametrize(
    ("scores", "yes", "threshold"),
    [
        ([0.1, 0.2, 0.8, 0.9], [False, False, True, True], 0.8),
        ([0.1, 0.2, 0.8, 0.9], [True, True, True, True], 0.1),
        ([0.1, 0.2, 0.3, 0.9], [True, False, False, True], 0.9),
    ],
)
def test_the_implied_threshold_agrees_best_with_the_decisions(scores, yes, threshold):
    assert implied_threshold(np.array(scores), np.array(yes)) == threshold


def test_where_nobody_is_granted_the_threshold_lies_above_every_score():
    assert implied_threshold(np.array([0.1, 0.9]), np.array([False, False])) > 0.9


def test_those_granted_against_the_score_show_how_the_refused_would_turn_out():
    columns = applications(6_000, explored=0.3)
    one = find(looked(columns), "explored_positive_rate")
    # A row of score s pays with probability 0.4 + 0.4 s.
    expected = 0.4 + 0.4 * columns["score"][columns["score"] < 0.5].mean()
    assert one.interval[0] <= expected <= one.interval[1]


def test_a_tenth_that_never_gets_a_yes_is_shown():
    assert find(looked(applications()), "smallest_decision_share").value == 0
    assert find(looked(applications(explored=0.3)), "smallest_decision_share").value > 0.2


def test_rows_marked_as_random_are_counted():
    columns = {**applications(400), "trial": [1] * 20 + [0] * 380}
    found = looked(columns, parameters={"exploration_column": "trial"})
    one = find(found, "randomised_share")
    assert (one.value, one.sample_size) == (0.05, 400)
    assert one.interval == pytest.approx(proportion_confint(20, 400, method="wilson"))


def test_a_column_of_trials_that_is_not_there_is_refused():
    with pytest.raises(InvalidInput, match="no column 'trial'"):
        looked(applications(100), parameters={"exploration_column": "trial"})


def histories(entities=400, rows=4, *, seed=0, made_of_score=True):
    """Rows of entities over time; one feature is made from the score before, one is a lasting trait, one is noise."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(entities), rows)
    when = np.tile(np.arange(rows), entities)
    trait = np.repeat(rng.normal(0, 1, entities), rows)
    score = 1 / (1 + np.exp(-(trait + rng.normal(0, 1, who.size))))
    before = np.where(when > 0, np.roll(score, 1), np.nan)
    limit = before + rng.normal(0, 0.05, who.size) if made_of_score else rng.normal(0, 1, who.size)
    return {
        "who": who,
        "when": when,
        "limit": limit,
        "trait": trait + rng.normal(0, 0.1, who.size),
        "noise": rng.normal(0, 1, who.size),
        "last_score": before,
        "score": score,
        "granted": ["yes" if one >= 0.5 else "no" for one in score],
        "paid": ["yes" if one else "no" for one in rng.random(who.size) < score],
    }


HISTORY = {"features": ("limit", "trait", "noise", "last_score"), "time": "when", "ids": ("who",)}


def test_a_feature_made_from_the_score_before_is_found_and_a_trait_is_not():
    found = looked(histories(), **HISTORY)
    values = {name: find(found, "earlier_score_association", feature=name) for name in HISTORY["features"]}
    assert values["limit"].value > 0.9
    assert values["last_score"].value > 0.99
    assert values["trait"].value < 0.2
    assert values["noise"].value < 0.2
    assert find(found, "earlier_score_adjusted_p_value", feature="limit").value < 1e-6
    assert find(found, "earlier_score_adjusted_p_value", feature="noise").value > 0.01
    assert find(found, "earlier_score_match_rate", feature="last_score").value == 1
    assert find(found, "earlier_score_match_rate", feature="limit").value < 0.1


def test_features_that_were_not_made_from_scores_seldom_alarm():
    p_values = []
    for seed in range(100):
        found = looked(histories(60, 3, seed=seed, made_of_score=False), **{**HISTORY, "features": ("limit", "noise")})
        p_values += [one.value for one in found.measurements if one.metric == "earlier_score_p_value"]
    # 200 p-values of true null hypotheses: 10 are expected below 0.05; 21 have a probability under 1 in 1,000.
    assert 1 <= sum(value < 0.05 for value in p_values) < 21


def test_the_association_is_the_partial_rank_correlation():
    # Against scipy: with ranks residualised on the ranks of the own earlier value, by least squares.
    rng = np.random.default_rng(4)
    then, before = rng.normal(0, 1, 200), rng.normal(0, 1, 200)
    now = 0.5 * then + 0.4 * before + rng.normal(0, 1, 200)
    ranks = pd.DataFrame({"now": now, "then": then, "before": before}).rank()
    left = {}
    for name in ("now", "before"):
        slope, base = np.polyfit(ranks["then"], ranks[name], 1)
        left[name] = ranks[name] - slope * ranks["then"] - base
    expected = np.corrcoef(left["now"], left["before"])[0, 1]
    assert association("x", now, then, before).value == pytest.approx(abs(expected))
    constant = association("x", now, np.zeros(200), before)
    assert constant.value == pytest.approx(abs(spearmanr(now, before).statistic))


def test_without_ids_that_repeat_the_lag_is_not_measured():
    found = looked(applications(200))
    one = find(found, "earlier_score_association", feature="income")
    assert one.value is None
    assert "id that repeats" in one.note


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("previous_score", "score"),
        ("LastPrediction", "prediction"),
        ("n_clicks", "clicks"),
        ("income", None),
        ("scorer", None),
        ("ranking2", "ranking"),
    ],
)
def test_names_are_read_word_by_word(name, word):
    assert suspicious_names([name]).get(name) == word


def test_decisions_that_drift_are_found_and_the_others_are_not():
    when = np.arange(3_000)
    drifting = looked({**applications(3_000, drift=1.0), "when": when}, time="when")
    change = find(drifting, "exposure_change")
    assert change.value > 0.1
    assert change.interval[0] > 0
    assert find(drifting, "exposure_adjusted_p_value").value < 1e-6
    steady = looked({**applications(3_000), "when": when}, time="when")
    assert find(steady, "exposure_change").interval[0] < 0 < find(steady, "exposure_change").interval[1]


def test_rows_of_one_time_stay_in_one_half_whatever_their_order():
    columns = {**applications(600), "when": np.repeat([1, 2, 3], 200)}
    order = np.random.default_rng(0).permutation(600)
    mixed = {name: [values[place] for place in order] for name, values in columns.items()}
    one, other = (find(looked(each, time="when"), "exposure_change") for each in (columns, mixed))
    assert one.value == pytest.approx(other.value)
    assert one.sample_size == 200


def test_a_yes_that_goes_to_fewer_and_fewer_shows_in_its_concentration():
    rng = np.random.default_rng(6)
    who = np.tile(np.arange(50), 40)
    when = np.repeat(np.arange(40), 50)
    chance = np.where(when < 20, 0.3, np.where(who < 5, 0.9, 0.05))
    columns = applications(2_000)
    columns["granted"] = ["yes" if one else "no" for one in rng.random(2_000) < chance]
    found = looked({**columns, "who": who, "when": when}, time="when", ids=("who",))
    assert find(found, "exposure_concentration", half="earlier").value < 0.2
    assert find(found, "exposure_concentration", half="later").value > 0.5


def test_regression_looks_at_ranges_of_the_prediction():
    rng = np.random.default_rng(7)
    estimate = rng.normal(100, 20, 1_000)
    target = estimate + rng.normal(0, 5, 1_000)
    target[estimate < 90] = np.nan
    roles = {"features": (), "target": "price", "prediction": "estimate", "scores": (), "time": "when"}
    columns = {"estimate": estimate, "price": target, "when": np.arange(1_000)}
    found = looked(columns, task=Task.REGRESSION, positive=None, **roles)
    assert find(found, "label_coverage_gap").value == pytest.approx(1, abs=0.35)
    assert find(found, "label_selection_roc_auc").value == 1
    assert find(found, "exploration_share").value is None
    assert find(found, "holdout_rows_to_compare").value == rows_to_compare_means(0.2, alpha=0.05, power=0.8)


@pytest.mark.parametrize(("rate", "other"), [(0.5, 0.6), (0.1, 0.15), (0.02, 0.03)])
def test_the_rows_to_compare_rates_are_those_of_statsmodels(rate, other):
    effect = proportion_effectsize(other, rate)
    expected = NormalIndPower().solve_power(effect, alpha=0.05, power=0.8)
    assert rows_to_compare_rates(rate, other, alpha=0.05, power=0.8) == int(np.ceil(expected))


def test_a_holdout_is_planned_with_the_rate_that_is_known():
    columns = applications(3_000)
    known = [one for one in columns["paid"] if one is not None]
    rate = known.count("yes") / len(known)
    found = looked(columns)
    one = find(found, "holdout_rows_to_compare")
    assert one.value == rows_to_compare_rates(rate, rate - 0.05, alpha=0.05, power=0.8)
    assert find(found, "holdout_share").value == pytest.approx(one.value / 3_000)
    assert find(found, "holdout_rows_to_estimate").value == 381


def test_without_a_target_it_is_said_that_labels_cannot_be_seen():
    columns = {name: values for name, values in applications(300).items() if name != "paid"}
    found = looked(columns, target=None)
    assert find(found, "label_coverage_gap").value is None
    assert find(found, "holdout_rows_to_compare").value is None
    assert "Without a target column" in found.summary


def test_features_have_no_table_where_nothing_is_known_of_any():
    assert "earlier_scores" not in [table.name for table in looked(applications()).tables]
