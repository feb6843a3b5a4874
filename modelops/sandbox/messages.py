"""Text from hostile places, made fit to show: one line, no control characters, no paths of this machine."""

from __future__ import annotations

import re
import unicodedata

MAX_NAME = 150
MAX_MESSAGE = 600

_PATHS = re.compile(r"(?<![\w.])(?:[A-Za-z]:\\|\\\\|/)[^\s'\":,;()<>]*[/\\][^\s'\":,;()<>]*")


def one_line(text: str, *, limit: int = MAX_MESSAGE) -> str:
    r"""Return ``text`` in NFC, on one line, without control, formatting and bidirectional characters, cut at ``limit``.

    Examples
    --------
    >>> one_line("a\n\tb\u202ec")
    'a bc'
    """
    normal = unicodedata.normalize("NFC", text[: 4 * limit].encode(errors="replace").decode())
    spaced = "".join(" " if char.isspace() else char for char in normal)
    plain = "".join(char for char in spaced if unicodedata.category(char)[0] != "C")
    line = " ".join(plain.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def shown_name(name: str) -> str:
    r"""Return a file's name for messages: the last part of what a browser sent as name, never used as a path.

    Examples
    --------
    >>> shown_name("../../etc/pass\x00wd")
    'passwd'
    >>> shown_name("/")
    'the file'
    """
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    return one_line(last, limit=MAX_NAME) or "the file"


def without_paths(text: str, *, limit: int = MAX_MESSAGE) -> str:
    r"""Return one line of a library's error text: what follows the first line is its stack, and paths are left out.

    Examples
    --------
    >>> without_paths("cannot open /srv/app/data/x.bin: no such file\nStack trace: ...")
    'cannot open (path) no such file'
    """
    first = next((line for line in text.splitlines() if line.strip()), "")
    return one_line(_PATHS.sub("(path)", first), limit=limit).replace("(path):", "(path)")


def size_text(size: float) -> str:
    """Return a number of bytes for people.

    Examples
    --------
    >>> size_text(2 << 30)
    '2.0 GiB'
    """
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.1f} {unit}" if unit != "bytes" else f"{size:.0f} bytes"
        size /= 1024
    raise AssertionError
