"""Tables of numbers as people read them: a few digits, thousands apart; they are sorted by what they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelops.charts.arrangement import number
from modelops.domain.judging import SMALLEST_P

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

# Styling costs time for each cell, and pandas refuses to style more than a quarter of a million.
_MOST_CELLS = 40_000
_PROBABILITY = re.compile(r"\b(adjusted )?p(-value)?$|^(adjusted )?p( of .*)?$|p_value$|^by chance$")
# Whole numbers that name something: a thousands separator would make a quantity of them.
_NAMES = frozenset({"row", "rank", "seed", "leaf", "set", "case", "id", "year", "step"})


def is_p_value(name: str) -> bool:
    """Return whether the name of a column or a metric is one of a p-value.

    Examples
    --------
    >>> [is_p_value(name) for name in ("adjusted p", "label_issue_p_value", "adjusted p of missing", "map", "rows")]
    [True, True, True, False, False]
    """
    return bool(_PROBABILITY.search(name))


def p_words(value: object) -> str:
    """Return a p-value; below one in ten thousand, how far below says nothing more.

    Examples
    --------
    >>> p_words(0.01234), p_words(3.4e-18)
    ('0.01234', '< 0.0001')
    """
    p = float(str(value))
    return f"< {SMALLEST_P:g}" if 0 <= p < SMALLEST_P else number(p)


def _number_words(value: object) -> str:
    return number(float(str(value)))


def legible(rows: pd.DataFrame, *, p_rows: list[int] | None = None) -> pd.DataFrame | Styler:
    """Return a table whose numbers are shown with four digits that count and thousands apart, and sort as numbers.

    ``p_rows`` are the places of rows that hold p-values in every column; otherwise the name of a column says so.
    """
    import pandas as pd

    if rows.size == 0 or rows.size > _MOST_CELLS:
        return rows
    rows = rows.copy()
    shown = rows.style
    for name in rows.columns:
        kind = rows[name].dtype.kind
        if kind == "f":
            shown = shown.format(p_words if is_p_value(str(name)) else _number_words, subset=[name], na_rep="")
        elif kind == "O" and any(isinstance(value, float) for value in rows[name]):
            there = rows[name].notna()
            rows.loc[there, name] = [number(v) if isinstance(v, float) else v for v in rows.loc[there, name]]
            shown = shown.format(subset=[name], na_rep="")
        elif kind in "iu" and str(name).casefold() not in _NAMES:
            shown = shown.format("{:,}", subset=[name])
    if p_rows:
        floats = [name for name in rows.columns if rows[name].dtype.kind == "f"]
        shown = shown.format(p_words, subset=pd.IndexSlice[rows.index[p_rows], floats], na_rep="")
    return shown
