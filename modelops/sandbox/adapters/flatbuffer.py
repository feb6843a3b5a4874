"""Just enough of FlatBuffers to look into a message of a known schema; each offset is checked before it is followed."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from modelops.errors import RefusedFile


class Table:
    """One table of a message: its fields by their number in the schema."""

    def __init__(self, content: bytes, position: int) -> None:
        self._content = content
        self._position = position
        vtable = position - self._unpack("<i", position)
        self._vtable = vtable
        self._fields = (self._unpack("<H", vtable) - 4) // 2

    @classmethod
    def root(cls, content: bytes) -> Table:
        """Return the outermost table."""
        if len(content) < 8:
            raise RefusedFile("The file is cut off. Upload it again.")
        return cls(content, struct.unpack_from("<I", content, 0)[0])

    def integer(self, field: int, default: int) -> int:
        """Return a 32-bit number."""
        place = self._place(field)
        return default if place is None else self._unpack("<i", place)

    def table(self, field: int) -> Table | None:
        """Return a nested table."""
        place = self._place(field)
        return None if place is None else Table(self._content, place + self._unpack("<I", place))

    def tables(self, field: int) -> Iterator[Table]:
        """Yield the tables of a list."""
        start, count = self._vector(field, 4)
        for index in range(count):
            place = start + 4 * index
            yield Table(self._content, place + self._unpack("<I", place))

    def count(self, field: int) -> int:
        """Return the length of a list."""
        return self._vector(field, 1)[1]

    def array(self, field: int, dtype: str) -> np.ndarray:
        """Return a list of numbers."""
        kind = np.dtype(dtype)
        start, count = self._vector(field, kind.itemsize)
        return np.frombuffer(self._content, kind, count, start) if count else np.zeros(0, kind)

    def _place(self, field: int) -> int | None:
        if field >= self._fields:
            return None
        offset = self._unpack("<H", self._vtable + 4 + 2 * field)
        return self._position + offset if offset else None

    def _vector(self, field: int, item: int) -> tuple[int, int]:
        place = self._place(field)
        if place is None:
            return 0, 0
        start = place + self._unpack("<I", place)
        count = self._unpack("<I", start)
        if count * item > len(self._content) - start - 4:
            raise RefusedFile("The file is damaged: a list is longer than the file. Export it again.")
        return start + 4, count

    def _unpack(self, kind: str, position: int) -> int:
        if not 0 <= position <= len(self._content) - struct.calcsize(kind):
            raise RefusedFile("The file is damaged: it points outside itself. Export it again.")
        return int(struct.unpack_from(kind, self._content, position)[0])
