"""Each period against the reference: how much worse, and whether that is more than chance; and the trend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.drift.time import design_effect, time_order
from modelops.analyses.ground_truth.metrics_over_time import BETTER_IF_SMALLER, OverTime, over_time
from modelops.analyses.ground_truth.periods import Periods
from modelops.analyses.ground_truth.rows import Said
from modelops.analyses.measuring import measured
from modelops.analyses.statistics.intervals import normal_quantile, two_proportions_p_value
from modelops.analyses.statistics.multiplicity import holm
from modelops.domain.result import Measurement, Scope
from modelops.errors import NotMeasured

FEWEST_FOR_TREND = 5

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """Where a metric lies by chance if nothing has changed since the reference.

    ``error`` is the standard error of the whole reference of ``effective`` rows; ``inflation`` by how much more rows of
    the same time scatter than independent ones.
    """

    metric: str
    value: float
    error: float
    effective: float
    inflation: float

    def errors(self, effective: Numbers) -> Numbers:
        """Return the standard error of the difference of a period with so many rows and the reference."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.error * np.sqrt(self.inflation * (self.effective / effective + 1)))

    def ends(self, over: OverTime, *, level: float, looks: int) -> tuple[Numbers, Numbers]:
        """Return the band of each period: all ``looks`` periods stay within, with the probability ``level``."""
        half = normal_quantile(1 - (1 - level) / max(looks, 1)) * self.errors(over.effective)
        low = np.array([over.within(value) for value in self.value - half])
        return low, np.array([over.within(value) for value in self.value + half])


@dataclass(frozen=True)
class Bands:
    """The metrics of the reference (none for the reason ``reason``), and how much neighbours in time inflate errors."""

    metrics: tuple[OverTime, ...]
    inflation: float
    reason: str
    note: str | None = None

    def of(self, metric: str) -> Band | str:
        """Return the band of one metric, or why there is none."""
        found = next((one for one in self.metrics if one.metric == metric), None)
        if found is None:
            return self.reason or f"The reference does not have {metric}."
        value, error = float(found.values[0]), float(found.errors[0])
        if not np.isfinite(value) or not np.isfinite(error):
            return f"In the reference: {found.reason}"
        return Band(metric, value, error, float(found.effective[0]), self.inflation)

    def half_width(self, metric: str, effective: Numbers, *, level: float) -> Numbers:
        """Return how far an estimate for so many rows is uncertain by sampling, that of the reference included."""
        band = self.of(metric)
        if isinstance(band, str):
            return np.full(effective.size, np.nan)
        return normal_quantile(level) * band.errors(effective)


def bands_of(reference: Said | str) -> Bands:
    """Measure the reference."""
    if isinstance(reference, str):
        return Bands((), 1.0, reference)
    inflation, note = inflation_in_time(reference)
    whole = over_time(reference, np.zeros(reference.size, dtype=np.int64), 1, fewest=1)
    return Bands(tuple(whole), inflation, "", note)


def inflation_in_time(reference: Said) -> tuple[float, str | None]:
    """Return by which factor errors of neighbouring times inflate the variance in the reference, and a note."""
    column = reference.sample.roles.time
    if column is None:
        return 1.0, "The reference has no time column, so its rows are taken as independent."
    try:
        order = time_order(Sample(reference.sample.source, reference.sample.roles), column)
    except NotMeasured as reason:
        return 1.0, f"{reason} Rows are taken as independent."
    every = np.full(reference.sample.n_rows, -1.0)
    every[reference.rows] = _losses(reference)
    ordered = order.of(every)
    ordered = ordered[ordered >= 0]
    ranks = np.unique(ordered, return_inverse=True)[1]
    effect = design_effect(ranks, ordered=not reference.classes)
    if effect <= 1:
        return 1.0, None
    return effect, (
        f"Errors of rows at nearby times are alike: bands are as wide as for {effect:.2g} times fewer independent rows."
    )


def _losses(rows: Said) -> Numbers:
    if rows.classes:
        return np.asarray(rows.truth != rows.predicted, dtype=np.float64)
    return np.abs(rows.predicted.astype(np.float64) - rows.truth.astype(np.float64))


@dataclass(frozen=True)
class Losses:
    """How much worse each period is than the reference (above 0: worse), each of shape (k,); NaN where unknown."""

    loss: Numbers
    low: Numbers
    high: Numbers
    p_values: Numbers
    adjusted: Numbers


def losses(over: OverTime, band: Band, *, level: float) -> Losses:
    """Compare each period with the reference, one-sided: only worse counts.

    The p-values are adjusted for how often was looked (Holm): with any number of periods at most one run in twenty has
    an alarm, if nothing has changed.
    """
    sign = 1.0 if over.metric in BETTER_IF_SMALLER else -1.0
    loss = sign * (np.abs(over.values) - abs(band.value) if over.metric == "mean_error" else over.values - band.value)
    own = np.sqrt(np.nan_to_num(over.errors, nan=np.inf) ** 2 + band.error**2) * np.sqrt(band.inflation)
    half = normal_quantile(level) * own
    p_values = np.array([_p_value(over, band, place, float(loss[place])) for place in range(loss.size)])
    low, high = (np.where(np.isfinite(end), end, np.nan) for end in (loss - half, loss + half))
    return Losses(loss, low, high, p_values, holm(p_values))


