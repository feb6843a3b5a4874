"""Reviews: answers, evidence, comments, findings, waivers, signatures and the sealed statement."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from modelops.domain.checklist import Gate, Result, WorkStatus
from modelops.domain.digest import Digest
from modelops.domain.people import Authentication, Role
from modelops.domain.review import (
    Decision,
    EvidenceKind,
    FindingState,
    Meaning,
    ReviewState,
    Severity,
    WaiverState,
)
from modelops.store.tables.base import DigestText, Moment, choice, json_type


class TemplateRow(SQLModel, table=True):
    """A published checklist template, frozen: ``body`` is its exact text."""

    __tablename__ = "template"
    __table_args__ = (UniqueConstraint("name", "version"),)

    digest: Digest = Field(sa_type=DigestText, primary_key=True)
    name: str = Field(max_length=150)
    version: str = Field(max_length=40)
    body: str
    published_at: datetime = Field(sa_type=Moment)


class PolicyRow(SQLModel, table=True):
    """A published policy, frozen: ``body`` is its exact text."""

    __tablename__ = "policy"
    __table_args__ = (UniqueConstraint("name", "version"),)

    digest: Digest = Field(sa_type=DigestText, primary_key=True)
    name: str = Field(max_length=150)
    version: str = Field(max_length=40)
    body: str
    published_at: datetime = Field(sa_type=Moment)


class ReviewRow(SQLModel, table=True):
    """One model version against one template and one policy at one gate.

    ``revision`` grows with every change of content, ``submission`` with every submit. ``content_digest`` is that of
    what was approved.
    """

    __tablename__ = "review"
    __table_args__ = (
        UniqueConstraint("version_id", "gate", "round"),
        CheckConstraint("state <> 'approved' OR content_digest IS NOT NULL", name="approved_content"),
    )

    id: int = Field(default=None, primary_key=True)
    version_id: int = Field(foreign_key="model_version.id", index=True)
    gate: Gate = Field(sa_type=choice(Gate))
    round: int = 1
    state: ReviewState = Field(default=ReviewState.DRAFT, sa_type=choice(ReviewState))
    template: Digest = Field(sa_type=DigestText, foreign_key="template.digest")
    policy: Digest = Field(sa_type=DigestText, foreign_key="policy.digest")
    earlier_id: int | None = Field(default=None, foreign_key="review.id")
    revision: int = 0
    submission: int = 0
    opened_by: int = Field(foreign_key="user.id")
    opened_at: datetime = Field(sa_type=Moment)
    submitted_by: int | None = Field(default=None, foreign_key="user.id")
    submitted_at: datetime | None = Field(default=None, sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    content_digest: Digest | None = Field(default=None, sa_type=DigestText)
    valid_until: datetime | None = Field(default=None, sa_type=Moment)


class ReviewDatasetRow(SQLModel, table=True):
    """A dataset that a review rests on."""

    __tablename__ = "review_dataset"

    review_id: int = Field(foreign_key="review.id", primary_key=True)
    dataset_id: int = Field(foreign_key="dataset.id", primary_key=True)


class AnswerRow(SQLModel, table=True):
    """The answer to one question of one review."""

    __tablename__ = "answer"

    review_id: int = Field(foreign_key="review.id", primary_key=True)
    question_id: str = Field(primary_key=True, max_length=80)
    result: Result = Field(default=Result.NOT_ASSESSED, sa_type=choice(Result))
    work_status: WorkStatus = Field(default=WorkStatus.TO_DO, sa_type=choice(WorkStatus))
    text: str = ""
    owner_id: int | None = Field(default=None, foreign_key="user.id")
    due: date | None = None
    revision: int = 0
    updated_by: int | None = Field(default=None, foreign_key="user.id")
    updated_at: datetime | None = Field(default=None, sa_type=Moment)


class EvidenceRow(SQLModel, table=True):
    """What proves an answer. Taken away, it stays with the time and the person who took it away."""

    __tablename__ = "evidence"

    id: int = Field(default=None, primary_key=True)
    review_id: int = Field(foreign_key="review.id", index=True)
    question_id: str = Field(max_length=80)
    kind: EvidenceKind = Field(sa_type=choice(EvidenceKind))
    title: str = Field(max_length=150)
    text: str = ""
    digest: Digest = Field(sa_type=DigestText)
    run_id: int | None = Field(default=None, foreign_key="run.id")
    added_by: int = Field(foreign_key="user.id")
    added_at: datetime = Field(sa_type=Moment)
    expires_on: date | None = None
    removed_by: int | None = Field(default=None, foreign_key="user.id")
    removed_at: datetime | None = Field(default=None, sa_type=Moment)


class CommentRow(SQLModel, table=True):
    """What somebody said about a question, or about the whole review (no ``question_id``)."""

    __tablename__ = "comment"

    id: int = Field(default=None, primary_key=True)
    review_id: int = Field(foreign_key="review.id", index=True)
    question_id: str | None = Field(default=None, max_length=80)
    author_id: int = Field(foreign_key="user.id")
    text: str
    at: datetime = Field(sa_type=Moment)


class FindingRow(SQLModel, table=True):
    """Something wrong that an independent person found."""

    __tablename__ = "finding"

    id: int = Field(default=None, primary_key=True)
    review_id: int = Field(foreign_key="review.id", index=True)
    question_id: str | None = Field(default=None, max_length=80)
    severity: Severity = Field(sa_type=choice(Severity))
    title: str = Field(max_length=150)
    text: str = ""
    owner_id: int = Field(foreign_key="user.id")
    due: date
    state: FindingState = Field(default=FindingState.OPEN, sa_type=choice(FindingState))
    raised_by: int = Field(foreign_key="user.id")
    raised_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class WaiverRow(SQLModel, table=True):
    """A question or a finding accepted for a time. The risk owner is never the person who asked."""

    __tablename__ = "waiver"
    __table_args__ = (
        CheckConstraint("risk_owner_id <> requested_by", name="other_risk_owner"),
        CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="other_decider"),
        CheckConstraint("(question_id IS NULL) <> (finding_id IS NULL)", name="one_subject"),
    )

    id: int = Field(default=None, primary_key=True)
    review_id: int = Field(foreign_key="review.id", index=True)
    question_id: str | None = Field(default=None, max_length=80)
    finding_id: int | None = Field(default=None, foreign_key="finding.id")
    reason: str
    compensating_control: str
    risk_owner_id: int = Field(foreign_key="user.id")
    expires_on: date
    state: WaiverState = Field(default=WaiverState.REQUESTED, sa_type=choice(WaiverState))
    requested_by: int = Field(foreign_key="user.id")
    requested_at: datetime = Field(sa_type=Moment)
    decided_by: int | None = Field(default=None, foreign_key="user.id")
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
    decision_reason: str = ""


class SignOffRow(SQLModel, table=True):
    """A signature: who, when, what it means, on exactly which content. Never changed, never removed (triggers)."""

    __tablename__ = "sign_off"
    __table_args__ = (UniqueConstraint("review_id", "submission", "user_id"),)

    id: int = Field(default=None, primary_key=True)
    review_id: int = Field(foreign_key="review.id", index=True)
    submission: int
    user_id: int = Field(foreign_key="user.id")
    printed_name: str = Field(max_length=150)
    role: Role = Field(sa_type=choice(Role))
    meaning: Meaning = Field(sa_type=choice(Meaning))
    decision: Decision = Field(sa_type=choice(Decision))
    reason: str
    statement: str
    authentication: Authentication = Field(sa_type=choice(Authentication))
    content_digest: Digest = Field(sa_type=DigestText)
    at: datetime = Field(sa_type=Moment)


class AttestationRow(SQLModel, table=True):
    """The sealed statement of an approved review: the exact bytes of its envelope, and what it was made of.

    ``members`` maps the names of the bundle's members to the digests of their blobs.
    """

    __tablename__ = "attestation"

    review_id: int = Field(foreign_key="review.id", primary_key=True)
    envelope: str
    members: dict[str, Any] = Field(sa_type=json_type())
    artifact: Digest | None = Field(default=None, sa_type=DigestText, index=True)
    audit_sequence: int
    sealed_at: datetime = Field(sa_type=Moment)
