"""The manifest, the signed statement, and what they say of the members of the bundle."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelops.attest.verifier.container import (
    ENVELOPE,
    MANIFEST,
    MANIFEST_ENVELOPE,
    MEMBER,
    MODEL_CARD,
    REQUIRED,
    REVIEW,
    SCRIPT,
    TRANSPORT,
    Member,
)
from modelops.attest.verifier.reading import HEX, TIME, Checks, Refused, fields, objects, strict_json, text_of, typed

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:modelops:attestation:readiness:v1"
STATEMENT_PAYLOAD = "application/vnd.in-toto+json"
MANIFEST_PAYLOAD, MANIFEST_SCHEMA = "application/vnd.modelops.manifest+json", "modelops.manifest/1"
DIGEST = f"sha256:{HEX}"
PREDICATE_FIELDS = (
    *("review_id", "gate", "round", "model", "model_version", "risk_tier", "decision", "template", "policy"),
    *("content", "readiness", "sign_offs", "contributors", "waivers", "findings", "protection", "app_version", "lock"),
    *("sealed_at", "valid_until", "audit"),
)
SIGN_OFF_FIELDS = (
    *(
        "printed_name",
        "user_id",
        "role",
        "meaning",
        "decision",
        "reason",
        "at",
        "authentication",
        "digest_seen",
        "text",
    ),
)
INDEPENDENT = ("review", "approval")  # the meanings of a signature that only an uninvolved person may give


@dataclass(frozen=True)
class Signature:
    """What matters here of a person's signature."""

    user_id: int
    name: str
    role: str
    meaning: str
    decision: str
    at: str
    digest_seen: str

    @property
    def subject(self) -> str:
        """How a check names it."""
        return f"signature of {self.name}"


@dataclass(frozen=True)
class Sealed:
    """What matters here of the statement: its subjects by name, and what it says of them."""

    subjects: Mapping[str, str]
    content: str
    rules: Mapping[str, str]
    decision: str
    signatures: tuple[Signature, ...]
    contributors: frozenset[int]
    sealed_at: str
    audit_sequence: int
    audit_hash: str
    facts: Mapping[str, str]


def kept(members: Mapping[str, Member], name: str) -> bytes:
    """Return the bytes of the member ``name``, which must be there."""
    if name not in members:
        raise Refused(name, "is missing")
    return members[name].content


def check_manifest(members: Mapping[str, Member], checks: Checks) -> str:
    """Compare the members with the manifest, and return the time of the export."""
    for name in REQUIRED:
        checks.add("present", name, "present" if name in members else "missing", "present")
    manifest = fields(strict_json(kept(members, MANIFEST), MANIFEST), ("schema", "exported_at", "members"), MANIFEST)
    text_of(manifest["schema"], MANIFEST, re.escape(MANIFEST_SCHEMA))
    listed: dict[str, dict[str, Any]] = {}
    for item in objects(manifest["members"], MANIFEST):
        fields(item, ("name", "size", "sha256"), MANIFEST)
        listed[text_of(item["name"], MANIFEST)] = item
    if len(listed) != len(manifest["members"]):
        raise Refused(MANIFEST, "lists a member twice")
    present = set(members) - {MANIFEST, MANIFEST_ENVELOPE}
    for name in sorted(present | set(listed)):
        if name not in listed:
            checks.add("listed in the manifest", name, "a member that is not listed", "only listed members")
        elif name not in present:
            checks.add("listed in the manifest", name, "missing", "every listed member")
        else:
            member, item = members[name], listed[name]
            checks.add("digest in the manifest", name, member.sha256, text_of(item["sha256"], MANIFEST, HEX))
            checks.add("size in the manifest", name, member.size, typed(item["size"], int, MANIFEST))
    return text_of(manifest["exported_at"], MANIFEST, TIME.pattern)


def read_statement(payload: bytes) -> Sealed:
    """Return the statement in the payload of the envelope."""
    names = ("_type", "subject", "predicateType", "predicate")
    statement = fields(strict_json(payload, ENVELOPE), names, ENVELOPE)
    text_of(statement["_type"], ENVELOPE, re.escape(STATEMENT_TYPE))
    text_of(statement["predicateType"], ENVELOPE, re.escape(PREDICATE_TYPE))
    subjects: dict[str, str] = {}
    for item in objects(statement["subject"], ENVELOPE):
        fields(item, ("name", "digest"), ENVELOPE)
        name = text_of(item["name"], ENVELOPE)
        if name in subjects:
            raise Refused(ENVELOPE, f"the subject {name!r} stands there twice")
        subjects[name] = text_of(fields(item["digest"], ("sha256",), ENVELOPE)["sha256"], ENVELOPE, HEX)
    return _sealed(subjects, fields(statement["predicate"], PREDICATE_FIELDS, ENVELOPE))


