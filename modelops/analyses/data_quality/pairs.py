"""Columns that go together so strongly that one tells the other, on a sample of the rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelops.analyses.base import Sample
from modelops.analyses.statistics.association import associations, ordered_values
from modelops.analyses.statistics.intervals import LEVEL, Interval, normal_quantile

if TYPE_CHECKING:
    import pandas as pd

MOST_COLUMNS = 200
"""Of wider tables only the first columns are paired; the run says so."""

_MOST_LEVELS = 30


@dataclass(frozen=True)
class Pair:
    """Two columns and how strongly they go together, 0 to 1, with an interval where both have an order."""

    first: str
    second: str
    strength: float
    interval: Interval | None
    how: str


@dataclass(frozen=True)
class Pairs:
    """All pairs of ``names``; ``matrix`` has shape (n, n). ``rows`` were looked at."""

    names: tuple[str, ...]
    matrix: np.ndarray
    found: tuple[Pair, ...]
    rows: int


def pairs(sample: Sample, names: Sequence[str], positions: np.ndarray, *, at_least: float) -> Pairs:
    """Return the pairs of columns with a strength of ``at_least``, the strongest first.

    Two ordered columns: absolute rank correlation. Levels: Cramer's V corrected for bias, with the 30 most frequent
    levels of each. One of each: the correlation ratio of the ranks.
    """
    import pandas as pd

    columns = {name: _pooled(sample.series(name).iloc[positions].reset_index(drop=True)) for name in names}
    frame = pd.DataFrame(columns)
    is_ordered = [ordered_values(frame[name]) is not None for name in frame]
    matrix = associations(frame)
    found = []
    for first, second in zip(*np.nonzero(np.triu(matrix >= at_least, k=1)), strict=True):
        strength = float(matrix[first, second])
        both = is_ordered[first] and is_ordered[second]
        neither = not (is_ordered[first] or is_ordered[second])
        how = "rank correlation" if both else "Cramér's V" if neither else "correlation ratio of ranks"
        interval = _fisher(strength, len(frame)) if both else None
        found.append(Pair(names[first], names[second], strength, interval, how))
    found.sort(key=lambda pair: (-pair.strength, pair.first, pair.second))
    return Pairs(tuple(names), matrix, tuple(found), len(frame))


def _pooled(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return levels with all but the most frequent joined, so that tables of two columns stay small."""
    if ordered_values(column) is not None:
        return column
    text = column.astype(object).where(column.notna(), None)
    counts = text.value_counts()
    if len(counts) <= _MOST_LEVELS:
        return text
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], str(entry[0])))
    kept = {level for level, _ in ranked[: _MOST_LEVELS - 1]}
    return text.where(text.isin(kept) | text.isna(), "(other)")


def _fisher(strength: float, rows: int) -> Interval | None:
    """The interval of a rank correlation by Fisher's z, with the variance of Bonett and Wright (2000)."""
    if rows < 10 or strength >= 1:
        return None
    half = normal_quantile(LEVEL) * math.sqrt((1 + strength**2 / 2) / (rows - 3))
    return math.tanh(math.atanh(strength) - half), math.tanh(math.atanh(strength) + half)
