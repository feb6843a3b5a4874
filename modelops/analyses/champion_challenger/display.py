"""What people see first: the sentence, and the improvement in every metric."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelops.analyses.champion_challenger.switching import Switch
from modelops.analyses.measuring import percent
from modelops.analyses.side_by_side import SKILL
from modelops.analyses.statistics.paired import Pair
from modelops.domain.metric_words import metric_name, metric_phrase
from modelops.domain.result import Curve, Measurement, Series, Shape

_WITH_UNIT = ("mean_absolute_error", "root_mean_squared_error", "cost_per_row")


def summary_of(pair: Pair, verdict: Switch, measurements: Sequence[Measurement]) -> str:
    """Return the advice with its reason, the numbers, and how many decisions change."""
    text = f"{verdict.advice.value.capitalize()}: {verdict.because}."
    if np.isfinite(pair.improvement):
        text += (
            f" On the same {pair.size:,} rows the challenger has {pair.first:.4g} and the champion {pair.second:.4g} "
            f"in {metric_phrase(pair.metric)}"
        )
        if pair.interval is not None:
            low, high = pair.interval
            if pair.improvement >= 0:
                text += f" (better by {pair.improvement:.3g}, {low:.3g} to {high:.3g})"
            else:
                text += f" (worse by {-pair.improvement:.3g}, {-high:.3g} to {-low:.3g})"
        text += "."
    rates = {one.metric: one.value for one in measurements if not one.scope}
    changed, lost, gained = (rates.get(f"{name}_rate") for name in ("churn", "negative_flip", "positive_flip"))
    if changed is not None and lost is not None and gained is not None:
        text += f" {percent(changed)} of the answers change"
        text += f": {percent(gained)} for the better, {percent(lost)} for the worse."
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
