"""One column of numbers or times: its range, outliers, and values that stand for "missing"."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)

_REPEATED = tuple(float(digit * length) for digit in "98" for length in range(2, 11))
_WIDE = (32767.0, 65535.0, 2147483647.0, 4294967295.0, 1e20, 1e30, float(np.finfo(np.float32).max))
_HIGH_CODES = frozenset({9.0, *_REPEATED, *_WIDE})
_LOW_CODES = frozenset({-1.0, -2147483648.0, -32768.0, *(-code for code in _HIGH_CODES)})
_LOW_TIMES = frozenset(
    float(np.datetime64(day, "s").astype(np.int64))
    for day in ("0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1901-01-01", "1970-01-01")
)
_HIGH_TIMES = frozenset(
    float(np.datetime64(day, "s").astype(np.int64)) for day in ("2099-12-31", "2100-01-01", "2999-12-31", "9999-12-31")
)
_FEWEST_REPEATS = 2
_MEDCOUPLE_POINTS = 400
# A median shared by more than this part of the values: the scale is too coarse to measure skewness on.
_COARSE = 0.05


@dataclass(frozen=True)
class Fences:
    """Values outside are far from all others; ``skew`` is the medcouple that moved the fences (0: symmetric)."""

    low: float
    high: float
    skew: float


@dataclass(frozen=True)
class NumberProfile:
    """The finite values of one column, without those that stand for "missing" (``codes``: the value and its rows).

    ``quantiles`` belong to `QUANTILES`. ``fences`` is ``None`` where half of the values and more are the same.
    """

    n_values: int
    infinite: int
    distinct: int
    most_frequent: int
    zeros: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    deviation: float | None
    quantiles: tuple[float, ...]
    fences: Fences | None
    outliers: int
    outside: int | None
    codes: tuple[tuple[float, int], ...]
    whole: bool

    @property
    def coded_missing(self) -> int:
        """How many rows hold a value that stands for "missing"."""
        return sum(rows for _, rows in self.codes)


def number_profile(
    values: Numbers, *, factor: float, limits: tuple[float, float] | None = None, times: bool = False
) -> NumberProfile:
    """Look at the values that are there.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Without NaN. Sorted once; everything else is read off the order.
    factor : float
        How many interquartile ranges beyond the quartiles the fences stand.
    limits : tuple of float, optional
        The values that make sense; those outside are counted.
    times : bool
        Seconds since 1970: other values stand for "missing" then.
    """
    is_finite = np.isfinite(values)
    finite = values if is_finite.all() else values[is_finite]
    ordered = np.sort(finite)
    whole = bool(np.all(ordered == np.rint(ordered))) if ordered.size else False
    ordered, codes = without_codes(ordered, times=times)
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if ordered.size else np.empty(0, dtype=np.intp)
    lengths = np.diff(np.r_[starts, ordered.size])
    bounds = fences(ordered, factor=factor)
    zeros = int(np.searchsorted(ordered, 0.0, side="right") - np.searchsorted(ordered, 0.0, side="left"))
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(ordered.mean()) if ordered.size else math.nan
        deviation = float(ordered.std(ddof=1)) if ordered.size > 1 else math.nan
    return NumberProfile(
        n_values=ordered.size,
        infinite=int(values.size - finite.size),
        distinct=starts.size,
        most_frequent=int(lengths.max(initial=0)),
        zeros=zeros,
        minimum=float(ordered[0]) if ordered.size else None,
        maximum=float(ordered[-1]) if ordered.size else None,
        mean=mean if math.isfinite(mean) else None,
        deviation=deviation if math.isfinite(deviation) else None,
        quantiles=tuple(_at(ordered, share) for share in QUANTILES) if ordered.size else (),
        fences=bounds,
        outliers=_outside(ordered, bounds.low, bounds.high) if bounds else 0,
        outside=None if limits is None else _outside(ordered, *limits),
        codes=codes,
        whole=whole,
    )


def _at(ordered: Numbers, share: float) -> float:
    return float(ordered[min(ordered.size - 1, int(share * ordered.size))])


def _outside(ordered: Numbers, low: float, high: float) -> int:
    below = np.searchsorted(ordered, low, side="left")
    above = ordered.size - np.searchsorted(ordered, high, side="right")
    return int(below + above)


def without_codes(ordered: Numbers, *, times: bool) -> tuple[Numbers, tuple[tuple[float, int], ...]]:
    """Take the values that stand for "missing" off both ends.

    Such a value is one that people use for it (-1, -999, 9999, the largest 32-bit integer; for times 1900-01-01,
    9999-12-31 and their like), occurs twice and more, is the smallest or the largest, and stands apart: further from
    the next value than the middle 90 % of the others are from each other, or it is the only negative one.

    Examples
    --------
    >>> kept, codes = without_codes(np.array([-999.0, -999.0, 20, 30, 40, 50]), times=False)
    >>> kept.tolist(), codes
    ([20.0, 30.0, 40.0, 50.0], ((-999.0, 2),))
    """
    low_codes, high_codes = (_LOW_TIMES, _HIGH_TIMES) if times else (_LOW_CODES, _HIGH_CODES)
    found: list[tuple[float, int]] = []
    while ordered.size:
        low, high = float(ordered[0]), float(ordered[-1])
        at_low = int(np.searchsorted(ordered, low, side="right"))
        at_high = int(np.searchsorted(ordered, high, side="left"))
        if low in low_codes and _stands_apart(ordered[at_low:], low, at_low):
            found.append((low, at_low))
            ordered = ordered[at_low:]
        elif high in high_codes and _stands_apart(ordered[:at_high], high, ordered.size - at_high):
            found.append((high, ordered.size - at_high))
            ordered = ordered[:at_high]
        else:
            break
    return ordered, tuple(found)


def _stands_apart(others: Numbers, code: float, rows: int) -> bool:
    if rows < _FEWEST_REPEATS or not others.size:
        return False
    nearest = float(others[0]) if code < others[0] else float(others[-1])
    if code < 0 <= nearest:
        return True
    return abs(nearest - code) > _at(others, 0.95) - _at(others, 0.05) and abs(nearest - code) > abs(code) / 2


def fences(ordered: Numbers, *, factor: float) -> Fences | None:
    """Return where outliers begin: the fences of a boxplot, moved so that a long tail is not all outliers.

    ``None`` where the quartiles are equal, so that there is no range to measure by. On a coarse scale (counts, ratings)
    the median's own ties decide the measured skewness: there a fence moves only outwards, or half of a scale's ends
    would be outliers.

    References
    ----------
    M. Hubert, E. Vandervieren, "An adjusted boxplot for skewed distributions", Computational Statistics and Data
    Analysis 52, 2008.

    Examples
    --------
    >>> found = fences(np.arange(101.0), factor=1.5)
    >>> found.low, found.high
    (-50.0, 150.0)
    """
    if not ordered.size:
        return None
    first, third = (float(value) for value in np.quantile(ordered, [0.25, 0.75]))
    reach = factor * (third - first)
    if not 0 < reach < math.inf:
        return None
    skew = medcouple(ordered)
    down, up = (-4.0, 3.0) if skew >= 0 else (-3.0, 4.0)
    low, high = math.exp(down * skew), math.exp(up * skew)
    if _is_coarse(ordered):
        low, high = max(low, 1.0), max(high, 1.0)
    return Fences(first - low * reach, third + high * reach, skew)


def _is_coarse(ordered: Numbers) -> bool:
    middle = ordered[ordered.size // 2]
    ties = np.searchsorted(ordered, middle, side="right") - np.searchsorted(ordered, middle, side="left")
    return bool(ties > _COARSE * ordered.size)


def medcouple(ordered: Numbers) -> float:
    """Return a robust measure of skewness: -1 a tail to the left, 0 symmetric, 1 a tail to the right.

    Of more than a few hundred values evenly spaced ones stand for all.

    References
    ----------
    G. Brys, M. Hubert, A. Struyf, "A robust measure of skewness", Journal of Computational and Graphical Statistics 13,
    2004.
    """
    if ordered.size > _MEDCOUPLE_POINTS:
        places = (np.arange(_MEDCOUPLE_POINTS) + 0.5) / _MEDCOUPLE_POINTS * ordered.size
        ordered = ordered[places.astype(np.intp)]
    # Only ratios of distances count; this keeps huge values from overflowing.
    size = float(np.max(np.abs(ordered)))
    centred = ordered / size if size > 0 else ordered
    centred = centred - np.median(centred)
    low, high = centred[centred <= 0], centred[centred >= 0]
    apart = high[:, None] - low[None, :]
    couples = np.divide(high[:, None] + low[None, :], apart, out=np.zeros_like(apart), where=apart > 0)
    ties = int(np.count_nonzero(centred == 0))
    if ties > 1:
        # Values equal to the median are compared by their places.
        turn = np.arange(ties)
        signs = np.sign(turn[:, None] + turn[None, :] - (ties - 1))
        couples[:ties, low.size - ties :] = signs
    return float(np.median(couples))
