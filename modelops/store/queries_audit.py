"""Reading and verifying the audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, or_, select

from modelops.domain.audit import GENESIS, ChainBreak, read_entry, verify_chain
from modelops.domain.instant import moment
from modelops.errors import VerificationFailed
from modelops.store.tables import AuditRow, CheckpointRow
from modelops.store.transaction import Reader


@dataclass(frozen=True)
class AuditFilter:
    """What to show of the trail. Empty fields ask for nothing."""

    text: str = ""
    action: str = ""
    subject: str = ""
    actor_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def page(reader: Reader, wanted: AuditFilter, *, limit: int, before: int | None = None) -> Sequence[AuditRow]:
    """Return the newest ``limit`` entries that fit, older than number ``before``."""
    query = select(AuditRow).order_by(col(AuditRow.sequence).desc()).limit(limit)
    if before is not None:
        query = query.where(AuditRow.sequence < before)
    if wanted.text:
        query = query.where(col(AuditRow.body).icontains(wanted.text, autoescape=True))
    if wanted.action:
        query = query.where(AuditRow.action == wanted.action)
    if wanted.subject:
        inside = col(AuditRow.subject).startswith(wanted.subject + "/", autoescape=True)
        query = query.where(or_(AuditRow.subject == wanted.subject, inside))
    if wanted.actor_id is not None:
        query = query.where(AuditRow.actor_id == wanted.actor_id)
    if wanted.since:
        query = query.where(AuditRow.at >= wanted.since)
    if wanted.until:
        query = query.where(AuditRow.at < wanted.until)
    return reader.session.exec(query).all()


def actions(reader: Reader) -> Sequence[str]:
    """Return the actions that occur, by name."""
    return reader.session.exec(select(AuditRow.action).distinct().order_by(col(AuditRow.action))).all()


def length(reader: Reader) -> int:
    """Return the number of the last entry, 0 for an empty trail."""
    return reader.session.exec(select(func.max(AuditRow.sequence))).one() or 0


def hashes(reader: Reader, *, size: int) -> list[str]:
    """Return the hashes of the first ``size`` entries: the leaves of the Merkle tree."""
    query = select(AuditRow.hash).where(AuditRow.sequence <= size).order_by(col(AuditRow.sequence))
    return list(reader.session.exec(query))


def last_checkpoint(reader: Reader) -> CheckpointRow | None:
    """Return the newest signed checkpoint."""
    return reader.session.exec(select(CheckpointRow).order_by(col(CheckpointRow.sequence).desc()).limit(1)).first()


def verify(reader: Reader) -> ChainBreak | None:
    """Return the first entry of the trail that does not fit, or ``None`` if all do.

    Beside the chain itself, the columns that repeat parts of an entry are held against its bytes.
    """
    previous = (0, GENESIS)
    for row in reader.entries():
        body = row.body.encode()
        broken = verify_chain([(row.sequence, row.previous, body, row.hash)], after=previous)
        if broken or (broken := _column_break(row, body)):
            return broken
        previous = (row.sequence, row.hash)
    return None


def _column_break(row: AuditRow, body: bytes) -> ChainBreak | None:
    try:
        entry = read_entry(body)
    except VerificationFailed as error:
        return ChainBreak(row.sequence, str(error))
    for name in ("actor_id", "actor_name", "action", "subject"):
        if getattr(row, name) != getattr(entry, name):
            return ChainBreak(row.sequence, f"its column {name} says something else than its content")
    if row.at != moment(entry.at):
        return ChainBreak(row.sequence, "its column at says something else than its content")
    return None


def history(reader: Reader, subject: str) -> Iterator[AuditRow]:
    """Yield what happened to one thing, the newest first."""
    query = select(AuditRow).where(AuditRow.subject == subject).order_by(col(AuditRow.sequence).desc())
    yield from reader.session.exec(query)


def entries_about(reader: Reader, subject: str) -> Sequence[AuditRow]:
    """Return the entries about one thing and its parts, the oldest first."""
    inside = col(AuditRow.subject).startswith(subject + "/", autoescape=True)
    query = select(AuditRow).where(or_(AuditRow.subject == subject, inside)).order_by(col(AuditRow.sequence))
    return reader.session.exec(query).all()
