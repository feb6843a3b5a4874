"""Signed checkpoints of the audit trail, in the text form of C2SP (tlog-checkpoint, signed-note).

They look like this::

    ORIGIN
    SIZE
    ROOT in base64
    time 2026-11-23T09:30:00.000000Z

    (em dash) ORIGIN SIGNATURE in base64

A checkpoint that somebody else keeps is what makes it impossible to rewrite the trail, or to cut off its end, without
being seen.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from modelops.attest.keys import SigningKey
from modelops.attest.merkle import Tree
from modelops.attest.refusal import refusals_raised
from modelops.attest.verifier.log import Checkpoint, note_key_hash, read_checkpoint
from modelops.domain.digest import Digest
from modelops.domain.instant import instant
from modelops.errors import InvalidInput, VerificationFailed

_ORIGIN = re.compile(r"[^\s+]{1,200}")


def sign_checkpoint(key: SigningKey, *, origin: str, size: int, root: bytes, at: datetime) -> bytes:
    """Return the text of a signed checkpoint.

    Parameters
    ----------
    key : SigningKey
        The current key.
    origin : str
        The name of the trail, the same for ever; no spaces, no plus sign.
    size, root : int, bytes
        How many entries there are, and the root over them.
    at : datetime
        Now.

    Raises
    ------
    InvalidInput
        If the origin, size or root has another form.
    """
    if not _ORIGIN.fullmatch(origin):
        raise InvalidInput(f"Got {origin!r} as the name of the trail, expected text without spaces and plus signs.")
    if size < 0 or len(root) != 32:
        raise InvalidInput(f"Got {size} entries and a root of {len(root)} bytes, expected 0 or more, and 32.")
    text = f"{origin}\n{size}\n{_base64(root)}\ntime {instant(at)}\n"
    signature = note_key_hash(origin, key.public) + key.sign(text.encode())
    return f"{text}\n\u2014 {origin} {_base64(signature)}\n".encode()


def open_checkpoint(raw: bytes, keys: Mapping[str, Ed25519PublicKey]) -> tuple[Checkpoint, frozenset[Digest]]:
    """Return the checkpoint in ``raw``, and which of ``keys`` signed it.

    Raises
    ------
    VerificationFailed
        If it has another form, or no right signature of a known key.
    """
    with refusals_raised():
        checkpoint = read_checkpoint(raw, "checkpoint")
        return checkpoint, frozenset(Digest(signer) for signer in checkpoint.signers(keys, "checkpoint"))


def check_anchor(checkpoint: Checkpoint, hashes: Sequence[str]) -> None:
    """Check that the trail with these entry hashes is the one of the checkpoint, or has grown from it.

    Parameters
    ----------
    checkpoint : Checkpoint
        One that was kept elsewhere, opened.
    hashes : sequence of str
        The hashes of all entries, in order. The chain itself is checked by `modelops.domain.audit.verify_chain`.

    Raises
    ------
    VerificationFailed
        If entries are missing at the end, or one of those that the checkpoint covers is another.
    """
    if len(hashes) < checkpoint.size:
        raise VerificationFailed(
            f"The audit trail has {len(hashes)} entries, but {checkpoint.size} were there at {checkpoint.at}: its end "
            "was cut off."
        )
    found = Tree(bytes.fromhex(entry) for entry in hashes[: checkpoint.size]).root()
    if found != checkpoint.root:
        raise VerificationFailed(
            f"The first {checkpoint.size} entries of the audit trail are not those of {checkpoint.at}: got the root "
            f"{found.hex()}, expected {checkpoint.root.hex()}. History was rewritten."
        )


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
