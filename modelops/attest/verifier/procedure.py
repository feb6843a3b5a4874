"""The numbered steps by which a bundle is verified."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from modelops.attest.verifier.container import (
    CHECKPOINT,
    ENVELOPE,
    EXCERPT,
    KEYS,
    MANIFEST,
    MANIFEST_ENVELOPE,
    PROOFS,
    read_container,
)
from modelops.attest.verifier.log import read_checkpoint
from modelops.attest.verifier.reading import (
    FAILED,
    UNKNOWN_SIGNER,
    VERIFIED,
    Check,
    Checks,
    Refused,
    VerificationReport,
    strict_json,
)
from modelops.attest.verifier.signatures import KeyFile, TrustedKeys, open_envelope, read_keys
from modelops.attest.verifier.statement import (
    MANIFEST_PAYLOAD,
    STATEMENT_PAYLOAD,
    check_content,
    check_file,
    check_manifest,
    check_signatures,
    check_subjects,
    kept,
    read_statement,
)
from modelops.attest.verifier.trail import check_history, check_proofs, check_seal, read_excerpt


@dataclass(frozen=True)
class Demands:
    """What else to compare a bundle with."""

    trust: TrustedKeys | None = None
    model: Path | None = None
    data: Sequence[Path] = ()
    against: Path | None = None


def verify_bundle(
    path: Path,
    *,
    trust: TrustedKeys | None = None,
    model: Path | None = None,
    data: Sequence[Path] = (),
    against: Path | None = None,
) -> VerificationReport:
    """Verify the bundle at ``path``.

    1. The container is the one zip that the exporter writes: no extra, missing, compressed or hidden bytes.
    2. The manifest lists exactly the members, each with its size and digest.
    3. The public keys are what their ids say, and rotations are signed by the old and the new key.
    4. The manifest is signed by a key that was in use then.
    5. The statement is signed by a key that was in use when it was sealed, and is of the right types.
    6. Every file of content is a subject of the statement with the same digest, and no such subject is missing.
    7. Content, template and policy are those that the statement names.
    8. Every signer saw this content, signed once, and was independent where the meaning asks for it.
    9. The audit excerpt is unbroken in itself; it holds every signature, and the seal names this statement.
    10. The checkpoint is signed, and every entry of the excerpt is proved to be in it.
    11. History since ``against``, an earlier checkpoint or bundle, has only grown.
    12. The files in ``model`` and ``data`` are subjects of the statement.

    Parameters
    ----------
    path : Path
        The zip.
    trust : TrustedKeys or None
        Keys that came from elsewhere. Without them the best outcome is ``"consistent, but signer unknown"``.
    model, data, against : Path, sequence of Path, Path
        What else to compare with, if given.

    Returns
    -------
    VerificationReport
        Every check that was made. Where something could not be read at all, that is the last check.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    checks = Checks()
    facts: dict[str, str] = {}
    try:
        facts = _steps(path, Demands(trust, model, data, against), checks)
    except Refused as refusal:
        checks.append(Check("form", refusal.subject, False, refusal.reason, "the form that the exporter writes"))
    if any(not check.ok for check in checks):
        return VerificationReport(FAILED, tuple(checks))
    return VerificationReport(UNKNOWN_SIGNER if trust is None else VERIFIED, tuple(checks), facts)


def _steps(path: Path, demands: Demands, checks: Checks) -> dict[str, str]:
    # 1. Container
    members = read_container(path, checks)
    # 2. Manifest
    exported_at = check_manifest(members, checks)
    # 3. Keys
    signed = _Signed(read_keys(kept(members, KEYS), KEYS), demands.trust, checks)
    # 4. Signature of the manifest
    manifest, signers = signed.open(kept(members, MANIFEST_ENVELOPE), MANIFEST_PAYLOAD, MANIFEST_ENVELOPE)
    found = hashlib.sha256(manifest).hexdigest()
    checks.add("what was signed is the manifest", MANIFEST, members[MANIFEST].sha256, found)
    signed.check(MANIFEST_ENVELOPE, signers, exported_at)
    # 5. Signature and types of the statement
    payload, signers = signed.open(kept(members, ENVELOPE), STATEMENT_PAYLOAD, ENVELOPE)
    sealed = read_statement(payload)
    signed.check(ENVELOPE, signers, sealed.sealed_at)
    # 6. Subjects
    check_subjects(members, sealed, checks)
    # 7. Content, template, policy
    check_content(members, sealed, checks)
    # 8. Signatures of people
    check_signatures(sealed, checks)
    # 9. Audit
    lines = read_excerpt(kept(members, EXCERPT), checks)
    check_seal(lines, sealed, members[ENVELOPE].sha256, checks)
    # 10. Checkpoint
    checkpoint = read_checkpoint(kept(members, CHECKPOINT), CHECKPOINT)
    signed.check(CHECKPOINT, checkpoint.signers(signed.public, CHECKPOINT), checkpoint.at)
    proofs = check_proofs(kept(members, PROOFS), lines, checkpoint, checks)
    # 11. Earlier checkpoint
    if demands.against is not None:
        name = demands.against.name
        earlier = read_checkpoint(_checkpoint_in(demands.against), name)
        signed.check(name, earlier.signers(signed.public, name), earlier.at)
        check_history(name, earlier, checkpoint, proofs, checks)
    # 12. Files that were given
    if demands.model is not None:
        check_file("model", demands.model, sealed, checks)
    for table in demands.data:
        check_file("dataset", table, sealed, checks)
    return {**sealed.facts, "exported_at": exported_at, "signed with": ", ".join(sorted(signers))}


def _checkpoint_in(path: Path) -> bytes:
    with path.open("rb") as file:
        beginning = file.read(1 << 16)
    return kept(read_container(path, Checks()), CHECKPOINT) if beginning.startswith(b"PK") else beginning


@dataclass(frozen=True)
class _Signed:
    """The keys of the bundle, and which signatures are to be believed."""

    keys: KeyFile
    trust: TrustedKeys | None
    checks: Checks

    @property
    def public(self) -> dict[str, Ed25519PublicKey]:
        return {identity: key.public for identity, key in self.keys.keys.items()}

    def open(self, raw: bytes, payload_type: str, name: str) -> tuple[bytes, set[str]]:
        return open_envelope(strict_json(raw, name), payload_type, self.public, name)

    def check(self, name: str, signers: Collection[str], at: str) -> None:
        """Look whether one of ``signers`` was in use at ``at``, and is trusted."""
        shown = ", ".join(sorted(signers))
        valid = [identity for identity in sorted(signers) if self.keys.keys[identity].valid_at(at)]
        self.checks.add("signed by a key that was in use", name, shown if valid else f"{shown}, not at {at}", shown)
        if self.trust is not None:
            among = self.trust.among(self.keys)
            believed = any(i in among and self.trust.covers(self.keys.keys[i], at) for i in valid)
            wanted = ", ".join(sorted(self.trust.until))
            found = "a trusted key" if believed else f"signed by {shown} at {at}, trusted: {wanted}"
            self.checks.add("signed by a trusted key", name, found, "a trusted key")
