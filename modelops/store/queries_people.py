"""Questions about people, and the few changes of many rows at once that services need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, delete, func, or_, select, text, update

from modelops.domain.people import Role
from modelops.errors import NotFound
from modelops.store.tables import FactRow, SessionRow, TokenRow, UserRoleRow, UserRow
from modelops.store.transaction import Reader, Transaction

_PEOPLE_LOCK = 0x70656F70  # any fixed number: PostgreSQL's advisory lock of accounts, sessions and attempts


@dataclass(frozen=True)
class Person:
    """A person as others may see them."""

    id: int
    login: str
    name: str
    roles: frozenset[Role]
    is_active: bool
    must_change_password: bool
    uses_single_sign_on: bool
    created_at: datetime
    last_seen: datetime | None


def lock_people(transaction: Transaction) -> None:
    """Let one transaction at a time decide about people. SQLite has one writer anyway."""
    if transaction.session.get_bind().dialect.name == "postgresql":
        transaction.session.exec(text("SELECT pg_advisory_xact_lock(:key)").bindparams(key=_PEOPLE_LOCK))  # type: ignore[call-overload]


def has_people(reader: Reader) -> bool:
    """Whether there is any account at all."""
    return reader.first(UserRow) is not None


def roles_of(reader: Reader, user_id: int) -> frozenset[Role]:
    """Return the roles that a person has now."""
    query = select(UserRoleRow.role).where(col(UserRoleRow.user_id) == user_id)
    return frozenset(Role(role) for role in reader.session.exec(query).all())


def persons(reader: Reader) -> tuple[Person, ...]:
    """Return everybody, in the order of their printed names."""
    roles: dict[int, set[Role]] = {}
    for row in reader.session.exec(select(UserRoleRow)).all():
        roles.setdefault(row.user_id, set()).add(row.role)
    last = select(SessionRow.user_id, func.max(SessionRow.seen_at)).group_by(col(SessionRow.user_id))
    seen = dict(reader.session.exec(last).all())
    users = reader.session.exec(select(UserRow)).all()
    found = [_person(user, frozenset(roles.get(user.id, ())), seen.get(user.id)) for user in users]
    return tuple(sorted(found, key=lambda person: (person.name.casefold(), person.id)))


def person(reader: Reader, user_id: int) -> Person:
    """Return one person.

    Raises
    ------
    NotFound
        If there is no account of this number.
    """
    user = reader.get(UserRow, user_id, what="person")
    last = select(func.max(SessionRow.seen_at)).where(col(SessionRow.user_id) == user_id)
    return _person(user, roles_of(reader, user_id), reader.session.exec(last).one())


def person_of_login(reader: Reader, login: str) -> Person:
    """Return the person who logs in as ``login``.

    Raises
    ------
    NotFound
        If nobody does.
    """
    user = reader.first(UserRow, login=login)
    if user is None or user.id is None:
        raise NotFound(f"Nobody logs in as {login!r}.")
    return person(reader, user.id)


def names_to_choose(reader: Reader, *, also: int | None = None) -> dict[int, str]:
    """Return the printed names of everybody who can log in, and of ``also``, in the order of the names."""
    query = select(UserRow.id, UserRow.name).where(or_(col(UserRow.is_active), UserRow.id == also))
    return dict(sorted(reader.session.exec(query).all(), key=lambda person: (person[1].casefold(), person[0])))


def names_of(reader: Reader) -> dict[int, str]:
    """Return every printed name by account number, for pages that show who did what."""
    names = {int(key): name for key, name in reader.session.exec(select(UserRow.id, UserRow.name)).all() if key}
    return {0: "ModelOps", **names}


def active_administrators(reader: Reader) -> int:
    """Return how many administrators can log in."""
    query = (
        select(func.count())
        .select_from(UserRow)
        .join(UserRoleRow, col(UserRoleRow.user_id) == col(UserRow.id))
        .where(col(UserRow.is_active), col(UserRoleRow.role) == Role.ADMINISTRATOR)
    )
    return reader.session.exec(query).one()


def set_role_rows(transaction: Transaction, user_id: int, roles: frozenset[Role]) -> None:
    """Give a person exactly these roles."""
    transaction.session.exec(delete(UserRoleRow).where(col(UserRoleRow.user_id) == user_id))
    for role in sorted(roles):
        transaction.add(UserRoleRow(user_id=user_id, role=role))


def session_and_person(reader: Reader, token_hash: str) -> tuple[SessionRow, UserRow, frozenset[Role]] | None:
    """Return a session, whose it is and their roles now, in one query: it is asked at every click."""
    query = (
        select(SessionRow, UserRow, UserRoleRow.role)
        .join(UserRow, col(UserRow.id) == SessionRow.user_id)
        .outerjoin(UserRoleRow, col(UserRoleRow.user_id) == UserRow.id)
        .where(SessionRow.token_hash == token_hash)
    )
    rows = reader.session.exec(query).all()
    if not rows:
        return None
    session, user, _ = rows[0]
    return session, user, frozenset(Role(role) for _, _, role in rows if role is not None)


def sessions_of(reader: Reader, user_id: int) -> tuple[SessionRow, ...]:
    """Return where a person is logged in, the most recently used first."""
    mine = select(SessionRow).where(col(SessionRow.user_id) == user_id).order_by(col(SessionRow.seen_at).desc())
    return tuple(reader.session.exec(mine).all())


def end_sessions(transaction: Transaction, user_id: int) -> None:
    """Log a person out everywhere."""
    transaction.session.exec(delete(SessionRow).where(col(SessionRow.user_id) == user_id))


def end_old_sessions(transaction: Transaction, *, seen_before: datetime, at: datetime) -> None:
    """Remove the sessions that nobody can use any more."""
    old = (col(SessionRow.expires_at) <= at) | (col(SessionRow.seen_at) <= seen_before)
    transaction.session.exec(delete(SessionRow).where(old))


def mark_seen(transaction: Transaction, token_hash: str, at: datetime) -> None:
    """Note when a session was last used, if it is still there."""
    query = update(SessionRow).where(col(SessionRow.token_hash) == token_hash, col(SessionRow.seen_at) < at)
    transaction.session.exec(query.values(seen_at=at))


def mark_used(transaction: Transaction, token_id: int, at: datetime) -> None:
    """Note when an API token was last used."""
    transaction.session.exec(update(TokenRow).where(col(TokenRow.id) == token_id).values(used_at=at))


def revoke_tokens(transaction: Transaction, user_id: int, at: datetime) -> None:
    """Make every API token of a person useless."""
    mine = (col(TokenRow.user_id) == user_id) & col(TokenRow.revoked_at).is_(None)
    transaction.session.exec(update(TokenRow).where(mine).values(revoked_at=at))


def put_fact(transaction: Transaction, name: str, value: str) -> None:
    """Store a fact about this installation, in the place of an earlier one of the same name."""
    row = transaction.find(FactRow, name)
    if row is None:
        transaction.add(FactRow(name=name, value=value))
    else:
        row.value = value
        transaction.flush()


def take_fact(transaction: Transaction, name: str, value: str) -> bool:
    """Remove a fact if it has this value; return whether it was there. Of several who try, one succeeds."""
    claim = delete(FactRow).where(col(FactRow.name) == name, col(FactRow.value) == value)
    return bool(transaction.session.exec(claim).rowcount)


def _person(user: UserRow, roles: frozenset[Role], last_seen: datetime | None) -> Person:
    return Person(
        id=user.id,
        login=user.login,
        name=user.name,
        roles=roles,
        is_active=user.is_active,
        must_change_password=user.must_change_password,
        uses_single_sign_on=user.issuer is not None,
        created_at=user.created_at,
        last_seen=last_seen,
    )
