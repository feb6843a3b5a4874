"""Rows in periods of time: calendar periods, or parts of equally many rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.cores.arrow_numbers import Kind, kind_of
from modelops.analyses.drift.time import instants
from modelops.errors import InvalidInput, NotMeasured

Every = Literal["rows", "day", "week", "month", "quarter", "year"]
MOST_PERIODS = 400
DAY = 86_400.0
"""Seconds."""

_PARTS = 12
_DAY = len("2024-01-31")
_FEWEST_ROWS = 100
_CODES = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Periods:
    """``codes`` of shape (n,) point into ``labels``, in the order of time; -1 has no time.

    ``moments`` are the times as numbers (NaN unknown), seconds where ``dated``.
    """

    codes: NDArray[np.int64]
    labels: tuple[str, ...]
    moments: Numbers
    dated: bool

    @property
    def count(self) -> int:
        """How many periods there are."""
        return len(self.labels)


def moments_of(sample: Sample, name: str) -> tuple[Numbers, bool]:
    """Return the times of all rows as numbers, NaN where unknown, and whether they are dates (then seconds)."""
    column = sample.source.column(name)
    values = instants(column, name)
    return np.where(np.isfinite(values), values, np.nan), kind_of(column) is not Kind.NUMBER


def periods(sample: Sample, name: str, rows: NDArray[np.intp], *, every: Every, rows_per_period: int | None) -> Periods:
    """Put ``rows`` (positions in the table) into periods; rows of the same time are in the same one.

    Raises
    ------
    NotMeasured
        If no row has a time.
    InvalidInput
        If calendar periods are asked for where the times are plain numbers, or there would be too many periods.
    """
    moments, dated = moments_of(sample, name)
    moments = moments[rows]
    known = np.isfinite(moments)
    if not known.any():
        raise NotMeasured(f"No row has a time in the column {name!r}.")
    if every == "rows":
        size = rows_per_period or max(_FEWEST_ROWS, -(-int(known.sum()) // _PARTS))
        codes, labels = _equal_parts(moments, known, size, dated=dated)
    elif not dated:
        raise InvalidInput(f"The column {name!r} holds numbers: periods by the {every} need dates. Choose 'rows'.")
    else:
        codes, labels = _calendar(moments, known, every)
    if len(labels) > MOST_PERIODS:
        raise InvalidInput(f"There would be {len(labels)} periods, at most {MOST_PERIODS} are shown: take longer ones.")
    return Periods(codes, labels, moments, dated)


def _equal_parts(
    moments: Numbers, known: NDArray[np.bool_], size: int, *, dated: bool
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    ordered = np.sort(moments[known])
    count = max(1, round(ordered.size / size))
    edges = np.unique(ordered[(np.arange(1, count) * ordered.size) // count])
    edges = edges[edges > ordered[0]]
    codes = np.full(moments.size, -1, dtype=np.int64)
    codes[known] = np.searchsorted(edges, moments[known], side="right")
    starts = np.append(ordered[0], edges)
    ends = np.append(ordered[np.searchsorted(ordered, edges, side="left") - 1], ordered[-1])
    return codes, _distinct([_span(low, high, dated=dated) for low, high in zip(starts, ends, strict=True)])


def _span(low: float, high: float, *, dated: bool) -> str:
    if not dated:
        return f"{low:.6g} to {high:.6g}" if low < high else f"{low:.6g}"
    first, last = (_written_moment(moment)[:_DAY] for moment in (low, high))
    if first != last:
        return f"{first} to {last}"
    first, last = (_written_moment(moment) for moment in (low, high))
    return f"{first} to {last[-5:]}" if first != last else first


def _written_moment(seconds: float) -> str:
    # In microseconds: pandas counts seconds in nanoseconds, which end in 1677 and 2262.
    return str(np.datetime64(round(seconds * 1e6), "us").astype("datetime64[m]")).replace("T", " ")


def _distinct(labels: list[str]) -> tuple[str, ...]:
    return tuple(f"{label} ({place + 1})" if label in labels[:place] else label for place, label in enumerate(labels))


def _calendar(moments: Numbers, known: NDArray[np.bool_], every: Every) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    import pandas as pd

    stamps = pd.DatetimeIndex((moments[known] * 1e6).astype(np.int64).astype("datetime64[us]"))
    found = stamps.to_period(_CODES[every])
    ordinals, inverse = np.unique(found.asi8, return_inverse=True)
    codes = np.full(moments.size, -1, dtype=np.int64)
    codes[known] = inverse
    each = [pd.Period(ordinal=int(ordinal), freq=_CODES[every]) for ordinal in ordinals]
    labels = [f"{one.start_time:%G-W%V}" if every == "week" else _written(str(one), every) for one in each]
    return codes, tuple(labels)


def _written(text: str, every: Every) -> str:
    return f"{text[:4]}-{text[4:]}" if every == "quarter" else text
