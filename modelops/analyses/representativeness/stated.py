"""Shares of a population as people state them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from modelops.analyses.levels import OTHER
from modelops.errors import InvalidInput

_NUMBER = re.compile(r"[0-9.,eE+-]+")
_ROUNDING = 1e-6

Shares = dict[str, dict[str, float]]


def stated_shares(given: Sequence[str]) -> Shares:
    """Return the stated shares of each column; what is left of 1 belongs to the level ``(other)``.

    Raises
    ------
    InvalidInput
        If one cannot be read, is stated twice, lies outside 0 to 1, or a column adds up to more than 1.

    Examples
    --------
    >>> stated_shares(["sex: female = 0.51", "sex: male = 49 %", "region: north = 0.4"])
    {'sex': {'female': 0.51, 'male': 0.49}, 'region': {'north': 0.4, '(other)': 0.6}}
    """
    shares: Shares = {}
    for text in given:
        column, level, share = _read(text)
        levels = shares.setdefault(column, {})
        if level in levels:
            raise InvalidInput(f"The share of {level!r} in {column!r} is stated twice.")
        levels[level] = share
    for column, levels in shares.items():
        total = math.fsum(levels.values())
        if total > 1 + _ROUNDING:
            raise InvalidInput(f"The stated shares of {column!r} add up to {total:.6g}; at most 1 is possible.")
        if total < 1 - _ROUNDING:
            levels[OTHER] = round(levels.get(OTHER, 0.0) + 1 - total, 12)
    return shares


def _read(text: str) -> tuple[str, str, float]:
    named, _, written = text.rpartition("=")
    column, level = (part.strip() for part in named.partition(":")[::2])
    number = written.strip().removesuffix("%").rstrip()
    if not column or not level or not _NUMBER.fullmatch(number):
        raise InvalidInput(f"Got the share {text[:100]!r}, expected it as in 'sex: female = 0.51'.")
    try:
        share = float(number) / (100 if written.rstrip().endswith("%") else 1)
    except ValueError as error:
        raise InvalidInput(f"Got {number!r} as the share of {level!r} in {column!r}, expected a number.") from error
    if not 0 <= share <= 1:
        raise InvalidInput(f"The share of {level!r} in {column!r} is {share:g}; it must lie between 0 and 1.")
    return column, level, share
