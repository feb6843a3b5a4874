"""XLSX workbooks: streamed row by row; formulas are never computed, only their stored results are read."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from modelops.datasets.cell_values import Cell, CellColumn, finished_columns
from modelops.datasets.limits import TableFormat, TableLimits
from modelops.datasets.names import check_names, shown
from modelops.datasets.table import MemoryTable
from modelops.datasets.zip_check import check_zip
from modelops.errors import InvalidInput, RefusedFile, TooLarge

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook

_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!"})
# Rows without a cell are announced by nothing but their number; a sheet of a few bytes can name a million.
_MAX_EMPTY_ROWS = 10_000


def open_workbook(path: Path, limits: TableLimits) -> MemoryTable:
    """Read the first sheet that holds anything; its first row with a value is the header.

    Raises
    ------
    RefusedFile
        If the archive or the sheet is not what it claims to be.
    TooLarge
        If a limit is exceeded.
    """
    check_zip(path, limits)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _read(path, limits)
    except (InvalidInput, MemoryError):
        raise
    except Exception as error:  # openpyxl raises whatever its parser meets in a damaged part
        raise RefusedFile(f"The workbook is damaged ({type(error).__name__}). Save it again as XLSX or CSV.") from error


def _read(path: Path, limits: TableLimits) -> MemoryTable:
    import openpyxl

    with path.open("rb") as file:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            sheet, rows = _first_filled(book, limits)
            header = next(rows)
            names = check_names(["" if cell is None else str(cell) for cell in _trimmed(header)], limits)
            columns = [CellColumn(name) for name in names]
            n_rows, errors = _fill(columns, rows, limits)
            others = len(book.sheetnames) - 1
        finally:
            book.close()
    arrays, notes = finished_columns(columns)
    first = (f"Sheet {shown(sheet)} was read; the workbook has {others} more.",) if others else ()
    wrong = (f"{errors:,} cells with an error such as #DIV/0! were read as missing.",) if errors else ()
    return MemoryTable(arrays, form=TableFormat.XLSX, n_rows=n_rows, notes=(*first, *wrong, *notes))


def _first_filled(book: Workbook, limits: TableLimits) -> tuple[str, Iterator[tuple[Cell, ...]]]:
    for sheet in book.worksheets:
        # What a sheet says of its own size may be a lie; only its cells count.
        sheet.reset_dimensions()
        cells = cast("Iterator[tuple[Cell, ...]]", sheet.iter_rows(values_only=True))
        rows = _rows(cells, limits)
        first = next(rows, None)
        if first is not None:
            return sheet.title, _chained(first, rows)
    raise RefusedFile("The workbook holds no cells; a header row and at least one row are needed.")


def _rows(raw: Iterator[tuple[Cell, ...]], limits: TableLimits) -> Iterator[tuple[Cell, ...]]:
    """Yield the rows that hold anything."""
    empty = 0
    for row in raw:
        if len(row) > limits.max_columns and len(_trimmed(row)) > limits.max_columns:
            raise TooLarge(f"A row has {len(row):,} cells, at most {limits.max_columns:,} columns are read.")
        if any(cell is not None for cell in row):
            empty = 0
            yield row
        else:
            empty += 1
            if empty > _MAX_EMPTY_ROWS:
                raise RefusedFile(f"The sheet has more than {_MAX_EMPTY_ROWS:,} empty rows in one place. Delete them.")


def _chained(first: tuple[Cell, ...], rest: Iterator[tuple[Cell, ...]]) -> Iterator[tuple[Cell, ...]]:
    yield first
    yield from rest


def _fill(columns: list[CellColumn], rows: Iterator[tuple[Cell, ...]], limits: TableLimits) -> tuple[int, int]:
    width = len(columns)
    n_rows = errors = 0
    for row in rows:
        n_rows += 1
        if len(row) > width and len(_trimmed(row)) > width:
            raise RefusedFile(f"Row {n_rows} under the header has more cells than the {width:,} columns of the header.")
        if n_rows > limits.max_rows or n_rows * width > limits.max_cells_in_memory:
            raise TooLarge(f"The sheet has more than {n_rows - 1:,} rows x {width:,} columns. Save it as Parquet.")
        for position, column in enumerate(columns):
            cell = row[position] if position < len(row) else None
            if isinstance(cell, str) and cell in _ERRORS:
                errors += 1
                cell = None
            column.add(None if cell == "" else cell)
    if not n_rows:
        raise RefusedFile("The sheet has a header but no rows. Add rows under the header, then upload it again.")
    return n_rows, errors


def _trimmed(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
    end = len(row)
    while end and row[end - 1] is None:
        end -= 1
    return row[:end]
