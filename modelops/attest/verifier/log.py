"""The Merkle tree over the audit trail (RFC 9162) and its signed heads (C2SP tlog-checkpoint)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from modelops.attest.verifier.reading import TIME, Refused, base64_bytes
from modelops.attest.verifier.signatures import MAX_SIGNATURES, check_signature


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes | None:
    """Return the root that an inclusion proof leads to (RFC 9162, 2.1.3.2); ``None`` if its length is wrong."""
    if not 0 <= index < size:
        return None
    at, last, root = index, size - 1, leaf_hash(leaf)
    for sibling in proof:
        if last == 0:
            return None
        if at & 1 or at == last:
            root = node_hash(sibling, root)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        at, last = at >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether the proof shows the tree of ``size`` to continue that of ``old`` (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= size:
        return False
    if old == size:
        return old_root == root and not proof
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == root


@dataclass(frozen=True)
class Checkpoint:
    """A signed tree head: how many entries the log ``origin`` had at the time ``at``, and their root."""

    origin: str
    size: int
    root: bytes
    at: str
    signed: bytes
    signatures: tuple[tuple[str, bytes], ...]

    def signers(self, keys: Mapping[str, Ed25519PublicKey], subject: str) -> set[str]:
        """Return which of ``keys`` signed, at least one. Signatures by others (witnesses) are passed over."""
        found: set[str] = set()
        for identity, key in keys.items():
            mark = note_key_hash(self.origin, key)
            for name, signature in self.signatures:
                if name == self.origin and signature[:4] == mark:
                    check_signature(key, signature[4:], self.signed, identity, subject)
                    found.add(identity)
        if not found:
            raise Refused(subject, "no signature by a known key")
        return found


def note_key_hash(name: str, key: Ed25519PublicKey) -> bytes:
    """Return the 4 bytes that name a key in a signed note (C2SP signed-note)."""
    return hashlib.sha256(name.encode() + b"\n\x01" + key.public_bytes_raw()).digest()[:4]


def read_checkpoint(raw: bytes, subject: str) -> Checkpoint:
    """Return the checkpoint that ``raw`` (C2SP tlog-checkpoint text) holds; its signatures are not verified yet."""
    form = (
        r"(?P<text>(?P<origin>[^\s+]+)\n(?P<size>0|[1-9][0-9]{0,15})\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
        rf"time (?P<at>{TIME.pattern})\n)\n(?P<signatures>(?:\u2014 [^\s+]+ [A-Za-z0-9+/=]+\n){{1,{MAX_SIGNATURES}}})"
    )
    try:
        found = re.fullmatch(form, raw.decode("utf-8"))
    except UnicodeDecodeError:
        found = None
    if not found:
        raise Refused(subject, "got text that is not a signed checkpoint (origin, size, root, time, signature)")
    lines = [line.split(" ") for line in found["signatures"].split("\n")[:-1]]
    signatures = tuple((name, base64_bytes(signature, subject)) for _, name, signature in lines)
    root = base64_bytes(found["root"], subject)
    return Checkpoint(found["origin"], int(found["size"]), root, found["at"], found["text"].encode(), signatures)
