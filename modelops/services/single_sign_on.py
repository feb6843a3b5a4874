"""People who prove who they are at an identity provider.

They are known by the provider and its number for them, never by a name or an e-mail address, which others can get. What
they are trusted with comes from their groups at every log-in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from modelops.domain.names import clean_name, printable
from modelops.domain.people import Authentication, Role, check_roles
from modelops.errors import InvalidInput, NotAllowed
from modelops.services.people import change_roles, described, insert_person, normal_login
from modelops.services.refusals import audited_refusals
from modelops.services.sessions import FRESH, LogIn, SessionLimits, confirm_single_sign_on, open_session, stranger
from modelops.store import Store, Transaction
from modelops.store.queries_people import lock_people, person
from modelops.store.tables import UserRow

_NOT_IN_A_LOGIN = re.compile(r"[^a-z0-9._@+-]+")
_CLOCKS_APART = timedelta(minutes=1)


@dataclass(frozen=True)
class Identity:
    """Whom the identity provider names. ``authenticated_at`` is when they last proved it there, if it says so."""

    issuer: str
    subject: str
    login: str
    name: str
    groups: frozenset[str]
    authenticated_at: datetime | None


def read_role_map(text: str) -> dict[str, Role]:
    """Return which group gives which role, from ``group=role,group=role``.

    Raises
    ------
    InvalidInput
        If a part has another form or names no role.

    Examples
    --------
    >>> read_role_map("ml-team=author, model-risk=approver")
    {'ml-team': <Role.AUTHOR: 'author'>, 'model-risk': <Role.APPROVER: 'approver'>}
    """
    found: dict[str, Role] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        group, _, role = part.rpartition("=")
        if not group.strip() or role.strip() not in list(Role):
            wanted = ", ".join(Role)
            raise InvalidInput(f"Got {part!r} in MODELOPS_OIDC_ROLES, expected group=role with a role of {wanted}.")
        found[group.strip()] = Role(role.strip())
    return found


def log_in_identity(
    store: Store,
    identity: Identity,
    *,
    role_map: dict[str, Role],
    origin: str,
    at: datetime,
    limits: SessionLimits | None = None,
) -> LogIn:
    """Begin a session for somebody whom the identity provider has just named; their first makes their account.

    Raises
    ------
    NotAllowed
        If none of their groups gives a role, their groups contradict each other, or their account is disabled.
    """
    with audited_refusals(store, stranger(origin), "user/0", at), store.transaction() as transaction:
        lock_people(transaction)
        user = transaction.first(UserRow, issuer=identity.issuer, subject=identity.subject)
        roles = _roles(identity, role_map)
        if user is None:
            user = _first_visit(transaction, identity, roles, origin=origin, at=at)
        elif not user.is_active:
            raise NotAllowed(f"The account of {user.name} is disabled.", rule="disabled account")
        else:
            _refresh(transaction, user, identity, roles, at=at)
        return open_session(
            transaction,
            user,
            Authentication.SINGLE_SIGN_ON,
            origin=origin,
            at=at,
            limits=limits,
            # A provider that does not say when somebody proved who they are may have remembered them for days.
            authenticated_at=identity.authenticated_at or at - timedelta(days=1),
        )


def confirm_identity(store: Store, token: str, identity: Identity, *, origin: str, at: datetime) -> None:
    """Note in a session that its person proved again, within the last minutes, who they are: for a signature.

    Raises
    ------
    NotAllowed
        If it is somebody else, or the provider does not say that it asked again.
    """
    with audited_refusals(store, stranger(origin), "user/0", at):
        proved = identity.authenticated_at
        if proved is None or not -_CLOCKS_APART <= at - proved < FRESH:
            raise NotAllowed("The identity provider did not ask again who you are.", rule="reauthentication")
        with store.reading() as reader:
            user = reader.first(UserRow, issuer=identity.issuer, subject=identity.subject)
        user_id = (user.id if user is not None else None) or 0
        confirm_single_sign_on(store, token, user_id=user_id, authenticated_at=min(proved, at), at=at)


def _roles(identity: Identity, role_map: dict[str, Role]) -> frozenset[Role]:
    roles = frozenset(role for group, role in role_map.items() if group in identity.groups)
    if not roles:
        raise NotAllowed(
            "None of your groups gives you a role in this app. Ask an administrator which group you need.",
            rule="single sign-on: no role",
        )
    try:
        check_roles(roles)
    except InvalidInput as error:
        raise NotAllowed(f"Your groups contradict each other. {error}", rule="single sign-on: roles") from error
    return roles


def _first_visit(
    transaction: Transaction, identity: Identity, roles: frozenset[Role], *, origin: str, at: datetime
) -> UserRow:
    login = _free_login(transaction, identity)
    name = clean_name(printable(identity.name)[:150] or login, what="The name")
    known_as = (identity.issuer, identity.subject)
    user_id = insert_person(transaction, login=login, name=name, roles=roles, identity=known_as, at=at)
    transaction.record(stranger(origin), "user:add", f"user/{user_id}", at=at, new=described(login, name, roles))
    return transaction.get(UserRow, user_id, what="person")


def _refresh(
    transaction: Transaction, user: UserRow, identity: Identity, roles: frozenset[Role], *, at: datetime
) -> None:
    before = person(transaction, user.id)
    if before.roles != roles:
        reason = "groups at the identity provider"
        change_roles(transaction, before, roles, actor=stranger("single sign-on"), reason=reason, at=at)
    name = printable(identity.name)[:150]
    if name and name != user.name:
        user.name = name
        old, subject = before.name, f"user/{user.id}"
        transaction.record(
            stranger("single sign-on"), "user:rename", subject, at=at, old={"name": old}, new={"name": name}
        )


def _free_login(transaction: Transaction, identity: Identity) -> str:
    """A local account of the same login is somebody else: the newcomer gets another login, never that account."""
    wanted = _NOT_IN_A_LOGIN.sub("-", normal_login(identity.login)).strip("-._@+")[:50] or "person"
    login, number = wanted, 2
    while transaction.first(UserRow, login=login) is not None:
        login, number = f"{wanted}-{number}", number + 1
    return login
