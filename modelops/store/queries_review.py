"""Reads about reviews that join several tables."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import col, func, or_, select

from modelops.domain.attestation import VersionedDigest
from modelops.domain.checklist import WorkStatus
from modelops.domain.columns import ColumnRoles
from modelops.domain.content import (
    AcceptanceContent,
    AnswerContent,
    DatasetContent,
    EvidenceContent,
    FindingContent,
    MovedBar,
    ReviewContent,
    WaiverContent,
)
from modelops.domain.instant import instant
from modelops.domain.review import EDITABLE, EvidenceKind, FindingState, ReviewState
from modelops.store.queries_cases import ATTACH
from modelops.store.queries_criteria import Frozen, bar_among, frozen_sets
from modelops.store.tables import (
    AnswerRow,
    AuditRow,
    CommentRow,
    DatasetRow,
    EvidenceRow,
    FindingRow,
    ModelRow,
    PolicyRow,
    ReviewDatasetRow,
    ReviewRow,
    RunRow,
    TemplateRow,
    UserRow,
    VersionRow,
    WaiverRow,
)
from modelops.store.transaction import Reader

KEEP = "answer:keep"


def names(reader: Reader, user_ids: Iterable[int | None]) -> dict[int, str]:
    """Return the printed names of these people."""
    wanted = {user_id for user_id in user_ids if user_id}
    if not wanted:
        return {}
    rows = reader.session.exec(select(UserRow.id, UserRow.name).where(col(UserRow.id).in_(wanted))).all()
    return {user_id: name for user_id, name in rows if user_id}


def datasets(reader: Reader, review_id: int) -> list[DatasetRow]:
    """Return the datasets that a review rests on, in the order in which they came."""
    query = (
        select(DatasetRow)
        .join(ReviewDatasetRow, col(ReviewDatasetRow.dataset_id) == DatasetRow.id)
        .where(ReviewDatasetRow.review_id == review_id)
        .order_by(col(DatasetRow.id))
    )
    return list(reader.session.exec(query))


def evidence(reader: Reader, review_id: int, question_id: str | None = None) -> list[EvidenceRow]:
    """Return the evidence of a review, or of one of its questions, that was not taken away."""
    query = select(EvidenceRow).where(EvidenceRow.review_id == review_id, col(EvidenceRow.removed_at).is_(None))
    if question_id is not None:
        query = query.where(EvidenceRow.question_id == question_id)
    return list(reader.session.exec(query.order_by(col(EvidenceRow.id))))


def earlier_review(reader: Reader, review: ReviewRow) -> ReviewRow | None:
    """Return the review whose answers are shown beside those of ``review``."""
    return reader.find(ReviewRow, review.earlier_id) if review.earlier_id else None


def contributions(reader: Reader, review: ReviewRow) -> dict[int, tuple[str, ...]]:
    """Return who had a hand in a review, its version, its model or its data, and by which acts.

    Computed from the audit trail. The model's owners count without any act, the earlier ones too; so does whoever gave
    an answer that was kept from an earlier review, or a verdict on a case that became evidence. The trigger
    `sign_off_independent` says the same.
    """
    version = reader.get(VersionRow, review.version_id, what="model version")
    model = reader.get(ModelRow, version.model_id, what="model")
    used = reader.all(ReviewDatasetRow, review_id=review.id)
    subjects = [f"review/{review.id}", f"version/{version.id}", f"model/{model.id}"]
    subjects += [f"dataset/{row.dataset_id}" for row in used]
    subjects += _kept_from(reader, review, model)
    cases = _case_readers(reader, review)
    query = (
        select(AuditRow.actor_id, AuditRow.action)
        .where(
            AuditRow.contributes,
            or_(col(AuditRow.subject).in_(subjects), col(AuditRow.subject).like(f"review/{review.id}/%")),
        )
        .distinct()
        .order_by(col(AuditRow.actor_id), col(AuditRow.action))
    )
    acts: dict[int, tuple[str, ...]] = dict.fromkeys(_earlier_owners(reader, model), ("was owner of the model",))
    acts[model.owner_id] = ("owner of the model",)
    for actor_id, action in [*reader.session.exec(query), *cases]:
        acts[actor_id] = (*acts.get(actor_id, ()), action)
    return acts


def _case_readers(reader: Reader, review: ReviewRow) -> list[tuple[int, str]]:
    """Return who gave a verdict on a case before it became evidence of a review, with the act."""
    attached = reader.session.exec(
        select(AuditRow.subject, func.max(AuditRow.sequence))
        .where(AuditRow.action == ATTACH, col(AuditRow.subject).startswith(f"review/{review.id}/", autoescape=True))
        .group_by(AuditRow.subject)
    ).all()
    found: set[tuple[int, str]] = set()
    for subject, last in attached:
        query = select(AuditRow.actor_id, AuditRow.action).where(
            AuditRow.contributes,
            AuditRow.subject == subject.removeprefix(f"review/{review.id}/"),
            AuditRow.sequence < last,
        )
        found.update(reader.session.exec(query.distinct()))
    return sorted(found)


def _kept_from(reader: Reader, review: ReviewRow, model: ModelRow) -> list[str]:
    """Return the questions of earlier reviews of the model whose answers were kept in this one, as audit subjects."""
    query = select(AuditRow.subject).where(
        AuditRow.action == KEEP, col(AuditRow.subject).startswith(f"review/{review.id}/", autoescape=True)
    )
    questions = [subject.removeprefix(f"review/{review.id}/") for subject in reader.session.exec(query.distinct())]
    if not questions:
        return []
    earlier = (
        select(ReviewRow.id)
        .join(VersionRow, col(VersionRow.id) == ReviewRow.version_id)
        .where(VersionRow.model_id == model.id, ReviewRow.id < review.id)
    )
    return [f"review/{number}/{question}" for number in reader.session.exec(earlier) for question in questions]


def _earlier_owners(reader: Reader, model: ModelRow) -> list[int]:
    query = select(AuditRow.body).where(AuditRow.subject == f"model/{model.id}", AuditRow.contributes)
    said = [json.loads(body)["new"] or {} for body in reader.session.exec(query)]
    return [new["owner_id"] for new in said if "owner_id" in new]


def content(reader: Reader, review: ReviewRow) -> ReviewContent:
    """Return the whole content of a review: what its digest and every signature stand for."""
    version = reader.get(VersionRow, review.version_id, what="model version")
    model = reader.get(ModelRow, version.model_id, what="model")
    template = reader.get(TemplateRow, review.template, what="template")
    policy = reader.get(PolicyRow, review.policy, what="policy")
    findings = reader.all(FindingRow, review_id=review.id)
    waivers = reader.all(WaiverRow, review_id=review.id)
    criteria = criteria_of(reader, review)
    people = _NamesThen.read(
        reader,
        [*(f.owner_id for f in findings), *(w.risk_owner_id for w in waivers), *(c.row.frozen_by for c in criteria)]
        + [user for w in waivers for user in (w.requested_by, w.decided_by)],
    )
    return ReviewContent(
        review=review.id,
        gate=review.gate,
        round=review.round,
        model=model.name,
        purpose=model.purpose,
        risk_tier=model.risk_tier,
        version=version.label,
        artifact=version.artifact,
        dependencies=version.dependencies,
        template=VersionedDigest(name=template.name, version=template.version, digest=template.digest),
        policy=VersionedDigest(name=policy.name, version=policy.version, digest=policy.digest),
        datasets=tuple(_dataset(row) for row in datasets(reader, review.id)),
        answers=_answers(reader, review.id),
        findings=tuple(_finding(row, people) for row in findings),
        waivers=tuple(_waiver(row, people) for row in waivers),
        acceptance=_acceptance(criteria[-1], people) if criteria else None,
        moved_bars=_moved_bars(reader, review, criteria),
    )


def criteria_of(reader: Reader, review: ReviewRow) -> list[Frozen]:
    """Return the frozen criteria of the reviewed version, the oldest first.

    A review that was handed over before anything was frozen does not rest on criteria: what is frozen later is for the
    next one.
    """
    sets = frozen_sets(reader, review.version_id)
    handed_over = review.submitted_at if review.state not in EDITABLE else None
    is_early = review.state in EDITABLE or (handed_over is not None and sets and sets[0].row.frozen_at <= handed_over)
    return sets if is_early else []


def _acceptance(one: Frozen, people: _NamesThen) -> AcceptanceContent:
    return AcceptanceContent(
        number=one.number,
        digest=one.row.digest,
        body=one.body,
        frozen_by=people.of(one.row.frozen_by, one.row.frozen_at),
        frozen_at=instant(one.row.frozen_at),
    )


def _moved_bars(reader: Reader, review: ReviewRow, criteria: list[Frozen]) -> tuple[MovedBar, ...]:
    if not criteria:
        return ()
    attached = {row.run_id for row in evidence(reader, review.id) if row.kind is EvidenceKind.RUN and row.run_id}
    runs = (reader.get(RunRow, run_id, what="analysis run") for run_id in sorted(attached))
    moved = (bar_among(reader, run, criteria).moved(run) for run in runs)
    return tuple(one for one in moved if one)


def _dataset(row: DatasetRow) -> DatasetContent:
    return DatasetContent(
        name=row.name,
        role=row.role,
        digest=row.digest,
        rows=row.rows,
        roles=ColumnRoles.model_validate(row.roles),
        task=row.task,
        positive=row.positive,
    )


def _answers(reader: Reader, review_id: int) -> tuple[AnswerContent, ...]:
    proofs: dict[str, list[EvidenceContent]] = {}
    for row in evidence(reader, review_id):
        item = EvidenceContent(
            kind=row.kind, title=row.title, digest=row.digest, text=row.text, expires_on=row.expires_on
        )
        proofs.setdefault(row.question_id, []).append(item)
    answers = {row.question_id: row for row in reader.all(AnswerRow, review_id=review_id)}
    return tuple(
        AnswerContent(
            question=question_id, result=row.result, text=row.text, evidence=tuple(proofs.get(question_id, ()))
        )
        for question_id, row in sorted(answers.items())
    )


@dataclass(frozen=True)
class _NamesThen:
    """Printed names as they were: a person who is renamed later changes nothing that was signed."""

    now: dict[int, str]
    renames: dict[int, list[tuple[datetime, str]]]

    @classmethod
    def read(cls, reader: Reader, user_ids: Iterable[int | None]) -> _NamesThen:
        current = names(reader, user_ids)
        renames: dict[int, list[tuple[datetime, str]]] = {}
        if current:
            query = select(AuditRow.subject, AuditRow.at, AuditRow.body).where(
                AuditRow.action == "user:rename", col(AuditRow.subject).in_([f"user/{number}" for number in current])
            )
            for subject, at, body in reader.session.exec(query.order_by(col(AuditRow.sequence))):
                number = int(subject.removeprefix("user/"))
                renames.setdefault(number, []).append((at, json.loads(body)["old"]["name"]))
        return cls(current, renames)

    def of(self, user_id: int, at: datetime) -> str:
        later = (old for renamed, old in self.renames.get(user_id, ()) if renamed > at)
        return next(later, self.now[user_id])


def _finding(row: FindingRow, people: _NamesThen) -> FindingContent:
    return FindingContent(
        number=row.id,
        question=row.question_id,
        severity=row.severity,
        title=row.title,
        text=row.text,
        owner=people.of(row.owner_id, row.raised_at),
        due=row.due,
        state=row.state,
    )


def _waiver(row: WaiverRow, people: _NamesThen) -> WaiverContent:
    return WaiverContent(
        number=row.id,
        question=row.question_id,
        finding=row.finding_id,
        reason=row.reason,
        compensating_control=row.compensating_control,
        risk_owner=people.of(row.risk_owner_id, row.requested_at),
        requested_by=people.of(row.requested_by, row.requested_at),
        decided_by=people.of(row.decided_by, row.decided_at) if row.decided_by and row.decided_at else None,
        expires_on=row.expires_on,
        state=row.state,
    )


def comments(reader: Reader, review_id: int, question_id: str | None) -> list[CommentRow]:
    """Return what was said about a question, or about the whole review, the oldest first."""
    query = (
        select(CommentRow)
        .where(CommentRow.review_id == review_id, CommentRow.question_id == question_id)
        .order_by(col(CommentRow.id))
    )
    return list(reader.session.exec(query))


def approvals_over(reader: Reader, at: datetime) -> list[ReviewRow]:
    """Return the approved reviews whose time is over at ``at``."""
    query = select(ReviewRow).where(ReviewRow.state == ReviewState.APPROVED, col(ReviewRow.valid_until) <= at)
    return list(reader.session.exec(query))


def open_findings_of(reader: Reader, user_id: int) -> list[FindingRow]:
    """Return the findings that this person owns and has not remedied."""
    query = (
        select(FindingRow)
        .where(FindingRow.owner_id == user_id, col(FindingRow.state).in_([FindingState.OPEN, FindingState.IN_PROGRESS]))
        .order_by(col(FindingRow.due))
    )
    return list(reader.session.exec(query))


def unfinished_answers_of(reader: Reader, user_id: int) -> dict[int, tuple[int, date | None]]:
    """Return, by open review, how many answers this person owns and has not finished, and the earliest due date."""
    query = (
        select(AnswerRow.review_id, func.count(), func.min(AnswerRow.due))
        .join(ReviewRow, col(ReviewRow.id) == AnswerRow.review_id)
        .where(
            AnswerRow.owner_id == user_id,
            AnswerRow.work_status != WorkStatus.DONE,
            col(ReviewRow.state).in_(EDITABLE),
        )
        .group_by(col(AnswerRow.review_id))
    )
    return {review_id: (count, due) for review_id, count, due in reader.session.exec(query)}