def _p_value(over: OverTime, band: Band, place: int, loss: float) -> float:
    from scipy.special import ndtr

    effective = float(over.effective[place])
    if not np.isfinite(loss) or not effective > 0:
        return float("nan")
    if over.metric == "accuracy":
        totals = effective / band.inflation, band.effective / band.inflation
        if band.inflation == 1:
            totals = round(totals[0]), round(totals[1])
        hits = [
            min(max(share, 0.0), 1.0) * total
            for share, total in zip((over.values[place], band.value), totals, strict=True)
        ]
        if band.inflation == 1:
            hits = [float(round(hit)) for hit in hits]
        both = two_proportions_p_value(hits[0], totals[0], hits[1], totals[1])
        return both / 2 if loss > 0 else 1 - both / 2
    error = float(band.errors(np.array([effective]))[0])
    distance, slope = _straightened(over.metric, float(over.values[place]), band.value, loss)
    return float(ndtr(-distance / (error * slope))) if error > 0 else float(loss <= 0)


def _straightened(metric: str, value: float, reference: float, loss: float) -> tuple[float, float]:
    """Return the loss on a scale on which chance is even to both sides, and the slope of that scale at the reference.

    Shares near 1 fall further by chance than they rise, mean errors near 0 rise further than they fall; a normal law on
    the plain scale would give too many alarms. Shares are taken as log odds, mean errors as logarithms.
    """
    if metric in BETTER_IF_SMALLER and metric != "mean_error" and min(value, reference) > 0:
        return float(np.log(value) - np.log(reference)), 1 / reference
    if metric not in BETTER_IF_SMALLER and 0 < reference < 1:
        inside = min(max(value, 1e-9), 1 - 1e-9)
        odds = np.log(reference / (1 - reference)) - np.log(inside / (1 - inside))
        return float(odds), 1 / (reference * (1 - reference))
    return loss, 1.0


_OF_LOSS = (
    *("performance_loss", "relative_performance_loss"),
    *("performance_loss_p_value", "performance_loss_adjusted_p_value"),
)


def loss_measurements(
    found: Losses | str, over: OverTime, band: Band | str, periods: Periods, *, level: float
) -> Iterator[Measurement]:
    """Return how much worse each period is, absolutely and as a share of the reference, with its p-values."""
    for place, label in enumerate(periods.labels):
        scope: Scope = {"period": label}
        size = int(over.sizes[place])
        if isinstance(found, str) or isinstance(band, str):
            reason = found if isinstance(found, str) else str(band)
            for name in _OF_LOSS:
                yield measured(name, None, size=size, scope=scope, otherwise=reason)
            continue
        reason = over.reason if size else "No row of this period has a label."
        reason = f"Only {size} rows of this period have a label." if size and np.isnan(over.values[place]) else reason
        interval = (float(found.low[place]), float(found.high[place]))
        note = f"{over.metric}: above 0 is worse than in the reference."
        yield measured(
            "performance_loss",
            float(found.loss[place]),
            size=size,
            scope=scope,
            interval=interval,
            level=level,
            note=note,
            otherwise=reason,
        )
        scale = abs(band.value)
        yield measured(
            "relative_performance_loss",
            float(found.loss[place]) / scale if scale else None,
            size=size,
            scope=scope,
            interval=(interval[0] / scale, interval[1] / scale) if scale else None,
            level=level,
            note=note,
            otherwise=reason if scale else "The value in the reference is 0: nothing is a share of it.",
        )
        for name, values in (("p_value", found.p_values), ("adjusted_p_value", found.adjusted)):
            yield measured(f"performance_loss_{name}", float(values[place]), size=size, scope=scope, otherwise=reason)


def trend_measurements(over: OverTime, *, level: float) -> Iterator[Measurement]:
    """Measure whether a metric rises or falls over the periods: Kendall's tau and the Theil-Sen slope.

    References
    ----------
    H. B. Mann, Econometrica 13, 1945; P. K. Sen, JASA 63, 1968.
    """
    names = ("performance_trend_tau", "performance_trend_p_value", "performance_trend_slope")
    known = np.flatnonzero(np.isfinite(over.values))
    if known.size < FEWEST_FOR_TREND:
        reason = f"A trend needs at least {FEWEST_FOR_TREND} periods with enough labels; there are {known.size}."
        for name in names:
            yield measured(name, None, size=known.size, otherwise=reason)
        return
    from scipy.stats import kendalltau, theilslopes

    values = over.values[known]
    if np.ptp(values) == 0:
        tau, p_value = 0.0, 1.0
    else:
        found = kendalltau(known, values)
        tau, p_value = float(found.statistic), float(found.pvalue)
    slope, _, low, high = (float(number) for number in theilslopes(values, known, alpha=level))
    yield measured(names[0], tau, size=known.size, note=f"{over.metric} over {known.size} periods.")
    yield measured(names[1], p_value, size=known.size)
    interval = (min(low, slope), max(high, slope))
    yield measured(
        names[2], slope, size=known.size, interval=interval, level=level, note=f"Change of {over.metric} per period."
    )
