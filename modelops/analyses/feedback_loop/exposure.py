"""Exposure drift: does what the model grants or shows change by itself over time, and does it go to fewer and fewer."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.feedback_loop.decisions import Decisions, Mask
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.statistics.intervals import (
    LEVEL,
    Interval,
    newcombe,
    normal_quantile,
    two_proportions_p_value,
    two_sided_p_value,
    wilson,
)
from modelops.analyses.statistics.multiplicity import benjamini_hochberg
from modelops.domain.columns import Task
from modelops.domain.result import Curve, Measurement, Scope, Series, Shape
from modelops.errors import NotMeasured

_FEWEST = 40
_FEWEST_ENTITIES = 30
_TOP = 0.1


def exposure_findings(data: Decisions, *, periods: int) -> Findings:
    """Compare the later half of the rows with the earlier one, and follow the decisions over time."""
    found = Findings()
    try:
        order = data.by_time(at_least=_FEWEST)
    except NotMeasured as reason:
        for metric in ("exposure_change", "exposure_p_value", "exposure_adjusted_p_value"):
            found.measurements.append(measured(metric, None, size=data.n_rows, otherwise=str(reason)))
        found.measurements += concentration(data, None, str(reason))
        return found
    halves = _halves(data, order)
    if data.task is Task.REGRESSION:
        found.measurements += _mean_change(data, halves)
    else:
        found.measurements += _share_changes(data, halves)
    found.measurements += concentration(data, halves, "")
    found.curves += _curve(data, order, periods)
    return found


def _halves(data: Decisions, order: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Cut the rows in two about equal parts by time; rows of the same time stay together."""
    times = data.times[order] if data.times is not None else np.zeros(0)
    cut = int(np.searchsorted(times, times[order.size // 2], side="left"))
    if cut == 0:
        cut = int(np.searchsorted(times, times[order.size // 2], side="right"))
    return order[:cut], order[cut:]


def _followed(data: Decisions) -> list[int]:
    return [data.positive] if data.positive is not None else list(range(len(data.levels)))


def _scope(data: Decisions, place: int) -> Scope:
    return {} if data.positive is not None else data.scope(place)


def _share_changes(data: Decisions, halves: tuple[NDArray[np.intp], NDArray[np.intp]]) -> Iterator[Measurement]:
    early, late = halves
    one_time = "All rows have the same time."
    changes: list[tuple[int, float | None, Interval | None, float, float]] = []
    for place in _followed(data):
        hit = data.codes == place
        effect = data.worth(hit.astype(np.int64))
        counts = [int(np.count_nonzero(hit[half])) for half in halves]
        if not (early.size and late.size):
            changes.append((place, None, None, math.nan, effect))
            continue
        scaled = (counts[1] / effect, late.size / effect, counts[0] / effect, early.size / effect)
        value = counts[1] / late.size - counts[0] / early.size
        changes.append((place, value, newcombe(*scaled), two_proportions_p_value(*scaled), effect))
    adjusted = benjamini_hochberg([p_value for *_, p_value, _ in changes])
    for (place, change, interval, p_value, effect), adjusted_p in zip(changes, adjusted.tolist(), strict=True):
        scope, size = _scope(data, place), min(early.size, late.size)
        note = f"rows of one entity or time are alike (design effect {effect:.2f})" if effect > 1 else None
        yield measured(
            "exposure_change", change, size=size, scope=scope, interval=interval, note=note, otherwise=one_time
        )
        yield measured("exposure_p_value", p_value, size=size, scope=scope, otherwise=one_time)
        yield measured("exposure_adjusted_p_value", adjusted_p, size=size, scope=scope, otherwise=one_time)


def _mean_change(data: Decisions, halves: tuple[NDArray[np.intp], NDArray[np.intp]]) -> Iterator[Measurement]:
    """Yield the change of the mean prediction in standard deviations, with a normal interval."""
    scores = data.scores if data.scores is not None else np.zeros(data.n_rows)
    early, late = (scores[half] for half in halves)
    size = min(early.size, late.size)
    spread = float(scores.std()) if scores.size else 0.0
    reason = "All rows have the same time, or all predictions are alike."
    value: float | None = None
    interval: Interval | None = None
    p_value = math.nan
    if size >= 2 and spread > 0:
        effect = data.worth((scores > np.median(scores)).astype(np.int64))
        error = math.sqrt(effect * (early.var(ddof=1) / early.size + late.var(ddof=1) / late.size)) / spread
        value = float(late.mean() - early.mean()) / spread
        half = normal_quantile(LEVEL) * error
        interval = (value - half, value + half)
        p_value = two_sided_p_value(value / error) if error > 0 else float(value == 0)
    unit = "standard deviations of the prediction"
    yield measured("exposure_change", value, size=size, interval=interval, unit=unit, otherwise=reason)
    for metric in ("exposure_p_value", "exposure_adjusted_p_value"):
        yield measured(metric, p_value, size=size, otherwise=reason)


def concentration(
    data: Decisions, halves: tuple[NDArray[np.intp], NDArray[np.intp]] | None, reason: str
) -> Iterator[Measurement]:
    """Yield which share of all yes goes to the tenth of the entities that gets most, then and now."""
    said_yes, entities = data.said_yes, data.entities
    why = reason
    if said_yes is None:
        why = "There is no positive decision of two to look at."
    elif entities is None:
        why = "No id repeats in at least 30 entities: to whom a yes goes again is not known."
    for name, half in zip(("earlier", "later"), halves or (None, None), strict=True):
        value, size = None, 0
        if not why and half is not None and said_yes is not None and entities is not None:
            value, size = _top_share(entities[half], said_yes[half])
        yield measured(
            "exposure_concentration",
            value,
            size=size,
            scope={"half": name},
            otherwise=why or f"Not enough data: fewer than {_FEWEST_ENTITIES} entities, or no yes at all.",
        )


def _top_share(entities: NDArray[np.int64], said_yes: Mask) -> tuple[float | None, int]:
    there, codes = np.unique(entities, return_inverse=True)
    hits = np.bincount(codes[said_yes], minlength=there.size)
    total = int(hits.sum())
    if there.size < _FEWEST_ENTITIES or not total:
        return None, total
    top = max(1, round(_TOP * there.size))
    return float(np.sort(hits)[::-1][:top].sum() / total), total


def _curve(data: Decisions, order: NDArray[np.intp], periods: int) -> list[Curve]:
    if data.task is Task.REGRESSION or data.positive is None or data.times is None:
        return []
    parts = [part for part in np.array_split(order, min(periods, order.size // 20)) if part.size]
    if len(parts) < 2:
        return []
    lines: dict[str, Mask | None] = {"yes was said": data.said_yes, "label is known": data.labelled}
    series = [_series(name, mask, parts) for name, mask in lines.items() if mask is not None]
    return [
        Curve(
            name="exposure_over_time",
            title="Decisions and known outcomes over time",
            shape=Shape.LINE,
            x_title="period",
            y_title="share of the rows",
            series=tuple(series),
            note="Periods of about equal rows, the earliest first. Recent outcomes may still be on their way.",
        )
    ]


def _series(name: str, mask: Mask, parts: list[NDArray[np.intp]]) -> Series:
    counts = [int(np.count_nonzero(mask[part])) for part in parts]
    ends = [wilson(count, part.size) for count, part in zip(counts, parts, strict=True)]
    return Series(
        name=name,
        x=tuple(float(place + 1) for place in range(len(parts))),
        y=tuple(count / part.size for count, part in zip(counts, parts, strict=True)),
        low=tuple(low for low, _ in ends),
        high=tuple(high for _, high in ends),
        size=tuple(part.size for part in parts),
    )
