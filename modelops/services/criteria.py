"""Acceptance criteria of a model version: writing them, freezing them, naming them as evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from pydantic import ValidationError

from modelops.analyses.metrics import METRICS
from modelops.analyses.registry import analysis
from modelops.domain.canonical import canonical_bytes
from modelops.domain.criteria import BarChange, Criteria, CriteriaSet, Criterion, bar_changes
from modelops.domain.names import clean_text
from modelops.domain.people import Actor, Right
from modelops.domain.review import EvidenceKind, ReviewState
from modelops.errors import Conflict, InvalidInput
from modelops.services.answers import add_row
from modelops.services.refusals import audits_refusals
from modelops.services.reviews import changed
from modelops.store import Reader, Store, Transaction
from modelops.store.queries_criteria import Draft, Frozen, draft, frozen_sets
from modelops.store.queries_inventory import reviews_of
from modelops.store.tables import (
    AnswerRow,
    CriteriaDraftRow,
    CriteriaRow,
    DatasetRow,
    EvidenceRow,
    ModelRow,
    ReviewRow,
    VersionRow,
)


class CriteriaRecord(StrEnum):
    """What of the criteria can be evidence under a question; the names are those of the checklist."""

    CRITERIA = "acceptance_criteria"
    PRIMARY = "primary_metric"
    BUSINESS = "business_metric"


@audits_refusals("version/{version_id}")
def write_criteria(
    store: Store, version_id: int, body: Criteria, *, actor: Actor, at: datetime, seen_revision: int
) -> Draft:
    """Write the draft of a version's criteria. It judges nothing before it is frozen.

    ``seen_revision`` is that of the draft on the screen: if somebody wrote in between, nothing is overwritten.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput, Conflict
        Without the right; without such a version; if a criterion names an analysis, metric or dataset that there is
        not; changed in between.
    """
    actor.require(Right.ANSWER)
    with store.transaction() as t:
        version = t.get(VersionRow, version_id, what="model version")
        for one in body.criteria:
            _check(t, one, version.model_id)
        now = draft(t, version_id)
        if now.revision != seen_revision:
            raise Conflict("Somebody else changed these criteria meanwhile. Reload to see their version, then decide.")
        changes = bar_changes(now.body, body)
        if not changes:
            return now
        row = now.row or t.add(
            CriteriaDraftRow(version_id=version_id, body={}, updated_by=actor.user_id, updated_at=at)
        )
        row.body, row.revision = body.model_dump(mode="json"), now.revision + 1
        row.updated_by, row.updated_at = actor.user_id, at
        old, new = _told(changes)
        t.record(actor, "criteria:write", f"version/{version_id}", at=at, old=old, new=new, contributes=True)
        return Draft(body, row.revision, row)


@audits_refusals("version/{version_id}")
def freeze_criteria(
    store: Store, version_id: int, *, actor: Actor, at: datetime, seen_revision: int, reason: str = ""
) -> CriteriaRow:
    """Freeze the draft: results of runs that are asked for from now on are judged by it, earlier ones stay as they are.

    Raises
    ------
    NotAllowed, NotFound
        Without the right; without such a version.
    InvalidInput
        If there never was a criterion, or the bar moves and nobody says why. To freeze none after some takes the bar
        away.
    Conflict
        If the draft changed since it was read, equals what is frozen, or a review of the version is submitted.
    """
    actor.require(Right.ANSWER)
    reason = clean_text(reason, what="The reason")
    with store.transaction() as t:
        version = t.get(VersionRow, version_id, what="model version")
        model = t.get(ModelRow, version.model_id, what="model")
        now, earlier = draft(t, version_id), frozen_sets(t, version_id)
        if now.revision != seen_revision:
            raise Conflict("The criteria changed since you read them. Reload, read them again, then freeze.")
        _refuse_freezing(t, version, now, earlier, reason)
        frozen = CriteriaSet(model=model.name, version=version.label, number=len(earlier) + 1, body=now.body)
        row = t.add(
            CriteriaRow(
                digest=frozen.digest,
                version_id=version_id,
                number=frozen.number,
                body=canonical_bytes(frozen).decode(),
                reason=reason,
                frozen_by=actor.user_id,
                frozen_at=at,
            )
        )
        old, new = _told(bar_changes(earlier[-1].body if earlier else Criteria(), now.body))
        t.record(
            actor,
            "criteria:freeze",
            f"version/{version_id}",
            at=at,
            reason=reason or None,
            old=old,
            new=new,
            digest=row.digest,
            contributes=True,
        )
    return row


def _refuse_freezing(t: Transaction, version: VersionRow, now: Draft, earlier: list[Frozen], reason: str) -> None:
    if not now.body.criteria and not (earlier and earlier[-1].body.criteria):
        raise InvalidInput("There is no criterion yet. Add at least one, then freeze.")
    if any(of.id == version.id and one.state is ReviewState.SUBMITTED for one, of in reviews_of(t, version.model_id)):
        raise Conflict("A review of this version is submitted: its bar stands still until it is decided.")
    if earlier and earlier[-1].body == now.body:
        raise Conflict(f"These criteria are frozen already, as number {earlier[-1].number}.")
    if earlier and not reason:
        raise InvalidInput("The bar moves: say why. Everybody who sees a result judged by the earlier one reads it.")


def as_criterion(values: dict[str, object], *, among: Iterable[Criterion]) -> Criterion:
    """Return a criterion from a form or the API, with a name of its own among the others if it has none.

    Raises
    ------
    InvalidInput
        With what does not fit.
    """
    if not str(values.get("why") or "").strip():
        raise InvalidInput("Say why this bound was chosen: it is what a reviewer asks first.")
    if values.get("at_least") is None and values.get("at_most") is None:
        raise InvalidInput("Type the value that the metric must be at least, or at most.")
    taken = {one.name for one in among}
    base = str(values.get("metric", ""))
    names = (base if place == 1 else f"{base}_{place}" for place in range(1, len(taken) + 2))
    try:
        return Criterion.model_validate({"name": next(name for name in names if name not in taken), **values})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{place or 'The criterion'}: {first['msg'].removeprefix('Value error, ')}.") from error


@audits_refusals("review/{review_id}")
def attach_criteria(
    store: Store, review_id: int, question_id: str, record: CriteriaRecord, *, actor: Actor, at: datetime, reason: str
) -> EvidenceRow:
    """Make the frozen criteria of the reviewed version, or one of its two indicators, evidence under a question.

    Raises
    ------
    NotAllowed, NotFound, Conflict
        Without the right; without such a question; if nothing is frozen, or the indicator was not named.
    """
    actor.require(Right.ANSWER)
    with store.transaction() as t:
        review = changed(t, review_id)
        if review.submission and not reason.strip():
            raise InvalidInput("This review was submitted before: say why its evidence changes.")
        t.get(AnswerRow, (review_id, question_id), what="question")
        sets = frozen_sets(t, review.version_id)
        if not sets:
            raise Conflict("No criteria of this version are frozen yet. Freeze them first: a draft proves nothing.")
        return add_row(
            t, _as_evidence(sets[-1], record, review, question_id, actor, at), actor=actor, at=at, reason=reason
        )


def _as_evidence(
    frozen: Frozen, record: CriteriaRecord, review: ReviewRow, question_id: str, actor: Actor, at: datetime
) -> EvidenceRow:
    title = f"{record.replace('_', ' ').capitalize()}, number {frozen.number}"
    return EvidenceRow(
        review_id=review.id,
        question_id=question_id,
        kind=EvidenceKind.RECORD,
        title=title,
        text=record_text(frozen.body, record),
        digest=frozen.row.digest,
        added_by=actor.user_id,
        added_at=at,
    )


def record_text(body: Criteria, record: CriteriaRecord) -> str:
    """Return what a record says, in words.

    Raises
    ------
    Conflict
        If the indicator that is asked for was not named.
    """
    if record is CriteriaRecord.CRITERIA:
        if not body.criteria:
            raise Conflict("What is frozen holds no criterion. Add at least one, and freeze again.")
        return "\n".join(f"{one.words}. Why: {one.why}" for one in body.criteria)
    if record is CriteriaRecord.BUSINESS:
        if not body.business:
            raise Conflict("The frozen criteria name no business metric. Write it down with them, and freeze again.")
        return body.business
    primary = body.find(body.primary)
    if primary is None:
        raise Conflict("The frozen criteria name no primary metric. Choose it among them, and freeze again.")
    return f"{primary.words}. Why: {primary.why}"


def _check(reader: Reader, one: Criterion, model_id: int) -> None:
    analysis(one.analysis)
    if one.metric not in METRICS:
        raise InvalidInput(f"There is no metric {one.metric!r}. See the list of metrics in the documentation.")
    if one.dataset is not None and not reader.first(DatasetRow, digest=one.dataset, model_id=model_id):
        raise InvalidInput(f"The criterion {one.name} is for a dataset that the model does not have.")


def _told(changes: Iterable[BarChange]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what was and what is, by criterion, for the audit trail."""
    found = tuple(changes)
    return {each.criterion: each.old for each in found}, {each.criterion: each.new for each in found}
