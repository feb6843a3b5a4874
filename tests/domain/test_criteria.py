"""What a criterion demands beyond its bound: rows enough, and the whole interval."""

import pytest

from modelops.domain.criteria import Criteria, Criterion, judge_criteria
from modelops.domain.digest import Digest
from modelops.domain.result import Measurement, Outcome
from tests.reports.report_samples import sample_result


def demand(**more):
    given = {"name": "roc_auc", "analysis": "performance", "metric": "roc_auc", "at_least": 0.78, "why": "As agreed."}
    return Criterion(**given | more)


def verdict(criterion, *, value, interval, rows):
    one = Measurement(metric="roc_auc", value=value, interval=interval, level=0.95, sample_size=rows)
    result = sample_result(analysis="performance", measurements=(one,), verdicts=())
    (found,) = judge_criteria(Criteria(criteria=(criterion,)), result, role=None)
    return found


@pytest.mark.parametrize(
    ("fewest", "certain", "outcome"),
    [
        (0, False, Outcome.PASSED),
        (100, False, Outcome.NOT_ENOUGH_DATA),
        (0, True, Outcome.NOT_ENOUGH_DATA),
        (10, False, Outcome.PASSED),
    ],
)
def test_a_perfect_score_on_ten_rows_is_accepted_only_where_nothing_more_is_demanded(fewest, certain, outcome):
    criterion = demand(minimum_sample=fewest, certain=certain)
    assert verdict(criterion, value=1.0, interval=(0.53, 1.0), rows=10).verdict is outcome


def test_a_certain_criterion_passes_with_the_whole_interval():
    assert verdict(demand(certain=True), value=0.9, interval=(0.8, 0.95), rows=10).verdict is Outcome.PASSED


def test_the_demand_is_told_in_words():
    words = demand(minimum_sample=1_000, certain=True, margin=0.01).words
    assert (
        words
        == "ROC AUC, all rows: at least 0.78 (margin 0.01) with the whole interval, from 1,000 rows on, on any data"
    )


def test_a_criterion_without_them_keeps_its_digest():
    plain = demand().model_dump(mode="json")
    assert Digest.of_json(demand(minimum_sample=0, certain=False)) == Digest.of_json(demand())
    assert {"minimum_sample", "certain"}.isdisjoint(plain)
