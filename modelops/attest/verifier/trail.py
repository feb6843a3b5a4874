"""The excerpt of the audit trail, and its place in the signed checkpoints."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelops.attest.verifier.container import EXCERPT, PROOFS
from modelops.attest.verifier.log import Checkpoint, is_consistent, root_of_inclusion
from modelops.attest.verifier.reading import HEX, Checks, Refused, fields, objects, strict_json, text_of, typed
from modelops.attest.verifier.statement import Sealed

PROOFS_SCHEMA = "modelops.proofs/1"
SIGN_OFF, SEAL = "review:sign_off", "review:seal"
LINE_FIELDS = ("sequence", "previous", "body", "hash")
AUDIT_FIELDS = (
    *("sequence", "at", "actor_id", "actor_name", "action", "subject", "reason", "old", "new", "origin", "digest"),
)


@dataclass(frozen=True)
class Line:
    """One line of the audit excerpt: an entry, the hash before it, its hash, and what matters here of its content."""

    sequence: int
    previous: str
    hash: str
    actor_id: int
    action: str
    digest: str

    @property
    def subject(self) -> str:
        """How a check names it."""
        return f"{EXCERPT}, entry {self.sequence}"


def read_excerpt(raw: bytes, checks: Checks) -> list[Line]:
    """Return the lines of the excerpt, each checked against its own hash and the line before."""
    lines: list[Line] = []
    if not raw.endswith(b"\n"):
        raise Refused(EXCERPT, "its last line is cut off")
    for row in raw[:-1].split(b"\n"):
        line = _line(row, checks)
        if lines and line.sequence <= lines[-1].sequence:
            raise Refused(EXCERPT, f"entry {line.sequence} stands where a higher number is expected")
        if lines and line.sequence == lines[-1].sequence + 1:
            checks.add("stands on the entry before", line.subject, line.previous, lines[-1].hash)
        lines.append(line)
    return lines


def _line(row: bytes, checks: Checks) -> Line:
    item = fields(strict_json(row, EXCERPT), LINE_FIELDS, EXCERPT)
    sequence, body = typed(item["sequence"], int, EXCERPT), text_of(item["body"], EXCERPT).encode()
    if not 1 <= sequence < 1 << 63:
        raise Refused(EXCERPT, f"got the number {sequence} of an entry")
    previous, stored = (text_of(item[name], EXCERPT, HEX) for name in ("previous", "hash"))
    content = fields(strict_json(body, EXCERPT), AUDIT_FIELDS, EXCERPT)
    digest = "" if content["digest"] is None else text_of(content["digest"], EXCERPT)
    actor, action = typed(content["actor_id"], int, EXCERPT), text_of(content["action"], EXCERPT)
    line = Line(sequence, previous, stored, actor, action, digest)
    checks.add("hash of the entry", line.subject, _entry_hash(previous, sequence, body), stored)
    checks.add("number of the entry", line.subject, typed(content["sequence"], int, EXCERPT), sequence)
    return line


def _entry_hash(previous: str, sequence: int, body: bytes) -> str:
    fixed = b"audit-v1\0" + sequence.to_bytes(8, "big") + bytes.fromhex(previous)
    return hashlib.sha256(fixed + hashlib.sha256(body).digest()).hexdigest()


def check_seal(lines: Sequence[Line], sealed: Sealed, envelope: str, checks: Checks) -> None:
    """Look whether the seal names the statement, and whether the signatures of people stand before it."""
    seal = next((line for line in lines if line.sequence == sealed.audit_sequence + 1), None)
    if seal is None:
        raise Refused(EXCERPT, f"entry {sealed.audit_sequence + 1}, which must be the seal, is missing")
    checks.add("the seal stands on", seal.subject, seal.previous, sealed.audit_hash)
    checks.add("act of the seal", seal.subject, seal.action, SEAL)
    checks.add("statement that the seal names", seal.subject, seal.digest, f"sha256:{envelope}")
    before = [line for line in lines if line.action == SIGN_OFF and line.sequence < seal.sequence]
    recorded = {(line.actor_id, line.digest) for line in before}
    for given in sealed.signatures:
        found = "recorded" if (given.user_id, sealed.content) in recorded else "not recorded before the seal"
        checks.add("signature in the audit trail", given.subject, found, "recorded")


def check_proofs(
    raw: bytes, lines: Sequence[Line], checkpoint: Checkpoint, checks: Checks
) -> dict[int, tuple[bytes, ...]]:
    """Look whether every line is in the checkpoint, and return the proofs from earlier checkpoints, by their size."""
    content = fields(strict_json(raw, PROOFS), ("schema", "size", "inclusion", "consistency"), PROOFS)
    text_of(content["schema"], PROOFS, re.escape(PROOFS_SCHEMA))
    checks.add("size of the tree", PROOFS, typed(content["size"], int, PROOFS), checkpoint.size)
    proofs = _proofs(content["inclusion"], "sequence")
    checks.add("one proof for each entry", PROOFS, sorted(proofs), [line.sequence for line in lines])
    for line in lines:
        proof = proofs.get(line.sequence, ())
        root = root_of_inclusion(line.sequence - 1, checkpoint.size, bytes.fromhex(line.hash), proof)
        found = root.hex() if root else "no root: the proof has the wrong length"
        checks.add("included in the checkpoint", f"{PROOFS}, entry {line.sequence}", found, checkpoint.root.hex())
    return _proofs(content["consistency"], "size")


def _proofs(value: object, number: str) -> dict[int, tuple[bytes, ...]]:
    found: dict[int, tuple[bytes, ...]] = {}
    for item in objects(value, PROOFS):
        fields(item, (number, "hashes"), PROOFS)
        key = typed(item[number], int, PROOFS)
        if key in found:
            raise Refused(PROOFS, f"two proofs for {number} {key}")
        found[key] = tuple(bytes.fromhex(text_of(h, PROOFS, HEX)) for h in typed(item["hashes"], list, PROOFS))
    return found


def check_history(
    name: str, earlier: Checkpoint, now: Checkpoint, proofs: Mapping[int, Sequence[bytes]], checks: Checks
) -> None:
    """Look whether the trail has only grown since the checkpoint ``earlier``, which came from the file ``name``."""
    checks.add("same audit trail", name, earlier.origin, now.origin)
    if earlier.size > now.size:
        raise Refused(name, f"it is the later one ({earlier.size} entries against {now.size}): swap the two")
    if earlier.size not in proofs and earlier.size != now.size:
        raise Refused(
            name, f"the bundle has no proof from {earlier.size} entries on: export it anew, or audit the store"
        )
    proof = proofs[earlier.size] if earlier.size < now.size else ()
    grown = is_consistent(earlier.size, earlier.root, now.size, now.root, proof)
    checks.add("history since the earlier checkpoint", name, "only grown" if grown else "was rewritten", "only grown")
