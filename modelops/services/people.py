"""Accounts: who there is, what they are trusted with, and their passwords.

Administering people takes a person in a session or at the command line: an API token cannot do it. Nobody changes their
own roles, and nobody is ever deleted: a disabled account keeps its name in the audit trail.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from modelops.domain.names import clean_name, printable
from modelops.domain.people import Actor, Authentication, Right, Role, check_roles
from modelops.errors import Conflict, InvalidInput, NotAllowed
from modelops.services import passwords, throttle
from modelops.services.refusals import audited_refusals
from modelops.store import Reader, Store, Transaction
from modelops.store.queries_people import (
    Person,
    active_administrators,
    end_sessions,
    lock_people,
    person,
    revoke_tokens,
    roles_of,
    set_role_rows,
)
from modelops.store.tables import UserRow

COMMAND_LINE = Actor(0, "command line", "Command line", frozenset({Role.ADMINISTRATOR}), Authentication.COMMAND_LINE)
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}")


@dataclass(frozen=True)
class NewPassword:
    """A password that is shown once and must be changed at the first log-in."""

    user_id: int
    login: str
    password: str


def normal_login(login: str) -> str:
    """Return the one way a login is written: folded, without spaces around it."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def is_login(text: str) -> bool:
    """Whether an account can have this login, already in its normal form."""
    return _LOGIN.fullmatch(text) is not None


def check_login(login: str) -> str:
    """Return the normal form of a new login.

    Raises
    ------
    InvalidInput
        If it is not 2 to 64 letters a-z, digits or ``. _ @ + -``, beginning with a letter or digit.
    """
    found = normal_login(login)
    if not found:
        raise InvalidInput(
            "Type a login: 2 to 64 letters a-z, digits or . _ @ + -, beginning with a letter or a digit."
        )
    if not is_login(found):
        raise InvalidInput(
            f"The login {found[:70]!r} cannot be used: 2 to 64 letters a-z, digits or . _ @ + - are wanted, "
            "beginning with a letter or a digit."
        )
    return found


def add_person(
    store: Store, *, login: str, name: str, roles: frozenset[Role], actor: Actor, at: datetime
) -> NewPassword:
    """Make an account with a password that is shown once.

    Raises
    ------
    NotAllowed
        If ``actor`` does not administer people.
    InvalidInput
        If the login, the printed name or the set of roles cannot be used.
    Conflict
        If the login is taken, also by a disabled account.
    """
    with audited_refusals(store, actor, "user/0", at):
        _require_administrator(actor)
        found, printed = _named(login, name)
        check_roles(roles)
        password = passwords.temporary_password()
        hashed = passwords.password_hash(password)
        with store.transaction() as transaction:
            lock_people(transaction)
            user_id = insert_person(transaction, login=found, name=printed, roles=roles, hashed=hashed, at=at)
            transaction.record(actor, "user:add", f"user/{user_id}", at=at, new=described(found, printed, roles))
    return NewPassword(user_id, found, password)


def _named(login: str, name: str) -> tuple[str, str]:
    """Return login and printed name if both can be used; what is wrong with each is said together."""
    refused = []
    found = printed = ""
    try:
        printed = clean_name(name, what="The printed name")
    except InvalidInput as error:
        is_empty = not printable(name)
        refused.append("Type a printed name: it stands under signatures." if is_empty else str(error))
    try:
        found = check_login(login)
    except InvalidInput as error:
        refused.append(str(error))
    if refused:
        raise InvalidInput(" ".join(refused))
    return found, printed


def insert_person(
    transaction: Transaction,
    *,
    login: str,
    name: str,
    roles: frozenset[Role],
    at: datetime,
    hashed: str | None = None,
    must_change: bool = True,
    identity: tuple[str, str] | None = None,
) -> int:
    """Insert an account inside a transaction that also writes its audit entry; return its number.

    Raises
    ------
    Conflict
        If the login is taken.
    """
    if transaction.first(UserRow, login=login) is not None:
        raise Conflict(f"The login {login} is taken. Choose another.")
    issuer, subject = identity or (None, None)
    row = UserRow(login=login, name=name, password_hash=hashed, issuer=issuer, subject=subject, created_at=at)
    row.must_change_password = hashed is not None and must_change
    user_id = transaction.add(row).id
    set_role_rows(transaction, user_id, roles)
    return user_id


def disable_person(store: Store, user_id: int, *, reason: str, actor: Actor, at: datetime) -> None:
    """Stop an account from logging in: its sessions end and its API tokens are revoked.

    Raises
    ------
    NotAllowed
        If ``actor`` does not administer people, or this is their own account.
    Conflict
        If it is the last administrator, or disabled already.
    """
    with audited_refusals(store, actor, f"user/{user_id}", at):
        _require_administrator(actor)
        _require_other(actor, user_id, "disable")
        with store.transaction() as transaction:
            user, before = _locked(transaction, user_id)
            if not before.is_active:
                raise Conflict(f"{before.name} is disabled already.")
            user.is_active = False
            transaction.flush()
            _keep_an_administrator(transaction, before)
            end_sessions(transaction, user_id)
            revoke_tokens(transaction, user_id, at)
            transaction.record(actor, "user:disable", f"user/{user_id}", at=at, reason=_reason(reason))


def enable_person(store: Store, user_id: int, *, reason: str, actor: Actor, at: datetime) -> None:
    """Let a disabled account log in again, with the password that it had.

    Raises
    ------
    NotAllowed
        If ``actor`` does not administer people.
    Conflict
        If it is not disabled.
    """
    with audited_refusals(store, actor, f"user/{user_id}", at):
        _require_administrator(actor)
        with store.transaction() as transaction:
            user, before = _locked(transaction, user_id)
            if before.is_active:
                raise Conflict(f"{before.name} is not disabled.")
            user.is_active = True
            transaction.record(actor, "user:enable", f"user/{user_id}", at=at, reason=_reason(reason))


