"""Findings of independent people, and waivers: what is accepted for a time, by whom, and why."""

from __future__ import annotations

from datetime import date, datetime

from modelops.domain.names import clean_name, clean_text
from modelops.domain.people import Actor, Right
from modelops.domain.review import EDITABLE, FindingState, ReviewState, Severity, WaiverState, check_independence
from modelops.errors import Conflict, InvalidInput, NotAllowed
from modelops.services import catalogue
from modelops.services.refusals import audits_refusals
from modelops.store import Store, Transaction
from modelops.store.queries_review import contributions
from modelops.store.tables import AnswerRow, FindingRow, ModelRow, ReviewRow, SignOffRow, UserRow, VersionRow, WaiverRow

_STEPS = {
    FindingState.OPEN: {FindingState.IN_PROGRESS, FindingState.REMEDIATED, FindingState.CLOSED},
    FindingState.IN_PROGRESS: {FindingState.OPEN, FindingState.REMEDIATED, FindingState.CLOSED},
    FindingState.REMEDIATED: {FindingState.OPEN, FindingState.CLOSED},
    FindingState.CLOSED: {FindingState.OPEN},
}


@audits_refusals("review/{review_id}")
def raise_finding(
    store: Store,
    review_id: int,
    *,
    actor: Actor,
    at: datetime,
    severity: Severity,
    title: str,
    text: str,
    owner_id: int,
    due: date,
    question_id: str | None = None,
) -> FindingRow:
    """Record something wrong. Only a person who did not contribute finds independently.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput, Conflict
        Without the right, or to a contributor; without such a review, question or owner; with a due date in the past;
        after somebody has signed.
    """
    actor.require(Right.REVIEW)
    title, text = clean_name(title, what="The title of the finding"), clean_text(text, what="The finding")
    if due < at.date():
        raise InvalidInput(f"The due date {due} is in the past. Choose today or later.")
    with store.transaction() as t:
        review = _under_review(t, review_id)
        check_independence(actor, contributors=contributions(t, review), signers=())
        _known(t, review_id, question_id, owner_id)
        finding = t.add(
            FindingRow(
                review_id=review_id,
                question_id=question_id,
                severity=Severity(severity),
                title=title,
                text=text,
                owner_id=owner_id,
                due=due,
                raised_by=actor.user_id,
                raised_at=at,
                updated_at=at,
            )
        )
        new = {
            "finding_id": finding.id,
            "severity": str(severity),
            "title": title,
            "owner_id": owner_id,
            "due": str(due),
        }
        t.record(actor, "finding:raise", _subject(review_id, question_id), at=at, new=new)
    return finding


@audits_refusals("finding/{finding_id}")
def move_finding(
    store: Store, finding_id: int, state: FindingState, *, actor: Actor, at: datetime, reason: str
) -> FindingRow:
    """Move a finding on. Its owner says it is remediated; only an independent person closes or reopens it.

    Whoever puts a finding right has contributed, and so does not close it themselves.

    Raises
    ------
    NotAllowed, NotFound, Conflict
        Without the right; without such a finding; if it cannot go to this state from where it is.
    """
    reason = clean_text(reason, what="The reason", required=True)
    closing = state in {FindingState.CLOSED, FindingState.OPEN}
    actor.require(Right.REVIEW if closing else Right.COMMENT)
    with store.transaction() as t:
        finding = t.get(FindingRow, finding_id, what="finding")
        review = _under_review(t, finding.review_id)
        if closing:
            check_independence(actor, contributors=contributions(t, review), signers=())
        elif actor.user_id != finding.owner_id and Right.ANSWER not in actor.rights:
            raise NotAllowed("Only the owner of a finding or an author works on it.", rule="finding:owner")
        if state not in _STEPS[finding.state]:
            raise Conflict(f"This finding is {finding.state}; it cannot become {state}.")
        old, finding.state, finding.updated_at = finding.state, state, at
        t.record(
            actor,
            "finding:move",
            _subject(finding.review_id, finding.question_id),
            at=at,
            reason=reason,
            old={"finding_id": finding_id, "state": old},
            new={"finding_id": finding_id, "state": state},
            contributes=not closing,
        )
    return finding


