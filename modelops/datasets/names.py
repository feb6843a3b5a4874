"""What a column may be called, and how a name or a value is quoted in a message."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from modelops.datasets.limits import TableLimits
from modelops.errors import RefusedFile, TooLarge

_SHOWN = 60
_INVISIBLE = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def shown(text: str) -> str:
    """Return ``text`` quoted and short enough for a message.

    Examples
    --------
    >>> shown("age")
    "'age'"
    """
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")


def check_names(names: Sequence[str], limits: TableLimits) -> tuple[str, ...]:
    """Return the column names of a table if they can be used.

    Raises
    ------
    TooLarge
        If there are more than ``limits.max_columns``.
    RefusedFile
        If there are none, or one is empty, doubled, too long, or holds control or direction characters.
    """
    if not names:
        raise RefusedFile("The table has no columns; a header row with column names is needed.")
    if len(names) > limits.max_columns:
        raise TooLarge(
            f"The table has {len(names):,} columns, at most {limits.max_columns:,} are read."
            " Leave out what is not needed."
        )
    seen: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        _check_name(name, position, limits)
        key = unicodedata.normalize("NFC", name.strip())
        if key in seen:
            raise RefusedFile(
                f"Columns {seen[key]} and {position} have the same name {shown(name)}; every name must be unique."
                " Rename one of them, or leave it out."
            )
        seen[key] = position
    return tuple(names)


def _check_name(name: str, position: int, limits: TableLimits) -> None:
    if not name.strip():
        hint = " (a row index? write the table without it)" if position == 1 else ""
        raise RefusedFile(f"Column {position} has no name{hint}; every column needs a name in the first row.")
    if len(name) > limits.max_name:
        raise RefusedFile(
            f"The name of column {position} has {len(name):,} characters, at most {limits.max_name} are allowed:"
            f" {shown(name)}. Is the first row really the header?"
        )
    if any((unicodedata.category(c) == "Cc" and c not in "\t\r\n") or c in _INVISIBLE for c in name):
        raise RefusedFile(f"The name of column {position} holds control characters: {shown(name)}. Rename it.")
