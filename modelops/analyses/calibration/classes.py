"""Calibration of scores: each class against the rest, the class that is named (top label), and every group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.calibration.brier import BrierParts, brier_parts
from modelops.analyses.calibration.recalibration import EDGE, Recalibration, logistic_recalibration
from modelops.analyses.fairness.data import NO_ROWS, Grouping
from modelops.analyses.fairness.scores import ScoredRows, calibration_measurements, scored_rows
from modelops.analyses.measuring import Findings, measured, shown
from modelops.analyses.outcomes import NOT_PROBABILITIES, Outcomes
from modelops.analyses.pending_tests import PendingTest
from modelops.analyses.performance.binary import probability_measurements
from modelops.analyses.performance.workbench import Scored
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.intervals import normal_quantile, two_sided_p_value
from modelops.analyses.statistics.reliability import Reliability, reliability
from modelops.analyses.statistics.weighting import Weighting, weighting
from modelops.domain.result import Curve, Measurement, ResultTable, Scope, Series, Shape

TOP_LABEL = "top label"
TOP_LABEL_SCOPE: Scope = {"prediction": TOP_LABEL}
_MOST_CLASSES = 10
_LINES = 6
_DENSITY = 30
_MINE = ("expected_calibration_error", "calibration_in_the_large", "brier_score")
_ALL = (
    *("brier_score", "brier_skill_score", "calibration_in_the_large", "expected_calibration_error"),
    *("calibration_slope", "calibration_intercept", "calibration_p_value"),
)

Rows = NDArray[np.intp]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """Scores of one event (a class, or that the named class is right) and whether it came true."""

    title: str
    scope: Scope
    scored: ScoredRows


@dataclass
class Judging:
    """What all views share, and the p-values that wait for each other."""

    uncertainty: Uncertainty
    bins: int
    overall: list[PendingTest] = field(default_factory=list)
    slopes: list[PendingTest] = field(default_factory=list)
    shifts: list[PendingTest] = field(default_factory=list)
    by_group: list[PendingTest] = field(default_factory=list)

    @property
    def families(self) -> tuple[list[PendingTest], ...]:
        """The p-values that are adjusted together."""
        return self.overall, self.slopes, self.shifts, self.by_group


def views(rows: Outcomes, how: Weighting) -> tuple[list[View], list[Measurement], list[str]]:
    """Return what is to be judged, what could not be, and notes.

    Of two classes the positive one; of more, the named class or the ten commonest, and the top label.
    """
    notes: list[str] = []
    codes: list[tuple[int, Scope]] = []
    if rows.positive is not None:
        codes = [(rows.positive, {})]
    elif rows.named is not None:
        codes = [(rows.named, {"class": rows.classes[rows.named]})]
    else:
        commonest = np.argsort(-np.bincount(rows.truth, minlength=len(rows.classes)), kind="stable")[:_MOST_CLASSES]
        codes = [(code, {"class": rows.classes[code]}) for code in np.sort(commonest).tolist()]
        if len(rows.classes) > _MOST_CLASSES:
            notes.append(f"Of {len(rows.classes)} classes the {_MOST_CLASSES} commonest are judged one by one.")
    found: list[View] = []
    failed: list[Measurement] = []
    for code, scope in codes:
        one = rows.one_against_rest(code)
        scored = scored_rows(one, weighting(one.weights, one.entities, (one.truth == 1).astype(np.float64)))
        reason = scored if isinstance(scored, str) else _unusable(scored)
        if reason or isinstance(scored, str):
            failed += [measured(name, None, size=0, scope=scope, otherwise=str(reason)) for name in _ALL]
        else:
            found.append(View(rows.classes[code], scope, scored))
    if rows.positive is None and (top := _top_label(rows, how)) is not None:
        found.insert(0, top)
    return found, failed, notes


def _unusable(scored: ScoredRows) -> str | None:
    if not scored.are_probabilities:
        return NOT_PROBABILITIES
    if scored.weights is not None and not scored.weights.any():
        return "Every row has weight 0."
    return None


def _top_label(rows: Outcomes, how: Weighting) -> View | None:
    """How sure the model is of the class with the largest score, and whether that class is the right one."""
    if rows.scores is None:
        return None
    known = np.flatnonzero(~np.isnan(rows.scores).any(axis=1))
    if not known.size:
        return None
    best = rows.scores[known].argmax(axis=1)
    scores = rows.scores[known, best]
    right = best == rows.truth[known]
    order = np.lexsort((right, scores))
    weights = None if how.weights is None else how.weights[known[order]]
    scored = ScoredRows(scores[order], right[order], weights, known[order], how.of_rows(known[order]))
    return None if _unusable(scored) else View(TOP_LABEL, TOP_LABEL_SCOPE, scored)


def view_findings(view: View, judging: Judging) -> Findings:
    """Measure one view over all its rows."""
    scored, level = view.scored, judging.uncertainty.level
    size, scope = scored.scores.size, view.scope
    every = np.arange(size)
    found = Findings()
    found.measurements += calibration_measurements(scored, every, scope, judging.uncertainty)
    brier = next(one.value for one in found.measurements if one.metric == "brier_score")
    skill = probability_measurements(
        Scored(scored.scores, scored.positive, scored.weights), scored.how, judging.uncertainty
    )
    found.measurements += [
        one.model_copy(update={"scope": scope}) for one in skill if one.metric in {"log_loss", "brier_skill_score"}
    ]
    bins = _reliability(scored, every, judging.bins)
    plain, debiased = brier_parts(bins, brier or 0.0)
    found.measurements += _part_measurements(plain, debiased, size, scope)
    found.measurements += _error_measurements(bins, size, scope, judging)
    fitted = logistic_recalibration(scored.scores, scored.positive, scored.how)
    found.measurements += recalibration_measurements(fitted, size, scope, level=level)
    found.measurements.append(shift_measurement(fitted, size, scope, level=level))
    judging.overall.append(PendingTest("calibration", scope, fitted.p_value, size, "There is nothing to test."))
    judging.slopes.append(slope_test(fitted, size, scope))
    judging.shifts.append(_shift_test(scored, found.measurements, scope))
    at_edge = int(np.count_nonzero((scored.scores < EDGE) | (scored.scores > 1 - EDGE)))
    if at_edge:
        found.notes.append(
            f"{at_edge:,} scores of {view.title!r} are 0 or 1; for slope and intercept they count as {EDGE:g} and "
            f"1 less that."
        )
    found.curves.append(_reliability_curve(view, bins, level))
    found.tables.append(_bins_table(view, bins, level))
    return found


def _reliability(scored: ScoredRows, mine: Rows, bins: int) -> Reliability:
    weights = None if scored.weights is None else scored.weights[mine]
    return reliability(
        scored.scores[mine],
        scored.positive[mine],
        weights=weights,
        design_effect=scored.how.design_effect,
        bins=bins,
    )


def _part_measurements(plain: BrierParts, debiased: BrierParts, size: int, scope: Scope) -> Iterator[Measurement]:
    note = "Less what chance adds with so few rows a bin; below 0 where there is less error than chance explains."
    yield measured("base_rate_brier_score", plain.uncertainty, size=size, scope=scope)
    for parts, ending, about in ((plain, "", None), (debiased, "_debiased", note)):
        for name in ("reliability", "resolution", "uncertainty"):
            yield measured(f"brier_{name}{ending}", getattr(parts, name), size=size, scope=scope, note=about)
    yield measured("brier_within_bins", plain.within_bins, size=size, scope=scope)


def slope_test(fitted: Recalibration, size: int, scope: Scope) -> PendingTest:
    """Return the test that the slope is 1."""
    line, p_value = fitted.line, None
    if line is not None:
        off, error = line.slope - 1, line.slope_error
        p_value = two_sided_p_value(off / error) if error > 0 else float(off == 0)
    return PendingTest("calibration_slope", scope, p_value, size, fitted.no_line)


def _shift_test(scored: ScoredRows, measurements: Sequence[Measurement], scope: Scope) -> PendingTest:
    """Return the test that scores are right on average: Wald's, so that it agrees with the interval that is shown."""
    found = next(one for one in measurements if one.metric == "calibration_in_the_large")
    value, size = found.value or 0.0, scored.scores.size
    if found.interval is not None and found.level is not None:
        error = (found.interval[1] - found.interval[0]) / 2 / normal_quantile(found.level)
    else:  # all rows are off by the same: only what the scores themselves expect tells how much chance adds
        variance = np.average(scored.scores * (1 - scored.scores), weights=scored.weights)
        error = float(np.sqrt(variance * scored.how.design_effect / size))
    p_value = two_sided_p_value(value / error) if error > 0 else float(value == 0)
    return PendingTest("calibration_in_the_large", scope, p_value, size)


