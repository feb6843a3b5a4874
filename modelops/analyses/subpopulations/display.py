"""What the comparison of groups says in one sentence."""

from __future__ import annotations

import math

from modelops.analyses.subpopulations.losses import Losses
from modelops.analyses.subpopulations.weakest import WeakSegments
from modelops.domain.metric_words import metric_phrase
from modelops.domain.number_words import percent, quantity


def summary(found: Losses, weak: WeakSegments, mean: float) -> str:
    """Return the weakest confirmed segment in words; or that there is none, and what could have been seen."""
    if weak.confirmed:
        worst = max(weak.confirmed, key=lambda one: one.moments.mean)
        many = f"{len(weak.confirmed)} weak groups were" if len(weak.confirmed) > 1 else "One weak group was"
        first = f"{many} found and confirmed on other rows"
        rest = worst.contrast.rest.mean if worst.contrast else mean
        here, elsewhere = _said(found, worst.moments.mean), _against(found, rest)
        return f"{first}; the weakest is {worst.name}, where {here}, {elsewhere} elsewhere."
    if not weak.compared:
        return f"There are too few rows to find weak groups and to confirm them; in all, {_said(found, mean)}."
    contrasts = [one.contrast for one in weak.compared if one.contrast is not None]
    tested = [one.detectable for one in contrasts if math.isfinite(one.detectable)]
    seen = (
        f" A group as large as these that is worse by {_amount(found, min(tested))} would have been seen."
        if tested
        else ""
    )
    count = len(weak.compared)
    return (
        f"No group of rows was confirmed in which the model is worse than elsewhere ({count} looked weak on one half "
        f"of the rows); in all, {_said(found, mean)}.{seen}"
    )


def _said(found: Losses, loss: float) -> str:
    if found.is_share:
        words = {
            "accuracy": "it is wrong in {} of the rows",
            "recall": "it misses {} of the positive rows",
            "precision": "{} of its positive predictions are wrong",
            "specificity": "it raises a false alarm in {} of the negative rows",
        }
        return words[found.metric].format(percent(loss))
    return f"the {metric_phrase(found.metric)} is {quantity(loss)}"


def _against(found: Losses, loss: float) -> str:
    return f"against {percent(loss) if found.is_share else quantity(loss)}"


def _amount(found: Losses, loss: float) -> str:
    return f"{loss * 100:.1f} percentage points" if found.is_share else quantity(loss)
