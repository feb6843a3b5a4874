"""Distances between shares, missing values, new and vanished categories."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2

from modelops.analyses.cores.category_counts import count_categories
from modelops.analyses.drift.distances import (
    jensen_shannon_distance,
    permuted_critical_value,
    population_stability_index,
    smallest_detectable_share_change,
    stability_index_critical_value,
)
from modelops.analyses.drift.shares import changes, level_bars, level_bins, missing_test
from modelops.analyses.statistics.intervals import two_proportions_p_value
from modelops.errors import InvalidInput

counts = hnp.arrays(np.int64, 6, elements=st.integers(0, 500)).filter(lambda x: x.sum() > 0)


def test_stability_index_is_the_hand_computation():
    # 0.3 -> 0.2, 0.3 -> 0.3, 0.4 -> 0.5
    by_hand = (0.2 - 0.3) * math.log(0.2 / 0.3) + (0.5 - 0.4) * math.log(0.5 / 0.4)
    assert population_stability_index(np.array([30, 30, 40]), np.array([40, 60, 100])) == pytest.approx(by_hand)


def test_an_empty_bin_counts_as_half_a_row():
    by_hand = (0.5 / 20 - 0.5) * math.log((0.5 / 20) / 0.5) + (1 - 0.5) * math.log(1 / 0.5)
    assert population_stability_index(np.array([10, 10]), np.array([0, 20])) == pytest.approx(by_hand)


def test_stability_index_of_no_rows_is_refused():
    with pytest.raises(InvalidInput, match="no rows"):
        population_stability_index(np.array([0, 0]), np.array([1, 2]))


def test_critical_value_is_yurdakuls():
    assert stability_index_critical_value(10, 500, 50) == pytest.approx(chi2.ppf(0.95, 9) * (1 / 500 + 1 / 50))


def test_critical_value_is_passed_by_five_in_a_hundred_without_drift():
    rng = np.random.default_rng(3)
    critical = stability_index_critical_value(10, 4000, 4000)
    found = [
        population_stability_index(rng.multinomial(4000, [0.1] * 10), rng.multinomial(4000, [0.1] * 10)) > critical
        for _ in range(3000)
    ]
    assert 0.035 <= np.mean(found) <= 0.065


def psi_of_table(rng, sides, *, bins=10):
    """Two samples without a change, as counts over bins at the quantiles of the first one."""
    values = [rng.normal(size=rows) for rows in sides]
    edges = np.quantile(values[0], np.arange(1, bins) / bins)
    return [np.bincount(np.searchsorted(edges, one), minlength=bins) for one in values]


@pytest.mark.parametrize("sides", [(100, 100), (100, 800), (800, 100), (300, 300)])
def test_dealt_anew_few_rows_pass_the_critical_value_no_more_often_than_five_in_a_hundred(sides):
    rng = np.random.default_rng(7)
    above = []
    for _ in range(600):
        then, now = psi_of_table(rng, sides)
        above.append(population_stability_index(then, now) > permuted_critical_value(then, now, seed=0))
    # 5 % from 600 draws is known to 0.9 points.
    assert np.mean(above) <= 0.05 + 2.5 * 0.009


def test_dealt_anew_many_rows_come_to_the_law_of_large_samples():
    table = np.full(10, 5000), np.full(10, 5000)
    large = stability_index_critical_value(10, 50_000, 50_000)
    assert permuted_critical_value(*table, seed=1) == pytest.approx(large, rel=0.05)


def test_the_order_of_bins_does_not_move_the_critical_value():
    then, now = np.array([40, 0, 25, 35]), np.array([20, 30, 25, 25])
    order = [2, 0, 3, 1]
    assert permuted_critical_value(then, now, seed=4) == permuted_critical_value(then[order], now[order], seed=4)


@pytest.mark.parametrize(("then", "now"), [([100], [120]), ([100, 0], [120, 0])])
def test_one_bin_leaves_nothing_to_deal(then, now):
    assert permuted_critical_value(np.array(then), np.array(now), seed=0) == 0


@given(counts, counts)
def test_jensen_shannon_distance_is_scipys(reference, current):
    assert jensen_shannon_distance(reference, current) == pytest.approx(
        jensenshannon(reference, current, base=2), abs=1e-7
    )


def test_smallest_detectable_rise_of_a_share_is_found_four_times_in_five():
    rise = smallest_detectable_share_change(0.1, 800, 500, alpha=0.05)
    rng = np.random.default_rng(4)
    found = [
        two_proportions_p_value(int(rng.binomial(500, 0.1 + rise)), 500, int(rng.binomial(800, 0.1)), 800) <= 0.05
        for _ in range(1000)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.05)


def test_missing_rates_have_newcombes_interval():
    found = missing_test((48, 56), (80, 70), inflation=1.0)  # Newcombe 1998: 56/70 against 48/80
    assert found.interval == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_autocorrelation_weakens_the_test_of_missing_values():
    plain, inflated = (missing_test((10, 40), (500, 500), inflation=factor) for factor in (1.0, 4.0))
    assert inflated.corrected_p_value > plain.corrected_p_value
    assert inflated.p_value == plain.p_value


def texts(*values: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values).dictionary_encode()])


def test_categories_are_counted_over_chunks_with_different_dictionaries():
    pieces = [pa.array(part).dictionary_encode() for part in (["b", "a", None], ["c", "a"])]
    pair = count_categories(pa.chunked_array(pieces), texts("c", None), codes=True)
    assert pair.levels == ("a", "b", "c")
    assert pair.counts.tolist() == [[2, 1, 1], [0, 0, 1]]
    assert pair.codes[0].tolist() == [1, 0, -1, 2, 0]


def test_a_missing_entry_of_a_dictionary_is_missing():
    holed = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1, None], pa.int32()), pa.array(["a", None]))
    pair = count_categories(pa.chunked_array([holed]), texts("a"))
    assert (pair.levels, pair.present) == (("a",), (1, 1))


def test_truth_values_are_categories():
    pair = count_categories(pa.chunked_array([[True, False, None]]), pa.chunked_array([[True]]))
    assert (pair.levels, pair.counts.tolist()) == (("False", "True"), [[1, 1], [0, 1]])


def test_unused_entries_of_a_dictionary_are_no_levels():
    unused = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), pa.array(["a", "never"]))
    assert count_categories(pa.chunked_array([unused]), texts("a")).levels == ("a",)


def test_empty_columns_have_no_levels():
    nothing = pa.chunked_array([], pa.string())
    assert count_categories(nothing, nothing, codes=True).levels == ()


def test_new_and_vanished_categories_are_named_with_their_share():
    pair = count_categories(texts(*["a"] * 90, *["gone"] * 10), texts(*["a"] * 60, *["new"] * 40))
    new, vanished = changes(pair)
    assert [(change.name, change.rows, change.share) for change in new.named] == [("new", 40, 0.4)]
    assert [(change.name, change.rows) for change in vanished.named] == [("gone", 10)]


def test_chance_that_a_rare_category_is_absent_is_hypergeometric():
    pair = count_categories(texts(*["a"] * 10), texts(*["a"] * 8, *["new"] * 2))
    new, _ = changes(pair)
    assert new.named[0].by_chance == pytest.approx((10 * 9) / (20 * 19))


def test_only_twenty_new_categories_are_named_but_all_are_counted():
    pair = count_categories(texts("a"), texts("a", *(f"new {k}" for k in range(50))))
    new, _ = changes(pair)
    assert (len(new.named), new.count, new.rows) == (20, 50, 50)


def test_new_categories_share_the_last_bin_of_the_index():
    reference, current = level_bins(np.array([[50, 40, 2, 0], [40, 50, 1, 9]]))
    assert (reference.tolist(), current.tolist()) == ([50, 40, 2], [40, 50, 10])


def test_bars_beyond_the_most_frequent_categories_are_one():
    bars = level_bars(tuple(f"level {k}" for k in range(30)), np.ones((2, 30)))
    assert bars.labels[-1] == "(10 others)"
    assert bars.reference.sum() == 30