def _error_measurements(bins: Reliability, size: int, scope: Scope, judging: Judging) -> Iterator[Measurement]:
    chance = bins.calibration_error_by_chance(judging.uncertainty)
    note = "What scores without any calibration error would show on average with as many rows and bins."
    yield measured("expected_calibration_error_by_chance", chance.mean, size=size, scope=scope, note=note)
    yield measured(
        "expected_calibration_error_debiased",
        bins.error - chance.mean,
        size=size,
        scope=scope,
        note="Below 0 where there is less error than chance explains.",
    )
    yield measured("expected_calibration_error_p_value", chance.p_value, size=size, scope=scope)
    distances = np.abs(bins.observed - bins.scores)
    worst = int(np.argmax(distances))
    low, high = bins.intervals(level=judging.uncertainty.level)[worst]
    far = sorted(abs(end - bins.scores[worst]) for end in (low, high))
    inside = low <= bins.scores[worst] <= high
    yield measured(
        "maximum_calibration_error",
        float(distances[worst]),
        size=int(bins.rows[worst]),
        scope=scope,
        interval=(0.0 if inside else float(far[0]), float(far[1])),
        level=judging.uncertainty.level,
        note=f"In the bin of scores from {bins.lowest[worst]:.4g} to {bins.highest[worst]:.4g}; the worst of "
        f"{bins.mass.size} bins, so it is partly chance.",
    )


