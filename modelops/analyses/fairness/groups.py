"""Each group for itself: its rates, and how it differs from everybody outside of it."""

from __future__ import annotations

import numpy as np

from modelops.analyses.fairness.data import Comparison, RateByGroup, of_class
from modelops.analyses.measuring import Findings, finite, measured, shown
from modelops.analyses.pending_tests import PendingTest
from modelops.analyses.statistics.gaps import below_four_fifths, shrunken_rates
from modelops.analyses.statistics.intervals import newcombe, ratio_of_proportions, two_proportions_p_value, wilson
from modelops.analyses.statistics.rates import (
    ACCURACY,
    BASE_RATE,
    FALSE_POSITIVE_RATE,
    GROUP_RATES,
    PRECISION,
    SELECTION_RATE,
    TRUE_POSITIVE_RATE,
    Rate,
)
from modelops.domain.metric_words import metric_phrase
from modelops.domain.result import Curve, Measurement, ResultTable, Series, Shape

FOUR_FIFTHS = "A convention of United States employment law (29 CFR 1607.4 D), not a general truth."

# Of two rates that add up to 1 one is tested: the other has the same p-value.
_TESTED = (SELECTION_RATE, TRUE_POSITIVE_RATE, FALSE_POSITIVE_RATE, PRECISION, ACCURACY)
_SHRUNKEN = (SELECTION_RATE, TRUE_POSITIVE_RATE, FALSE_POSITIVE_RATE)
_DRAWN = {
    SELECTION_RATE: "Selection rate",
    TRUE_POSITIVE_RATE: "True positive rate",
    FALSE_POSITIVE_RATE: "False positive rate",
    PRECISION: "Precision",
    BASE_RATE: "Share of positive labels",
}
_NO_OTHERS = "There is no row outside of this group to compare with."


def group_findings(compared: Comparison) -> tuple[Findings, list[PendingTest]]:
    """Measure every rate in every group, its difference to all other rows, and adverse impact."""
    found, tests = Findings(), []
    for rate in (*GROUP_RATES, BASE_RATE):
        by_group = compared.rate(rate)
        found.measurements += [_share(compared, rate, by_group, group) for group in range(by_group.totals.size)]
        if rate in _TESTED:
            for group in range(by_group.totals.size):
                difference, test = _against_others(compared, rate, by_group, group)
                found.measurements.append(difference)
                tests.append(test)
    found.measurements += _adverse_impact(compared)
    if compared.grouping.is_intersection:
        found.measurements += _shrunken(compared)
    found.tables.append(_table(compared))
    found.curves += [_forest(compared, rate, title) for rate, title in _DRAWN.items() if _is_drawn(compared, rate)]
    return found, tests


def _share(compared: Comparison, rate: Rate, by_group: RateByGroup, group: int) -> Measurement:
    hits, total = float(by_group.hits[group]), float(by_group.totals[group])
    level = compared.uncertainty.level
    return measured(
        rate.metric,
        hits / total if total > 0 else None,
        size=float(by_group.sizes[group]),
        scope=compared.scope(group),
        interval=wilson(min(hits, total), total, level=level) if total > 0 else None,
        level=level,
        otherwise=by_group.reasons[group],
    )


def _against_others(
    compared: Comparison, rate: Rate, by_group: RateByGroup, group: int
) -> tuple[Measurement, PendingTest]:
    scope, size = compared.scope(group), float(by_group.sizes[group])
    mine = float(by_group.hits[group]), float(by_group.totals[group])
    others = float(by_group.hits.sum() - mine[0]), float(by_group.totals.sum() - mine[1])
    alone = by_group.sizes.sum() - size < 1
    if mine[1] <= 0 or alone or others[1] <= 0:
        reason = by_group.reasons[group] if mine[1] <= 0 else _NO_OTHERS
        missing = measured(f"{rate.metric}_difference", None, size=size, scope=scope, otherwise=reason)
        return missing, PendingTest(rate.metric, scope, None, int(size), reason)
    others = max(0.0, others[0]), others[1]
    level = compared.uncertainty.level
    difference = measured(
        f"{rate.metric}_difference",
        mine[0] / mine[1] - others[0] / others[1],
        size=size,
        scope=scope,
        interval=newcombe(*mine, *others, level=level),
        level=level,
        note="This group less all other rows.",
    )
    return difference, PendingTest(rate.metric, scope, two_proportions_p_value(*mine, *others), int(size))


