"""Conditional parity: whether groups are selected equally often among people who are alike in one respect."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.cores.confusion_counts import cell_counts, resampled_counts
from modelops.analyses.fairness.data import Grouping
from modelops.analyses.levels import Coded
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.outcomes import Outcomes
from modelops.analyses.pending_tests import PendingTest
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.gaps import GroupRate, spread, spread_of_estimates
from modelops.analyses.statistics.weighting import Weighting
from modelops.domain.result import Measurement, Scope

_METRIC = "conditional_demographic_parity"
_DIFFERENCE = f"{_METRIC}_difference"

Numbers = NDArray[np.float64]


def conditional_findings(
    rows: Outcomes,
    grouping: Grouping,
    strata: Coded,
    how: Weighting,
    *,
    column: str,
    extra: Scope,
    uncertainty: Uncertainty,
) -> tuple[Findings, PendingTest]:
    """Measure differences in selection within the levels of a column, and over all of them.

    Over all levels, each group's selections are compared with those expected if every level selected all its people
    equally often; the largest difference of these excesses between groups is the conditional difference. Its p-value
    deals the selections of each level to the people of that level at random.

    Parameters
    ----------
    rows : Outcomes
        Two classes, positive code 1.
    strata : Coded
        The column to condition on, for the same rows.
    """
    known = (grouping.codes >= 0) & (strata.codes >= 0)
    size = (len(strata.levels), len(grouping.names), 2)
    codes = (strata.codes[known], grouping.codes[known], rows.predicted[known])
    raw = cell_counts(codes, size)
    counts = raw if how.weights is None else cell_counts(codes, size, weights=how.weights[known])
    found = Findings()
    feature: Scope = {"feature": grouping.title, "condition": column, **extra}
    for stratum, level in enumerate(strata.levels):
        found.measurements.append(
            _within(raw[stratum], counts[stratum], how, uncertainty, scope={**feature, "stratum": level})
        )
    groups = np.flatnonzero(raw.sum(axis=(0, 2)) > 0)
    if groups.size < 2:
        reason = "Fewer than two groups have rows."
        found.measurements.append(measured(_DIFFERENCE, None, size=0, scope=feature, otherwise=reason))
        return found, PendingTest(_METRIC, feature, None, 0, reason)
    raw, counts = raw[:, groups], counts[:, groups]
    drawn = resampled_counts(
        counts, draws=uncertainty.draws, rng=uncertainty.rng, strata=2, design_effect=how.design_effect
    )
    gap, interval = spread_of_estimates(_excess(counts), _excess(drawn), level=uncertainty.level)
    smallest = int(raw.sum(axis=(0, 2)).min())
    found.measurements.append(
        measured(
            _DIFFERENCE,
            gap,
            size=smallest,
            scope=feature,
            interval=interval,
            level=uncertainty.level,
            note=f"Differences that the levels of {column} explain are taken off.",
        )
    )
    return found, PendingTest(_METRIC, feature, _p_value(raw, uncertainty), smallest)


def _within(raw: Numbers, counts: Numbers, how: Weighting, uncertainty: Uncertainty, *, scope: Scope) -> Measurement:
    usable = (raw.sum(axis=-1) > 0) & (counts.sum(axis=-1) > 0)
    if np.count_nonzero(usable) < 2:
        reason = "Fewer than two groups have rows here."
        return measured(_DIFFERENCE, None, size=int(raw.sum()), scope=scope, otherwise=reason)
    mine = counts[usable]
    drawn = resampled_counts(
        mine, draws=uncertainty.draws, rng=uncertainty.rng, strata=1, design_effect=how.design_effect
    )
    effective = mine / how.design_effect
    gap = spread([GroupRate(effective[:, 1], effective.sum(axis=-1), drawn[..., 1], drawn.sum(axis=-1))], uncertainty)
    return measured(
        _DIFFERENCE,
        gap.difference,
        size=int(raw[usable].sum(axis=-1).min()),
        scope=scope,
        interval=gap.difference_interval,
        level=uncertainty.level,
    )


def _excess(counts: Numbers) -> Numbers:
    """Selections above what each level's common rate would give, as a share of the group; shape (..., groups)."""
    totals, selected = counts.sum(axis=-1), counts[..., 1]
    whole = totals.sum(axis=-1, keepdims=True)
    common = np.divide(selected.sum(axis=-1, keepdims=True), whole, out=np.zeros_like(whole), where=whole > 0)
    rows = totals.sum(axis=-2)
    excess: Numbers = np.divide(
        (selected - totals * common).sum(axis=-2), rows, out=np.zeros_like(rows), where=rows > 0
    )
    return excess


def _p_value(raw: Numbers, uncertainty: Uncertainty) -> float:
    whole = raw.astype(np.int64)
    totals = whole.sum(axis=-1)
    by_group = totals.sum(axis=0)

    def statistic(counts: Numbers) -> Numbers:
        return np.asarray(np.sum(_excess(counts) ** 2 * by_group, axis=-1))

    dealt = np.zeros((uncertainty.draws, *raw.shape))
    for stratum in np.flatnonzero(totals.sum(axis=1)):
        hits = uncertainty.rng.multivariate_hypergeometric(
            totals[stratum], int(whole[stratum, :, 1].sum()), size=uncertainty.draws, method="marginals"
        )
        dealt[:, stratum, :, 1] = hits
        dealt[:, stratum, :, 0] = totals[stratum] - hits
    seen = float(statistic(raw))
    return float((1 + np.count_nonzero(statistic(dealt) >= seen * (1 - 1e-9))) / (1 + uncertainty.draws))
