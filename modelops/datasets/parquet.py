"""Parquet files: judged by their metadata first, then read one column at a time from the mapped file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelops.datasets.limits import TableFormat, TableLimits
from modelops.datasets.names import check_names, shown
from modelops.datasets.table import TEXT, TIME, Table
from modelops.errors import RefusedFile, TooLarge

_PANDAS_INDEX = "__index_level_0__"
_THRIFT_STRING = 64 << 20
_THRIFT_CONTAINER = 4_000_000
_FIRST_MOMENT, _LAST_MOMENT = -62_135_596_800_000_000, 253_402_300_799_999_999  # of the years 1 and 9999


def open_parquet(path: Path, limits: TableLimits) -> ParquetTable:
    """Open a Parquet file without reading its rows.

    Raises
    ------
    RefusedFile
        If it is damaged, encrypted, has nested columns, or doubled or empty column names, or no rows.
    TooLarge
        If its metadata announces more rows, columns, cells or bytes than the limits allow.
    """
    file = _opened(path, ())
    metadata = file.metadata
    _check_size(metadata, limits)
    schema = file.schema_arrow
    names = check_names(schema.names, limits)
    for field in schema:
        _check_type(field)
    kept = tuple(name for name in names if name != _PANDAS_INDEX)
    if not kept:
        raise RefusedFile("The table has no columns beside the row index.")
    notes = ("The row index that pandas stored was left out.",) if len(kept) < len(names) else ()
    text = tuple(field.name for field in schema if _is_text(field.type))
    return ParquetTable(path, kept, metadata.num_rows, text=text, notes=notes, limits=limits)


class ParquetTable(Table):
    """A Parquet file. Each thread has a reader of its own; nothing is kept between two columns."""

    def __init__(
        self,
        path: Path,
        names: tuple[str, ...],
        n_rows: int,
        *,
        text: tuple[str, ...],
        notes: tuple[str, ...],
        limits: TableLimits,
    ) -> None:
        super().__init__(form=TableFormat.PARQUET, names=names, n_rows=n_rows, notes=notes)
        self._path = path
        self._text = text
        self._limits = limits
        self._local = threading.local()

    def batches(self, names: tuple[str, ...], size: int) -> Iterator[pa.Table]:
        """Yield the columns ``names`` for at most ``size`` rows at a time."""
        for name in names:
            self.check(name)
        try:
            for batch in self._file().iter_batches(batch_size=size, columns=list(names), use_threads=False):
                columns = [self._usual(name, pa.chunked_array([batch.column(name)])) for name in names]
                yield pa.table(columns, names=list(names))
        except (pa.ArrowException, OSError) as error:
            raise RefusedFile(f"The Parquet file is damaged: {_first_line(error)}.") from error

    def _read(self, name: str) -> pa.ChunkedArray:
        try:
            column = self._file().read(columns=[name], use_threads=False).column(name)
            if len(column) != self.n_rows:
                raise RefusedFile(
                    f"The Parquet file announces {self.n_rows:,} rows, but column {shown(name)} has {len(column):,}."
                )
            return self._usual(name, column)
        except (pa.ArrowException, OSError) as error:
            raise RefusedFile(f"Column {shown(name)} of the Parquet file is damaged: {_first_line(error)}.") from error

    def _file(self) -> pq.ParquetFile:
        file = getattr(self._local, "file", None)
        if file is None:
            file = self._local.file = _opened(self._path, self._text)
        return file

    def _usual(self, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return ``column`` as one of the five types of `Table`."""
        usual = _as_usual(column)
        if usual.type == TIME:
            _check_years(name, usual)
        if usual.type == TEXT:
            for chunk in usual.chunks:
                longest = pc.max(pc.binary_length(chunk.dictionary)).as_py() if len(chunk.dictionary) else 0
                if (longest or 0) > self._limits.max_value:
                    raise TooLarge(
                        f"Column {shown(name)} holds a value of {longest:,} bytes; at most {self._limits.max_value:,}."
                    )
        return usual


