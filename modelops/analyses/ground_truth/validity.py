"""The lamp beside an estimate: how far the rows are from what the reference holds, and how old the reference is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.ground_truth.estimates import is_numeric
from modelops.analyses.ground_truth.periods import DAY, Periods, moments_of
from modelops.analyses.ground_truth.rows import Said
from modelops.analyses.levels import coded
from modelops.analyses.measuring import measured
from modelops.analyses.statistics.intervals import wilson
from modelops.domain.result import Measurement, ResultTable, Scope
from modelops.errors import NotMeasured

_SHOWN = 20


def out_of_support(now: Said, reference: Said) -> tuple[NDArray[np.bool_], ResultTable]:
    """Return which rows hold a value that the reference does not reach, and the columns that this comes from.

    A number below the smallest or above the largest of the reference, a level that is not in it, a missing value where
    it has none; in a feature, or a score.
    """
    roles = now.sample.roles
    outside = np.zeros(now.size, dtype=bool)
    lines = []
    for name in dict.fromkeys([*roles.features, *roles.scores, *([roles.prediction] if not now.classes else [])]):
        if name is None or name == roles.time or name not in reference.sample.source.names:
            continue
        mine = _outside(now, reference, name)
        outside |= mine
        if mine.any():
            lines.append((name, int(mine.sum()), float(mine.mean())))
    lines.sort(key=lambda line: (-line[1], line[0]))
    more = len(lines) - _SHOWN
    return outside, ResultTable(
        name="out_of_support",
        title="Columns with values that the reference does not reach",
        columns=("column", "rows", "share"),
        rows=tuple(lines[:_SHOWN]),
        note=f"{more} more columns." if more > 0 else None,
    )


def _outside(now: Said, reference: Said, name: str) -> NDArray[np.bool_]:
    if is_numeric(now.sample, name) and is_numeric(reference.sample, name):
        here, there = now.sample.numbers(name)[now.rows], reference.sample.numbers(name)[reference.rows]
        missing, known = np.isnan(here), there[~np.isnan(there)]
        if not known.size:
            return np.asarray(~missing)
        beyond = (here < known.min()) | (here > known.max())
        return np.asarray(beyond | (missing & (known.size == there.size)))
    mine, other = coded(now.sample, name).take(now.rows), coded(reference.sample, name).take(reference.rows)
    counts = other.counts()
    seen = {level for level, count in zip(other.levels, counts, strict=True) if count}
    table = np.array([*(level not in seen for level in mine.levels), other.missing == 0], dtype=bool)
    return table[mine.codes]


def support_measurements(
    outside: NDArray[np.bool_] | str, now: Said, reference: Said | str, found: Periods, *, level: float
) -> Iterator[Measurement]:
    """Measure the share of rows out of the reference's support, over all and by period."""
    name = "out_of_support_share"
    if isinstance(outside, str) or isinstance(reference, str):
        for each in (name, "excess_out_of_support_share"):
            yield measured(each, None, size=0, otherwise=str(outside if isinstance(outside, str) else reference))
        return
    expected = share_by_chance(now, reference)
    note = f"About {expected:.2g} would be out by chance, if nothing had changed."
    scopes: list[tuple[int, Scope]] = [(-1, {})]
    scopes += [(place, {"period": label}) for place, label in enumerate(found.labels)]
    for place, scope in scopes:
        mine = outside if place < 0 else outside[found.codes == place]
        yield measured(
            name,
            float(mine.mean()) if mine.size else None,
            size=mine.size,
            scope=scope,
            interval=wilson(int(mine.sum()), mine.size, level=level) if mine.size else None,
            level=level,
            note=note if not scope else None,
            otherwise="There are no rows.",
        )
    share = float(outside.mean()) if outside.size else None
    ends = wilson(int(outside.sum()), outside.size, level=level) if outside.size else None
    yield measured(
        "excess_out_of_support_share",
        None if share is None else share - expected,
        size=outside.size,
        interval=ends and (ends[0] - expected, ends[1] - expected),
        level=level,
        note=f"{expected:.2g} would be out by chance.",
        otherwise="There are no rows.",
    )


def share_by_chance(now: Said, reference: Said) -> float:
    """Return which share of rows lies beyond the extremes of as many columns of numbers, if nothing has changed.

    A value that is drawn as the n of the reference were is the smallest or the largest of all with the probability
    ``2 / (n + 1)``; columns are taken as independent.
    """
    roles = now.sample.roles
    names = {*roles.features, *roles.scores, *([roles.prediction] if not now.classes else [])} - {roles.time, None}
    width = sum(
        name in reference.sample.source.names and is_numeric(now.sample, name) and is_numeric(reference.sample, name)
        for name in names
        if name is not None
    )
    return 1 - (1 - 2 / (reference.size + 1)) ** width


def age_measurement(now: Said, reference: Said | str, found: Periods) -> Measurement:
    """Measure how many days lie between the end of the reference and the end of the data."""
    name, size = "calibration_age_days", now.size
    if isinstance(reference, str):
        return measured(name, None, size=size, otherwise=reference)
    column = reference.sample.roles.time
    if column is None:
        return measured(name, None, size=size, otherwise="The reference has no time column.")
    try:
        moments, dated = moments_of(reference.sample, column)
    except NotMeasured as reason:
        return measured(name, None, size=size, otherwise=str(reason))
    moments = moments[reference.rows]
    if not dated or not found.dated or not np.isfinite(moments).any():
        return measured(name, None, size=size, otherwise="An age needs dates, both in the data and in the reference.")
    age = (np.nanmax(found.moments) - np.nanmax(moments)) / DAY
    return measured(
        name, float(age), size=size, unit="days", note="From the last row of the reference to the last row."
    )
