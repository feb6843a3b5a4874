"""What the model costs: how long answers take, how much memory and room it needs, against declared limits.

Times are measured inside the model's process, around the call that converts the rows and asks the library, in one
thread: what the network, the web server and the queue of a real service add is not in them.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from modelops.analyses.asked import Asked, asked
from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Resources, Run
from modelops.analyses.footprint.display import Held, cost_findings, duration, held_findings, size, summary
from modelops.analyses.footprint.metrics import COSTS
from modelops.analyses.footprint.timing import Calls, quantile_interval
from modelops.domain.columns import Task

_MEGA = 1e6


class FootprintParameters(Parameters):
    """What is timed how often, and which limits were declared for the model."""

    rows: int = Field(
        default=2_000, ge=1, le=100_000, description="Rows that the model is timed on, in turn; drawn at random."
    )
    calls: int = Field(default=300, ge=2, le=10_000, description="Calls with one row.")
    batch_calls: int = Field(default=20, ge=2, le=10_000, description="Calls with each larger number of rows.")
    largest_batch: int = Field(
        default=10_000, ge=1, le=1_000_000, description="Rows of the largest call; 1, 10, 100 and so on up to it."
    )
    seconds: float = Field(
        default=10.0, gt=0, le=600, description="No more calls are begun after so many seconds, for each batch size."
    )
    load_repeats: int = Field(default=5, ge=1, le=100, description="Times that the model file is opened.")
    latency_limit: float | None = Field(
        default=None,
        gt=0,
        description="Declared: milliseconds for one row, in 95 % of the calls. Empty: no limit.",
    )
    throughput_limit: float | None = Field(
        default=None, gt=0, description="Declared: least rows per second, at the largest batch. Empty: no limit."
    )
    load_limit: float | None = Field(
        default=None, gt=0, description="Declared: seconds to open the file. Empty: no limit."
    )
    memory_limit: float | None = Field(
        default=None, gt=0, description="Declared: megabytes of the model's process at most. Empty: no limit."
    )
    size_limit: float | None = Field(
        default=None, gt=0, description="Declared: megabytes of the model file. Empty: no limit."
    )


def cost(data: EvaluationData, parameters: FootprintParameters, run: Run) -> Computed:
    """Measure what ``data.model`` costs.

    Returns
    -------
    Computed
        Seconds, rows per second and bytes, and for each declared limit the share of it that is used up (1: all of it).

    Raises
    ------
    NotMeasured
        If there is no model, or no rows.
    InvalidInput
        If the table lacks a column of the model, or the model refuses its rows.
    """
    run.progress(0.0, "timing single rows")
    subject = asked(data, limit=parameters.rows, seed=run.seed)
    sizes = batch_sizes(parameters.largest_batch)
    calls: list[Calls] = []
    for batch in sizes:
        calls.append(_timed(subject, batch, parameters))
        run.progress(0.9 * len(calls) / len(sizes), f"timing {batch:,} rows at a time")
    found = subject.model.resources(repeats=parameters.load_repeats)
    held = _held(calls, found, parameters)
    findings = cost_findings(calls, found)
    findings.add(held_findings(held))
    findings.notes += [*subject.notes, _HOW]
    if not held:
        findings.notes.append("No limit was declared, so nothing is held against one; see the parameters.")
    run.progress(1.0, "done")
    return findings.computed(summary(calls, found, held), dropped={})


_HOW = (
    "Measured in the model's own process, in one thread, on this machine and under its load at the time; the first "
    "call of each size is not counted. Another machine gives other times, and running again never gives the same ones."
)


def batch_sizes(largest: int) -> tuple[int, ...]:
    """Return how many rows are asked at a time: powers of ten, and the largest number.

    Examples
    --------
    >>> batch_sizes(2500), batch_sizes(1)
    ((1, 10, 100, 1000, 2500), (1,))
    """
    powers = [10**k for k in range(7) if 10**k < largest]
    return (*powers, largest)


def _timed(subject: Asked, batch: int, parameters: FootprintParameters) -> Calls:
    repeats = parameters.calls if batch == 1 else parameters.batch_calls
    spent = subject.model.timed(subject.rows, batch=batch, repeats=repeats, seconds=parameters.seconds)
    # The clock of a call that is over at once may stand still.
    return Calls(batch, np.maximum(spent[:, 0], 1e-9), spent[:, 1])


def _held(calls: list[Calls], found: Resources, parameters: FootprintParameters) -> list[Held]:
    """Return the limits that were declared, with what was measured."""
    held = []
    if (limit := parameters.latency_limit) is not None:
        slow = calls[0].quantile(0.95)
        why = f"{calls[0].n_calls} calls are too few for the 95th percentile."
        shown = "not measured" if slow is None else duration(slow)
        share = None if slow is None else slow * 1000 / limit
        ends = quantile_interval(calls[0].wall, 0.95)
        interval = None if ends is None else (ends[0] * 1000 / limit, ends[1] * 1000 / limit)
        held.append(Held("latency", duration(limit / 1000), shown, share, why, interval))
    if (limit := parameters.throughput_limit) is not None:
        rate = calls[-1].throughput
        held.append(Held("throughput", f"{limit:,.0f} rows/s", f"{rate:,.0f} rows/s", limit / rate))
    if (limit := parameters.load_limit) is not None:
        seconds = float(np.median(found.load_seconds))
        held.append(Held("load time", duration(limit), duration(seconds), seconds / limit))
    if (limit := parameters.memory_limit) is not None:
        share = None if found.peak is None else found.peak / (limit * _MEGA)
        shown = "not measured" if found.peak is None else size(found.peak)
        why = "This system does not tell how much memory a process takes."
        held.append(Held("memory", size(limit * _MEGA), shown, share, why))
    if (limit := parameters.size_limit) is not None:
        held.append(Held("file size", size(limit * _MEGA), size(found.size), found.size / (limit * _MEGA)))
    return held


FOOTPRINT = Analysis(
    key="footprint",
    title="Footprint",
    question="How long do answers take, how much memory and room does the model need, and is that within the limits?",
    serves=("code.constraints", "operations.compute"),
    needs=frozenset({Need.MODEL}),
    tasks=frozenset(Task),
    parameters=FootprintParameters,
    source=(
        "P. Mattson et al., MLPerf: an industry standard benchmark suite for machine learning performance, IEEE Micro "
        "2020; J. Dean, L. A. Barroso, The tail at scale, CACM 2013; W. J. Conover, Practical nonparametric "
        "statistics, 1999 (intervals of quantiles)"
    ),
    compute=cost,
    costs=frozenset(COSTS),
)