def _check_years(name: str, times: pa.ChunkedArray) -> None:
    first, last = (pc.min_max(times.cast(pa.int64()))[end].as_py() for end in ("min", "max"))
    if first is not None and not (first >= _FIRST_MOMENT and last <= _LAST_MOMENT):
        raise RefusedFile(
            f"Column {shown(name)} holds a time outside of the years 1 to 9999. Write such times as missing; or, where "
            "numbers are in another unit than the file says, write them in theirs."
        )


def _opened(path: Path, text: tuple[str, ...]) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(
            path,
            memory_map=True,
            read_dictionary=list(text),
            thrift_string_size_limit=_THRIFT_STRING,
            thrift_container_size_limit=_THRIFT_CONTAINER,
        )
    except (pa.ArrowException, OSError) as error:
        raise RefusedFile(f"The Parquet file cannot be opened: {_first_line(error)}. Write it again.") from error


def _check_size(metadata: pq.FileMetaData, limits: TableLimits) -> None:
    rows, columns = metadata.num_rows, metadata.num_columns
    if rows <= 0:
        raise RefusedFile("The Parquet file has no rows. Add rows, then upload it again.")
    if rows > limits.max_rows or rows * columns > limits.max_cells:
        raise TooLarge(
            f"The table has {rows:,} rows x {columns:,} columns; at most {limits.max_rows:,} rows and"
            f" {limits.max_cells:,} cells are read. Use a random sample."
        )
    if columns > limits.max_columns:
        raise TooLarge(f"The table has {columns:,} columns, at most {limits.max_columns:,} are read.")
    if metadata.num_row_groups > limits.max_row_groups:
        raise TooLarge(
            f"The Parquet file has {metadata.num_row_groups:,} row groups, at most {limits.max_row_groups:,}."
        )
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    if sum(group.num_rows for group in groups) != rows:
        raise RefusedFile("The Parquet file contradicts itself: its row groups do not add up to its rows.")
    unpacked = sum(group.column(i).total_uncompressed_size for group in groups for i in range(group.num_columns))
    if unpacked > limits.max_bytes:
        raise TooLarge(f"The table is {unpacked:,} bytes unpacked, at most {limits.max_bytes:,} are read.")


def _check_type(field: pa.Field) -> None:
    kind = _value_type(field.type)
    if pa.types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType):
        raise RefusedFile(
            f"Column {shown(field.name)} holds {field.type} values; only numbers, text, dates and true/false are read."
            " Write one plain column for each value."
        )


def _value_type(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        return _value_type(kind.storage_type)
    return _value_type(kind.value_type) if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    inner = _value_type(kind)
    return bool(
        pa.types.is_string(inner)
        or pa.types.is_large_string(inner)
        or pa.types.is_binary(inner)
        or pa.types.is_large_binary(inner)
        or pa.types.is_string_view(inner)
    )


def _as_usual(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _as_usual(column.cast(kind.storage_type))
    if pa.types.is_dictionary(kind):
        if _is_text(kind):
            return column.unify_dictionaries().cast(TEXT)
        return _as_usual(column.cast(kind.value_type))
    if kind in (pa.bool_(), pa.int64(), pa.float64(), TIME):
        return column
    return _converted(column, kind)


def _converted(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_integer(kind):
        largest = pc.max(column).as_py() if kind == pa.uint64() else 0
        return _text(column) if (largest or 0) >= 2**63 else column.cast(pa.int64())
    if pa.types.is_floating(kind) or pa.types.is_null(kind):
        return column.cast(pa.float64())
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        # A zone is dropped after its times were turned into UTC, which is how Arrow stores them.
        exact = pa.timestamp("us", getattr(kind, "tz", None))
        # Nanoseconds are cut; of larger units, what does not fit is refused.
        return column.cast(exact, safe=getattr(kind, "unit", None) != "ns").cast(pa.int64()).cast(TIME)
    if pa.types.is_decimal(kind):
        return _numbers_if_exact(column, kind)
    return _text(column)


def _numbers_if_exact(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Return decimals as numbers, or as text where a float cannot hold them, as an identifier of 30 digits."""
    numbers = column.cast(pa.float64())
    exact = kind.precision <= 15 or numbers.cast(kind, safe=False).equals(column)
    return numbers if exact else _text(column)


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()).dictionary_encode().unify_dictionaries()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200].rstrip(".")
