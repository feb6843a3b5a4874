"""Promote, hold or reject; and when to go back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np

from modelops.analyses.champion_challenger.cost import COST
from modelops.analyses.champion_challenger.segments import Segment
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.side_by_side import LOW_IS_GOOD
from modelops.analyses.statistics.intervals import Interval, normal_quantile
from modelops.analyses.statistics.paired import Pair
from modelops.domain.metric_words import metric_name
from modelops.domain.number_words import percent, quantity
from modelops.domain.result import ResultTable

_POWER = 0.8
_NO_MARGIN = "Needs a margin above 0 and an interval."
_NAMED_SEGMENTS = 3


class Advice(StrEnum):
    """What the numbers advise; people decide."""

    PROMOTE = "promote"
    HOLD = "hold"
    REJECT = "reject"


@dataclass(frozen=True)
class Switch:
    """The advice with its reason, and the condition under which the champion should come back."""

    advice: Advice
    because: str
    threshold: float | None
    rollback_rows: int | None
    rows_to_decide: int | None
    rollback: str


def switch(pair: Pair, *, margin: float, non_inferiority: bool, losses: Sequence[Segment], level: float) -> Switch:
    """Return the advice.

    With superiority as the aim: promote where the whole interval of the improvement lies above 0, reject where it lies
    below 0. With non-inferiority: promote where it lies above minus the margin, reject where it lies below that. Hold
    in between, and where a segment loses for certain.

    Parameters
    ----------
    margin : float
        In the metric; for errors and costs a share of the champion's.
    losses : sequence of Segment
        Where the challenger was found, and confirmed, to be worse.
    """
    lower_is_better = pair.metric in LOW_IS_GOOD or pair.metric == COST
    allowed = margin * (abs(pair.second) if lower_is_better else 1.0)
    advice, because = _advice(pair, allowed, non_inferiority=non_inferiority)
    if advice is Advice.PROMOTE and losses:
        names = ", ".join(one.label for one in losses[:_NAMED_SEGMENTS])
        more = f" and {len(losses) - _NAMED_SEGMENTS} more" if len(losses) > _NAMED_SEGMENTS else ""
        advice, because = Advice.HOLD, f"{because}, but it is worse for {names}{more}"
    threshold = pair.second + allowed if lower_is_better else pair.second - allowed
    rollback_rows = _rows_needed(pair.size, pair.first_interval, allowed, level, two_sided=False)
    return Switch(
        advice=advice,
        because=because,
        threshold=threshold if np.isfinite(threshold) else None,
        rollback_rows=rollback_rows,
        rows_to_decide=_rows_needed(pair.size, pair.interval, allowed, level, two_sided=True),
        rollback=_rollback(pair.metric, threshold, rollback_rows, lower_is_better=lower_is_better, level=level),
    )


def _advice(pair: Pair, allowed: float, *, non_inferiority: bool) -> tuple[Advice, str]:
    if not np.isfinite(pair.improvement) or pair.interval is None:
        return Advice.HOLD, f"the difference could not be measured: {pair.reason}"
    low, high = pair.interval
    if low > 0:
        return Advice.PROMOTE, "the challenger is better by more than chance explains"
    if high < 0 and (not non_inferiority or high < -allowed):
        return Advice.REJECT, "the challenger is worse by more than chance explains"
    if non_inferiority and low > -allowed:
        return Advice.PROMOTE, "the challenger is not worse by as much as the margin, beyond what chance explains"
    if low > -allowed:
        return Advice.HOLD, "the challenger is not worse by as much as the margin, but not shown to be better"
    return Advice.HOLD, "the rows do not decide which of the two is better"


def _rows_needed(rows: int, interval: Interval | None, effect: float, level: float, *, two_sided: bool) -> int | None:
    """Rows at which a difference of ``effect`` shows with 80 % power, if the error shrinks with their root."""
    if interval is None or effect <= 0 or not math.isfinite(effect):
        return None
    normal = NormalDist()
    error = (interval[1] - interval[0]) / (2 * normal_quantile(level))
    reach = (normal_quantile(level) if two_sided else normal.inv_cdf(level)) + normal.inv_cdf(_POWER)
    times = reach * error / effect
    return max(1, math.ceil(rows * times**2)) if times * math.sqrt(rows) < 1e6 else None


def _rollback(metric: str, threshold: float, rows: int | None, *, lower_is_better: bool, level: float) -> str:
    if not math.isfinite(threshold):
        return "No condition: the deciding metric was not measured."
    side, end = ("above", "lower") if lower_is_better else ("below", "upper")
    least = f" on at least {rows:,} labelled production rows" if rows else " on labelled production rows"
    return (
        f"Back to the champion when the {end} end of the {percent(level)} interval of {metric_name(metric)} lies "
        f"{side} {quantity(threshold)}{least}."
    )


def switch_findings(found: Switch, pair: Pair, *, margin: float, goal: str) -> Findings:
    """Return the numbers of the switch and its table."""
    low, high = pair.interval or (None, None)
    table = ResultTable(
        name="switching",
        title="Promote, hold or reject",
        columns=("what", "value"),
        rows=(
            ("advice", found.advice.value),
            ("because", found.because),
            ("aim", goal),
            ("deciding metric", metric_name(pair.metric)),
            ("margin", margin),
            ("improvement", pair.improvement if np.isfinite(pair.improvement) else None),
            ("lower end", low),
            ("upper end", high),
            ("rows that would show the margin", found.rows_to_decide),
            ("rollback condition", found.rollback),
        ),
        note="Advice from the numbers; whether to switch is decided by people and by the rules of the policy.",
    )
    numbers = (
        ("rows_to_decide", found.rows_to_decide),
        ("rollback_threshold", found.threshold),
        ("rollback_rows", found.rollback_rows),
    )
    measurements = [measured(name, value, size=pair.size, otherwise=_NO_MARGIN) for name, value in numbers]
    return Findings(measurements=measurements, tables=[table])
