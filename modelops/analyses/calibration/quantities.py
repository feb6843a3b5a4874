"""Calibration of predicted quantities: whether what is predicted comes true on average, over all rows and by group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.calibration.classes import Judging, recalibration_measurements, slope_test
from modelops.analyses.calibration.conformal import parts_by_size
from modelops.analyses.calibration.recalibration import linear_recalibration
from modelops.analyses.fairness.data import NO_ROWS, Grouping
from modelops.analyses.measuring import Findings, finite, measured, shown
from modelops.analyses.pending_tests import PendingTest
from modelops.analyses.performance.regression import Quantities
from modelops.analyses.statistics.means import GroupMeans, group_means
from modelops.domain.result import Curve, Measurement, ResultTable, Scope, Series, Shape

Numbers = NDArray[np.float64]


def quantity_findings(data: Quantities, judging: Judging) -> Findings:
    """Measure the calibration of predictions of a quantity over all rows."""
    level = judging.uncertainty.level
    fitted = linear_recalibration(data.predicted, data.truth, data.how)
    found = Findings()
    found.measurements.append(_in_the_large(data, None, {}, level))
    found.measurements += recalibration_measurements(fitted, data.n_rows, {}, level=level)
    reason = fitted.no_line or "It could not be tested."
    judging.overall.append(PendingTest("calibration", {}, fitted.p_value, data.n_rows, reason))
    judging.slopes.append(slope_test(fitted, data.n_rows, {}))
    parts = parts_by_size(data.predicted, parts=judging.bins)
    codes = np.empty(data.n_rows, dtype=np.int64)
    for place, part in enumerate(parts):
        codes[part] = place
    truth = group_means(data.truth, codes, data.how, n_groups=len(parts))
    predicted = group_means(data.predicted, codes, data.how, n_groups=len(parts))
    shares = truth.effective / truth.effective.sum()
    error = float(np.nansum(shares * np.abs(truth.mean - predicted.mean)))
    found.measurements.append(measured("mean_calibration_error", error, size=data.n_rows))
    found.curves.append(_curve(truth, predicted, level))
    found.tables.append(_table(data, parts, truth, predicted, level))
    return found


def _in_the_large(data: Quantities, mine: NDArray[np.intp] | None, scope: Scope, level: float) -> Measurement:
    rows = np.arange(data.n_rows) if mine is None else mine
    how = data.how.of_rows(rows)
    means = group_means(-data.errors[rows], np.zeros(rows.size, dtype=np.int64), how, n_groups=1)
    low, high = means.ends(level=level)
    return measured(
        "calibration_in_the_large",
        float(means.mean[0]),
        size=rows.size,
        scope=scope,
        interval=(float(low[0]), float(high[0])),
        level=level,
        note="Mean target less mean prediction: below 0 where predictions are too high.",
        otherwise=NO_ROWS,
    )


def group_findings(data: Quantities, grouping: Grouping, judging: Judging) -> Findings:
    """Measure the calibration in every group of one grouping."""
    found = Findings()
    level = judging.uncertainty.level
    lines = []
    for group in range(len(grouping.names)):
        mine = np.flatnonzero(grouping.codes == group)
        scope: Scope = {"group": dict(grouping.names[group])}
        large = _in_the_large(data, mine, scope, level)
        fitted = linear_recalibration(data.predicted[mine], data.truth[mine], data.how.of_rows(mine))
        found.measurements.append(large)
        found.measurements += recalibration_measurements(fitted, mine.size, scope, level=level)
        reason = fitted.no_line if mine.size else NO_ROWS
        judging.by_group.append(PendingTest("calibration", scope, fitted.p_value, mine.size, reason or NO_ROWS))
        slope = None if fitted.line is None else fitted.line.slope
        ends = large.interval or (None, None)
        lines.append((grouping.label(group), mine.size, large.value, *ends, shown(slope)))
    found.tables.append(
        ResultTable(
            name=f"groups:{grouping.title}",
            title=f"Calibration by {grouping.title}",
            columns=("group", "rows", "mean target less mean prediction", "low", "high", "slope"),
            rows=tuple(lines),
        )
    )
    known = [line for line in lines if line[2] is not None]
    if known and not grouping.is_intersection:
        found.curves.append(
            Curve(
                name="calibration_in_the_large_by_group",
                title=f"Mean target less mean prediction, by {grouping.title}",
                shape=Shape.FOREST,
                x_title=grouping.title,
                y_title="Below 0: predictions are too high",
                series=(
                    Series(
                        name="target less prediction",
                        x=tuple(line[0] for line in known),
                        y=tuple(line[2] for line in known),
                        low=tuple(line[3] for line in known),
                        high=tuple(line[4] for line in known),
                        size=tuple(line[1] for line in known),
                    ),
                ),
                scope={"feature": grouping.title},
                reference=0.0,
            )
        )
    return found


def _curve(truth: GroupMeans, predicted: GroupMeans, level: float) -> Curve:
    low, high = truth.ends(level=level)
    return Curve(
        name="mean_calibration",
        title="Does what is predicted come true on average?",
        shape=Shape.LINE,
        x_title="Mean prediction",
        y_title="Mean target",
        series=(
            Series(
                name="observed",
                x=finite(predicted.mean),
                y=finite(truth.mean),
                low=finite(low),
                high=finite(high),
                size=tuple(int(size) for size in truth.size),
            ),
        ),
        reference="diagonal",
        note="Bins of equal mass by prediction, with t intervals. Below the diagonal predictions are too high.",
    )


def _table(
    data: Quantities, parts: Sequence[NDArray[np.intp]], truth: GroupMeans, predicted: GroupMeans, level: float
) -> ResultTable:
    low, high = truth.ends(level=level)
    return ResultTable(
        name="bins",
        title="Predictions and what came",
        columns=("prediction from", "to", "rows", "mean prediction", "mean target", "low", "high"),
        rows=tuple(
            (
                float(data.predicted[part].min()),
                float(data.predicted[part].max()),
                part.size,
                shown(float(predicted.mean[place])),
                shown(float(truth.mean[place])),
                shown(float(low[place])),
                shown(float(high[place])),
            )
            for place, part in enumerate(parts)
        ),
    )
