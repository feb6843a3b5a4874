"""Answering the questions of a review: result, text, work, comments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from modelops.domain.checklist import Result, WorkStatus
from modelops.domain.names import clean_text
from modelops.domain.people import Actor, Right
from modelops.domain.review import EvidenceKind
from modelops.errors import Conflict, InvalidInput
from modelops.services.refusals import audits_refusals
from modelops.services.reviews import changed
from modelops.store import Store, Transaction
from modelops.store.queries_review import KEEP, evidence
from modelops.store.tables import AnswerRow, CommentRow, EvidenceRow, ReviewRow, UserRow


@dataclass(frozen=True)
class Answer:
    """What a person says to one question."""

    result: Result
    text: str
    work_status: WorkStatus
    owner_id: int | None = None
    due: date | None = None


@audits_refusals("review/{review_id}")
def answer(
    store: Store,
    review_id: int,
    question_id: str,
    given: Answer,
    *,
    actor: Actor,
    at: datetime,
    seen_revision: int,
    reason: str = "",
) -> AnswerRow:
    """Answer one question.

    ``seen_revision`` is the revision of the answer that was on the screen: if somebody answered in between, nothing is
    overwritten. Once a review was submitted, a change needs a ``reason``.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput, Conflict
        Without the right; without such a question; not applicable without a text that says why; changed in between, or
        the review is closed for changes.
    """
    actor.require(Right.ANSWER)
    with store.transaction() as t:
        return _write(t, review_id, question_id, given, actor=actor, at=at, seen_revision=seen_revision, reason=reason)


def _write(
    t: Transaction,
    review_id: int,
    question_id: str,
    given: Answer,
    *,
    actor: Actor,
    at: datetime,
    seen_revision: int,
    reason: str,
) -> AnswerRow:
    text, reason = clean_text(given.text, what="The answer"), clean_text(reason, what="The reason")
    if given.result is Result.NOT_APPLICABLE and not text:
        raise InvalidInput("Say in the text why this question does not apply here.")
    review = changed(t, review_id)
    _reason_after_submission(review, reason)
    row = t.get(AnswerRow, (review_id, question_id), what="question")
    if row.revision != seen_revision:
        raise Conflict("Somebody else answered this question meanwhile. Reload to see their answer, then decide.")
    if given.owner_id is not None:
        t.get(UserRow, given.owner_id, what="person")
    new = {
        "result": Result(given.result),
        "text": text,
        "work_status": WorkStatus(given.work_status),
        "owner_id": given.owner_id,
        "due": given.due,
    }
    old = {name: getattr(row, name) for name in new}
    fields = [name for name in new if new[name] != old[name]]
    if not fields:
        return row
    for name in fields:
        setattr(row, name, new[name])
    row.revision += 1
    row.updated_by, row.updated_at = actor.user_id, at
    t.record(
        actor,
        "answer:change",
        f"review/{review_id}/question/{question_id}",
        at=at,
        reason=reason or None,
        old={name: old[name] for name in fields},
        new={name: new[name] for name in fields},
        contributes=True,
    )
    return row


@audits_refusals("review/{review_id}")
def keep_earlier(
    store: Store, review_id: int, question_id: str, *, actor: Actor, at: datetime, seen_revision: int, reason: str = ""
) -> AnswerRow:
    """Give the answer of the earlier review again: result, text and evidence other than analysis runs.

    Whoever gave it in the earlier review has from now on contributed to this one.
    """
    actor.require(Right.ANSWER)
    with store.transaction() as t:
        review = t.get(ReviewRow, review_id, what="review")
        if review.earlier_id is None:
            raise InvalidInput("There is no earlier review to take this answer from.")
        earlier = t.get(AnswerRow, (review.earlier_id, question_id), what="earlier answer")
        proofs = evidence(t, review.earlier_id, question_id)
        kept = Answer(earlier.result, earlier.text, earlier.work_status, earlier.owner_id, earlier.due)
        row = _write(t, review_id, question_id, kept, actor=actor, at=at, seen_revision=seen_revision, reason=reason)
        new = {"review_id": review.earlier_id}
        t.record(actor, KEEP, f"review/{review_id}/question/{question_id}", at=at, new=new, contributes=True)
        have = {item.digest for item in evidence(t, review_id, question_id)}
        for proof in proofs:
            if proof.kind is not EvidenceKind.RUN and proof.digest not in have:
                changed(t, review_id)
                add_row(
                    t,
                    EvidenceRow(
                        **proof.model_dump(exclude={"id", "review_id", "added_by", "added_at"}),
                        review_id=review_id,
                        added_by=actor.user_id,
                        added_at=at,
                    ),
                    actor=actor,
                    at=at,
                    reason=reason,
                )
    return row


def add_row(t: Transaction, row: EvidenceRow, *, actor: Actor, at: datetime, reason: str = "") -> EvidenceRow:
    """Insert a piece of evidence and its audit entry."""
    t.add(row)
    t.record(
        actor,
        "evidence:add",
        f"review/{row.review_id}/question/{row.question_id}",
        at=at,
        reason=clean_text(reason, what="The reason") or None,
        new={"evidence_id": row.id, "kind": row.kind, "title": row.title},
        digest=row.digest,
        contributes=True,
    )
    return row


@audits_refusals("review/{review_id}")
def comment(
    store: Store, review_id: int, text: str, *, actor: Actor, at: datetime, question_id: str | None = None
) -> CommentRow:
    """Say something about a question, or about the whole review. Anybody who may read may comment, at any time."""
    actor.require(Right.COMMENT)
    text = clean_text(text, what="The comment", required=True)
    with store.transaction() as t:
        t.get(ReviewRow, review_id, what="review")
        if question_id is not None:
            t.get(AnswerRow, (review_id, question_id), what="question")
        row = t.add(CommentRow(review_id=review_id, question_id=question_id, author_id=actor.user_id, text=text, at=at))
        subject = f"review/{review_id}" + (f"/question/{question_id}" if question_id else "")
        t.record(actor, "comment:add", subject, at=at, new={"comment_id": row.id, "text": text})
    return row


def _reason_after_submission(review: ReviewRow, reason: str) -> None:
    if review.submission and not reason:
        raise InvalidInput("This review was submitted before: say why its content changes.")
