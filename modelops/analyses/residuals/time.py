"""Residuals in the order of time: whether neighbours err alike."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.drift.time import instants
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.residuals.values import Residuals
from modelops.analyses.statistics.intervals import normal_quantile, two_sided_p_value
from modelops.domain.result import Curve, Measurement, Series, Shape

_FEWEST = 20
_METRICS = ("residual_autocorrelation", "durbin_watson_statistic", "ljung_box_statistic", "ljung_box_p_value")

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class InTime:
    """Residuals in the order of time; where instants repeat, the mean of each (``averaged``)."""

    values: Numbers
    averaged: bool


def in_time(sample: Sample, found: Residuals, column: str) -> InTime:
    """Return the residuals in the order of time, rows without a time left out.

    Raises
    ------
    NotMeasured
        If the column does not read as times.
    """
    moments = instants(sample.source.column(column), column)[found.rows]
    known = np.isfinite(moments)
    distinct, place = np.unique(moments[known], return_inverse=True)
    values = found.values[known]
    if distinct.size == values.size:
        return InTime(values[np.argsort(moments[known])], averaged=False)
    counts = np.bincount(place)
    return InTime(np.bincount(place, weights=values) / counts, averaged=True)


def durbin_watson(values: Numbers) -> float:
    """Return the sum of squared steps over the sum of squares: 2 without autocorrelation, 0 to 4.

    References
    ----------
    J. Durbin, G. S. Watson, Biometrika 37, 1950.

    Examples
    --------
    >>> durbin_watson(np.array([1.0, -1.0, 1.0, -1.0]))
    3.0
    """
    return float(np.sum(np.diff(values) ** 2) / np.sum(values**2))


def autocorrelations(values: Numbers, *, lags: int) -> Numbers:
    """Return the autocorrelation at lags 1 to ``lags`` of values around their mean.

    Examples
    --------
    >>> autocorrelations(np.array([1.0, 2.0, 1.0, 2.0]), lags=2).tolist()
    [-0.75, 0.5]
    """
    centred = values - values.mean()
    total = float(centred @ centred)
    return np.array([float(centred[lag:] @ centred[:-lag]) / total for lag in range(1, lags + 1)])


def ljung_box(correlations: Numbers, size: int) -> tuple[float, float]:
    """Return the Ljung-Box statistic of autocorrelations at lags 1, 2, ... and its p-value.

    References
    ----------
    G. M. Ljung, G. E. P. Box, Biometrika 65, 1978.
    """
    from scipy.special import chdtrc

    lags = np.arange(1, correlations.size + 1)
    statistic = size * (size + 2) * float(np.sum(correlations**2 / (size - lags)))
    return statistic, float(chdtrc(correlations.size, statistic))


def lag_1_p_value(correlation: float, size: int) -> float:
    """Return how often values without autocorrelation would show as much at lag 1 (Bartlett's error, 1 / sqrt(n)).

    References
    ----------
    M. S. Bartlett, Journal of the Royal Statistical Society, Supplement 8, 1946.

    Examples
    --------
    >>> round(lag_1_p_value(0.196, 100), 3)
    0.05
    """
    return two_sided_p_value(correlation * math.sqrt(size))


def time_findings(series: InTime | str, found: Residuals, titled: str, *, lags: int, level: float) -> Findings:
    """Measure autocorrelation over time; a text says why there is no order of time."""
    if isinstance(series, str):
        return Findings([measured(name, None, size=0, scope=found.scope, otherwise=series) for name in _METRICS])
    values = series.values
    size = values.size
    if size < _FEWEST or np.ptp(values) == 0:
        reason = f"There are fewer than {_FEWEST} points in time, or all residuals are alike."
        return Findings([measured(name, None, size=size, scope=found.scope, otherwise=reason) for name in _METRICS])
    values = values / np.abs(values).max()
    correlations = autocorrelations(values, lags=min(lags, size // 4))
    result = Findings(list(_measurements(values, correlations, found, level)))
    result.curves.append(_curve(correlations, size, found, titled, level))
    if series.averaged:
        result.notes.append("Several rows share a time: autocorrelation is that of the mean residual of each time.")
    return result


def _measurements(values: Numbers, correlations: Numbers, found: Residuals, level: float) -> Iterator[Measurement]:
    size = values.size
    half = normal_quantile(level) * float(np.sqrt(max(1 - correlations[0] ** 2, 0.0) / size))
    first = float(correlations[0])
    statistic, p_value = ljung_box(correlations, size)
    yield measured(
        "residual_autocorrelation",
        first,
        size=size,
        scope=found.scope,
        interval=(max(-1.0, first - half), min(1.0, first + half)),
        level=level,
        note="At lag 1.",
    )
    yield measured("durbin_watson_statistic", durbin_watson(values), size=size, scope=found.scope)
    note = f"Over lags 1 to {correlations.size}."
    yield measured("ljung_box_statistic", statistic, size=size, scope=found.scope, note=note)
    yield measured("ljung_box_p_value", p_value, size=size, scope=found.scope, note=note)


def _curve(correlations: Numbers, size: int, found: Residuals, titled: str, level: float) -> Curve:
    band = normal_quantile(level) / float(np.sqrt(size))
    return Curve(
        name="residual_autocorrelation",
        title=f"How alike residuals are at a distance in time{titled}",
        shape=Shape.BARS,
        x_title="Lag (rows, or points in time)",
        y_title="Autocorrelation",
        series=(
            Series(
                name="autocorrelation",
                x=tuple(float(lag) for lag in range(1, correlations.size + 1)),
                y=tuple(float(value) for value in correlations),
            ),
        ),
        scope=found.scope,
        reference=0.0,
        note=f"Without autocorrelation about {level * 100:g} % of the bars lie within {band:.3g} of 0.",
    )
