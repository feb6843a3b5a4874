"""The order of time and what autocorrelation costs."""

from __future__ import annotations

import numpy as np
import pytest

from modelops.analyses.base import Run
from modelops.analyses.drift import DRIFT, DriftParameters
from modelops.analyses.drift.time import combined_effect, design_effect, time_order
from modelops.domain.result import Measurement
from modelops.errors import NotMeasured
from tests.analyses.samples import evaluation, sample


def autoregressive(rows: int, rho: float, rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(size=rows)
    values = np.empty(rows)
    values[0] = noise[0]
    for row in range(1, rows):
        values[row] = rho * values[row - 1] + np.sqrt(1 - rho**2) * noise[row]
    return values


def codes(values: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(values))


def test_independent_rows_are_worth_themselves():
    rng = np.random.default_rng(1)
    effects = [design_effect(codes(rng.normal(size=2000)), ordered=True) for _ in range(300)]
    assert np.mean(np.array(effects) > 1) < 0.01


def test_effect_of_an_autoregressive_series_is_near_its_theory():
    # For the mean of an AR(1) it is (1 + rho) / (1 - rho); shares below a cut are a little less correlated.
    rng = np.random.default_rng(2)
    effect = design_effect(codes(autoregressive(40_000, 0.8, rng)), ordered=True)
    assert 5 < effect < 9


def test_repeated_categories_have_an_effect_of_their_run_length():
    rng = np.random.default_rng(3)
    assert design_effect(np.repeat(rng.integers(0, 4, 1000), 10), ordered=False) == pytest.approx(10, rel=0.3)


def test_many_levels_are_looked_at_together():
    rng = np.random.default_rng(4)
    assert design_effect(np.repeat(rng.integers(0, 500, 2000), 5), ordered=False) > 3


def test_few_rows_are_not_judged():
    assert design_effect(np.repeat([0, 1], 100), ordered=False) == 1.0


def test_combined_effect_leans_to_the_smaller_table():
    assert combined_effect((1.0, 5.0), (1_000_000, 100)) == pytest.approx(5.0, rel=1e-3)


@pytest.mark.parametrize(
    "times",
    [[3, 1, 2], ["2026-03-01", "2026-01-01", "2026-02-01"], np.array([3, 1, 2], dtype="datetime64[us]")],
    ids=["numbers", "text", "times"],
)
def test_rows_are_put_in_the_order_of_time(times):
    order = time_order(sample({"when": times}, time="when"), "when")
    assert order.of(np.array([30, 10, 20])).tolist() == [10, 20, 30]


def test_rows_in_the_order_of_time_are_left_as_they_are():
    assert time_order(sample({"when": [1, 2, 2]}, time="when"), "when").order is None


def test_rows_without_a_time_come_last():
    order = time_order(sample({"when": ["2026-01-02", None, "2026-01-01"]}, time="when"), "when")
    assert order.of(np.array([2, 9, 1])).tolist() == [1, 2, 9]


def test_text_that_is_no_date_gives_no_order():
    with pytest.raises(NotMeasured, match="ISO 8601"):
        time_order(sample({"when": ["soon", "later"]}, time="when"), "when")


def drifted(rng: np.random.Generator, rho: float, *, timed: bool) -> dict[str, Measurement]:
    def columns() -> dict[str, object]:
        return {"x": autoregressive(1500, rho, rng), "when": np.arange(1500)}

    data = evaluation(columns(), reference=columns(), features=("x",), time="when" if timed else None)
    found = DRIFT.compute(data, DriftParameters(domain_classifier=False), Run())
    return {m.metric: m for m in found.measurements if m.scope in ({"feature": "x"}, {})}


@pytest.mark.parametrize(("timed", "low", "high"), [(False, 0.3, 1.0), (True, 0.0, 0.1)])
def test_autocorrelated_rows_alarm_falsely_unless_time_is_known(timed, low, high):
    rng = np.random.default_rng(5)
    alarms = [drifted(rng, 0.9, timed=timed)["adjusted_p_value"].value <= 0.05 for _ in range(80)]
    assert low <= np.mean(alarms) <= high


def test_the_raw_p_value_stays_beside_the_corrected_one():
    found = drifted(np.random.default_rng(6), 0.9, timed=True)
    assert found["block_corrected_p_value"].value > found["kolmogorov_smirnov_p_value"].value
    assert found["effective_sample_size"].value < 1500 / 4
    assert "autocorrelated" in found["adjusted_p_value"].note
