"""The first administrator: made once, by whoever can read the terminal in which the app was started."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from modelops.domain.names import clean_name
from modelops.domain.people import Actor, Authentication, Role
from modelops.errors import Conflict, NotAllowed
from modelops.services import passwords
from modelops.services.people import check_login, described, insert_person
from modelops.services.refusals import audited_refusals
from modelops.services.sessions import LogIn, SessionLimits, open_session, stranger
from modelops.store import Store
from modelops.store.queries_people import has_people, lock_people, put_fact, take_fact
from modelops.store.tables import FactRow, UserRow

_FACT = "setup token"
_GONE = "This installation has its first administrator already. Log in."
_WRONG = "This set-up link is not valid. Use the one that was printed when the app was started last."


def needs_setup(store: Store) -> bool:
    """Whether there is no account yet."""
    with store.reading() as reader:
        return not has_people(reader)


def offer_setup(store: Store) -> str | None:
    """Return a new one-time token for the first administrator, or ``None`` once there is an account.

    Only its digest is stored. A token that was given out before stops working.
    """
    token = secrets.token_urlsafe(32)
    with store.transaction() as transaction:
        lock_people(transaction)
        if has_people(transaction):
            return None
        put_fact(transaction, _FACT, _digest(token))
    return token


def is_setup_token(store: Store, token: str) -> bool:
    """Whether this is the token that was given out last."""
    with store.reading() as reader:
        row = reader.find(FactRow, _FACT)
    return row is not None and secrets.compare_digest(row.value, _digest(token))


def create_first_administrator(
    store: Store,
    token: str,
    *,
    login: str,
    name: str,
    password: str,
    origin: str,
    at: datetime,
    limits: SessionLimits | None = None,
) -> LogIn:
    """Make the first administrator and log them in. Of several who hold the token, exactly one succeeds.

    Raises
    ------
    NotAllowed
        If the token is wrong or used.
    Conflict
        If there is an account already.
    InvalidInput
        If login, name or password cannot be used; the token stays valid.
    """
    with audited_refusals(store, stranger(origin), "user/0", at):
        found, printed = check_login(login), clean_name(name, what="Your name")
        passwords.check_password(password, login=found)
        # Looked at before the slow hash, so that guessing tokens costs the server nothing; decided again below.
        _refuse_unless(store, token)
        hashed = passwords.password_hash(password)
        with store.transaction() as transaction:
            lock_people(transaction)
            if has_people(transaction):
                raise Conflict(_GONE)
            if not take_fact(transaction, _FACT, _digest(token)):
                raise NotAllowed(_WRONG, rule="setup token")
            roles = frozenset({Role.ADMINISTRATOR})
            user_id = insert_person(
                transaction, login=found, name=printed, roles=roles, hashed=hashed, must_change=False, at=at
            )
            actor = Actor(user_id, found, printed, roles, Authentication.PASSWORD, origin[:100])
            transaction.record(actor, "user:setup", f"user/{user_id}", at=at, new=described(found, printed, roles))
            user = transaction.get(UserRow, user_id, what="person")
            return open_session(transaction, user, Authentication.PASSWORD, origin=origin, at=at, limits=limits)


def _refuse_unless(store: Store, token: str) -> None:
    if not needs_setup(store):
        raise Conflict(_GONE)
    if not is_setup_token(store, token):
        raise NotAllowed(_WRONG, rule="setup token")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