def reset_password(store: Store, user_id: int, *, reason: str, actor: Actor, at: datetime) -> NewPassword:
    """Give an account a new password, shown once, that must be changed at the next log-in.

    Its sessions end and its API tokens are revoked.

    Raises
    ------
    NotAllowed
        If ``actor`` does not administer people, or this is their own account.
    Conflict
        If the account logs in by single sign-on.
    """
    with audited_refusals(store, actor, f"user/{user_id}", at):
        _require_administrator(actor)
        _require_other(actor, user_id, "reset the password of")
        password = passwords.temporary_password()
        hashed = passwords.password_hash(password)
        with store.transaction() as transaction:
            user, before = _locked(transaction, user_id)
            if before.uses_single_sign_on:
                raise Conflict(f"{before.name} logs in by single sign-on and has no password here.")
            user.password_hash, user.must_change_password = hashed, True
            end_sessions(transaction, user_id)
            # Whoever knew the old password may have made tokens with it.
            revoke_tokens(transaction, user_id, at)
            throttle.forget(transaction, before.login)
            transaction.record(actor, "user:reset_password", f"user/{user_id}", at=at, reason=_reason(reason))
    return NewPassword(user_id, before.login, password)


def set_roles(store: Store, user_id: int, roles: frozenset[Role], *, reason: str, actor: Actor, at: datetime) -> None:
    """Change what a person is trusted with. Their sessions end, so that no old right stays open anywhere.

    Raises
    ------
    NotAllowed
        If ``actor`` does not administer people, or these are their own roles.
    InvalidInput
        If the set is empty or joins administrator with a signing role.
    Conflict
        If it would leave no administrator, or the roles come from single sign-on.
    """
    with audited_refusals(store, actor, f"user/{user_id}", at):
        _require_administrator(actor)
        _require_other(actor, user_id, "change the roles of")
        check_roles(roles)
        with store.transaction() as transaction:
            _, before = _locked(transaction, user_id)
            if before.uses_single_sign_on:
                raise Conflict(f"The roles of {before.name} come from single sign-on. Change their groups there.")
            if before.roles == roles:
                raise Conflict(f"{before.name} has exactly these roles already.")
            change_roles(transaction, before, roles, actor=actor, reason=_reason(reason), at=at)
            _keep_an_administrator(transaction, before)


def change_roles(
    transaction: Transaction, before: Person, roles: frozenset[Role], *, actor: Actor, reason: str, at: datetime
) -> None:
    """Give a person these roles inside a transaction, with the audit entry, and end their sessions."""
    set_role_rows(transaction, before.id, roles)
    end_sessions(transaction, before.id)
    transaction.record(
        actor,
        "user:roles",
        f"user/{before.id}",
        at=at,
        reason=reason,
        old={"roles": _texts(before.roles)},
        new={"roles": _texts(roles)},
    )


def described(login: str, name: str, roles: frozenset[Role]) -> dict[str, JsonValue]:
    """Return what the audit trail says about a new account."""
    return {"login": login, "name": name, "roles": _texts(roles)}


def set_name(store: Store, user_id: int, name: str, *, reason: str, actor: Actor, at: datetime) -> None:
    """Change the name that is printed under signatures from now on. Earlier entries keep the name of their time.

    Raises
    ------
    NotAllowed
        If ``actor`` does not administer people.
    InvalidInput
        If the name is empty or too long.
    """
    with audited_refusals(store, actor, f"user/{user_id}", at):
        _require_administrator(actor)
        printed = clean_name(name, what="The printed name")
        with store.transaction() as transaction:
            user, before = _locked(transaction, user_id)
            user.name = printed
            transaction.record(
                actor,
                "user:rename",
                f"user/{user_id}",
                at=at,
                reason=_reason(reason),
                old={"name": before.name},
                new={"name": printed},
            )


def current_actor(reader: Reader, actor: Actor) -> Actor:
    """Return ``actor`` with the name and roles that the database holds now, inside the transaction of an act.

    A form may stay open for an hour: a right that was taken away meanwhile must not act any more.

    Raises
    ------
    NotAllowed
        If the account is disabled.
    """
    if actor.user_id == 0:
        return actor
    user = reader.get(UserRow, actor.user_id, what="person")
    if not user.is_active:
        raise NotAllowed(f"The account of {user.name} is disabled.", rule="disabled account")
    roles = roles_of(reader, actor.user_id)
    return Actor(actor.user_id, user.login, user.name, roles, actor.authentication, actor.origin)


def _require_administrator(actor: Actor) -> None:
    actor.require(Right.ADMINISTER)
    if actor.authentication is Authentication.TOKEN:
        raise NotAllowed("People are not administered with an API token. Log in.", rule="no token: administer")


def _require_other(actor: Actor, user_id: int, act: str) -> None:
    if actor.user_id == user_id:
        raise NotAllowed(
            f"Nobody can {act} their own account here. Another administrator has to do it.",
            rule="four eyes: own account",
        )


def _locked(transaction: Transaction, user_id: int) -> tuple[UserRow, Person]:
    lock_people(transaction)
    before = person(transaction, user_id)
    return transaction.get(UserRow, user_id, what="person"), before


def _keep_an_administrator(transaction: Transaction, before: Person) -> None:
    if Role.ADMINISTRATOR in before.roles and not active_administrators(transaction):
        raise Conflict(f"{before.name} is the last administrator. Make another one first.")


def _reason(reason: str) -> str:
    return clean_name(reason, what="The reason", longest=500)


def _texts(roles: frozenset[Role]) -> list[JsonValue]:
    return [role.value for role in sorted(roles)]
