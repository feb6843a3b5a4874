"""Finds out what a CSV column means while its pieces arrive."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from modelops.datasets.names import shown
from modelops.datasets.table import TEXT
from modelops.datasets.text_values import Meaning, arrow_type, converted, meanings, without_spelled_missing


class TextColumn:
    """One column of a CSV file, fed with pieces of text.

    A piece that does not fit what the earlier pieces meant makes the column ``failed``: it has to be read again from
    the start, with fewer meanings to try. Each reading removes at least one, so that it ends.
    """

    def __init__(self, name: str, *, decimal_comma: bool) -> None:
        self.name = name
        self.failed = False
        self.note: str | None = None
        self._open = meanings(decimal_comma=decimal_comma)
        self._pieces: list[pa.Array | int] = []
        self._converted = 0
        self._real = False

    @property
    def meaning(self) -> Meaning:
        """What all values so far mean."""
        return self._open[0]

    def restart(self) -> None:
        """Forget the pieces, keep what the column cannot mean."""
        self.failed = False
        self._pieces = []
        self._converted = 0
        self._real = False

    def add(self, texts: pa.Array) -> int:
        """Take the next piece and return how many bytes are held for it."""
        if texts.null_count == len(texts):
            self._pieces.append(len(texts))
            return 0
        values = converted(texts, self.meaning)
        while values is None:
            self._open.pop(0)
            self.failed = self.failed or self._converted > 0
            values = converted(texts, self.meaning)
        self._converted += 1
        self._real = self._real or values.null_count < len(values)
        self._check_month_first(texts)
        if self.failed:
            self._pieces.clear()
            return 0
        self._pieces.append(values)
        return int(values.nbytes)

    def end(self) -> None:
        """Decide what only the whole column can tell; may set ``failed``."""
        if self.failed:
            return
        if self.meaning is Meaning.DAY_SLASH and Meaning.MONTH_SLASH in self._open:
            self._stay_text("day and month cannot be told apart (write dates as year-month-day)")
        elif self._converted and not self._real:
            # Nothing but spellings of "missing": a column of answers such as "None", not of numbers.
            self._open = [Meaning.TEXT]
            self.failed = True

    def finished(self) -> pa.ChunkedArray:
        """Return the column."""
        if not self._converted:
            return pa.chunked_array([pa.nulls(n, pa.float64()) for n in self._lengths()], type=pa.float64())
        kind = arrow_type(self.meaning)
        chunks = [pa.nulls(piece, kind) if isinstance(piece, int) else piece for piece in self._pieces]
        column = pa.chunked_array(chunks, type=kind)
        return column.unify_dictionaries() if kind == TEXT else column

    def _lengths(self) -> list[int]:
        return [piece if isinstance(piece, int) else len(piece) for piece in self._pieces]

    def _check_month_first(self, texts: pa.Array) -> None:
        """While a column reads as day/month/year, keep in mind whether month/day/year would read as well."""
        both = self.meaning is Meaning.DAY_SLASH and Meaning.MONTH_SLASH in self._open
        if both and converted(texts, Meaning.MONTH_SLASH) is None:
            self._open.remove(Meaning.MONTH_SLASH)

    def _stay_text(self, why: str) -> None:
        self._open = [Meaning.TEXT]
        self.failed = True
        self.note = f"Column {shown(self.name)} stays text: {why}."


def spells_missing(column: pa.ChunkedArray) -> tuple[str, ...]:
    """Return the values of a text column that look like a spelling of "missing"; they are kept as values."""
    if column.type != TEXT or not column.num_chunks:
        return ()
    values = column.chunk(0).dictionary
    cleaned = without_spelled_missing(values)
    return tuple(sorted(values.filter(pc.and_(pc.is_null(cleaned), pc.is_valid(values))).to_pylist()))
