"""Footprint: what is computed from times and sizes, and that real ones are measured."""

from dataclasses import dataclass

import numpy as np
import pytest

from modelops.analyses.base import Resources, Run
from modelops.analyses.footprint import FOOTPRINT
from modelops.analyses.footprint.metrics import METRICS
from modelops.analyses.footprint.timing import Calls, quantile_interval
from modelops.domain.columns import ColumnRoles
from modelops.errors import InvalidInput, NotMeasured
from modelops.evaluation import EvaluationRequest, InputFiles, Reproduction, compare, evaluate, request_of
from tests import model_files
from tests.analyses.judged import verdicts
from tests.analyses.samples import evaluation
from tests.analyses.test_robustness import value

COLUMNS = {"a": np.arange(50.0), "b": np.arange(50.0)}


@dataclass
class Clocked:
    """A model whose calls take known times: ``single`` for one row, a millisecond for each row otherwise."""

    single: np.ndarray
    features: tuple[str, ...] = ("a", "b")
    classes: tuple[str, ...] = ("no", "yes")
    memory: int | None = 200_000_000

    def timed(self, rows, *, batch, repeats, seconds):
        wall = self.single[:repeats] if batch == 1 else np.full(repeats, batch / 1000)
        return np.column_stack([wall, wall / 4])

    def resources(self, *, repeats):
        return Resources(3_000_000, np.array([0.1, 0.2, 0.6])[:repeats], self.memory, self.memory)


SINGLE = np.arange(1, 301) / 1000


def compute(model=None, columns=COLUMNS, **parameters):
    data = evaluation(columns, model=model or Clocked(SINGLE), features=tuple(columns))
    return FOOTPRINT.compute(data, FOOTPRINT.parameters(**parameters), Run(seed=1))


def test_quantiles_of_the_latency_are_numpys():
    found = compute()
    for metric, share in (("latency_p50", 0.5), ("latency_p95", 0.95), ("latency_p99", 0.99)):
        one = value(found, metric, batch=1)
        assert one.value == pytest.approx(np.quantile(SINGLE, share))
        assert one.unit == "seconds"
        assert one.sample_size == 300


def test_throughput_and_processor_time_count_all_calls():
    found = compute(largest_batch=100)
    assert value(found, "throughput", batch=100).value == pytest.approx(1000)
    assert value(found, "throughput", batch=1).value == pytest.approx(300 / SINGLE.sum())
    assert value(found, "processor_time_per_row", batch=100).value == pytest.approx(0.001 / 4)
    assert {one.scope["batch"] for one in found.measurements if "batch" in one.scope} == {1, 10, 100}


def test_too_few_calls_for_a_quantile_are_said():
    found = compute(calls=50)
    assert value(found, "latency_p95", batch=1).value is not None
    tail = value(found, "latency_p99", batch=1)
    assert tail.value is None
    assert "50 calls are too few for this quantile, 100 are needed" in tail.note


def test_sizes_and_load_time_are_reported():
    found = compute()
    assert value(found, "load_time").value == 0.2
    assert value(found, "file_size").value == 3_000_000
    assert value(found, "peak_memory").value == 200_000_000


def test_memory_that_the_system_does_not_tell_is_not_measured():
    found = compute(Clocked(SINGLE, memory=None), memory_limit=100.0)
    assert "does not tell" in value(found, "peak_memory").note
    assert value(found, "share_of_limit", limit="memory").value is None
    assert "Not every declared limit could be checked" in found.summary


@pytest.mark.parametrize(
    ("parameter", "limit", "name", "share"),
    [
        ("latency_limit", 100.0, "latency", float(np.quantile(SINGLE, 0.95)) / 0.1),
        ("throughput_limit", 2000.0, "throughput", 2.0),
        ("load_limit", 0.4, "load time", 0.5),
        ("memory_limit", 100.0, "memory", 2.0),
        ("size_limit", 6.0, "file size", 0.5),
    ],
)
def test_a_declared_limit_is_held_against_what_was_measured(parameter, limit, name, share):
    found = compute(**{parameter: limit})
    assert value(found, "share_of_limit", limit=name).value == pytest.approx(share)
    assert [one.metric for one in found.measurements].count("share_of_limit") == 1
    assert ("Beyond the declared limit" in found.summary) == (share > 1)


