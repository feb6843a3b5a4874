"""What two methods answer on the same rows, and every metric of both: model and baseline, champion and challenger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.composed import drawn
from modelops.analyses.drift.time import design_effect, instants
from modelops.analyses.measuring import measured
from modelops.analyses.outcomes import NO_SCORES, NOT_PROBABILITIES, Outcomes
from modelops.analyses.performance.regression import Quantities
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.multiplicity import benjamini_hochberg
from modelops.analyses.statistics.paired import (
    Pair,
    paired_errors,
    paired_losses,
    paired_ranking,
    paired_rates,
)
from modelops.analyses.statistics.weighting import Weighting, row_entities, weighting
from modelops.domain.result import Measurement, Scope
from modelops.errors import NotMeasured

SCORE_METRICS = ("roc_auc", "log_loss", "brier_score")
CLASS_METRICS = ("accuracy", "balanced_accuracy", "f1", "matthews_corrcoef", *SCORE_METRICS)
NUMBER_METRICS = ("mean_absolute_error", "root_mean_squared_error", "r2")
SKILL = "mean_absolute_error_skill_score"
LOW_IS_GOOD = frozenset({"log_loss", "brier_score", "mean_absolute_error", "root_mean_squared_error"})

_NO_TIME = 9e18

Numbers = NDArray[np.float64]
Codes = NDArray[np.integer]


@dataclass(frozen=True)
class Answers:
    """What one method says of each row.

    ``predicted`` has shape (n,): class codes (-1 where it says nothing) or numbers (NaN where it says nothing).
    ``chances`` of shape (n_classes,) is for a method that guesses each class with that chance; then ``predicted``
    plays no part. ``scores`` has shape (n, n_classes), or is ``None`` for the reason ``no_scores``.
    """

    predicted: np.ndarray
    scores: Numbers | None = None
    no_scores: str = NO_SCORES
    chances: Numbers | None = None

    def taken(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Answers:
        """Return the answers on some rows."""
        return replace(self, predicted=self.predicted[rows], scores=None if self.scores is None else self.scores[rows])

    def answered(self) -> NDArray[np.bool_]:
        """Say of which rows there is an answer."""
        there: NDArray[np.bool_] = np.isfinite(self.predicted) & (self.predicted >= 0)
        return np.isfinite(self.predicted) if self.predicted.dtype.kind == "f" else there

    def right(self, truth: Codes) -> Numbers:
        """Return 1 where the answer is right and 0 where it is wrong; for a guess its chance to be right."""
        if self.chances is not None:
            return np.asarray(self.chances[truth], dtype=np.float64)
        return np.asarray(self.predicted == truth, dtype=np.float64)


@dataclass(frozen=True)
class Rows:
    """Rows that two methods are compared on.

    ``truth`` holds class codes (of two classes 1 is the positive one) or numbers; ``classes`` is empty for numbers.
    ``positions`` are those in the table. ``times`` are NaN where not known, ``None`` without a time column; rows of
    equal time are put in the order of ``rank``, as random as content.
    """

    truth: np.ndarray
    positions: NDArray[np.intp]
    rank: NDArray[np.int64]
    classes: tuple[str, ...] = ()
    weights: Numbers | None = None
    entities: Codes | None = None
    times: Numbers | None = None

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.truth.size

    def taken(self, mask: NDArray[np.bool_]) -> Rows:
        """Return the rows where ``mask`` holds."""
        if bool(mask.all()):
            return self
        return replace(
            self,
            truth=self.truth[mask],
            positions=self.positions[mask],
            rank=self.rank[mask],
            weights=None if self.weights is None else self.weights[mask],
            entities=None if self.entities is None else np.unique(self.entities[mask], return_inverse=True)[1],
            times=None if self.times is None else self.times[mask],
        )

    def in_time(self) -> NDArray[np.intp] | None:
        """Return the positions in the order of time, rows without a time last; ``None`` without time."""
        return None if self.times is None else np.lexsort((self.rank, self.times))

    def gain(self, first: Answers, second: Answers) -> Numbers:
        """Return how much better the first is on each row: right less right, or smaller distance from the truth."""
        if self.classes:
            return first.right(self.truth) - second.right(self.truth)
        gain: Numbers = np.abs(second.predicted - self.truth) - np.abs(first.predicted - self.truth)
        return gain

    def weighting(self, gain: Numbers) -> Weighting:
        """Return how rows count: by weight, and by how far the gains of one entity, or of neighbours in time, agree."""
        how = weighting(self.weights, self.entities, gain)
        order = self.in_time()
        if order is None or not gain.size:
            return how
        effect = design_effect(np.unique(gain[order], return_inverse=True)[1], ordered=True)
        if effect <= how.repeats_effect:
            return how
        note = f"Rows near in time are alike; intervals are widened for it (design effect {effect:.2f})."
        notes = " ".join(filter(None, [how.note, note]))
        return replace(how, design_effect=how.design_effect / how.repeats_effect * effect, note=notes)


def class_rows(labelled: Outcomes, sample: Sample, *, seed: int) -> tuple[Rows, Answers]:
    """Return labelled rows, and what the prediction and score columns of the table answer for them."""
    times = times_of(sample)
    rows = Rows(
        truth=labelled.truth,
        positions=labelled.rows,
        rank=content_rank(sample, seed=seed)[labelled.rows],
        classes=labelled.classes,
        weights=labelled.weights,
        entities=labelled.entities,
        times=None if times is None else times[labelled.rows],
    )
    return rows, Answers(labelled.predicted, labelled.scores, labelled.no_scores)


def number_rows(usable: Quantities, sample: Sample, *, seed: int) -> tuple[Rows, Answers]:
    """Return the rows that have a target and a prediction, and what the prediction column answers for them."""
    times, entities = times_of(sample), row_entities(sample)
    rows = Rows(
        truth=usable.truth,
        positions=usable.rows,
        rank=content_rank(sample, seed=seed)[usable.rows],
        weights=usable.how.weights,
        entities=None if entities is None else np.unique(entities[usable.rows], return_inverse=True)[1],
        times=None if times is None else times[usable.rows],
    )
    return rows, Answers(usable.predicted)


def times_of(sample: Sample) -> Numbers | None:
    """Return the time of each row as a number, NaN where missing; ``None`` without a time column that can be read."""
    if sample.roles.time is None:
        return None
    try:
        times = instants(sample.source.column(sample.roles.time), sample.roles.time)
    except NotMeasured:
        return None
    return np.where(times < _NO_TIME, times, np.nan)


def content_rank(sample: Sample, *, seed: int) -> NDArray[np.int64]:
    """Return a random rank of each row that depends on what it holds and the seed, not on where it stands."""
    keyed = drawn(sample, sample.roles.named, limit=sample.n_rows, seed=seed)
    rank = np.empty(sample.n_rows, dtype=np.int64)
    rank[keyed] = np.arange(keyed.size)
    return rank


def compared(
    rows: Rows, first: Answers, second: Answers, uncertainty: Uncertainty, *, how: Weighting | None = None
) -> list[Pair]:
    """Compare two methods on the same rows, of which both have an answer."""
    how = how or rows.weighting(rows.gain(first, second))
    if not rows.classes:
        return paired_errors(rows.truth, first.predicted, second.predicted, uncertainty=uncertainty, how=how)
    right = first.right(rows.truth), second.right(rows.truth)
    found = paired_rates(rows.truth, *right, n_classes=len(rows.classes), uncertainty=uncertainty, how=how)
    return found + _score_pairs(rows, first, second, uncertainty, how)


def _score_pairs(rows: Rows, first: Answers, second: Answers, uncertainty: Uncertainty, how: Weighting) -> list[Pair]:
    if first.scores is None or second.scores is None:
        reason = first.no_scores if first.scores is None else second.no_scores
        return [Pair(name, 0, reason=reason) for name in SCORE_METRICS]
    known = np.all(np.isfinite(first.scores) & np.isfinite(second.scores), axis=1)
    if not known.any():
        return [Pair(name, 0, reason="No row has all scores of both.") for name in SCORE_METRICS]
    truth, weights = rows.truth[known], None if how.weights is None else how.weights[known]
    if weights is not None and not weights.any():
        return [Pair(name, 0, reason="No row that has all scores of both has a weight.") for name in SCORE_METRICS]
    how = replace(how, weights=weights)
    one, other = first.scores[known], second.scores[known]
    found = [Pair("roc_auc", truth.size, reason="With more than two classes each has an area of its own.")]
    if len(rows.classes) == 2:
        found = [paired_ranking(one[:, 1], other[:, 1], truth == 1, uncertainty=uncertainty, how=how)]
    if min(one.min(), other.min()) < 0 or max(one.max(), other.max()) > 1:
        return found + [Pair(name, truth.size, reason=NOT_PROBABILITIES) for name in SCORE_METRICS[1:]]
    losses = [probability_losses(scores, truth) for scores in (one, other)]
    pairs = {name: (losses[0][name], losses[1][name]) for name in losses[0]}
    return found + paired_losses(pairs, uncertainty=uncertainty, how=how)


def probability_losses(scores: Numbers, truth: Codes) -> dict[str, Numbers]:
    """Return the logarithmic and the Brier loss of each row, as `performance` takes them.

    Parameters
    ----------
    scores : ndarray of shape (n, n_classes)
        From 0 to 1. Of two classes the Brier loss is that of the positive one, of more the sum over all.
    """
    mine = scores[np.arange(truth.size), truth]
    brier = (1 - mine) ** 2 if scores.shape[1] == 2 else np.sum(scores**2, axis=1) - 2 * mine + 1
    return {"log_loss": -np.log(np.clip(mine, np.finfo(np.float64).eps, None)), "brier_score": brier}


def improvement_measurements(pairs: Sequence[Pair], scope: Scope, *, level: float) -> list[Measurement]:
    """Return by how much the first method is better in each metric, and the p-values."""
    found = []
    for pair in pairs:
        name = pair.metric if pair.metric == SKILL else f"{pair.metric}_improvement"
        found.append(
            measured(
                name,
                pair.improvement,
                size=pair.size,
                scope=scope,
                interval=pair.interval,
                level=level,
                otherwise=pair.reason,
            )
        )
        if pair.statistic is not None:
            found.append(measured("mcnemar_statistic", pair.statistic, size=pair.size, scope=scope))
        if pair.metric != SKILL:  # the test of the mean absolute error is its test too
            p_value = pair.p_value if np.isfinite(pair.improvement) else None
            test = p_value_name(pair.metric)
            found.append(measured(test, p_value, size=pair.size, scope=scope, otherwise=pair.reason))
    return found


def p_value_name(metric: str) -> str:
    """Return the name of the p-value of an improvement: McNemar's test for the accuracy."""
    return "mcnemar_p_value" if metric == "accuracy" else f"{metric}_improvement_p_value"


def own_measurements(pairs: Iterable[Pair], scope: Scope, *, level: float, second: bool = False) -> list[Measurement]:
    """Return the metrics of one of the two methods."""
    return [
        measured(
            pair.metric,
            pair.second if second else pair.first,
            size=pair.size,
            scope=scope,
            interval=pair.second_interval if second else pair.first_interval,
            level=level,
            otherwise=pair.reason,
        )
        for pair in pairs
        if pair.metric != SKILL
    ]


def with_adjusted(found: Sequence[Measurement]) -> list[Measurement]:
    """Return measurements with an adjusted p-value after each p-value, by Benjamini and Hochberg over all of them."""
    tests = [one for one in found if one.metric.endswith("_p_value")]
    adjusted = benjamini_hochberg([np.nan if one.value is None else one.value for one in tests])
    by_place = {id(one): value for one, value in zip(tests, adjusted, strict=True)}
    result = []
    for one in found:
        result.append(one)
        if id(one) in by_place:
            name = one.metric.removesuffix("_p_value") + "_adjusted_p_value"
            value = by_place[id(one)]
            result.append(measured(name, value, size=one.sample_size, scope=one.scope, otherwise=one.note or ""))
    return result
