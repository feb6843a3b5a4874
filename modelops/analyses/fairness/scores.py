"""Scores by group: how well they rank, and whether they mean the same in every group (calibration)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.fairness.data import NO_ROWS, NO_TARGET, Grouping
from modelops.analyses.measuring import Findings, finite, measured
from modelops.analyses.outcomes import NOT_PROBABILITIES, Outcomes
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.intervals import normal_quantile, wilson
from modelops.analyses.statistics.ranking import area
from modelops.analyses.statistics.weighting import Weighting
from modelops.domain.result import Curve, Measurement, Scope, Series, Shape
from modelops.errors import NotMeasured

_BINS = 10
_CALIBRATION = ("mean_score", "calibration_in_the_large", "brier_score", "expected_calibration_error")

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class ScoredRows:
    """Labelled rows with a score, sorted by score; ``rows`` are their positions among the outcomes."""

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
    return ScoredRows(scores[ordered], rows.truth[ordered] == 1, weights, ordered, how)


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
        found.measurements += _calibration(scored, mine, scope, uncertainty)
        if mine.size and scored.are_probabilities:
            series.append(_reliability(scored, mine, grouping.label(group), uncertainty.level))
    if series and not grouping.is_intersection:
        found.curves.append(
            Curve(
                name="calibration",
                title=f"Calibration by {grouping.title}",
                shape=Shape.LINE,
                x_title="Mean score",
                y_title="Share of positive labels",
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


def _bins(scored: ScoredRows, mine: NDArray[np.intp]) -> tuple[Numbers, Numbers, Numbers]:
    """Weight, weighted positives and weighted scores of up to ten bins of equal mass; equal scores stay together."""
    scores = scored.scores[mine]
    weights = np.ones(mine.size) if scored.weights is None else scored.weights[mine]
    edges = np.unique(scores[(np.arange(1, _BINS) * mine.size) // _BINS])
    place = np.searchsorted(edges, scores, side="right")
    mass = np.bincount(place, weights=weights).astype(np.float64)
    filled = mass > 0
    hits = np.bincount(place, weights=weights * scored.positive[mine]).astype(np.float64)
    total = np.bincount(place, weights=weights * scores).astype(np.float64)
    return mass[filled], hits[filled], total[filled]


def _calibration(
    scored: ScoredRows, mine: NDArray[np.intp], scope: Scope, uncertainty: Uncertainty
) -> list[Measurement]:
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
        ("calibration_in_the_large", positive - scores, "Share of positive labels less the mean score."),
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
    mass, hits, scores = _bins(scored, mine)
    error = float(np.sum(np.abs(hits - scores)) / mass.sum())
    sizes = np.maximum(np.rint(mass / scored.how.design_effect), 1).astype(np.int64)
    shares = uncertainty.rng.binomial(sizes, np.clip(hits / mass, 0, 1), size=(uncertainty.draws, mass.size)) / sizes
    drawn = np.sum(np.abs(shares - scores / mass) * mass, axis=1) / mass.sum()
    # Resampling adds to an absolute value what sampling has added once already; the reflected interval takes it off.
    tails = [(1 + uncertainty.level) / 2, (1 - uncertainty.level) / 2]
    low, high = 2 * error - np.quantile(drawn, tails)
    return measured(
        "expected_calibration_error",
        error,
        size=mine.size,
        scope=scope,
        interval=(max(0.0, min(float(low), error)), max(float(high), error)),
        level=uncertainty.level,
        note=f"{mass.size} bins of equal mass; small groups come out too large.",
    )


def _reliability(scored: ScoredRows, mine: NDArray[np.intp], name: str, level: float) -> Series:
    mass, hits, scores = _bins(scored, mine)
    effect = scored.how.design_effect
    ends = [
        wilson(min(hit, total) / effect, total / effect, level=level)
        for hit, total in zip(hits.tolist(), mass.tolist(), strict=True)
    ]
    return Series(
        name=name,
        x=finite(scores / mass),
        y=finite(hits / mass),
        low=tuple(low for low, _ in ends),
        high=tuple(high for _, high in ends),
        size=tuple(int(total) for total in mass),
    )
