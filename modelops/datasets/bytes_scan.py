"""One pass over the raw bytes of a text file before it is parsed: encoding, size, line length, binary content."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from modelops.datasets.limits import TableLimits
from modelops.errors import RefusedFile, TooLarge

_PIECE = 1 << 20
_SNIFFED = 1 << 16
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNUSED_IN_CP1252 = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")
_CONTROL = bytes(set(range(1, 32)) - {9, 10, 11, 12, 13, 27})


@dataclass(frozen=True)
class TextFile:
    """A text file that is safe to parse: its encoding (a Python codec name), and what to tell a person about it."""

    path: Path
    gzipped: bool
    encoding: str
    note: str | None
    head: str

    @property
    def compression(self) -> str | None:
        """The name of the compression for Arrow's streams."""
        return "gzip" if self.gzipped else None


def scan_text(path: Path, limits: TableLimits) -> TextFile:
    """Look at every byte of a text file, inflating it if it is gzipped, and find its encoding.

    Raises
    ------
    TooLarge
        If it inflates to more than ``limits.max_bytes`` or has a line longer than ``limits.max_line``.
    RefusedFile
        If it is empty, binary, truncated or in an encoding that is not read.
    """
    with path.open("rb") as file:
        gzipped = file.read(2) == b"\x1f\x8b"
    scan = _Scan(limits)
    for piece in _pieces(path, gzipped=gzipped):
        scan.add(piece)
    encoding, note = scan.verdict()
    head = scan.head.decode(encoding, errors="ignore").removeprefix("\ufeff")
    return TextFile(path=path, gzipped=gzipped, encoding=encoding, note=note, head=head)


def _pieces(path: Path, *, gzipped: bool) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") if gzipped else path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RefusedFile(f"The gzip file is damaged or cut off ({error}). Compress it again.") from error


class _Scan:
    def __init__(self, limits: TableLimits) -> None:
        self._limits = limits
        self._size = 0
        self._line = 0
        self._wide: str | None = None
        self._utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
        self._bom = False
        self._outside_cp1252 = False
        self.head = b""

    def add(self, piece: bytes) -> None:
        if not self._size:
            self._start(piece)
        self._size += len(piece)
        if self._size > self._limits.max_bytes:
            raise TooLarge(
                f"The file holds more than {self._limits.max_bytes:,} bytes of text (unpacked), the most that is read."
            )
        if len(self.head) <= self._limits.max_line:
            self.head += piece
        self._measure_lines(piece)
        if self._wide is None:
            self._narrow(piece)

    def verdict(self) -> tuple[str, str | None]:
        if not self._size or not self.head.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
            raise RefusedFile("The file is empty; a header row and at least one row are needed.")
        if self._wide:
            return self._wide, f"The file is encoded in {self._wide.upper()}."
        if self._utf8 is not None:
            try:
                self._utf8.decode(b"", final=True)
            except UnicodeDecodeError:
                self._utf8 = None
        if self._utf8 is not None:
            return "utf-8", None
        if self._bom:
            raise RefusedFile("The file claims to be UTF-8 (byte order mark) but is not. Save it again as UTF-8.")
        encoding, title = ("latin-1", "Latin-1") if self._outside_cp1252 else ("cp1252", "Windows-1252")
        return encoding, f"The file is not UTF-8; it was read as {title}. Check letters with accents."

    def _start(self, piece: bytes) -> None:
        bom, encoding = next(((bom, name) for bom, name in _BOMS if piece.startswith(bom)), (b"", None))
        if encoding == "utf-32":
            raise RefusedFile("The file is encoded in UTF-32. Save it as UTF-8.")
        self._bom = bool(bom)
        self._wide = encoding if encoding == "utf-16" else None if bom else _unmarked_utf16(piece[:_SNIFFED])
        if self._wide is None:
            start = piece[:_SNIFFED]
            control = len(start) - len(start.translate(None, _CONTROL))
            if control > max(2, len(start) // 1000):
                raise RefusedFile(
                    "The file is binary, not text. Save the table as CSV (UTF-8), Parquet, XLSX or JSON lines."
                )

    def _narrow(self, piece: bytes) -> None:
        if b"\x00" in piece:
            raise RefusedFile(
                "The file holds NUL bytes: it is binary or damaged. Save the table again as CSV in UTF-8."
            )
        if self._utf8 is not None:
            try:
                self._utf8.decode(piece)
            except UnicodeDecodeError:
                self._utf8 = None
        self._outside_cp1252 = self._outside_cp1252 or any(byte in piece for byte in _UNUSED_IN_CP1252)

    def _measure_lines(self, piece: bytes) -> None:
        raw = np.frombuffer(piece, dtype=np.uint8)
        ends = np.flatnonzero((raw == 10) | (raw == 13))
        if ends.size:
            longest = max(self._line + int(ends[0]), int(np.diff(ends).max(initial=0)))
            self._line = len(piece) - 1 - int(ends[-1])
        else:
            longest = self._line = self._line + len(piece)
        if max(longest, self._line) > self._limits.max_line:
            raise TooLarge(f"A line is longer than {self._limits.max_line:,} bytes; that is the most that is read.")


def _unmarked_utf16(start: bytes) -> str | None:
    """Recognise UTF-16 without a byte order mark by where its zero bytes are."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    half = max(1, len(start) // 2)
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None
