import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.gaps import (
    GroupRate,
    below_four_fifths,
    homogeneity_p_value,
    shrunken_rates,
    spread,
    spread_of_estimates,
)
from modelops.errors import InvalidInput


def rate(hits, totals, *, draws=1000, seed=0):
    hits, totals = np.array(hits, dtype=float), np.array(totals, dtype=float)
    drawn = np.random.default_rng(seed).binomial(totals.astype(int), hits / totals, size=(draws, hits.size))
    return GroupRate(hits, totals, drawn.astype(float), np.broadcast_to(totals, drawn.shape))


def uncertainty(seed=1, draws=1000):
    return Uncertainty(np.random.default_rng(seed), draws)


def test_only_the_ratio_of_three_quarters_fails_the_four_fifths_rule():
    # 60, 45, 48 and 51 of 100 against the largest: 75, 80 and 85 %.
    assert [below_four_fifths(n, 100, 60, 100) for n in (60, 45, 48, 51)] == [False, True, False, False]


def test_four_fifths_is_exact_where_fractions_are_not():
    assert (4 / 25) / (1 / 5) < 0.8
    assert not below_four_fifths(4, 25, 1, 5)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_four_fifths_is_the_comparison_of_exact_fractions(a, n, b, m):
    from fractions import Fraction

    assert below_four_fifths(a, n, b, m) == (Fraction(a, n) < Fraction(4, 5) * Fraction(b, m))


def test_four_fifths_of_a_group_without_rows_is_refused():
    with pytest.raises(InvalidInput):
        below_four_fifths(0, 0, 1, 2)


def test_two_groups_have_nearly_the_interval_of_newcombe():
    found = spread([rate([56, 48], [70, 80])], uncertainty())
    assert found.difference == pytest.approx(0.2)
    assert found.difference_interval == pytest.approx((0.0524, 0.3339), abs=0.02)


@pytest.mark.parametrize(
    ("shares", "totals"),
    [([0.3] * 5, [200] * 5), ([0.1, 0.3, 0.25], [2000, 500, 40]), ([0.1] * 4, [2000, 500, 200, 40])],
)
def test_the_interval_of_the_gap_covers_it_with_equal_and_unequal_groups(shares, totals):
    rng = np.random.default_rng(2)
    shares, totals = np.array(shares), np.array(totals)
    covered = []
    for seed in range(150):
        found = spread([rate(rng.binomial(totals, shares), totals, draws=400, seed=seed)], uncertainty(seed, 400))
        low, high = found.difference_interval
        covered.append(low <= np.ptp(shares) <= high)
    assert np.mean(covered) >= 0.9


def test_equalized_odds_takes_the_wider_of_two_rates():
    first, second = rate([50, 55], [100, 100]), rate([10, 40], [100, 100])
    assert spread([first, second], uncertainty()).difference == pytest.approx(0.3)


def test_a_group_without_hits_has_ratio_zero_with_an_open_upper_end():
    found = spread([rate([0, 30], [20, 100])], uncertainty())
    assert found.ratio == 0.0
    assert found.ratio_interval[0] == 0.0
    assert found.ratio_interval[1] > 0.2


def test_no_hits_at_all_have_no_ratio():
    assert spread([rate([0, 0], [20, 30])], uncertainty()).ratio is None


def test_one_group_has_nobody_to_differ_from():
    with pytest.raises(InvalidInput):
        spread([rate([5], [10])], uncertainty())


def test_homogeneity_equals_the_chi_squared_test_of_scipy():
    hits, totals = np.array([30.0, 45, 60]), np.array([100.0, 100, 150])
    expected = stats.chi2_contingency(np.array([hits, totals - hits]), correction=False).pvalue
    assert homogeneity_p_value([(hits, totals)], uncertainty()) == pytest.approx(expected)


def test_small_tables_are_permuted_and_near_the_exact_test():
    hits, totals = np.array([1.0, 6.0]), np.array([9.0, 8.0])
    expected = stats.fisher_exact([[1, 8], [6, 2]]).pvalue
    assert homogeneity_p_value([(hits, totals)], uncertainty(draws=20_000)) == pytest.approx(expected, abs=0.01)


def test_a_permutation_p_is_never_zero():
    hits, totals = np.array([0.0, 4.0]), np.array([4.0, 4.0])
    assert homogeneity_p_value([(hits, totals)], uncertainty()) >= 1 / 1001


def test_homogeneity_has_five_percent_false_alarms():
    rng = np.random.default_rng(5)
    totals = np.array([300.0, 120.0, 60.0])
    p_values = [
        homogeneity_p_value([(rng.binomial(totals.astype(int), 0.3).astype(float), totals)], uncertainty(seed))
        for seed in range(600)
    ]
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.025)


def test_groups_of_the_same_rate_shrink_to_their_mean():
    shares, _ = shrunken_rates(np.array([3.0, 30.0, 300.0]), np.array([10.0, 100.0, 1000.0]), level=0.95)
    assert shares == pytest.approx([0.3, 0.3, 0.3])


def test_a_small_group_shrinks_more_than_a_large_one():
    hits, totals = np.array([2.0, 200.0, 100.0]), np.array([4.0, 400.0, 1000.0])
    shares, intervals = shrunken_rates(hits, totals, level=0.95)
    assert abs(shares[0] - 0.5) > abs(shares[1] - 0.5)
    assert all(low < share < high for share, (low, high) in zip(shares, intervals, strict=True))


def test_the_gap_of_estimates_has_the_interval_of_its_difference():
    rng = np.random.default_rng(6)
    gap, (low, high) = spread_of_estimates(
        np.array([10.0, 13.0]), rng.normal([10, 13], [0.6, 0.8], (20_000, 2)), level=0.95
    )
    assert gap == 3.0
    assert (low, high) == pytest.approx((3 - 1.96, 3 + 1.96), abs=0.05)
