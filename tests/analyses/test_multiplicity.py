import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from modelops.analyses.statistics.multiplicity import benjamini_hochberg
from modelops.errors import InvalidInput

# Benjamini and Hochberg 1995, section 3.2 (the thrombolysis trial).
PUBLISHED = [
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.3240,
    0.4262,
    0.5719,
    0.6528,
    0.7590,
    1.0000,
]


@pytest.mark.parametrize("seed", range(5))
def test_the_published_example_rejects_four_whatever_the_order(seed):
    order = np.random.default_rng(seed).permutation(15)
    adjusted = benjamini_hochberg(np.array(PUBLISHED)[order])
    assert set(order[adjusted <= 0.05]) == {0, 1, 2, 3}


def test_bonferroni_would_have_rejected_three():
    assert sum(p * 15 <= 0.05 for p in PUBLISHED) == 3


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_equals_statsmodels(p_values):
    assert benjamini_hochberg(p_values) == pytest.approx(multipletests(p_values, method="fdr_bh")[1], abs=1e-12)


def test_a_test_that_was_not_made_does_not_count():
    assert benjamini_hochberg([0.01, np.nan, 0.5]).tolist()[::2] == benjamini_hochberg([0.01, 0.5]).tolist()


def test_no_tests_are_no_error():
    assert benjamini_hochberg([]).size == 0


def test_a_p_value_outside_0_to_1_is_refused():
    with pytest.raises(InvalidInput):
        benjamini_hochberg([0.5, 1.2])
