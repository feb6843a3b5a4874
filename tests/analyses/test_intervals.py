import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest

from modelops.analyses.statistics.intervals import (
    mcnemar,
    newcombe,
    normal_quantile,
    ratio_of_proportions,
    two_proportions_p_value,
    wilson,
)
from modelops.errors import InvalidInput

counts = st.integers(1, 500).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


def test_wilson_gives_the_figures_of_its_published_example():
    # Newcombe 1998, table I: 81 of 263.
    assert np.round(wilson(81, 263), 4).tolist() == [0.2553, 0.3662]


def test_newcombe_gives_the_figures_of_its_published_example():
    # Newcombe 1998, table II, method 10: 56 of 70 against 48 of 80.
    assert np.round(newcombe(56, 70, 48, 80), 4).tolist() == [0.0524, 0.3339]


def test_mcnemar_gives_the_figures_of_its_published_example():
    # Agresti, Categorical Data Analysis: 150 against 86 disagreements.
    statistic, p_value = mcnemar(150, 86)
    assert round(statistic, 3) == 17.356
    assert p_value == pytest.approx(3.1e-5, rel=0.01)


@given(counts)
def test_wilson_equals_statsmodels(found):
    count, total = found
    assert wilson(count, total) == pytest.approx(proportion_confint(count, total, method="wilson"), abs=1e-12)


@given(counts, counts)
def test_newcombe_equals_statsmodels(one, other):
    expected = confint_proportions_2indep(*one, *other, method="newcomb", compare="diff")
    assert newcombe(*one, *other) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "table", [(30, 100, 45, 100), (5, 20, 12, 30), (500, 1000, 10, 1000), (20, 20, 15, 30), (0, 20, 5, 30)]
)
def test_ratio_equals_the_score_interval_of_statsmodels(table):
    expected = confint_proportions_2indep(*table, method="score", compare="ratio", correction=False)
    assert ratio_of_proportions(*table) == pytest.approx([float(end) for end in expected], rel=1e-6, abs=1e-9)


def test_ratio_to_a_rate_of_zero_has_no_upper_end():
    low, high = ratio_of_proportions(3, 20, 0, 30)
    assert low > 1
    assert high is None


@given(counts, counts)
def test_ratio_always_holds_its_estimate(one, other):
    low, high = ratio_of_proportions(*one, *other)
    if other[0]:
        estimate = one[0] * other[1] / (one[1] * other[0])
        assert low - 1e-9 <= estimate <= high + 1e-9


def test_two_proportions_equal_the_z_test_of_statsmodels_in_large_samples():
    expected = proportions_ztest([56, 48], [70, 80])[1]
    assert two_proportions_p_value(56, 70, 48, 80) == pytest.approx(expected, rel=1e-9)


def test_two_proportions_equal_fishers_test_in_small_samples():
    assert two_proportions_p_value(1, 9, 6, 8) == pytest.approx(stats.fisher_exact([[1, 8], [6, 2]]).pvalue)


def test_two_proportions_that_are_all_alike_are_no_evidence():
    assert two_proportions_p_value(0, 10, 0, 20) == 1.0


def test_mcnemar_equals_statsmodels():
    expected = statsmodels_mcnemar([[10, 12], [25, 40]], exact=False, correction=False)
    assert mcnemar(12, 25) == pytest.approx((expected.statistic, expected.pvalue))


@given(counts)
def test_wilson_stays_in_bounds_and_holds_the_share(found):
    low, high = wilson(*found)
    assert 0 <= low <= found[0] / found[1] + 1e-12
    assert found[0] / found[1] - 1e-12 <= high <= 1


@pytest.mark.parametrize(("count", "total"), [(0, 0), (3, 2), (-1, 5), (math.nan, 5)])
def test_impossible_counts_are_refused(count, total):
    with pytest.raises(InvalidInput):
        wilson(count, total)


def test_a_level_outside_0_to_1_is_refused():
    with pytest.raises(InvalidInput, match="confidence level"):
        normal_quantile(95)
