"""CSV: encodings, separators, values that must not be damaged, and what is refused."""

# ruff: noqa: DTZ001 - the times of a table have no zone
import gzip
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from modelops.datasets.limits import TableLimits
from modelops.datasets.opening import open_table
from modelops.datasets.table import TEXT, MemoryTable, Table
from modelops.errors import InvalidInput, RefusedFile, TooLarge


@pytest.fixture
def opened(tmp_path: Path):
    """Write content to a file and open it as CSV."""

    def open_content(content: str | bytes, **limits: int) -> Table:
        path = tmp_path / "table"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return open_table(path, "csv", limits=TableLimits(**limits))

    return open_content


def values(table: Table, name: str) -> list:
    return table.column(name).to_pylist()


TEXT_WITH_ACCENTS = "name,value\ncafé,1\nÖl,2\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_every_usual_encoding_gives_the_same_text(opened, encoding):
    table = opened(TEXT_WITH_ACCENTS.encode(encoding))
    assert table.names == ("name", "value")
    assert values(table, "name") == ["café", "Öl"]


def test_an_encoding_other_than_utf8_is_announced(opened):
    assert any("Windows-1252" in note for note in opened(TEXT_WITH_ACCENTS.encode("cp1252")).notes)
    assert any("UTF-16" in note for note in opened(TEXT_WITH_ACCENTS.encode("utf-16")).notes)
    assert opened(TEXT_WITH_ACCENTS).notes == ()


def test_bytes_that_windows_1252_does_not_have_are_read_as_latin_1(opened):
    table = opened(b"name,value\ncaf\xe9\x81,1\n")
    assert values(table, "name") == ["caf\xe9\x81"]
    assert any("Latin-1" in note for note in table.notes)


def test_utf32_is_refused_with_what_to_do(opened):
    with pytest.raises(RefusedFile, match="UTF-8"):
        opened("a,b\n1,2\n".encode("utf-32"))


def test_a_false_utf8_mark_is_refused(opened):
    with pytest.raises(RefusedFile, match="claims to be UTF-8"):
        opened(b"\xef\xbb\xbfa,b\n\xff,1\n")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(opened, separator):
    table = opened(f"a{separator}b\nx{separator}1\ny{separator}2\n")
    assert values(table, "b") == [1, 2]


def test_the_separator_that_excel_announces_is_followed(opened):
    assert values(opened("sep=;\na;b\n1,5;2\n"), "a") == [1.5]


def test_single_quotes_are_found(opened):
    table = opened("a,b\n'x, y','1'\n'z','2'\n")
    assert values(table, "a") == ["x, y", "z"]


def test_quoted_values_may_hold_separators_quotes_and_line_ends(opened):
    assert values(opened('a,b\n"x,1","say ""hi"""\n"l\nm",2\n'), "a") == ["x,1", "l\nm"]


def test_a_file_of_one_column_needs_no_separator(opened):
    assert values(opened("a\n1\n2\n"), "a") == [1, 2]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_read(opened, end):
    assert values(opened(end.join(["a,b", "1,2", "3,4", ""])), "b") == [2, 4]


def test_leading_zeros_stay(opened):
    table = opened("code,n\n01234,1\n98765,2\n")
    assert table.column("code").type == TEXT
    assert values(table, "code") == ["01234", "98765"]


def test_whole_numbers_beyond_a_float_stay_exact(opened):
    assert values(opened(f"n\n{2**53 + 1}\n1\n"), "n") == [2**53 + 1, 1]


def test_whole_numbers_beyond_64_bits_stay_text(opened):
    assert values(opened(f"n\n{2**64}\n1\n"), "n") == [str(2**64), "1"]


def test_long_digits_beside_decimals_stay_text(opened):
    assert values(opened(f"n\n{2**53 + 1}\n1.5\n"), "n") == [str(2**53 + 1), "1.5"]


@pytest.mark.parametrize("odd", ["0x1F", "1_000", "+-1", "1e", "\uff11"])
def test_what_only_looks_like_a_number_stays_text(opened, odd):
    assert values(opened(f"n,m\n{odd},1\n1,1\n"), "n") == [odd, "1"]


def test_decimal_commas_are_numbers_where_commas_do_not_separate(opened):
    table = opened("a;b\n1,5;x\n-2;y\n")
    assert values(table, "a") == [1.5, -2.0]
    assert any("decimal comma" in note for note in table.notes)


def test_thousands_are_never_taken_for_decimals(opened):
    assert values(opened("a;b\n1.234,5;x\n2,5;y\n"), "a") == ["1.234,5", "2,5"]


@pytest.mark.parametrize("spelling", ["", "NA", "NaN", "null", "None", "?", "n/a"])
def test_spellings_of_missing_among_numbers_are_missing(opened, spelling):
    assert values(opened(f"a,b\n1.5,x\n{spelling},y\n"), "a") == [1.5, None]


def test_na_among_words_is_a_value_and_is_announced(opened):
    table = opened("country,n\nNA,1\nDE,2\n")
    assert values(table, "country") == ["NA", "DE"]
    assert any("'NA'" in note for note in table.notes)


def test_a_column_of_nothing_but_na_stays_text(opened):
    assert values(opened("a,b\nNA,1\nNA,2\n"), "a") == ["NA", "NA"]


def test_an_empty_column_is_a_column_of_missing_numbers(opened):
    column = opened("a,b\n,1\n,2\n").column("a")
    assert column.type == pa.float64()
    assert column.null_count == 2