def recalibration_measurements(found: Recalibration, size: int, scope: Scope, *, level: float) -> Iterator[Measurement]:
    """Return slope, intercept and, for scores, the intercept at slope 1."""
    for name in ("slope", "intercept"):
        yield measured(
            f"calibration_{name}",
            None if found.line is None else float(getattr(found.line, name)),
            size=size,
            scope=scope,
            interval=None if found.line is None else found.line.interval(name, level=level),
            level=level,
            otherwise=found.no_line,
        )


def shift_measurement(found: Recalibration, size: int, scope: Scope, *, level: float) -> Measurement:
    """Return how far scores are off on the scale of log odds, where the slope is held at 1."""
    value, error = found.shift or (None, 0.0)
    half = normal_quantile(level) * error
    return measured(
        "logit_calibration_in_the_large",
        value,
        size=size,
        scope=scope,
        interval=None if value is None else (value - half, value + half),
        level=level,
        unit="log odds",
        otherwise="Positive and negative labels are both needed.",
    )


def group_findings(view: View, grouping: Grouping, judging: Judging) -> Findings:
    """Measure one view in every group of one grouping."""
    scored, level = view.scored, judging.uncertainty.level
    codes = grouping.codes[scored.rows]
    order = np.argsort(codes, kind="stable")
    places = np.searchsorted(codes[order], np.arange(len(grouping.names) + 1))
    found = Findings()
    lines: list[tuple[int, Series]] = []
    table = []
    for group in range(len(grouping.names)):
        mine = order[places[group] : places[group + 1]]
        scope: Scope = {"group": dict(grouping.names[group]), **view.scope}
        measurements = [
            one for one in calibration_measurements(scored, mine, scope, judging.uncertainty) if one.metric in _MINE
        ]
        if mine.size and (scored.weights is None or scored.weights[mine].any()):
            fitted = logistic_recalibration(scored.scores[mine], scored.positive[mine], scored.how.of_rows(mine))
            bins = _reliability(scored, mine, judging.bins)
            lines.append((mine.size, bins.series(grouping.label(group), level=level)))
        else:
            fitted = Recalibration(None, NO_ROWS, None, None)
        measurements += recalibration_measurements(fitted, mine.size, scope, level=level)
        found.measurements += measurements
        judging.by_group.append(PendingTest("calibration", scope, fitted.p_value, mine.size, NO_ROWS))
        by_name = {one.metric: one.value for one in measurements}
        table.append(
            (
                grouping.label(group),
                mine.size,
                *(shown(by_name[name]) for name in (*_MINE[::-1], "calibration_slope", "calibration_intercept")),
            )
        )
    found.tables.append(
        ResultTable(
            name=f"groups:{grouping.title}:{view.title}",
            title=f"Calibration by {grouping.title}" + _of(view),
            columns=("group", "rows", "Brier score", "observed less score", "calibration error", "slope", "intercept"),
            rows=tuple(table),
        )
    )
    if lines and not grouping.is_intersection:
        found.curves += _group_curves(view, grouping, lines, found.measurements)
    return found


