"""What is known of one column: kind, missing, distinct values. Roles, task and summary all judge by these."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from modelops.datasets.table import Table, value_kind
from modelops.domain.columns import ValueKind

_FEW = 100


@dataclass(frozen=True)
class ColumnFacts:
    """One column, looked at once.

    ``distinct`` counts values that are not missing. ``minimum`` and ``maximum`` are numbers (0 and 1 for true or false)
    and ``None`` for text, times and empty columns. ``levels`` are the distinct values as labels (1.0 is ``"1"``) where
    there are at most a hundred; ``all_whole`` says that every number is whole, ``has_spaces`` that some text has
    several words.
    """

    name: str
    kind: ValueKind
    n_rows: int
    missing: int
    distinct: int
    minimum: float | None
    maximum: float | None
    levels: frozenset[str] | None
    all_whole: bool
    has_spaces: bool

    @property
    def present(self) -> int:
        """How many values are not missing."""
        return self.n_rows - self.missing

    @property
    def unique_share(self) -> float:
        """The distinct values as a share of those that are not missing; 0 for an empty column."""
        return self.distinct / self.present if self.present else 0.0

    @property
    def is_number(self) -> bool:
        """Whether the values are whole or decimal numbers."""
        return self.kind in (ValueKind.WHOLE_NUMBER, ValueKind.NUMBER)


def clean_column(table: Table, name: str) -> pa.ChunkedArray:
    """Read one column; a stored NaN is missing, whatever the file thought."""
    column = table.column(name)
    if value_kind(column) is not ValueKind.NUMBER:
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)


def column_facts(name: str, column: pa.ChunkedArray) -> ColumnFacts:
    """Return what is known of a column that was read by `clean_column`; the column itself is not kept."""
    kind = value_kind(column)
    low = high = None
    if kind not in (ValueKind.TEXT, ValueKind.TIME):
        extremes = pc.min_max(column).as_py()
        low, high = (None if value is None else float(value) for value in (extremes["min"], extremes["max"]))
    distinct = _count_distinct(column)
    texts = distinct_values(column) if kind is ValueKind.TEXT else pa.array([], pa.string())
    return ColumnFacts(
        name=name,
        kind=kind,
        n_rows=len(column),
        missing=column.null_count,
        distinct=distinct,
        minimum=low,
        maximum=high,
        levels=_levels(column) if distinct <= _FEW else None,
        all_whole=_all_whole(column, kind),
        has_spaces=bool(pc.any(pc.match_substring(texts, " ")).as_py()),
    )


def label(value: object) -> str:
    """Return a value as the label of a class: a whole float without its decimal point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def distinct_values(column: pa.ChunkedArray) -> pa.Array:
    """Return the distinct values of ``column`` that are not missing, decoded."""
    if pa.types.is_dictionary(column.type):
        used = column.unify_dictionaries()
        if not used.num_chunks:
            return pa.array([], pa.string())
        codes = pc.unique(pa.chunked_array([chunk.indices for chunk in used.chunks])).drop_null()
        return used.chunk(0).dictionary.take(codes)
    return pc.unique(column).drop_null()


def _count_distinct(column: pa.ChunkedArray) -> int:
    if pa.types.is_dictionary(column.type):
        return len(distinct_values(column))
    return int(pc.count_distinct(column, mode="only_valid").as_py())


def _levels(column: pa.ChunkedArray) -> frozenset[str]:
    return frozenset(label(value) for value in distinct_values(column).to_pylist())


def _all_whole(column: pa.ChunkedArray, kind: ValueKind) -> bool:
    if kind is ValueKind.NUMBER:
        return bool(pc.all(pc.equal(pc.floor(column), column), min_count=0).as_py())
    return kind is ValueKind.WHOLE_NUMBER
