"""Opening a review, submitting it, asking for changes, withdrawing, revoking."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from modelops.domain.checklist import Gate
from modelops.domain.names import clean_text
from modelops.domain.people import SYSTEM, Actor, Right
from modelops.domain.review import EDITABLE, ReviewState, check_independence, check_transition
from modelops.errors import Conflict, InvalidInput
from modelops.services import catalogue
from modelops.services.datasets import check_in_use
from modelops.services.refusals import audits_refusals
from modelops.services.standing import Blocker, blocked_text, standing
from modelops.store import Store, Transaction
from modelops.store.queries_inventory import reviews_of
from modelops.store.queries_review import approvals_over, content, contributions
from modelops.store.tables import AnswerRow, DatasetRow, ReviewDatasetRow, ReviewRow, VersionRow


@audits_refusals("version/{version_id}")
def open_review(
    store: Store, version_id: int, *, actor: Actor, at: datetime, gate: Gate, dataset_ids: Collection[int]
) -> ReviewRow:
    """Open a review of a model version: this fixes the template, the policy and the data.

    The answers of the latest finished review of the same model are shown beside the new ones.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput
        Without the right; without such a version or dataset; with a dataset of another model.
    Conflict
        If a review of this version at this gate is open already.
    """
    actor.require(Right.ANSWER)
    with store.transaction() as t:
        version = t.get(VersionRow, version_id, what="model version")
        earlier = reviews_of(t, version.model_id)
        same = [review for review, of in earlier if of.id == version_id and review.gate is Gate(gate)]
        for review in same:
            if review.state in EDITABLE | {ReviewState.SUBMITTED}:
                raise Conflict(
                    f"Version {version.label} has a {gate} review already (number {review.id}, {review.state})."
                )
        template, policy = catalogue.latest(t)
        basis = next((review for review, _ in earlier if review.state not in EDITABLE), None)
        review = t.add(
            ReviewRow(
                version_id=version_id,
                gate=gate,
                round=len(same) + 1,
                state=ReviewState.IN_PROGRESS,
                template=template.digest,
                policy=policy.digest,
                earlier_id=basis.id if basis else None,
                opened_by=actor.user_id,
                opened_at=at,
            )
        )
        for dataset_id in sorted(set(dataset_ids)):
            dataset = t.get(DatasetRow, dataset_id, what="dataset")
            if dataset.model_id != version.model_id:
                raise InvalidInput("One of these datasets belongs to another model.")
            check_in_use(dataset)
            t.add(ReviewDatasetRow(review_id=review.id, dataset_id=dataset_id))
        for question in catalogue.template(t, template.digest).at(Gate(gate)):
            t.add(AnswerRow(review_id=review.id, question_id=question.id))
        new = {"version_id": version_id, "gate": gate, "round": review.round, "datasets": sorted(set(dataset_ids))}
        t.record(
            actor,
            "review:open",
            f"review/{review.id}",
            at=at,
            new={**new, "template": template.digest, "policy": policy.digest},
            contributes=True,
        )
    return review


@audits_refusals("review/{review_id}")
def use_dataset(store: Store, review_id: int, dataset_id: int, *, actor: Actor, at: datetime) -> None:
    """Let an open review rest on one more dataset of its model."""
    actor.require(Right.ANSWER)
    with store.transaction() as t:
        review = changed(t, review_id)
        version = t.get(VersionRow, review.version_id, what="model version")
        dataset = t.get(DatasetRow, dataset_id, what="dataset")
        if dataset.model_id != version.model_id:
            raise InvalidInput("This dataset belongs to another model.")
        check_in_use(dataset)
        rest_on(t, review_id, dataset_id, actor=actor, at=at)


def rest_on(t: Transaction, review_id: int, dataset_id: int, *, actor: Actor, at: datetime) -> None:
    """Add a dataset to those of a review, with the audit entry, if it is not among them."""
    if t.find(ReviewDatasetRow, (review_id, dataset_id)):
        return
    t.add(ReviewDatasetRow(review_id=review_id, dataset_id=dataset_id))
    new = {"dataset_id": dataset_id}
    t.record(actor, "review:dataset", f"review/{review_id}", at=at, new=new, contributes=True)


def changed(t: Transaction, review_id: int) -> ReviewRow:
    """Return an open review that is about to change, with its revision counted up.

    Raises
    ------
    Conflict
        If it is not open: submitted content stands still, a finished review is corrected by a new round.
    """
    review = t.get(ReviewRow, review_id, what="review")
    if review.state is ReviewState.SUBMITTED:
        raise Conflict(
            "This review is submitted: its content stands still until it is decided or changes are asked for."
        )
    if review.state not in EDITABLE | {ReviewState.APPROVED}:
        raise Conflict(f"This review is {review.state}. A correction is a new round: open a new review.")
    review.revision += 1
    return review


@audits_refusals("review/{review_id}")
def submit(store: Store, review_id: int, *, actor: Actor, at: datetime, note: str = "") -> ReviewRow:
    """Hand a review over to independent people. From now on its answers stand still.

    Raises
    ------
    NotAllowed, Conflict
        Without the right; if it is not open.
    InvalidInput
        With the list of what blocks.
    """
    actor.require(Right.SUBMIT)
    note = clean_text(note, what="The note")
    with store.transaction() as t:
        review = t.get(ReviewRow, review_id, what="review")
        check_transition(review.state, ReviewState.SUBMITTED)
        refuse_blocked(standing(t, review, at=at).blockers, "submitted")
        review.state = ReviewState.SUBMITTED
        review.submission += 1
        review.submitted_by, review.submitted_at = actor.user_id, at
        t.flush()
        t.record(
            actor,
            "review:submit",
            f"review/{review_id}",
            at=at,
            reason=note or None,
            new={"submission": review.submission},
            digest=content(t, review).digest,
            contributes=True,
        )
    return review


def refuse_blocked(blockers: tuple[Blocker, ...], what: str) -> None:
    """Refuse with the list of what blocks, the first few in words.

    Raises
    ------
    InvalidInput
        If anything blocks.
    """
    if blockers:
        raise InvalidInput(blocked_text(blockers, what))


@audits_refusals("review/{review_id}")
def request_changes(store: Store, review_id: int, *, actor: Actor, at: datetime, reason: str) -> ReviewRow:
    """Give a submitted review back to its authors. Signatures of this submission no longer count."""
    actor.require(Right.REVIEW)
    reason = clean_text(reason, what="The reason", required=True)
    with store.transaction() as t:
        review = t.get(ReviewRow, review_id, what="review")
        check_independence(actor, contributors=contributions(t, review), signers=())
        return _move(t, review, ReviewState.CHANGES_REQUESTED, actor=actor, at=at, reason=reason)


@audits_refusals("review/{review_id}")
def withdraw(store: Store, review_id: int, *, actor: Actor, at: datetime, reason: str) -> ReviewRow:
    """End a review without a decision."""
    actor.require(Right.SUBMIT)
    reason = clean_text(reason, what="The reason", required=True)
    with store.transaction() as t:
        review = t.get(ReviewRow, review_id, what="review")
        return _move(t, review, ReviewState.WITHDRAWN, actor=actor, at=at, reason=reason)


@audits_refusals("review/{review_id}")
def revoke(store: Store, review_id: int, *, actor: Actor, at: datetime, reason: str) -> ReviewRow:
    """Take an approval back: from now on the gate is closed for this version."""
    actor.require(Right.SIGN)
    reason = clean_text(reason, what="The reason", required=True)
    with store.transaction() as t:
        review = t.get(ReviewRow, review_id, what="review")
        return _move(t, review, ReviewState.REVOKED, actor=actor, at=at, reason=reason)


def expire(store: Store, *, at: datetime) -> int:
    """End the approvals whose time is over; return how many."""
    with store.reading() as reader:
        if not approvals_over(reader, at):
            return 0
    with store.transaction() as t:
        over = approvals_over(t, at)
        for review in over:
            _move(t, review, ReviewState.EXPIRED, actor=SYSTEM, at=at, reason="The time of the approval is over.")
    return len(over)


def _move(
    t: Transaction, review: ReviewRow, state: ReviewState, *, actor: Actor, at: datetime, reason: str
) -> ReviewRow:
    check_transition(review.state, state)
    old = review.state
    review.state = state
    if state is not ReviewState.CHANGES_REQUESTED:
        review.closed_at = at
    t.flush()
    action = f"review:{state.replace(' ', '_')}"
    t.record(actor, action, f"review/{review.id}", at=at, reason=reason, old={"state": old}, new={"state": state})
    return review
