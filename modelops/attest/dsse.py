"""DSSE envelopes: signatures over exact bytes and their type (https://github.com/secure-systems-lab/dsse, v1.0.2)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field

from modelops.attest.refusal import refusals_raised
from modelops.attest.verifier.reading import strict_json
from modelops.attest.verifier.signatures import MAX_SIGNATURES, open_envelope, pae
from modelops.domain.canonical import canonical_bytes
from modelops.domain.digest import Digest
from modelops.domain.record import Record
from modelops.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from modelops.attest.keys import SigningKey

MAX_ENVELOPE = 64 << 20


class Signature(Record):
    """One signature in base64, and which key it says it is of."""

    keyid: str
    sig: str


class Envelope(Record):
    """A payload in base64, its type, and signatures over both."""

    payload: str
    payload_type: str = Field(alias="payloadType")
    signatures: tuple[Signature, ...] = Field(min_length=1, max_length=MAX_SIGNATURES)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes of the file."""
        return canonical_bytes(self)


def sign_envelope(payload: bytes, payload_type: str, keys: Sequence[SigningKey]) -> Envelope:
    """Return an envelope of ``payload``, signed with every key of ``keys``.

    Raises
    ------
    InvalidInput
        If there is no key.
    """
    if not keys:
        raise InvalidInput("Got no key to sign with, expected at least one.")
    message = pae(payload_type, payload)
    signatures = tuple(Signature(keyid=key.id, sig=_text(key.sign(message))) for key in keys)
    return Envelope(payload=_text(payload), payloadType=payload_type, signatures=signatures)


def open_signed(
    raw: bytes, payload_type: str, keys: Mapping[str, Ed25519PublicKey], *, subject: str = "envelope"
) -> tuple[bytes, frozenset[Digest]]:
    """Return the payload of the envelope in ``raw``, and which of ``keys`` signed it.

    Parameters
    ----------
    raw : bytes
        The envelope as it was stored.
    payload_type : str
        The only type that is accepted.
    keys : mapping of key id to public key
        Whose signatures count. Every signature that names one of them must be right, and at least one must be there.
    subject : str
        What to call the envelope in an error.

    Raises
    ------
    TooLarge
        If the envelope is larger than ``MAX_ENVELOPE`` bytes.
    VerificationFailed
        If it is not strict JSON, has unknown fields or another type, or no right signature of a known key.
    """
    if len(raw) > MAX_ENVELOPE:
        raise TooLarge(f"The {subject} has {len(raw):,} bytes, at most {MAX_ENVELOPE:,} are possible.")
    with refusals_raised():
        payload, signers = open_envelope(strict_json(raw, subject), payload_type, keys, subject)
    return payload, frozenset(Digest(signer) for signer in signers)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
