"""What conformal sets and intervals would do here: their size, and how often they hold the truth, in every group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.calibration.conformal import (
    Coverage,
    Limit,
    Split,
    class_errors,
    covered,
    limit,
    parts_by_size,
    split,
)
from modelops.analyses.fairness.data import NO_ROWS, Grouping
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.outcomes import Outcomes
from modelops.analyses.pending_tests import PendingTest, adjusted
from modelops.analyses.performance.regression import Quantities
from modelops.analyses.statistics.weighting import Weighting, row_entities
from modelops.domain.number_words import percent
from modelops.domain.result import Curve, Measurement, ResultTable, Scope, Series, Shape
from modelops.errors import NotMeasured

_PARTS = 10

Numbers = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Asked:
    """What was asked for: which coverage, at which level the intervals are, with which seed the rows are split."""

    coverage: float
    level: float
    seed: int


@dataclass(frozen=True)
class _Tested:
    """The test half: whether the truth was inside, how large each set is, how the rows count."""

    rows: Rows
    inside: NDArray[np.bool_]
    sizes: Numbers
    found: Limit
    how: Weighting
    asked: Asked

    def coverage(self, mine: Rows | None = None) -> Coverage | None:
        weights = None if self.how.weights is None else self.how.weights[self.rows]
        at = slice(None) if mine is None else mine
        return covered(
            self.inside[at],
            self.found,
            weights=None if weights is None else weights[at],
            design_effect=self.how.design_effect,
            coverage=self.asked.coverage,
            level=self.asked.level,
        )


def set_findings(
    sample: Sample, rows: Outcomes, people: Sequence[Grouping], asked: Asked, *, cumulative: bool
) -> Findings:
    """Measure conformal sets of classes from the scores."""
    names = ("conformal_coverage", "conformal_set_size")
    if rows.scores is None:
        return Findings([measured(name, None, size=0, otherwise=rows.no_scores) for name in names])
    usable = rows.kept(np.asarray(~np.isnan(rows.scores).any(axis=1)))
    if usable.scores is None or not usable.n_rows:
        return Findings([measured(name, None, size=0, otherwise="No row has all scores.") for name in names])
    errors = class_errors(usable.scores, cumulative=cumulative)
    mine = errors[np.arange(usable.n_rows), usable.truth]
    try:
        halves, found = _found(sample, usable.rows, mine, asked)
    except NotMeasured as reason:
        return Findings([measured(name, None, size=usable.n_rows, otherwise=str(reason)) for name in names])
    members = errors[halves.test] <= found.value
    tested = _Tested(
        halves.test,
        mine[halves.test] <= found.value,
        members.sum(axis=1).astype(np.float64),
        found,
        usable.weighting(),
        asked,
    )
    kept = np.searchsorted(rows.rows, usable.rows)
    codes = [(each, each.codes[kept][halves.test]) for each in people]
    classes = Grouping(("label",), tuple({"label": name} for name in usable.classes), usable.truth[halves.test])
    results = _coverage_findings(tested, codes)
    results.add(_by_label(tested, classes))
    size = tested.rows.size
    for name, value in (
        ("conformal_set_size", tested.sizes.mean()),
        ("conformal_single_share", np.mean(tested.sizes == 1)),
        ("conformal_empty_share", np.mean(tested.sizes == 0)),
    ):
        results.measurements.append(measured(name, float(value), size=size))
    shares = np.bincount(tested.sizes.astype(np.int64), minlength=2) / size
    results.curves.append(
        Curve(
            name="conformal_set_sizes",
            title=f"How many classes the sets hold that are right in {percent(asked.coverage)} of cases",
            shape=Shape.BARS,
            x_title="Classes in the set",
            y_title="Share of rows",
            series=(
                Series(
                    name="rows", x=tuple(str(n) for n in range(shares.size)), y=tuple(float(share) for share in shares)
                ),
            ),
        )
    )
    return results


def interval_findings(
    sample: Sample, data: Quantities, people: Sequence[Grouping], asked: Asked, *, scale: Numbers | None
) -> Findings:
    """Measure conformal intervals around the predictions.

    Parameters
    ----------
    scale : ndarray of shape (n,), optional
        How uncertain each prediction is (a predicted standard deviation): the intervals are as wide in proportion.
    """
    names = ("conformal_coverage", "conformal_interval_width")
    unit = np.ones(data.n_rows) if scale is None else scale
    errors = np.abs(data.errors) / unit
    try:
        halves, found = _found(sample, data.rows, errors, asked)
    except NotMeasured as reason:
        return Findings([measured(name, None, size=data.n_rows, otherwise=str(reason)) for name in names])
    tested = _Tested(
        halves.test,
        errors[halves.test] <= found.value,
        2 * found.value * unit[halves.test],
        found,
        data.how,
        asked,
    )
    results = _coverage_findings(tested, [(each, each.codes[halves.test]) for each in people])
    width = float(tested.sizes.mean())
    results.measurements.append(measured("conformal_interval_width", width, size=tested.rows.size))
    results.curves += _by_prediction(tested, data.predicted[halves.test])
    return results


def _found(sample: Sample, rows: Rows, errors: Numbers, asked: Asked) -> tuple[Split, Limit]:
    entities = row_entities(sample)
    halves = split(sample, rows, None if entities is None else entities[rows], seed=asked.seed)
    return halves, limit(errors[halves.calibration], coverage=asked.coverage)


def _coverage_findings(tested: _Tested, people: Sequence[tuple[Grouping, NDArray[np.integer]]]) -> Findings:
    found = Findings()
    asked, limit_ = tested.asked, tested.found
    note = f"{percent(asked.coverage)} was asked for; the limit comes from {limit_.n_rows:,} other rows."
    found.measurements += _measurements(tested.coverage(), asked, {}, note, tested.rows.size, "No row is left to test.")
    found.measurements.append(measured("conformal_limit", limit_.value, size=limit_.n_rows))
    tests: list[PendingTest] = []
    lines = []
    for grouping, codes in people:
        for group in range(len(grouping.names)):
            mine = np.flatnonzero(codes == group)
            scope: Scope = {"group": dict(grouping.names[group])}
            coverage = tested.coverage(mine) if mine.size else None
            found.measurements += _measurements(coverage, asked, scope, None, mine.size, NO_ROWS)
            p_value = None if coverage is None else coverage.p_value
            tests.append(PendingTest("conformal_coverage", scope, p_value, mine.size, NO_ROWS))
            if coverage is not None:
                size = float(tested.sizes[mine].mean())
                lines.append(
                    (grouping.title, grouping.label(group), mine.size, coverage.share, *coverage.interval, size)
                )
    found.measurements += adjusted(tests)
    if lines:
        found.curves.append(_forest(lines, asked))
        found.tables.append(
            ResultTable(
                name="conformal_groups",
                title="Conformal coverage and size by group",
                columns=("by", "group", "rows", "coverage", "low", "high", "mean size"),
                rows=tuple(lines),
            )
        )
    found.notes.append(
        f"Conformal coverage: {limit_.n_rows:,} rows drawn at random with seed {asked.seed} set the limit, the other "
        f"{tested.rows.size:,} are counted. Coverage is promised over all rows together, not in each group: the groups "
        "show where it is missed."
    )
    return found


def _measurements(
    coverage: Coverage | None, asked: Asked, scope: Scope, note: str | None, size: int, otherwise: str
) -> Iterator[Measurement]:
    for name, shift in (("conformal_coverage", 0.0), ("conformal_coverage_gap", asked.coverage)):
        yield measured(
            name,
            None if coverage is None else coverage.share - shift,
            size=size,
            scope=scope,
            interval=None if coverage is None else (coverage.interval[0] - shift, coverage.interval[1] - shift),
            level=asked.level,
            note=note,
            otherwise=otherwise,
        )


def _forest(lines: Sequence[tuple[str, str, int, float, float, float, float]], asked: Asked) -> Curve:
    return Curve(
        name="conformal_coverage",
        title="Conformal coverage by group",
        shape=Shape.FOREST,
        x_title="Group",
        y_title="Share of rows whose truth is inside",
        series=(
            Series(
                name="coverage",
                x=tuple(f"{title}: {label}" for title, label, *_ in lines),
                y=tuple(line[3] for line in lines),
                low=tuple(line[4] for line in lines),
                high=tuple(line[5] for line in lines),
                size=tuple(line[2] for line in lines),
            ),
        ),
        reference=asked.coverage,
    )


def _by_label(tested: _Tested, classes: Grouping) -> Findings:
    """Coverage by true class: rare classes are the first to be left out of the sets."""
    found = Findings()
    for code in range(len(classes.names)):
        mine = np.flatnonzero(classes.codes == code)
        coverage = tested.coverage(mine) if mine.size else None
        scope: Scope = {"class": classes.label(code)}
        reason = "No test row has this label."
        found.measurements += _measurements(coverage, tested.asked, scope, None, mine.size, reason)
    return found


def _by_prediction(tested: _Tested, predicted: Numbers) -> Iterator[Curve]:
    parts = [(part, tested.coverage(part)) for part in parts_by_size(predicted, parts=_PARTS)]
    known = [(part, coverage) for part, coverage in parts if coverage is not None]
    yield Curve(
        name="conformal_coverage_by_prediction",
        title="Conformal coverage by size of the prediction",
        shape=Shape.LINE,
        x_title="Prediction (middle of each tenth)",
        y_title="Share of rows whose truth is inside",
        series=(
            Series(
                name="coverage",
                x=tuple(float(np.median(predicted[part])) for part, _ in known),
                y=tuple(coverage.share for _, coverage in known),
                low=tuple(coverage.interval[0] for _, coverage in known),
                high=tuple(coverage.interval[1] for _, coverage in known),
                size=tuple(part.size for part, _ in known),
            ),
        ),
        reference=tested.asked.coverage,
    )
