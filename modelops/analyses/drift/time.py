"""Rows in the order of time: how much less they tell than as many independent ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from modelops.analyses.base import Sample
from modelops.analyses.cores.arrow_numbers import Kind, kind_of, numeric
from modelops.errors import NotMeasured

LEAST_ROWS = 400
"""Below this many rows, blocks are too few or too short to judge autocorrelation by."""

_EVIDENCE = 0.001
_MOST_LEVELS = 64
_CUTS = 10


@dataclass(frozen=True)
class TimeOrder:
    """The rows of one table in the order of time; ``order`` is ``None`` where they stand in it already."""

    order: np.ndarray | None

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return ``rows`` (one entry for each row of the table) in the order of time."""
        return rows if self.order is None else rows[self.order]


def time_order(sample: Sample, column: str) -> TimeOrder:
    """Return the order of time of ``sample`` by ``column``; rows without a time come last.

    Raises
    ------
    NotMeasured
        If the column does not hold numbers, dates, times or text that reads as such.
    """
    values = instants(sample.source.column(column), column)
    if (np.diff(values) >= 0).all():
        return TimeOrder(None)
    return TimeOrder(np.argsort(values, kind="stable"))


def instants(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """Return times as numbers that grow with time, shape (n,): dates in seconds; a missing time is NaN or infinite.

    Raises
    ------
    NotMeasured
        If the column does not hold numbers, dates, times or text that reads as such.
    """
    kind = kind_of(column)
    if kind in (Kind.NUMBER, Kind.TIME):
        return np.asarray(numeric(column).to_numpy().astype(np.float64))
    if kind is not Kind.CATEGORY:
        raise NotMeasured(f"The time column {name!r} holds {column.type} values: the order of time is not known.")
    import pandas as pd

    texts = column.to_pandas().astype("str")
    read = pd.to_datetime(texts, errors="coerce", format="ISO8601", utc=True)
    if read.isna().mean() > 0.5:
        raise NotMeasured(
            f"The time column {name!r} does not read as dates: write them as 2026-01-31 (ISO 8601) to keep their order."
        )
    moments = read.to_numpy("datetime64[us]").astype(np.int64) / 1e6
    return np.asarray(np.where(read.isna(), np.inf, moments))


def design_effect(codes: np.ndarray, *, ordered: bool) -> float:
    """Measure by which factor autocorrelation inflates the variance of shares.

    Rows in the order of time are cut in about ``sqrt(n)`` blocks of equal length. If rows were independent, the shares
    of the blocks would scatter as their length says; the ratio of the two scatters is the effect (batch means). Without
    clear evidence for more than 1 (chi-squared, p under 0.001) it is 1.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Whole numbers, in the order of time.
    ordered : bool
        Numbers that grow with the value (the shares below ten cuts are looked at), or levels (their own shares).

    Returns
    -------
    float
        1: as good as independent. 4: as much worth as a quarter of the rows. Always 1 under `LEAST_ROWS` rows.

    References
    ----------
    J. M. Flegal, G. L. Jones, "Batch means and spectral variance estimators in Markov chain Monte Carlo", Annals of
    Statistics 38, 2010. J. N. K. Rao, A. J. Scott, "The analysis of categorical data from complex sample surveys",
    JASA 76, 1981.
    """
    from scipy.special import chdtrc

    if len(codes) < LEAST_ROWS:
        return 1.0
    levels = _deciles(codes) if ordered else _frequent(codes)
    length = math.isqrt(len(codes))
    blocks = len(codes) // length
    n_levels = int(levels.max()) + 1
    cells = np.repeat(np.arange(blocks), length) * n_levels + levels[: blocks * length]
    shares = np.bincount(cells, minlength=blocks * n_levels).reshape(blocks, n_levels) / length
    if ordered:
        shares = np.cumsum(shares, axis=1)[:, :-1]
    overall = shares.mean(axis=0)
    independent = float((overall * (1 - overall)).sum()) / length
    if independent <= 0:
        return 1.0
    effect = float(shares.var(axis=0, ddof=1).sum()) / independent
    if effect <= 1 or chdtrc(blocks - 1, (blocks - 1) * effect) > _EVIDENCE:
        return 1.0
    return effect


def _deciles(codes: np.ndarray) -> np.ndarray:
    some = codes[:: max(1, len(codes) // 20_000)]
    cuts = np.unique(np.quantile(some, np.arange(1, _CUTS) / _CUTS, method="inverted_cdf"))
    return np.searchsorted(cuts, codes, side="left")


def _frequent(codes: np.ndarray) -> np.ndarray:
    counts = np.bincount(codes)
    if len(counts) <= _MOST_LEVELS:
        return codes
    places = np.full(len(counts), _MOST_LEVELS - 1, dtype=np.int64)
    places[np.argsort(-counts, kind="stable")[: _MOST_LEVELS - 1]] = np.arange(_MOST_LEVELS - 1)
    return np.asarray(places[codes])


def combined_effect(effects: tuple[float, float], rows: tuple[int, int]) -> float:
    """Return the factor on the variance of a difference between two tables with these effects and rows."""
    weights = (1 / rows[0], 1 / rows[1])
    return (effects[0] * weights[0] + effects[1] * weights[1]) / sum(weights)
