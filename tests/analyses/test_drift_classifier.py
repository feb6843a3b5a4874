"""The classifier that tells current rows from the reference."""

from __future__ import annotations

import numpy as np
import pytest

from modelops.analyses.base import Computed, Run
from modelops.analyses.drift import DRIFT, DriftParameters
from modelops.analyses.drift.classifier import DomainClassifier, Encoded, domain_classifier, smallest_detectable_area
from modelops.errors import NotMeasured
from tests.analyses.samples import evaluation


def separated(reference: np.ndarray, current: np.ndarray, *, seed: int = 0, timed: bool = False) -> DomainClassifier:
    names = tuple(f"x{k}" for k in range(reference.shape[1]))
    encoded = Encoded(names, reference, current, timed)
    return domain_classifier(encoded, seed=seed, alpha=0.05, progress=lambda _: None)


def correlated(rows: int, rho: float, rng: np.random.Generator) -> np.ndarray:
    values = rng.normal(size=(rows, 4))
    values[:, 1] = rho * values[:, 0] + np.sqrt(1 - rho**2) * values[:, 1]
    return values


def test_false_alarms_are_three_to_seven_in_a_hundred():
    rng = np.random.default_rng(1)
    found = [
        separated(rng.normal(size=(150, 1)), rng.normal(size=(150, 1)), seed=run).separation.p_value <= 0.05
        for run in range(250)
    ]
    assert 0.03 <= np.mean(found) <= 0.07


def test_a_pure_change_of_correlation_is_found():
    rng = np.random.default_rng(2)
    found = separated(correlated(2000, 0.0, rng), correlated(2000, 0.8, rng))
    assert found.separation.p_value < 1e-6
    assert {driver.feature for driver in found.drivers[:2]} == {"x0", "x1"}


def test_the_area_falls_to_a_guess_without_the_only_driver():
    rng = np.random.default_rng(3)
    current = rng.normal(size=(1000, 3))
    current[:, 2] += 1.0
    found = separated(rng.normal(size=(1000, 3)), current)
    assert found.drivers[0].feature == "x2"
    assert found.separation.interval[0] > 0.7
    assert found.without_first.interval[0] < 0.5 < found.without_first.interval[1]


def test_new_missing_values_give_rows_away():
    rng = np.random.default_rng(4)
    current = rng.normal(size=(500, 2))
    current[rng.random(500) < 0.6, 0] = np.nan
    assert separated(rng.normal(size=(500, 2)), current).separation.roc_auc > 0.7


def test_sides_of_unlike_size_are_told_apart():
    rng = np.random.default_rng(5)
    found = separated(rng.normal(size=(6000, 2)), rng.normal(1.5, 1, size=(120, 2)))
    assert found.separation.p_value < 1e-4


def test_neighbours_in_time_do_not_give_each_other_away():
    # Slow random walks of one law on both sides: a random split finds each held-out row beside training rows.
    rng = np.random.default_rng(6)
    walks = [np.cumsum(rng.normal(size=(3000, 2)), axis=0) / 30 for _ in range(2)]
    random, timed = (separated(*walks, timed=timed).separation for timed in (False, True))
    assert random.p_value < 1e-20
    assert timed.p_value > random.p_value * 1e6


def test_too_few_rows_are_not_enough_data():
    with pytest.raises(NotMeasured, match="Not enough data: 99 rows"):
        separated(np.zeros((99, 1)), np.zeros((500, 1)))


def test_smallest_detectable_area_is_found_four_times_in_five():
    from scipy.stats import mannwhitneyu, norm

    area = smallest_detectable_area(300, 300, alpha=0.05)
    shift = norm.ppf(area) * np.sqrt(2)
    rng = np.random.default_rng(7)
    found = [
        mannwhitneyu(rng.normal(shift, 1, 300), rng.normal(size=300), alternative="greater").pvalue <= 0.05
        for _ in range(600)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.05)


def computed(current: dict[str, object], reference: dict[str, object], **roles: object) -> Computed:
    data = evaluation(current, reference=reference, **roles)
    return DRIFT.compute(data, DriftParameters(rows=300), Run(seed=1))


def columns(rng: np.random.Generator, rows: int = 600, shift: float = 0.0) -> dict[str, object]:
    return {
        "x": rng.normal(shift, 1, rows),
        "number": np.arange(rows),
        "key": [f"id {k} {shift}" for k in range(rows)],
        "when": np.arange(rows).astype("datetime64[s]"),
        "client": rng.integers(0, 9, rows),
    }


def test_identifiers_times_and_row_numbers_are_left_out():
    rng = np.random.default_rng(8)
    features = ("x", "number", "key", "when", "client")
    found = computed(columns(rng), columns(rng), features=features, ids=("client",))
    left_out = next(note for note in found.notes if note.startswith("Left out"))
    assert all(name in left_out for name in ("number", "key", "when", "client (an identifier)"))
    assert [m.scope["feature"] for m in found.measurements if m.metric == "domain_classifier_importance"] == ["x"]


def test_sampled_rows_are_said():
    rng = np.random.default_rng(9)
    found = computed(columns(rng), columns(rng), features=("x",))
    assert any("300 of 600 reference rows" in note and "seed 1" in note for note in found.notes)


def test_the_outcome_does_not_depend_on_the_order_of_rows():
    rng = np.random.default_rng(10)
    reference, current = ({"x": rng.normal(size=250), "y": rng.normal(size=250)} for _ in range(2))
    order = rng.permutation(250)
    shuffled = {name: values[order] for name, values in current.items()}
    first, second = (computed(table, reference, features=("x", "y")) for table in (current, shuffled))
    assert first.measurements == second.measurements
