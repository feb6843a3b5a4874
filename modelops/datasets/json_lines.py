"""JSON lines: one object for each row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pyarrow as pa

from modelops.datasets.bytes_scan import TextFile, scan_text
from modelops.datasets.cell_values import CellColumn, finished_columns
from modelops.datasets.limits import TableFormat, TableLimits
from modelops.datasets.names import check_names, shown
from modelops.datasets.table import MemoryTable
from modelops.errors import RefusedFile, TooLarge


def open_json_lines(path: Path, limits: TableLimits) -> MemoryTable:
    """Read a file with one JSON object on each line; columns come in the order in which they first appear.

    Raises
    ------
    RefusedFile
        If a line is no flat object, or names a key twice.
    TooLarge
        If a limit is exceeded.
    """
    text = scan_text(path, limits)
    columns: dict[str, CellColumn] = {}
    n_rows = 0
    for number, line in _lines(text):
        for name, value in _row(number, line):
            column = columns.get(name)
            if column is None:
                column = columns[name] = CellColumn(name)
                if len(columns) > limits.max_columns:
                    raise TooLarge(
                        f"The table has more than {limits.max_columns:,} columns; leave out what is not needed."
                    )
                column.pad(n_rows)
            column.add(value)
        n_rows += 1
        for column in columns.values():
            if len(column) < n_rows:
                column.pad(n_rows)
        _check_size(n_rows, len(columns), limits)
    if not n_rows:
        raise RefusedFile("The file has no rows; one JSON object on each line is needed.")
    check_names(tuple(columns), limits)
    arrays, notes = finished_columns(columns.values())
    first = (text.note,) if text.note else ()
    return MemoryTable(arrays, form=TableFormat.JSONL, n_rows=n_rows, notes=(*first, *notes))


def _lines(text: TextFile) -> Iterator[tuple[int, str]]:
    with pa.input_stream(str(text.path), compression=text.compression) as stream, _reader(stream, text) as reader:
        for number, line in enumerate(reader, start=1):
            stripped = line.strip().removeprefix("\ufeff")
            if stripped:
                yield number, stripped


def _reader(stream: pa.NativeFile, text: TextFile) -> TextIO:
    import io

    return io.TextIOWrapper(stream, encoding=text.encoding, newline="\n")


def _row(number: int, line: str) -> list[tuple[str, bool | int | float | str | None]]:
    try:
        row = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        raise RefusedFile(f"Line {number} is not JSON ({error.msg} at character {error.colno}).") from error
    except (RecursionError, ValueError) as error:
        raise RefusedFile(f"Line {number} cannot be read as JSON (nested too deeply, or a number too long).") from error
    if not isinstance(row, _Pairs):
        raise RefusedFile(
            f"Line {number} is not a JSON object; one object with the columns as keys is needed on each line."
        )
    if len({name for name, _ in row}) < len(row):
        raise RefusedFile(f"Line {number} names a key twice.")
    for name, value in row:
        if isinstance(value, list):
            raise RefusedFile(
                f"Line {number}: {shown(name)} holds a list or an object; only numbers, text, true/false and null are"
                " read. Write one key for each value."
            )
    return row


class _Pairs(list[tuple[str, bool | int | float | str | None]]):
    """An object as the pairs that were written, so that a doubled key is seen."""


_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs)


def _check_size(n_rows: int, n_columns: int, limits: TableLimits) -> None:
    if n_rows > limits.max_rows or n_rows * n_columns > limits.max_cells_in_memory:
        raise TooLarge(
            f"The table has more than {n_rows:,} rows x {n_columns:,} columns; the most for JSON lines is"
            f" {limits.max_rows:,} rows and {limits.max_cells_in_memory:,} cells. Save it as Parquet."
        )
