"""Performance of a model that tells two classes apart: what it gets right, and how well its scores rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.levels import Coded
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.outcomes import NOT_PROBABILITIES, Outcomes
from modelops.analyses.performance.curves import (
    confusion_curve,
    confusion_table,
    gain_curves,
    precision_recall_curve,
    roc_curve,
    score_distribution,
)
from modelops.analyses.performance.workbench import Scored, cost_per_row, workbench
from modelops.analyses.statistics.bootstrap import Uncertainty, counts_intervals, draws_of_means, percentile_interval
from modelops.analyses.statistics.ranking import Ranking, area, average_precision, gain, ranked, resampled_steps
from modelops.analyses.statistics.rates import (
    ACCURACY,
    BASE_RATE,
    FALSE_DISCOVERY_RATE,
    FALSE_NEGATIVE_RATE,
    FALSE_POSITIVE_RATE,
    NEGATIVE_PREDICTIVE_VALUE,
    PRECISION,
    RECALL,
    SELECTION_RATE,
    SPECIFICITY,
    composed_metrics,
    rate_measurement,
)
from modelops.analyses.statistics.weighting import Weighting
from modelops.domain.result import Measurement, Scope
from modelops.errors import NotMeasured

BINARY_RATES = (
    ACCURACY,
    PRECISION,
    RECALL,
    SPECIFICITY,
    FALSE_POSITIVE_RATE,
    FALSE_NEGATIVE_RATE,
    FALSE_DISCOVERY_RATE,
    NEGATIVE_PREDICTIVE_VALUE,
    SELECTION_RATE,
    BASE_RATE,
)
_TOP_SHARES = (0.1, 0.2)
_BOTH_CLASSES = "Positive and negative labels are both needed."
_ONE_CLASS = (
    "The labels of all rows with a score are of one class. Ranking them, and judging a threshold, needs both: the "
    "curves of ranking, the ways to choose the threshold and the threshold workbench are left out."
)
_NO_POSITIVES = "No row has a positive label."
_COMPOSED = {
    "balanced_accuracy": "No row has a label.",
    "f1": "There is neither a positive label nor a positive prediction.",
    "matthews_corrcoef": "All labels or all predictions are alike.",
    "cohen_kappa": "All labels and all predictions are the same class.",
    "cost_per_row": "There are no rows.",
}
_SCORE_METRICS = ("roc_auc", "average_precision", "log_loss", "brier_score", "brier_skill_score")
_PROBABILITY_METRICS = _SCORE_METRICS[2:]

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Stakes:
    """What decisions cost, by label and prediction in shape (2, 2), and which share of the rows can be acted on."""

    costs: Numbers
    capacity: float | None = None


def binary_performance(
    rows: Outcomes, groups: Mapping[str, Coded], *, stakes: Stakes, uncertainty: Uncertainty
) -> Findings:
    """Measure two classes.

    Parameters
    ----------
    rows : Outcomes
        Labelled; the positive class has code 1.
    groups : mapping of str to Coded
        The sensitive columns of the same rows, for what a threshold does to each group.
    """
    how = rows.weighting()
    raw, counts = rows.confusion(), rows.confusion(how.weights)
    found = Findings(notes=[how.note] if how.note else [])
    level = uncertainty.level
    found.measurements += [rate_measurement(rate, raw, counts, how, level=level) for rate in BINARY_RATES]

    def statistic(drawn: Numbers) -> Numbers:
        return np.concatenate([composed_metrics(drawn), cost_per_row(drawn, stakes.costs)[..., None]], axis=-1)

    values = statistic(counts)
    intervals = counts_intervals(counts, statistic, uncertainty, design_effect=how.design_effect)
    for (name, reason), value, interval in zip(_COMPOSED.items(), values, intervals, strict=True):
        found.measurements.append(
            measured(name, float(value), size=rows.n_rows, interval=interval, level=level, otherwise=reason)
        )
    found.measurements += _class_measurements(rows.classes, raw, counts, how, uncertainty)
    found.tables.append(confusion_table(rows.classes, counts))
    found.curves.append(confusion_curve(rows.classes, counts))
    found.add(_score_performance(rows, groups, counts, how, stakes=stakes, uncertainty=uncertainty))
    return found


def _class_measurements(
    classes: tuple[str, ...], raw: Numbers, counts: Numbers, how: Weighting, uncertainty: Uncertainty
) -> list[Measurement]:
    """Precision, recall and F1 of each of the two classes, as where there are more than two."""

    def f1(drawn: Numbers) -> Numbers:
        return composed_metrics(drawn)[..., 1:2]

    found = []
    for code, name in enumerate(classes):
        scope: Scope = {"class": name}
        mine_raw, mine = (raw, counts) if code == 1 else (raw[::-1, ::-1], counts[::-1, ::-1])
        found += [
            rate_measurement(rate, mine_raw, mine, how, level=uncertainty.level, scope=scope)
            for rate in (PRECISION, RECALL)
        ]
        (interval,) = counts_intervals(mine, f1, uncertainty, design_effect=how.design_effect)
        found.append(
            measured(
                "f1",
                float(f1(mine)[0]),
                size=float(mine_raw[1].sum() + mine_raw[0, 1]),
                scope=scope,
                interval=interval,
                level=uncertainty.level,
                otherwise="The class has neither labels nor predictions.",
            )
        )
    return found


def _score_performance(
    rows: Outcomes,
    groups: Mapping[str, Coded],
    current: Numbers,
    how: Weighting,
    *,
    stakes: Stakes,
    uncertainty: Uncertainty,
) -> Findings:
    scores = rows.positive_scores
    if scores is None:
        return Findings([measured(name, None, size=0, otherwise=rows.no_scores) for name in _SCORE_METRICS])
    known = ~np.isnan(scores)
    if not known.any():
        return Findings([measured(name, None, size=0, otherwise="No row has a score.") for name in _SCORE_METRICS])
    scored = Scored(scores[known], rows.truth[known] == 1, None if how.weights is None else how.weights[known])
    found = Findings()
    if missing := int(np.count_nonzero(~known)):
        found.notes.append(f"{missing} rows without a score count in the rates, not in what is measured on scores.")
    ranking = ranked(scored.scores, scored.positive, weights=scored.weights)
    found.measurements += _ranking_measurements(scored, ranking, how, uncertainty)
    found.measurements += probability_measurements(scored, how, uncertainty)
    here = np.flatnonzero(known)
    worth = scored.scores.size / how.design_effect
    found.measurements.append(measured("effective_sample_size", worth, size=scored.scores.size, unit="rows"))
    found.curves.append(score_distribution(scored, rows.classes))
    if not (ranking.n_negatives and ranking.n_positives):
        found.notes.append(_ONE_CLASS)
        return found
    found.curves[:0] = [roc_curve(ranking), precision_recall_curve(ranking), *gain_curves(ranking)]
    found.add(
        workbench(
            scored,
            ranking,
            {name: codes.take(here) for name, codes in groups.items()},
            current=current,
            costs=stakes.costs,
            capacity=stakes.capacity,
        )
    )
    return found


def _ranking_measurements(
    scored: Scored, ranking: Ranking, how: Weighting, uncertainty: Uncertainty
) -> list[Measurement]:
    size, level = scored.scores.size, uncertainty.level
    try:
        auc = area(scored.scores, scored.positive, weights=scored.weights, design_effect=how.repeats_effect)
    except NotMeasured:
        found = [measured("roc_auc", None, size=size, otherwise=_BOTH_CLASSES)]
    else:
        found = [measured("roc_auc", auc.value, size=size, interval=auc.interval(level=level), level=level)]
    drawn, binned = resampled_steps(ranking, uncertainty, design_effect=how.design_effect)
    exact = float(average_precision(ranking.steps))
    shifted = np.clip(average_precision(drawn) - average_precision(binned) + exact, 0, 1)
    interval = percentile_interval(shifted, level=level)
    found.append(
        measured("average_precision", exact, size=size, interval=interval, level=level, otherwise=_NO_POSITIVES)
    )
    for share in _TOP_SHARES:
        value = float(gain(ranking.steps, share))
        shifted = np.clip(gain(drawn, share) - gain(binned, share) + value, 0, 1)
        for name, scale in (("cumulative_gain", 1.0), ("lift", 1 / share)):
            found.append(
                measured(
                    name,
                    value * scale,
                    size=size,
                    scope={"top": share},
                    interval=percentile_interval(shifted * scale, level=level),
                    level=level,
                    otherwise=_NO_POSITIVES,
                )
            )
    return found


def probability_measurements(scored: Scored, how: Weighting, uncertainty: Uncertainty) -> list[Measurement]:
    """Measure log loss, Brier score and Brier skill score, with intervals from resampled rows."""
    size = scored.scores.size
    if not scored.are_probabilities:
        return [measured(name, None, size=size, otherwise=NOT_PROBABILITIES) for name in _PROBABILITY_METRICS]
    right = np.where(scored.positive, scored.scores, 1 - scored.scores)
    loss = -np.log(np.clip(right, np.finfo(np.float64).eps, None))
    columns = np.column_stack([loss, (1 - right) ** 2, scored.positive])

    def statistic(means: Numbers) -> Numbers:
        base_rate_score = means[..., 2] * (1 - means[..., 2])
        share = np.full(np.shape(base_rate_score), np.nan)
        np.divide(means[..., 1], base_rate_score, out=share, where=base_rate_score > 0)
        return np.stack([means[..., 0], means[..., 1], 1 - share], axis=-1)

    values = statistic(np.average(columns, axis=0, weights=scored.weights))
    drawn = statistic(draws_of_means(columns, uncertainty, weights=scored.weights, design_effect=how.design_effect))
    notes = {"brier_skill_score": "1 less the Brier score over that of always saying the base rate; 0: no better."}
    return [
        measured(
            name,
            float(values[position]),
            size=size,
            interval=percentile_interval(drawn[:, position], level=uncertainty.level),
            level=uncertainty.level,
            note=notes.get(name),
            otherwise=_BOTH_CLASSES,
        )
        for position, name in enumerate(_PROBABILITY_METRICS)
    ]
