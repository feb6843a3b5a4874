"""The rehearsal: how often the thresholds of a drift check alarm where nothing has moved."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import kolmogorov

from modelops.analyses.base import Run
from modelops.analyses.drift import rehearsal
from modelops.analyses.drift.columns import Settings, Subject, compare_column
from modelops.analyses.drift.findings import Margins
from modelops.analyses.drift.kolmogorov import kolmogorov_smirnov_p_value
from tests.analyses.samples import BINARY_ROLES, arrow, binary_columns, evaluation
from tests.analyses.test_drift_analysis import drift, find, normal

ROWS = 600


def numbers(columns, rows=ROWS, seed=3):
    rng = np.random.default_rng(seed)
    return {f"x{place}": rng.normal(size=rows) for place in range(columns)}


def rehearsed(reference, current=None, **parameters):
    parameters = {"rehearsals": 300, "overlays": 0, **parameters}
    return drift(current or {name: values[:200] for name, values in reference.items()}, reference, **parameters)


def test_without_margins_one_column_alarms_as_often_as_the_level_says():
    found = find(rehearsed(numbers(1, rows=2000), rehearsals=2000), "rehearsed_significance_rate")
    # Splits of one sample are exchangeable: the rate is the level, up to the binomial scatter of 2,000 splits.
    assert found.value == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 2000))
    assert found.sample_size == 2000


def test_adjusted_over_twenty_columns_a_run_alarms_no_oftener_than_the_level_says():
    found = find(rehearsed(numbers(20), rehearsals=400), "rehearsed_significance_rate")
    assert found.interval[0] < 0.05
    assert found.value < 0.08


def test_thresholds_that_ask_for_too_little_are_found_out():
    loose = rehearsed(numbers(10), alpha=0.49, margin=0.0, missing_margin=0.0)
    strict = rehearsed(numbers(10))
    assert find(loose, "rehearsed_alarm_rate").value > 0.3
    assert find(strict, "rehearsed_alarm_rate").value < 0.1
    assert "these thresholds would have reported a change in" in loose.summary


def test_with_margins_of_zero_the_tests_alone_decide():
    found = rehearsed(numbers(3), margin=0.0, missing_margin=0.0)
    assert find(found, "rehearsed_alarm_rate").value == find(found, "rehearsed_significance_rate").value


def test_what_has_moved_since_plays_no_part():
    reference = numbers(2)
    moved = {name: values[:200] + 3 for name, values in reference.items()}
    one, other = (
        find(rehearsed(reference, current), "rehearsed_alarm_rate", feature="x0") for current in (None, moved)
    )
    assert one == other


def test_every_column_has_a_rate_with_the_interval_of_wilson():
    found = find(rehearsed(numbers(2), alpha=0.3, margin=0.0), "rehearsed_alarm_rate", feature="x1")
    low, high = found.interval
    # Wilson's interval in closed form.
    z, n, p = 1.959964, 300, found.value
    centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert (low, high) == pytest.approx(((centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)))


def test_a_split_is_judged_as_the_analysis_judges_two_tables():
    """Numbers, few numbers, text, and missing values of each, against the analysis on the two parts themselves."""
    rng = np.random.default_rng(8)
    reference = {
        "income": np.where(rng.random(500) < 0.1, np.nan, rng.normal(size=500)),
        "children": rng.integers(0, 5, 500),
        "town": [None if draw < 0.05 else "abcdefg"[int(7 * draw**2)] for draw in rng.random(500)],
        "rare": ["common" if draw < 0.98 else str(draw) for draw in rng.random(500)],
    }
    keys = rehearsal.content_keys([rehearsal.value_hashes(arrow(values)) for values in reference.values()], 500, seed=0)
    chosen = rehearsal._batch(keys, 0, 100)
    assert chosen.sum() == 100
    for name, values in reference.items():
        column = arrow(values)
        coded = rehearsal._coded(column)
        split = rehearsal._compared(coded, [chosen], name, Settings(10, 30, 0), Margins(0.49, 0, 0))[:, 0]
        rest, batch = (column.filter(pa.array(side)) for side in (~chosen, chosen))
        expected = compare_column(Subject("feature", name), rest, batch, Settings(10, 30, 0))
        if expected.comparison.p_value < 0.49:
            assert split[0] == pytest.approx(expected.comparison.p_value, abs=0.03 if name == "rare" else 1e-12)
        assert split[1] == pytest.approx(expected.comparison.material_effect, abs=1e-12)
        assert split[3] == pytest.approx(expected.missing.difference, abs=1e-12)
        if expected.missing.corrected_p_value is not None:
            assert split[2] == pytest.approx(expected.missing.corrected_p_value, abs=1e-12)


def test_what_is_taken_from_the_limiting_distribution_is_above_the_level():
    for present in ((30, 30), (35, 61), (400, 100)):
        for step in range(1, 60):
            statistic = step / 60
            limiting = kolmogorov(statistic * np.sqrt(present[0] * present[1] / sum(present)))
            assert kolmogorov_smirnov_p_value(statistic, *present) > limiting / 4 or limiting < 1e-4


def test_the_order_of_the_rows_plays_no_part():
    reference = binary_columns(400, seed=1)
    order = np.random.default_rng(0).permutation(400)
    shuffled = {name: [values[place] for place in order] for name, values in reference.items()}
    current = binary_columns(300, seed=2)
    one, other = (
        drift(current, table, rehearsals=40, alpha=0.3, margin=0.0, **BINARY_ROLES) for table in (reference, shuffled)
    )
    rates = [[m.value for m in found.measurements if m.metric.startswith("rehearsed")] for found in (one, other)]
    assert rates[0] == rates[1]


def test_another_seed_gives_other_splits():
    reference = numbers(4)
    one, other = (
        drift(reference, reference, run=Run(seed=seed), rehearsals=50, alpha=0.4, margin=0.0) for seed in (1, 2)
    )
    assert [find(found, "rehearsed_effect", feature="x0").value for found in (one, other)] != [None, None]
    assert find(one, "rehearsed_effect", feature="x0") != find(other, "rehearsed_effect", feature="x0")


def test_the_noise_of_a_column_is_told_as_the_margin_that_would_have_kept_it_quiet():
    quiet = find(rehearsed(numbers(1), rehearsals=1000), "rehearsed_effect", feature="x0").value
    assert find(rehearsed(numbers(1), margin=quiet, alpha=0.49), "rehearsed_alarm_rate").value <= 0.1


def test_a_reference_that_is_too_small_is_not_rehearsed_and_says_why():
    found = find(rehearsed(numbers(1, rows=50)), "rehearsed_alarm_rate")
    assert found.value is None
    assert "60 rows" in found.note


def test_a_large_reference_is_drawn_from():
    found = rehearsed(numbers(1, rows=5000), rehearsals=20, rows=1000)
    assert "200 rows against 800" in find(found, "rehearsed_alarm_rate", feature="x0").note


def test_no_rehearsal_is_no_measurement():
    assert not [m for m in rehearsed(numbers(1), rehearsals=0).measurements if "rehearsed" in m.metric]


def test_all_missing_columns_do_not_alarm():
    columns = {"x": np.full(400, np.nan), "y": normal(1, 400)}
    found = rehearsed(columns, rehearsals=20)
    assert find(found, "rehearsed_alarm_rate", feature="x").value == 0
    assert find(found, "rehearsed_effect", feature="x").value is None


def test_progress_is_told_to_the_end():
    told: list[float] = []
    data = evaluation(numbers(2), reference=numbers(2), features=("x0", "x1"))
    rehearsal.rehearse(
        data.reference,
        ["x0", "x1"],
        Settings(10, 30, 0),
        Margins(0.05, 0.1, 0.05),
        count=3,
        batch=100,
        limit=1000,
        progress=told.append,
    )
    assert told == [0.5, 1.0]
