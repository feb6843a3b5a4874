"""The life of a review, and what keeps the people in it apart."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from modelops.domain.people import Actor, Role
from modelops.errors import Conflict, NotAllowed


class ReviewState(StrEnum):
    """Where a review stands. The last seven are terminal for its content."""

    DRAFT = "draft"
    IN_PROGRESS = "in progress"
    SUBMITTED = "submitted"
    CHANGES_REQUESTED = "changes requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


EDITABLE = frozenset({ReviewState.DRAFT, ReviewState.IN_PROGRESS, ReviewState.CHANGES_REQUESTED})
TRANSITIONS: dict[ReviewState, frozenset[ReviewState]] = {
    ReviewState.DRAFT: frozenset({ReviewState.IN_PROGRESS, ReviewState.WITHDRAWN}),
    ReviewState.IN_PROGRESS: frozenset({ReviewState.SUBMITTED, ReviewState.WITHDRAWN}),
    ReviewState.SUBMITTED: frozenset(
        {ReviewState.CHANGES_REQUESTED, ReviewState.APPROVED, ReviewState.REJECTED, ReviewState.WITHDRAWN}
    ),
    ReviewState.CHANGES_REQUESTED: frozenset({ReviewState.SUBMITTED, ReviewState.WITHDRAWN}),
    ReviewState.APPROVED: frozenset({ReviewState.REVOKED, ReviewState.EXPIRED, ReviewState.SUPERSEDED}),
}


def check_transition(old: ReviewState, new: ReviewState) -> None:
    """Refuse a step that the life of a review does not have.

    Raises
    ------
    Conflict
        With the state that was found and those that are possible from it.
    """
    possible = TRANSITIONS.get(old, frozenset())
    if new not in possible:
        steps = ", ".join(sorted(possible)) or "nothing: a correction is a new round"
        raise Conflict(f"This review is {old}; it cannot become {new}. From here it can become {steps}.")


class Meaning(StrEnum):
    """What a signature says (21 CFR 11.50)."""

    AUTHORSHIP = "authorship"
    REVIEW = "review"
    APPROVAL = "approval"
    RESPONSIBILITY = "responsibility"


class Decision(StrEnum):
    """What the signer decided."""

    APPROVE = "approve"
    REJECT = "reject"


STATEMENTS: dict[tuple[Meaning, Decision], str] = {
    (Meaning.AUTHORSHIP, Decision.APPROVE): "I am the author of this submission; it is complete and true as I know it.",
    (Meaning.REVIEW, Decision.APPROVE): "I reviewed this submission independently and find it fit for approval.",
    (Meaning.REVIEW, Decision.REJECT): "I reviewed this submission independently and find it not fit for approval.",
    (Meaning.APPROVAL, Decision.APPROVE): "I approve this model version for use as described.",
    (Meaning.APPROVAL, Decision.REJECT): "I reject this model version for use as described.",
    (Meaning.RESPONSIBILITY, Decision.APPROVE): "I take responsibility for the remaining risk of this model version.",
    (Meaning.RESPONSIBILITY, Decision.REJECT): "I do not take responsibility for the risk of this model version.",
}


class Severity(StrEnum):
    """How bad a finding is. Open high and critical ones forbid approval unless waived."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


BLOCKING_SEVERITIES = frozenset({Severity.HIGH, Severity.CRITICAL})


class FindingState(StrEnum):
    """The life of a finding."""

    OPEN = "open"
    IN_PROGRESS = "in progress"
    REMEDIATED = "remediated"
    CLOSED = "closed"


class WaiverState(StrEnum):
    """The life of a waiver. An accepted one is over at its expiry, whatever this says."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class EvidenceKind(StrEnum):
    """What proves an answer."""

    FILE = "file"
    LINK = "link"
    TEXT = "text"
    RECORD = "record"
    RUN = "analysis run"


def check_independence(actor: Actor, *, contributors: Collection[int], signers: Collection[int]) -> None:
    """Refuse a signature or an independent review by somebody who had a hand in the work, or signed already.

    ``contributors`` and ``signers`` are user ids, read from the audit trail and from the signatures of this submission.

    Raises
    ------
    NotAllowed
        With the rule that forbids it.
    """
    if actor.user_id in contributors:
        raise NotAllowed(
            f"{actor.name} contributed to this review, its model version or its data, and so cannot review or approve "
            "it. Ask somebody who did not.",
            rule="separation of duties: contributor",
        )
    if actor.user_id in signers:
        raise NotAllowed(
            f"{actor.name} has already signed this submission. One person does not give two signatures of a review.",
            rule="separation of duties: one signature each",
        )
    if Role.ADMINISTRATOR in actor.roles:
        raise NotAllowed("An administrator cannot sign.", rule="separation of duties: administrator")
