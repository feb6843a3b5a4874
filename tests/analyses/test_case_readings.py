"""Agreement of readers against independent libraries; the adjusted accuracy against hand counts and simulation."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from modelops.analyses.misclassified.readings import Queue, adjusted_accuracy, readers_agreement
from modelops.analyses.statistics.agreement import cohen_kappa
from modelops.domain.case_reading import CaseVerdict, Reading, settled_readings

MODEL, LABEL, AMBIGUOUS, DATA = CaseVerdict


def reading(row, verdict, reader=1, label=None):
    return Reading(row, reader, verdict, "", label)


def two_readers(n=200, seed=0, agree=0.7):
    rng = np.random.default_rng(seed)
    first = rng.choice(list(CaseVerdict), n, p=[0.5, 0.3, 0.15, 0.05])
    second = np.where(rng.random(n) < agree, first, rng.choice(list(CaseVerdict), n))
    return first.tolist(), second.tolist()


def test_kappa_is_that_of_scikit_learn():
    first, second = two_readers()
    assert cohen_kappa(first, second).value == pytest.approx(cohen_kappa_score(first, second))


def test_the_interval_of_kappa_is_that_of_statsmodels():
    first, second = two_readers()
    levels = sorted({*first, *second})
    table = [[sum(pair == (a, b) for pair in zip(first, second, strict=True)) for b in levels] for a in levels]
    expected = cohens_kappa(table)
    assert cohen_kappa(first, second).interval == pytest.approx((expected.kappa_low, expected.kappa_upp), abs=1e-6)


def test_readers_who_judge_at_random_agree_by_chance_only():
    found = cohen_kappa(*two_readers(2000, agree=0))
    assert found.interval[0] < 0 < found.interval[1]


def test_kappa_is_not_defined_where_chance_agrees_fully():
    found = cohen_kappa(["label error"] * 5, ["label error"] * 5)
    assert (found.value, found.agreed) == (None, 5)
    assert "chance agrees fully" in found.reason


def test_without_a_second_reader_there_is_no_kappa():
    found = readers_agreement([reading(1, MODEL), reading(2, LABEL)])
    assert (found.value, found.cases) == (None, 0)


def test_the_pair_that_shares_most_cases_is_compared():
    given = [reading(row, MODEL if row % 2 else LABEL, reader=1) for row in range(10)]
    given += [reading(row, MODEL if row % 2 else LABEL, reader=2) for row in range(8)]
    given += [reading(row, AMBIGUOUS, reader=3) for row in range(3)]
    found = readers_agreement(given)
    assert (found.cases, found.value) == (8, 1)


def test_a_case_stands_as_both_readers_say_or_as_it_was_settled():
    given = [reading(1, LABEL), reading(1, LABEL, 2), reading(2, MODEL), reading(2, LABEL, 2), reading(3, DATA)]
    given += [reading(4, MODEL), reading(4, AMBIGUOUS, 2)]
    stands = settled_readings(given, {4: reading(4, AMBIGUOUS)})
    assert {row: one.verdict for row, one in stands.items()} == {1: LABEL, 3: DATA, 4: AMBIGUOUS}


def test_readers_who_name_other_labels_do_not_agree():
    given = [reading(1, LABEL, 1, "a"), reading(1, LABEL, 2, "b")]
    assert settled_readings(given, {}) == {}


def queue(rows, *, judged=200, wrong=None, order="confidence", predicted=None):
    said = predicted or dict.fromkeys(rows, "yes")
    return Queue(judged, len(rows) if wrong is None else wrong, tuple(rows), said, order)


def test_with_every_mistake_read_the_accuracy_is_counted():
    # 200 rows, 20 mistakes, 5 of them wrong labels, 3 wrong data: 185 of 200 right; 180 of 192 without them.
    given = {row: reading(row, LABEL if row < 5 else DATA if row < 8 else MODEL) for row in range(20)}
    corrected, removed = adjusted_accuracy(queue(range(20)), given)
    assert corrected.value == 185 / 200
    assert removed.value == 180 / 192
    assert corrected.how == "every mistake was read and settled"
    assert corrected.interval[0] < 185 / 200 < corrected.interval[1]


def test_a_label_that_is_wrong_in_another_way_stays_a_mistake():
    given = {1: reading(1, LABEL, label="maybe"), 2: reading(2, LABEL, label="yes"), 3: reading(3, LABEL)}
    corrected, _ = adjusted_accuracy(queue([1, 2, 3], judged=10), given)
    assert corrected.value == 9 / 10


def test_what_was_not_read_counts_as_the_models_mistake():
    corrected, _ = adjusted_accuracy(queue(range(10), wrong=40), {0: reading(0, LABEL), 1: reading(1, MODEL)})
    assert corrected.value == 161 / 200
    assert corrected.how == "at least: the 38 mistakes without a settled verdict count as the model's"


def test_a_random_sample_of_mistakes_stands_for_all():
    # 400 mistakes in 2,000; of 50 read, 10 wrong labels: a fifth of the error goes.
    given = {row: reading(row, LABEL if row < 10 else MODEL) for row in range(50)}
    corrected, removed = adjusted_accuracy(queue(range(50), judged=2000, wrong=400, order="random"), given)
    assert corrected.value == pytest.approx(1 - 0.2 * 0.8)
    assert removed.value == pytest.approx(0.8 / (0.8 + 0.2 * 0.8))
    assert "stand for all 400" in corrected.how


def test_the_interval_from_a_random_sample_covers_the_truth():
    """Planted: 10 % mistakes, a quarter of them wrong labels. Of 400 intervals at 95 %, between 365 and 395 cover."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        mistakes = rng.random(1500) < 0.1
        rows = np.flatnonzero(mistakes)
        is_label = rng.random(rows.size) < 0.25
        drawn = rng.choice(rows.size, 50, replace=False)
        given = {int(rows[k]): reading(int(rows[k]), LABEL if is_label[k] else MODEL) for k in drawn}
        asked = queue([int(rows[k]) for k in drawn], judged=1500, wrong=rows.size, order="random")
        low, high = adjusted_accuracy(asked, given)[0].interval
        covered += low <= 1 - 0.1 * 0.75 <= high
    assert 365 <= covered <= 397


def test_nothing_read_adjusts_nothing():
    assert adjusted_accuracy(queue(range(5)), {}) == ()


def test_where_no_row_would_be_left_there_is_no_accuracy_without_rows():
    given = {row: reading(row, LABEL) for row in range(3)}
    every = adjusted_accuracy(queue(range(3), judged=3), given)
    some = adjusted_accuracy(queue(range(3), judged=9, wrong=9, order="random"), given)
    for found in (every, some):
        assert [one.name for one in found] == ["accuracy with wrong labels put right"]
        assert found[0].value == 1


def test_readings_of_other_rows_adjust_nothing():
    assert adjusted_accuracy(queue(range(3), wrong=9, order="random"), {7: reading(7, LABEL)}) == ()
