"""The people of the example: made with one-time passwords, and logged in with them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from modelops.domain.people import Actor, Authentication, Role
from modelops.errors import Conflict
from modelops.services import people, sessions
from modelops.services.people import NewPassword
from modelops.store import Store
from modelops.store.tables import UserRow

ORIGIN = "example workspace"
# Login, printed name, roles: printed names are roles, so that nobody is taken for a real person.
ACCOUNTS = (
    ("owner", "Model owner", frozenset({Role.AUTHOR})),
    ("author", "Author", frozenset({Role.AUTHOR})),
    ("reviewer", "Reviewer", frozenset({Role.REVIEWER})),
    ("approver", "Approver", frozenset({Role.APPROVER})),
    ("second.approver", "Second approver", frozenset({Role.APPROVER})),
    ("auditor", "Auditor", frozenset({Role.AUDITOR})),
)


class Clock:
    """The time of the acts: it begins at ``at`` and runs on, so that nothing is dated back."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._start = time.monotonic()

    def __call__(self) -> datetime:
        """Return the time now."""
        return self._at + timedelta(seconds=time.monotonic() - self._start)


@dataclass(frozen=True)
class Player:
    """One person of the example: the account with its password, the log-in and who acts with it."""

    account: NewPassword
    token: str
    actor: Actor

    def prove(self, store: Store, clock: Clock) -> Authentication:
        """Give the password again, as at every signature."""
        return sessions.verify_password(store, actor=self.actor, password=self.account.password, at=clock())


def refuse_taken_logins(store: Store) -> None:
    """Refuse before anything is made.

    Raises
    ------
    Conflict
        If one of the logins exists.
    """
    with store.reading() as reader:
        taken = [login for login, _, _ in ACCOUNTS if reader.first(UserRow, login=login)]
    if taken:
        raise Conflict(
            f"The example makes accounts of its own, and the login {', '.join(taken)} is taken. Load it into an empty "
            "store: start the app with another MODELOPS_HOME."
        )


def assemble(store: Store, *, actor: Actor, clock: Clock) -> dict[str, Player]:
    """Make the accounts and log each of them in with its one-time password; return them by login."""
    players = {}
    for login, name, roles in ACCOUNTS:
        account = people.add_person(store, login=login, name=name, roles=roles, actor=actor, at=clock())
        session = sessions.log_in(store, login, account.password, origin=ORIGIN, at=clock())
        players[login] = Player(account, session.token, session.actor)
    return players


def dismiss(store: Store, players: dict[str, Player], *, clock: Clock) -> list[NewPassword]:
    """Log everybody out; return the accounts with their passwords, to be shown once."""
    for player in players.values():
        sessions.log_out(store, player.token, at=clock())
    return [player.account for player in players.values()]
