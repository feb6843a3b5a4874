"""p-value, interval and power of the K-S statistic."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy.stats import ks_2samp, kstwo

from modelops.analyses.cores.kolmogorov_smirnov import kolmogorov_smirnov_statistic
from modelops.analyses.drift.kolmogorov import (
    kolmogorov_smirnov_interval,
    kolmogorov_smirnov_p_value,
    smallest_detectable_distance,
)
from modelops.errors import InvalidInput

SIZES = [(1, 1), (1, 5), (4, 4), (5, 7), (30, 50), (100, 100), (1000, 999), (37, 10_000), (3000, 5000), (6000, 6000)]


@pytest.mark.parametrize(("n", "m"), SIZES)
@pytest.mark.parametrize("shift", [0.0, 0.05, 0.5])
def test_p_value_is_scipys_exact_one(n, m, shift):
    rng = np.random.default_rng(n + m)
    expected = ks_2samp(rng.normal(size=n), rng.normal(shift, 1, size=m), method="exact")
    found = kolmogorov_smirnov_p_value(float(expected.statistic), n, m)
    assert found == pytest.approx(float(expected.pvalue), rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("scaled", [0.4, 0.8, 1.36, 2.0, 3.0])
@pytest.mark.parametrize("rows", [15_000, 40_000, 1_000_000])
def test_p_value_of_many_rows_is_scipys_asymptotic_one(scaled, rows):
    statistic = scaled / math.sqrt(rows / 2)
    expected = float(kstwo.sf(statistic, round(rows / 2)))
    assert kolmogorov_smirnov_p_value(statistic, rows, rows) == pytest.approx(expected, rel=2e-4)


def test_p_value_of_no_distance_is_one():
    assert kolmogorov_smirnov_p_value(0.0, 50, 60) == 1.0


def test_a_statistic_above_one_is_refused():
    with pytest.raises(InvalidInput, match="expected 0 to 1"):
        kolmogorov_smirnov_p_value(1.2, 10, 10)


@pytest.mark.parametrize(("n", "m"), [(300, 300), (400, 200)])
def test_p_value_is_uniform_without_drift(n, m):
    rng = np.random.default_rng(11)
    p_value = cache(lambda statistic: kolmogorov_smirnov_p_value(statistic, n, m))
    found = [p_value(kolmogorov_smirnov_statistic(rng.random(n), rng.random(m))) for _ in range(2000)]
    assert 0.035 <= np.mean(np.array(found) <= 0.05) <= 0.065


@pytest.mark.parametrize("distance", [0.0, 0.1, 0.5, 1.0])
def test_interval_holds_the_true_distance_in_95_of_100(distance):
    # Uniform on [0, 1] and on [distance, 1 + distance]: the distribution functions are `distance` apart.
    rng = np.random.default_rng(12)
    held = 0
    for _ in range(400):
        seen = ks_2samp(rng.random(400), distance + rng.random(150), method="asymp").statistic
        low, high = kolmogorov_smirnov_interval(float(seen), 400, 150)
        held += low <= distance <= high
    assert held / 400 >= 0.93


def test_interval_leaves_out_zero_where_the_test_rejects():
    critical = math.sqrt(math.log(40) / 2 * (1 / 500 + 1 / 800))
    assert kolmogorov_smirnov_interval(critical * 1.001, 500, 800)[0] > 0
    assert kolmogorov_smirnov_p_value(critical * 1.01, 500, 800) < 0.05


def test_smallest_detectable_distance_is_found_at_least_four_times_in_five():
    n, m = 500, 400
    distance = smallest_detectable_distance(n, m, alpha=0.05)
    rng = np.random.default_rng(13)
    found = [ks_2samp(rng.random(n), distance + rng.random(m), method="asymp").pvalue <= 0.05 for _ in range(400)]
    assert np.mean(found) >= 0.8


def test_a_tenth_of_the_smallest_detectable_distance_is_rarely_found():
    distance = smallest_detectable_distance(500, 400, alpha=0.05) / 10
    rng = np.random.default_rng(14)
    found = [ks_2samp(rng.random(500), distance + rng.random(400), method="asymp").pvalue <= 0.05 for _ in range(300)]
    assert np.mean(found) < 0.2
