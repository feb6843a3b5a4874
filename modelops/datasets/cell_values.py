"""Columns from single values, as JSON lines and workbooks give them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

import pyarrow as pa

from modelops.datasets.names import shown
from modelops.datasets.table import TEXT, TIME
from modelops.datasets.text_values import Meaning, converted
from modelops.errors import RefusedFile

Cell = bool | int | float | str | date | time | timedelta | None

_LARGEST = 2**63 - 1
_EXACT_IN_FLOAT = 2**53


class CellColumn:
    """One column, fed with single values; numbers beside text make it text, and it says so."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._values: list[Cell] = []
        self._kinds: set[type] = set()

    def __len__(self) -> int:
        return len(self._values)

    def add(self, value: Cell) -> None:
        """Append one value; ``None`` is missing."""
        if isinstance(value, float) and value != value:  # noqa: PLR0124 - only NaN differs from itself
            value = None
        if value is not None:
            self._kinds.add(type(value))
        self._values.append(value)

    def pad(self, length: int) -> None:
        """Append missing values up to ``length``."""
        self._values.extend([None] * (length - len(self._values)))

    def finished(self) -> tuple[pa.ChunkedArray, str | None]:
        """Return the column, and a note where values of several kinds became text."""
        array = self._array()
        note = None
        if array.type == TEXT and self._kinds - {str}:
            note = f"Column {shown(self.name)} holds {self._mixture()}: read as text."
        return pa.chunked_array([array]), note

    def _array(self) -> pa.Array:
        kinds = self._kinds
        if not kinds:
            return pa.nulls(len(self._values), pa.float64())
        if kinds == {bool}:
            return pa.array(self._values, pa.bool_())
        if kinds <= {int, float}:
            numbers = self._numbers()
            if numbers is not None:
                return numbers
        if kinds <= {date, datetime}:
            return pa.array([_moment(value) for value in self._values], TIME)
        if kinds == {timedelta}:
            return pa.array([None if v is None else v.total_seconds() for v in self._values], pa.float64())  # type: ignore[union-attr]
        return self._text()

    def _numbers(self) -> pa.Array | None:
        whole = [value for value in self._values if isinstance(value, int)]
        largest = max((abs(value) for value in whole), default=0)
        if self._kinds == {int}:
            return pa.array(self._values, pa.int64()) if largest <= _LARGEST else None
        return pa.array(self._values, pa.float64()) if largest <= _EXACT_IN_FLOAT else None

    def _text(self) -> pa.Array:
        try:
            texts = pa.array([None if value is None else _spelled(value) for value in self._values], pa.string())
        except UnicodeEncodeError as error:
            raise RefusedFile(
                f"Column {shown(self.name)} holds text that is not valid Unicode (a lone surrogate)."
            ) from error
        if self._kinds == {str}:
            for meaning in (Meaning.ISO, Meaning.ISO_ZONED):
                times = converted(texts, meaning)
                if times is not None and times.null_count == texts.null_count:
                    return times
        return texts.dictionary_encode().cast(TEXT)

    def _mixture(self) -> str:
        words = {bool: "true or false", int: "numbers", float: "numbers", str: "text", time: "times of day"}
        named = sorted({words.get(kind, "dates") for kind in self._kinds})
        return " and ".join(named) if len(named) > 1 else f"{named[0]} that do not fit 64 bits"


def finished_columns(columns: Iterable[CellColumn]) -> tuple[dict[str, pa.ChunkedArray], tuple[str, ...]]:
    """Return the Arrow columns and the notes of all ``columns``."""
    done = {column.name: column.finished() for column in columns}
    return {name: array for name, (array, _) in done.items()}, tuple(note for _, note in done.values() if note)


def _moment(value: Cell) -> datetime | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return datetime(value.year, value.month, value.day) if isinstance(value, date) else None  # noqa: DTZ001 - no zone


def _spelled(value: Cell) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT_IN_FLOAT:
        return str(int(value))
    return value.isoformat() if isinstance(value, date | time) else str(value)
