"""One opened table, read a column at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

import pyarrow as pa

from modelops.datasets.limits import TableFormat
from modelops.datasets.names import shown
from modelops.domain.columns import ValueKind
from modelops.errors import InvalidInput

TEXT = pa.dictionary(pa.int32(), pa.string())
TIME = pa.timestamp("us")


class Table(ABC):
    """A table; structurally an ``analyses.base.Source``.

    Whatever the file held, a column has one of five Arrow types: ``bool``, ``int64``, ``float64``,
    ``timestamp[us]`` (no zone: UTC where the file named one) or ``dictionary<int32, string>``.

    ``format`` is how the file was written, ``notes`` is what a person has to know about how it was read.
    """

    def __init__(self, *, form: TableFormat, names: tuple[str, ...], n_rows: int, notes: tuple[str, ...]) -> None:
        self.format = form
        self.notes = notes
        self._names = names
        self._n_rows = n_rows
        self._known = frozenset(names)

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self._n_rows

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in the order of the file."""
        return self._names

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column; text columns are dictionary-encoded. May be called from several threads at once.

        Raises
        ------
        InvalidInput
            If there is no such column, or the file is damaged there.
        """
        self.check(name)
        return self._read(name)

    def check(self, name: str) -> None:
        """Raise InvalidInput if there is no column ``name``."""
        if name not in self._known:
            listed = ", ".join(shown(known) for known in self._names[:12])
            more = f" and {len(self._names) - 12} more" if len(self._names) > 12 else ""
            raise InvalidInput(f"There is no column {shown(name)}; the table has {listed}{more}.")

    @abstractmethod
    def batches(self, names: tuple[str, ...], size: int) -> Iterator[pa.Table]:
        """Yield the columns ``names`` for at most ``size`` rows at a time, in the order of the rows."""

    @abstractmethod
    def _read(self, name: str) -> pa.ChunkedArray: ...


class MemoryTable(Table):
    """A table whose columns are held in memory."""

    def __init__(
        self,
        columns: Mapping[str, pa.ChunkedArray],
        *,
        form: TableFormat,
        n_rows: int,
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(form=form, names=tuple(columns), n_rows=n_rows, notes=notes)
        self._columns = dict(columns)

    def batches(self, names: tuple[str, ...], size: int) -> Iterator[pa.Table]:
        """Yield the columns ``names`` for at most ``size`` rows at a time."""
        columns = [self.column(name) for name in names]
        for start in range(0, self.n_rows, size):
            yield pa.table([column.slice(start, size) for column in columns], names=list(names))

    def _read(self, name: str) -> pa.ChunkedArray:
        return self._columns[name]


def value_kind(column: pa.ChunkedArray) -> ValueKind:
    """Return what the values of ``column`` are."""
    if pa.types.is_dictionary(column.type):
        return ValueKind.TEXT
    if pa.types.is_boolean(column.type):
        return ValueKind.TRUE_FALSE
    if pa.types.is_timestamp(column.type):
        return ValueKind.TIME
    return ValueKind.WHOLE_NUMBER if pa.types.is_integer(column.type) else ValueKind.NUMBER
