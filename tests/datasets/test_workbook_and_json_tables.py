"""XLSX and JSON lines: good files are accepted, bombs and lies refused quickly."""

# ruff: noqa: DTZ001 - the times of a table have no zone
import io
import json
import time
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from modelops.datasets.limits import DEFAULT_LIMITS, TableLimits
from modelops.datasets.opening import open_table
from modelops.datasets.table import TEXT
from modelops.errors import InvalidInput, RefusedFile, TooLarge

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def workbook(tmp_path: Path):
    """Write a workbook with these rows, with some parts of the archive replaced."""

    def write(
        rows: list[list], replaced: dict[str, bytes] | None = None, more: tuple[tuple[str, bytes], ...] = ()
    ) -> Path:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        content = io.BytesIO()
        book.save(content)
        path = tmp_path / "t.xlsx"
        with zipfile.ZipFile(content) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                new.writestr(name, (replaced or {}).get(name) or old.read(name))
            for name, extra in more:
                new.writestr(name, extra)
        return path

    return write


def sheet(body: str, *, start: str = "", dimension: str = "A1:B2") -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return (
        f'<?xml version="1.0"?>{start}<worksheet xmlns="{space}"><dimension ref="{dimension}"/>'
        f"<sheetData>{body}</sheetData></worksheet>"
    ).encode()


def test_numbers_text_dates_and_gaps_are_read(workbook):
    path = workbook([["n", "t", "d", "b"], [1, "01234", datetime(2024, 2, 29), True], [2.5, None, None, False]])
    table = open_table(path, "xlsx")
    assert table.column("n").to_pylist() == [1.0, 2.5]
    assert table.column("t").to_pylist() == ["01234", None]
    assert table.column("d").to_pylist() == [datetime(2024, 2, 29), None]
    assert table.column("b").to_pylist() == [True, False]


def test_numbers_beside_text_become_text_and_say_so(workbook):
    table = open_table(workbook([["a"], [1], ["x"]]), "xlsx")
    assert table.column("a").type == TEXT
    assert table.column("a").to_pylist() == ["1", "x"]
    assert any("numbers and text" in note for note in table.notes)


def test_formulas_are_not_computed(workbook):
    table = open_table(workbook([["a", "b"], ["=1+1", 1], ["=WEBSERVICE(A1)", 2]]), "xlsx")
    assert table.column("a").to_pylist() == [None, None]


def test_empty_rows_and_error_cells_are_missing(workbook):
    table = open_table(workbook([["a", "b"], [None, None], [1, "#DIV/0!"], [2, 3]]), "xlsx")
    assert table.column("b").to_pylist() == [None, 3]
    assert any("error" in note for note in table.notes)


def test_a_sheet_that_lies_about_its_dimension_is_read_by_its_cells(workbook):
    body = '<row r="1"><c t="inlineStr"><is><t>a</t></is></c></row><row r="2"><c><v>5</v></c></row>'
    path = workbook([["a"], [1]], {SHEET: sheet(body, dimension="A1:XFD1048576")})
    began = time.monotonic()
    assert open_table(path, "xlsx").column("a").to_pylist() == [5]
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "body",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        '<row r="1"><c r="XFD1"><v>1</v></c></row>',
    ],
)
def test_a_cell_at_the_far_end_does_not_cost_a_sheet(workbook, body):
    began = time.monotonic()
    with pytest.raises(InvalidInput):
        open_table(workbook([["a"], [1]], {SHEET: sheet(body)}), "xlsx")
    assert time.monotonic() - began < 10


def test_a_document_type_is_refused(workbook):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    with pytest.raises(RefusedFile, match="DTD"):
        open_table(workbook([["a"], [1]], {SHEET: sheet("<row><c><v>&b;</v></c></row>", start=bomb)}), "xlsx")


def test_a_document_type_in_utf16_is_refused(workbook):
    hidden = sheet("<row/>", start='<!DOCTYPE x SYSTEM "file:///etc/passwd">').decode().encode("utf-16")
    with pytest.raises(RefusedFile, match="DTD"):
        open_table(workbook([["a"], [1]], {SHEET: hidden}), "xlsx")