def _sealed(subjects: Mapping[str, str], predicate: Mapping[str, Any]) -> Sealed:
    rules = {}
    for kind in ("template", "policy"):
        named = fields(predicate[kind], ("name", "version", "digest"), ENVELOPE)
        rules[kind] = text_of(named["digest"], ENVELOPE, DIGEST)
    signatures = tuple(_signature(item) for item in objects(predicate["sign_offs"], ENVELOPE))
    people = (item.get("user_id") for item in objects(predicate["contributors"], ENVELOPE))
    position = fields(predicate["audit"], ("sequence", "hash"), ENVELOPE)
    return Sealed(
        subjects=subjects,
        content=text_of(predicate["content"], ENVELOPE, DIGEST),
        rules=rules,
        decision=text_of(predicate["decision"], ENVELOPE),
        signatures=signatures,
        contributors=frozenset(typed(identity, int, ENVELOPE) for identity in people),
        sealed_at=text_of(predicate["sealed_at"], ENVELOPE, TIME.pattern),
        audit_sequence=typed(position["sequence"], int, ENVELOPE),
        audit_hash=text_of(position["hash"], ENVELOPE, HEX),
        facts=_facts(predicate, signatures),
    )


def _signature(item: dict[str, Any]) -> Signature:
    fields(item, SIGN_OFF_FIELDS, ENVELOPE)
    name, role, meaning, decision, at, seen = (
        text_of(item[field], ENVELOPE) for field in ("printed_name", "role", "meaning", "decision", "at", "digest_seen")
    )
    return Signature(typed(item["user_id"], int, ENVELOPE), name, role, meaning, decision, at, seen)


def _facts(predicate: Mapping[str, Any], signatures: tuple[Signature, ...]) -> dict[str, str]:
    names = ("review_id", "gate", "model", "model_version", "decision", "protection", "sealed_at", "valid_until")
    facts = {name: str(predicate[name]) for name in names if predicate[name] is not None}
    for number, given in enumerate(signatures, start=1):
        shown = (given.name, given.role, given.meaning, given.decision, given.at)
        facts[f"signature {number}"] = ", ".join(shown)
    return facts


def check_subjects(members: Mapping[str, Member], sealed: Sealed, checks: Checks) -> None:
    """Compare the files of content with the subjects of the statement, both ways."""
    outside = {digest for name, digest in sealed.subjects.items() if not MEMBER.fullmatch(name)}
    for name, member in members.items():
        addressed = re.search(HEX, name)
        if addressed:
            checks.add("named by its digest", name, member.sha256, addressed[0])
        if name.startswith("artifacts/"):
            found = member.sha256 if member.sha256 in outside else f"{member.sha256}, which is no subject"
            checks.add("subject of the statement", name, found, member.sha256)
        elif name not in (*TRANSPORT, SCRIPT, MODEL_CARD):
            checks.add("subject of the statement", name, member.sha256, sealed.subjects.get(name, "no such subject"))
    for name in sealed.subjects:
        if MEMBER.fullmatch(name) and name not in members:
            checks.add("subject of the statement", name, "missing", "a member of the bundle")


def check_content(members: Mapping[str, Member], sealed: Sealed, checks: Checks) -> None:
    """Compare the signed content and the rules it was judged by with those that the statement names."""
    content = members[REVIEW].sha256 if REVIEW in members else "missing"
    checks.add("content that was signed", REVIEW, f"sha256:{content}", sealed.content)
    for kind, digest in sealed.rules.items():
        found = [name for name in members if name.startswith(f"{kind}.")]
        if len(found) != 1:
            raise Refused(f"{kind}.json", f"got {len(found)} members for the {kind}, expected one")
        checks.add(f"{kind} of the review", found[0], f"sha256:{members[found[0]].sha256}", digest)


def check_signatures(sealed: Sealed, checks: Checks) -> None:
    """Look whether people signed this content, once each, and independently where that is needed."""
    people = [given.user_id for given in sealed.signatures]
    checks.add("somebody signed", ENVELOPE, bool(people), True)
    checks.add("nobody signed twice", ENVELOPE, len(set(people)), len(people))
    for given in sealed.signatures:
        checks.add("digest that was seen", given.subject, given.digest_seen, sealed.content)
        if given.meaning in INDEPENDENT:
            involved = "a contributor" if given.user_id in sealed.contributors else "independent"
            checks.add("separation of duties", given.subject, involved, "independent")
        if sealed.decision == "approve":
            checks.add("decision of the signer", given.subject, given.decision, "approve")


def check_file(kind: str, path: Path, sealed: Sealed, checks: Checks) -> None:
    """Look whether the file at ``path`` is the model or one of the datasets of the statement."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    expected = [digest for name, digest in sealed.subjects.items() if name.split("/")[0] == kind]
    shown = found if found in expected else " or ".join(expected) or f"no {kind} is part of the statement"
    checks.add(f"{kind} of the statement", path.name, found, shown)
