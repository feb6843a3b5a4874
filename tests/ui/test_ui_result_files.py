"""What a person takes away: tables that no spreadsheet runs, with every number in them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops.ui.safe_csv import safe_csv

CELLS = st.one_of(st.text(max_size=20), st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.none())


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd", "-cmd|x", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x"]
)
def test_what_a_spreadsheet_would_run_stands_behind_an_apostrophe(text):
    assert read(safe_csv([text], [[text]])) == [[f"'{text}"], [f"'{text}"]]


@pytest.mark.parametrize("value", [-0.5, "-0.5", "+3", "-1e-17", 7, "1.", "-.5"])
def test_plain_numbers_stay_numbers(value):
    assert read(safe_csv(["x"], [[value]]))[1] == [str(value)]


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=5))
def test_every_cell_can_be_read_again(rows):
    found = read(safe_csv(["a", "b", "c"], rows))[1:]
    assert len(found) == len(rows)
    for line, row in zip(found, rows, strict=True):
        for shown, value in zip(line, row, strict=True):
            text = "" if value is None else str(value)
            assert shown in {text, f"'{text}"}
