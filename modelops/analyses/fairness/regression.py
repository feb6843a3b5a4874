"""Fairness of predicted quantities: mean prediction and error by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.fairness.data import NO_ROWS, NO_TARGET, Grouping
from modelops.analyses.measuring import Findings, finite, measured, shown
from modelops.analyses.pending_tests import PendingTest
from modelops.analyses.performance.regression import LARGEST
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.gaps import spread_of_estimates
from modelops.analyses.statistics.intervals import LEVEL
from modelops.analyses.statistics.means import GroupMeans, group_means
from modelops.analyses.statistics.weighting import Weighting, row_entities, row_weights, weighting
from modelops.domain.metric_words import metric_phrase
from modelops.domain.result import Curve, Measurement, ResultTable, Scope, Series, Shape
from modelops.errors import NotMeasured

_TITLES = {
    "mean_prediction": "Mean prediction",
    "mean_target": "Mean target",
    "mean_error": "Mean error (prediction minus target)",
    "mean_absolute_error": "Mean absolute error",
    "root_mean_squared_error": "Root mean squared error",
}

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class PredictedQuantities:
    """The rows that have a prediction; ``errors`` is NaN without target."""

    predicted: Numbers
    errors: Numbers
    rows: NDArray[np.intp]
    how: Weighting
    has_target: bool
    dropped: dict[str, int]


def predicted_quantities(sample: Sample) -> PredictedQuantities:
    """Read predictions and, where there are any, targets.

    Raises
    ------
    NotMeasured
        If there is no prediction column, or no row with a prediction.
    """
    roles = sample.roles
    if roles.prediction is None:
        raise NotMeasured("There is no prediction column, so there is nothing to compare between groups.")
    predicted, weights, entities = sample.numbers(roles.prediction), row_weights(sample), row_entities(sample)
    truth = np.full(predicted.size, np.nan) if roles.target is None else sample.numbers(roles.target)
    kept = np.abs(predicted) < LARGEST
    dropped = {"the prediction is missing or infinite": int(np.count_nonzero(~kept))}
    if weights is not None:
        dropped["the weight is missing, negative or infinite"] = int(np.count_nonzero(kept & np.isnan(weights)))
        kept &= ~np.isnan(weights)
    if not kept.any() or (weights is not None and not weights[kept].any()):
        raise NotMeasured("No row has a usable prediction.")
    known = np.abs(truth) < LARGEST
    errors = np.where(known, predicted - np.where(known, truth, 0.0), np.nan)[kept]
    mine = None if entities is None else np.unique(entities[kept], return_inverse=True)[1]
    how = weighting(None if weights is None else weights[kept], mine, predicted[kept])
    counted = {reason: count for reason, count in dropped.items() if count}
    return PredictedQuantities(predicted[kept], errors, np.flatnonzero(kept), how, roles.target is not None, counted)


def quantity_findings(
    data: PredictedQuantities, grouping: Grouping, *, uncertainty: Uncertainty
) -> tuple[Findings, list[PendingTest]]:
    """Measure prediction and error of every group, and how far apart the groups are."""
    found, tests = Findings(), []
    columns = {
        "mean_prediction": data.predicted,
        "mean_target": data.predicted - data.errors,
        "mean_error": data.errors,
        "mean_absolute_error": np.abs(data.errors),
        "root_mean_squared_error": data.errors**2,
    }
    lines: dict[int, list[float | None]] = {group: [] for group in range(len(grouping.names))}
    for metric, values in columns.items():
        means = group_means(values, grouping.codes, data.how, n_groups=len(grouping.names))
        rooted = metric == "root_mean_squared_error"
        labelled = metric != "mean_prediction"
        reasons = [NO_TARGET if labelled and not data.has_target else NO_ROWS for _ in grouping.names]
        found.add(_by_group(metric, means, grouping, reasons, uncertainty, rooted=rooted))
        for group, mean in enumerate(means.mean):
            lines[group].append(shown(float(np.sqrt(mean) if rooted else mean)))
        if not rooted:
            gap, test = _gap(metric, means, grouping, reasons, uncertainty)
            found.measurements.append(gap)
            tests.append(test)
        if metric == "mean_error":
            found.measurements.append(_standardized(gap, data))
    counts = np.bincount(grouping.codes[grouping.codes >= 0], minlength=len(grouping.names))
    found.tables.append(
        ResultTable(
            name=f"groups:{grouping.title}",
            title=f"Predictions and errors by {grouping.title}",
            columns=("group", "rows", *map(metric_phrase, columns)),
            rows=tuple((grouping.label(group), int(counts[group]), *line) for group, line in lines.items()),
        )
    )
    return found, tests


def _by_group(
    metric: str, means: GroupMeans, grouping: Grouping, reasons: list[str], uncertainty: Uncertainty, *, rooted: bool
) -> Findings:
    found = Findings()
    values = means.mean
    low, high = means.ends(level=uncertainty.level)
    if rooted:
        values, low, high = (np.sqrt(np.maximum(column, 0)) for column in (values, low, high))
    for group in range(values.size):
        found.measurements.append(
            measured(
                metric,
                float(values[group]),
                size=int(means.size[group]),
                scope={"group": dict(grouping.names[group])},
                interval=(float(low[group]), float(high[group])),
                level=uncertainty.level,
                otherwise=reasons[group],
            )
        )
    if np.isfinite(values).any() and not grouping.is_intersection:
        found.curves.append(
            Curve(
                name=metric,
                title=f"{_TITLES[metric]} by {grouping.title}",
                shape=Shape.FOREST,
                x_title=grouping.title,
                y_title=_TITLES[metric],
                series=(
                    Series(
                        name=_TITLES[metric],
                        x=tuple(grouping.label(group) for group in range(values.size)),
                        y=finite(values),
                        low=finite(low),
                        high=finite(high),
                        size=tuple(int(size) for size in means.size),
                    ),
                ),
                scope={"feature": grouping.title},
                reference=0.0 if metric == "mean_error" else None,
            )
        )
    return found


def _gap(
    metric: str, means: GroupMeans, grouping: Grouping, reasons: list[str], uncertainty: Uncertainty
) -> tuple[Measurement, PendingTest]:
    scope: Scope = {"feature": grouping.title}
    usable = np.flatnonzero(np.isfinite(means.error))
    name = f"{metric}_difference"
    if usable.size < 2:
        absent = not np.isfinite(means.mean).any() and reasons
        reason = reasons[0] if absent else "Fewer than two groups have at least two rows."
        size = int(means.size.sum())
        missing = measured(name, None, size=size, scope=scope, otherwise=reason)
        return missing, PendingTest(metric, scope, None, size, reason)
    mean, error = means.mean[usable], means.error[usable]
    drawn = uncertainty.rng.normal(mean, error, size=(uncertainty.draws, usable.size))
    gap, interval = spread_of_estimates(mean, drawn, level=uncertainty.level)
    size = int(min(means.size[usable[np.argmin(mean)]], means.size[usable[np.argmax(mean)]]))
    found = measured(name, gap, size=size, scope=scope, interval=interval, level=uncertainty.level)
    return found, PendingTest(metric, scope, means.p_value(), size)


def _standardized(gap: Measurement, data: PredictedQuantities) -> Measurement:
    """The gap in the mean error in standard deviations of the target, which compares across units."""
    truth = (data.predicted - data.errors)[np.isfinite(data.errors)]
    deviation = float(truth.std()) if truth.size else 0.0
    usable = gap.value is not None and deviation > 0
    return measured(
        f"standardized_{gap.metric}",
        (gap.value or 0.0) / deviation if usable else None,
        size=gap.sample_size,
        scope=gap.scope,
        interval=(gap.interval[0] / deviation, gap.interval[1] / deviation) if usable and gap.interval else None,
        level=gap.level or LEVEL,
        unit="standard deviations of the target",
        otherwise=gap.note if gap.value is None and gap.note else "The target is the same in every row.",
    )
