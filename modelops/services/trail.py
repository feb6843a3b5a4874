"""The audit trail as a whole: verifying it, and signing checkpoints to be kept elsewhere."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from modelops.attest.checkpoint import check_anchor, open_checkpoint
from modelops.domain.people import Actor, Right
from modelops.errors import VerificationFailed
from modelops.services.keyring import Keys
from modelops.services.named_trail import NamedEntry, named_entries
from modelops.services.sealing import checkpoint
from modelops.store import Store
from modelops.store.queries_audit import AuditFilter, hashes, last_checkpoint, length, page, verify
from modelops.store.tables import CheckpointRow

MAX_EXPORT = 100_000
_NAMES = (
    "sequence",
    "at",
    "actor_id",
    "actor_name",
    "actor_name_now",
    "action",
    "subject",
    "subject_name",
    "model_id",
    "model_name",
    "reason",
    "old",
    "new",
    "names",
    "origin",
    "digest",
    "previous",
    "hash",
)
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
    """Return the entries that fit as CSV that no spreadsheet runs as formulas; the export itself is an entry.

    Beside the numbers of an entry stand the names of what they stand for, as they are now.
    """
    found = _exported(store, wanted, actor=actor, at=at, form="csv")
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(_NAMES)
    for one in found:
        values = _values(one)
        writer.writerow([_cell(values[name]) for name in _NAMES])
    return text.getvalue().encode("utf-8-sig")


def export_json(store: Store, wanted: AuditFilter, *, actor: Actor, at: datetime) -> bytes:
    """Return the entries that fit as a list of JSON objects with the fields of `export_csv`."""
    found = _exported(store, wanted, actor=actor, at=at, form="json")
    return json.dumps([_values(one) for one in found], ensure_ascii=False, indent=1).encode()


def _exported(store: Store, wanted: AuditFilter, *, actor: Actor, at: datetime, form: str) -> list[NamedEntry]:
    actor.require(Right.READ_AUDIT)
    with store.reading() as reader:
        rows = page(reader, wanted, limit=MAX_EXPORT)
        found = named_entries(reader, rows[::-1])
    with store.transaction() as t:
        t.record(actor, "audit:export", "audit", at=at, new={"entries": len(found), "form": form})
    return found


def _values(one: NamedEntry) -> dict[str, object]:
    entry, thing = one.entry.model_dump(mode="json"), one.thing
    beside = {
        "actor_name_now": one.actor_now or entry["actor_name"],
        "subject_name": thing.words,
        "model_id": thing.model_id,
        "model_name": thing.model,
        "names": dict(one.names),
        "previous": one.previous,
        "hash": one.hash,
    }
    return {name: beside[name] if name in beside else entry[name] for name in _NAMES}


def _cell(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(_FORMULA) else text
