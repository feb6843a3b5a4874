"""All groups of a column together: the criteria of fairness, each as a difference and a ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.cores.confusion_counts import resampled_counts
from modelops.analyses.fairness.data import Comparison, RateByGroup, of_class
from modelops.analyses.measuring import Findings, measured, shown
from modelops.analyses.pending_tests import PendingTest
from modelops.analyses.statistics.gaps import GroupRate, Spread, homogeneity_p_value, spread
from modelops.analyses.statistics.rates import (
    ACCURACY,
    BASE_RATE,
    FALSE_POSITIVE_RATE,
    PRECISION,
    SELECTION_RATE,
    TRUE_POSITIVE_RATE,
    Rate,
)
from modelops.domain.metric_words import metric_phrase
from modelops.domain.result import Measurement, ResultTable

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Criterion:
    """One idea of what fair means: these rates are alike in every group. ``asks`` says it in words."""

    metric: str
    rates: tuple[Rate, ...]
    asks: str
    has_ratio: bool = True


CRITERIA = (
    Criterion("demographic_parity", (SELECTION_RATE,), "Every group is selected equally often."),
    Criterion(
        "equalized_odds",
        (TRUE_POSITIVE_RATE, FALSE_POSITIVE_RATE),
        "Among the positives and among the negatives, every group is selected equally often.",
    ),
    Criterion(
        "equal_opportunity", (TRUE_POSITIVE_RATE,), "Among the positives, every group is selected equally often."
    ),
    Criterion(
        "predictive_parity",
        (PRECISION,),
        "A positive prediction is equally often right in every group.",
        has_ratio=False,
    ),
    Criterion(
        "accuracy_parity", (ACCURACY,), "The predictions are equally often right in every group.", has_ratio=False
    ),
    Criterion(
        "base_rate",
        (BASE_RATE,),
        "The labels themselves: if they differ, no model can meet all criteria at once, and the labels may carry "
        "past prejudice.",
        has_ratio=False,
    ),
)


def gap_findings(compared: Comparison, *, smallest_group: int) -> tuple[Findings, list[PendingTest]]:
    """Measure how far apart the groups are, by every criterion."""
    found, tests = Findings(), []
    drawn = _Draws(compared)
    lines = []
    for criterion in CRITERIA:
        rates = [compared.rate(rate) for rate in criterion.rates]
        usable = [(rate.sizes >= smallest_group) & (rate.totals > 0) for rate in rates]
        if reason := _not_comparable(compared, criterion, rates, usable):
            names = [f"{criterion.metric}_difference"] + [f"{criterion.metric}_ratio"] * criterion.has_ratio
            size = min(float(rate.sizes.sum()) for rate in rates)
            found.measurements += [
                measured(name, None, size=size, scope=compared.feature_scope, otherwise=reason) for name in names
            ]
            tests.append(PendingTest(criterion.metric, compared.feature_scope, None, int(size), reason))
            continue
        columns = [
            GroupRate(rate.hits[kept], rate.totals[kept], *(part[:, kept] for part in drawn.of(kind)))
            for kind, rate, kept in zip(criterion.rates, rates, usable, strict=True)
        ]
        gap = spread(columns, compared.uncertainty)
        size = _deciding_size(rates, usable)
        found.measurements += _gap_measurements(compared, criterion, gap, size, _left_out(compared, rates, usable))
        tables = [(rate.hits[kept], rate.totals[kept]) for rate, kept in zip(rates, usable, strict=True)]
        p_value = homogeneity_p_value(tables, compared.uncertainty)
        tests.append(PendingTest(criterion.metric, compared.feature_scope, p_value, size))
        ends = gap.difference_interval
        lines.append((metric_phrase(criterion.metric), criterion.asks, gap.difference, *ends, shown(gap.ratio)))
    found.tables.append(
        ResultTable(
            name=":".join(["criteria", compared.grouping.title, *(str(value) for value in compared.extra.values())]),
            title=f"Criteria of fairness by {compared.grouping.title}{of_class(compared.extra)}",
            columns=("criterion", "what it asks", "difference", "low", "high", "ratio"),
            rows=tuple(lines),
            note="Where base rates differ, the criteria exclude each other; which one counts is a decision to record.",
        )
    )
    return found, tests


class _Draws:
    """Resampled counts, drawn once: group sizes are held, labels and predictions drawn within each group.

    Labels are not held as well: selection rate, precision and accuracy depend on the base rate, whose uncertainty
    belongs into their intervals. For rates among positives or negatives it makes no difference.
    """

    def __init__(self, compared: Comparison) -> None:
        draws, rng = compared.uncertainty.draws, compared.uncertainty.rng
        effect = compared.design_effect
        self._confusion = resampled_counts(compared.confusion, draws=draws, rng=rng, strata=1, design_effect=effect)
        if np.array_equal(compared.confusion.sum(axis=-2), compared.selected):
            selected = self._confusion.sum(axis=-2)
        else:  # rows without a label count in the selection rate only
            selected = resampled_counts(compared.selected, draws=draws, rng=rng, strata=1, design_effect=effect)
        self._selected = np.stack([selected, np.zeros_like(selected)], axis=-2)

    def of(self, rate: Rate) -> tuple[Numbers, Numbers]:
        return rate.of(self._confusion if rate.needs_labels else self._selected)


def _not_comparable(
    compared: Comparison, criterion: Criterion, rates: list[RateByGroup], usable: list[NDArray[np.bool_]]
) -> str | None:
    for kind, rate, kept in zip(criterion.rates, rates, usable, strict=True):
        if kind.needs_labels and not compared.has_target:
            return rate.reasons[0] if rate.reasons else "There are no groups."
        if np.count_nonzero(kept) < 2:
            return f"Fewer than two groups have rows for the {kind.metric.replace('_', ' ')}."
    return None


def _deciding_size(rates: list[RateByGroup], usable: list[NDArray[np.bool_]]) -> int:
    """The smaller denominator of the two groups that are furthest apart: what the gap rests on."""
    widest = max(zip(rates, usable, strict=True), key=lambda pair: float(np.ptp(pair[0].shares[pair[1]])))
    rate, kept = widest
    places = np.flatnonzero(kept)
    shares = rate.shares[places]
    ends = places[[int(np.argmin(shares)), int(np.argmax(shares))]]
    return int(rate.sizes[ends].min())


def _left_out(compared: Comparison, rates: list[RateByGroup], usable: list[NDArray[np.bool_]]) -> str | None:
    absent = {
        compared.grouping.label(int(group))
        for rate, kept in zip(rates, usable, strict=True)
        for group in np.flatnonzero(~kept)
    }
    if not absent:
        return None
    named = sorted(absent)
    more = f" and {len(named) - 5} more" if len(named) > 5 else ""
    return f"Not enough data to compare: {', '.join(named[:5])}{more}."


def _gap_measurements(
    compared: Comparison, criterion: Criterion, gap: Spread, size: int, note: str | None
) -> list[Measurement]:
    level, scope = compared.uncertainty.level, compared.feature_scope
    found = [
        measured(
            f"{criterion.metric}_difference",
            gap.difference,
            size=size,
            scope=scope,
            interval=gap.difference_interval,
            level=level,
            note=note,
        )
    ]
    if criterion.has_ratio:
        found.append(
            measured(
                f"{criterion.metric}_ratio",
                gap.ratio,
                size=size,
                scope=scope,
                interval=gap.ratio_interval,
                level=level,
                note=note,
                otherwise="The rate is 0 in every group, so no ratio is defined.",
            )
        )
    return found