def test_without_a_declared_limit_nothing_is_held_against_one():
    found = compute()
    assert value(found, "share_of_limit").value is None
    assert [str(one.verdict) for one in verdicts(found, "footprint.limits")] == ["not enough data"]
    assert "No limit was declared." in found.summary


def test_every_time_and_memory_is_declared_as_a_cost_and_nothing_else():
    assert {name for name in METRICS if name not in FOOTPRINT.costs} == {"file_size"}


def test_the_interval_of_a_quantile_covers_as_often_as_it_says():
    rng = np.random.default_rng(2)
    for share, true in ((0.5, np.log(2)), (0.95, -np.log(0.05))):
        hits = 0
        for _ in range(2000):
            low, high = quantile_interval(rng.exponential(size=300), share)
            hits += low <= true <= high
        # Distribution-free intervals hold their level or a little more.
        assert 0.94 < hits / 2000 < 0.98


def test_a_quantile_that_no_value_can_bound_has_no_interval():
    assert quantile_interval(np.arange(100.0), 0.99) is None
    assert quantile_interval(np.arange(10.0), 0.95) is None


def test_a_rate_is_rows_over_time():
    calls = Calls(10, np.array([0.5, 1.5]), np.array([0.1, 0.1]))
    assert calls.throughput == 10
    assert calls.processor_time_per_row == pytest.approx(0.01)


def test_what_is_missing_is_told():
    with pytest.raises(NotMeasured, match="No model"):
        FOOTPRINT.compute(evaluation(COLUMNS, features=("a", "b")), FOOTPRINT.parameters(), Run())
    with pytest.raises(InvalidInput, match="lacks 1 of the model's 2 features: b"):
        compute(columns={"a": COLUMNS["a"]})


# Real ones


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("footprint")
    frame = model_files.applicants()
    frame.to_parquet(folder / "data.parquet", index=False)
    files = InputFiles(data=folder / "data.parquet", model=model_files.train("lightgbm", folder, frame).path)
    request = EvaluationRequest(
        analysis="footprint",
        data_roles=ColumnRoles(features=model_files.FEATURES),
        parameters={"calls": 40, "batch_calls": 4, "largest_batch": 1000, "load_repeats": 3, "memory_limit": 4000.0},
    )
    return files, evaluate(request, files)


def test_a_real_model_is_fast_and_small(measured):
    files, found = measured
    assert found.find("file_size").value == files.model.stat().st_size
    assert 1e-6 < found.find("latency_p50", batch=1).value < 1
    assert found.find("throughput", batch=1000).value > found.find("throughput", batch=1).value
    assert 20e6 < found.find("resident_memory").value <= found.find("peak_memory").value < 2e9
    assert found.find("share_of_limit", limit="memory").value < 1


def test_running_again_is_compared_as_times_are(measured):
    files, found = measured
    again = evaluate(request_of(found), files)
    outcome = compare(found, again)
    assert all(one.metric in FOOTPRINT.costs for one in outcome.differences)
    assert "Times and memory" in outcome.because
    # The same times, and another size: that is no noise.
    other = [
        one if one.metric != "file_size" else one.model_copy(update={"value": one.value + 1})
        for one in found.measurements
    ]
    changed = compare(found, found.model_copy(update={"measurements": tuple(other)}))
    assert changed.outcome is Reproduction.DRIFTED
    assert [one.metric for one in changed.differences] == ["file_size"]


def test_the_process_is_fresh_and_has_no_library_that_the_model_does_not_need(measured):
    _, found = measured
    # All libraries of models together take more than 300 MB; a spare has imported all of them.
    assert found.find("peak_memory").value < 300e6


def test_limits_do_not_change_what_is_measured():
    plain, held = compute(), compute(latency_limit=1.0, size_limit=1.0)
    without = [[one for one in found.measurements if one.metric != "share_of_limit"] for found in (plain, held)]
    assert without[0] == without[1]
    assert plain.curves == held.curves


def test_the_table_of_times_is_in_milliseconds_and_says_so():
    (table,) = [one for one in compute(largest_batch=100).tables if one.name == "times"]
    line = dict(zip(table.headings, table.rows[0], strict=True))
    assert line["median (ms)"] == pytest.approx(1000 * np.quantile(SINGLE, 0.5))
    assert line["longest (ms)"] == pytest.approx(300)
    assert "median" in table.columns
