"""Tables on their way to the model process."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelops.errors import InvalidInput
from modelops.sandbox import tables
from modelops.sandbox.wire import BadFrame, Frame
from tests.sandbox import sandbox_models as made

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
COLUMNS = {
    "numbers": st.lists(st.none() | st.floats(allow_nan=False), min_size=3, max_size=3),
    "whole": st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    "texts": st.lists(st.none() | texts, min_size=3, max_size=3),
    "truths": st.lists(st.booleans(), min_size=3, max_size=3),
}
DTYPES = {"numbers": "float64", "whole": "int64", "texts": "str", "truths": "bool"}


@given(st.lists(st.sampled_from(sorted(COLUMNS)), max_size=5), st.data())
@settings(max_examples=60, deadline=None)
def test_a_table_arrives_as_it_was_sent(kinds, data):
    columns = {f"{kind} {i}": pd.Series(data.draw(COLUMNS[kind]), dtype=DTYPES[kind]) for i, kind in enumerate(kinds)}
    frame = pd.DataFrame(columns, index=range(3))
    arrived = made.through_wire(frame)
    assert list(arrived.columns) == list(frame.columns)
    for name in frame.columns:
        sent, got = frame[name], arrived[name]
        assert got.isna().tolist() == sent.isna().tolist()
        assert got.dropna().tolist() == sent.dropna().tolist()


def test_categories_of_whole_numbers_arrive_as_text():
    arrived = made.through_wire(pd.DataFrame({"a": pd.Categorical([3, 1, None])}))
    assert arrived["a"].tolist()[:2] == ["3", "1"]


def test_a_whole_number_that_is_missing_makes_the_column_one_of_decimals():
    arrived = made.through_wire(pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}))
    assert arrived["a"].dtype == np.float64
    assert arrived["a"].isna().tolist() == [False, True]


def test_a_table_without_rows_arrives():
    assert made.through_wire(pd.DataFrame({"a": [], "b": pd.Series([], dtype="str")})).shape == (0, 2)


def test_dates_are_refused():
    with pytest.raises(InvalidInput, match="a model takes numbers, true or false, and text"):
        tables.encode(pd.DataFrame({"when": pd.to_datetime(["2026-01-01"])}))


def lying(**changes):
    header, buffers = tables.encode(pd.DataFrame({"a": [1.0, 2.0], "t": pd.Categorical(["x", "y"])}))
    for name, value in changes.items():
        if name.startswith("buffer"):
            buffers[int(name[6:])] = value
        else:
            header[name] = value
    return Frame(header, tuple(buffers))


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 3},
        {"rows": -1},
        {"rows": True},
        {"columns": None},
        {"columns": [["a", "float"], ["a", "text"]]},
        {"columns": [["a", "object"], ["t", "text"]]},
        {"columns": [["a"], ["t", "text"]]},
        {"buffer0": np.zeros((1, 2), np.int64)},
        {"buffer3": np.array([[0, 2]])},
        {"buffer3": np.array([[-2, 0]])},
        {"buffer4": np.array([3])},
        {"buffer4": np.array([-1])},
        {"buffer5": np.array([2, 1])},
        {"buffer5": np.array([1, 9])},
        {"buffer6": np.frombuffer(b"xx", np.uint8)},
    ],
)
def test_a_table_whose_parts_do_not_fit_is_refused(changes):
    with pytest.raises(BadFrame):
        tables.decode(lying(**changes))
