"""The threshold workbench: what moving the threshold does to errors, cost and capacity, and to each group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.levels import Coded
from modelops.analyses.measuring import Findings, finite, measured, shown, thinned
from modelops.analyses.performance.threshold_counts import MOST_THRESHOLDS, threshold_table
from modelops.analyses.statistics.ranking import Ranking
from modelops.analyses.statistics.rates import (
    FALSE_POSITIVE_RATE,
    PRECISION,
    SELECTION_RATE,
    TRUE_POSITIVE_RATE,
    composed_metrics,
)
from modelops.domain.result import Curve, Measurement, ResultTable, Series, Shape

_GRID = 101
_IN_SAMPLE = "Chosen on these rows, so it looks a little better here than on new ones."

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class OperatingPoint:
    """One way to choose the threshold, and the counts of shape (2, 2) that it gives."""

    criterion: str
    threshold: float | None
    counts: Numbers


@dataclass(frozen=True)
class Scored:
    """The rows that have a score and a label."""

    scores: Numbers
    positive: NDArray[np.bool_]
    weights: Numbers | None

    @property
    def are_probabilities(self) -> bool:
        """Whether every score lies in 0 to 1."""
        return bool(self.scores.min() >= 0) and bool(self.scores.max() <= 1)


def counts_at(ranking: Ranking, thresholds: Numbers) -> Numbers:
    """Return the confusion counts of shape (m, 2, 2) when a score of at least each threshold counts as positive."""
    false_positives, true_positives = ranking.at(thresholds)
    rejected = np.stack([ranking.n_negatives - false_positives, ranking.n_positives - true_positives], axis=-1)
    return np.stack([rejected, np.stack([false_positives, true_positives], axis=-1)], axis=-1)


def cost_per_row(counts: Numbers, costs: Numbers) -> Numbers:
    """Return the mean cost of a decision from counts of shape (..., k, k) and costs of shape (k, k)."""
    total = counts.sum(axis=(-2, -1))
    spent = np.sum(counts * costs, axis=(-2, -1))
    return np.asarray(np.divide(spent, total, out=np.full(np.shape(total), np.nan), where=total > 0))


def workbench(
    rows: Scored,
    ranking: Ranking,
    groups: Mapping[str, Coded],
    *,
    current: Numbers,
    costs: Numbers,
    capacity: float | None,
) -> Findings:
    """Measure every threshold.

    Parameters
    ----------
    rows, ranking
        The rows and the same rows sorted.
    groups : mapping of str to Coded
        The sensitive columns of the same rows.
    current : ndarray of shape (2, 2)
        The counts of the predictions as they are.
    costs : ndarray of shape (2, 2)
        The cost by label and prediction.
    capacity : float, optional
        The share of the rows that can be acted on.
    """
    thresholds = _thresholds(ranking, probabilities=rows.are_probabilities)
    found = Findings(curves=_curves(thresholds, counts_at(ranking, thresholds), costs))
    points = [OperatingPoint("current", None, current), *_chosen(ranking, costs, capacity)]
    found.tables.append(_points_table(points, costs))
    n_rows = int(rows.scores.size)
    for point in points[1:]:
        found.measurements += _point_measurements(point, costs, n_rows)
    by_group = {feature: (codes.levels, _group_counts(rows, codes, thresholds)) for feature, codes in groups.items()}
    for feature, (levels, counts) in by_group.items():
        found.curves += _group_curves(feature, levels, thresholds, counts)
    found.tables.append(threshold_table(thresholds, counts_at(ranking, thresholds), by_group))
    if groups:
        found.tables.append(_groups_table(rows, groups, points[1:]))
    return found


def _thresholds(ranking: Ranking, *, probabilities: bool) -> Numbers:
    grid = np.linspace(0, 1, _GRID) if probabilities else np.empty(0)
    seen = ranking.negatives + ranking.positives
    chosen = ranking.thresholds[thinned(seen, most=MOST_THRESHOLDS - len(grid))]
    return np.unique(np.append(chosen, grid))


def _chosen(ranking: Ranking, costs: Numbers, capacity: float | None) -> list[OperatingPoint]:
    nobody = np.nextafter(ranking.thresholds[0], np.inf)
    thresholds = np.append(nobody, ranking.thresholds)
    counts = counts_at(ranking, thresholds)
    f1 = composed_metrics(counts)[:, 1]
    best = {"lowest cost": int(np.argmin(cost_per_row(counts, costs)))}
    if np.isfinite(f1).any():
        best["highest F1"] = int(np.nanargmax(f1))
    if capacity is not None:
        best["capacity"] = int(np.flatnonzero(SELECTION_RATE.share(counts) <= capacity + 1e-12)[-1])
    return [OperatingPoint(name, float(thresholds[place]), counts[place]) for name, place in best.items()]


def _point_measurements(point: OperatingPoint, costs: Numbers, n_rows: int) -> list[Measurement]:
    scope = {"criterion": point.criterion}
    values = {
        "threshold": point.threshold,
        "cost_per_row": float(cost_per_row(point.counts, costs)),
        **{rate.metric: float(rate.share(point.counts)) for rate in (SELECTION_RATE, PRECISION)},
        "recall": float(TRUE_POSITIVE_RATE.share(point.counts)),
        "f1": float(composed_metrics(point.counts)[1]),
    }
    reasons = {"precision": PRECISION.denominator, "recall": TRUE_POSITIVE_RATE.denominator}
    undefined = "There is neither a positive label nor a positive prediction."
    return [
        measured(name, value, size=n_rows, scope=scope, note=_IN_SAMPLE, otherwise=reasons.get(name, undefined))
        for name, value in values.items()
    ]


def _points_table(points: list[OperatingPoint], costs: Numbers) -> ResultTable:
    rows = []
    for point in points:
        f1 = composed_metrics(point.counts)[1]
        shares = [rate.share(point.counts) for rate in (SELECTION_RATE, PRECISION, TRUE_POSITIVE_RATE)]
        numbers = [*shares, f1, FALSE_POSITIVE_RATE.share(point.counts), cost_per_row(point.counts, costs)]
        rows.append((point.criterion, point.threshold, *(shown(float(number)) for number in numbers)))
    return ResultTable(
        name="operating_points",
        title="Ways to choose the threshold",
        columns=("choice", "threshold", "selected", "precision", "recall", "F1", "false positive rate", "cost per row"),
        rows=tuple(rows),
        note=_IN_SAMPLE,
    )


def _curves(thresholds: Numbers, counts: Numbers, costs: Numbers) -> list[Curve]:
    f1 = composed_metrics(counts)[:, 1]
    x = finite(thresholds)
    lines = {
        "precision": PRECISION.share(counts),
        "recall": TRUE_POSITIVE_RATE.share(counts),
        "F1": f1,
        "false positive rate": FALSE_POSITIVE_RATE.share(counts),
        "selected": SELECTION_RATE.share(counts),
    }
    return [
        Curve(
            name="threshold_rates",
            title="What each threshold gives",
            shape=Shape.LINE,
            x_title="Threshold",
            y_title="Share",
            series=tuple(Series(name=name, x=x, y=finite(values)) for name, values in lines.items()),
        ),
        Curve(
            name="threshold_cost",
            title="What each threshold costs",
            shape=Shape.LINE,
            x_title="Threshold",
            y_title="Cost per row",
            series=(Series(name="cost per row", x=x, y=finite(cost_per_row(counts, costs))),),
        ),
    ]


def _group_counts(rows: Scored, codes: Coded, thresholds: Numbers) -> Numbers:
    """Confusion counts of shape (groups, thresholds, 2, 2)."""
    known = codes.codes >= 0
    n_groups, n_bins = len(codes.levels), thresholds.size + 1
    place = np.searchsorted(thresholds, rows.scores[known], side="right")
    cell = (codes.codes[known].astype(np.int64) * 2 + rows.positive[known]) * n_bins + place
    weights = None if rows.weights is None else rows.weights[known]
    mass = np.bincount(cell, weights=weights, minlength=n_groups * 2 * n_bins).reshape(n_groups, 2, n_bins)
    rejected = np.cumsum(mass, axis=-1)[..., :-1].astype(np.float64)
    selected = mass.sum(axis=-1, keepdims=True) - rejected
    return np.moveaxis(np.stack([rejected, selected], axis=-1), 1, 2)


def _group_curves(feature: str, levels: tuple[str, ...], thresholds: Numbers, counts: Numbers) -> list[Curve]:
    x = finite(thresholds)
    return [
        Curve(
            name=f"threshold_{rate.metric}",
            title=f"{title} at each threshold, by {feature}",
            shape=Shape.LINE,
            x_title="Threshold",
            y_title=title,
            series=tuple(
                Series(name=level, x=x, y=finite(rate.share(counts[position]))) for position, level in enumerate(levels)
            ),
            scope={"feature": feature},
        )
        for rate, title in ((SELECTION_RATE, "Selection rate"), (TRUE_POSITIVE_RATE, "True positive rate"))
    ]


def _groups_table(rows: Scored, groups: Mapping[str, Coded], points: list[OperatingPoint]) -> ResultTable:
    lines: list[tuple[str | float | int | None, ...]] = []
    for point in points:
        at = np.array([point.threshold], dtype=np.float64)
        for feature, codes in groups.items():
            counts = _group_counts(rows, codes, at)[:, 0]
            for level, cell in zip(codes.levels, counts, strict=True):
                shares = [rate.share(cell) for rate in (SELECTION_RATE, TRUE_POSITIVE_RATE, FALSE_POSITIVE_RATE)]
                lines.append((point.criterion, feature, level, *(shown(float(share)) for share in shares)))
    return ResultTable(
        name="operating_points_by_group",
        title="What each choice of threshold means for each group",
        columns=("choice", "column", "group", "selection rate", "true positive rate", "false positive rate"),
        rows=tuple(lines),
    )
