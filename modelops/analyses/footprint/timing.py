"""Times of calls, and what can be said from them: quantiles with intervals, throughput."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.statistics.intervals import LEVEL, Interval

QUANTILES = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Calls:
    """Wall-clock and processor seconds of calls with ``batch`` rows each, both of shape (n_calls,)."""

    batch: int
    wall: Numbers
    processor: Numbers

    @property
    def n_calls(self) -> int:
        """How many calls there were."""
        return len(self.wall)

    def quantile(self, share: float) -> float | None:
        """Return a quantile of the wall-clock time; ``None`` with so few calls that it would be their maximum."""
        return float(np.quantile(self.wall, share)) if self.n_calls >= needed(share) else None

    @property
    def throughput(self) -> float:
        """Rows answered in a second: the rows of all calls over their time."""
        return self.batch * self.n_calls / float(self.wall.sum())

    @property
    def processor_time_per_row(self) -> float:
        """Mean processor seconds of a row."""
        return float(self.processor.sum()) / (self.batch * self.n_calls)


def needed(share: float) -> int:
    """Return how many calls a quantile needs: as many as leave one beyond it.

    Examples
    --------
    >>> needed(0.5), needed(0.95), needed(0.99)
    (2, 20, 100)
    """
    return round(1 / (1 - share))


def quantile_interval(values: Numbers, share: float, *, level: float = LEVEL) -> Interval | None:
    """Return the interval of a quantile between two of the values, whatever their distribution.

    How many of n values lie below the quantile is binomial, so the values at the binomial's own quantiles bound it.
    ``None`` where even the largest or smallest value cannot.

    References
    ----------
    W. J. Conover, Practical Nonparametric Statistics, 3rd edition, 1999, section 3.2.

    Examples
    --------
    >>> quantile_interval(np.arange(1.0, 101.0), 0.5)
    (40.0, 61.0)
    """
    from scipy.stats import binom

    n, tail = len(values), (1 - level) / 2
    low = int(binom.ppf(tail, n, share)) - 1
    high = int(binom.ppf(1 - tail, n, share))
    if low < 0 or high >= n:
        return None
    ordered = np.sort(values)
    return float(ordered[low]), float(ordered[high])
