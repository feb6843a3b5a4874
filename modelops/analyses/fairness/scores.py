"""Scores by group: how well they rank, and whether they mean the same in every group (calibration)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.fairness.data import NO_ROWS, NO_TARGET, Grouping, of_class
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.outcomes import NOT_PROBABILITIES, Outcomes
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.intervals import normal_quantile
from modelops.analyses.statistics.ranking import area
from modelops.analyses.statistics.reliability import Reliability, reliability
from modelops.analyses.statistics.weighting import Weighting
from modelops.domain.result import Curve, Measurement, Scope, Shape
from modelops.errors import NotMeasured

_CALIBRATION = ("mean_score", "calibration_in_the_large", "brier_score", "expected_calibration_error")

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class ScoredRows:
    """Labelled rows with a score, sorted by score; ``rows`` are their positions among the outcomes.

    ``how`` says how these rows count, in their order.
    """

    scores: Numbers
    positive: NDArray[np.bool_]
    weights: Numbers | None
    rows: NDArray[np.intp]
    how: Weighting

    @property
    def are_probabilities(self) -> bool:
        """Whether every score lies in 0 to 1."""
        return not self.scores.size or (self.scores[0] >= 0 and self.scores[-1] <= 1)


def scored_rows(rows: Outcomes, how: Weighting) -> ScoredRows | str:
    """Return the rows (two classes, positive code 1) that have score and label, or why there are none."""
    scores = rows.positive_scores
    if not rows.has_target:
        return NO_TARGET
    if scores is None:
        return rows.no_scores
    known = np.flatnonzero(~np.isnan(scores) & (rows.truth >= 0))
    if not known.size:
        return "No row has both a score and a label."
    ordered = known[np.lexsort((rows.truth[known], scores[known]))]
    weights = None if how.weights is None else how.weights[ordered]
    return ScoredRows(scores[ordered], rows.truth[ordered] == 1, weights, ordered, how.of_rows(ordered))


def score_findings(scored: ScoredRows | str, grouping: Grouping, *, extra: Scope, uncertainty: Uncertainty) -> Findings:
    """Measure area under the ROC curve and calibration in every group."""
    found = Findings()
    if isinstance(scored, str):
        for name in ("roc_auc", *_CALIBRATION):
            for group in range(len(grouping.names)):
                scope = {"group": dict(grouping.names[group]), **extra}
                found.measurements.append(measured(name, None, size=0, scope=scope, otherwise=scored))
        return found
    codes = grouping.codes[scored.rows]
    order = np.argsort(codes, kind="stable")
    places = np.searchsorted(codes[order], np.arange(len(grouping.names) + 1))
    series = []
    for group in range(len(grouping.names)):
        mine = order[places[group] : places[group + 1]]
        scope = {"group": dict(grouping.names[group]), **extra}
        found.measurements.append(_area(scored, mine, scope, level=uncertainty.level))
        found.measurements += calibration_measurements(scored, mine, scope, uncertainty)
        if mine.size and scored.are_probabilities:
            series.append(_bins(scored, mine).series(grouping.label(group), level=uncertainty.level))
    if series and not grouping.is_intersection:
        found.curves.append(
            Curve(
                name="calibration",
                title=f"Calibration by {grouping.title}{of_class(extra)}",
                shape=Shape.LINE,
                x_title="Mean score",
                y_title="Share of positive labels" if not extra else f"Share of labels {extra['class']!r}",
                series=tuple(series),
                scope={"feature": grouping.title, **extra},
                reference="diagonal",
                note="Tenths of the rows of each group by score, with Wilson intervals.",
            )
        )
    return found


def _area(scored: ScoredRows, mine: NDArray[np.intp], scope: Scope, *, level: float) -> Measurement:
    if not mine.size:
        return measured("roc_auc", None, size=0, scope=scope, otherwise=NO_ROWS)
    positive = scored.positive[mine]
    # The rarer of the two classes decides how sure the area is.
    size = int(min(np.count_nonzero(positive), np.count_nonzero(~positive)))
    weights = None if scored.weights is None else scored.weights[mine]
    try:
        found = area(scored.scores[mine], positive, weights=weights, design_effect=scored.how.repeats_effect)
    except NotMeasured:
        reason = "The group has no positive or no negative label."
        return measured("roc_auc", None, size=size, scope=scope, otherwise=reason)
    return measured("roc_auc", found.value, size=size, scope=scope, interval=found.interval(level=level), level=level)


def _bins(scored: ScoredRows, mine: NDArray[np.intp]) -> Reliability:
    weights = None if scored.weights is None else scored.weights[mine]
    return reliability(
        scored.scores[mine], scored.positive[mine], weights=weights, design_effect=scored.how.design_effect
    )


def calibration_measurements(
    scored: ScoredRows, mine: NDArray[np.intp], scope: Scope, uncertainty: Uncertainty
) -> list[Measurement]:
    """Measure whether the scores of some rows (positions in rising order) come true."""
    if not mine.size or not scored.are_probabilities:
        reason = NOT_PROBABILITIES if mine.size else NO_ROWS
        return [measured(name, None, size=mine.size, scope=scope, otherwise=reason) for name in _CALIBRATION]
    scores, positive = scored.scores[mine], scored.positive[mine].astype(np.float64)
    weights = None if scored.weights is None else scored.weights[mine]
    if weights is not None and not weights.any():
        reason = "Every row of the group has weight 0."
        return [measured(name, None, size=mine.size, scope=scope, otherwise=reason) for name in _CALIBRATION]
    effective = mine.size / scored.how.design_effect
    found = []
    for name, values, note in (
        ("mean_score", scores, None),
        ("calibration_in_the_large", positive - scores, "The share that came true less the mean score."),
        ("brier_score", (positive - scores) ** 2, None),
    ):
        mean = float(np.average(values, weights=weights))
        spread = float(np.average((values - mean) ** 2, weights=weights))
        half = normal_quantile(uncertainty.level) * float(np.sqrt(spread / max(effective - 1, 1)))
        # A single row has no spread; its interval would be a point.
        interval = (mean - half, mean + half) if effective > 1 and half > 0 else None
        found.append(
            measured(name, mean, size=mine.size, scope=scope, interval=interval, level=uncertainty.level, note=note)
        )
    found.append(_calibration_error(scored, mine, scope, uncertainty))
    return found


def _calibration_error(
    scored: ScoredRows, mine: NDArray[np.intp], scope: Scope, uncertainty: Uncertainty
) -> Measurement:
    bins = _bins(scored, mine)
    error, interval = bins.calibration_error(uncertainty)
    return measured(
        "expected_calibration_error",
        error,
        size=mine.size,
        scope=scope,
        interval=interval,
        level=uncertainty.level,
        note=f"{bins.mass.size} bins of equal mass; small groups come out too large.",
    )
