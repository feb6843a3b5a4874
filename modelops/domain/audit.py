"""One entry of the audit trail, its exact bytes, and the chain that holds the entries together.

Every entry is hashed together with its number and the hash of the entry before it::

    hash = SHA-256("audit-v1" 0x00 || sequence, 8 bytes big endian || previous hash, 32 bytes || SHA-256(body))

The first entry has the number 1 and stands on `GENESIS`. The bytes of an entry are kept as they were written and are
never made again for verifying. The 32 bytes of an entry's hash are the leaf of the Merkle tree (RFC 6962) that
checkpoints sign; entry ``n`` is leaf ``n - 1``. A leaf therefore also fixes everything that came before it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import Field, JsonValue, ValidationError

from modelops.domain.canonical import canonical_bytes
from modelops.domain.digest import Digest
from modelops.domain.instant import Instant
from modelops.domain.record import Record
from modelops.errors import InvalidInput, VerificationFailed

GENESIS = "0" * 64
SIGN_OFF = "review:sign_off"
SEAL = "review:seal"

_DOMAIN = b"audit-v1\0"
_HASH = re.compile(r"[0-9a-f]{64}")


class AuditEntry(Record):
    """Who did what to what, when, from where, and what it changed.

    ``actor_id`` is 0 for the app itself; ``actor_name`` is the printed name at that time. ``digest`` names the content
    that the act was about (what was signed, the sealed statement).
    """

    sequence: int = Field(ge=1)
    at: Instant
    actor_id: int = Field(ge=0)
    actor_name: str
    action: str
    subject: str
    reason: str | None = None
    old: JsonValue = None
    new: JsonValue = None
    origin: str = ""
    digest: Digest | None = None


class ChainRow(NamedTuple):
    """An entry as it is stored: its number, the hash before it, its exact bytes and its hash."""

    sequence: int
    previous: str
    body: bytes
    hash: str


@dataclass(frozen=True)
class ChainBreak:
    """The first entry that does not fit, and why."""

    sequence: int
    reason: str


def entry_bytes(entry: AuditEntry) -> bytes:
    """Return the bytes that are stored and hashed: canonical JSON (RFC 8785)."""
    return canonical_bytes(entry)


def read_entry(body: bytes) -> AuditEntry:
    """Return the entry whose bytes are ``body``.

    Raises
    ------
    VerificationFailed
        If the bytes are not an entry.
    """
    try:
        return AuditEntry.model_validate_json(body)
    except ValidationError as error:
        raise VerificationFailed(f"These bytes are not an audit entry: {error.errors()[0]['msg']}.") from error


def entry_hash(previous: str, sequence: int, body: bytes) -> str:
    """Return the hash of entry number ``sequence`` with the bytes ``body`` after the entry with hash ``previous``.

    Raises
    ------
    InvalidInput
        If ``previous`` is not 64 hexadecimal digits, or ``sequence`` is below 1.

    Examples
    --------
    >>> entry_hash(GENESIS, 1, b"{}")[:16]
    '1b1de43ad6eb42be'
    """
    if not _HASH.fullmatch(previous):
        raise InvalidInput(f"Got {previous[:80]!r} as the previous hash, expected 64 hexadecimal digits in lower case.")
    if sequence < 1:
        raise InvalidInput(f"Got {sequence} as the number of an audit entry, expected 1 or more.")
    body_hash = hashlib.sha256(body).digest()
    return hashlib.sha256(_DOMAIN + sequence.to_bytes(8, "big") + bytes.fromhex(previous) + body_hash).hexdigest()


def verify_chain(
    rows: Iterable[ChainRow | tuple[int, str, bytes, str]], *, after: tuple[int, str] = (0, GENESIS)
) -> ChainBreak | None:
    """Return the first entry that does not fit, or ``None`` if all do.

    Entries cut off at the end leave a shorter chain that fits: only a checkpoint kept elsewhere shows that.

    Parameters
    ----------
    rows : iterable of (sequence, previous, body, hash)
        In the order of their numbers.
    after : tuple of int and str
        Number and hash of the last entry that was verified before; the beginning if not given.
    """
    number, last = after
    for sequence, previous, body, stored in rows:
        expected = number + 1
        if sequence != expected:
            return ChainBreak(expected, f"got entry {sequence}, expected {expected}: entries were removed or added")
        if previous != last:
            return ChainBreak(sequence, f"it stands on {previous[:12]}, but entry {number} has the hash {last[:12]}")
        found = entry_hash(previous, sequence, body)
        if found != stored:
            return ChainBreak(sequence, f"its content has the hash {found[:12]}, but {stored[:12]} is stored")
        if _number_in(body) != sequence:
            return ChainBreak(sequence, f"its content calls itself entry {_number_in(body)}")
        number, last = sequence, stored
    return None


def _number_in(body: bytes) -> object:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content.get("sequence") if isinstance(content, dict) else None
