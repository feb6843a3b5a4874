"""Every metric on training rows and on test rows, and by how much it is better where the model has seen the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from modelops.analyses.base import EvaluationData, Sample
from modelops.analyses.measuring import Findings, measured, shown
from modelops.analyses.outcomes import outcomes
from modelops.analyses.performance.regression import quantities
from modelops.analyses.side_by_side import (
    CLASS_METRICS,
    LOW_IS_GOOD,
    NUMBER_METRICS,
    Answers,
    Rows,
    class_rows,
    compared,
    number_rows,
    own_measurements,
)
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.intervals import independent_difference
from modelops.analyses.statistics.paired import Pair
from modelops.domain.columns import Task
from modelops.domain.metric_words import metric_name
from modelops.domain.result import Curve, Measurement, ResultTable, Series, Shape
from modelops.errors import NotMeasured

if TYPE_CHECKING:
    from modelops.analyses.overfitting import OverfittingParameters

_WITH_UNIT = ("mean_absolute_error", "root_mean_squared_error")


@dataclass(frozen=True)
class Split:
    """The metrics on one part of the data."""

    metrics: Mapping[str, Pair]
    n_rows: int
    note: str | None
    dropped: dict[str, int]


def split_of(
    data: EvaluationData, sample: Sample, parameters: OverfittingParameters, uncertainty: Uncertainty, *, seed: int
) -> Split:
    """Measure the predictions on one table.

    Raises
    ------
    NotMeasured
        If it has no target, no prediction, or no row with both.
    """
    rows, answers, dropped = _rows(replace(data, data=sample), parameters, seed)
    if rows.weights is not None and not rows.weights.any():
        raise NotMeasured("Every weight is zero.")
    quality = answers.right(rows.truth) if rows.classes else np.abs(answers.predicted - rows.truth)
    how = rows.weighting(quality)
    pairs = compared(rows, answers, answers, uncertainty, how=how)
    return Split({pair.metric: pair for pair in pairs}, rows.n_rows, how.note, dropped)


def _rows(data: EvaluationData, parameters: OverfittingParameters, seed: int) -> tuple[Rows, Answers, dict[str, int]]:
    if data.data.roles.target is None:
        raise NotMeasured("There is no target column.")
    if data.task is Task.REGRESSION:
        usable = quantities(data.data)
        return *number_rows(usable, data.data, seed=seed), usable.dropped
    found = outcomes(data, threshold=parameters.threshold).labelled()
    if not found.n_rows:
        raise NotMeasured("No row has both a label and a prediction.")
    if found.positive is not None:
        found = found.one_against_rest(found.positive)
    return *class_rows(found, data.data, seed=seed), found.dropped


@dataclass(frozen=True)
class Gap:
    """One metric on both parts; ``value`` is positive where the model is better on training rows."""

    metric: str
    train: Pair
    test: Pair
    value: float
    interval: tuple[float, float] | None


def gaps_of(train: Split, test: Split) -> list[Gap]:
    """Return the gap of every metric; its interval comes from the two intervals, of independent rows."""
    found = []
    for name, there in test.metrics.items():
        here = train.metrics.get(name)
        if here is None or name not in (*CLASS_METRICS, *NUMBER_METRICS):
            continue
        sign = -1 if name in LOW_IS_GOOD else 1
        interval = None
        if here.first_interval and there.first_interval and np.isfinite(here.first - there.first):
            low, high = independent_difference(here.first, here.first_interval, there.first, there.first_interval)
            interval = (low, high) if sign > 0 else (-high, -low)
        found.append(Gap(name, here, there, sign * (here.first - there.first), interval))
    return found


def gap_findings(train: Split, test: Split, gaps: Sequence[Gap], *, level: float) -> Findings:
    """Return the numbers, the table and the charts of the gaps."""
    found = Findings(notes=[f"{name}: {one.note}" for name, one in (("Train", train), ("Test", test)) if one.note])
    for name, split in (("train", train), ("test", test)):
        found.measurements += own_measurements(split.metrics.values(), {"split": name}, level=level)
    found.measurements += [
        measured(
            f"{gap.metric}_gap",
            gap.value,
            size=min(gap.train.size, gap.test.size),
            interval=gap.interval,
            level=level,
            otherwise=gap.train.reason if np.isnan(gap.train.first) else gap.test.reason,
        )
        for gap in gaps
    ]
    rows = []
    for gap in gaps:
        if np.isnan(gap.train.first) and np.isnan(gap.test.first):
            continue  # a metric that this task does not have
        low, high = gap.interval or (None, None)
        numbers = (gap.train.first, gap.test.first, gap.value, low, high)
        rows.append((metric_name(gap.metric), *map(shown, numbers), gap.train.size, gap.test.size))
    found.tables.append(
        ResultTable(
            name="gaps",
            title="Training rows against test rows",
            columns=("metric", "train", "test", "better on train by", "low", "high", "train rows", "test rows"),
            rows=tuple(rows),
        )
    )
    found.curves.append(_chart([gap for gap in gaps if gap.metric not in _WITH_UNIT and np.isfinite(gap.value)]))
    return found


def _chart(gaps: Sequence[Gap]) -> Curve:
    return Curve(
        name="gaps",
        title="How much better the model is on rows that it was trained on",
        shape=Shape.FOREST,
        x_title="Metric",
        y_title="Better on training rows by",
        series=(
            Series(
                name="gap",
                x=tuple(metric_name(gap.metric) for gap in gaps),
                y=tuple(gap.value for gap in gaps),
                low=tuple(gap.interval[0] if gap.interval else None for gap in gaps),
                high=tuple(gap.interval[1] if gap.interval else None for gap in gaps),
            ),
        ),
        reference=0.0,
    )


def without_training(test: Split, reason: str, *, level: float) -> list[Measurement]:
    """Return what can be said without training rows: the test side, and that the gap is not measured."""
    found = own_measurements(test.metrics.values(), {"split": "test"}, level=level)
    for name in test.metrics:
        if name in (*CLASS_METRICS, *NUMBER_METRICS):
            found.append(measured(name, None, size=0, scope={"split": "train"}, otherwise=reason))
            found.append(measured(f"{name}_gap", None, size=0, otherwise=reason))
    return found
