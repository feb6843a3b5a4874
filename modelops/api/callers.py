"""Who calls: the cookie, the token, the address, and where somebody may be sent next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from modelops.domain.people import Actor
from modelops.services.sessions import Found, SessionLimits, cookie_name, find_session
from modelops.services.tokens import find_actor_by_token
from modelops.settings import Settings
from modelops.store import Store

_SCOPE = "modelops.caller"
_NOT_AFTER_LOG_IN = ("/login", "/logout", "/setup", "/password", "/oidc", "/api", "/_stcore")


@dataclass(frozen=True)
class Caller:
    """Who sent a request. ``session`` is missing if they came with an API token."""

    actor: Actor
    session: Found | None


def now() -> datetime:
    """Return the time, read once for each request."""
    return datetime.now(UTC)


def origin_of(connection: HTTPConnection) -> str:
    """Return the network address that a request came from, for throttling and the audit trail."""
    return connection.client.host if connection.client else ""


def cookie_of(connection: HTTPConnection, settings: Settings) -> str | None:
    """Return the token in the session cookie."""
    return connection.cookies.get(cookie_name(settings))


def bearer_of(connection: HTTPConnection) -> str | None:
    """Return the API token of the Authorization header; an empty text if the header holds something else."""
    header = connection.headers.get("authorization")
    if header is None:
        return None
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def find_caller(connection: HTTPConnection, store: Store, settings: Settings) -> Caller | None:
    """Return who sent a request: by API token if one is given on an API path, otherwise by the session cookie."""
    at, origin = now(), origin_of(connection)
    secret = bearer_of(connection) if connection.url.path.startswith("/api/") else None
    if secret is not None:
        actor = find_actor_by_token(store, secret, at, origin=origin)
        return None if actor is None else Caller(actor, None)
    token = cookie_of(connection, settings)
    found = find_session(store, token, at, origin=origin, limits=SessionLimits.of(settings))
    return None if found is None else Caller(found.actor, found)


def remember(connection: HTTPConnection, caller: Caller) -> None:
    """Keep for the route who the gate let through."""
    connection.scope[_SCOPE] = caller


def caller_of(connection: HTTPConnection) -> Caller | None:
    """Return who the gate let through; ``None`` on the open paths."""
    caller = connection.scope.get(_SCOPE)
    return caller if isinstance(caller, Caller) else None


def safe_next(target: str | None) -> str:
    """Return where to go after logging in: a path of this app, or the front page.

    Examples
    --------
    >>> safe_next("/reviews?id=3")
    '/reviews?id=3'
    >>> safe_next("//elsewhere.example/x")
    '/'
    """
    if not target or len(target) > 2000 or not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/"
    if "\\" in target or any(ord(character) < 33 or ord(character) == 127 for character in target):
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or parts.path.startswith(_NOT_AFTER_LOG_IN):
        return "/"
    return target
