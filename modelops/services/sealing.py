"""The seal of an approved review: one signed statement over everything that the approval rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from modelops.attest.bundle import POLICY, REPORT, REVIEW, TEMPLATE, evidence_name, result_name, statement_subjects
from modelops.attest.checkpoint import sign_checkpoint
from modelops.attest.merkle import Tree
from modelops.attest.statement import seal as seal_statement
from modelops.domain.attestation import (
    AuditPosition,
    Contributor,
    ReadinessPredicate,
    SealedFinding,
    SealedWaiver,
    SignOff,
)
from modelops.domain.audit import SEAL
from modelops.domain.canonical import canonical_bytes
from modelops.domain.content import ReviewContent
from modelops.domain.digest import Digest
from modelops.domain.instant import instant
from modelops.domain.people import SYSTEM
from modelops.domain.review import Decision, EvidenceKind, FindingState, WaiverState
from modelops.reports.review import review_report
from modelops.sandbox.protection import protection
from modelops.services import files
from modelops.services.keyring import Keys
from modelops.services.release import lock_digest
from modelops.services.reporting import report_content
from modelops.services.standing import Standing, area_readiness
from modelops.store import Reader, Store, Transaction
from modelops.store.failpoints import failpoint
from modelops.store.queries_audit import hashes
from modelops.store.queries_review import evidence
from modelops.store.tables import AttestationRow, CheckpointRow, PolicyRow, TemplateRow
from modelops.version import VERSION

TEMPLATE_MEMBER = TEMPLATE.replace(".json", ".yaml")
POLICY_MEMBER = POLICY.replace(".json", ".yaml")


@dataclass(frozen=True)
class Prepared:
    """The members of the bundle that are sealed, made before the transaction that seals: reports take time."""

    digest: Digest
    members: Mapping[str, bytes | Digest]


def prepare(store: Store, reader: Reader, now: Standing, sign_offs: tuple[SignOff, ...], *, at: datetime) -> Prepared:
    """Make what is to be sealed, given all signatures: files by their name, those in the store by their digest."""
    members: dict[str, bytes | Digest] = {
        REVIEW: canonical_bytes(now.content),
        TEMPLATE_MEMBER: reader.get(TemplateRow, now.review.template, what="template").body.encode(),
        POLICY_MEMBER: reader.get(PolicyRow, now.review.policy, what="policy").body.encode(),
        REPORT: review_report(report_content(store, reader, now, sign_offs, at=at)).encode(),
    }
    for row in evidence(reader, now.review.id):
        if row.kind is EvidenceKind.RUN:
            members[result_name(row.digest)] = row.digest
        elif row.kind is EvidenceKind.FILE:
            members[evidence_name(row.digest, row.title)] = row.digest
    return Prepared(now.digest, members)


def seal(
    store: Store,
    t: Transaction,
    now: Standing,
    prepared: Prepared,
    sign_offs: tuple[SignOff, ...],
    keys: Keys,
    *,
    at: datetime,
) -> AttestationRow:
    """Seal inside the transaction of the last signature; the audit entry of the seal follows that of the signature."""
    failpoint("before seal")
    members = {
        name: value if isinstance(value, Digest) else files.keep(store, t, value, at=at)
        for name, value in prepared.members.items()
    }
    last = t.last_entry()
    predicate = _predicate(now, sign_offs, AuditPosition(sequence=last.sequence, hash=last.hash), at=at)
    datasets = {f"{dataset.name} ({dataset.digest.short})": dataset.digest for dataset in now.content.datasets}
    subjects = statement_subjects(members, model=now.content.artifact, datasets=datasets)
    envelope = seal_statement(predicate, subjects, keys.key)
    entry = t.record(SYSTEM, SEAL, f"review/{now.review.id}", at=at, digest=Digest.of(envelope))
    row = t.add(
        AttestationRow(
            review_id=now.review.id,
            envelope=envelope.decode(),
            members=members,
            artifact=now.content.artifact,
            audit_sequence=entry.sequence,
            sealed_at=at,
        )
    )
    checkpoint(t, keys, at=at)
    failpoint("after seal")
    return row


def checkpoint(t: Transaction, keys: Keys, *, at: datetime) -> CheckpointRow:
    """Sign what the audit trail is now; the checkpoint of this length is made once."""
    size = t.last_entry().sequence
    known = t.find(CheckpointRow, size)
    if known:
        return known
    root = Tree(bytes.fromhex(entry) for entry in hashes(t, size=size)).root()
    text = sign_checkpoint(keys.key, origin=keys.origin, size=size, root=root, at=at)
    return t.add(CheckpointRow(sequence=size, at=at, text=text.decode()))


def valid_until(now: Standing, *, at: datetime) -> datetime:
    """Return when an approval given at ``at`` ends: after the policy's time, or with the first waiver."""
    end = at + timedelta(days=now.policy.approval_valid_days[now.content.risk_tier])
    for waiver in now.content.waivers:
        if waiver.state is WaiverState.ACCEPTED and waiver.expires_on >= at.date():
            last_moment = datetime.combine(waiver.expires_on, datetime.min.time(), at.tzinfo) + timedelta(days=1)
            end = min(end, last_moment)
    return end


def _predicate(
    now: Standing, sign_offs: tuple[SignOff, ...], position: AuditPosition, *, at: datetime
) -> ReadinessPredicate:
    content = now.content
    return ReadinessPredicate(
        review_id=str(content.review),
        gate=content.gate,
        round=content.round,
        model=content.model,
        model_version=content.version,
        risk_tier=content.risk_tier,
        decision=Decision.APPROVE,
        template=content.template,
        policy=content.policy,
        content=now.digest,
        readiness=area_readiness(now),
        sign_offs=sign_offs,
        contributors=tuple(
            Contributor(user_id=user_id, printed_name=now.people.get(user_id, "ModelOps"), acts=acts)
            for user_id, acts in sorted(now.contributors.items())
        ),
        waivers=_waivers(content, at.date()),
        findings=_findings(content),
        protection=protection().level,
        app_version=VERSION,
        lock=lock_digest(),
        sealed_at=instant(at),
        valid_until=instant(valid_until(now, at=at)),
        audit=position,
    )


def _waivers(content: ReviewContent, today: date) -> tuple[SealedWaiver, ...]:
    """Return the waivers that the approval rests on: one that is over has nothing to hold any more."""
    return tuple(
        SealedWaiver(
            reference=str(waiver.number),
            subject=waiver.question or f"finding {waiver.finding}",
            reason=waiver.reason,
            compensating_control=waiver.compensating_control,
            risk_owner=waiver.risk_owner,
            requested_by=waiver.requested_by,
            expires_on=waiver.expires_on,
        )
        for waiver in content.waivers
        if waiver.state is WaiverState.ACCEPTED and waiver.expires_on >= today
    )


def _findings(content: ReviewContent) -> tuple[SealedFinding, ...]:
    return tuple(
        SealedFinding(
            reference=str(finding.number),
            title=finding.title,
            severity=finding.severity,
            state=finding.state,
            owner=finding.owner,
            due=finding.due,
        )
        for finding in content.findings
        if finding.state is not FindingState.CLOSED
    )
