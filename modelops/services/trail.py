"""The audit trail as a whole: verifying it, and signing checkpoints to be kept elsewhere."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime, timedelta

from modelops.attest.checkpoint import check_anchor, open_checkpoint
from modelops.domain.audit import read_entry
from modelops.domain.people import Actor, Right
from modelops.errors import VerificationFailed
from modelops.services.keyring import Keys
from modelops.services.sealing import checkpoint
from modelops.store import Store
from modelops.store.queries_audit import AuditFilter, hashes, last_checkpoint, length, page, verify
from modelops.store.tables import CheckpointRow

MAX_EXPORT = 100_000
_CHECKPOINT_EVERY = timedelta(days=1)
# A spreadsheet reads these as the beginning of a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True)
class TrailReport:
    """What verifying the trail found: how many entries, and against which checkpoints they were held."""

    entries: int
    checkpoints: int
    anchored: bool


def verify_trail(store: Store, keys: Keys, *, anchor: bytes | None = None) -> TrailReport:
    """Verify the whole trail: every entry, every checkpoint of the store, and one that was kept elsewhere.

    Raises
    ------
    VerificationFailed
        With the first entry or checkpoint that does not fit.
    """
    with store.reading() as reader:
        broken = verify(reader)
        if broken:
            raise VerificationFailed(f"Entry {broken.sequence} of the audit trail does not fit: {broken.reason}.")
        size = length(reader)
        leaves = hashes(reader, size=size)
        kept = [row.text.encode() for row in reader.all(CheckpointRow)]
    for raw in [*kept, *([anchor] if anchor is not None else [])]:
        found, _ = open_checkpoint(raw, keys.ring.public_keys)
        if found.origin != keys.origin:
            raise VerificationFailed(f"Got a checkpoint of the trail {found.origin}, expected one of {keys.origin}.")
        check_anchor(found, leaves)
    return TrailReport(size, len(kept), anchor is not None)


def anchor(store: Store, keys: Keys, *, actor: Actor, at: datetime) -> bytes:
    """Return a signed checkpoint of the trail as it is now, to be kept where this installation cannot reach it."""
    actor.require(Right.EXPORT)
    with store.transaction() as t:
        return checkpoint(t, keys, at=at).text.encode()


def daily_checkpoint(store: Store, keys: Keys, *, at: datetime) -> bool:
    """Sign a checkpoint if the last one is a day old; return whether one was signed."""
    with store.reading() as reader:
        last = last_checkpoint(reader)
        due = length(reader) and (last is None or at - last.at >= _CHECKPOINT_EVERY)
    if not due:
        return False
    with store.transaction() as t:
        checkpoint(t, keys, at=at)
    return True


def export_csv(store: Store, wanted: AuditFilter, *, actor: Actor, at: datetime) -> bytes:
    """Return the entries that fit as CSV that no spreadsheet runs as formulas; the export itself is an entry."""
    actor.require(Right.READ_AUDIT)
    with store.reading() as reader:
        rows = page(reader, wanted, limit=MAX_EXPORT)
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    names = (
        "sequence",
        "at",
        "actor_id",
        "actor_name",
        "action",
        "subject",
        "reason",
        "old",
        "new",
        "origin",
        "digest",
    )
    writer.writerow([*names, "hash"])
    for row in reversed(rows):
        entry = read_entry(row.body.encode())
        writer.writerow([_cell(getattr(entry, name)) for name in names] + [row.hash])
    with store.transaction() as t:
        t.record(actor, "audit:export", "audit", at=at, new={"entries": len(rows)})
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(_FORMULA) else text
