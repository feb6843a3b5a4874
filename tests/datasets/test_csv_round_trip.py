"""What pandas and Arrow write comes back as it was."""

import csv
import io
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelops.datasets.opening import open_table
from modelops.datasets.text_values import ALWAYS_MISSING, Meaning, converted

SHARED_FOLDER = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufeff\x85\u2028\u2029"),
    max_size=12,
).filter(lambda text: text not in ALWAYS_MISSING)


def round_trip(folder: Path, columns: dict[str, list], separator: str) -> dict[str, list]:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    (folder / "t.csv").write_text(text.getvalue(), newline="", encoding="utf-8")
    table = open_table(folder / "t.csv", "csv")
    return {name: table.column(name).to_pylist() for name in table.names}


@SHARED_FOLDER
@given(
    numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8),
    separator=st.sampled_from(",;\t|"),
)
def test_floats_come_back_bit_for_bit(tmp_path, numbers, separator):
    back = round_trip(tmp_path, {"word": ["x"] * len(numbers), "n": numbers}, separator)["n"]
    assert [float(value) for value in back] == numbers


@SHARED_FOLDER
@given(numbers=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8), separator=st.sampled_from(",;\t|"))
def test_whole_numbers_come_back_exactly(tmp_path, numbers, separator):
    assert round_trip(tmp_path, {"word": ["x"] * len(numbers), "n": numbers}, separator)["n"] == numbers


@SHARED_FOLDER
@given(words=st.lists(WORDS, min_size=1, max_size=8), separator=st.sampled_from(",;\t|"))
def test_text_comes_back_exactly(tmp_path, words, separator):
    """A word at the end that is nothing but itself keeps the column text."""
    kept = [*words, "word"]
    back = round_trip(tmp_path, {"w": kept, "n": list(range(len(kept)))}, separator)["w"]
    assert back == kept


@given(
    texts=st.lists(st.text(st.sampled_from("0123456789.,-+eE/: TZ"), min_size=1, max_size=12), min_size=1, max_size=4)
)
@settings(deadline=None)
def test_a_value_read_as_a_whole_number_is_written_the_same(texts):
    numbers = converted(pa.array(texts), Meaning.WHOLE)
    if numbers is not None:
        assert all(v is None or str(v) == t.strip() for v, t in zip(numbers.to_pylist(), texts, strict=True))


@pytest.mark.parametrize("writer", ["pandas", "arrow"])
def test_files_of_common_writers_are_accepted(tmp_path, writer):
    import pandas as pd
    import pyarrow.csv as pacsv

    frame = pd.DataFrame({"a": [1, None, 3], "b": ["x", "y, z", None], "c": [0.1, 0.2, None], "d": [True, False, True]})
    path = tmp_path / "t.csv"
    if writer == "pandas":
        frame.to_csv(path, index=False)
    else:
        pacsv.write_csv(pa.Table.from_pandas(frame), path)
    table = open_table(path, "csv")
    assert table.column("b").to_pylist() == ["x", "y, z", None]
    assert table.column("c").to_pylist() == [0.1, 0.2, None]
    assert table.column("d").to_pylist() == [True, False, True]
