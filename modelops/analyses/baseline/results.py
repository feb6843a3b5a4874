"""What came out of each comparison with a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from modelops.analyses.base import Run
from modelops.analyses.baseline.contest import Contest
from modelops.analyses.baseline.rivals import Rival
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.side_by_side import (
    CLASS_METRICS,
    NUMBER_METRICS,
    SKILL,
    compared,
    improvement_measurements,
    own_measurements,
    p_value_name,
    with_adjusted,
)
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.paired import Pair, smallest_detectable

SMALLEST = "smallest_detectable_improvement"


class Standing(StrEnum):
    """How the model stands against one baseline."""

    BY_MARGIN = "beats it by the margin"
    BEATS = "beats it, by the margin is not shown"
    IMMATERIAL = "beats it by less than the margin"
    OPEN = "not shown to be better"
    WORSE = "worse"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Result:
    """The comparison with one baseline: all metrics, and the one that decides."""

    rival: Rival
    pairs: tuple[Pair, ...]
    headline: Pair
    standing: Standing
    adjusted_p_value: float | None
    smallest: float | None


def results_of(
    contest: Contest, metric: str, margin: float, uncertainty: Uncertainty, run: Run
) -> tuple[Findings, list[Result]]:
    """Compare the model with every baseline; measure, and say how it stands in ``metric``."""
    found = Findings(notes=list(contest.notes))
    compared_with: list[tuple[Rival, list[Pair]]] = []
    for place, rival in enumerate(contest.rivals):
        pairs, note = _pairs(contest, rival, uncertainty)
        compared_with.append((rival, pairs))
        found.notes += [text for text in (rival.note and f"{rival.title}: {rival.note}", note) if text]
        run.progress(0.7 + 0.25 * (place + 1) / len(contest.rivals), f"Compared with {rival.title}")
    level = uncertainty.level
    found.measurements += own_measurements(compared_with[0][1], {}, level=level)
    differences = []
    for rival, pairs in compared_with:
        scope = {"baseline": rival.name}
        mine = own_measurements(pairs, {**scope}, level=level, second=True)
        mine += improvement_measurements(pairs, {**scope}, level=level)
        differences += mine if rival.applies else [one.model_copy(update={"applies": False}) for one in mine]
    found.measurements += with_adjusted(differences)
    results = [_result(rival, pairs, metric, margin, found, level) for rival, pairs in compared_with]
    found.measurements += [
        measured(
            SMALLEST,
            result.smallest,
            size=result.headline.size,
            scope={"baseline": result.rival.name},
            otherwise=result.headline.reason,
        )
        for result in results
    ]
    return found, results


def _pairs(contest: Contest, rival: Rival, uncertainty: Uncertainty) -> tuple[list[Pair], str | None]:
    names: tuple[str, ...] = CLASS_METRICS if contest.rows.classes else (*NUMBER_METRICS, SKILL)
    if len(contest.rows.classes) > 2:
        names = tuple(name for name in names if name not in ("f1", "matthews_corrcoef"))
    if rival.answers is None:
        return [Pair(name, 0, reason=rival.reason) for name in names], None
    both = rival.answers.answered()
    if not both.any():
        return [Pair(name, 0, reason="This baseline has no answer for any of the rows.") for name in names], None
    rows, model, other = contest.rows.taken(both), contest.model.taken(both), rival.answers.taken(both)
    if rows.weights is not None and not rows.weights.any():
        return [Pair(name, 0, reason="No row with a weight has an answer.") for name in names], None
    how = rows.weighting(rows.gain(model, other))
    left = contest.rows.n_rows - rows.n_rows
    rows_left = f"{left:,} rows, which are" if left > 1 else "1 row, which is"
    note = f"{rival.title}: has no answer for {rows_left} left out of this comparison." if left else None
    return compared(rows, model, other, uncertainty, how=how), " ".join(filter(None, [note, how.note])) or None


def _result(rival: Rival, pairs: list[Pair], metric: str, margin: float, found: Findings, level: float) -> Result:
    by_name = {pair.metric: pair for pair in pairs}
    headline = by_name.get(metric) or Pair(metric, 0)
    name = p_value_name(metric).replace("_p_value", "_adjusted_p_value")
    scope = {"baseline": rival.name}
    p_value = next((one.value for one in found.measurements if one.metric == name and one.scope == scope), None)
    smallest = smallest_detectable(headline.interval, level=level)
    standing = _standing(headline, _share(metric, headline), margin, p_value, 1 - level)
    return Result(rival, tuple(pairs), headline, standing, p_value, smallest)


def _share(metric: str, pair: Pair) -> float:
    """By what an improvement is divided before it is held against the margin: errors count as shares."""
    return pair.second if metric in ("mean_absolute_error", "root_mean_squared_error") else 1.0


def _standing(pair: Pair, unit: float, margin: float, p_value: float | None, alpha: float) -> Standing:
    if not np.isfinite(pair.improvement):
        return Standing.NOT_MEASURED
    if pair.interval is None or p_value is None or p_value >= alpha:
        return Standing.OPEN
    if pair.improvement < 0:
        return Standing.WORSE
    if pair.interval[0] >= margin * unit:
        return Standing.BY_MARGIN
    return Standing.BEATS if pair.interval[1] >= margin * unit else Standing.IMMATERIAL
