"""Log-ins: a random token in the browser, its digest in the database, looked up at every click.

A session ends after a time without a click, in any case after some hours, at log-out, when the person is disabled, and
when their roles or their password change. Its token is new at every log-in.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from modelops.domain.people import Actor, Authentication, Role
from modelops.errors import InvalidInput, NotAllowed
from modelops.services import passwords, throttle
from modelops.services.people import is_login, normal_login
from modelops.services.refusals import audited_refusals
from modelops.settings import Settings
from modelops.store import Store, Transaction
from modelops.store.queries_people import (
    end_old_sessions,
    end_sessions,
    lock_people,
    mark_seen,
    roles_of,
    session_and_person,
)
from modelops.store.tables import SessionRow, UserRow

_TOKEN_BYTES = 32
_SEEN_EVERY = timedelta(minutes=1)
FRESH = timedelta(minutes=5)
WRONG = "The login or the password is wrong."


@dataclass(frozen=True)
class SessionLimits:
    """How long a log-in lasts: without a click, and in any case."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)

    @classmethod
    def of(cls, settings: Settings) -> SessionLimits:
        """Return the limits that were set."""
        return cls(timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours))


def cookie_name(settings: Settings) -> str:
    """Return the name of the session cookie. Behind TLS the browser itself ties it to this host (``__Host-``)."""
    return "__Host-modelops" if settings.behind_tls else "modelops"


@dataclass(frozen=True)
class Found:
    """A session that is valid now."""

    actor: Actor
    token_hash: str
    must_change_password: bool
    authenticated_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class LogIn:
    """A new session: the token for the browser's cookie, kept nowhere else."""

    token: str
    actor: Actor
    must_change_password: bool
    expires_at: datetime


def log_in(
    store: Store, login: str, password: str, *, origin: str, at: datetime, limits: SessionLimits | None = None
) -> LogIn:
    """Begin a session with a password.

    The answer to an unknown login, a disabled account and a wrong password is the same, and takes as long.

    Raises
    ------
    NotAllowed
        If login and password do not fit, or after too many failures.
    """
    name = normal_login(login)
    attempt = throttle.begin(store, login=name, origin=origin, at=at)
    with store.reading() as reader:
        # Not every text can be looked for: PostgreSQL knows no NUL, and no database half a surrogate pair.
        user = reader.first(UserRow, login=name) if is_login(name) else None
    stored = user.password_hash if user is not None and user.is_active else None
    if not passwords.password_matches(stored, password):
        raise _failed(store, user, attempt, origin=origin, at=at)
    with store.transaction() as transaction:
        lock_people(transaction)
        user = transaction.first(UserRow, login=name)
        # The password or the account may have been changed while the slow hash was computed.
        if user is None or not user.is_active or user.password_hash != stored or stored is None:
            raise NotAllowed(WRONG, rule="login:failed")
        throttle.forgive(transaction, attempt)
        if passwords.is_outdated(stored):
            user.password_hash = passwords.password_hash(password)
        return open_session(transaction, user, Authentication.PASSWORD, origin=origin, at=at, limits=limits)


def open_session(
    transaction: Transaction,
    user: UserRow,
    authentication: Authentication,
    *,
    origin: str,
    at: datetime,
    limits: SessionLimits | None = None,
    authenticated_at: datetime | None = None,
) -> LogIn:
    """Begin a session inside a transaction, with its audit entry, for a person who has just proved who they are."""
    limits = limits or SessionLimits()
    end_old_sessions(transaction, seen_before=at - limits.idle, at=at)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    actor = _actor(user, roles_of(transaction, user.id), authentication, origin)
    row = SessionRow(
        token_hash=_digest(token),
        user_id=actor.user_id,
        authentication=authentication,
        created_at=at,
        seen_at=at,
        expires_at=at + limits.absolute,
        authenticated_at=authenticated_at or at,
        origin=actor.origin,
    )
    transaction.add(row)
    transaction.record(actor, "login", f"user/{user.id}", at=at, new={"authentication": authentication.value})
    return LogIn(token, actor, user.must_change_password, row.expires_at)


