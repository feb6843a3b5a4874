"""A small installation with one sealed review, and the bundle of it."""

from __future__ import annotations

import base64
import json
import zipfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from modelops.attest import bundle
from modelops.attest.bundle import (
    MODEL_CARD,
    POLICY,
    REPORT,
    REVIEW,
    TEMPLATE,
    BundleContent,
    build_bundle,
    evidence_name,
    result_name,
    statement_subjects,
)
from modelops.attest.checkpoint import sign_checkpoint
from modelops.attest.dsse import sign_envelope
from modelops.attest.keys import KeyRing, SigningKey
from modelops.attest.merkle import Tree
from modelops.attest.statement import seal
from modelops.attest.verifier.container import MANIFEST, MANIFEST_ENVELOPE
from modelops.attest.verifier.statement import MANIFEST_PAYLOAD, STATEMENT_PAYLOAD
from modelops.domain.attestation import (
    AreaReadiness,
    AuditPosition,
    Contributor,
    ReadinessPredicate,
    SealedWaiver,
    SignOff,
    VersionedDigest,
)
from modelops.domain.audit import GENESIS, SEAL, SIGN_OFF, AuditEntry, ChainRow, entry_bytes, entry_hash
from modelops.domain.digest import Digest
from modelops.domain.instant import instant

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ORIGIN = "modelops.example/audit"
MODEL = b"the bytes of a model"
TRAIN = b"age,income\n41,1000\n"


