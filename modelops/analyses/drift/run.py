"""One run of the drift analysis: reads the columns, hands them to those who compare, collects what they found."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from modelops.analyses.base import Computed, EvaluationData, Run, Sample
from modelops.analyses.cores.arrow_numbers import Kind
from modelops.analyses.drift.classifier import DomainClassifier, domain_classifier
from modelops.analyses.drift.columns import ColumnDrift, Settings, Subject, compare_column
from modelops.analyses.drift.display import forest, overlay, summary, tables
from modelops.analyses.drift.findings import Judged, Margins, judge_family
from modelops.analyses.drift.importance import Importance, given_importance, model_importance
from modelops.analyses.drift.measurements import classifier_measurements, column_measurements, share_measurement
from modelops.analyses.drift.rehearsal import (
    Rehearsal,
    rehearsal_curve,
    rehearsal_measurements,
    rehearsal_sentence,
    rehearsal_table,
    rehearse,
)
from modelops.analyses.drift.sampling import EncodedColumn, RowSample, assemble, draw_rows, encode_column
from modelops.analyses.drift.time import TimeOrder, time_order
from modelops.analyses.measuring import Findings, inapplicable
from modelops.errors import InvalidInput, NotMeasured

if TYPE_CHECKING:
    from modelops.analyses.drift import DriftParameters

_WORKERS = 2


@dataclass
class Comparing:
    """One comparison of the ``current`` table with the ``reference``."""

    data: EvaluationData
    current: Sample
    reference: Sample
    parameters: DriftParameters
    run: Run

    def __post_init__(self) -> None:
        self.findings = Findings()
        self.features = tuple(dict.fromkeys((*self.current.roles.features, *self.reference.roles.features)))
        self.margins = Margins(self.parameters.alpha, self.parameters.margin, self.parameters.missing_margin)

    def computed(self) -> Computed:
        """Compare everything that has a role and return what was found."""
        subjects = [Subject("feature", name) for name in self.features]
        outputs = list(self._outputs())
        if not subjects and not outputs:
            raise NotMeasured("No column has the role of a feature, a prediction or a score: choose what to compare.")
        importance = self._importance()
        orders = self._orders()
        sample = self._sample(orders)
        drifts, encoded = self._compare([*subjects, *outputs], orders, sample)
        weights = importance.shares if importance else None
        features = judge_family(drifts[: len(subjects)], self.margins, weights=weights)
        ranked = sorted(features, key=lambda each: -each.rank_key)
        others = judge_family(drifts[len(subjects) :], self.margins)
        classifier, reason = self._classifier(encoded, sample)
        self._measurements(features, others, classifier, reason)
        self._curves(ranked, others)
        self.findings.tables += tables([*ranked, *others], classifier)
        rehearsed = self._rehearse()
        if importance:
            self.findings.notes.append(f"Features are ranked by importance ({importance.source}) times effect.")
        told = [summary(ranked, others, classifier, self.margins)]
        if rehearsed is not None:
            told.append(rehearsal_sentence(rehearsed))
        return self.findings.computed(" ".join(told), dropped={})

    def _rehearse(self) -> Rehearsal | None:
        """Hold the reference against itself, if asked for, and add what came of it."""
        asked = self.parameters
        if not asked.rehearsals:
            return None
        there = set(self.reference.source.names)
        found, reason = None, None
        try:
            found = rehearse(
                self.reference,
                [name for name in self.features if name in there],
                Settings(asked.bins, asked.minimum_rows, self.run.seed),
                self.margins,
                count=asked.rehearsals,
                batch=asked.rehearsal_rows or self.current.n_rows,
                limit=asked.rows,
                progress=lambda done: self.run.progress(0.95 + 0.05 * done, "rehearsing the thresholds"),
            )
        except NotMeasured as error:
            reason = str(error)
        self.findings.measurements += rehearsal_measurements(found, reason)
        if found is None:
            return None
        self.findings.curves.insert(0, rehearsal_curve(found))
        self.findings.tables.append(rehearsal_table(found))
        if self.reference.roles.time:
            self.findings.notes.append(
                "The rehearsal mixes the reference at random. Batches that follow one another in time differ more where"
                " rows of one time are alike: expect more alarms than rehearsed then."
            )
        return found

    def _outputs(self) -> Iterator[Subject]:
        """Yield prediction, scores and target where both tables have them under the same name."""
        now, then = self.current.roles, self.reference.roles
        pairs = [("prediction", now.prediction, then.prediction), ("target", now.target, then.target)]
        pairs[1:1] = [("score", name, name if name in then.scores else None) for name in now.scores]
        for role, name, other in pairs:
            if name and (name == other or name in self.reference.source.names):
                yield Subject(role, name)
            elif name:
                self.findings.notes.append(f"The {role} {name} is not compared: the reference has no such column.")

    def _importance(self) -> Importance | None:
        given = given_importance(self.parameters.importance, self.features)
        if given or self.data.model is None:
            return given
        self.run.progress(0.0, "asking the model what matters")
        try:
            return model_importance(self.data.model, self.reference, self.data.task, seed=self.run.seed)
        except (InvalidInput, NotMeasured) as reason:
            self.findings.notes.append(f"Features are not ranked by what matters to the model: {reason}")
            return None

    def _orders(self) -> tuple[TimeOrder, TimeOrder] | None:
        now, then = self.current.roles.time, self.reference.roles.time
        if not now or not then:
            return None
        try:
            return time_order(self.reference, then), time_order(self.current, now)
        except NotMeasured as error:
            self.findings.notes.append(f"{error} Rows are taken as independent.")
            return None

    def _sample(self, orders: tuple[TimeOrder, TimeOrder] | None) -> RowSample | None:
        if not self.parameters.domain_classifier:
            return None
        rows = (self.reference.n_rows, self.current.n_rows)
        if max(rows) > self.parameters.rows:
            self.findings.notes.append(
                f"The domain classifier got {min(rows[0], self.parameters.rows)} of {rows[0]} reference rows and"
                f" {min(rows[1], self.parameters.rows)} of {rows[1]} current rows, drawn at random (seed"
                f" {self.run.seed}); the interval of its area holds the error that this adds. All other figures use"
                " every row."
            )
        return draw_rows(rows, limit=self.parameters.rows, seed=self.run.seed, orders=orders)

    def _compare(
        self, subjects: Sequence[Subject], orders: tuple[TimeOrder, TimeOrder] | None, sample: RowSample | None
    ) -> tuple[list[ColumnDrift], list[EncodedColumn]]:
        """Compare all columns; at any time `_WORKERS` pairs of columns are in memory."""
        settings = Settings(self.parameters.bins, self.parameters.minimum_rows, self.run.seed, orders)
        share = 0.6 if sample is not None else 0.95
        with ThreadPoolExecutor(min(_WORKERS, os.cpu_count() or 1)) as workers:
            futures = [workers.submit(self._one, subject, settings, sample) for subject in subjects]
            try:
                for done, future in enumerate(as_completed(futures), start=1):
                    future.result()
                    self.run.progress(share * done / len(futures), f"compared {done} of {len(futures)} columns")
            except BaseException:
                workers.shutdown(wait=False, cancel_futures=True)
                raise
            found = [future.result() for future in futures]
        return [drift for drift, _ in found], [column for _, column in found if column is not None]

    def _one(
        self, subject: Subject, settings: Settings, sample: RowSample | None
    ) -> tuple[ColumnDrift, EncodedColumn | None]:
        then, now = _column(self.reference, subject.column), _column(self.current, subject.column)
        found = compare_column(subject, then, now, settings)
        absent = [
            word
            for word, table in (("reference", self.reference), ("current", self.current))
            if subject.column not in table.source.names
        ]
        if absent:
            found = found.untested(f"The {absent[0]} table has no column {subject.column}.")
        if sample is None or subject.role != "feature":
            return found, None
        if absent:
            return found, EncodedColumn(subject.column, None, left_out="in one table only")
        return found, self._encoded(subject.column, then, now, sample)

    def _encoded(self, name: str, then: pa.ChunkedArray, now: pa.ChunkedArray, sample: RowSample) -> EncodedColumn:
        roles = (self.current.roles, self.reference.roles)
        if any(name in role.ids for role in roles):
            return EncodedColumn(name, None, left_out="an identifier")
        if any(name == role.time for role in roles):
            return EncodedColumn(name, None, left_out="the time")
        return encode_column(name, then, now, sample)

    def _classifier(
        self, encoded: Sequence[EncodedColumn], sample: RowSample | None
    ) -> tuple[DomainClassifier | None, str | None]:
        if sample is None:
            return None, None
        left = [f"{column.name} ({column.left_out})" for column in encoded if column.left_out]
        if left:
            self.findings.notes.append("Left out of the domain classifier: " + ", ".join(left) + ".")

        def progress(done: float) -> None:
            self.run.progress(0.6 + 0.35 * done, "telling current rows from the reference")

        progress(0.0)
        try:
            table = assemble(encoded, sample)
            return domain_classifier(table, seed=self.run.seed, alpha=self.margins.alpha, progress=progress), None
        except NotMeasured as error:
            return None, str(error)

    def _measurements(
        self,
        features: Sequence[Judged],
        outputs: Sequence[Judged],
        classifier: DomainClassifier | None,
        reason: str | None,
    ) -> None:
        note = f"adjusted p at most {self.margins.alpha:g}, and effect at least {self.margins.effect:g}"
        note += f" or missing share changed by at least {self.margins.missing:g}"
        self.findings.measurements.append(share_measurement(features, note))
        if self.parameters.domain_classifier:
            self.findings.measurements += classifier_measurements(classifier, reason)
        for judged in (*features, *outputs):
            self.findings.measurements += column_measurements(judged, seed=self.run.seed)
        if features and all(judged.drift.kind is not Kind.CATEGORY for judged in features):
            self.findings.measurements.append(inapplicable("new_category_share", "No feature is a category."))
        self.findings.notes += [
            f"{each.drift.subject.column}: {each.drift.reason}"
            for each in (*features, *outputs)
            if each.drift.reason and each.drift.has_changed_kind
        ]
        if any(max(each.drift.effects) > 1 for each in (*features, *outputs)):
            self.findings.notes.append(
                "Rows are autocorrelated in time: adjusted p-values and intervals count them as fewer independent ones"
                " (batch means over blocks of time)."
            )

    def _curves(self, ranked: Sequence[Judged], outputs: Sequence[Judged]) -> None:
        found = [forest([*ranked, *outputs], self.margins.effect)]
        found += [overlay(each) for each in (*outputs, *ranked[: self.parameters.overlays])]
        self.findings.curves += [curve for curve in found if curve is not None]


def _column(sample: Sample, name: str) -> pa.ChunkedArray:
    """Return one column; all missing where the table has no such column."""
    if name in sample.source.names:
        return sample.source.column(name)
    return pa.chunked_array([pa.nulls(sample.n_rows)])
