"""Just enough of the Protocol Buffers wire format to look into a message without a schema or a library.

A message is a row of fields: a number, a type, and a value that is a varint, 8 bytes, 4 bytes, or a length and bytes
(text, a nested message, or packed numbers). Everything here is bounded by the input and never copies a tensor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from modelops.errors import RefusedFile

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Malformed(RefusedFile):
    """The bytes are not a Protocol Buffers message."""


class _Seekable(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, /) -> int: ...


_NOTHING = memoryview(b"")


@dataclass(frozen=True)
class Field:
    """One field: ``number`` is the varint or fixed value, ``content`` the bytes of a field with a length."""

    key: int
    kind: int
    number: int = 0
    content: memoryview = _NOTHING

    def text(self) -> str:
        """Return the content as text; wrong UTF-8 becomes question marks."""
        return bytes(self.content).decode(errors="replace")

    def signed(self) -> int:
        """Return the number as int64."""
        return self.number - (1 << 64) if self.number >= 1 << 63 else self.number


def fields(message: memoryview) -> Iterator[Field]:
    """Yield the fields of a message in order.

    Raises
    ------
    Malformed
        If a field is of no known type or is cut off.
    """
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        key, kind = tag >> 3, tag & 7
        if key == 0:
            raise Malformed("The file is damaged: a field has the number 0.")
        if kind == VARINT:
            value, position = _varint(message, position)
            yield Field(key, kind, number=value)
        elif kind in (FIXED64, FIXED32):
            end = position + (8 if kind == FIXED64 else 4)
            if end > len(message):
                raise Malformed("The file is cut off.")
            yield Field(key, kind, number=int.from_bytes(message[position:end], "little"))
            position = end
        elif kind == BYTES:
            length, position = _varint(message, position)
            if length > len(message) - position:
                raise Malformed("The file is cut off.")
            yield Field(key, kind, content=message[position : position + length])
            position += length
        else:
            raise Malformed("The file is damaged: a field has an unknown type.")


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            raise Malformed("The file is cut off.")
        byte = message[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & ((1 << 64) - 1), position
    raise Malformed("The file is damaged: a number is too long.")


def varints(field: Field) -> Iterator[int]:
    """Yield the int64 values of a repeated field, packed or not."""
    if field.kind == VARINT:
        yield field.signed()
        return
    position = 0
    while position < len(field.content):
        value, position = _varint(field.content, position)
        yield value - (1 << 64) if value >= 1 << 63 else value


def outline(file: _Seekable, size: int, *, most: int = 200_000) -> list[tuple[int, int, int]]:
    """Return key, type and length of each top-level field, reading only the tags and skipping the rest.

    Raises
    ------
    Malformed
        If this is not a message that ends exactly at ``size``, or has more than ``most`` fields.
    """
    found: list[tuple[int, int, int]] = []
    position = 0
    while position < size:
        file.seek(position)
        head = memoryview(file.read(20))
        tag, used = _varint(head, 0)
        kind = tag & 7
        length = 0
        if kind == VARINT:
            _, used = _varint(head, used)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        elif kind == BYTES:
            length, used = _varint(head, used)
        if kind not in (VARINT, FIXED64, BYTES, FIXED32) or tag >> 3 == 0:
            raise Malformed("The file is damaged: a field has an unknown type.")
        found.append((tag >> 3, kind, length))
        position += used + length
        if position > size:
            raise Malformed("The file is cut off.")
        if len(found) > most:
            raise Malformed(f"The file has more than {most:,} top-level fields.")
    return found
