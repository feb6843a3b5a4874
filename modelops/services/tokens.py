"""Tokens for the API: each acts as the person who made it, with the roles that this person has now."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue

from modelops.domain.names import clean_name
from modelops.domain.people import Actor, Authentication
from modelops.errors import Conflict, InvalidInput, NotAllowed, NotFound
from modelops.services.refusals import audited_refusals
from modelops.store import Reader, Store
from modelops.store.queries_people import lock_people, mark_used, roles_of
from modelops.store.tables import TokenRow, UserRow

PREFIX = "mops_"
LONGEST_DAYS = 365
_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class NewToken:
    """A token that is shown once."""

    token_id: int
    secret: str
    expires_at: datetime


def create_token(store: Store, *, name: str, days: int, actor: Actor, at: datetime) -> NewToken:
    """Make a token that acts as ``actor`` for some days.

    Raises
    ------
    NotAllowed
        If a token tries to make another one.
    InvalidInput
        If the name is empty, or the days are not 1 to 365.
    """
    with audited_refusals(store, actor, f"user/{actor.user_id}", at):
        if actor.user_id == 0 or actor.authentication is Authentication.TOKEN:
            raise NotAllowed("A token is made by a person who is logged in.", rule="no token: token")
    called = clean_name(name, what="The name of the token")
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(f"Got {days} days, expected 1 to {LONGEST_DAYS}.")
    secret = PREFIX + secrets.token_urlsafe(32)
    with store.transaction() as transaction:
        row = TokenRow(
            user_id=actor.user_id,
            name=called,
            token_hash=_digest(secret),
            created_at=at,
            expires_at=at + timedelta(days=days),
        )
        token_id = transaction.add(row).id
        new: dict[str, JsonValue] = {"token": token_id, "name": called, "days": days}
        transaction.record(actor, "token:create", f"user/{actor.user_id}", at=at, new=new)
    return NewToken(token_id, secret, row.expires_at)


def tokens_of(reader: Reader, user_id: int) -> tuple[TokenRow, ...]:
    """Return the tokens of a person, the revoked ones too, in the order in which they were made."""
    return tuple(reader.all(TokenRow, user_id=user_id))


def revoke_token(store: Store, token_id: int, *, actor: Actor, at: datetime) -> None:
    """Make a token useless at once.

    Raises
    ------
    NotFound
        If ``actor`` has no such token.
    Conflict
        If it is revoked already.
    """
    with store.transaction() as transaction:
        lock_people(transaction)
        row = transaction.find(TokenRow, token_id)
        if row is None or row.user_id != actor.user_id:
            raise NotFound(f"You have no token {token_id}.")
        if row.revoked_at is not None:
            raise Conflict(f"The token {row.name} is revoked already.")
        row.revoked_at = at
        new: dict[str, JsonValue] = {"token": token_id, "name": row.name}
        transaction.record(actor, "token:revoke", f"user/{actor.user_id}", at=at, new=new)


def find_actor_by_token(store: Store, secret: str, at: datetime, *, origin: str = "") -> Actor | None:
    """Return who acts with an API token, or ``None`` if it is unknown, revoked or expired, or its owner disabled."""
    if not secret.startswith(PREFIX) or len(secret) > 200:
        return None
    with store.reading() as reader:
        row = reader.first(TokenRow, token_hash=_digest(secret))
        if row is None or row.id is None or row.revoked_at is not None or row.expires_at <= at:
            return None
        user = reader.find(UserRow, row.user_id)
        if user is None or not user.is_active or user.must_change_password:
            return None
        roles = roles_of(reader, row.user_id)
    if row.used_at is None or at - row.used_at >= _USED_EVERY:
        with store.transaction() as transaction:
            mark_used(transaction, row.id, at)
    return Actor(row.user_id, user.login, user.name, roles, Authentication.TOKEN, origin[:100])


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
