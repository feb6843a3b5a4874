"""Performance of a model that tells more than two classes apart: over all of them, and each against the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.measuring import Findings, measured
from modelops.analyses.outcomes import NOT_PROBABILITIES, Outcomes
from modelops.analyses.performance.curves import confusion_curve, confusion_table
from modelops.analyses.performance.each_class import each_class
from modelops.analyses.statistics.bootstrap import Uncertainty, counts_intervals, draws_of_means, percentile_interval
from modelops.analyses.statistics.intervals import wilson
from modelops.analyses.statistics.ranking import area
from modelops.analyses.statistics.rates import (
    BASE_RATE,
    FALSE_NEGATIVE_RATE,
    FALSE_POSITIVE_RATE,
    PRECISION,
    RECALL,
    SELECTION_RATE,
    composed_metrics,
    macro_averages,
    rate_measurement,
)
from modelops.analyses.statistics.weighting import Weighting
from modelops.domain.result import Measurement, Scope
from modelops.errors import NotMeasured

_CLASS_RATES = (PRECISION, RECALL, FALSE_POSITIVE_RATE, FALSE_NEGATIVE_RATE, SELECTION_RATE, BASE_RATE)
_MACRO = "The mean over the classes, each counting alike."
_WEIGHTED = "The mean over the classes, each counting by its labels."
_ALIKE = "Labels or predictions are all alike."

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class _Average:
    metric: str
    scope: Scope
    note: str | None


_AVERAGES = (
    _Average("balanced_accuracy", {}, None),
    _Average("matthews_corrcoef", {}, None),
    _Average("cohen_kappa", {}, None),
    *(_Average(metric, {}, _MACRO) for metric in ("precision", "recall", "f1")),
    *(_Average(metric, {"average": "weighted"}, _WEIGHTED) for metric in ("precision", "recall", "f1")),
)


def multiclass_performance(rows: Outcomes, *, uncertainty: Uncertainty) -> Findings:
    """Measure labelled rows of more than two classes.

    Without a scope, ``precision``, ``recall``, ``f1`` and ``roc_auc`` are macro averages; each class has its own in the
    scope ``{"class": NAME}``.
    """
    how = rows.weighting()
    raw, counts = rows.confusion(), rows.confusion(how.weights)
    found = Findings(notes=[how.note] if how.note else [])
    right, total = float(np.trace(counts)), float(counts.sum())
    interval = wilson(right / how.design_effect, total / how.design_effect, level=uncertainty.level)
    found.measurements.append(
        measured("accuracy", right / total, size=rows.n_rows, interval=interval, level=uncertainty.level)
    )
    found.measurements += _averages(rows.n_rows, counts, how, uncertainty)
    areas = [_class_area(rows, code, how, level=uncertainty.level) for code in range(len(rows.classes))]
    found.measurements += _score_measurements(rows, areas, how, uncertainty)
    for code, name in enumerate(rows.classes):
        scope: Scope = {"class": name}
        mine_raw, mine = _against_rest(raw, code), _against_rest(counts, code)
        found.measurements += [
            rate_measurement(rate, mine_raw, mine, how, level=uncertainty.level, scope=scope) for rate in _CLASS_RATES
        ]
        found.measurements.append(_class_f1(mine_raw, mine, how, uncertainty, scope=scope))
        found.measurements.append(areas[code])
    found.curves.append(confusion_curve(rows.classes, counts))
    found.add(each_class(rows, counts, found.measurements, weights=how.weights))
    found.tables.append(confusion_table(rows.classes, counts))
    return found


def _averages(n_rows: int, counts: Numbers, how: Weighting, uncertainty: Uncertainty) -> list[Measurement]:
    def statistic(drawn: Numbers) -> Numbers:
        return np.concatenate([composed_metrics(drawn)[..., [0, 2, 3]], macro_averages(drawn)], axis=-1)

    intervals = counts_intervals(counts, statistic, uncertainty, design_effect=how.design_effect)
    return [
        measured(
            average.metric,
            float(value),
            size=n_rows,
            scope=average.scope,
            interval=interval,
            level=uncertainty.level,
            note=average.note,
            otherwise=_ALIKE,
        )
        for average, value, interval in zip(_AVERAGES, statistic(counts), intervals, strict=True)
    ]


def _score_measurements(
    rows: Outcomes, areas: list[Measurement], how: Weighting, uncertainty: Uncertainty
) -> list[Measurement]:
    names = ("roc_auc", "log_loss", "brier_score", "brier_skill_score")
    if rows.scores is None:
        return [measured(name, None, size=0, otherwise=rows.no_scores) for name in names]
    known = np.all(~np.isnan(rows.scores), axis=1)
    scores, truth = rows.scores[known], rows.truth[known]
    if not truth.size:
        return [measured(name, None, size=0, otherwise="No row has all scores.") for name in names]
    found = [_macro_area(areas, truth.size, level=uncertainty.level)]
    if scores.min() < 0 or scores.max() > 1:
        return found + [measured(name, None, size=truth.size, otherwise=NOT_PROBABILITIES) for name in names[1:]]
    weights = None if how.weights is None else how.weights[known]
    mine = scores[np.arange(truth.size), truth]
    brier = np.sum(scores**2, axis=1) - 2 * mine + 1
    loss = -np.log(np.clip(mine, np.finfo(np.float64).eps, None))
    columns = np.column_stack([loss, brier, truth[:, None] == np.arange(len(rows.classes))])
    values = _with_skill(np.average(columns, axis=0, weights=weights))
    drawn = _with_skill(draws_of_means(columns, uncertainty, weights=weights, design_effect=how.design_effect))
    notes = {
        "brier_score": "Summed over the classes: 0 to 2.",
        "brier_skill_score": "1 less the Brier score over that of always saying the base rates; 0: no better.",
    }
    return found + [
        measured(
            name,
            float(values[position]),
            size=truth.size,
            interval=percentile_interval(drawn[:, position], level=uncertainty.level),
            level=uncertainty.level,
            note=notes.get(name),
            otherwise="All labels are alike.",
        )
        for position, name in enumerate(names[1:])
    ]


def _with_skill(means: Numbers) -> Numbers:
    """Log loss, Brier score and Brier skill from the means of both and the share of each class."""
    base_rates_score = 1 - np.sum(means[..., 2:] ** 2, axis=-1)
    share = np.full(np.shape(base_rates_score), np.nan)
    np.divide(means[..., 1], base_rates_score, out=share, where=base_rates_score > 1e-12)
    return np.stack([means[..., 0], means[..., 1], 1 - share], axis=-1)


def _macro_area(areas: list[Measurement], n_rows: int, *, level: float) -> Measurement:
    """The mean over the classes; its ends are the mean ends, which is exact where the classes err together."""
    known = [(each.value, each.interval) for each in areas if each.value is not None and each.interval is not None]
    complete = len(known) == len(areas)
    ends = np.array([interval for _, interval in known])
    return measured(
        "roc_auc",
        float(np.mean([value for value, _ in known])) if complete else None,
        size=n_rows,
        interval=(float(ends[:, 0].mean()), float(ends[:, 1].mean())) if complete else None,
        level=level,
        note="The mean of each class against the rest.",
        otherwise="Not every class has labels.",
    )


def _class_f1(raw: Numbers, counts: Numbers, how: Weighting, uncertainty: Uncertainty, *, scope: Scope) -> Measurement:
    def statistic(drawn: Numbers) -> Numbers:
        return composed_metrics(drawn)[..., 1:2]

    (interval,) = counts_intervals(counts, statistic, uncertainty, design_effect=how.design_effect)
    return measured(
        "f1",
        float(statistic(counts)[0]),
        size=float(raw[1].sum() + raw[0, 1]),
        scope=scope,
        interval=interval,
        level=uncertainty.level,
        otherwise="The class has neither labels nor predictions.",
    )


def _class_area(rows: Outcomes, code: int, how: Weighting, *, level: float) -> Measurement:
    scope: Scope = {"class": rows.classes[code]}
    if rows.scores is None:
        return measured("roc_auc", None, size=0, scope=scope, otherwise=rows.no_scores)
    known = ~np.isnan(rows.scores[:, code])
    weights = None if how.weights is None else how.weights[known]
    truth = rows.truth[known] == code
    try:
        auc = area(rows.scores[known, code], truth, weights=weights, design_effect=how.repeats_effect)
    except NotMeasured as reason:
        return measured("roc_auc", None, size=truth.size, scope=scope, otherwise=str(reason))
    interval = auc.interval(level=level)
    return measured("roc_auc", auc.value, size=truth.size, scope=scope, interval=interval, level=level)


def _against_rest(counts: Numbers, code: int) -> Numbers:
    hit, labelled, predicted = counts[code, code], counts[code].sum(), counts[:, code].sum()
    return np.array([[counts.sum() - labelled - predicted + hit, predicted - hit], [labelled - hit, hit]])
