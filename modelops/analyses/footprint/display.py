"""What a footprint shows, and how it stands against declared limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelops.analyses.base import Resources
from modelops.analyses.footprint.timing import QUANTILES, Calls, needed, quantile_interval
from modelops.analyses.measuring import Findings, measured, thinned
from modelops.analyses.statistics.intervals import Interval
from modelops.domain.result import Curve, Measurement, ResultTable, Series, Shape

_NOT_TOLD = "This system does not tell how much memory a process takes."


@dataclass(frozen=True)
class Held:
    """One declared limit: ``share`` is what was measured over it (turned round where more is better), with interval."""

    name: str
    limit: str
    found: str
    share: float | None
    otherwise: str = ""
    interval: Interval | None = None


def cost_findings(calls: Sequence[Calls], found: Resources) -> Findings:
    """Return the times by batch size, the memory, the size, with charts and a table."""
    findings = Findings()
    for one in calls:
        findings.measurements += _times(one)
    loads = np.asarray(found.load_seconds, dtype=np.float64)
    findings.measurements += [
        measured("load_time", float(np.median(loads)), size=len(loads), unit="seconds"),
        measured("file_size", float(found.size), size=1, unit="bytes"),
        measured("resident_memory", found.resident, size=1, unit="bytes", otherwise=_NOT_TOLD),
        measured("peak_memory", found.peak, size=1, unit="bytes", otherwise=_NOT_TOLD),
    ]
    findings.curves += [_single_curve(calls[0]), _batch_curve(calls)]
    findings.tables.append(_table(calls))
    return findings


def _times(one: Calls) -> list[Measurement]:
    scope = {"batch": one.batch}
    times = [
        measured(
            name,
            one.quantile(share),
            size=one.n_calls,
            scope=scope,
            unit="seconds",
            interval=quantile_interval(one.wall, share),
            otherwise=f"{one.n_calls} calls are too few for this quantile, {needed(share)} are needed.",
        )
        for name, share in QUANTILES.items()
    ]
    return [
        *times,
        measured("throughput", one.throughput, size=one.n_calls, scope=scope, unit="rows per second"),
        measured("processor_time_per_row", one.processor_time_per_row, size=one.n_calls, scope=scope, unit="seconds"),
    ]


def _single_curve(one: Calls) -> Curve:
    ordered = np.sort(one.wall) * 1000
    kept = thinned(np.arange(1.0, one.n_calls + 1))
    return Curve(
        name="one_row",
        title="How long the answer to one row takes",
        shape=Shape.STEP,
        x_title="milliseconds",
        y_title="share of calls",
        series=(
            Series(
                name="",
                x=tuple(float(ordered[k]) for k in kept),
                y=tuple(float(k + 1) / one.n_calls for k in kept),
            ),
        ),
    )


def _batch_curve(calls: Sequence[Calls]) -> Curve:
    names = tuple(f"{one.batch:,}" for one in calls)
    shares = {"median": 0.5, "95th percentile": 0.95}
    return Curve(
        name="batches",
        title="How long a call takes, by the rows asked at a time",
        shape=Shape.BARS,
        x_title="rows asked at a time",
        y_title="milliseconds",
        series=tuple(
            Series(name=word, x=names, y=tuple(_milliseconds(one.quantile(share)) for one in calls))
            for word, share in shares.items()
        ),
    )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


_TIMES = ("median", "95th percentile", "99th percentile", "longest")


def _table(calls: Sequence[Calls]) -> ResultTable:
    return ResultTable(
        name="times",
        title="Times by batch size",
        columns=("rows at a time", "calls", *_TIMES, "rows per second"),
        units=dict.fromkeys(_TIMES, "ms"),
        rows=tuple(
            (
                one.batch,
                one.n_calls,
                *(_milliseconds(one.quantile(share)) for share in QUANTILES.values()),
                _milliseconds(float(one.wall.max())),
                round(one.throughput),
            )
            for one in calls
        ),
    )


def held_findings(held: Sequence[Held]) -> Findings:
    """Return what each declared limit says."""
    findings = Findings(
        [
            measured(
                "share_of_limit",
                one.share,
                size=1,
                scope={"limit": one.name},
                interval=one.interval,
                otherwise=one.otherwise,
            )
            for one in held
        ]
    )
    if not held:
        none = "No limit was declared: set those of the service as parameters, such as latency_limit."
        findings.measurements.append(measured("share_of_limit", None, size=0, otherwise=none))
    if held:
        findings.tables.append(
            ResultTable(
                name="limits",
                title="Against the declared limits",
                columns=("limit", "declared", "measured", "share of the limit"),
                rows=tuple((one.name, one.limit, one.found, one.share) for one in held),
            )
        )
    return findings


def summary(calls: Sequence[Calls], found: Resources, held: Sequence[Held]) -> str:
    """Return one sentence for everybody."""
    single, large = calls[0], calls[-1]
    middle, slow = single.quantile(0.5), single.quantile(0.95)
    parts = [f"One row takes {duration(middle if middle is not None else float(single.wall.max()))}"]
    if slow is not None:
        parts[0] += f", and {duration(slow)} or less in 95 % of the calls"
    if large is not single:
        parts.append(f"{large.batch:,} at a time are answered at {large.throughput:,.0f} rows a second")
    parts.append(f"the file of {size(found.size)} opens in {duration(float(np.median(found.load_seconds)))}")
    if found.peak is not None:
        parts.append(f"its process takes up to {size(found.peak)}")
    text = "; ".join(parts)
    if not held:
        return f"{text}. No limit was declared."
    beyond = [
        f"{one.name} ({one.found} where {one.limit} was declared)"
        for one in held
        if one.share is not None and one.share > 1
    ]
    if beyond:
        return f"{text}. Beyond the declared limit: {', '.join(beyond)}."
    if any(one.share is None for one in held):
        return f"{text}. Not every declared limit could be checked; the others are kept."
    return f"{text}. What was declared as a limit is kept."


def duration(seconds: float) -> str:
    """Return a time for people.

    Examples
    --------
    >>> duration(0.00042), duration(0.0318), duration(2.5)
    ('0.42 ms', '31.8 ms', '2.5 s')
    """
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def size(count: float) -> str:
    """Return a number of bytes for people, in units of 1,000.

    Examples
    --------
    >>> size(900), size(1_250_000)
    ('900 B', '1.25 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:.3g} {unit}"