def find_session(
    store: Store, token: str | None, at: datetime, *, origin: str = "", limits: SessionLimits | None = None
) -> Found | None:
    """Return the session of a cookie's token, or ``None`` if there is none that is valid now."""
    if not token or len(token) > 200:
        return None
    idle = (limits or SessionLimits()).idle
    with store.reading() as reader:
        known = session_and_person(reader, _digest(token))
    if known is None:
        return None
    row, user, roles = known
    if row.expires_at <= at or row.seen_at + idle <= at or not user.is_active:
        return None
    if at - row.seen_at >= _SEEN_EVERY:
        with store.transaction() as transaction:
            mark_seen(transaction, row.token_hash, at)
    actor = _actor(user, roles, row.authentication, origin or row.origin)
    return Found(actor, row.token_hash, user.must_change_password, row.authenticated_at, row.expires_at)


def find_actor(
    store: Store, cookie_token: str | None, at: datetime, *, origin: str = "", limits: SessionLimits | None = None
) -> Actor | None:
    """Return who acts with this cookie, or ``None``; nobody acts before a given-out password was changed."""
    found = find_session(store, cookie_token, at, origin=origin, limits=limits)
    return None if found is None or found.must_change_password else found.actor


def log_out(store: Store, token: str | None, *, at: datetime) -> None:
    """End the session of a cookie. One that has ended already is no error."""
    if not token:
        return
    with store.transaction() as transaction:
        row = transaction.find(SessionRow, _digest(token))
        if row is None:
            return
        user = transaction.get(UserRow, row.user_id, what="person")
        actor = _actor(user, roles_of(transaction, user.id), row.authentication, row.origin)
        transaction.remove(row)
        transaction.record(actor, "logout", f"user/{user.id}", at=at)


def end_other_sessions(store: Store, *, keep: str, actor: Actor, at: datetime) -> int:
    """End every session of ``actor`` but the one with the token digest ``keep``; return how many."""
    with store.transaction() as transaction:
        others = [row for row in transaction.all(SessionRow, user_id=actor.user_id) if row.token_hash != keep]
        for row in others:
            transaction.remove(row)
        if others:
            subject = f"user/{actor.user_id}"
            transaction.record(actor, "logout:others", subject, at=at, new={"ended": len(others)})
    return len(others)


def change_password(
    store: Store,
    token: str,
    *,
    current: str,
    new: str,
    origin: str,
    at: datetime,
    limits: SessionLimits | None = None,
) -> LogIn:
    """Change the password of a session's own account. Every session ends; a new one begins.

    Raises
    ------
    NotAllowed
        If the session is not valid, the current password is wrong, or after too many failures.
    InvalidInput
        If the new password is too weak, or the old one.
    """
    found = find_session(store, token, at, origin=origin, limits=limits)
    if found is None:
        raise NotAllowed("Your session has ended. Log in again.", rule="session")
    passwords.check_password(new, login=found.actor.login)
    verify_password(store, actor=found.actor, password=current, at=at)
    if new == current:
        raise InvalidInput("The new password is the old one. Choose another.")
    hashed = passwords.password_hash(new)
    with store.transaction() as transaction:
        lock_people(transaction)
        user = transaction.get(UserRow, found.actor.user_id, what="person")
        user.password_hash, user.must_change_password = hashed, False
        end_sessions(transaction, found.actor.user_id)
        transaction.record(found.actor, "user:change_password", f"user/{user.id}", at=at)
        return open_session(transaction, user, Authentication.PASSWORD, origin=origin, at=at, limits=limits)