def test_true_and_false_are_recognised(opened):
    assert values(opened("a,b\ntrue,1\nFalse,2\n,3\n"), "a") == [True, False, None]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-02-29", datetime(2024, 2, 29)),
        ("2024-02-29 10:30", datetime(2024, 2, 29, 10, 30)),
        ("2024-02-29T10:30:15.25", datetime(2024, 2, 29, 10, 30, 15, 250_000)),
        ("2024-02-29T10:30:00+02:00", datetime(2024, 2, 29, 8, 30)),
        ("2024-02-29T10:30:00Z", datetime(2024, 2, 29, 10, 30)),
        ("2024/2/9", datetime(2024, 2, 9)),
        ("29.02.2024", datetime(2024, 2, 29)),
        ("29/02/2024 07:05", datetime(2024, 2, 29, 7, 5)),
        ("02/29/2024", datetime(2024, 2, 29)),
    ],
)
def test_dates_are_recognised(opened, text, moment):
    assert values(opened(f"when,n\n{text},1\n"), "when") == [moment]


def test_day_and_month_are_never_guessed(opened):
    table = opened("when,n\n01/02/2024,1\n03/04/2024,2\n")
    assert table.column("when").type == TEXT
    assert any("day and month" in note for note in table.notes)


def test_a_day_that_does_not_exist_is_no_date(opened):
    assert values(opened("when,n\n31.02.2024,1\n01.02.2024,2\n"), "when") == ["31.02.2024", "01.02.2024"]


def test_a_word_in_the_last_row_makes_the_whole_column_text_undamaged(opened):
    """More rows than one piece of the parser: what was read as numbers is read again."""
    rows = [f"{i}.50" for i in range(900_000)]
    table = opened("a,b\n" + "".join(f"{row},1\n" for row in rows) + "word,1\n")
    assert values(table, "a") == [*rows, "word"]


def test_formulas_and_markup_stay_the_text_they_are(opened):
    hostile = ["=cmd|' /C calc'!A0", "<script>alert(1)</script>", "\u202egnp.exe", "@SUM(1)"]
    table = opened("a,b\n" + "".join(f'"{text}",1\n' for text in hostile))
    assert values(table, "a") == hostile


def test_gzip_is_unpacked(opened):
    assert values(opened(gzip.compress(b"a,b\n1,2\n")), "b") == [2]


def test_a_gzip_bomb_is_stopped_by_counting(opened):
    bomb = gzip.compress(b"a,b\n" + b"1,2\n" * 5_000_000)
    with pytest.raises(TooLarge, match="unpacked"):
        opened(bomb, max_bytes=1_000_000)


def test_a_gzip_bomb_of_zeros_is_binary(opened):
    with pytest.raises(RefusedFile, match="binary"):
        opened(gzip.compress(bytes(50_000_000)))


def test_a_cut_off_gzip_file_is_refused(opened):
    with pytest.raises(RefusedFile, match="cut off"):
        opened(gzip.compress(b"a,b\n" + b"1,2\n" * 1000)[:-20])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a,b\n1\x00,2\n", "NUL"),
        (b"a,b\n" + bytes(range(1, 9)) * 50, "binary"),
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"a,b\n", "no rows. Add rows under the header"),
        (b"a,b\n1,2\n3\n", "Row 3 has 1 fields where the header has 2"),
        (b"a,b\n1,2,3\n", "Row 2 has 3 fields"),
        (b"a,a\n1,2\n", "Columns 1 and 2 have the same name 'a'.* Rename one of them"),
        (b"a, a \n1,2\n", "same name"),
        (b"a,\n1,2\n", "Column 2 has no name"),
        (b",a\n1,2\n", "row index"),
        ("a\u202e,b\n1,2\n".encode(), "control characters"),
        (b"x" * 300 + b",b\n1,2\n", "300 characters"),
    ],
)
def test_what_cannot_be_read_without_guessing_is_refused(opened, content, reason):
    with pytest.raises(RefusedFile, match=reason):
        opened(content)


def test_a_hundred_thousand_columns_are_refused(opened):
    with pytest.raises(TooLarge, match="100,000 columns"):
        opened(",".join(f"c{i}" for i in range(100_000)) + "\n" + ",".join("1" * 100_000) + "\n")


def test_a_line_without_end_is_refused(opened):
    with pytest.raises(TooLarge, match="line is longer"):
        opened(b"a,b\n" + b"x" * 3_000_000 + b",1\n")


def test_a_quote_that_is_never_closed_is_refused(opened):
    with pytest.raises(InvalidInput):
        opened('a,b\n"1,2\n' + "3,4\n" * 3_000_000)


def test_rows_and_cells_are_counted_while_reading(opened):
    with pytest.raises(TooLarge, match="rows"):
        opened("a,b\n" + "1,2\n" * 1000, max_rows=999)
    with pytest.raises(TooLarge, match="cells"):
        opened("a,b\n" + "1,2\n" * 1000, max_cells_in_memory=1999)


def test_two_thousand_columns_are_accepted(opened):
    table = opened(",".join(f"c{i}" for i in range(2000)) + "\n" + ",".join("1" * 2000) + "\n")
    assert len(table.names) == 2000


def test_an_unknown_column_is_named_with_those_there_are(opened):
    with pytest.raises(InvalidInput, match=r"no column 'c'.*'a', 'b'"):
        opened("a,b\n1,2\n").column("c")


def test_batches_give_the_rows_in_order(opened):
    table = opened("a,b\n" + "".join(f"{i},{i % 3}\n" for i in range(10)))
    pieces = list(table.batches(("b", "a"), 4))
    assert [piece.num_rows for piece in pieces] == [4, 4, 2]
    assert pa.concat_tables(pieces)["a"].to_pylist() == list(range(10))


def test_a_table_in_memory_knows_its_size():
    assert MemoryTable({"a": pa.chunked_array([[1, 2]])}, form="csv", n_rows=2).n_rows == 2
