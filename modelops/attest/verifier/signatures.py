"""Public keys, who trusts which, and DSSE envelopes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from modelops.attest.verifier.reading import HEX, TIME, Refused, base64_bytes, fields, objects, strict_json, text_of

ROTATION_PAYLOAD = "application/vnd.modelops.key-rotation+json"
KEYS_SCHEMA, ROTATION_SCHEMA = "modelops.keys/1", "modelops.key-rotation/1"
MAX_SIGNATURES = 16
SPKI = bytes.fromhex("302a300506032b6570032100")  # what stands before the 32 bytes of an Ed25519 key (RFC 8410)


@dataclass(frozen=True)
class Key:
    """A public key and the time in which it signed. ``id`` is the SHA-256 of its SubjectPublicKeyInfo."""

    id: str
    public: Ed25519PublicKey
    valid_from: str
    rotated_at: str | None

    def valid_at(self, at: str) -> bool:
        """Tell whether the key was the signing key at the time ``at``."""
        return self.valid_from <= at and (self.rotated_at is None or at <= self.rotated_at)


@dataclass(frozen=True)
class KeyFile:
    """The keys of a ``public_keys.json``, and which key was followed by which (both signed for it)."""

    keys: Mapping[str, Key]
    successor: Mapping[str, str]


def read_keys(raw: bytes, subject: str) -> KeyFile:
    """Return the keys of a ``public_keys.json`` after checking ids, times and rotation signatures."""
    content = fields(strict_json(raw, subject), ("schema", "keys", "rotations"), subject)
    text_of(content["schema"], subject, re.escape(KEYS_SCHEMA))
    keys: dict[str, Key] = {}
    for item in objects(content["keys"], subject):
        key = _key(item, subject)
        if key.id in keys:
            raise Refused(subject, f"key {key.id} stands there twice")
        keys[key.id] = key
    successor: dict[str, str] = {}
    for item in objects(content["rotations"], subject):
        payload, signers = open_envelope(item, ROTATION_PAYLOAD, {i: k.public for i, k in keys.items()}, subject)
        rotation = fields(strict_json(payload, subject), ("schema", "old", "new", "at"), subject)
        text_of(rotation["schema"], subject, re.escape(ROTATION_SCHEMA))
        old, new, at = (text_of(rotation[name], subject) for name in ("old", "new", "at"))
        if signers != {old, new} or old == new:
            raise Refused(subject, "a rotation must be signed by the old and the new key, and by no other")
        if old in successor or (keys[old].rotated_at, keys[new].valid_from) != (at, at):
            raise Refused(subject, f"the times of key {old} and of its rotation at {at} do not fit")
        successor[old] = new
    for key in keys.values():
        if (key.rotated_at is not None) != (key.id in successor):
            raise Refused(subject, f"key {key.id} is said to be rotated without a rotation statement")
        if key.rotated_at is not None and key.rotated_at <= key.valid_from:
            raise Refused(subject, f"key {key.id} ends at {key.rotated_at}, before it begins at {key.valid_from}")
    return KeyFile(keys, successor)


def _key(item: dict[str, Any], subject: str) -> Key:
    fields(item, ("id", "algorithm", "public_key", "valid_from", "rotated_at"), subject)
    text_of(item["algorithm"], subject, "ed25519")
    der = base64_bytes(item["public_key"], subject)
    identity = "sha256:" + hashlib.sha256(der).hexdigest()
    if identity != item["id"]:
        raise Refused(subject, f"got the key id {item['id']!r}, but the digest of the key is {identity}")
    if len(der) != len(SPKI) + 32 or not der.startswith(SPKI):
        raise Refused(subject, f"key {identity} is not an Ed25519 key")
    for name in ("valid_from", "rotated_at"):
        if item[name] is not None or name == "valid_from":
            text_of(item[name], subject, TIME.pattern)
    return Key(identity, Ed25519PublicKey.from_public_bytes(der[-32:]), item["valid_from"], item["rotated_at"])


@dataclass(frozen=True)
class TrustedKeys:
    """Keys that came from elsewhere than the bundle: id, and when the key was replaced (``None``: not known to be)."""

    until: Mapping[str, str | None]

    @classmethod
    def of(cls, text: str) -> TrustedKeys:
        """Read a fingerprint, or the path of a ``public_keys.json``."""
        digits = re.sub(r"[\s:-]", "", text.lower()).removeprefix("sha256")
        if re.fullmatch(HEX, digits):
            return cls({"sha256:" + digits: None})
        path = Path(text)
        if not path.is_file():
            raise Refused(text, "got neither a fingerprint (64 hexadecimal digits) nor a file with public keys")
        return cls({key.id: key.rotated_at for key in read_keys(path.read_bytes(), text).keys.values()})

    def among(self, known: KeyFile) -> set[str]:
        """Return the ids of ``known`` that are trusted: pinned, or joined to a pinned key by rotations.

        Where the pinned file says that a key was replaced, only the successors that it names are followed: a stolen old
        key cannot name another one.
        """
        trusted = set(self.until) & set(known.keys)
        links = [(a, b) for a, b in known.successor.items() if self.until.get(a) is None or b in self.until]
        for _ in links:
            trusted |= {b for a, b in links if a in trusted} | {a for a, b in links if b in trusted}
        return trusted

    def covers(self, key: Key, at: str) -> bool:
        """Tell whether ``key`` was still in use at ``at`` by what is known here."""
        until = self.until.get(key.id)
        return until is None or at <= until


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return what a DSSE signature signs: the pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def open_envelope(
    envelope: object, payload_type: str, keys: Mapping[str, Ed25519PublicKey], subject: str
) -> tuple[bytes, set[str]]:
    """Return the payload of a DSSE envelope (parsed JSON) and the ids of the ``keys`` that signed it, at least one."""
    content = fields(envelope, ("payload", "payloadType", "signatures"), subject)
    if content["payloadType"] != payload_type:
        raise Refused(subject, f"got the payload type {content['payloadType']!r}, expected {payload_type!r}")
    payload = base64_bytes(content["payload"], subject)
    signatures = objects(content["signatures"], subject)
    if not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise Refused(subject, f"got {len(signatures)} signatures, expected 1 to {MAX_SIGNATURES}")
    signers: set[str] = set()
    for item in signatures:
        fields(item, ("keyid", "sig"), subject)
        identity = text_of(item["keyid"], subject)
        if identity in signers:
            raise Refused(subject, f"key {identity} signed twice")
        if identity in keys:
            check_signature(
                keys[identity], base64_bytes(item["sig"], subject), pae(payload_type, payload), identity, subject
            )
            signers.add(identity)
    if not signers:
        raise Refused(subject, f"no signature by a known key; signed by {[item['keyid'] for item in signatures]}")
    return payload, signers


def check_signature(key: Ed25519PublicKey, signature: bytes, message: bytes, identity: str, subject: str) -> None:
    """Refuse unless ``signature`` is that of ``key`` on ``message``."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        raise Refused(subject, f"the signature by key {identity} does not fit the content") from None
