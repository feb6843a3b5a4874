import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.ranking import (
    area,
    area_under_roc,
    average_precision,
    gain,
    paired_areas,
    ranked,
    resampled_steps,
)
from modelops.errors import NotMeasured

# Integers as scores: many ties.
scored = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.floats(0.1, 5)), min_size=2, max_size=60).filter(
    lambda rows: len({positive for _, positive, _ in rows}) == 2
)


def arrays(rows):
    scores, positive, weights = zip(*rows, strict=True)
    return np.array(scores, dtype=float), np.array(positive), np.array(weights)


@given(scored)
def test_area_and_average_precision_equal_scikit_learn_with_ties_and_weights(rows):
    scores, positive, weights = arrays(rows)
    steps = ranked(scores, positive, weights=weights).steps
    expected = roc_auc_score(positive, scores, sample_weight=weights)
    assert float(area_under_roc(steps)) == pytest.approx(expected, abs=1e-9)
    assert area(scores, positive, weights=weights).value == pytest.approx(expected, abs=1e-9)
    expected = average_precision_score(positive, scores, sample_weight=weights)
    assert float(average_precision(steps)) == pytest.approx(expected, abs=1e-9)


def delong_by_pairs(scores, positive):
    """DeLong's variance from the full matrix of pairs, as the paper writes it."""
    high, low = scores[positive], scores[~positive]
    psi = (high[:, None] > low) + 0.5 * (high[:, None] == low)
    v10, v01 = psi.mean(axis=1), psi.mean(axis=0)
    return psi.mean(), np.sqrt(v10.var(ddof=1) / high.size + v01.var(ddof=1) / low.size)


@given(scored.filter(lambda rows: min(sum(r[1] for r in rows), sum(not r[1] for r in rows)) >= 2))
def test_delong_equals_the_matrix_of_pairs(rows):
    scores, positive, _ = arrays(rows)
    found = area(scores, positive)
    assert (found.value, found.error) == pytest.approx(delong_by_pairs(scores, positive), abs=1e-12)


def test_paired_areas_equal_the_formula_on_the_matrix_of_pairs():
    rng = np.random.default_rng(0)
    positive = rng.random(300) < 0.4
    first = positive + rng.normal(size=300)
    second = first * 0.5 + rng.normal(size=300)
    found = paired_areas(first, second, positive)
    parts = []
    for scores in (first, second):
        psi = (scores[positive][:, None] > scores[~positive]).astype(float)
        parts.append((psi.mean(axis=1), psi.mean(axis=0)))
    (a10, a01), (b10, b01) = parts
    c10, c01 = np.cov(a10, b10), np.cov(a01, b01)
    variance = sum((c[0, 0] + c[1, 1] - 2 * c[0, 1]) / n for c, n in ((c10, positive.sum()), (c01, (~positive).sum())))
    assert found.error == pytest.approx(np.sqrt(variance))
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(found.difference) / np.sqrt(variance)))


def test_the_same_scores_do_not_differ():
    positive = np.array([True, False, True, False, True])
    scores = np.array([0.9, 0.1, 0.4, 0.5, 0.7])
    assert paired_areas(scores, scores, positive).p_value == 1.0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_the_interval_lies_in_0_to_1_and_holds_the_area(seed):
    rng = np.random.default_rng(seed)
    positive = np.arange(12) < 6
    found = area(rng.normal(positive * 2.0, 1), positive)
    low, high = found.interval()
    assert 0 <= low <= found.value <= high <= 1


def test_a_perfect_order_of_few_rows_is_not_certain():
    found = area(np.arange(8.0), np.arange(8) >= 4)
    low, high = found.interval()
    assert high == pytest.approx(1.0)
    assert low < 0.75


def test_the_interval_covers_the_true_area():
    rng = np.random.default_rng(2)
    true = stats.norm.cdf(1 / np.sqrt(2))
    positive = np.arange(80) < 30
    ends = [area(rng.normal(positive * 1.0, 1), positive).interval() for _ in range(400)]
    assert np.mean([low <= true <= high for low, high in ends]) == pytest.approx(0.95, abs=0.03)


def test_one_class_has_no_area():
    with pytest.raises(NotMeasured):
        area(np.array([0.1, 0.2]), np.array([True, True]))


def test_resampled_steps_spread_as_delong_says():
    rng = np.random.default_rng(3)
    positive = rng.random(4000) < 0.3
    scores = rng.normal(positive * 1.0, 1)
    drawn, binned = resampled_steps(ranked(scores, positive), Uncertainty(rng))
    assert binned.shape == (2, 2000)
    assert area_under_roc(drawn).std() == pytest.approx(area(scores, positive).error, rel=0.08)


def test_gain_counts_rows_of_equal_score_in_proportion():
    ranking = ranked(np.array([1.0, 1, 1, 1, 0]), np.array([True, False, True, False, False]))
    assert float(gain(ranking.steps, 0.4)) == pytest.approx(0.5)


def test_the_best_tenth_of_a_perfect_order_holds_its_share():
    ranking = ranked(np.arange(100.0), np.arange(100) >= 80)
    assert float(gain(ranking.steps, 0.1)) == pytest.approx(0.5)
    assert float(gain(ranking.steps, 0.2)) == pytest.approx(1.0)
