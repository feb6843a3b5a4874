"""How far beyond the values that were seen other good rows may lie: known where a scale ends or a tail is light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modelops.analyses.data_contract.values import Numbers

_TAIL, _TAIL_VALUES, _TAIL_DISTINCT = 0.1, 20, 5
"""The tail that is looked at: a tenth of the rows, and enough of them to tell a light tail from a heavy one."""
_LIGHT = 0.95
"""Spread over mean of the distances beyond a quantile, at most: 1 in an exponential tail, more in a heavier one."""
_AWAITED = 7.0
"""So many rows awaited at the next step of a scale, and none seen: the scale ends here (chance: ``exp(-7)``)."""


@dataclass(frozen=True)
class Tails:
    """The two ends of n values. ``below`` and ``above`` are distances beyond the smallest and largest value seen.

    ``None`` where nothing says how far values reach: the tail is heavy, or has few steps and goes on.
    """

    below: float | None
    above: float | None
    n_values: int

    @classmethod
    def of(cls, values: Numbers, *, rows: int, chance: float) -> Tails:
        """Return the ends of finite ``values`` for batches of ``rows`` of which a share ``chance`` reaches beyond."""
        below, above = (_reach(side, rows=rows, chance=chance) for side in (-values, values))
        return cls(below, above, values.size)

    @property
    def n_open(self) -> int:
        """How many ends are open, of two."""
        return (self.below is None) + (self.above is None)


def rows_beyond(n_values: int, n_open: int, *, rows: int, chance: float) -> int:
    """Return how many of ``rows`` new values lie beyond ``n_open`` ends of ``n_values`` seen, at most.

    More do with the probability ``chance`` at most, whatever the law: between the n + 1 gaps that n values leave, a new
    one falls into each with the same probability, so that the number of those beyond is beta-binomial.

    Examples
    --------
    >>> rows_beyond(1_000, 1, rows=200, chance=0.001)
    3
    """
    from scipy.stats import betabinom

    return int(betabinom.isf(chance, rows, n_open, n_values + 1 - n_open)) if n_open else 0


def _reach(values: Numbers, *, rows: int, chance: float) -> float | None:
    highest = float(values.max())
    if _ends_there(values):
        return 0.0
    start = float(np.quantile(values, 1 - max(_TAIL, min(0.5, _TAIL_VALUES / values.size))))
    with np.errstate(over="ignore", invalid="ignore"):
        outside = values[values > start] - start
        if np.unique(outside).size < _TAIL_DISTINCT or not float(outside.std()) <= _LIGHT * float(outside.mean()):
            return None
        # The predictive law of one more value of an exponential tail whose mean is known from these alone.
        awaited = max(1.0, outside.size / values.size * rows / chance)
        farthest = start + float(outside.sum()) * (awaited ** (1 / outside.size) - 1)
    return max(0.0, farthest - highest) if np.isfinite(farthest) else None


def _ends_there(values: Numbers) -> bool:
    """Say whether the scale ends at its largest step: had it gone on in the same proportion, the next would be seen."""
    levels, counts = np.unique(values, return_counts=True)
    falling = min(1.0, counts[-1] / counts[-2]) if levels.size > 1 else 1.0
    return bool(counts[-1] * falling >= _AWAITED)
