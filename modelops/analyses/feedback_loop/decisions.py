"""What was decided, with which score, and for which rows the outcome is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import EvaluationData
from modelops.analyses.composed import drawn
from modelops.analyses.drift.time import design_effect, instants
from modelops.analyses.levels import ranges
from modelops.analyses.outcomes import outcomes
from modelops.analyses.statistics.weighting import row_entities, weighting
from modelops.domain.columns import Task
from modelops.domain.result import Scope
from modelops.errors import NotMeasured

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]

_HALF = 0.5


@dataclass(frozen=True)
class Decisions:
    """The rows that have a prediction, shape (n,).

    ``codes`` point into ``levels``: classes, or for regression ranges of the prediction. ``labelled`` is ``None``
    without a target column. ``scores`` are those of the positive class, or the largest one of a row, or for regression
    the prediction. ``outcome`` is whether the positive class came true, or for regression the target; NaN if unknown.
    ``ties`` orders rows of one time.
    """

    task: Task
    levels: tuple[str, ...]
    codes: NDArray[np.int32]
    positive: int | None
    labelled: Mask | None
    scores: Numbers | None
    no_scores: str
    outcome: Numbers
    rows: NDArray[np.intp]
    times: Numbers | None
    no_times: str
    ties: NDArray[np.intp]
    entities: NDArray[np.int64] | None
    dropped: dict[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.rows.size

    @property
    def said_yes(self) -> Mask | None:
        """Where the decision was positive; ``None`` without a positive class of two."""
        return None if self.positive is None else self.codes == self.positive

    def scope(self, place: int) -> Scope:
        """Return how one decision is named in a scope."""
        kind = "class" if self.task is Task.CLASSIFICATION else "range"
        return {kind: self.levels[place]}

    def by_time(self, *, at_least: int) -> NDArray[np.intp]:
        """Return the rows that have a time, in its order; rows of one time at random, by their content.

        Raises
        ------
        NotMeasured
            If there are no times, or fewer than ``at_least``.
        """
        if self.times is None:
            raise NotMeasured(self.no_times)
        if self._in_order.size < at_least:
            raise NotMeasured(f"Not enough data: {self._in_order.size} rows have a time; {at_least} are needed.")
        return self._in_order

    @cached_property
    def _in_order(self) -> NDArray[np.intp]:
        times = self.times if self.times is not None else np.full(self.n_rows, np.nan)
        known = np.flatnonzero(np.isfinite(times))
        return known[np.lexsort((self.ties[known], times[known]))]

    def worth(self, indicator: NDArray[np.integer]) -> float:
        """Return how many rows are worth one independent one for the mean of ``indicator``: entities or time repeat."""
        effect = weighting(None, self.entities, indicator.astype(np.float64)).design_effect if self.n_rows else 1.0
        if self.times is None:
            return effect
        order = self.by_time(at_least=0)
        return max(effect, design_effect(indicator[order].astype(np.int64), ordered=False))


def decisions(data: EvaluationData) -> Decisions:
    """Read what was decided.

    Raises
    ------
    NotMeasured
        If no row has a prediction.
    """
    return _classes(data) if data.task is Task.CLASSIFICATION else _quantities(data)


def _classes(data: EvaluationData) -> Decisions:
    found = outcomes(data, threshold=_HALF)
    scores, no_scores = None, found.no_scores
    which = found.positive if found.positive is not None else found.named
    if found.scores is not None:
        scores = found.scores[:, which] if which is not None else _largest(found.scores)
        if not np.isfinite(scores).any():
            scores, no_scores = None, "No row has a score."
    outcome = np.full(found.n_rows, np.nan)
    if which is not None:
        outcome = np.where(found.truth < 0, np.nan, (found.truth == which).astype(np.float64))
    times, ties, no_times = _times(data, found.rows)
    return Decisions(
        task=data.task,
        levels=found.classes,
        codes=found.predicted,
        positive=found.positive,
        labelled=found.truth >= 0 if found.has_target else None,
        scores=scores,
        no_scores=no_scores,
        outcome=outcome,
        rows=found.rows,
        times=times,
        no_times=no_times,
        ties=ties,
        entities=found.entities,
        dropped=found.dropped,
        notes=found.notes,
    )


def _largest(scores: Numbers) -> Numbers:
    known = np.isfinite(scores).any(axis=1)
    return np.where(known, np.where(np.isfinite(scores), scores, -np.inf).max(axis=1, initial=-np.inf), np.nan)


def _quantities(data: EvaluationData) -> Decisions:
    sample = data.data
    if sample.roles.prediction is None:
        raise NotMeasured("There is no prediction column, so there is no decision to look at.")
    predicted = sample.numbers(sample.roles.prediction)
    rows = np.flatnonzero(np.abs(predicted) < np.finfo(np.float64).max / 1e3)
    if not rows.size:
        raise NotMeasured("No row has a usable prediction.")
    predicted = predicted[rows]
    truth = sample.numbers(sample.roles.target)[rows] if sample.roles.target is not None else None
    cut = ranges(predicted)
    times, ties, no_times = _times(data, rows)
    entities = row_entities(sample)
    lost = sample.n_rows - rows.size
    return Decisions(
        task=data.task,
        levels=cut.levels,
        codes=cut.codes,
        positive=None,
        labelled=None if truth is None else np.isfinite(truth),
        scores=predicted,
        no_scores="",
        outcome=np.full(rows.size, np.nan) if truth is None else np.where(np.isfinite(truth), truth, np.nan),
        rows=rows,
        times=times,
        no_times=no_times,
        ties=ties,
        entities=None if entities is None else np.unique(entities[rows], return_inverse=True)[1],
        dropped={"the prediction is missing or infinite": lost} if lost else {},
    )


def _times(data: EvaluationData, rows: NDArray[np.intp]) -> tuple[Numbers | None, NDArray[np.intp], str]:
    """Return the times of some rows, and for those of one time an order that does not depend on that of the table."""
    sample, name = data.data, data.data.roles.time
    ties = np.arange(rows.size)
    if name is None:
        return None, ties, "There is no time column: what came first is not known."
    try:
        times = instants(sample.source.column(name), name)[rows]
    except NotMeasured as reason:
        return None, ties, str(reason)
    if np.unique(times).size < times.size:
        place = np.empty(sample.n_rows, dtype=np.intp)
        place[drawn(sample, sample.roles.named, limit=sample.n_rows, seed=0)] = np.arange(sample.n_rows)
        ties = place[rows]
    return times, ties, ""
