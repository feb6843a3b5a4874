"""Roles, rights, and the person who acts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from modelops.errors import InvalidInput, NotAllowed


class Role(StrEnum):
    """What a person is trusted with. One person may have several, but no administrator signs."""

    AUTHOR = "author"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Right(StrEnum):
    """What a service asks for before it acts."""

    READ = "read"
    COMMENT = "comment"
    REGISTER = "register"
    ANSWER = "answer"
    RUN = "run"
    SUBMIT = "submit"
    REVIEW = "review"
    SIGN = "sign"
    WAIVE = "waive"
    GATE = "gate"
    EXPORT = "export"
    READ_AUDIT = "read audit"
    ADMINISTER = "administer"


_EVERYONE = frozenset({Right.READ, Right.COMMENT, Right.GATE})
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.AUTHOR: _EVERYONE | {Right.REGISTER, Right.ANSWER, Right.RUN, Right.SUBMIT, Right.EXPORT},
    Role.REVIEWER: _EVERYONE | {Right.RUN, Right.REVIEW, Right.SIGN, Right.EXPORT},
    Role.APPROVER: _EVERYONE | {Right.REVIEW, Right.SIGN, Right.WAIVE, Right.EXPORT},
    Role.AUDITOR: _EVERYONE | {Right.EXPORT, Right.READ_AUDIT},
    Role.ADMINISTRATOR: _EVERYONE | {Right.EXPORT, Right.READ_AUDIT, Right.ADMINISTER},
}
SIGNING_ROLES = frozenset({Role.REVIEWER, Role.APPROVER})


class Authentication(StrEnum):
    """How a person proved who they are."""

    PASSWORD = "password"  # noqa: S105
    SINGLE_SIGN_ON = "single sign-on"
    TOKEN = "API token"  # noqa: S105
    COMMAND_LINE = "command line"
    SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """Who acts. ``user_id`` 0 is the app itself; ``origin`` is where the request came from, for the audit trail."""

    user_id: int
    login: str
    name: str
    roles: frozenset[Role]
    authentication: Authentication
    origin: str = ""

    @property
    def rights(self) -> frozenset[Right]:
        """Everything that the roles allow."""
        return frozenset().union(*(RIGHTS[role] for role in self.roles))

    def require(self, right: Right) -> None:
        """Refuse unless one of the roles has ``right``.

        Raises
        ------
        NotAllowed
            With the roles that would have it.
        """
        if right not in self.rights:
            having = " or ".join(role for role in Role if right in RIGHTS[role])
            held = ", ".join(sorted(self.roles)) or "no role"
            raise NotAllowed(f"This needs the role {having}; {self.name} has {held}.", rule=f"right:{right}")


SYSTEM = Actor(0, "system", "ModelOps", frozenset(), Authentication.SYSTEM)


def check_roles(roles: frozenset[Role]) -> None:
    """Refuse a set of roles in which somebody could grant themselves a signature.

    Raises
    ------
    InvalidInput
        If it is empty, or joins administrator with reviewer or approver.
    """
    if not roles:
        raise InvalidInput("A person needs at least one role. Choose what they may do.")
    if Role.ADMINISTRATOR in roles and roles & SIGNING_ROLES:
        raise InvalidInput("An administrator cannot sign: choose administrator, or reviewer and approver, not both.")