def _adverse_impact(compared: Comparison) -> list[Measurement]:
    """Selection rate against the most selected group, from whole numbers of rows."""
    selected = compared.raw_selected[:, 1].astype(np.int64)
    totals = compared.raw_selected.sum(axis=1).astype(np.int64)
    level = compared.uncertainty.level
    found = []
    shares = np.divide(selected, totals, out=np.full(totals.shape, -1.0), where=totals > 0)
    best = int(np.argmax(shares)) if shares.size else 0
    for group in range(totals.size):
        scope, size = compared.scope(group), int(totals[group])
        a, n, b, m = (int(value) for value in (selected[group], totals[group], selected[best], totals[best]))
        if n == 0 or b == 0:
            reason = "The group has no rows." if n == 0 else "No group was selected at all."
            found += [
                measured(name, None, size=size, scope=scope, otherwise=reason)
                for name in ("adverse_impact_ratio", "below_four_fifths")
            ]
            continue
        low, high = ratio_of_proportions(a, n, b, m, level=level)
        reference = compared.grouping.label(best)
        found += [
            measured(
                "adverse_impact_ratio",
                (a * m) / (n * b),
                size=size,
                scope=scope,
                interval=(low, high) if high is not None and group != best else None,
                level=level,
                note=f"Against the most selected group, {reference}.",
            ),
            measured(
                "below_four_fifths",
                float(below_four_fifths(a, n, b, m)),
                size=size,
                scope=scope,
                note=f"1: the selection rate is below four fifths of that of {reference}. {FOUR_FIFTHS}",
            ),
        ]
    return found


def _shrunken(compared: Comparison) -> list[Measurement]:
    level = compared.uncertainty.level
    found = []
    for rate in _SHRUNKEN:
        by_group = compared.rate(rate)
        counted = np.flatnonzero(by_group.totals > 0)
        values, intervals = (
            shrunken_rates(by_group.hits[counted], by_group.totals[counted], level=level)
            if counted.size
            else (np.array([]), [])
        )
        place = {int(group): position for position, group in enumerate(counted)}
        for group in range(by_group.totals.size):
            at = place.get(group)
            found.append(
                measured(
                    f"shrunken_{rate.metric}",
                    None if at is None else float(values[at]),
                    size=float(by_group.sizes[group]),
                    scope=compared.scope(group),
                    interval=None if at is None else intervals[at],
                    level=level,
                    note="Drawn toward the mean of all groups as far as the size of this group demands.",
                    otherwise=by_group.reasons[group],
                )
            )
    return found


def _table(compared: Comparison) -> ResultTable:
    rates = (*GROUP_RATES, BASE_RATE)
    columns = [compared.rate(rate).shares for rate in rates]
    rows = compared.raw_selected.sum(axis=1)
    positives, negatives = (compared.raw_confusion[:, label].sum(axis=-1) for label in (1, 0))
    return ResultTable(
        name=_name("groups", compared),
        title=f"Rates by {compared.grouping.title}{of_class(compared.extra)}",
        columns=(
            "group",
            "rows",
            *(("labels of the class", "other labels") if compared.extra else ("positive labels", "negative labels")),
            *(metric_phrase(rate.metric) for rate in rates),
        ),
        rows=tuple(
            (
                compared.grouping.label(group),
                int(rows[group]),
                int(positives[group]),
                int(negatives[group]),
                *(shown(float(column[group])) for column in columns),
            )
            for group in range(rows.size)
        ),
    )


def _name(name: str, compared: Comparison) -> str:
    return ":".join([name, compared.grouping.title, *(str(value) for value in compared.extra.values())])


def _is_drawn(compared: Comparison, rate: Rate) -> bool:
    return bool((compared.rate(rate).totals > 0).any()) and (
        rate is SELECTION_RATE or not compared.grouping.is_intersection
    )


def _forest(compared: Comparison, rate: Rate, title: str) -> Curve:
    by_group = compared.rate(rate)
    level = compared.uncertainty.level
    ends = [
        wilson(min(hits, total), total, level=level) if total > 0 else (np.nan, np.nan)
        for hits, total in zip(by_group.hits.tolist(), by_group.totals.tolist(), strict=True)
    ]
    return Curve(
        name=rate.metric,
        title=f"{title} by {compared.grouping.title}{of_class(compared.extra)}",
        shape=Shape.FOREST,
        x_title=compared.grouping.title,
        y_title=title,
        series=(
            Series(
                name=title,
                x=tuple(compared.grouping.label(group) for group in range(by_group.totals.size)),
                y=finite(by_group.shares),
                low=finite(np.array([low for low, _ in ends])),
                high=finite(np.array([high for _, high in ends])),
                size=tuple(int(size) for size in by_group.sizes),
            ),
        ),
        scope=compared.feature_scope,
        reference=float(by_group.hits.sum() / by_group.totals.sum()),
        note="The line is the rate of all groups together.",
    )
