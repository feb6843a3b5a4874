"""The signing key in its file, and the list of public keys that others trust.

The private key is an Ed25519 key in a PEM file (PKCS #8) that only its owner can read, outside the database and its
backups. Whoever has it can sign in the name of this installation.
"""

from __future__ import annotations

import base64
import os
import secrets
import stat
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field

from modelops.attest.dsse import Envelope, sign_envelope
from modelops.attest.refusal import refusals_raised
from modelops.attest.verifier.reading import strict_json
from modelops.attest.verifier.signatures import (
    ROTATION_PAYLOAD,
    ROTATION_SCHEMA,
    KeyFile,
    TrustedKeys,
    read_keys,
)
from modelops.domain.canonical import canonical_bytes
from modelops.domain.digest import Digest
from modelops.domain.instant import Instant, instant
from modelops.domain.record import Record
from modelops.errors import Conflict, InvalidInput, NotFound, VerificationFailed

_MAX_KEY_FILE = 16 << 10


@dataclass(frozen=True)
class SigningKey:
    """A private key. It is never shown: not by ``repr``, not in a log."""

    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def new(cls) -> SigningKey:
        """Return a new key from the system's random source."""
        return cls(Ed25519PrivateKey.generate())

    @property
    def public(self) -> Ed25519PublicKey:
        """The public half."""
        return self.private.public_key()

    @property
    def public_bytes(self) -> bytes:
        """The public half as SubjectPublicKeyInfo (DER)."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.public.public_bytes(serialization.Encoding.DER, form)

    @property
    def id(self) -> Digest:
        """The digest of the SubjectPublicKeyInfo."""
        return Digest.of(self.public_bytes)

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes; always the same for the same message."""
        return self.private.sign(message)


class PublicKey(Record):
    """A public key and the time in which it signs: until ``rotated_at``, or still."""

    id: Digest
    algorithm: Literal["ed25519"] = "ed25519"
    public_key: str
    valid_from: Instant
    rotated_at: Instant | None = None


class KeyRing(Record):
    """Every key of an installation, oldest first, and the statements by which one key hands over to the next.

    Its bytes are the ``public_keys.json`` of bundles, and the file that other people keep to know whom they trust.
    """

    schema_: Literal["modelops.keys/1"] = Field(default="modelops.keys/1", alias="schema")
    keys: tuple[PublicKey, ...] = Field(min_length=1)
    rotations: tuple[Envelope, ...] = ()

    @classmethod
    def of(cls, key: SigningKey, *, at: datetime) -> KeyRing:
        """Return the ring of an installation whose first key signs from ``at`` on."""
        return cls(keys=(_public(key, at),))

    @classmethod
    def read(cls, raw: bytes) -> KeyRing:
        """Return the ring that ``raw`` holds, after checking ids, times and rotation statements.

        Raises
        ------
        VerificationFailed
            If anything does not fit.
        """
        with refusals_raised():
            read_keys(raw, "public_keys.json")
            return cls.model_validate(strict_json(raw, "public_keys.json"))

    @property
    def current(self) -> PublicKey:
        """The key that signs now."""
        return self.keys[-1]

    @property
    def public_keys(self) -> dict[str, Ed25519PublicKey]:
        """The keys by id, for verifying."""
        return {identity: key.public for identity, key in self.checked.keys.items()}

    @property
    def checked(self) -> KeyFile:
        """The ring as the verifier reads it."""
        with refusals_raised():
            return read_keys(self.to_bytes(), "public_keys.json")

    @property
    def trusted(self) -> TrustedKeys:
        """The ring as what a verifier trusts."""
        return TrustedKeys({key.id: key.rotated_at for key in self.keys})

    def to_bytes(self) -> bytes:
        """Return the canonical bytes of the file."""
        return canonical_bytes(self)

    def rotated(self, old: SigningKey, new: SigningKey, *, at: datetime) -> KeyRing:
        """Return the ring in which ``new`` follows ``old`` from ``at`` on. Both sign the statement that says so.

        The old key's signature makes everybody who trusts it trust the new one; that of the new key keeps a thief from
        joining a key of his own to it.

        Raises
        ------
        Conflict
            If ``old`` is not the key that signs now, or ``new`` was used before.
        """
        if old.id != self.current.id:
            raise Conflict(f"Key {old.id.short} is not the one that signs now, which is {self.current.id.short}.")
        if new.id in {key.id for key in self.keys}:
            raise Conflict(f"Key {new.id.short} was used before. Make a new one.")
        ended = self.current.model_copy(update={"rotated_at": instant(at)})
        content = {"schema": ROTATION_SCHEMA, "old": old.id, "new": new.id, "at": instant(at)}
        statement = sign_envelope(canonical_bytes(content), ROTATION_PAYLOAD, (old, new))
        keys = (*self.keys[:-1], ended, _public(new, at))
        ring = KeyRing(keys=keys, rotations=(*self.rotations, statement))
        return KeyRing.read(ring.to_bytes())


def _public(key: SigningKey, at: datetime) -> PublicKey:
    return PublicKey(id=key.id, public_key=base64.b64encode(key.public_bytes).decode(), valid_from=instant(at))


def fingerprint(identity: Digest) -> str:
    """Return a key id for people to compare and to read out: groups of four digits.

    Examples
    --------
    >>> fingerprint(Digest.of(b"abc"))[:24]
    'SHA256 ba78 16bf 8f01 cf'
    """
    digits = identity.hex
    return "SHA256 " + " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def create_key(path: Path) -> SigningKey:
    """Make a new key in a file that only its owner can read, whole or not at all.

    Raises
    ------
    Conflict
        If there is a file already: a key is never overwritten.
    """
    key = SigningKey.new()
    content = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, fails if the name is taken: of two that race, one wins.
        os.link(beside, path)
    except FileExistsError as error:
        raise Conflict(f"There is a signing key in {path.name} already. Rotate it; it is never overwritten.") from error
    finally:
        beside.unlink(missing_ok=True)
    _flush_folder(path.parent)
    return key


def _flush_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def load_key(path: Path) -> SigningKey:
    """Return the key in the file at ``path``.

    Raises
    ------
    NotFound
        If there is no such file.
    InvalidInput
        If others can read or write the file (POSIX), or it does not hold an Ed25519 key.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_MAX_KEY_FILE + 1)
    except FileNotFoundError as error:
        raise NotFound(f"There is no signing key in {path.name}. Restore it from where it is kept.") from error
    if not stat.S_ISREG(status.st_mode) or len(content) > _MAX_KEY_FILE:
        raise InvalidInput(f"{path.name} is not a key file.")
    if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise InvalidInput(
            f"Others can use the signing key in {path.name} (mode {mode:04o}, wanted 0600). Run 'chmod 600' on it; if "
            "somebody may have read it, rotate it."
        )
    try:
        private = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidInput(f"{path.name} does not hold an unencrypted private key in PEM form.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise InvalidInput(f"{path.name} holds a key of another kind, expected Ed25519.")
    return SigningKey(private)


def check_pair(ring: KeyRing, key: SigningKey) -> None:
    """Refuse to sign with a key that is not the current one of the ring.

    Raises
    ------
    VerificationFailed
        With both ids.
    """
    if ring.current.id != key.id:
        raise VerificationFailed(
            f"The key file holds key {key.id.short}, but the current key of this installation is "
            f"{ring.current.id.short}. Restore the right key file, or rotate the key."
        )
