"""What people see first: the sentence, and the improvement in every metric."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelops.analyses.champion_challenger.switching import Switch
from modelops.analyses.side_by_side import SKILL
from modelops.analyses.statistics.paired import Pair
from modelops.domain.metric_words import metric_name, metric_phrase
from modelops.domain.number_words import percent, quantity
from modelops.domain.result import Curve, Measurement, Series, Shape

_WITH_UNIT = ("mean_absolute_error", "root_mean_squared_error", "cost_per_row")


def summary_of(pair: Pair, verdict: Switch, measurements: Sequence[Measurement]) -> str:
    """Return the advice with its reason, the numbers, and how many decisions change."""
    text = f"{verdict.advice.value.capitalize()}: {verdict.because}."
    if np.isfinite(pair.improvement):
        text += (
            f" On the same {pair.size:,} rows the challenger has {quantity(pair.first)} and the champion "
            f"{quantity(pair.second)} in {metric_phrase(pair.metric)}"
        )
        if pair.interval is not None:
            low, high = pair.interval
            gain, better = pair.improvement, pair.improvement >= 0
            gain, low, high = (gain, low, high) if better else (-gain, -high, -low)
            ends = f"{quantity(low, digits=3)} to {quantity(high, digits=3)}"
            text += f" ({'better' if better else 'worse'} by {quantity(gain, digits=3)}, {ends})"
        text += "."
    rates = {one.metric: one.value for one in measurements if not one.scope}
    changed, lost, gained = (rates.get(f"{name}_rate") for name in ("churn", "negative_flip", "positive_flip"))
    if changed is not None and lost is not None and gained is not None:
        text += f" {percent(changed)} of the answers change"
        text += f": {percent(gained)} for the better, {percent(lost)} for the worse"
        # What is left changes from one wrong answer to another, or by less than counts as an error gained or lost.
        neither = changed - gained - lost
        text += f", {percent(neither)} for neither." if neither > 1e-9 else "."
    return text


def improvements(pairs: Sequence[Pair]) -> Curve:
    """Return a forest plot of the improvement in every metric that has no unit."""
    there = [pair for pair in pairs if pair.metric not in _WITH_UNIT and np.isfinite(pair.improvement)]
    names = ["Mean absolute error, as a share" if one.metric == SKILL else metric_name(one.metric) for one in there]
    return Curve(
        name="improvements",
        title="How much better the challenger is in each metric",
        shape=Shape.FOREST,
        x_title="Metric",
        y_title="Improvement on the same rows (above 0: the challenger is better)",
        series=(
            Series(
                name="improvement",
                x=tuple(names),
                y=tuple(pair.improvement for pair in there),
                low=tuple(pair.interval[0] if pair.interval else None for pair in there),
                high=tuple(pair.interval[1] if pair.interval else None for pair in there),
                size=tuple(pair.size for pair in there),
            ),
        ),
        reference=0.0,
    )
