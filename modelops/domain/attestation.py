"""The sealed statement of a finished review: an in-toto Statement (v1) with our own typed predicate.

The subjects are the things that the statement is about, each with its digest: the model's bytes, the datasets, the
results, the template, the policy, the evidence, the report and the signed content itself. The predicate says what was
decided on them, by whom and under which rules. Other programs rely on the names here: a change of meaning gets a new
`PREDICATE_TYPE`.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from modelops.domain.checklist import Gate
from modelops.domain.digest import Digest
from modelops.domain.instant import Instant
from modelops.domain.inventory import RiskTier
from modelops.domain.people import Authentication
from modelops.domain.record import Record
from modelops.domain.review import Decision, FindingState, Meaning, Severity

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:modelops:attestation:readiness:v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


class VersionedDigest(Record):
    """A published thing that never changes: the template or the policy that the review was held under."""

    name: str
    version: str
    digest: Digest


class AreaReadiness(Record):
    """How far one area of the checklist is: how many questions have which result, and whether any of them blocks."""

    area: str
    title: str
    met: int = Field(default=0, ge=0)
    partially: int = Field(default=0, ge=0)
    not_met: int = Field(default=0, ge=0)
    not_applicable: int = Field(default=0, ge=0)
    not_assessed: int = Field(default=0, ge=0)
    ready: bool


class SignOff(Record):
    """A named person's decision on exactly ``digest_seen``; ``text`` is the statement that they put their name to."""

    printed_name: str
    user_id: int = Field(ge=1)
    role: str
    meaning: Meaning
    decision: Decision
    reason: str
    at: Instant
    authentication: Authentication
    digest_seen: Digest
    text: str


class Contributor(Record):
    """Somebody who had a hand in the work, and by which acts."""

    user_id: int = Field(ge=0)
    printed_name: str
    acts: tuple[str, ...] = ()


class SealedWaiver(Record):
    """A question or finding that was accepted for a time."""

    reference: str
    subject: str
    reason: str
    compensating_control: str
    risk_owner: str
    requested_by: str
    expires_on: date


class SealedFinding(Record):
    """A finding that was open when the review was sealed."""

    reference: str
    title: str
    severity: Severity
    state: FindingState
    owner: str | None = None
    due: date | None = None


class AuditPosition(Record):
    """The last audit entry before the seal. The entry of the seal itself is the next one and names the statement."""

    sequence: int = Field(ge=0)
    hash: str = Field(pattern="^[0-9a-f]{64}$")


class ReadinessPredicate(Record):
    """What was decided. ``content`` is the digest of the signed content, which every signer saw."""

    review_id: str
    gate: Gate
    round: int = Field(ge=1)
    model: str
    model_version: str
    risk_tier: RiskTier
    decision: Decision
    template: VersionedDigest
    policy: VersionedDigest
    content: Digest
    readiness: tuple[AreaReadiness, ...]
    sign_offs: tuple[SignOff, ...] = Field(min_length=1)
    contributors: tuple[Contributor, ...]
    waivers: tuple[SealedWaiver, ...] = ()
    findings: tuple[SealedFinding, ...] = ()
    protection: Literal["A", "B", "C"]
    app_version: str
    lock: Digest
    sealed_at: Instant
    valid_until: Instant | None = None
    audit: AuditPosition

    @model_validator(mode="after")
    def _sound(self) -> Self:
        for sign_off in self.sign_offs:
            if sign_off.digest_seen != self.content:
                raise ValueError(
                    f"{sign_off.printed_name} signed {sign_off.digest_seen.short}, but the content is "
                    f"{self.content.short}: it changed after the signature"
                )
        if self.decision is Decision.APPROVE and any(s.decision is Decision.REJECT for s in self.sign_offs):
            raise ValueError("the decision is to approve, but one of the signatures rejects")
        if self.valid_until is not None and self.valid_until <= self.sealed_at:
            raise ValueError(f"it would end at {self.valid_until}, before it begins at {self.sealed_at}")
        return self


class DigestSet(Record):
    """The digest in the form that in-toto wants: by algorithm, hexadecimal."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Subject(Record):
    """A thing that the statement is about.

    ``name`` is the path in the bundle (``results/....json``, ``review.json``), or for what is not in the bundle
    ``model`` or ``dataset/`` and its name.
    """

    name: str = Field(min_length=1)
    digest: DigestSet

    @classmethod
    def of(cls, name: str, digest: Digest) -> Self:
        """Return the subject ``name`` with ``digest``."""
        return cls(name=name, digest=DigestSet(sha256=digest.hex))

    @property
    def sha256(self) -> Digest:
        """The digest with its algorithm."""
        return Digest("sha256:" + self.digest.sha256)


class Statement(Record):
    """The in-toto Statement. Its canonical JSON is what the envelope signs."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(default=STATEMENT_TYPE, alias="_type")
    subject: tuple[Subject, ...] = Field(min_length=1)
    predicate_type: Literal["urn:modelops:attestation:readiness:v1"] = Field(
        default=PREDICATE_TYPE, alias="predicateType"
    )
    predicate: ReadinessPredicate

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        counts = Counter(subject.name for subject in self.subject)
        twice = sorted(name for name, count in counts.items() if count > 1)
        if twice:
            raise ValueError(f"these subjects stand there twice: {', '.join(twice)}")
        return self

    def digest_of(self, name: str) -> Digest | None:
        """Return the digest of the subject ``name``, or ``None``."""
        return next((subject.sha256 for subject in self.subject if subject.name == name), None)
