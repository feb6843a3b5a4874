"""Estimates by period with their lamp of validity, held against the truth where labels have come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.ground_truth.comparing import Bands
from modelops.analyses.ground_truth.estimates import ConfidenceBased, DirectLoss, Estimated
from modelops.analyses.ground_truth.metrics_over_time import OverTime, possible
from modelops.analyses.ground_truth.periods import Periods
from modelops.analyses.ground_truth.rows import Said
from modelops.analyses.ground_truth.validity import age_measurement, out_of_support, support_measurements
from modelops.analyses.measuring import Findings, measured
from modelops.domain.number_words import percent
from modelops.domain.result import Measurement, Scope
from modelops.errors import NotMeasured

NO_LABELS = "No row has a label yet."

Numbers = NDArray[np.float64]
Estimator = ConfidenceBased | DirectLoss


@dataclass(frozen=True)
class Estimating:
    """What estimates are made from."""

    now: Said
    reference: Said | str
    periods: Periods
    bands: Bands
    level: float

    def findings(
        self, metric: str, overs: Sequence[OverTime], *, seed: int, most: int, matrix: Numbers | None
    ) -> tuple[Findings, list[tuple[Estimated, Numbers]]]:
        """Return what was found, and the estimates by period with the half widths of their intervals."""
        found = self._validity()
        try:
            estimator = self._estimator(seed=seed, most=most)
        except NotMeasured as reason:
            missing = measured(f"estimated_{metric}", None, size=self.now.size, otherwise=str(reason))
            found.measurements.append(missing)
            return found, []
        if isinstance(estimator, DirectLoss):
            found.notes += [estimator.note] if estimator.note else []
        elif matrix is not None:
            found.measurements += self._value(estimator, matrix)
        codes, count = self.periods.codes, self.periods.count
        whole = np.zeros(codes.size, dtype=np.int64)
        for one in estimator.over(whole, 1):
            half = self._half_width(one.metric, whole, 1)
            found.measurements.append(self._measurement(one, half, 0, codes.size, {}))
        estimated = [(one, self._half_width(one.metric, codes, count)) for one in estimator.over(codes, count)]
        sizes = np.bincount(codes, minlength=count)
        for one, half in estimated:
            for place, label in enumerate(self.periods.labels):
                found.measurements.append(self._measurement(one, half, place, int(sizes[place]), {"period": label}))
        truth = next((over for over in overs if over.metric == metric), None)
        found.measurements += self._held_against_truth(estimator, metric, truth)
        return found, estimated

    def _validity(self) -> Findings:
        found = Findings()
        outside: NDArray[np.bool_] | str = str(self.reference)
        if not isinstance(self.reference, str):
            outside, table = out_of_support(self.now, self.reference)
            found.tables += [table] if table.rows else []
        found.measurements += support_measurements(outside, self.now, self.reference, self.periods, level=self.level)
        found.measurements.append(age_measurement(self.now, self.reference, self.periods))
        return found

    def _estimator(self, *, seed: int, most: int) -> Estimator:
        if isinstance(self.reference, str):
            raise NotMeasured(self.reference)
        if self.now.classes:
            return ConfidenceBased(self.now, self.reference)
        return DirectLoss(self.now, self.reference, seed=seed, most=most)

    def _half_width(self, metric: str, codes: NDArray[np.int64], count: int) -> Numbers:
        weights = np.ones(codes.size) if self.now.how.weights is None else self.now.how.weights
        known = codes >= 0
        effective = np.bincount(codes[known], weights=weights[known], minlength=count) / self.now.how.design_effect
        return self.bands.half_width(metric, effective, level=self.level)

    def _measurement(self, one: Estimated, half: Numbers, place: int, size: int, scope: Scope) -> Measurement:
        value = float(one.values[place])
        return measured(
            f"estimated_{one.metric}",
            value,
            size=size,
            scope=scope,
            interval=(
                possible(one.metric, value - float(half[place])),
                possible(one.metric, value + float(half[place])),
            ),
            level=self.level,
            note=None if scope else "Valid as long as labels follow scores and features as in the reference.",
            otherwise=one.reason,
        )

    def _value(self, estimator: ConfidenceBased, matrix: Numbers) -> list[Measurement]:
        values = estimator.value(self.periods.codes, self.periods.count, matrix)
        sizes = np.bincount(self.periods.codes, minlength=self.periods.count)
        return [
            measured(
                "estimated_business_value_per_row",
                float(values[place]),
                size=int(sizes[place]),
                scope={"period": label},
                unit="value",
            )
            for place, label in enumerate(self.periods.labels)
        ]

    def _held_against_truth(self, estimator: Estimator, metric: str, truth: OverTime | None) -> list[Measurement]:
        """Compare with what the labels say, on the labelled rows alone."""
        names = ("estimation_error", "estimation_coverage")
        if truth is None:
            return [measured(name, None, size=0, otherwise=NO_LABELS) for name in names]
        codes = np.where(self.now.labelled, self.periods.codes, -1)
        count = self.periods.count
        estimate = next(one for one in estimator.over(codes, count) if one.metric == metric)
        errors = estimate.values - truth.values
        half = self._half_width(metric, codes, count)
        known = np.isfinite(errors) & np.isfinite(half)
        reason = "Too few rows of this period have a label."
        found = [
            measured(
                names[0], float(errors[place]), size=int(truth.sizes[place]), scope={"period": label}, otherwise=reason
            )
            for place, label in enumerate(self.periods.labels)
        ]
        inside = float(np.mean(np.abs(errors[known]) <= half[known])) if known.any() else None
        note = f"If the estimates hold, about {percent(self.level)}."
        otherwise = "No period has enough labels."
        return [*found, measured(names[1], inside, size=int(known.sum()), note=note, otherwise=otherwise)]