def _of(view: View) -> str:
    return f" ({view.title})" if view.scope else ""


def _group_curves(
    view: View, grouping: Grouping, lines: Sequence[tuple[int, Series]], measurements: Sequence[Measurement]
) -> Iterator[Curve]:
    largest = sorted(lines, key=lambda line: -line[0])[:_LINES]
    scope: Scope = {"feature": grouping.title, **view.scope}
    few = f" The {_LINES} largest of {len(lines)} groups." if len(lines) > _LINES else ""
    yield Curve(
        name="reliability_by_group",
        title=f"Reliability by {grouping.title}" + _of(view),
        shape=Shape.LINE,
        x_title="Mean score",
        y_title="Share that came true",
        series=tuple(series for _, series in largest),
        scope=scope,
        reference="diagonal",
        note=f"Bins of equal mass with Wilson intervals.{few}",
    )
    shifts = [one for one in measurements if one.metric == "calibration_in_the_large" and one.value is not None]
    yield Curve(
        name="calibration_in_the_large_by_group",
        title=f"Observed share less mean score, by {grouping.title}" + _of(view),
        shape=Shape.FOREST,
        x_title=grouping.title,
        y_title="Below 0: scores are too high",
        series=(
            Series(
                name="observed less score",
                x=tuple(_group_label(one) for one in shifts),
                y=tuple(one.value for one in shifts),
                low=tuple(one.interval[0] if one.interval else None for one in shifts),
                high=tuple(one.interval[1] if one.interval else None for one in shifts),
                size=tuple(one.sample_size for one in shifts),
            ),
        ),
        scope=scope,
        reference=0.0,
    )


def _group_label(one: Measurement) -> str:
    group = one.scope["group"]
    return " & ".join(group.values()) if isinstance(group, dict) else str(group)


def _reliability_curve(view: View, bins: Reliability, level: float) -> Curve:
    counts, edges = np.histogram(view.scored.scores, bins=_DENSITY, range=(0.0, 1.0))
    density = Series(
        name="rows",
        x=tuple(float(x) for x in (edges[:-1] + edges[1:]) / 2),
        y=tuple(int(count) for count in counts),
        part="density",
    )
    event = "the named class is right" if view.title == TOP_LABEL else f"the label is {view.title!r}"
    return Curve(
        name="reliability",
        title=f"Does what the scores say come true{_of(view)}?",
        shape=Shape.LINE,
        x_title="Mean score",
        y_title=f"Share of rows where {event}",
        series=(bins.series("observed", level=level), density),
        scope=view.scope,
        reference="diagonal",
        note="Bins of equal mass with Wilson intervals. On the diagonal scores mean what they say; below it they are "
        "too high.",
    )


def _bins_table(view: View, bins: Reliability, level: float) -> ResultTable:
    rows = zip(
        *(bins.lowest, bins.highest, bins.rows, bins.scores, bins.observed, bins.intervals(level=level)), strict=True
    )
    return ResultTable(
        name=f"bins:{view.title}",
        title="Scores and what came true" + _of(view),
        columns=("score from", "to", "rows", "mean score", "came true", "low", "high"),
        rows=tuple(
            (float(low), float(high), int(count), float(score), float(share), *interval)
            for low, high, count, score, share, interval in rows
        ),
    )
