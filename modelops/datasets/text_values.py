"""What a column of text in a CSV file means: numbers, dates, true or false, or text that must stay text.

A column is tried as each `Meaning` in turn, most special first, and has the first one that fits **all** of its values.
Nothing is changed in passing: ``01234`` and whole numbers too long for 64 bits stay text, ``9007199254740993`` stays a
whole number, day and month are never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from modelops.datasets.table import TEXT, TIME

ALWAYS_MISSING = ("", "nan", "NaN", "NAN", "-nan", "-NaN", "<NA>", "#N/A", "null", "NULL", "\\N")
"""What means "no value" in every column. ``NA`` and ``None`` may be a country or an answer: they only do where all
other values are numbers or dates."""

_MISSING_AMONG_NUMBERS = pa.array(
    [
        "NA",
        "N/A",
        "n/a",
        "na",
        "None",
        "none",
        "Null",
        "NaT",
        "-",
        "--",
        "?",
        ".",
        "missing",
        "#VALUE!",
        "#DIV/0!",
        "#REF!",
    ]
)
_TRUE_FALSE = pa.array(["true", "false", "True", "False", "TRUE", "FALSE"])
_TRUE = pa.array(["true", "True", "TRUE"])
# A leading zero is a code, and a whole number of 16 digits or more may not fit a float.
_CODE = r"^[+-]?(?:0[0-9]|[0-9]{16,}$)"


class Meaning(StrEnum):
    """How the text of a column is read, most special first."""

    TRUE_FALSE = "true or false"
    WHOLE = "whole numbers"
    DECIMAL = "numbers"
    DECIMAL_COMMA = "numbers with a decimal comma"
    ISO = "dates (year-month-day)"
    ISO_ZONED = "dates with a time zone"
    YEAR_SLASH = "dates (year/month/day)"
    DAY_DOT = "dates (day.month.year)"
    DAY_SLASH = "dates (day/month/year)"
    MONTH_SLASH = "dates (month/day/year)"
    TEXT = "text"


_NUMBER_START = re.compile(r"\s*[+-]?(?:[0-9.,]|inf|nan)", re.IGNORECASE)
# Looking at the first value spares the attempt to convert a whole column.
_FIRST_LOOKS: dict[Meaning, re.Pattern[str]] = {
    Meaning.TRUE_FALSE: re.compile(r"\s*[tf]", re.IGNORECASE),
    Meaning.WHOLE: re.compile(r"\s*-?[0-9]+\s*$"),
    Meaning.DECIMAL: _NUMBER_START,
    Meaning.DECIMAL_COMMA: _NUMBER_START,
    Meaning.ISO: re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    Meaning.ISO_ZONED: re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].*(?:Z|[+-][0-9:]{2,5})\s*$"),
    Meaning.YEAR_SLASH: re.compile(r"\s*[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}"),
    Meaning.DAY_DOT: re.compile(r"\s*[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}"),
    Meaning.DAY_SLASH: re.compile(r"\s*[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"),
    Meaning.MONTH_SLASH: re.compile(r"\s*[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"),
}


def meanings(*, decimal_comma: bool) -> list[Meaning]:
    """Return what a column may mean, most special first; a decimal comma only where commas do not separate columns."""
    return [meaning for meaning in Meaning if decimal_comma or meaning is not Meaning.DECIMAL_COMMA]


def arrow_type(meaning: Meaning) -> pa.DataType:
    """Return the Arrow type of a column that means ``meaning``."""
    if meaning is Meaning.TRUE_FALSE:
        return pa.bool_()
    if meaning is Meaning.WHOLE:
        return pa.int64()
    if meaning in (Meaning.DECIMAL, Meaning.DECIMAL_COMMA):
        return pa.float64()
    return TEXT if meaning is Meaning.TEXT else TIME


def converted(texts: pa.Array, meaning: Meaning) -> pa.Array | None:
    """Return ``texts`` read as ``meaning``, or ``None`` if a value does not fit.

    Parameters
    ----------
    texts : Array of string
        At least one value that is not null. What is always missing is null already.

    Examples
    --------
    >>> converted(pa.array(["1", "NA", "3"]), Meaning.WHOLE).to_pylist()
    [1, None, 3]
    >>> converted(pa.array(["01234"]), Meaning.WHOLE) is None
    True
    """
    if meaning is Meaning.TEXT:
        return texts.dictionary_encode()
    convert = _CONVERT[meaning]
    if _looks(texts, meaning):
        values = convert(texts)
        if values is not None:
            return values
    cleaned = without_spelled_missing(texts)
    if cleaned.null_count == len(cleaned):
        return pa.nulls(len(cleaned), arrow_type(meaning))
    return convert(cleaned) if _looks(cleaned, meaning) else None


def without_spelled_missing(texts: pa.Array) -> pa.Array:
    """Return ``texts`` trimmed, with null where a value spells "missing" in a way that is only clear among numbers."""
    trimmed = pc.utf8_trim_whitespace(texts)
    missing = pc.or_(pc.is_in(trimmed, value_set=_MISSING_AMONG_NUMBERS), pc.equal(trimmed, ""))
    return pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)


def _looks(texts: pa.Array, meaning: Meaning) -> bool:
    first = texts[0] if texts.null_count == 0 else texts.drop_null()[0]
    return _FIRST_LOOKS[meaning].match(first.as_py()) is not None


def _true_false(texts: pa.Array) -> pa.Array | None:
    if not _all(pc.is_in(texts, value_set=_TRUE_FALSE), texts):
        return None
    return pc.if_else(pc.is_valid(texts), pc.is_in(texts, value_set=_TRUE), pa.scalar(None, pa.bool_()))


def _whole(texts: pa.Array) -> pa.Array | None:
    numbers = _cast(texts, pa.int64())
    if numbers is None:
        return None
    # Only what is written back the same is a number: 007, 0x1F and -0 are not.
    return numbers if _all(pc.equal(numbers.cast(pa.string()), texts), texts) else None


def _decimal(texts: pa.Array) -> pa.Array | None:
    numbers = _cast(texts, pa.float64())
    if numbers is None or pc.any(pc.match_substring_regex(texts, _CODE)).as_py():
        return None
    not_numbers = pc.is_nan(numbers)
    if pc.any(not_numbers).as_py():
        return pc.if_else(not_numbers, pa.scalar(None, pa.float64()), numbers)
    return numbers


def _decimal_comma(texts: pa.Array) -> pa.Array | None:
    if pc.any(pc.match_substring(texts, ".")).as_py():
        return None
    return _decimal(pc.replace_substring(texts, ",", ".", max_replacements=1))


def _iso(texts: pa.Array) -> pa.Array | None:
    return _as_time(texts, None)


def _iso_zoned(texts: pa.Array) -> pa.Array | None:
    return _as_time(texts, "UTC")


def _as_time(texts: pa.Array, zone: str | None) -> pa.Array | None:
    times = _cast(texts, pa.timestamp("us", zone))
    if times is None:
        fine = _cast(texts, pa.timestamp("ns", zone))
        times = None if fine is None else fine.cast(pa.timestamp("us", zone), safe=False)
    return None if times is None else times.cast(TIME)


def _year_slash(texts: pa.Array) -> pa.Array | None:
    return _by_pattern(texts, r"^([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})", (1, 2, 3))


def _day_dot(texts: pa.Array) -> pa.Array | None:
    return _by_pattern(texts, r"^([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", (3, 2, 1))


def _day_slash(texts: pa.Array) -> pa.Array | None:
    return _by_pattern(texts, r"^([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", (3, 2, 1))


def _month_slash(texts: pa.Array) -> pa.Array | None:
    return _by_pattern(texts, r"^([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", (3, 1, 2))


def _by_pattern(texts: pa.Array, pattern: str, order: tuple[int, int, int]) -> pa.Array | None:
    if not _all(pc.match_substring_regex(texts, pattern), texts):
        return None
    year, month, day = (rf"\{position}" for position in order)
    iso = pc.replace_substring_regex(texts, pattern, f"{year}-{month}-{day}")
    padded = pc.replace_substring_regex(iso, r"-([0-9])\b", r"-0\1")
    return _iso(padded)


def _cast(texts: pa.Array, to: pa.DataType) -> pa.Array | None:
    try:
        return texts.cast(to)
    except pa.ArrowInvalid:
        return None


def _all(claims: pa.Array, texts: pa.Array) -> bool:
    """Whether ``claims`` holds wherever there is a text."""
    return bool(pc.all(pc.or_kleene(claims, pc.is_null(texts)), min_count=0).as_py())


_CONVERT: dict[Meaning, Callable[[pa.Array], pa.Array | None]] = {
    Meaning.TRUE_FALSE: _true_false,
    Meaning.WHOLE: _whole,
    Meaning.DECIMAL: _decimal,
    Meaning.DECIMAL_COMMA: _decimal_comma,
    Meaning.ISO: _iso,
    Meaning.ISO_ZONED: _iso_zoned,
    Meaning.YEAR_SLASH: _year_slash,
    Meaning.DAY_DOT: _day_dot,
    Meaning.DAY_SLASH: _day_slash,
    Meaning.MONTH_SLASH: _month_slash,
}
