"""How old the rows are, by their time column; the newest row is "now" where nobody says what is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from modelops.analyses.cores.arrow_numbers import Kind, kind_of, numeric, present
from modelops.errors import InvalidInput, NotMeasured

DAY = 86_400.0


@dataclass(frozen=True)
class Freshness:
    """Points in time as seconds since 1970 (UTC), lengths of time in days.

    ``age`` is how long before ``as_of`` the newest row lies, ``None`` without it; ``later`` counts rows after it.
    """

    rows: int
    oldest: float
    newest: float
    median: float
    longest_gap: float | None
    as_of: float | None
    later: int
    ordered: np.ndarray

    @property
    def age(self) -> float | None:
        """Days from the newest row to ``as_of``."""
        return None if self.as_of is None else (self.as_of - self.newest) / DAY

    @property
    def median_age(self) -> float:
        """Days from the middle row to ``as_of``, or else to the newest row."""
        return ((self.newest if self.as_of is None else self.as_of) - self.median) / DAY


def instant(text: str) -> float | None:
    """Return a date as seconds since 1970 (UTC); ``None`` for an empty text.

    Raises
    ------
    InvalidInput
        If it does not read as a date.

    Examples
    --------
    >>> instant("1970-01-02")
    86400.0
    """
    if not text.strip():
        return None
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidInput(f"as_of is {text!r}; write a date as 2026-01-31 (ISO 8601).") from error
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def seconds(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """Return the times of a column that are there, as seconds since 1970 (UTC).

    Raises
    ------
    NotMeasured
        If the column holds no dates.
    """
    kind = kind_of(column)
    if kind is Kind.TIME:
        return present(numeric(column))
    if kind is not Kind.CATEGORY or not pa.types.is_dictionary(column.type):
        raise NotMeasured(f"The time column {name!r} holds {column.type} values, not dates: ages cannot be told.")
    import pandas as pd

    whole = column.unify_dictionaries().combine_chunks()
    read = pd.to_datetime(whole.dictionary.to_pandas(), errors="coerce", format="ISO8601", utc=True)
    stamps = np.asarray(read.to_numpy(dtype="datetime64[us]").astype(np.int64), dtype=np.float64) / 1e6
    stamps[read.isna().to_numpy()] = np.nan
    values = stamps[whole.indices.drop_null().to_numpy()]
    known = values[~np.isnan(values)]
    if known.size * 2 < values.size or not known.size:
        raise NotMeasured(f"The time column {name!r} does not read as dates: write them as 2026-01-31 (ISO 8601).")
    return np.asarray(known)


def freshness(times: np.ndarray, *, as_of: float | None) -> Freshness:
    """Measure the ages of rows.

    Raises
    ------
    NotMeasured
        If there is no time at all.
    """
    if not times.size:
        raise NotMeasured("No row has a time.")
    ordered = np.sort(times)
    return Freshness(
        rows=ordered.size,
        oldest=float(ordered[0]),
        newest=float(ordered[-1]),
        median=float(ordered[ordered.size // 2]),
        longest_gap=float(np.diff(ordered).max()) / DAY if ordered.size > 1 else None,
        as_of=as_of,
        later=0 if as_of is None else int(ordered.size - np.searchsorted(ordered, as_of, side="right")),
        ordered=ordered,
    )


def day(stamp: float) -> str:
    """Return the day of a point in time.

    Examples
    --------
    >>> day(86400.0)
    '1970-01-02'
    """
    return str(np.datetime64(int(stamp), "s").astype("datetime64[D]"))
