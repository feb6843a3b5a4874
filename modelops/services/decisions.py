"""Decisions with a result in view: choosing a threshold, accepting the limits of a drift check after a rehearsal."""

from __future__ import annotations

import math
from datetime import datetime

from pydantic import ValidationError

from modelops.analyses.drift import DRIFT
from modelops.analyses.performance.threshold_counts import ThresholdCounts
from modelops.analyses.statistics.rates import FALSE_POSITIVE_RATE, PRECISION, RECALL, SELECTION_RATE
from modelops.domain.decision import (
    DecisionBody,
    DecisionKind,
    DriftLimits,
    GroupEffect,
    Share,
    ThresholdDecision,
)
from modelops.domain.digest import Digest
from modelops.domain.names import clean_text
from modelops.domain.people import Actor, Right
from modelops.domain.result import AnalysisResult
from modelops.domain.review import EvidenceKind
from modelops.errors import Conflict, InvalidInput
from modelops.evaluation import EvaluationRequest
from modelops.services import runs
from modelops.services.answers import add_row
from modelops.services.refusals import audits_refusals
from modelops.services.reviews import changed
from modelops.store import Store
from modelops.store.queries_decisions import decided
from modelops.store.tables import AnswerRow, DecisionRow, EvidenceRow, RunRow, VersionRow

REHEARSALS = 200
RATES = (SELECTION_RATE, PRECISION, RECALL, FALSE_POSITIVE_RATE)
"""What of a threshold is looked at for all rows and each group."""


@audits_refusals("run/{run_id}")
def choose_threshold(
    store: Store,
    run_id: int,
    *,
    actor: Actor,
    at: datetime,
    threshold: float,
    costs: tuple[float, float, float, float],
    capacity: float | None,
    reason: str,
) -> DecisionRow:
    """Record the threshold that a person chose on the workbench, with what it does; the numbers come from the result.

    Parameters
    ----------
    threshold : float
        One of the thresholds of the result; the closest is taken.
    costs : tuple of float
        Of a true positive, false positive, false negative and true negative.
    capacity : float, optional
        The share of the rows that can be acted on.

    Raises
    ------
    NotAllowed, NotFound, Conflict, NotMeasured
        Without the right; without such a run; if it has no result, or no counts by threshold.
    InvalidInput
        Without a reason; if the threshold selects more than the capacity allows, or a number is not one.
    """
    actor.require(Right.ANSWER)
    if not math.isfinite(threshold):
        raise InvalidInput("The threshold is no finite number.")
    run, result = _finished(store, run_id)
    try:
        body = threshold_decision(result, threshold, costs, capacity)
    except ValidationError as error:
        raise InvalidInput("Costs are finite numbers, and the capacity is a share above 0 and up to 1.") from error
    selected = body.effects[0].shares[0].value or 0.0
    if capacity is not None and selected > capacity + 1e-9:
        raise InvalidInput(
            f"This threshold selects {100 * selected:.1f} % of the rows; the capacity is {100 * capacity:g} %. Choose "
            "a higher one, or another capacity."
        )
    return _record(store, run, DecisionKind.THRESHOLD, body, actor=actor, at=at, reason=reason)


def threshold_decision(
    result: AnalysisResult, threshold: float, costs: tuple[float, float, float, float], capacity: float | None
) -> ThresholdDecision:
    """Return what a threshold does, from the counts in a result.

    Raises
    ------
    NotMeasured
        If the result has no counts by threshold.
    """
    import numpy as np

    counts = ThresholdCounts.read(result)
    place = counts.nearest(threshold)
    hit, alarm, miss, rest = costs
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite then is refused
        spent = counts.cost(np.array([[rest, alarm], [miss, hit]]))
    return ThresholdDecision(
        threshold=float(counts.thresholds[place]),
        positive=result.positive,
        cost_true_positive=hit,
        cost_false_positive=alarm,
        cost_false_negative=miss,
        cost_true_negative=rest,
        capacity=capacity,
        cost_per_row=float(spent[place]),
        effects=tuple(_effect(counts, place, group) for group in range(len(counts.groups))),
    )


def _effect(counts: ThresholdCounts, place: int, group: int) -> GroupEffect:
    shares = []
    for rate in RATES:
        value, interval = counts.rate(rate, place, group)
        rows = counts.denominator(rate, place, group)
        shares.append(Share(metric=rate.metric, value=value, interval=interval, rows=rows))
    rows = counts.denominator(SELECTION_RATE, place, group)
    return GroupEffect(group=counts.groups[group].name, rows=rows, shares=tuple(shares))


