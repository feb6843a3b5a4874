"""Where a review stands: readiness, what blocks it, who may sign, which signatures it has and still needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from modelops.analyses.registry import ANALYSES
from modelops.domain.attestation import AreaReadiness
from modelops.domain.checklist import Question, Result, Template
from modelops.domain.content import ReviewContent
from modelops.domain.digest import Digest
from modelops.domain.policy import Policy, SignatureRule
from modelops.domain.readiness import AnswerState, Readiness, readiness
from modelops.domain.review import BLOCKING_SEVERITIES, EvidenceKind, FindingState, WaiverState
from modelops.services import catalogue
from modelops.store import Reader
from modelops.store.queries_review import content, contributions, evidence, names
from modelops.store.tables import AnswerRow, EvidenceRow, FindingRow, ReviewRow, SignOffRow, WaiverRow

RUNNABLE = {analysis.key: analysis.title for analysis in ANALYSES}


@dataclass(frozen=True)
class Blocker:
    """One thing that forbids approval: a question or a finding, why, what to do, and who."""

    subject: str
    why: str
    what_to_do: str
    owner: str | None


@dataclass(frozen=True)
class Standing:
    """Everything that pages and services ask about a review, read in one go."""

    review: ReviewRow
    template: Template
    policy: Policy
    content: ReviewContent
    digest: Digest
    readiness: Readiness
    blockers: tuple[Blocker, ...]
    contributors: dict[int, tuple[str, ...]]
    people: dict[int, str]
    sign_offs: tuple[SignOffRow, ...]
    missing: tuple[SignatureRule, ...]


def standing(reader: Reader, review: ReviewRow, *, at: datetime) -> Standing:
    """Return where ``review`` stands at the moment ``at`` (waivers expire)."""
    template, policy = catalogue.template(reader, review.template), catalogue.policy(reader, review.policy)
    states = answer_states(reader, review, template, at=at)
    ready = readiness(template, review.gate, states, runnable=RUNNABLE)
    whole = content(reader, review)
    signed = tuple(row for row in reader.all(SignOffRow, review_id=review.id) if row.submission == review.submission)
    involved = contributions(reader, review)
    return Standing(
        review=review,
        template=template,
        policy=policy,
        content=whole,
        digest=whole.digest,
        readiness=ready,
        blockers=(*_question_blockers(ready), *_finding_blockers(reader, review, at)),
        contributors=involved,
        people=names(reader, involved),
        sign_offs=signed,
        missing=_missing(policy.signatures_for(whole.risk_tier), signed),
    )


def answer_states(reader: Reader, review: ReviewRow, template: Template, *, at: datetime) -> list[AnswerState]:
    """Return what counts of each answer of a review."""
    rows = reader.all(AnswerRow, review_id=review.id)
    owners = names(reader, (row.owner_id for row in rows))
    proofs: dict[str, list[EvidenceRow]] = {}
    for proof in evidence(reader, review.id):
        proofs.setdefault(proof.question_id, []).append(proof)
    waivers: dict[str | None, list[WaiverRow]] = {}
    for waiver in reader.all(WaiverRow, review_id=review.id):
        waivers.setdefault(waiver.question_id, []).append(waiver)
    return [
        answer_state(
            template.question(row.question_id),
            row,
            proofs=proofs.get(row.question_id, ()),
            waivers=waivers.get(row.question_id, ()),
            owner=owners.get(row.owner_id or 0),
            at=at,
        )
        for row in rows
    ]


def answer_state(
    question: Question,
    row: AnswerRow,
    *,
    proofs: Iterable[EvidenceRow],
    waivers: Iterable[WaiverRow],
    owner: str | None,
    at: datetime,
) -> AnswerState:
    """Return what counts of one answer, given the evidence and the waivers of its question."""
    is_proved = any(proof.expires_on is None or proof.expires_on >= at.date() for proof in proofs)
    return AnswerState(
        question_id=row.question_id,
        result=row.result,
        work_status=row.work_status,
        waived=any(_holds(waiver, at) for waiver in waivers),
        has_evidence=is_proved or _text_is_enough(question, row),
        reason=row.text if row.result is Result.NOT_APPLICABLE else "",
        owner=owner,
    )


def _holds(waiver: WaiverRow, at: datetime) -> bool:
    return waiver.state is WaiverState.ACCEPTED and waiver.expires_on >= at.date()


def _text_is_enough(question: Question, row: AnswerRow) -> bool:
    kinds = {need.kind for need in question.evidence}
    return bool(row.text) and bool(kinds & {EvidenceKind.TEXT, EvidenceKind.RECORD})


def _question_blockers(ready: Readiness) -> list[Blocker]:
    return [Blocker(gap.question_id, gap.why, gap.what_to_do, gap.owner) for gap in ready.blockers]


def _finding_blockers(reader: Reader, review: ReviewRow, at: datetime) -> list[Blocker]:
    waived = {waiver.finding_id for waiver in reader.all(WaiverRow, review_id=review.id) if _holds(waiver, at)}
    open_ones = [
        row
        for row in reader.all(FindingRow, review_id=review.id)
        if row.state is not FindingState.CLOSED and row.severity in BLOCKING_SEVERITIES and row.id not in waived
    ]
    owners = names(reader, (row.owner_id for row in open_ones))
    return [
        Blocker(
            f"finding {row.id}",
            f"The {row.severity} finding “{row.title}” is {row.state}.",
            "Put it right and have it closed, or ask for a waiver.",
            owners.get(row.owner_id),
        )
        for row in open_ones
    ]


def _missing(needed: tuple[SignatureRule, ...], signed: tuple[SignOffRow, ...]) -> tuple[SignatureRule, ...]:
    """Return the signatures that the policy asks for and nobody has given yet, each signature counted once."""
    left = [(row.role, row.meaning) for row in signed]
    missing = []
    for rule in needed:
        if (rule.role, rule.meaning) in left:
            left.remove((rule.role, rule.meaning))
        else:
            missing.append(rule)
    return tuple(missing)


def blocked_text(blockers: tuple[Blocker, ...], what: str) -> str:
    """Return why something cannot be done, with the first few blockers in words."""
    first = "; ".join(f"{blocker.subject}: {blocker.why}" for blocker in blockers[:5])
    more = f" And {len(blockers) - 5} more." if len(blockers) > 5 else ""
    things = "one thing blocks" if len(blockers) == 1 else f"{len(blockers)} things block"
    return f"This review cannot be {what}: {things} it. {first}{more}"


def area_readiness(now: Standing) -> tuple[AreaReadiness, ...]:
    """Return the readiness of each area as it stands in the statement."""
    results: dict[str, list[Result]] = {}
    for answer in now.content.answers:
        results.setdefault(now.template.area_of(answer.question).id, []).append(answer.result)
    titles = {area.id: area.title for area in now.template.areas}
    return tuple(
        AreaReadiness(
            area=area.area_id,
            title=titles[area.area_id],
            met=results[area.area_id].count(Result.MET),
            partially=results[area.area_id].count(Result.PARTIALLY),
            not_met=results[area.area_id].count(Result.NOT_MET),
            not_applicable=results[area.area_id].count(Result.NOT_APPLICABLE),
            not_assessed=results[area.area_id].count(Result.NOT_ASSESSED),
            ready=not area.blockers,
        )
        for area in now.readiness.areas
    )
