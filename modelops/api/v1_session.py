"""``/api/v1/me``: who the caller is to this app."""

from __future__ import annotations

from modelops.api.endpoint import ApiRoute, Call
from modelops.domain.people import Authentication, Right, Role
from modelops.domain.record import Record


class Me(Record):
    """The caller, as the app sees them now."""

    id: int
    login: str
    name: str
    roles: tuple[Role, ...]
    rights: tuple[Right, ...]
    authentication: Authentication


def me(call: Call) -> Me:
    """Return who calls, with their roles and rights."""
    actor = call.actor
    return Me(
        id=actor.user_id,
        login=actor.login,
        name=actor.name,
        roles=tuple(sorted(actor.roles)),
        rights=tuple(sorted(actor.rights)),
        authentication=actor.authentication,
    )


ROUTES = (ApiRoute("/api/v1/me", me),)
