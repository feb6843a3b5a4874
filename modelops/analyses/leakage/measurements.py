"""What was found, as measurements; what could not be looked for is there with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from modelops.analyses.leakage.duplicates import EXACT, ROUNDED, WITH_LABEL, Shared
from modelops.analyses.leakage.near import ALL_BUT_ONE, NEAR
from modelops.analyses.leakage.predictors import ROW_ORDER
from modelops.analyses.leakage.single import Strength
from modelops.analyses.measuring import inapplicable, measured
from modelops.analyses.statistics.intervals import newcombe, wilson
from modelops.domain.columns import Task
from modelops.domain.number_words import percent
from modelops.domain.result import Measurement

if TYPE_CHECKING:
    from modelops.analyses.leakage.run import Leaks

Where = Mapping[str, str | float | dict[str, str]]

_MATCHES = (EXACT, EXACT + WITH_LABEL, ROUNDED, ROUNDED + WITH_LABEL, NEAR, NEAR + WITH_LABEL, ALL_BUT_ONE)
_SHARED = ("shared_row_rate", "shared_row_rate_by_chance", "excess_shared_row_rate")
NO_TIMES = "No feature holds times."
_COMPOSED = "rows composed of the same values with the same rank correlations"


def all_measurements(found: Leaks) -> Iterator[Measurement]:
    """Yield everything, rows first."""
    yield from _rows(found)
    yield from _entities(found)
    yield from _times(found)
    one_value = "all values are alike and tell nothing"
    yield from _family(found, "single_feature", found.values, found.features, one_value)
    complete = "it is never or always missing, which tells nothing"
    yield from _family(found, "missingness", found.missing, found.features, complete)
    others = tuple(name for name in found.ids if name not in found.features)
    yield from _family(found, "order", found.order, (*others, ROW_ORDER), one_value)
    yield from _beyond_time(found, (*others, ROW_ORDER))
    yield from _model(found)


def _share(metric: str, count: int, total: int, scope: Where, note: str | None = None) -> Measurement:
    return measured(
        metric,
        count / total if total else None,
        size=total,
        scope=scope,
        interval=wilson(count, total) if total else None,
        note=note,
        otherwise="No row has both values.",
    )


def _rows(found: Leaks) -> Iterator[Measurement]:
    known = {one.match: one for one in found.shared}
    for match in _MATCHES:
        if match in known:
            yield from _shared(known[match])
            continue
        scope, of_columns = {"match": match}, found.reasons.get(match.removesuffix(WITH_LABEL))
        for metric in _SHARED:
            if "train" not in found.reasons and of_columns:
                yield inapplicable(metric, of_columns, scope=scope)
            else:
                reason = found.reasons.get("train") or found.reasons.get("label", "")
                yield measured(metric, None, size=0, scope=scope, otherwise=reason)
    for one in found.repeated:
        yield _share("repeated_row_rate", one.count, one.rows, {"match": one.match})


def _shared(one: Shared) -> Iterator[Measurement]:
    scope, n = {"match": one.match}, one.rows
    some = f"{percent(one.fraction)} of the training rows were searched" if one.fraction < 1 else None
    note = "; ".join(filter(None, (one.note, some))) or None
    yield _share("shared_row_rate", one.count, n, scope, note)
    yield _share("shared_row_rate_by_chance", one.by_chance, one.chance_rows, scope, _COMPOSED)
    yield measured(
        "excess_shared_row_rate",
        one.share - one.chance,
        size=n,
        scope=scope,
        interval=newcombe(one.count, n, one.by_chance, one.chance_rows),
        note=note,
    )


def _entities(found: Leaks) -> Iterator[Measurement]:
    by_name = {one.name: one for one in found.entities}
    for name in found.ids:
        scope = {"feature": name}
        if name in by_name:
            yield _share("shared_entity_rate", by_name[name].count, by_name[name].rows, scope)
        else:
            reason = found.reasons.get("train") or found.reasons.get(f"id {name}", "")
            yield measured("shared_entity_rate", None, size=0, scope=scope, otherwise=reason)
    if not found.ids:
        yield measured("shared_entity_rate", None, size=0, otherwise="No column has the role of an id.")


def _times(found: Leaks) -> Iterator[Measurement]:
    overlap = found.overlap
    if overlap is not None:
        yield _share("time_overlap_rate", overlap.not_later, overlap.rows, {})
        yield _share("later_training_row_rate", overlap.later, overlap.train_rows, {})
    else:
        for metric in ("time_overlap_rate", "later_training_row_rate"):
            yield measured(metric, None, size=0, otherwise=found.reasons["overlap"])
    for one in found.late:
        # The model does not see the others: that the date of an outcome lies later is as it should be.
        scope = {"feature" if one.is_feature else "column": one.name}
        note = None if one.is_feature else "the column has no role as feature"
        yield _share("feature_after_prediction_rate", one.count, one.rows, scope, note)
    if "late" in found.reasons:
        yield measured("feature_after_prediction_rate", None, size=0, otherwise=found.reasons["late"])
    elif not any(one.is_feature for one in found.late):
        yield inapplicable("feature_after_prediction_rate", NO_TIMES)


def _family(
    found: Leaks, prefix: str, family: Sequence[Strength], names: Sequence[str], constant: str
) -> Iterator[Measurement]:
    """Yield a family of columns; one that does not vary cannot predict: its figure is that of chance, and p is 1."""
    metric, nothing = ("r2", 0.0) if found.task is Task.REGRESSION else ("roc_auc", 0.5)
    by_name = {one.name: one for one in family}
    for name in names:
        scope, one = {"feature": name}, by_name.get(name)
        reason = found.reasons.get("single") or found.reasons.get(f"{prefix} {name}", "")
        value, p_value = (one.value, one.adjusted) if one else (nothing, 1.0)
        yield measured(
            f"{prefix}_{metric}",
            None if reason else value,
            size=found.judged,
            scope=scope,
            interval=one.interval if one else None,
            note=f"with permuted labels {one.by_chance:.3f} on average" if one else constant,
            otherwise=reason,
        )
        yield measured(
            f"{prefix}_adjusted_p_value",
            None if reason else p_value,
            size=found.judged,
            scope=scope,
            otherwise=reason,
        )


def _beyond_time(found: Leaks, names: Sequence[str]) -> Iterator[Measurement]:
    """Yield what the time alone tells, and what ids and order tell beyond it.

    Labels may become more frequent over the years. In a file in the order of time the place of a row then tells of the
    label what its time tells, and nothing more.
    """
    metric, nothing = ("r2", 0.0) if found.task is Task.REGRESSION else ("roc_auc", 0.5)
    time = found.time
    reason = found.reasons.get("single") or found.reasons.get("time", "")
    rows = time.rows if time else 0
    interval = time.interval if time else None
    yield measured(f"time_{metric}", time.value if time else None, size=rows, interval=interval, otherwise=reason)
    yield measured("time_p_value", time.p_value if time else None, size=rows, otherwise=reason)
    told = max(nothing, time.value) if time else nothing
    by_name = {one.name: one for one in found.order}
    for name in names:
        one, why = by_name.get(name), found.reasons.get("single") or found.reasons.get(f"order {name}", "")
        ends = one.interval if one else None
        yield measured(
            f"excess_order_{metric}",
            None if why else (one.value - told if one else 0.0),
            size=found.judged,
            scope={"feature": name},
            interval=(ends[0] - told, ends[1] - told) if ends else None,
            note=f"beyond what the time alone tells, {told:.3f}" if time else "beyond chance: there is no time column",
            otherwise=why,
        )


def _model(found: Leaks) -> Iterator[Measurement]:
    alone = found.alone
    if alone is not None:
        note = f"asked about one by one and in a batch of {alone.batch}"
        yield _share("batch_dependent_rate", alone.different, alone.rows, {}, note)
        unit = "deviations of the predictions" if found.task is Task.REGRESSION else "score"
        yield measured(
            "batch_difference", alone.largest, size=alone.rows, unit=unit, otherwise="No answer was a finite number."
        )
    else:
        for metric in ("batch_dependent_rate", "batch_difference"):
            yield measured(metric, None, size=0, otherwise=found.reasons["alone"])
    quality = found.quality
    usual = "r2" if found.task is Task.REGRESSION else "roc_auc"
    yield measured(
        quality.metric if quality else usual,
        quality.value if quality else None,
        size=quality.rows if quality else 0,
        interval=quality.interval if quality else None,
        otherwise=found.reasons.get("quality", "It is not defined on these rows."),
    )
    usual = "mean_absolute_error" if found.task is Task.REGRESSION else "accuracy"
    for word, part in found.split:
        yield measured(
            part.metric,
            part.value,
            size=part.rows,
            scope={"rows": word},
            interval=part.interval,
            otherwise="There are no such rows.",
        )
    if not found.split:
        for word in ("in the training data", "new"):
            yield measured(usual, None, size=0, scope={"rows": word}, otherwise=found.reasons["split"])
