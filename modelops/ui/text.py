"""Text on a page: what people typed is shown as they typed it, times and digests always in the same way.

Streamlit reads Markdown in nearly every label. Whatever was typed by a person passes through `plain` before it is put
into one; longer texts are shown with `st.text`, which reads nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from modelops.domain.result import Scope

_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$^:&=\"'/@])")
# Streamlit looks for these after Markdown has been read, when an escape is no longer seen.
_SHORTCODE = re.compile(r":(?=[\w+/-]+:)")
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|www)(?=[:.])")
_APART = "\u200b"
_UNITS = ((timedelta(days=365), "year"), (timedelta(days=30), "month"), (timedelta(days=1), "day"))
_SMALL = ((timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))


def plain(text: object) -> str:
    r"""Return ``text`` so that Markdown shows it letter by letter: no links, pictures, colours, formulas or icons.

    Examples
    --------
    >>> print(plain("**[x](http)** $1"))
    \*\*\[x\]\(http\)\*\* \$1
    """
    shown = _SHORTCODE.sub(f":{_APART}", str(text))
    shown = _ADDRESS.sub(lambda found: found.group(0) + _APART, shown)
    lines = _MARKS.sub(r"\\\1", shown).split("\n")
    # Four spaces would begin a block of code, and a digit with a full stop a list.
    return "  \n".join(line.strip() for line in lines)


def utc(moment: datetime | None) -> str:
    """Return a time as it stands on every page, in UTC to the minute.

    Examples
    --------
    >>> utc(datetime(2026, 11, 23, 9, 30, 59, tzinfo=UTC))
    '2026-11-23 09:30 UTC'
    """
    return "never" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def day(when: date | None) -> str:
    """Return a date, or a dash if there is none."""
    return "-" if when is None else when.isoformat()


def ago(moment: datetime | None, at: datetime) -> str:
    """Return how long before ``at`` something was, in its largest unit.

    Examples
    --------
    >>> ago(datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 11, 30, tzinfo=UTC))
    '2 hours ago'
    """
    if moment is None:
        return "never"
    passed = at - moment
    for size, name in (*_UNITS, *_SMALL):
        if abs(passed) >= size:
            count = int(abs(passed) / size)
            words = f"{count} {name}{'s' if count > 1 else ''}"
            return f"{words} ago" if passed > timedelta(0) else f"in {words}"
    return "just now"


def short(digest: str) -> str:
    """Return the beginning of a digest, enough to tell two apart by eye.

    Examples
    --------
    >>> short("sha256:1b1de43ad6eb42be000000000000000000000000000000000000000000000000")
    '1b1de43ad6eb'
    """
    return digest.rpartition(":")[2][:12]


def size(n_bytes: int) -> str:
    """Return a size for people.

    Examples
    --------
    >>> size(1536)
    '1.5 KiB'
    """
    amount = float(n_bytes)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def scope_name(scope: Scope) -> str:
    """Return what a measurement is about.

    Examples
    --------
    >>> scope_name({"group": {"sex": "f", "age": "old"}}), scope_name({"feature": "income"}), scope_name({})
    ('sex = f, age = old', 'feature income', 'all rows')
    >>> scope_name({"score": "score"}), scope_name({"training_rows": 500})
    ('score', 'training rows 500')
    """
    parts = []
    for kind, value in scope.items():
        if isinstance(value, dict):
            parts += [f"{name} = {label}" for name, label in value.items()]
        else:
            called = kind.replace("_", " ")
            # A column that is named for what it holds says it already.
            parts.append(str(value) if str(value).startswith(called) else f"{called} {value}")
    return ", ".join(parts) or "all rows"
