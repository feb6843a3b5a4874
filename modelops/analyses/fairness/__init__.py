"""Are groups of people treated alike: the declaration of `fairness` and its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.analyses.fairness.conditional import conditional_findings
from modelops.analyses.fairness.data import Grouping, compared, groupings
from modelops.analyses.fairness.gaps import gap_findings
from modelops.analyses.fairness.groups import group_findings
from modelops.analyses.fairness.proxies import proxy_findings
from modelops.analyses.fairness.regression import predicted_quantities, quantity_findings
from modelops.analyses.fairness.scores import ScoredRows, score_findings, scored_rows
from modelops.analyses.fairness.thresholds import threshold_findings
from modelops.analyses.levels import Coded, groups
from modelops.analyses.measuring import Findings
from modelops.analyses.outcomes import Outcomes, outcomes
from modelops.analyses.pending_tests import PendingTest, adjusted
from modelops.analyses.statistics.bootstrap import DRAWS, Uncertainty
from modelops.analyses.statistics.intervals import LEVEL
from modelops.analyses.statistics.weighting import weighting
from modelops.domain.columns import Task
from modelops.domain.number_words import percent, quantity
from modelops.domain.result import Measurement, Scope
from modelops.errors import InvalidInput

_MOST_CLASSES = 10


class FairnessParameters(Parameters):
    """What a person may set for `fairness`."""

    threshold: float = Field(
        default=0.5, description="Score from which a row counts as positive, where the table has no prediction column."
    )
    intersections: bool = Field(default=True, description="Also compare groups by every two sensitive columns.")
    largest_groups: int = Field(
        default=20,
        ge=2,
        le=100,
        description="How many levels of a column are kept apart; rarer ones are taken together.",
    )
    smallest_group: int = Field(
        default=1, ge=1, description="Groups with fewer rows that count are shown but not compared with others."
    )
    condition: str | None = Field(
        default=None,
        description="Column to condition on: parity among rows that are alike in it.",
        json_schema_extra={"choose": "column"},
    )
    proxies: bool = Field(default=True, description="Look for features that give a sensitive column away.")
    mitigation: bool = Field(
        default=False, description="Find thresholds for each group and what each criterion would cost (slower)."
    )
    rows: int = Field(
        default=50_000, ge=100, le=1_000_000, description="Rows sampled for proxies and for thresholds by group."
    )
    level: float = Field(default=LEVEL, gt=0.5, lt=1, description="Confidence level of the intervals.")
    draws: int = Field(default=DRAWS, ge=1000, le=20_000, description="Bootstrap draws.")


def compute(data: EvaluationData, parameters: FairnessParameters, run: Run) -> Computed:
    """Compare what a model does between groups of people.

    Rates come from counts by group, label and prediction; their intervals are Wilson's, those of differences between
    groups hold for all pairs at once, from multinomial draws of the counts within each group. p-values are adjusted
    in two families: every rate of every group against everybody else, and every criterion of every column. Numeric
    columns are cut into ranges. With more than two classes, the named positive class is compared with the rest, or
    where none is named each of the (at most ten commonest) classes.

    Raises
    ------
    NotMeasured
        If there is no sensitive column, or neither prediction nor score.
    InvalidInput
        If labels and parameters do not fit together.
    """
    audit = _Audit(data, parameters, run, Uncertainty(run.rng(), parameters.draws, parameters.level))
    return audit.quantities() if data.task is Task.REGRESSION else audit.classes()


class _Audit:
    """One run: what it looks at, what it has found, and the p-values that wait for each other."""

    def __init__(
        self, data: EvaluationData, parameters: FairnessParameters, run: Run, uncertainty: Uncertainty
    ) -> None:
        self.sample = data.data
        self.data = data
        self.parameters = parameters
        self.run = run
        self.uncertainty = uncertainty
        self.found = Findings()
        self.rate_tests: list[PendingTest] = []
        self.gap_tests: list[PendingTest] = []

    def classes(self) -> Computed:
        """Compare predicted classes."""
        rows = outcomes(self.data, threshold=self.parameters.threshold)
        self.found.notes += rows.notes
        people = self._people(rows.rows)
        for mine, extra in self._one_class_at_a_time(rows):
            self._compare(mine, people, extra)
        self._finish(rows.rows, people)
        if rows.has_target:
            self._note_unlabelled(rows.truth < 0, "missing", "count in the selection rate only")
        return self.found.computed(_summary(self.found.measurements, people), dropped=rows.dropped)

    def quantities(self) -> Computed:
        """Compare predicted quantities."""
        values = predicted_quantities(self.sample)
        if values.how.note:
            self.found.notes.append(values.how.note)
        people = self._people(values.rows)
        if values.has_target:
            self._note_unlabelled(np.isnan(values.errors), "missing or infinite", "are left out of the errors")
        for grouping in people:
            found, tests = quantity_findings(values, grouping, uncertainty=self.uncertainty)
            self.found.add(found)
            self.gap_tests += tests
        self._finish(values.rows, people)
        summary = _quantity_summary(self.found.measurements, people)
        return self.found.computed(summary, dropped=values.dropped)

    def _note_unlabelled(self, unlabelled: NDArray[np.bool_], state: str, fate: str) -> None:
        # They are not among the rows that were left out: what needs no label is measured on them.
        if count := int(np.count_nonzero(unlabelled)):
            self.found.notes.append(f"The target is {state} in {count:,} of {unlabelled.size:,} rows, which {fate}.")

    def _people(self, rows: NDArray[np.intp]) -> list[Grouping]:
        people, notes = groupings(
            self.sample,
            rows,
            largest_groups=self.parameters.largest_groups,
            intersections=self.parameters.intersections,
        )
        self.found.notes += notes
        return people

    def _one_class_at_a_time(self, rows: Outcomes) -> Iterator[tuple[Outcomes, Scope]]:
        """Each class that is to be compared with the rest, and what the scopes say of it."""
        if rows.positive is not None:
            yield rows.one_against_rest(rows.positive), {}
        elif rows.named is not None:
            yield rows.one_against_rest(rows.named), {}
        else:
            counts = np.bincount(rows.predicted, minlength=len(rows.classes))
            counts += np.bincount(rows.truth[rows.truth >= 0], minlength=len(rows.classes))
            largest = np.sort(np.argsort(-counts, kind="stable")[:_MOST_CLASSES])
            for code in largest.tolist():
                yield rows.one_against_rest(code), {"class": rows.classes[code]}
            note = "No positive class was named; each class is compared with the rest."
            if len(rows.classes) > _MOST_CLASSES:
                note = f"No positive class was named; each of the {_MOST_CLASSES} commonest is compared with the rest."
            self.found.notes.append(note)

    def _compare(self, rows: Outcomes, people: list[Grouping], extra: Scope) -> None:
        how = weighting(rows.weights, rows.entities, rows.predicted.astype(np.float64))
        if how.note:
            self.found.notes.append(how.note)
        scored = scored_rows(rows, how)
        strata = self._strata(rows)
        for position, grouping in enumerate(people):
            self.run.progress(0.1 + 0.7 * position / len(people), f"Comparing groups by {grouping.title}")
            comparison = compared(rows, grouping, how, extra=extra, uncertainty=self.uncertainty)
            found, tests = group_findings(comparison)
            self.found.add(found)
            self.rate_tests += tests
            found, tests = gap_findings(comparison, smallest_group=self.parameters.smallest_group)
            self.found.add(found)
            self.gap_tests += tests
            self.found.add(score_findings(scored, grouping, extra=extra, uncertainty=self.uncertainty))
            if grouping.is_intersection:
                continue
            if strata is not None and self.parameters.condition not in grouping.features:
                found, test = conditional_findings(
                    rows,
                    grouping,
                    strata,
                    how,
                    column=str(self.parameters.condition),
                    extra=extra,
                    uncertainty=self.uncertainty,
                )
                self.found.add(found)
                self.gap_tests.append(test)
            if self.parameters.mitigation:
                self._mitigate(scored, grouping, extra)

    def _strata(self, rows: Outcomes) -> Coded | None:
        name = self.parameters.condition
        if name is None:
            return None
        if name not in self.sample.source.names:
            raise InvalidInput(f"The table has no column {name!r} to condition on.")
        strata, note = groups(self.sample, name, most=self.parameters.largest_groups)
        self.found.notes += [note] if note else []
        return strata.take(rows.rows)

    def _mitigate(self, scored: ScoredRows | str, grouping: Grouping, extra: Scope) -> None:
        if isinstance(scored, str):
            self.found.notes.append(f"Thresholds by group were not looked for: {scored}")
            return
        self.found.add(
            threshold_findings(
                scored,
                grouping,
                rows=self.parameters.rows,
                seed=self.run.seed,
                level=self.uncertainty.level,
                extra=extra,
            )
        )

    def _finish(self, rows: NDArray[np.intp], people: list[Grouping]) -> None:
        for family in (self.rate_tests, self.gap_tests):
            self.found.measurements += adjusted(family)
        if not self.parameters.proxies or not self.sample.roles.features:
            return
        self.run.progress(0.8, "Looking for proxies")
        chosen = np.arange(rows.size)
        if rows.size > self.parameters.rows:
            chosen = np.sort(np.random.default_rng(self.run.seed).choice(chosen, self.parameters.rows, replace=False))
            self.found.notes.append(
                f"Proxies were looked for in {chosen.size:,} of {rows.size:,} rows, drawn at random with seed "
                f"{self.run.seed}; the intervals include what the sampling adds."
            )
        single = [replace(each, codes=each.codes[chosen]) for each in people if not each.is_intersection]
        self.found.add(proxy_findings(self.sample, rows[chosen], single, uncertainty=self.uncertainty))


def _widest(measurements: list[Measurement], people: list[Grouping], metric: str) -> Measurement | None:
    single = {grouping.title for grouping in people if not grouping.is_intersection}
    gaps = [
        one
        for one in measurements
        if one.metric == metric and one.value is not None and one.scope.get("feature") in single
    ]
    return max(gaps, key=lambda one: one.value or 0.0, default=None)


def _ends(measurements: list[Measurement], metric: str, gap: Measurement) -> tuple[str, float, str, float]:
    """The groups with the smallest and the largest value of the column and class of ``gap``, and these values."""
    feature = gap.scope["feature"]
    values: dict[str, float] = {}
    for one in measurements:
        group = one.scope.get("group")
        same_class = one.scope.get("class") == gap.scope.get("class")
        if one.metric == metric and one.value is not None and isinstance(group, dict) and list(group) == [feature]:
            values |= {group[str(feature)]: one.value} if same_class else {}
    low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    return low, values[low], high, values[high]


def _points(share: float) -> str:
    """A difference of shares in percentage points."""
    return percent(share).removesuffix(" %")


def _summary(measurements: list[Measurement], people: list[Grouping]) -> str:
    gap = _widest(measurements, people, "demographic_parity_difference")
    if gap is None or gap.value is None:
        return "There are not two groups with rows, so nothing could be compared."
    low, least, high, most = _ends(measurements, "selection_rate", gap)
    of_class = f" as {gap.scope['class']!r}" if "class" in gap.scope else ""
    text = (
        f"By {gap.scope['feature']}, the model selects{of_class} {percent(least)} of {low!r} and {percent(most)} of "
        f"{high!r}"
    )
    if gap.interval is not None:
        text += (
            f": a difference of {_points(gap.value)} points ({_points(gap.interval[0])} to {_points(gap.interval[1])})"
        )
    odds = _widest(measurements, people, "equalized_odds_difference")
    if odds is not None and odds.value is not None:
        text += f". Error rates differ by up to {_points(odds.value)} points by {odds.scope['feature']}"
    return text + "."


def _quantity_summary(measurements: list[Measurement], people: list[Grouping]) -> str:
    for metric, words in (("mean_error", "errors"), ("mean_prediction", "predictions")):
        gap = _widest(measurements, people, f"{metric}_difference")
        if gap is not None and gap.value is not None:
            low, least, high, most = _ends(measurements, metric, gap)
            ends = f"{quantity(least)} ({low}) to {quantity(most)} ({high})"
            text = f"By {gap.scope['feature']}, mean {words} range from {ends}"
            if gap.interval is not None:
                low_end, high_end = gap.interval
                text += f": a difference of {quantity(gap.value)} ({quantity(low_end)} to {quantity(high_end)})"
            return text + "."
    return "There are not two groups with at least two rows each, so nothing could be compared."


FAIRNESS = Analysis(
    key="fairness",
    title="Fairness",
    question="Does the model treat groups of people alike, and where does it not?",
    serves=("data.bias", "data.minorities", "predictions.prejudice", "use.fairness"),
    needs=frozenset({Need.SENSITIVE}),
    tasks=frozenset({Task.CLASSIFICATION, Task.REGRESSION}),
    parameters=FairnessParameters,
    source=(
        "M. Hardt, E. Price, N. Srebro, NeurIPS 2016 (equalized odds); S. Barocas, M. Hardt, A. Narayanan, Fairness "
        "and Machine Learning, 2023; R. G. Newcombe, Statistics in Medicine 17, 1998 (differences)"
    ),
    unseen=("data",),
    compute=compute,
)
