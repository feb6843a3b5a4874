"""The chi-squared test of homogeneity."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association

from modelops.analyses.drift.homogeneity import (
    cramers_v,
    cramers_v_interval,
    homogeneity,
    smallest_detectable_cramers_v,
)
from modelops.errors import NotMeasured


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@settings(max_examples=200, deadline=None)
@given(hnp.arrays(np.int64, st.tuples(st.just(2), st.integers(2, 12)), elements=st.integers(12, 5000)))
def test_test_is_scipys(table):
    expected, found = chi2_contingency(table), homogeneity(table, rng=rng())
    assume(not found.pooled and not found.permuted)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.degrees_of_freedom == expected.dof
    assert cramers_v(found) == pytest.approx(association(table, method="cramer"), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "shares",
    [[0.2] * 5, [0.5, 0.3, 0.1, 0.05, 0.03, 0.01, 0.005, 0.005], [0.9] + [0.1 / 40] * 40],
    ids=["five equal", "rare ones", "many rare ones"],
)
def test_false_alarms_are_five_in_a_hundred_at_1000_against_5000_rows(shares):
    draw = np.random.default_rng(6)
    found = [
        homogeneity(np.stack([draw.multinomial(1000, shares), draw.multinomial(5000, shares)]), rng=draw).p_value
        for _ in range(3000)
    ]
    assert 0.035 <= np.mean(np.array(found) <= 0.05) <= 0.065


def test_rare_levels_are_pooled():
    table = np.array([[500, 480, 3, 1, 0, 1, 0], [510, 470, 1, 2, 1, 0, 1]])
    found = homogeneity(table, rng=rng())
    assert found.pooled == 5
    assert found.degrees_of_freedom == 2


def test_pooling_does_not_depend_on_the_order_of_levels():
    table = np.array([[500, 480, 3, 1, 0, 1, 0], [510, 470, 1, 2, 1, 0, 1]])
    assert homogeneity(table[:, ::-1], rng=rng()).p_value == pytest.approx(homogeneity(table, rng=rng()).p_value)


def test_a_thin_table_is_permuted():
    found = homogeneity(np.array([[3, 0, 1], [0, 4, 1]]), rng=rng())
    assert found.permuted
    # All 126 ways to deal these 9 rows to sides of 4 and 5 rows, each as likely as the others.
    levels = np.repeat([0, 1, 2], [3, 4, 2])
    dealt = [np.bincount(levels[list(some)], minlength=3) for some in combinations(range(9), 4)]
    statistics = [chi2_contingency(np.stack([side, [3, 4, 2] - side])).statistic for side in dealt]
    exact = np.mean(np.array(statistics) >= chi2_contingency([[3, 0, 1], [0, 4, 1]]).statistic - 1e-9)
    assert found.p_value == pytest.approx(exact, abs=0.01)


def test_permuted_p_value_is_never_zero():
    assert homogeneity(np.array([[4, 0, 0], [0, 4, 4]]), rng=rng()).p_value > 0


def test_identifiers_are_not_compared():
    table = np.stack([np.r_[np.ones(300), np.zeros(300)], np.r_[np.zeros(300), np.ones(300)]]).astype(int)
    with pytest.raises(NotMeasured, match="600 categories"):
        homogeneity(table, rng=rng())


def test_a_single_level_on_both_sides_is_no_change():
    found = homogeneity(np.array([[50], [60]]), rng=rng())
    assert (found.statistic, found.p_value, found.degrees_of_freedom) == (0.0, 1.0, 0)


def test_interval_of_a_single_level_says_what_could_be_unseen():
    # 3.7 % of 100 rows may be of another level without one being seen (Wilson); V of the table [[100, 0], [96.3, 3.7]].
    low, high = cramers_v_interval(homogeneity(np.array([[100], [100]]), rng=rng()))
    expected = association(np.array([[10_000, 0], [9_630, 370]]), method="cramer")
    assert (low, high) == (0.0, pytest.approx(expected, rel=0.01))


def test_a_table_without_rows_is_not_compared():
    with pytest.raises(NotMeasured, match="no value"):
        homogeneity(np.array([[0, 0], [6, 7]]), rng=rng())


@pytest.mark.parametrize("strength", [0.0, 0.1, 0.3])
def test_interval_of_cramers_v_holds_the_truth(strength):
    # Two equal tables with shares 0.5 + strength/2 and 0.5 - strength/2 have exactly this V.
    draw = np.random.default_rng(8)
    held = 0
    for _ in range(400):
        counts = [draw.binomial(400, 0.5 + sign * strength / 2) for sign in (1, -1)]
        table = np.array([[count, 400 - count] for count in counts])
        low, high = cramers_v_interval(homogeneity(table, rng=draw))
        held += low <= strength <= high
    assert held / 400 >= 0.92


def test_interval_holds_its_estimate_even_with_many_levels():
    table = np.full((2, 150), 20)
    found = homogeneity(table, rng=rng())
    low, high = cramers_v_interval(found)
    assert low <= cramers_v(found) <= high


def test_smallest_detectable_strength_is_found_four_times_in_five():
    strength = smallest_detectable_cramers_v(1000, 1, alpha=0.05)
    draw = np.random.default_rng(9)
    found = []
    for _ in range(1000):
        counts = [draw.binomial(500, 0.5 + sign * strength / 2) for sign in (1, -1)]
        table = np.array([[count, 500 - count] for count in counts])
        found.append(chi2_contingency(table, correction=False).pvalue <= 0.05)
    assert np.mean(found) == pytest.approx(0.8, abs=0.04)