@audits_refusals("review/{review_id}")
def request_waiver(
    store: Store,
    review_id: int,
    *,
    actor: Actor,
    at: datetime,
    reason: str,
    compensating_control: str,
    risk_owner_id: int,
    expires_on: date,
    question_id: str | None = None,
    finding_id: int | None = None,
) -> WaiverRow:
    """Ask that a question or a finding be accepted for a time.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput, Conflict
        Without the right; without such a review, question, finding or person; with an expiry that is past or later
        than the policy allows; if the risk owner is the person who asks.
    """
    actor.require(Right.ANSWER)
    reason = clean_text(reason, what="The reason", required=True)
    control = clean_text(compensating_control, what="The compensating control", required=True)
    if (question_id is None) == (finding_id is None):
        raise InvalidInput("A waiver is for one question or for one finding.")
    if risk_owner_id == actor.user_id:
        raise NotAllowed("The risk owner of a waiver is somebody other than the person who asks for it.", rule="waiver")
    with store.transaction() as t:
        review = _under_review(t, review_id)
        _check_expiry(t, review, expires_on, at)
        _known(t, review_id, question_id, risk_owner_id)
        if finding_id is not None and t.get(FindingRow, finding_id, what="finding").review_id != review_id:
            raise InvalidInput("This finding belongs to another review.")
        waiver = t.add(
            WaiverRow(
                review_id=review_id,
                question_id=question_id,
                finding_id=finding_id,
                reason=reason,
                compensating_control=control,
                risk_owner_id=risk_owner_id,
                expires_on=expires_on,
                requested_by=actor.user_id,
                requested_at=at,
            )
        )
        asked = {"waiver_id": waiver.id, "finding_id": finding_id, "risk_owner_id": risk_owner_id}
        new = {**asked, "expires_on": expires_on, "compensating_control": control}
        t.record(
            actor, "waiver:request", _subject(review_id, question_id), at=at, reason=reason, new=new, contributes=True
        )
    return waiver


@audits_refusals("waiver/{waiver_id}")
def decide_waiver(store: Store, waiver_id: int, *, accept: bool, actor: Actor, at: datetime, reason: str) -> WaiverRow:
    """Accept or refuse a waiver. Nobody decides on what they asked for or contributed to."""
    actor.require(Right.WAIVE)
    reason = clean_text(reason, what="The reason", required=True)
    with store.transaction() as t:
        waiver = t.get(WaiverRow, waiver_id, what="waiver")
        review = _under_review(t, waiver.review_id)
        check_independence(actor, contributors=contributions(t, review), signers=())
        if waiver.state is not WaiverState.REQUESTED:
            raise Conflict(f"This waiver is {waiver.state} already.")
        waiver.state = WaiverState.ACCEPTED if accept else WaiverState.REFUSED
        waiver.decided_by, waiver.decided_at, waiver.decision_reason = actor.user_id, at, reason
        t.record(
            actor,
            "waiver:accept" if accept else "waiver:refuse",
            _subject(waiver.review_id, waiver.question_id),
            at=at,
            reason=reason,
            new={"waiver_id": waiver_id, "state": waiver.state},
        )
    return waiver


def _under_review(t: Transaction, review_id: int) -> ReviewRow:
    """Return a review whose findings and waivers may still change: it is open, or submitted and nobody has signed."""
    review = t.get(ReviewRow, review_id, what="review")
    if review.state not in EDITABLE | {ReviewState.SUBMITTED, ReviewState.APPROVED}:
        raise Conflict(f"This review is {review.state}. A correction is a new round: open a new review.")
    if review.state is ReviewState.SUBMITTED and t.first(SignOffRow, review_id=review_id, submission=review.submission):
        raise Conflict(
            "Somebody has signed this submission: its content stands still. Ask for changes first; the signatures of "
            "this submission then no longer count."
        )
    review.revision += 1
    return review


def _check_expiry(t: Transaction, review: ReviewRow, expires_on: date, at: datetime) -> None:
    version = t.get(VersionRow, review.version_id, what="model version")
    model = t.get(ModelRow, version.model_id, what="model")
    longest = catalogue.policy(t, review.policy).waiver_max_days[model.risk_tier]
    days = (expires_on - at.date()).days
    if not 0 < days <= longest:
        raise InvalidInput(
            f"The expiry {expires_on} is {days} days away; for a {model.risk_tier}-risk model the policy allows "
            f"1 to {longest} days."
        )


def _known(t: Transaction, review_id: int, question_id: str | None, person_id: int) -> None:
    if question_id is not None:
        t.get(AnswerRow, (review_id, question_id), what="question")
    if not t.get(UserRow, person_id, what="person").is_active:
        raise InvalidInput("This person's account is disabled. Choose somebody else.")


def _subject(review_id: int, question_id: str | None) -> str:
    return f"review/{review_id}" + (f"/question/{question_id}" if question_id else "")
