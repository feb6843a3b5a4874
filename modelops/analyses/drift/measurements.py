"""What was found, as measurements. Figures of the reference carry ``"table": "reference"`` in their scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from modelops.analyses.cores.arrow_numbers import Kind
from modelops.analyses.cores.numeric_pair import QUANTILES, Summary
from modelops.analyses.drift.classifier import DomainClassifier, Separation
from modelops.analyses.drift.columns import ColumnDrift
from modelops.analyses.drift.distances import (
    jensen_shannon_distance,
    permuted_critical_value,
    population_stability_index,
    stability_index_critical_value,
)
from modelops.analyses.drift.findings import Judged
from modelops.analyses.drift.shares import Changes
from modelops.analyses.measuring import measured
from modelops.analyses.statistics.intervals import wilson
from modelops.domain.result import Measurement

_LARGE_SAMPLE, _MOST_DEALT = 1000, 10**8
"""Rows on each side from which on the law of large samples gives the critical value; the most that are dealt anew."""
INDEX_ROWS = 100
"""Below this many values a side the population stability index is mostly noise and is not given."""

Where = Mapping[str, str | float | dict[str, str]]

_REFERENCE = {"table": "reference"}
_SECONDS = "seconds since 1970-01-01 UTC"


def column_measurements(judged: Judged, *, seed: int) -> Iterator[Measurement]:
    """Yield everything that was measured on one column."""
    drift = judged.drift
    yield from _missing(judged)
    if drift.numeric is not None:
        unit = _SECONDS if drift.kind is Kind.TIME else None
        yield from _summary(drift.numeric.current, drift.subject.scope, unit)
        yield from _summary(drift.numeric.reference, {**drift.subject.scope, **_REFERENCE}, unit)
        yield from _kolmogorov_smirnov(drift)
    if drift.kind is Kind.CATEGORY or drift.few_values:
        yield from _table(drift)
    yield from _decision(judged)
    yield from _distances(drift, seed)
    if drift.kind is Kind.CATEGORY:
        yield from _categories(drift)


def _missing(judged: Judged) -> Iterator[Measurement]:
    drift, scope = judged.drift, judged.drift.subject.scope
    found, rows = drift.missing, drift.rows
    for where, count, total in ((scope, found.counts[1], rows[1]), ({**scope, **_REFERENCE}, found.counts[0], rows[0])):
        yield measured(
            "missing_rate",
            count / total if total else None,
            size=total,
            scope=where,
            interval=wilson(count, total) if total else None,
            otherwise="The table has no rows.",
        )
    yield measured(
        "missing_rate_difference",
        found.difference,
        size=min(rows),
        scope=scope,
        interval=found.interval,
        note="current minus reference",
        otherwise="A table has no rows.",
    )
    nothing = "Nothing is missing in either table: there is nothing to test."
    yield measured("missing_rate_p_value", found.corrected_p_value, size=min(rows), scope=scope, otherwise=nothing)
    yield measured(
        "missing_rate_adjusted_p_value", judged.missing_adjusted_p, size=min(rows), scope=scope, otherwise=nothing
    )
    yield measured(
        "smallest_detectable_missing_rate_difference",
        judged.smallest_detectable_missing,
        size=min(rows),
        scope=scope,
        note="rise that would be found with 80 % power",
        otherwise="Every value of the reference is missing, or a table has no rows.",
    )


def _summary(summary: Summary, scope: Where, unit: str | None) -> Iterator[Measurement]:
    size = summary.present - summary.infinite
    note = f"{summary.infinite} infinite values are left out." if summary.infinite else None
    few = "There are too few finite values, or they are too large for a floating-point number."
    for metric, value in (
        ("mean", summary.mean),
        ("standard_deviation", summary.standard_deviation),
        ("minimum", summary.minimum),
        ("maximum", summary.maximum),
    ):
        one = "seconds" if unit and metric == "standard_deviation" else unit
        yield measured(metric, value, size=size, scope=scope, unit=one, note=note, otherwise=few)
    for place, probability in enumerate(QUANTILES):
        value = summary.quantiles[place] if summary.quantiles else None
        where = {**scope, "probability": probability}
        yield measured("quantile", value, size=size, scope=where, unit=unit, note=note, otherwise=few)


def _kolmogorov_smirnov(drift: ColumnDrift) -> Iterator[Measurement]:
    scope, size = drift.subject.scope, min(drift.present)
    reason = drift.reason if drift.kolmogorov_smirnov_p is None else None
    otherwise = reason or "A table has no values in this column."
    decides = drift.comparison is not None and drift.table is None
    statistic = None if reason or drift.numeric is None else drift.numeric.statistic
    note = None
    if drift.few_values:
        note = "Fewer than 20 distinct values: the ties blunt this test, the table test decides instead."
    interval = drift.comparison.interval if drift.comparison and decides else None
    yield measured(
        "kolmogorov_smirnov_statistic",
        statistic,
        size=size,
        scope=scope,
        interval=interval,
        note=note,
        otherwise=otherwise,
    )
    yield measured(
        "kolmogorov_smirnov_p_value", drift.kolmogorov_smirnov_p, size=size, scope=scope, note=note, otherwise=otherwise
    )


def _table(drift: ColumnDrift) -> Iterator[Measurement]:
    scope, size, test = drift.subject.scope, sum(drift.present), drift.table
    otherwise = drift.reason or "There is no table to test."
    note = None
    if test is not None and test.permuted:
        note = "The table is too thin for the chi-squared distribution: p is from random tables with the same margins."
    elif test is not None and test.pooled:
        note = f"The {test.pooled} rarest levels are counted as one."
    for metric, value in (
        ("chi_squared_statistic", test.statistic if test else None),
        ("chi_squared_p_value", test.p_value if test else None),
        ("chi_squared_degrees_of_freedom", test.degrees_of_freedom if test else None),
    ):
        yield measured(metric, value, size=size, scope=scope, note=note, otherwise=otherwise)
    interval = drift.comparison.interval if drift.comparison else None
    value = drift.comparison.effect if drift.comparison else None
    yield measured("cramers_v", value, size=size, scope=scope, interval=interval, note=note, otherwise=otherwise)


def _decision(judged: Judged) -> Iterator[Measurement]:
    drift, scope = judged.drift, judged.drift.subject.scope
    size, otherwise = min(drift.present), drift.reason or "The values were not tested."
    found = drift.comparison
    note = None
    if found is not None and found.rows != drift.present:
        note = (
            "Rows are autocorrelated in time: p is for as many independent rows as they are worth"
            f" ({found.rows[0]:.0f} and {found.rows[1]:.0f})."
        )
        yield measured("block_corrected_p_value", found.corrected_p_value, size=size, scope=scope, note=note)
        for where, rows, count in (
            (scope, found.rows[1], drift.present[1]),
            ({**scope, **_REFERENCE}, found.rows[0], drift.present[0]),
        ):
            yield measured("effective_sample_size", rows, size=count, scope=where, unit="rows")
    yield measured("adjusted_p_value", judged.adjusted_p, size=size, scope=scope, note=note, otherwise=otherwise)
    yield measured(
        "smallest_detectable_change",
        judged.smallest_detectable,
        size=size,
        scope=scope,
        unit=found.metric if found else None,
        note="found with 80 % power, even if this were the only column that changed",
        otherwise=otherwise,
    )
    if judged.weight is not None:
        yield measured("importance", judged.weight, size=size, scope=scope, unit="share")
        yield measured(
            "importance_weighted_drift", judged.rank_key, size=size, scope=scope, note="importance times effect"
        )


def _critical(bins: tuple[np.ndarray, np.ndarray], seed: int) -> float:
    n, m = (int(side.sum()) for side in bins)
    if min(n, m) < _LARGE_SAMPLE and n + m <= _MOST_DEALT:
        return permuted_critical_value(*bins, seed=seed)
    return stability_index_critical_value(len(bins[0]), n, m)


def _distances(drift: ColumnDrift, seed: int) -> Iterator[Measurement]:
    scope, size = drift.subject.scope, min(drift.present)
    why = drift.reason
    if why is None and size < INDEX_ROWS:
        why = f"Not enough data: {size} values on one side, {INDEX_ROWS} are needed for the index."
    index = critical = distance = None
    if drift.bins is not None and size:
        distance = jensen_shannon_distance(*drift.bins)
        if size >= INDEX_ROWS:
            index = population_stability_index(*drift.bins)
            critical = _critical(drift.bins, seed)
    n_bins = len(drift.bins[0]) if drift.bins else 0
    otherwise = why or "There are no values to put in bins."
    rule = f"{n_bins} bins of the reference; an empty one counts as half a row"
    yield measured("population_stability_index", index, size=size, scope=scope, note=rule, otherwise=otherwise)
    yield measured(
        "population_stability_index_critical_value",
        critical,
        size=size,
        scope=scope,
        note="95 % of samples without any change stay below",
        otherwise=otherwise,
    )
    yield measured(
        "jensen_shannon_distance", distance, size=size, scope=scope, note="base 2, the same bins", otherwise=otherwise
    )
    if drift.numeric is not None:
        deviation, area = drift.numeric.reference.standard_deviation, drift.numeric.wasserstein
        yield measured(
            "wasserstein_distance",
            area / deviation if area is not None and deviation else None,
            size=size,
            scope=scope,
            unit="standard deviations",
            note="of the reference",
            otherwise="The reference has no spread, or there are infinite or no values.",
        )


def _categories(drift: ColumnDrift) -> Iterator[Measurement]:
    scope = drift.subject.scope
    sides = (("new_category", drift.new, drift.present[1]), ("vanished_category", drift.vanished, drift.present[0]))
    for metric, changes, total in sides:
        yield measured(
            f"{metric}_share",
            changes.rows / total if total else None,
            size=total,
            scope=scope,
            interval=wilson(changes.rows, total) if total else None,
            note=_named(changes),
            otherwise="The table has no values in this column.",
        )
        yield measured(f"{metric}_count", changes.count, size=total, scope=scope)
        for change in changes.named:
            yield measured(
                f"{metric}_share",
                change.share,
                size=total,
                scope={**scope, "category": change.name},
                interval=change.interval,
                note=f"{change.rows} rows; by chance alone with probability {change.by_chance:.2g}",
            )


def _named(changes: Changes) -> str | None:
    if not changes.count:
        return None
    more = f" and {changes.count - 5} more" if changes.count > 5 else ""
    return ", ".join(change.name[:60] for change in changes.named[:5]) + more


def classifier_measurements(found: DomainClassifier | None, reason: str | None) -> Iterator[Measurement]:
    """Yield what the domain classifier found, or why it could not be measured."""
    if found is None:
        otherwise = reason or "The domain classifier found no rows to learn from."
        for metric in ("domain_classifier_roc_auc", "domain_classifier_p_value"):
            yield measured(metric, None, size=0, otherwise=otherwise)
        return
    yield from _separation(found.separation, {})
    for driver in found.drivers:
        spread = f"; spread over repeats {driver.spread:.2g}" if driver.spread is not None else ""
        yield measured(
            "domain_classifier_importance",
            driver.loss,
            size=sum(found.separation.held_out),
            scope={"feature": driver.feature},
            note=f"fall of the area under the ROC curve when shuffled over held-out rows{spread}",
        )
    if found.without_first is not None:
        yield from _separation(found.without_first, {"without_feature": found.drivers[0].feature})


def _separation(found: Separation, scope: Where) -> Iterator[Measurement]:
    size = min(found.held_out)
    timed = " p is corrected for autocorrelated rows." if max(found.effects) > 1 else ""
    yield measured(
        "domain_classifier_roc_auc",
        found.roc_auc,
        size=size,
        scope=scope,
        interval=found.interval,
        note=f"held-out rows: {found.held_out[0]} of the reference, {found.held_out[1]} current.{timed}",
    )
    yield measured("domain_classifier_p_value", found.p_value, size=size, scope=scope)
    yield measured(
        "smallest_detectable_domain_classifier_roc_auc",
        found.smallest_detectable,
        size=size,
        scope=scope,
        note="found with 80 % power",
    )


def share_measurement(judged: Sequence[Judged], note: str) -> Measurement:
    """Return the share of drifted features among those whose values could be tested."""
    tested = [each for each in judged if each.drifted is not None]
    left = len(judged) - len(tested)
    value = sum(bool(each.drifted) for each in tested) / len(tested) if tested else None
    return measured(
        "drifted_feature_share",
        value,
        size=len(tested),
        note=f"{note}; {left} features could not be tested" if left else note,
        otherwise=(
            "Not enough data: no feature could be tested."
            if judged
            else "No column has the role feature. Choose the columns that the model sees."
        ),
    )
