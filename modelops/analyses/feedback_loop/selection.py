"""Selective labels: is the outcome known as often where the model said no."""

from __future__ import annotations

import numpy as np

from modelops.analyses.drift.distances import smallest_detectable_share_change
from modelops.analyses.drift.homogeneity import homogeneity
from modelops.analyses.feedback_loop.decisions import Decisions
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.gaps import GroupRate, spread
from modelops.analyses.statistics.intervals import wilson
from modelops.analyses.statistics.ranking import area
from modelops.domain.result import Curve, Series, Shape
from modelops.errors import NotMeasured

NO_TARGET = "There is no target column: whose outcome is known cannot be seen."
_DECILES = 10


def selection_findings(data: Decisions, *, rng: np.random.Generator, alpha: float) -> Findings:
    """Measure the share of known labels for each decision, the gap, and whether the score tells who has one."""
    found = Findings()
    labelled = data.labelled
    if labelled is None:
        for metric in ("label_coverage", "label_coverage_gap", "label_coverage_p_value", "label_selection_roc_auc"):
            found.measurements.append(measured(metric, None, size=data.n_rows, otherwise=NO_TARGET))
        return found
    effect = data.worth(labelled.astype(np.int64))
    n_known = int(np.count_nonzero(labelled))
    found.measurements.append(
        measured(
            "label_coverage",
            n_known / data.n_rows,
            size=data.n_rows,
            interval=wilson(n_known / effect, data.n_rows / effect),
        )
    )
    totals = np.bincount(data.codes, minlength=len(data.levels))
    known = np.bincount(data.codes[labelled], minlength=len(data.levels))
    for place, (count, total) in enumerate(zip(known.tolist(), totals.tolist(), strict=True)):
        found.measurements.append(
            measured(
                "label_coverage",
                count / total if total else None,
                size=total,
                scope=data.scope(place),
                interval=wilson(count / effect, total / effect) if total else None,
                otherwise="No row was decided so.",
            )
        )
    found.add(_gap(known[totals > 0], totals[totals > 0], effect, rng=rng, alpha=alpha))
    found.add(_by_score(data, effect))
    if effect > 1:
        note = f"Labels of one entity or time come together: rows count as fewer (design effect {effect:.2f})."
        found.notes.append(note)
    return found


def _gap(known: np.ndarray, totals: np.ndarray, effect: float, *, rng: np.random.Generator, alpha: float) -> Findings:
    found = Findings()
    size = int(totals.min()) if totals.size else 0
    if totals.size < 2:
        only = "Every row was decided alike: there is nothing to compare."
        for metric in ("label_coverage_gap", "label_coverage_p_value"):
            found.measurements.append(measured(metric, None, size=size, otherwise=only))
        return found
    uncertainty = Uncertainty(rng)
    hits, rows = known / effect, totals / effect
    whole = np.maximum(np.rint(rows).astype(np.int64), 1)
    drawn = rng.binomial(whole, known / totals, size=(uncertainty.draws, totals.size)).astype(np.float64)
    rate = GroupRate(hits, rows, drawn, np.broadcast_to(whole, drawn.shape).astype(np.float64))
    gap = spread([rate], uncertainty)
    found.measurements.append(
        measured("label_coverage_gap", gap.difference, size=size, interval=gap.difference_interval)
    )
    counts = np.rint(np.stack([hits, rows - hits])).astype(np.int64)
    try:
        p_value, reason = homogeneity(counts, rng=rng).p_value, ""
    except NotMeasured:
        p_value, reason = None, "All labels are known, or none is: there is nothing to test."
    found.measurements.append(measured("label_coverage_p_value", p_value, size=size, otherwise=reason))
    overall = float(known.sum() / totals.sum())
    detectable = smallest_detectable_share_change(overall, float(rows.min()), float(rows.max()), alpha=alpha)
    found.measurements.append(
        measured(
            "smallest_detectable_label_coverage_gap",
            detectable,
            size=size,
            note="between the smallest and the largest group of decisions",
        )
    )
    return found


def _by_score(data: Decisions, effect: float) -> Findings:
    found = Findings()
    labelled = data.labelled
    if data.scores is None or labelled is None:
        found.measurements.append(
            measured("label_selection_roc_auc", None, size=data.n_rows, otherwise=data.no_scores or NO_TARGET)
        )
        return found
    usable = np.isfinite(data.scores)
    scores, mask = data.scores[usable], labelled[usable]
    try:
        ranked = area(scores, mask, design_effect=effect)
        value, interval, reason = ranked.value, ranked.interval(), ""
    except NotMeasured:
        value, interval, reason = None, None, "All labels are known, or none is: there is nothing to tell apart."
    size = int(min(np.count_nonzero(mask), np.count_nonzero(~mask)))
    found.measurements.append(
        measured("label_selection_roc_auc", value, size=size, interval=interval, otherwise=reason)
    )
    if scores.size >= 2 * _DECILES:
        found.curves.append(_curve(data, usable))
    return found


def _curve(data: Decisions, usable: np.ndarray) -> Curve:
    """Return the share of known labels, and of yes, in tenths of the rows by score."""
    scores = data.scores[usable] if data.scores is not None else np.zeros(0)
    edges = np.unique(np.quantile(scores, np.arange(1, _DECILES) / _DECILES))
    bins = np.searchsorted(edges, scores, side="right")
    totals = np.bincount(bins, minlength=edges.size + 1)
    kept = np.flatnonzero(totals)
    middle = np.array([float(np.median(scores[bins == place])) for place in kept])
    lines = {"label is known": data.labelled}
    if data.said_yes is not None:
        lines["yes was said"] = data.said_yes
    series = []
    for name, mask in lines.items():
        if mask is None:
            continue
        hits = np.bincount(bins[mask[usable]], minlength=edges.size + 1)[kept]
        ends = [wilson(int(hit), int(total)) for hit, total in zip(hits, totals[kept], strict=True)]
        series.append(
            Series(
                name=name,
                x=tuple(middle.tolist()),
                y=tuple((hits / totals[kept]).tolist()),
                low=tuple(low for low, _ in ends),
                high=tuple(high for _, high in ends),
                size=tuple(int(total) for total in totals[kept]),
            )
        )
    return Curve(
        name="coverage_by_score",
        title="Whose outcome is known, by score",
        shape=Shape.LINE,
        x_title="score" if data.positive is not None else "score or prediction",
        y_title="share of the rows",
        series=tuple(series),
        note="Tenths of the rows by score.",
    )
