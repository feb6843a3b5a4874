"""Parquet: judged by metadata, read a column at a time."""

# ruff: noqa: DTZ001 - the times of a table have no zone
import resource
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelops.datasets.limits import DEFAULT_LIMITS, TableLimits
from modelops.datasets.opening import open_table
from modelops.datasets.table import TEXT, TIME
from modelops.errors import InvalidInput, RefusedFile, TooLarge


@pytest.fixture
def opened(tmp_path: Path):
    def write_and_open(table: pa.Table, *, limits: TableLimits = DEFAULT_LIMITS, **options):
        pq.write_table(table, tmp_path / "t.parquet", **options)
        return open_table(tmp_path / "t.parquet", "parquet", limits=limits)

    return write_and_open


@pytest.mark.parametrize(
    ("array", "kind", "values"),
    [
        (pa.array([1, None], pa.int8()), pa.int64(), [1, None]),
        (pa.array([2**53 + 1], pa.int64()), pa.int64(), [2**53 + 1]),
        (pa.array([7], pa.uint64()), pa.int64(), [7]),
        (pa.array([2**64 - 1], pa.uint64()), TEXT, [str(2**64 - 1)]),
        (pa.array([1.5, None], pa.float32()), pa.float64(), [1.5, None]),
        (pa.array(["a", None, "a"]), TEXT, ["a", None, "a"]),
        (pa.array(["a"], pa.large_string()), TEXT, ["a"]),
        (pa.array([b"caf\xc3\xa9"]), TEXT, ["café"]),
        (pa.array(["a", "b"]).dictionary_encode(), TEXT, ["a", "b"]),
        (pa.array([True, None]), pa.bool_(), [True, None]),
        (pa.array([date(2024, 2, 29)]), TIME, [datetime(2024, 2, 29)]),
        (pa.array([datetime(2024, 2, 29, 10)], pa.timestamp("ns")), TIME, [datetime(2024, 2, 29, 10)]),
        (
            pa.array([datetime(2024, 2, 29, 10, tzinfo=UTC)], pa.timestamp("ms", "Europe/Berlin")),
            TIME,
            [datetime(2024, 2, 29, 10)],
        ),
        (pa.array([Decimal("1.25")], pa.decimal128(10, 2)), pa.float64(), [1.25]),
        (
            pa.array([Decimal(123456789012345678901234567890)], pa.decimal128(38, 0)),
            TEXT,
            ["123456789012345678901234567890"],
        ),
        (pa.nulls(2), pa.float64(), [None, None]),
    ],
)
def test_every_plain_type_becomes_one_of_five(opened, array, kind, values):
    column = opened(pa.table({"a": array})).column("a")
    assert column.type == kind
    assert column.to_pylist() == values


@pytest.mark.parametrize(
    "array",
    [
        pa.array([[1, 2]]),
        pa.array([{"x": 1}]),
        pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        pa.array([[1.0, 2.0]], pa.list_(pa.float64(), 2)),
    ],
)
def test_nested_columns_are_refused(opened, array):
    with pytest.raises(RefusedFile, match="'a' holds"):
        opened(pa.table({"a": array}))


@pytest.mark.parametrize(
    "array",
    [
        pa.array([2**62], pa.timestamp("us")),
        pa.array([2**40], pa.timestamp("s")),
        pa.array([-(2**40)], pa.timestamp("s")),
        pa.array([2**30], pa.date32()),
    ],
)
def test_times_outside_of_the_calendar_are_refused(opened, array):
    table = opened(pa.table({"a": array}))
    with pytest.raises(RefusedFile, match=r"outside of the years 1 to 9999|out of bounds"):
        table.column("a")


def test_durations_become_text_or_numbers_without_an_error(opened):
    assert len(opened(pa.table({"a": pa.array([timedelta(seconds=90)])})).column("a")) == 1


def test_the_row_index_of_pandas_is_left_out(tmp_path):
    pd.DataFrame({"a": [1, 2]}, index=["x", "y"]).to_parquet(tmp_path / "t.parquet")
    table = open_table(tmp_path / "t.parquet", "parquet")
    assert table.names == ("a",)
    assert any("row index" in note for note in table.notes)


def test_fifty_million_rows_in_a_small_file_are_refused_unread(opened):
    many = pa.table({"a": pa.array(np.zeros(25_000_000, dtype=np.int8))})
    with pytest.raises(TooLarge, match="25,000,000 rows"):
        opened(many)


def test_a_million_times_a_megabyte_of_text_is_refused_or_stays_small(opened):
    """A dictionary makes a terabyte of text a few kilobytes; a long value is refused without unfolding it."""
    long = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_000_000, dtype=np.int32)), pa.array(["x" * 2_000_000]))
    table = opened(pa.table({"a": long}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TooLarge, match="2,000,000 bytes"):
        table.column("a")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_unpacked_size_is_judged_by_metadata(opened):
    with pytest.raises(TooLarge, match="unpacked"):
        opened(pa.table({"a": np.arange(1000)}), limits=TableLimits(max_bytes=100))


def test_too_many_columns_are_refused(opened):
    with pytest.raises(TooLarge, match="3 columns"):
        opened(pa.table({"a": [1], "b": [1], "c": [1]}), limits=TableLimits(max_columns=2))


def test_doubled_names_are_refused(opened):
    with pytest.raises(RefusedFile, match="same name"):
        opened(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]))


def test_a_table_without_rows_is_refused(opened):
    with pytest.raises(RefusedFile, match=r"no rows\. Add rows"):
        opened(pa.table({"a": pa.array([], pa.int64())}))


@pytest.mark.parametrize("cut", [4, 100, -1])
def test_a_damaged_file_is_refused(tmp_path, cut):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": np.arange(1000)}), path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(RefusedFile, match="cannot be opened"):
        open_table(path, "parquet")


def test_flipped_bytes_are_refused_or_change_nothing_else(tmp_path):
    """Every outcome but an error of ours or a table of the announced length is a defect."""
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": np.arange(2000), "b": ["x", "y"] * 1000}), path)
    whole = path.read_bytes()
    for position in range(4, len(whole) - 8, 211):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            table = open_table(path, "parquet")
            lengths = {len(table.column(name)) for name in table.names}
        except InvalidInput:
            continue
        assert lengths == {table.n_rows}


def test_threads_read_columns_at_the_same_time(opened):
    frame = {f"c{i}": np.full(50_000, i) for i in range(8)}
    table = opened(pa.table(frame))
    sums: dict[str, int] = {}
    threads = [
        threading.Thread(target=lambda name=name: sums.update({name: int(table.column(name).to_numpy().sum())}))
        for name in frame
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == {f"c{i}": i * 50_000 for i in range(8)}


def test_one_column_of_many_is_all_that_is_in_memory(opened):
    """Forty columns of 8 MB each: reading them in turn must not add up."""
    rng = np.random.default_rng(0)
    table = opened(pa.table({f"c{i}": rng.random(1_000_000) for i in range(40)}), use_dictionary=False)
    before = pa.total_allocated_bytes()
    highest = 0
    for name in table.names:
        column = table.column(name)
        highest = max(highest, pa.total_allocated_bytes() - before)
        del column
    assert highest < 3 * 8_000_000


def test_batches_come_in_the_order_of_the_rows(opened):
    table = opened(pa.table({"a": np.arange(1000), "b": ["x"] * 1000}), row_group_size=300)
    pieces = list(table.batches(("b", "a"), 128))
    assert pa.concat_tables(pieces)["a"].to_pylist() == list(range(1000))
    assert max(piece.num_rows for piece in pieces) <= 128
    assert pieces[0].column_names == ["b", "a"]