@pytest.mark.parametrize("name", ["../../evil.xml", "/etc/evil.xml", "xl\\..\\..\\evil.xml", "C:evil"])
def test_parts_outside_the_archive_are_refused(workbook, name):
    with pytest.raises(RefusedFile, match="outside"):
        open_table(workbook([["a"], [1]], more=((name, b"x"),)), "xlsx")


def test_a_link_is_refused(workbook):
    path = workbook([["a"], [1]])
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("xl/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(RefusedFile, match="link"):
        open_table(path, "xlsx")


def test_a_part_that_unpacks_a_thousandfold_is_refused(workbook):
    with pytest.raises(TooLarge, match="times its size"):
        open_table(workbook([["a"], [1]], more=(("xl/media/x.bin", bytes(40_000_000)),)), "xlsx")


def test_too_many_parts_are_refused(workbook):
    with pytest.raises(TooLarge, match="parts"):
        open_table(workbook([["a"], [1]], more=tuple((f"x/{i}", b"") for i in range(2001))), "xlsx")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([["a", "a"], [1, 2]], "same name"),
        ([["a", None, "b"], [1, 2, 3]], "no name"),
        ([["a"]], "no rows. Add rows under the header"),
        ([], "no cells"),
    ],
)
def test_unusable_headers_are_refused(workbook, rows, reason):
    with pytest.raises(RefusedFile, match=reason):
        open_table(workbook(rows), "xlsx")


def test_more_cells_than_columns_are_refused(workbook):
    with pytest.raises(RefusedFile, match="more cells"):
        open_table(workbook([["a"], [1, 2]]), "xlsx")


def test_rows_are_counted(workbook):
    with pytest.raises(TooLarge, match="rows"):
        open_table(workbook([["a"], *[[i] for i in range(50)]]), "xlsx", limits=TableLimits(max_rows=40))


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    (tmp_path / "t.xlsx").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(RefusedFile, match="damaged"):
        open_table(tmp_path / "t.xlsx", "xlsx")


def lines(folder: Path, *rows: object, limits: TableLimits = DEFAULT_LIMITS):
    path = folder / "t.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
    return open_table(path, "jsonl", limits=limits)


def test_json_rows_may_leave_keys_out(tmp_path):
    table = lines(tmp_path, {"a": 1, "b": "x"}, {"b": None, "c": True}, {"a": 2.5})
    assert table.names == ("a", "b", "c")
    assert table.column("a").to_pylist() == [1.0, None, 2.5]
    assert table.column("c").to_pylist() == [None, True, None]


def test_json_whole_numbers_stay_exact(tmp_path):
    assert lines(tmp_path, {"a": 2**53 + 1}).column("a").to_pylist() == [2**53 + 1]
    assert lines(tmp_path, {"a": 2**53 + 1}, {"a": 0.5}).column("a").to_pylist() == [str(2**53 + 1), "0.5"]


def test_json_dates_are_recognised_and_codes_stay_text(tmp_path):
    table = lines(tmp_path, {"d": "2024-02-29", "z": "01234"})
    assert table.column("d").to_pylist() == [datetime(2024, 2, 29)]
    assert table.column("z").to_pylist() == ["01234"]


def test_json_nan_is_missing(tmp_path):
    assert lines(tmp_path, '{"a": NaN}', '{"a": 1}').column("a").to_pylist() == [None, 1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": [1]}', "list or an object"),
        ('{"a": {"b": 1}}', "list or an object"),
        ('{"a": 1, "a": 2}', "twice"),
        ("[1, 2]", "not a JSON object"),
        ("{'a': 1}", "not JSON"),
        ('{"a": ' + "[" * 100_000, "nested"),
        ('{"a": ' + "9" * 5000 + "}", "too long"),
        ('{"a": "\\ud800"}', "Unicode"),
        ('{"": 1}', "no name"),
        ("", "empty"),
    ],
)
def test_unusable_json_lines_are_refused(tmp_path, line, reason):
    with pytest.raises(RefusedFile, match=reason):
        lines(tmp_path, line)


def test_json_columns_and_rows_are_counted(tmp_path):
    with pytest.raises(TooLarge, match="columns"):
        lines(tmp_path, {f"c{i}": 1 for i in range(11)}, limits=TableLimits(max_columns=10))
    with pytest.raises(TooLarge, match="rows"):
        lines(tmp_path, *[{"a": 1}] * 11, limits=TableLimits(max_rows=10))