def later(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


class Trail:
    """An audit trail in memory."""

    def __init__(self) -> None:
        self.rows: list[ChainRow] = []

    @property
    def head(self) -> AuditPosition:
        return AuditPosition(sequence=len(self.rows), hash=self.rows[-1].hash if self.rows else GENESIS)

    def record(self, action: str, *, actor_id: int, digest: Digest | None = None, minutes: int | None = None) -> None:
        sequence, previous = self.head.sequence + 1, self.head.hash
        entry = AuditEntry(
            sequence=sequence,
            at=instant(later(sequence if minutes is None else minutes)),
            actor_id=actor_id,
            actor_name=f"Person {actor_id}",
            action=action,
            subject="review/7",
            digest=digest,
        )
        body = entry_bytes(entry)
        self.rows.append(ChainRow(sequence, previous, body, entry_hash(previous, sequence, body)))

    @property
    def hashes(self) -> list[str]:
        return [row.hash for row in self.rows]

    def checkpoint(self, key: SigningKey, *, minutes: int = 200) -> bytes:
        root = Tree(bytes.fromhex(entry) for entry in self.hashes).root()
        return sign_checkpoint(key, origin=ORIGIN, size=len(self.rows), root=root, at=later(minutes))


def sample_files() -> dict[str, bytes]:
    result = json.dumps({"schema": "modelops.result/1", "analysis": "drift"}).encode()
    minutes = "Minutes of the meeting: größer".encode()
    return {
        REVIEW: b'{"answers":[],"review":7}',
        TEMPLATE: b'{"name":"readiness","version":"1"}',
        POLICY: b'{"name":"default","version":"1"}',
        REPORT: b"<!doctype html><title>Report</title>",
        MODEL_CARD: b"<!doctype html><title>Model card</title>",
        result_name(Digest.of(result)): result,
        evidence_name(Digest.of(minutes), "minutes.txt"): minutes,
    }


def sample_predicate(files: dict[str, bytes], head: AuditPosition, **changes: object) -> ReadinessPredicate:
    content = Digest.of(files[REVIEW])
    fields: dict[str, object] = {
        "review_id": "review/7",
        "gate": "pre-deployment",
        "round": 1,
        "model": "Credit decisions",
        "model_version": "2.1",
        "risk_tier": "high",
        "decision": "approve",
        "template": VersionedDigest(name="readiness", version="1", digest=Digest.of(files[TEMPLATE])),
        "policy": VersionedDigest(name="default", version="1", digest=Digest.of(files[POLICY])),
        "content": content,
        "readiness": (AreaReadiness(area="problem", title="What problem?", met=7, ready=True),),
        "sign_offs": (sample_sign_off(11, "review", content), sample_sign_off(12, "approval", content)),
        "contributors": (Contributor(user_id=10, printed_name="Person 10", acts=("review:answer",)),),
        "waivers": (
            SealedWaiver(
                reference="waiver/1",
                subject="data.size",
                reason="Few cases exist.",
                compensating_control="Every decision is looked at by a person.",
                risk_owner="Head of lending",
                requested_by="Person 10",
                expires_on="2027-03-31",
            ),
        ),
        "protection": "A",
        "app_version": "0.1.0",
        "lock": Digest.of(b"lock"),
        "sealed_at": instant(later(100)),
        "valid_until": instant(later(100_000)),
        "audit": head,
    }
    return ReadinessPredicate.model_validate(fields | changes)


def sample_sign_off(user_id: int, meaning: str, content: Digest) -> SignOff:
    return SignOff.model_validate(
        {
            "printed_name": f"Person {user_id}",
            "user_id": user_id,
            "role": "approver",
            "meaning": meaning,
            "decision": "approve",
            "reason": "The evidence is complete.",
            "at": instant(later(90)),
            "authentication": "password",
            "digest_seen": content,
            "text": "I approve this model version for use as described.",
        }
    )


@dataclass(repr=False)
class Installation:
    """A key, an audit trail and one review that was sealed in it."""

    key: SigningKey
    ring: KeyRing
    trail: Trail
    files: dict[str, bytes]
    envelope: bytes

    @classmethod
    def with_sealed_review(cls, *, key: SigningKey | None = None, **changes: object) -> Installation:
        key = key or SigningKey.new()
        trail, files = Trail(), sample_files()
        trail.record("review:open", actor_id=10)
        trail.record("review:submit", actor_id=10)
        for user_id in (11, 12):
            trail.record(SIGN_OFF, actor_id=user_id, digest=Digest.of(files[REVIEW]))
        subjects = statement_subjects(
            {name: Digest.of(content) for name, content in files.items()},
            model=Digest.of(MODEL),
            datasets={"train": Digest.of(TRAIN)},
        )
        envelope = seal(sample_predicate(files, trail.head, **changes), subjects, key)
        trail.record(SEAL, actor_id=0, digest=Digest.of(envelope))
        sealed = cls(key, KeyRing.of(key, at=START), trail, files, envelope)
        sealed.trail.record("model:register", actor_id=13)
        return sealed

    def content(self, **changes: object) -> BundleContent:
        content = BundleContent(
            envelope=self.envelope,
            files=self.files,
            excerpt=self.trail.rows[:5],
            hashes=self.trail.hashes,
            checkpoint=self.trail.checkpoint(self.key),
            ring=self.ring,
        )
        return replace(content, **changes)  # type: ignore[arg-type]

    def export(self, path: Path, *, minutes: int = 300, **changes: object) -> Path:
        build_bundle(path, self.content(**changes), key=self.key, at=later(minutes))
        return path


def members_of(path: Path) -> dict[str, bytes]:
    """Return the members of a bundle as the standard library reads them."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repacked(path: Path, members: dict[str, bytes], *, key: SigningKey | None = None, minutes: int = 300) -> Path:
    """Write ``members`` as a bundle; with ``key`` the manifest is made and signed anew, as a forger could."""
    members = dict(members)
    if key is not None:
        for name in (MANIFEST, MANIFEST_ENVELOPE):
            members.pop(name, None)
        members[MANIFEST] = bundle._manifest(members, later(minutes))
        members[MANIFEST_ENVELOPE] = sign_envelope(members[MANIFEST], MANIFEST_PAYLOAD, (key,)).to_bytes()
    path.unlink(missing_ok=True)
    bundle._write(path, members)
    return path


def statement_of(sealed: Installation) -> dict[str, Any]:
    """Return the statement in the envelope, unverified."""
    content: dict[str, Any] = json.loads(base64.b64decode(json.loads(sealed.envelope)["payload"]))
    return content


def sealed_anyhow(statement: object, key: SigningKey) -> bytes:
    """Return an envelope signed by the true key around a statement that our own records would not accept."""
    return sign_envelope(json.dumps(statement).encode(), STATEMENT_PAYLOAD, (key,)).to_bytes()
