"""The labels themselves: how many have come, how late, and whether the labelled rows are like the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from modelops.analyses.base import EvaluationData, Run, Sample, Source
from modelops.analyses.drift import DRIFT, DriftParameters
from modelops.analyses.ground_truth.periods import DAY, Periods, moments_of
from modelops.analyses.ground_truth.rows import Said
from modelops.analyses.measuring import Findings, inapplicable, measured
from modelops.analyses.statistics.intervals import Interval, normal_quantile, wilson
from modelops.domain.columns import ColumnRoles
from modelops.domain.number_words import percent
from modelops.domain.result import Measurement, ResultTable, Scope
from modelops.errors import InvalidInput, NotMeasured

DELAY_SHARES = (0.5, 0.9)
_ALL_LABELLED = "Every row whose label should have come by now has one."
_NONE_LABELLED = "No row whose label should have come by now has one."
_BIAS = (
    *("label_bias", "label_bias_adjusted_p_value"),
    *("label_bias_classifier_roc_auc", "label_bias_classifier_p_value", "label_bias_share"),
)

Numbers = NDArray[np.float64]


def coverage_measurements(rows: Said, found: Periods, *, level: float) -> Iterator[Measurement]:
    """Measure which share of the rows has a label, over all and by period."""
    labelled = rows.labelled
    for place, scope in [(-1, {}), *((place, {"period": label}) for place, label in enumerate(found.labels))]:
        mine = labelled if place < 0 else labelled[found.codes == place]
        yield measured(
            "label_coverage",
            float(mine.mean()) if mine.size else None,
            size=mine.size,
            scope=scope,
            interval=wilson(int(mine.sum()), mine.size, level=level) if mine.size else None,
            level=level,
            otherwise="There are no rows.",
        )


@dataclass(frozen=True)
class Delays:
    """Days from prediction to label: ``days`` waited so far, and whether the label has ``come`` by then."""

    days: Numbers
    come: NDArray[np.bool_]
    early: int


def delays(rows: Said, found: Periods, column: str) -> Delays:
    """Return how long each row waited for its label; rows without one have waited until the last time known.

    Raises
    ------
    InvalidInput
        If there is no such column.
    NotMeasured
        If prediction or label times are not dates.
    """
    if column not in rows.sample.source.names:
        raise InvalidInput(f"The table has no column {column!r} with the times of the labels.")
    moments, dated = moments_of(rows.sample, column)
    if not dated or not found.dated:
        raise NotMeasured("Delays of labels need dates, both of the predictions and of the labels.")
    moments = moments[rows.rows]
    until = np.nanmax(np.append(moments[np.isfinite(moments)], found.moments[np.isfinite(found.moments)]))
    come = rows.labelled & np.isfinite(moments)
    waited = (np.where(come, moments, until) - found.moments) / DAY
    usable = np.isfinite(waited) & (come | ~rows.labelled)
    early = int(np.count_nonzero(usable & come & (waited < 0)))
    return Delays(np.maximum(waited[usable], 0.0), come[usable], early)


def waiting_time(found: Delays, share: float, *, level: float) -> tuple[float | None, Interval | None]:
    """Return after how many days ``share`` of the labels have come, with its interval (Kaplan-Meier).

    Labels that have not come yet count for as long as they have been waited for: leaving them out would make labels
    look faster than they are. ``None`` where so many have not come yet.

    References
    ----------
    E. L. Kaplan, P. Meier, JASA 53, 1958; R. Brookmeyer, J. Crowley, Biometrics 38, 1982 (interval).

    Examples
    --------
    >>> waiting_time(Delays(np.array([1.0, 2, 3, 4]), np.array([True, True, True, False]), 0), 0.5, level=0.95)[0]
    2.0
    """
    times, place = np.unique(found.days, return_inverse=True)
    events = np.bincount(place, weights=found.come, minlength=times.size)
    at_risk = found.days.size - np.append(0, np.cumsum(np.bincount(place, minlength=times.size))[:-1])
    still = np.cumprod(1 - events / at_risk)
    reached = np.flatnonzero(still <= 1 - share + 1e-12)
    if not reached.size:
        return None, None
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        error = still * np.sqrt(greenwood)
    z = normal_quantile(level)
    inside = np.flatnonzero(np.abs(still - (1 - share)) <= z * np.nan_to_num(error, nan=np.inf))
    value = float(times[reached[0]])
    if not inside.size:
        return value, None
    return value, (min(value, float(times[inside[0]])), max(value, float(times[inside[-1]])))


def delay_measurements(found: Delays | str, *, level: float) -> Iterator[Measurement]:
    """Measure the delay of labels; a text says why it is not known."""
    for share in DELAY_SHARES:
        scope: Scope = {"quantile": share}
        if isinstance(found, str):
            yield measured("label_delay_days", None, size=0, scope=scope, otherwise=found)
            continue
        value, interval = waiting_time(found, share, level=level) if found.days.size else (None, None)
        yield measured(
            "label_delay_days",
            value,
            size=found.days.size,
            scope=scope,
            interval=interval,
            level=level,
            unit="days",
            otherwise=f"Fewer than {percent(share)} of the labels have come.",
        )
    if not isinstance(found, str):
        come = int(found.come.sum())
        note = "Labels that are older than their prediction: the model may have known the outcome."
        yield measured(
            "label_before_prediction_share",
            found.early / come if come else None,
            size=come,
            note=note,
            otherwise="No label has come yet.",
        )


@dataclass(frozen=True)
class _Rows:
    """Some rows of a table, structurally a `Source`."""

    whole: Source
    rows: NDArray[np.intp]

    @property
    def n_rows(self) -> int:
        return self.rows.size

    @property
    def names(self) -> tuple[str, ...]:
        return self.whole.names

    def column(self, name: str) -> pa.ChunkedArray:
        return self.whole.column(name).take(pa.array(self.rows))


def bias_findings(data: EvaluationData, rows: Said, old_enough: NDArray[np.bool_], run: Run, *, most: int) -> Findings:
    """Compare labelled with unlabelled rows, column by column and by a classifier, as `drift` does.

    Only rows whose label should have come by now (``old_enough``) are compared: that recent rows wait is no bias.
    """
    labelled = rows.labelled
    with_label, without = rows.rows[labelled & old_enough], rows.rows[~labelled & old_enough]
    if not with_label.size:
        reason = _NONE_LABELLED if rows.has_target else "There is no target column, so no row is labelled."
        return Findings([measured(name, None, size=0, otherwise=reason) for name in _BIAS])
    if not without.size:
        return Findings([inapplicable(name, _ALL_LABELLED, size=with_label.size) for name in _BIAS])
    roles = data.data.roles
    compared = ColumnRoles(
        features=tuple(name for name in roles.features if name != roles.time),
        prediction=roles.prediction,
        scores=roles.scores,
        score_classes=roles.score_classes,
    )
    sides = [Sample(_Rows(data.data.source, mine), compared) for mine in (with_label, without)]
    parameters = DriftParameters(rows=max(most, 200), overlays=0)
    try:
        found = DRIFT.compute(
            EvaluationData(data=sides[1], task=data.task, reference=sides[0]), parameters, Run(seed=run.seed)
        )
    except NotMeasured as reason:
        return Findings([measured(name, None, size=0, otherwise=str(reason)) for name in _BIAS])
    return _renamed(found.measurements, with_label.size, without.size)


_TAKEN = {
    "domain_classifier_roc_auc": "label_bias_classifier_roc_auc",
    "domain_classifier_p_value": "label_bias_classifier_p_value",
    "drifted_feature_share": "label_bias_share",
    "cramers_v": "label_bias",
    "kolmogorov_smirnov_statistic": "label_bias",
    "adjusted_p_value": "label_bias_adjusted_p_value",
}


def _renamed(measurements: tuple[Measurement, ...], n_with: int, n_without: int) -> Findings:
    found: dict[tuple[str, str], Measurement] = {}
    for one in measurements:
        if one.metric not in _TAKEN or not set(one.scope) <= {"feature", "prediction", "score"}:
            continue
        name = str(next(iter(one.scope.values()), ""))
        key = (_TAKEN[one.metric], name)
        if key not in found or found[key].value is None:
            scope: Scope = {"feature": name} if name else {}
            found[key] = one.model_copy(update={"metric": key[0], "scope": scope})
    names = sorted(
        {name for _, name in found if name}, key=lambda name: (-_size(found.get(("label_bias", name))), name)
    )
    nothing = Measurement(metric="label_bias", value=None, sample_size=0, note="not compared")
    rows = [(name, *(found.get((metric, name), nothing).value for metric in _PER_COLUMN)) for name in names]
    table = ResultTable(
        name="label_bias",
        title="Are the labelled rows like the others?",
        columns=("column", "difference", "adjusted p"),
        rows=tuple(rows),
        note=f"{n_with:,} labelled rows against {n_without:,} that should have a label by now and have none.",
    )
    return Findings(list(found.values()), tables=[table])


_PER_COLUMN = ("label_bias", "label_bias_adjusted_p_value")


def _size(one: Measurement | None) -> float:
    return one.value if one is not None and one.value is not None else 0.0