def verify_password(
    store: Store, *, actor: Actor, password: str, at: datetime, login: str | None = None
) -> Authentication:
    """Prove again, at the moment of signing, that ``actor`` is at the keyboard; return how it was proved.

    It takes as long as the hash does: call it before the transaction of the act begins.

    Raises
    ------
    NotAllowed
        If the password is wrong, ``login`` (if the form asks for it) is not theirs, the account has no password, or
        after too many failures. Audited.
    """
    with audited_refusals(store, actor, f"user/{actor.user_id}", at):
        attempt = throttle.begin(store, login=actor.login, origin=actor.origin, at=at)
        with store.reading() as reader:
            user = reader.get(UserRow, actor.user_id, what="person")
        matches = passwords.password_matches(user.password_hash if user.is_active else None, password)
        if not matches or (login is not None and normal_login(login) != actor.login):
            raise NotAllowed(WRONG, rule="reauthentication")
        with store.transaction() as transaction:
            lock_people(transaction)
            throttle.forgive(transaction, attempt)
    return Authentication.PASSWORD


def verify_single_sign_on(store: Store, token: str | None, *, actor: Actor, at: datetime) -> Authentication:
    """Prove at the moment of signing that ``actor`` logged in at the identity provider less than five minutes ago.

    Raises
    ------
    NotAllowed
        If they did not; the page then offers to do it. Audited.
    """
    with audited_refusals(store, actor, f"user/{actor.user_id}", at):
        found = find_session(store, token, at)
        if found is None or found.actor.user_id != actor.user_id:
            raise NotAllowed("Your session has ended. Log in again.", rule="session")
        is_fresh = timedelta(0) <= at - found.authenticated_at < FRESH
        if found.actor.authentication is not Authentication.SINGLE_SIGN_ON or not is_fresh:
            raise NotAllowed("Confirm at the identity provider that it is you, then sign.", rule="reauthentication")
    return Authentication.SINGLE_SIGN_ON


def confirm_single_sign_on(store: Store, token: str, *, user_id: int, authenticated_at: datetime, at: datetime) -> None:
    """Note in a session that its person has just logged in again at the identity provider.

    Raises
    ------
    NotAllowed
        If the session is not valid, belongs to somebody else, or did not begin with single sign-on.
    """
    with store.transaction() as transaction:
        row = transaction.find(SessionRow, _digest(token))
        if row is None or row.expires_at <= at or row.user_id != user_id:
            raise NotAllowed("The person at the identity provider is not the one who is logged in.", rule="session")
        if row.authentication is not Authentication.SINGLE_SIGN_ON:
            raise NotAllowed("This session did not begin with single sign-on.", rule="session")
        row.authenticated_at = authenticated_at
        user = transaction.get(UserRow, user_id, what="person")
        actor = _actor(user, roles_of(transaction, user.id), row.authentication, row.origin)
        transaction.record(actor, "login:confirmed", f"user/{user_id}", at=at)


def stranger(origin: str) -> Actor:
    """Return the actor for entries about somebody who has not logged in."""
    return Actor(0, "", "Not logged in", frozenset(), Authentication.PASSWORD, origin[:100])


def _failed(store: Store, user: UserRow | None, attempt: throttle.Attempt, *, origin: str, at: datetime) -> NotAllowed:
    """Write a failure to the audit trail. What was typed as an unknown login is not kept: it may be a password."""
    subject = f"user/{user.id}" if user is not None else "user/0"
    with store.transaction() as transaction:
        transaction.record(stranger(origin), "login:failed", subject, at=at)
        if attempt.blocks_until is not None:
            until = attempt.blocks_until.isoformat()
            transaction.record(stranger(origin), throttle.THROTTLED, subject, at=at, new={"until": until})
    return NotAllowed(WRONG, rule="login:failed")


def _actor(user: UserRow, roles: frozenset[Role], authentication: Authentication, origin: str) -> Actor:
    return replace(
        stranger(origin),
        user_id=user.id,
        login=user.login,
        name=user.name,
        roles=roles,
        authentication=authentication,
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
