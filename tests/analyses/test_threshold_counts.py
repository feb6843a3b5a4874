"""The counts that the workbench computes from, against the rows themselves."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as library

from modelops.analyses.base import Run
from modelops.analyses.performance import PERFORMANCE, PerformanceParameters
from modelops.analyses.performance.threshold_counts import MOST_THRESHOLDS, Group, ThresholdCounts
from modelops.analyses.statistics.rates import FALSE_POSITIVE_RATE, PRECISION, RECALL, SELECTION_RATE
from modelops.domain.result import AnalysisResult
from modelops.errors import NotMeasured
from tests.analyses.samples import evaluation

ROWS = 700
RNG = np.random.default_rng(4)
TRUTH = RNG.random(ROWS) < 0.3
SCORES = np.clip(0.25 * TRUTH + RNG.normal(0.35, 0.2, ROWS), 0, 1)
SEX = np.where(RNG.random(ROWS) < 0.4, "f", "m")
COSTS = np.array([[0.0, 1.0], [5.0, -2.0]])


def as_result(computed):
    """Return what was computed as a stored result, through its JSON form."""
    made = AnalysisResult.model_validate(
        {
            "schema": "modelops.result/1", "analysis": "performance", "inputs": {}, "task": "classification",
            "positive": "1", "parameters": {}, "seed": 0, "environment": {}, "protection": {"level": "A"},
            "summary": computed.summary, "measurements": computed.measurements, "tables": computed.tables,
        }
    )  # fmt: skip
    return AnalysisResult.model_validate_json(made.model_dump_json(by_alias=True))


def computed(scores=SCORES, *, weight=None, sensitive=("sex",)):
    columns = {"y": TRUTH.astype(int), "p": scores, "sex": list(SEX)} | ({"w": weight} if weight is not None else {})
    roles = {"target": "y", "scores": ("p",), "sensitive": sensitive} | ({"weight": "w"} if weight is not None else {})
    data = evaluation(columns, positive="1", **roles)
    return PERFORMANCE.compute(data, PerformanceParameters(draws=1000), Run())


@pytest.fixture(scope="module")
def counts():
    return ThresholdCounts.read(as_result(computed()))


def test_there_are_at_most_two_hundred_thresholds(counts):
    assert 100 < len(counts.thresholds) <= MOST_THRESHOLDS
    assert (np.diff(counts.thresholds) > 0).all()


def test_all_rows_come_first_and_then_the_groups(counts):
    assert counts.groups == (Group(None, None), Group("sex", "f"), Group("sex", "m"))
    assert counts.groups[1].name == "sex = f"


def test_the_groups_add_up_to_all_rows(counts):
    assert counts.counts[0] == pytest.approx(counts.counts[1:].sum(axis=0))


@pytest.mark.parametrize("wanted", [0.0, 0.31, 0.5, 0.9])
@pytest.mark.parametrize(("group", "rows"), [(0, np.ones(ROWS, bool)), (1, SEX == "f")])
def test_rates_are_those_of_scikit_learn_at_the_threshold(counts, wanted, group, rows):
    place = counts.nearest(wanted)
    predicted, truth = SCORES[rows] >= counts.thresholds[place], TRUTH[rows]
    assert counts.rate(SELECTION_RATE, place, group)[0] == pytest.approx(predicted.mean())
    assert counts.rate(RECALL, place, group)[0] == pytest.approx(library.recall_score(truth, predicted))
    if predicted.any():
        assert counts.rate(PRECISION, place, group)[0] == pytest.approx(library.precision_score(truth, predicted))
        assert counts.denominator(PRECISION, place, group) == predicted.sum()


def test_the_cost_is_that_of_the_rows(counts):
    place = counts.nearest(0.4)
    predicted = counts.thresholds[place] <= SCORES
    by_hand = COSTS[TRUTH.astype(int), predicted.astype(int)].mean()
    assert counts.cost(COSTS)[place] == pytest.approx(by_hand)


def test_the_cheapest_threshold_keeps_the_capacity(counts):
    free, held = counts.cheapest(COSTS), counts.cheapest(COSTS, capacity=0.1)
    assert counts.cost(COSTS)[free] == counts.cost(COSTS).min()
    assert counts.rate(SELECTION_RATE, held)[0] <= 0.1
    allowed = SELECTION_RATE.share(counts.counts[0]) <= 0.1
    assert counts.cost(COSTS)[held] == counts.cost(COSTS)[allowed].min()


def test_a_capacity_that_no_threshold_keeps_is_told(counts):
    crowded = ThresholdCounts(counts.thresholds[:1], counts.groups, counts.counts[:, :1])
    assert crowded.cheapest(COSTS, capacity=0.001) is None


def test_a_rate_without_rows_is_not_measured(counts):
    assert counts.rate(PRECISION, len(counts.thresholds) - 1)[0] is None or counts.thresholds[-1] <= SCORES.max()
    nobody = ThresholdCounts(np.array([2.0]), (Group(None, None),), np.array([[[[5.0, 0.0], [3.0, 0.0]]]]))
    assert nobody.rate(PRECISION, 0) == (None, None)
    assert nobody.rate(FALSE_POSITIVE_RATE, 0)[0] == 0


def test_the_interval_is_wilsons(counts):
    place = counts.nearest(0.5)
    _, (low, high) = counts.rate(RECALL, place)
    hits, total = int((SCORES[TRUTH] >= counts.thresholds[place]).sum()), int(TRUTH.sum())
    from statsmodels.stats.proportion import proportion_confint

    assert (low, high) == pytest.approx(proportion_confint(hits, total, method="wilson"))


def test_unlike_weights_widen_the_intervals():
    weight = np.where(np.arange(ROWS) % 10 == 0, 10.0, 0.5)
    plain, weighted = (ThresholdCounts.read(as_result(computed(weight=each))) for each in (None, weight))
    assert plain.design_effect == 1
    # The design effect of Kish (1965).
    assert weighted.design_effect == pytest.approx(ROWS * (weight**2).sum() / weight.sum() ** 2)
    widths = [high - low for _, (low, high) in (each.rate(RECALL, each.nearest(0.5)) for each in (plain, weighted))]
    assert widths[1] > 1.5 * widths[0]


def test_scores_that_are_no_probabilities_have_thresholds_of_their_own():
    found = ThresholdCounts.read(as_result(computed(SCORES * 40 - 20)))
    assert found.thresholds.min() < 0
    assert len(found.thresholds) <= MOST_THRESHOLDS


def test_a_result_without_counts_says_so():
    result = as_result(computed()).model_copy(update={"tables": ()})
    with pytest.raises(NotMeasured, match="run it again"):
        ThresholdCounts.read(result)


def test_the_threshold_that_selects_a_share_is_found(counts):
    place = counts.nearest(0.42)
    share, _ = counts.rate(SELECTION_RATE, place)
    assert share == pytest.approx(np.mean(counts.thresholds[place] <= SCORES))
    assert counts.selecting(share, near=0.42) == place


def test_what_a_capacity_allows_is_what_selects_no_more(counts):
    selected = np.array([np.mean(threshold <= SCORES) for threshold in counts.thresholds])
    assert counts.allowed(0.2).tolist() == (selected <= 0.2).tolist()
    assert counts.allowed(None).all()
