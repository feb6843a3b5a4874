"""Sealing the statement of a review, and opening it again."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from modelops.attest.dsse import open_signed, sign_envelope
from modelops.attest.keys import KeyRing, SigningKey
from modelops.domain.attestation import PAYLOAD_TYPE, ReadinessPredicate, Statement, Subject
from modelops.domain.canonical import canonical_bytes
from modelops.errors import VerificationFailed


def seal(predicate: ReadinessPredicate, subjects: Iterable[Subject], key: SigningKey) -> bytes:
    """Return the sealed statement: the bytes of a DSSE envelope, to be stored and never made again.

    The audit entry of the seal names ``Digest.of`` these bytes, is the one right after ``predicate.audit``, and is
    written in the same transaction.
    """
    statement = Statement(subject=tuple(sorted(subjects, key=lambda subject: subject.name)), predicate=predicate)
    return sign_envelope(canonical_bytes(statement), PAYLOAD_TYPE, (key,)).to_bytes()


def open_statement(raw: bytes, ring: KeyRing) -> Statement:
    """Return the statement in the envelope ``raw``, signed by a key of ``ring`` that was in use when it was sealed.

    Raises
    ------
    VerificationFailed
        If the signature, the key's time or the form of the statement does not fit.
    """
    payload, signers = open_signed(raw, PAYLOAD_TYPE, ring.public_keys, subject="sealed statement")
    try:
        statement = Statement.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise VerificationFailed(f"The sealed statement is not of the known form: {place}: {first['msg']}.") from error
    sealed_at = statement.predicate.sealed_at
    keys = ring.checked.keys
    if not any(keys[signer].valid_at(sealed_at) for signer in signers):
        shown = ", ".join(sorted(signer.short for signer in signers))
        raise VerificationFailed(
            f"The statement was sealed at {sealed_at} with key {shown}, which was not in use then."
        )
    return statement