@audits_refusals("run/{run_id}")
def rehearse(store: Store, run_id: int, *, actor: Actor, at: datetime, rehearsals: int = REHEARSALS) -> RunRow:
    """Ask for the same drift run once more, with its thresholds rehearsed on random splits of the reference.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput
        Without the right; without such a run; if it is another analysis.
    """
    actor.require(Right.RUN)
    with store.reading() as reader:
        run = reader.get(RunRow, run_id, what="analysis run")
    if run.analysis != DRIFT.key:
        raise InvalidInput(f"Run {run_id} is one of {run.analysis}: only thresholds of drift are rehearsed.")
    request = EvaluationRequest.model_validate(run.request)
    return runs.request_run(
        store,
        run.analysis,
        actor=actor,
        at=at,
        data_id=run.data_id,
        version_id=run.version_id,
        reference_id=run.reference_id,
        train_id=run.train_id,
        parameters={**request.parameters, "rehearsals": rehearsals, "domain_classifier": False},
        seed=request.seed,
        review_id=run.review_id,
        question_id=run.question_id,
    )


@audits_refusals("run/{run_id}")
def accept_drift_limits(store: Store, run_id: int, *, actor: Actor, at: datetime, reason: str) -> DecisionRow:
    """Accept the thresholds of a drift run for its model: level and margins, with the alarm rate that was rehearsed.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput
        Without the right; without such a run; without a reason.
    Conflict
        If the run has no result, or its thresholds were not rehearsed.
    """
    actor.require(Right.ANSWER)
    run, result = _finished(store, run_id)
    limits = rehearsed_limits(result)
    if limits is None:
        raise Conflict("These thresholds were not rehearsed. Rehearse them first: then you see how often they alarm.")
    return _record(store, run, DecisionKind.DRIFT_LIMITS, limits, actor=actor, at=at, reason=reason)


def rehearsed_limits(result: AnalysisResult) -> DriftLimits | None:
    """Return the thresholds of a drift result with their rehearsed alarm rate; ``None`` without a rehearsal."""
    rate = result.find("rehearsed_alarm_rate")
    if rate is None or rate.value is None or rate.interval is None:
        return None
    limits = {name: result.parameters[name] for name in ("alpha", "margin", "missing_margin")}
    found = {"rehearsals": rate.sample_size, "alarm_rate": rate.value, "interval": rate.interval}
    return DriftLimits.model_validate({**limits, **found})


@audits_refusals("review/{review_id}")
def attach_decision(
    store: Store, decision_id: int, review_id: int, question_id: str, *, actor: Actor, at: datetime, reason: str = ""
) -> EvidenceRow:
    """Make a decision evidence under a question of a review of the same model.

    Raises
    ------
    NotAllowed, NotFound, Conflict, InvalidInput
        Without the right; without such a decision or question; if it is about another version; without a reason once
        the review was submitted.
    """
    actor.require(Right.ANSWER)
    with store.transaction() as t:
        one = decided(t.get(DecisionRow, decision_id, what="decision"))
        review = changed(t, review_id)
        version = t.get(VersionRow, review.version_id, what="model version")
        if one.row.model_id != version.model_id or (one.row.version_id or version.id) != version.id:
            raise Conflict("This decision is about another version than the one that is reviewed.")
        if review.submission and not reason.strip():
            raise InvalidInput("This review was submitted before: say why its evidence changes.")
        t.get(AnswerRow, (review_id, question_id), what="question")
        row = EvidenceRow(
            review_id=review_id,
            question_id=question_id,
            kind=EvidenceKind.RECORD,
            title=f"{one.body.title} (decision {one.row.id})"[:150],
            text=f"{one.body.words}\nWhy: {one.row.reason}",
            digest=one.row.digest,
            added_by=actor.user_id,
            added_at=at,
        )
        return add_row(t, row, actor=actor, at=at, reason=reason)


def _finished(store: Store, run_id: int) -> tuple[RunRow, AnalysisResult]:
    with store.reading() as reader:
        run = reader.get(RunRow, run_id, what="analysis run")
    result = runs.result(store, run)
    if result is None:
        raise Conflict(f"Run {run_id} is {run.state}: there is no result to decide on.")
    return run, result


def _record(
    store: Store, run: RunRow, kind: DecisionKind, body: DecisionBody, *, actor: Actor, at: datetime, reason: str
) -> DecisionRow:
    reason = clean_text(reason, what="The reason", required=True)
    plain = body.model_dump(mode="json", by_alias=True)
    assert run.result is not None
    digest = Digest.of_json({"kind": kind.value, "result": run.result, "body": plain, "reason": reason})
    subject = f"version/{run.version_id}" if run.version_id else f"model/{run.model_id}"
    with store.transaction() as t:
        row = t.add(
            DecisionRow(
                kind=kind,
                model_id=run.model_id,
                version_id=run.version_id,
                run_id=run.id,
                result=run.result,
                body=plain,
                digest=digest,
                reason=reason,
                decided_by=actor.user_id,
                decided_at=at,
            )
        )
        new = {"decision_id": row.id, "kind": kind, "run_id": run.id, "decided": body.title}
        t.record(
            actor, f"decision:{kind.replace(' ', '_')}", subject, at=at, reason=reason, new=new, digest=digest,
            contributes=True,
        )  # fmt: skip
    return row
