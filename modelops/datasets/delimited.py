"""CSV files: parsed in pieces by Arrow as text, then given types without damaging a value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from modelops.datasets.bytes_scan import TextFile, scan_text
from modelops.datasets.dialect import Dialect, sniff
from modelops.datasets.limits import TableFormat, TableLimits
from modelops.datasets.names import check_names, shown
from modelops.datasets.table import MemoryTable
from modelops.datasets.text_column import TextColumn, spells_missing
from modelops.datasets.text_values import ALWAYS_MISSING, Meaning
from modelops.errors import RefusedFile, TooLarge

_BLOCK = 4 << 20
_THREADS = 2
_LISTED = 5
_RAGGED = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")


def open_csv(path: Path, limits: TableLimits) -> MemoryTable:
    """Read a CSV file, gzipped or not.

    Raises
    ------
    RefusedFile
        If it is binary, ragged, has doubled or empty column names, or no rows.
    TooLarge
        If a limit is exceeded.
    """
    text = scan_text(path, limits)
    dialect = sniff(text.head)
    names = check_names(dialect.header, limits)
    reader = _Reader(text, dialect, names, limits)
    columns = {name: TextColumn(name, decimal_comma=dialect.separator != ",") for name in names}
    pending = list(names)
    while pending:
        reader.read({name: columns[name] for name in pending})
        pending = [name for name in pending if columns[name].failed]
        for name in pending:
            columns[name].restart()
    if not reader.n_rows:
        raise RefusedFile("The file has a header but no rows. Add rows under the header, then upload it again.")
    table = {name: column.finished() for name, column in columns.items()}
    notes = (*([text.note] if text.note else ()), *dialect.notes, *_notes(columns, table))
    return MemoryTable(table, form=TableFormat.CSV, n_rows=reader.n_rows, notes=notes)


class _Reader:
    """Reads chosen columns of one file as text, piece by piece."""

    def __init__(self, text: TextFile, dialect: Dialect, names: tuple[str, ...], limits: TableLimits) -> None:
        self._text = text
        self._dialect = dialect
        self._names = names
        self._limits = limits
        self.n_rows = 0

    def read(self, columns: dict[str, TextColumn]) -> None:
        """Feed every column with its pieces."""
        self.n_rows = 0
        held = 0
        with ThreadPoolExecutor(_THREADS) as pool:
            for batch in self._batches(tuple(columns)):
                self.n_rows += batch.num_rows
                self._check_size(held)
                work = [(columns[name], batch.column(name)) for name in columns]
                held += sum(pool.map(_feed, work))
        for column in columns.values():
            column.end()

    def _batches(self, names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        try:
            with pa.input_stream(str(self._text.path), compression=self._text.compression) as stream:
                reader = pacsv.open_csv(
                    stream,
                    read_options=pacsv.ReadOptions(
                        block_size=max(_BLOCK, 2 * self._limits.max_line),
                        encoding="utf8" if self._text.encoding == "utf-8" else self._text.encoding,
                        skip_rows=self._dialect.skipped,
                        use_threads=False,
                    ),
                    parse_options=pacsv.ParseOptions(
                        delimiter=self._dialect.separator, quote_char=self._dialect.quote, newlines_in_values=True
                    ),
                    convert_options=pacsv.ConvertOptions(
                        column_types=dict.fromkeys(self._names, pa.string()),
                        include_columns=list(names),
                        null_values=list(ALWAYS_MISSING),
                        strings_can_be_null=True,
                    ),
                )
                yield from reader
        except pa.ArrowInvalid as error:
            raise _explained(str(error)) from error
        except pa.ArrowKeyError as error:
            raise RefusedFile("The header row cannot be read: it is quoted in an unusual way.") from error

    def _check_size(self, held: int) -> None:
        cells = self.n_rows * len(self._names)
        if self.n_rows > self._limits.max_rows or cells > self._limits.max_cells_in_memory:
            raise TooLarge(
                f"The table has more than {self.n_rows:,} rows x {len(self._names):,} columns; the most for CSV is"
                f" {self._limits.max_rows:,} rows and {self._limits.max_cells_in_memory:,} cells. Save it as Parquet."
            )
        if held > self._limits.max_memory:
            raise TooLarge(
                f"The table needs more than {self._limits.max_memory:,} bytes of memory. Save it as Parquet, which is"
                " read one column at a time."
            )


def _feed(work: tuple[TextColumn, pa.Array]) -> int:
    column, texts = work
    return column.add(texts)


def _explained(message: str) -> RefusedFile | TooLarge:
    ragged = _RAGGED.search(message)
    if ragged:
        row, wanted, got = ragged.groups()
        where = f"Row {row}" if row else "A row"
        return RefusedFile(
            f"{where} has {got} fields where the header has {wanted}. Repair it; quote values that hold the separator."
        )
    if "straddling" in message or "block size" in message.lower():
        return TooLarge("A row is too long to read; is a quotation mark left open?")
    return RefusedFile(f"The file cannot be read as CSV: {message.splitlines()[0][:200]}.")


def _notes(columns: dict[str, TextColumn], table: dict[str, pa.ChunkedArray]) -> Iterator[str]:
    comma = [name for name, column in columns.items() if column.meaning is Meaning.DECIMAL_COMMA]
    if comma:
        yield f"Numbers with a decimal comma: {_listed(comma)}."
    yield from (column.note for column in columns.values() if column.note)
    for name, column in table.items():
        spelled = spells_missing(column)
        if spelled:
            values = ", ".join(map(shown, spelled))
            yield f"Column {shown(name)} holds {values}: kept as values (leave a cell empty where one is missing)."


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(shown(name) for name in names[:_LISTED]) + more
