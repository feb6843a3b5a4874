"""A reader for Universal Binary JSON, as XGBoost writes it. Only the checks use it; XGBoost reads the file itself.

References
----------
The specification, draft 12 (https://ubjson.org), with strongly typed arrays.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np

from modelops.errors import RefusedFile

MAX_DEPTH = 60
_NUMBERS: Final = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_CONSTANTS: Final = {"Z": None, "N": None, "T": True, "F": False}


def loads(content: bytes) -> Any:
    """Return the value; typed arrays as numpy arrays.

    Raises
    ------
    RefusedFile
        If the content is not UBJSON, is cut off, or is nested deeper than `MAX_DEPTH`.
    """
    reader = _Reader(content)
    try:
        return reader.value(reader.marker(), depth=0)
    except (struct.error, UnicodeDecodeError, KeyError) as error:
        raise RefusedFile("This XGBoost file is damaged: it is not valid UBJSON. Export it again.") from error


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def marker(self) -> str:
        return chr(self._take(1)[0])

    def value(self, marker: str, *, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise RefusedFile(f"This XGBoost file is nested deeper than {MAX_DEPTH} levels, which no model is.")
        if marker in _NUMBERS:
            return self._number(marker)
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker == "S":
            return self._text()
        if marker == "C":
            return self.marker()
        if marker == "[":
            return self._array(depth)
        if marker == "{":
            return self._object(depth)
        raise KeyError(marker)

    def _take(self, size: int) -> bytes:
        if size < 0 or size > len(self._content) - self._position:
            raise RefusedFile("This XGBoost file is cut off. Upload it again.")
        self._position += size
        return self._content[self._position - size : self._position]

    def _number(self, marker: str) -> Any:
        kind = np.dtype(_NUMBERS[marker])
        return np.frombuffer(self._take(kind.itemsize), kind)[0].item()

    def _length(self) -> int:
        length = self._number(self.marker())
        if not isinstance(length, int) or length < 0:
            raise KeyError(length)
        return length

    def _text(self) -> str:
        return self._take(self._length()).decode()

    def _head(self) -> tuple[str | None, int | None]:
        """Return the type and the number of the elements, where they are announced."""
        kind, count = None, None
        if self._peek() == "$":
            self.marker()
            kind = self.marker()
        if self._peek() == "#":
            self.marker()
            count = self._length()
        if kind is not None and count is None:
            raise KeyError(kind)
        return kind, count

    def _peek(self) -> str:
        if self._position >= len(self._content):
            raise RefusedFile("This XGBoost file is cut off. Upload it again.")
        return chr(self._content[self._position])

    def _array(self, depth: int) -> Any:
        kind, count = self._head()
        if kind in _NUMBERS and count is not None:
            dtype = np.dtype(_NUMBERS[kind])
            return np.frombuffer(self._take(count * dtype.itemsize), dtype).astype(dtype.newbyteorder("="))
        items: list[Any] = []
        while count is None or len(items) < count:
            marker = kind or self.marker()
            if count is None and marker == "]":
                break
            if kind in _CONSTANTS:
                raise KeyError(kind)  # an array of nothings would grow without reading
            items.append(self.value(marker, depth=depth + 1))
        return items

    def _object(self, depth: int) -> dict[str, Any]:
        kind, count = self._head()
        found: dict[str, Any] = {}
        read = 0
        while count is None or read < count:
            if count is None and self._peek() == "}":
                self.marker()
                break
            key = self._text()
            found[key] = self.value(kind or self.marker(), depth=depth + 1)
            read += 1
        return found
