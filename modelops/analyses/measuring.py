"""Short ways to write measurements: a number that could not be measured becomes null with its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Computed
from modelops.analyses.statistics.intervals import LEVEL, Interval
from modelops.domain.result import Curve, Measurement, ResultTable, Scope

CURVE_POINTS = 500


@dataclass
class Findings:
    """What a computation has found so far."""

    measurements: list[Measurement] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    tables: list[ResultTable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Append everything that ``other`` holds."""
        self.measurements += other.measurements
        self.curves += other.curves
        self.tables += other.tables
        self.notes += other.notes

    def computed(self, summary: str, *, dropped: Mapping[str, int], cases: ResultTable | None = None) -> Computed:
        """Return the whole, each note once."""
        return Computed(
            summary=summary,
            measurements=tuple(self.measurements),
            curves=tuple(self.curves),
            tables=tuple(self.tables),
            notes=tuple(dict.fromkeys(self.notes)),
            dropped=dict(dropped),
            cases=cases,
        )


def measured(
    metric: str,
    value: float | None,
    *,
    size: float,
    scope: Mapping[str, str | float | dict[str, str]] | None = None,
    interval: Interval | None = None,
    level: float = LEVEL,
    unit: str | None = None,
    note: str | None = None,
    otherwise: str = "It is not defined on these rows.",
) -> Measurement:
    """Return a measurement; where ``value`` is not a finite number, null with the reason ``otherwise``.

    An interval that lies beside its value, as resamples of very few rows can, is widened until it holds it.
    """
    where: Scope = dict(scope or {})
    if value is None or not math.isfinite(value):
        return Measurement(metric=metric, value=None, unit=unit, scope=where, sample_size=int(size), note=otherwise)
    sound = interval if interval is not None and all(math.isfinite(end) for end in interval) else None
    return Measurement(
        metric=metric,
        value=float(value),
        unit=unit,
        scope=where,
        interval=sound and (min(float(sound[0]), float(value)), max(float(sound[1]), float(value))),
        level=level if sound else None,
        sample_size=int(size),
        note=note,
    )


def inapplicable(
    metric: str, reason: str, *, size: float = 0, scope: Mapping[str, str | float | dict[str, str]] | None = None
) -> Measurement:
    """Return that there is nothing of the kind to measure, and why: more data would not bring a value.

    Examples
    --------
    >>> inapplicable("label_bias", "Every row has a label.").applies
    False
    """
    where: Scope = dict(scope or {})
    return Measurement(metric=metric, value=None, scope=where, sample_size=int(size), note=reason, applies=False)


def finite(values: NDArray[np.floating]) -> tuple[float | None, ...]:
    """Return numbers for a curve or a table: what is not finite becomes ``None``."""
    return tuple(float(value) if math.isfinite(value) else None for value in values)


def shown(value: float | None) -> float | None:
    """Return one number for a table: what is not finite becomes ``None``."""
    return float(value) if value is not None and math.isfinite(value) else None


def thinned(positions: NDArray[np.float64], *, most: int = CURVE_POINTS) -> NDArray[np.intp]:
    """Return which points of a monotone curve to keep: at most ``most``, evenly along ``positions``, with both ends."""
    if positions.size <= most:
        return np.arange(positions.size)
    wanted = np.linspace(positions[0], positions[-1], most)
    found = np.searchsorted(positions, wanted)
    found[0], found[-1] = 0, positions.size - 1
    return np.unique(np.minimum(found, positions.size - 1))
