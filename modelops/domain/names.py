"""Names and texts that people type: what may stand in them, so that they can be printed and never mislead."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from modelops.errors import InvalidInput

LONGEST = 150
LONGEST_TEXT = 20_000
# Control characters, formats (bidirectional marks, zero-width), surrogates, private use, line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def printable(text: str) -> str:
    r"""Return ``text`` composed (NFC), without characters that do not show, and with single spaces.

    Examples
    --------
    >>> printable("Credit\u202e  model\n")
    'Credit model'
    """
    spaced = "".join(" " if character.isspace() else character for character in unicodedata.normalize("NFC", text))
    shown = "".join(character for character in spaced if unicodedata.category(character) not in _HIDDEN)
    return " ".join(shown.split())


def listed(names: Sequence[str]) -> str:
    """Return names in one phrase, the last after *and*.

    Examples
    --------
    >>> listed(["income"]), listed(["income", "age", "debt"])
    ('income', 'income, age and debt')
    """
    *front, last = names
    return f"{', '.join(front)} and {last}" if front else last


def clean_name(text: str, *, what: str, longest: int = LONGEST) -> str:
    """Return the `printable` form of a name.

    Raises
    ------
    InvalidInput
        If nothing is left, or it is longer than ``longest``; ``what`` names the field for people.
    """
    name = printable(text)
    if not name:
        raise InvalidInput(f"{what} is empty. Type at least one letter.")
    if len(name) > longest:
        raise InvalidInput(f"{what} has {len(name)} characters; at most {longest} are possible. Shorten it.")
    return name


def clean_text(text: str, *, what: str, required: bool = False, longest: int = LONGEST_TEXT) -> str:
    """Return text of several lines, composed (NFC), without characters that do not show but line breaks and tabs.

    Raises
    ------
    InvalidInput
        If it is longer than ``longest`` characters, or empty although ``required``.
    """
    normal = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    cleaned = "".join(c for c in normal if c in "\n\t" or unicodedata.category(c) not in _HIDDEN).strip()
    if required and not cleaned:
        raise InvalidInput(f"{what} is empty. It is needed here.")
    if len(cleaned) > longest:
        raise InvalidInput(f"{what} has {len(cleaned):,} characters; at most {longest:,} are possible. Shorten it.")
    return cleaned
