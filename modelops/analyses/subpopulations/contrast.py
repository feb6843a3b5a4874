"""A group of rows against all the others: how much worse, how sure, and what could have been seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.statistics.intervals import (
    LEVEL,
    Interval,
    newcombe,
    normal_quantile,
    two_proportions_p_value,
    wilson,
)

_POWER = 0.8

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """What is known of the losses of a group: rows, weight, weighted sum and sum of squares."""

    rows: int
    weight: float
    total: float
    squares: float

    def without(self, other: Moments) -> Moments:
        """Return the rows of this that are not in ``other``, which is a part of it."""
        return Moments(
            self.rows - other.rows,
            self.weight - other.weight,
            self.total - other.total,
            max(0.0, self.squares - other.squares),
        )

    @property
    def mean(self) -> float:
        """The mean loss; NaN without weight."""
        return self.total / self.weight if self.weight > 0 else math.nan

    def variance(self, effective: float) -> float:
        """Return the variance of the losses of a sample of ``effective`` rows; NaN below two."""
        if effective <= 1 or self.weight <= 0:
            return math.nan
        return max(0.0, self.squares / self.weight - self.mean**2) * effective / (effective - 1)


@dataclass(frozen=True)
class Contrast:
    """A group against all other rows. ``difference`` is above 0 where the group is worse."""

    group: Moments
    rest: Moments
    mean_interval: Interval | None
    difference: float
    interval: Interval | None
    ratio: float
    p_value: float
    detectable: float


@dataclass(frozen=True)
class Law:
    """How losses vary: yes or no (``is_share``) or any number; how many rows are worth one (``effect``)."""

    is_share: bool
    effect: float = 1.0
    level: float = LEVEL

    def contrast(self, group: Moments, whole: Moments) -> Contrast:
        """Compare ``group`` with the rest of ``whole``.

        Shares: Wilson and Newcombe intervals, pooled z test (Fisher's where counts are small). Numbers: Welch's t.
        """
        rest = whole.without(group)
        n, m = group.weight / self.effect, rest.weight / self.effect
        if rest.rows <= 0 or m <= 0 or n <= 0:
            return Contrast(group, rest, self.mean_interval(group), *_NOTHING)
        difference = group.mean - rest.mean
        ratio = group.mean / rest.mean if rest.mean > 0 else math.nan
        if self.is_share:
            counts = _within(group.mean) * n, n, _within(rest.mean) * m, m
            interval: Interval | None = newcombe(*counts, level=self.level)
            p_value = two_proportions_p_value(*counts)
        else:
            interval, p_value = self._welch(group, rest)
        detectable = self._detectable(whole, n, m)
        return Contrast(group, rest, self.mean_interval(group), difference, interval, ratio, p_value, detectable)

    def mean_interval(self, group: Moments) -> Interval | None:
        """Return the interval of the mean loss of a group."""
        n = group.weight / self.effect
        if n <= 0:
            return None
        if self.is_share:
            return wilson(_within(group.mean) * n, n, level=self.level)
        from scipy.special import stdtrit

        half = float(stdtrit(n - 1, (1 + self.level) / 2)) * math.sqrt(group.variance(n) / n) if n > 1 else math.nan
        return group.mean - half, group.mean + half

    def _welch(self, group: Moments, rest: Moments) -> tuple[Interval | None, float]:
        from scipy.special import stdtr, stdtrit

        n, m = group.weight / self.effect, rest.weight / self.effect
        one, other = group.variance(n) / n, rest.variance(m) / m
        error = math.sqrt(one + other) if one + other > 0 else math.nan
        if not math.isfinite(error):
            return None, math.nan
        part = one / (one + other)
        freedom = 1 / (part**2 / (n - 1) + (1 - part) ** 2 / (m - 1))
        difference = group.mean - rest.mean
        half = float(stdtrit(freedom, (1 + self.level) / 2)) * error
        return (difference - half, difference + half), 2 * float(stdtr(freedom, -abs(difference) / error))

    def _detectable(self, whole: Moments, n: float, m: float) -> float:
        variance = whole.variance(whole.weight / self.effect)
        return (normal_quantile(self.level) + NormalDist().inv_cdf(_POWER)) * math.sqrt(variance * (1 / n + 1 / m))


_NOTHING = (math.nan, None, math.nan, math.nan, math.nan)


def _within(share: float) -> float:
    """Sums of weights round: a share is never outside 0 to 1."""
    return min(1.0, max(0.0, share))


def moments(values: Numbers, weights: Numbers | None) -> Moments:
    """Return the moments of some losses."""
    if weights is None:
        return Moments(values.size, float(values.size), float(values.sum()), float((values**2).sum()))
    return Moments(values.size, float(weights.sum()), float(weights @ values), float(weights @ values**2))


@dataclass(frozen=True)
class Tally:
    """Losses counted by cell: for each cell its rows, weight, sum and sum of squares, as the last axis of ``cells``."""

    cells: Numbers

    def at(self, place: int | tuple[int, ...]) -> Moments:
        """Return one cell."""
        rows, weight, total, squares = self.cells[place]
        return Moments(int(rows), float(weight), float(total), float(squares))


def tally(codes: NDArray[np.integer], size: int, values: Numbers, weights: Numbers | None) -> Tally:
    """Count losses by ``codes`` (shape (n,), from 0 to ``size - 1``); one pass over the rows for each moment."""
    rows = np.bincount(codes, minlength=size).astype(np.float64)
    weight = rows if weights is None else np.bincount(codes, weights=weights, minlength=size)
    weighted = values if weights is None else values * weights
    total = np.bincount(codes, weights=weighted, minlength=size)
    squares = np.bincount(codes, weights=weighted * values, minlength=size)
    return Tally(np.column_stack([rows, weight, total, squares]))
