"""One run of `ground_truth`: reads the rows, hands them to those who measure, collects what they found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Computed, EvaluationData, Run
from modelops.analyses.ground_truth.comparing import (
    Band,
    Bands,
    Losses,
    bands_of,
    loss_measurements,
    losses,
    trend_measurements,
)
from modelops.analyses.ground_truth.display import coverage_curve, metric_curve, periods_table, value_curve
from modelops.analyses.ground_truth.estimates import Estimated
from modelops.analyses.ground_truth.estimating import NO_LABELS, Estimating
from modelops.analyses.ground_truth.labels import (
    Delays,
    bias_findings,
    coverage_measurements,
    delay_measurements,
    delays,
    waiting_time,
)
from modelops.analyses.ground_truth.metrics_over_time import OverTime, over_time
from modelops.analyses.ground_truth.periods import DAY, periods
from modelops.analyses.ground_truth.rows import said
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.performance.value import matrix_from_text
from modelops.analyses.statistics.means import group_means
from modelops.domain.metric_words import metric_phrase
from modelops.domain.number_words import percent, quantity
from modelops.domain.result import Measurement, Scope
from modelops.errors import InvalidInput, NotMeasured

if TYPE_CHECKING:
    from modelops.analyses.ground_truth import GroundTruthParameters

_MATURE = 0.9
NO_VALUE = "No business value is set."

Numbers = NDArray[np.float64]


class Study:
    """What is looked at and what was found."""

    def __init__(self, data: EvaluationData, parameters: GroundTruthParameters, run: Run) -> None:
        time = data.data.roles.time
        if time is None:
            raise NotMeasured("Performance over time needs a time column; there is none.")
        self.data, self.parameters, self.run = data, parameters, run
        self.level = parameters.level
        run.progress(0.02, "Reading predictions and labels")
        now, self.reference = said(data)
        every = periods(data.data, time, now.rows, every=parameters.period, rows_per_period=parameters.rows_per_period)
        known = every.codes >= 0
        self.dropped = dict(now.dropped)
        if lost := int(np.count_nonzero(~known)):
            self.dropped["the time is missing"] = lost
        self.now = now.kept(known)
        self.periods = type(every)(every.codes[known], every.labels, every.moments[known], every.dated)
        self.found = Findings(notes=list(now.notes))
        if now.how.note:
            self.found.notes.append(now.how.note)
        self.metric = self._metric()

    def _metric(self) -> str:
        wanted = self.parameters.metric
        of_quantities = wanted in {"mean_absolute_error", "root_mean_squared_error"}
        if wanted == "automatic":
            if not self.now.classes:
                return "mean_absolute_error"
            return "roc_auc" if len(self.now.classes) == 2 and self.now.scores is not None else "accuracy"
        if of_quantities == bool(self.now.classes):
            task = "a classification" if self.now.classes else "a regression"
            raise InvalidInput(f"The metric {wanted!r} does not fit {task}.")
        if wanted == "roc_auc" and len(self.now.classes) != 2:
            raise InvalidInput("The area under the ROC curve is for two classes; choose accuracy or log_loss.")
        return wanted

    def computed(self) -> Computed:
        """Measure everything."""
        labelled = self.now.labelled
        self.found.measurements += coverage_measurements(self.now, self.periods, level=self.level)
        waited = self._delays()
        self.found.measurements += delay_measurements(waited, level=self.level)
        self.run.progress(0.15, "Measuring every period")
        overs = self._measured(labelled)
        bands = bands_of(self.reference)
        self.found.notes += [bands.note] if bands.note else []
        band = bands.of(self.metric)
        primary = next((one for one in overs if one.metric == self.metric), None)
        told = self._against_reference(primary, band)
        self.run.progress(0.35, "Estimating without labels")
        estimating = Estimating(self.now, self.reference, self.periods, bands, self.level)
        found, estimated = estimating.findings(
            self.metric, overs, seed=self.run.seed, most=self.parameters.rows, matrix=self._matrix()
        )
        self.found.add(found)
        self._curves(overs, estimated, bands)
        self.found.tables.append(periods_table(overs, told, [one for one, _ in estimated], labelled, self.periods))
        self._value(labelled)
        if labelled.any() and not labelled.all():
            self.found.curves.append(coverage_curve(labelled, self.periods))
        self.run.progress(0.7, "Comparing labelled with unlabelled rows")
        old = self._old_enough(waited)
        self.found.add(bias_findings(self.data, self.now, old, self.run, most=self.parameters.rows))
        summary = self._summary(primary, band, told, estimated)
        return self.found.computed(summary, dropped=self.dropped)

    def _delays(self) -> Delays | str:
        if self.parameters.label_time is None:
            return "No column with the times of the labels is named."
        try:
            return delays(self.now, self.periods, self.parameters.label_time)
        except NotMeasured as reason:
            return str(reason)

    def _old_enough(self, waited: Delays | str) -> NDArray[np.bool_]:
        days = self.parameters.label_days
        if days is None and not isinstance(waited, str) and waited.days.size:
            days, _ = waiting_time(waited, _MATURE, level=self.level)
        if days is None or not self.periods.dated:
            if self.now.has_target and not self.now.labelled.all():
                self.found.notes.append(
                    "How long labels take is not known, so recent rows that still wait count as unlabelled."
                )
            return np.ones(self.now.size, dtype=bool)
        age = (np.nanmax(self.periods.moments) - self.periods.moments) / DAY
        self.found.notes.append(f"Labelled and unlabelled rows are compared from an age of {days:.3g} days on.")
        return np.asarray(age >= days)

    def _measured(self, labelled: NDArray[np.bool_]) -> list[OverTime]:
        mine = self.now.kept(labelled)
        if not mine.size or (mine.how.weights is not None and not mine.how.weights.any()):
            reason = NO_LABELS if self.now.has_target else "There is no target column."
            self.found.measurements.append(measured(self.metric, None, size=0, otherwise=reason))
            return []
        codes = self.periods.codes[labelled]
        fewest = self.parameters.fewest_labels
        whole = over_time(mine, np.zeros(mine.size, dtype=np.int64), 1, fewest=1)
        overs = over_time(mine, codes, self.periods.count, fewest=fewest)
        for one in whole:
            self.found.measurements.append(self._one(one, 0, {}))
        for one in overs:
            for place, label in enumerate(self.periods.labels):
                self.found.measurements.append(self._one(one, place, {"period": label}))
        return overs

    def _one(self, over: OverTime, place: int, scope: Scope) -> Measurement:
        size = int(over.sizes[place])
        few = 0 < size < self.parameters.fewest_labels and bool(scope)
        reason = f"Only {size} rows of this period have a label." if few else over.reason
        return measured(
            over.metric,
            float(over.values[place]),
            size=size,
            scope=scope,
            interval=over.interval(place, level=self.level),
            level=self.level,
            otherwise=reason if size else "No row of this period has a label.",
        )

    def _against_reference(self, primary: OverTime | None, band: Band | str) -> Losses | str:
        empty = np.full(self.periods.count, np.nan)
        nothing = OverTime(self.metric, empty, empty, np.zeros(empty.size, dtype=np.int64), empty, NO_LABELS)
        over = nothing if primary is None else primary
        told: Losses | str = NO_LABELS if primary is None else ""
        if primary is not None:
            told = band if isinstance(band, str) else losses(primary, band, level=self.level)
        self.found.measurements += loss_measurements(told, over, band, self.periods, level=self.level)
        self.found.measurements += trend_measurements(over, level=self.level)
        return told

    def _curves(self, overs: Sequence[OverTime], estimated: Sequence[tuple[Estimated, Numbers]], bands: Bands) -> None:
        names = list(
            dict.fromkeys([self.metric, *(one.metric for one in overs), *(one.metric for one, _ in estimated)])
        )
        sizes = np.bincount(self.periods.codes, minlength=self.periods.count)
        for name in names:
            curve = metric_curve(
                next((one for one in overs if one.metric == name), None),
                next((each for each in estimated if each[0].metric == name), None),
                bands.of(name),
                self.periods,
                name=name,
                sizes=sizes,
                level=self.level,
            )
            self.found.curves += [curve] if curve is not None else []

    def _matrix(self) -> Numbers | None:
        return matrix_from_text(self.parameters.value_matrix, self.now.classes) if self.now.classes else None

    def _value(self, labelled: NDArray[np.bool_]) -> None:
        each = self._row_values()
        names = ("business_value_per_row", "business_value")
        if each is None or not labelled.any():
            reason = NO_VALUE if each is None else NO_LABELS
            self.found.measurements += [measured(name, None, size=0, otherwise=reason) for name in names]
            return
        mine = self.now.kept(labelled)
        codes = self.periods.codes[labelled]
        means = group_means(each[labelled], codes, mine.how, n_groups=self.periods.count)
        low, high = means.ends(level=self.level)
        for place, label in enumerate(self.periods.labels):
            size = int(means.size[place])
            for name, scale in zip(names, (1.0, float(size)), strict=True):
                self.found.measurements.append(
                    measured(
                        name,
                        float(means.mean[place]) * scale,
                        size=size,
                        scope={"period": label},
                        interval=(float(low[place]) * scale, float(high[place]) * scale),
                        level=self.level,
                        unit="value",
                        otherwise="No row of this period has a label.",
                    )
                )
        self.found.curves.append(value_curve(means.mean, low, high, means.size, self.periods))

    def _row_values(self) -> Numbers | None:
        if self.now.classes:
            matrix = self._matrix()
            if matrix is None:
                return None
            return np.asarray(matrix[self.now.truth.astype(np.int64), self.now.predicted.astype(np.int64)])
        over, under = self.parameters.cost_over, self.parameters.cost_under
        if over is None and under is None:
            return None
        errors = self.now.predicted.astype(np.float64) - self.now.truth.astype(np.float64)
        return -np.where(errors > 0, (over or 0.0) * errors, -(under or 0.0) * errors)

    def _summary(
        self,
        primary: OverTime | None,
        band: Band | str,
        told: Losses | str,
        estimated: Sequence[tuple[Estimated, Numbers]],
    ) -> str:
        name = metric_phrase(self.metric)
        share = float(self.now.labelled.mean())
        start = f"{percent(share)} of {self.now.size:,} rows in {self.periods.count} periods have a label"
        known = np.flatnonzero(np.isfinite(primary.values)) if primary is not None else np.zeros(0, dtype=np.intp)
        if primary is None or not known.size:
            guess = next((one for one, _ in estimated if one.metric == self.metric), None)
            values = [] if guess is None else [value for value in guess.values if np.isfinite(value)]
            if not values:
                return f"{start}; how good the predictions are is not known."
            return f"{start}; until labels come, {name} is estimated at {_span(min(values), max(values))}."
        span = f"{name} was {_span(primary.values[known].min(), primary.values[known].max())}"
        if isinstance(told, str) or isinstance(band, str):
            return f"{start}; {span} by period. There is no reference to compare with."
        alarms = np.flatnonzero(np.nan_to_num(told.adjusted, nan=1.0) < 1 - self.level)
        text = f"{start}; {span} by period, {quantity(band.value, digits=3)} in the reference"
        if not alarms.size:
            return f"{text}: no period is worse than chance explains."
        first = self.periods.labels[int(alarms[0])]
        return f"{text}: {alarms.size} of {known.size} periods are worse by more than chance, the first is {first}."


def _span(low: float, high: float) -> str:
    return f"{quantity(low, digits=3)} to {quantity(high, digits=3)}"
