"""One unit of work: rows and the audit entries that say who changed them, both or neither."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from pydantic import JsonValue
from sqlmodel import Session, SQLModel, col, func, select

from modelops.domain.audit import GENESIS, AuditEntry, entry_bytes, entry_hash
from modelops.domain.digest import Digest
from modelops.domain.instant import instant
from modelops.domain.people import Actor
from modelops.errors import NotFound
from modelops.store.tables import AuditRow

R = TypeVar("R", bound=SQLModel)
_LARGEST = 1 << 31


class Reader:
    """Reads rows. Lists come in a stable order."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def find(self, kind: type[R], key: Any) -> R | None:
        """Return the row with this primary key (a tuple for a joint key), or ``None``."""
        return self.session.get(kind, key) if _can_be_asked(key) else None

    def get(self, kind: type[R], key: Any, *, what: str) -> R:
        """Return the row with this primary key.

        Raises
        ------
        NotFound
            If there is none; ``what`` names it for people.
        """
        row = self.find(kind, key)
        if row is None:
            raise NotFound(f"There is no {what} {key}.")
        return row

    def all(self, kind: type[R], **equal: Any) -> Sequence[R]:
        """Return every row whose columns have these values, in the order of the primary key."""
        query = select(kind)
        for name, value in equal.items():
            query = query.where(getattr(kind, name) == value)
        keys = kind.__table__.primary_key.columns  # type: ignore[attr-defined]
        return self.session.exec(query.order_by(*keys)).all()

    def first(self, kind: type[R], **equal: Any) -> R | None:
        """Return the first of `all`, or ``None``."""
        query = select(kind)
        for name, value in equal.items():
            query = query.where(getattr(kind, name) == value)
        return self.session.exec(query.limit(1)).first()

    def entries(self, *, after: int = 0, limit: int | None = None) -> Iterator[AuditRow]:
        """Yield the audit trail in its order, a few thousand rows at a time."""
        query = select(AuditRow).where(col(AuditRow.sequence) > after).order_by(col(AuditRow.sequence))
        if limit is not None:
            query = query.limit(limit)
        with self.session.exec(query.execution_options(yield_per=2000)) as rows:
            yield from rows


class Transaction(Reader):
    """Reads and writes; ends with a commit, or with nothing changed."""

    def add(self, row: R) -> R:
        """Insert a row now, so that its key is known."""
        self.session.add(row)
        self.session.flush()
        return row

    def remove(self, row: SQLModel) -> None:
        """Delete a row."""
        self.session.delete(row)

    def flush(self) -> None:
        """Write what was changed, so that constraints and triggers speak now."""
        self.session.flush()

    def record(
        self,
        actor: Actor,
        action: str,
        subject: str,
        *,
        at: datetime,
        reason: str | None = None,
        old: Mapping[str, object] | None = None,
        new: Mapping[str, object] | None = None,
        digest: Digest | None = None,
        contributes: bool = False,
    ) -> AuditRow:
        """Append one entry to the audit trail.

        ``old`` and ``new`` hold what JSON can; dates and other kinds become text. ``contributes`` marks an act
        after which ``actor`` is no longer independent of ``subject``.
        """
        self.session.flush()
        last = self._last()
        sequence, previous = (last.sequence + 1, last.hash) if last else (1, GENESIS)
        entry = AuditEntry(
            sequence=sequence,
            at=instant(at),
            actor_id=actor.user_id,
            actor_name=actor.name,
            action=action,
            subject=subject,
            reason=reason,
            old=_json(old),
            new=_json(new),
            origin=actor.origin,
            digest=digest,
        )
        body = entry_bytes(entry)
        row = AuditRow(
            sequence=sequence,
            at=at,
            actor_id=actor.user_id,
            actor_name=actor.name,
            action=action,
            subject=subject,
            contributes=contributes,
            previous=previous,
            body=body.decode(),
            hash=entry_hash(previous, sequence, body),
        )
        return self.add(row)

    def last_entry(self) -> AuditRow:
        """Return the newest entry of the audit trail.

        Raises
        ------
        NotFound
            If there is none.
        """
        last = self._last()
        if last is None:
            raise NotFound("The audit trail is empty.")
        return last

    def _last(self) -> AuditRow | None:
        return self.session.exec(select(AuditRow).order_by(col(AuditRow.sequence).desc()).limit(1)).first()

    def count(self, kind: type[SQLModel]) -> int:
        """Return how many rows a table has."""
        return self.session.exec(select(func.count()).select_from(kind)).one()


def _can_be_asked(key: object) -> bool:
    """Whether every database can compare with this key: they differ in the largest whole number, and in NUL."""
    parts = key if isinstance(key, tuple) else (key,)
    return not any(
        (isinstance(part, int) and abs(part) >= _LARGEST) or (isinstance(part, str) and "\0" in part) for part in parts
    )


def _json(values: Mapping[str, object] | None) -> dict[str, JsonValue] | None:
    return None if values is None else {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> JsonValue:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)
