"""Frames: what sandboxed processes and their parent say to each other.

A frame is the length of its header (8 bytes, little-endian), the header (a JSON object in UTF-8), and then the raw
content of its buffers one after the other. The header names type and shape of each buffer, so the number of bytes that
follow is known, and checked, before anything is read::

    length | {"kind": "scores", "buffers": [{"type": "float64", "shape": [1000, 2]}]} | 16,000 bytes

There are no other types than 64-bit numbers and bytes, no references and no code: a parser of some hundred lines reads
them, in Python. The parent never unpickles and never hands a child's bytes to a parser written in C++.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from modelops.errors import WorkerFailed

if TYPE_CHECKING:
    import numpy as np

MAX_HEADER = 1 << 20
MAX_DEPTH = 20
_LARGEST = 10**30  # far below where a float ends
MAX_BUFFERS = 64
MAX_FRAME = 512 << 20
_ITEM_BYTES: Final = {"float64": 8, "int64": 8, "uint8": 1}
_TYPE_OF = {"<f8": "float64", "<i8": "int64", "|u1": "uint8"}
_PIECE = 1 << 20

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


class BadFrame(WorkerFailed):
    """What arrived is not a frame."""


class EndOfStream(WorkerFailed):
    """The other side closed the connection between two frames."""


@dataclass(frozen=True)
class Frame:
    """One message: a JSON header with a ``kind``, and arrays."""

    header: dict[str, Json]
    buffers: tuple[np.ndarray, ...] = ()

    @property
    def kind(self) -> str:
        """What the message is, empty if it does not say."""
        kind = self.header.get("kind", "")
        return kind if isinstance(kind, str) else ""

    def text(self, name: str, default: str = "") -> str:
        """Return a text of the header, or ``default`` when it is missing.

        Raises
        ------
        BadFrame
            If it is there and not text.
        """
        value = self.header.get(name, default)
        if not isinstance(value, str):
            raise BadFrame(f"Got {type(value).__name__} as {name!r} in a message, expected text.")
        return value

    def content(self, index: int = 0) -> bytes:
        """Return a buffer of type uint8 as bytes.

        Raises
        ------
        BadFrame
            If there is no such buffer.
        """
        if index >= len(self.buffers) or self.buffers[index].dtype.itemsize != 1:
            raise BadFrame(f"Expected bytes as buffer {index} of the message {self.kind!r}.")
        return self.buffers[index].tobytes()


def write_frame(
    write: Callable[[bytes | memoryview], object], header: dict[str, Json], buffers: Iterable[object]
) -> None:
    """Write one frame.

    Parameters
    ----------
    write : callable
        Takes bytes and writes all of them.
    header : dict
        JSON content without ``buffers``.
    buffers : iterable of ndarray or bytes
        float64, int64 or uint8 (or bool, sent as uint8); bytes travel as uint8.

    Raises
    ------
    WorkerFailed
        If the frame is larger than a frame may be.
    """
    import numpy as np

    arrays = [
        _sendable(np.frombuffer(item, np.uint8) if isinstance(item, bytes) else np.asarray(item)) for item in buffers
    ]
    described: list[Json] = [{"type": _TYPE_OF[array.dtype.str], "shape": list(array.shape)} for array in arrays]
    encoded = json.dumps({**header, "buffers": described}, allow_nan=False, separators=(",", ":")).encode()
    size = sum(array.nbytes for array in arrays)
    if len(encoded) > MAX_HEADER or len(arrays) > MAX_BUFFERS or size > MAX_FRAME:
        raise WorkerFailed(
            f"A message of {len(encoded):,} bytes of text and {size:,} bytes of numbers is larger than {MAX_HEADER:,} "
            f"and {MAX_FRAME:,}. Fewer rows or columns are needed."
        )
    write(len(encoded).to_bytes(8, "little") + encoded)
    for array in arrays:
        if array.nbytes:
            write(array.reshape(-1).view(np.uint8).data)


def _sendable(array: np.ndarray) -> np.ndarray:
    import numpy as np

    if array.dtype == np.bool_:
        array = array.view(np.uint8)
    wanted = {"f": "<f8", "i": "<i8", "u": "|u1"}.get(array.dtype.kind, "")
    if wanted not in _TYPE_OF or (array.dtype.kind == "u" and array.dtype.itemsize != 1):
        raise TypeError(f"an array of {array.dtype} cannot be sent, only float64, int64 and uint8")
    return array.astype(wanted, order="C", copy=False)


def read_frame(read: Callable[[memoryview], int], *, max_bytes: int = MAX_FRAME) -> Frame:
    """Read one frame from a source that may be hostile.

    Parameters
    ----------
    read : callable
        Fills a part of the memory view that it gets and returns how much; 0 at the end.
    max_bytes : int
        What the buffers of the frame may hold together.

    Raises
    ------
    EndOfStream
        If there is nothing more.
    BadFrame
        If a length, the header or a buffer's declaration is not what a frame has, or the content is cut off.
    """
    length = int.from_bytes(_read_exactly(read, 8, at_start=True), "little")
    if length > MAX_HEADER:
        raise BadFrame(f"A message announced a header of {length:,} bytes, the limit is {MAX_HEADER:,}.")
    header = parse_header(bytes(_read_exactly(read, length)))
    declared = _declared(header.pop("buffers", []))
    total = sum(_ITEM_BYTES[kind] * math.prod(shape) for kind, shape in declared)
    if total > max_bytes:
        raise BadFrame(f"A message announced {total:,} bytes, the limit is {max_bytes:,}.")
    return Frame(header, tuple(_read_array(read, kind, shape) for kind, shape in declared))


def parse_header(content: bytes) -> dict[str, Json]:
    """Parse the JSON object of a header: no NaN or infinity, no key twice, no deep nesting, no half characters.

    Raises
    ------
    BadFrame
        If it is anything else.

    Examples
    --------
    >>> parse_header(b'{"kind": "ready"}')
    {'kind': 'ready'}
    """
    try:
        value = json.loads(
            content.decode(),
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_bounded,
            object_pairs_hook=_no_key_twice,
        )
    except (ValueError, RecursionError) as error:
        raise BadFrame("A message is not valid JSON.") from error
    if not isinstance(value, dict):
        raise BadFrame("A message's header is not an object.")
    _check_depth(value)
    return value


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number beyond the range of 64-bit floats")
    return value


def _bounded(text: str) -> int:
    value = int(text)
    if abs(value) > _LARGEST:
        raise ValueError("a whole number that nothing here counts")
    return value


def _no_key_twice(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key twice")
    return value


def _check_depth(value: Json) -> None:
    waiting: list[tuple[Json, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise BadFrame(f"A message's header is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(item, dict):
            waiting += [(part, depth + 1) for part in (*item.keys(), *item.values())]
        elif isinstance(item, list):
            waiting += [(part, depth + 1) for part in item]
        elif isinstance(item, str) and not item.isascii():
            _check_text(item)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadFrame("A message's header holds half of a character.") from error


def _declared(value: Json) -> list[tuple[str, tuple[int, ...]]]:
    if not isinstance(value, list) or len(value) > MAX_BUFFERS:
        raise BadFrame(f"A message must declare its buffers as a list of at most {MAX_BUFFERS}.")
    declared = []
    for item in value:
        if not isinstance(item, dict) or set(item) != {"type", "shape"}:
            raise BadFrame("A message must declare type and shape of each buffer, and nothing else.")
        kind, shape = item["type"], item["shape"]
        if not isinstance(kind, str) or kind not in _ITEM_BYTES or not isinstance(shape, list) or len(shape) > 3:
            raise BadFrame("A message declared a buffer of an unknown type or shape.")
        sizes = [size for size in shape if type(size) is int and 0 <= size <= MAX_FRAME]
        if len(sizes) != len(shape):
            raise BadFrame("A message declared a buffer with an impossible size.")
        declared.append((kind, tuple(sizes)))
    return declared


def _read_array(read: Callable[[memoryview], int], kind: str, shape: tuple[int, ...]) -> np.ndarray:
    import numpy as np

    content = _read_exactly(read, _ITEM_BYTES[kind] * math.prod(shape))
    return np.frombuffer(content, dtype=np.dtype(kind).newbyteorder("<")).reshape(shape)


def _read_exactly(read: Callable[[memoryview], int], size: int, *, at_start: bool = False) -> bytearray:
    # Memory grows with what has really arrived, not with what was announced.
    content = bytearray(min(size, _PIECE))
    filled = 0
    while filled < size:
        if filled == len(content):
            content.extend(bytes(min(size - filled, filled)))
        with memoryview(content) as whole, whole[filled:] as rest:
            got = read(rest)
        if got == 0:
            if at_start and filled == 0:
                raise EndOfStream("The other side has closed the connection.")
            raise BadFrame("A message is cut off.")
        filled += got
    return content


class Stream:
    """One end of a two-way connection over a pair of pipes.

    Parameters
    ----------
    source, sink : BinaryIO
        Unbuffered streams.
    """

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source = source
        self._sink = sink

    def send(self, header: dict[str, Json], buffers: Iterable[object] = ()) -> None:
        """Send one frame; see `write_frame`.

        Raises
        ------
        EndOfStream
            If nobody listens any more.
        """
        try:
            write_frame(self._write, header, buffers)
        except (BrokenPipeError, ValueError) as error:
            if isinstance(error, ValueError) and not self._sink.closed:
                raise
            raise EndOfStream("The other side has closed the connection.") from error

    def receive(self) -> Frame:
        """Wait for the next frame; see `read_frame`."""
        return read_frame(self._read)

    def close(self) -> None:
        """Close both directions."""
        self._sink.close()
        self._source.close()

    def _write(self, content: bytes | memoryview) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[self._sink.write(rest) :]

    def _read(self, into: memoryview) -> int:
        got = self._source.readinto(into)  # type: ignore[attr-defined]
        return int(got or 0)
