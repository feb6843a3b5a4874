"""Reading and verifying the audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import col, func, or_, select

from modelops.domain.audit import GENESIS, ChainBreak, read_entry, verify_chain
from modelops.domain.instant import moment
from modelops.errors import VerificationFailed
from modelops.store.queries_subjects import about_model
from modelops.store.tables import AuditRow, CheckpointRow
from modelops.store.transaction import Reader


@dataclass(frozen=True)
class AuditFilter:
    """What to show of the trail. Empty fields ask for nothing.

    ``action`` is one action, or a whole kind of them as in ``review:``; ``actor_name`` is the name in the entry, and
    tells those apart who have no account.
    """

    text: str = ""
    action: str = ""
    subject: str = ""
    model_id: int | None = None
    actor_id: int | None = None
    actor_name: str = ""
    since: datetime | None = None
    until: datetime | None = None


def page(reader: Reader, wanted: AuditFilter, *, limit: int, before: int | None = None) -> Sequence[AuditRow]:
    """Return the newest ``limit`` entries that fit, older than number ``before``."""
    query = select(AuditRow).where(*_conditions(wanted)).order_by(col(AuditRow.sequence).desc()).limit(limit)
    if before is not None:
        query = query.where(AuditRow.sequence < before)
    return reader.session.exec(query).all()


def _conditions(wanted: AuditFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.text:
        yield col(AuditRow.body).icontains(wanted.text, autoescape=True)
    if wanted.action:
        kind = wanted.action.removesuffix(":")
        inside = col(AuditRow.action).startswith(kind + ":", autoescape=True)
        yield or_(col(AuditRow.action) == kind, inside) if kind != wanted.action else col(AuditRow.action) == kind
    if wanted.subject:
        inside = col(AuditRow.subject).startswith(wanted.subject + "/", autoescape=True)
        yield or_(col(AuditRow.subject) == wanted.subject, inside)
    if wanted.model_id is not None:
        yield about_model(wanted.model_id)
    if wanted.actor_id is not None:
        yield col(AuditRow.actor_id) == wanted.actor_id
    if wanted.actor_name:
        yield col(AuditRow.actor_name) == wanted.actor_name
    if wanted.since:
        yield col(AuditRow.at) >= wanted.since
    if wanted.until:
        yield col(AuditRow.at) < wanted.until


def actions(reader: Reader) -> Sequence[str]:
    """Return the actions that occur, by name."""
    return reader.session.exec(select(AuditRow.action).distinct().order_by(col(AuditRow.action))).all()


def actors(reader: Reader) -> Sequence[tuple[int, str]]:
    """Return who acted: every account with every printed name that it had, by name."""
    query = select(AuditRow.actor_id, AuditRow.actor_name).distinct()
    return sorted(reader.session.exec(query).all(), key=lambda one: (one[1].casefold(), one[0]))


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
