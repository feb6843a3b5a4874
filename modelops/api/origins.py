"""Requests that another site makes in somebody's name are refused, and so are host names that are not ours."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from modelops.settings import Settings

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not bound to
_HOST = re.compile(r"(?:(?P<name>[A-Za-z0-9._-]+)|\[(?P<address>[0-9A-Fa-f:.]+)\])(?::[0-9]{1,5})?")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """Return the names that the app answers to, without ports."""
    named = {name.strip().lower().rstrip(".") for name in settings.allowed_hosts.split(",")}
    public = urlsplit(settings.address).hostname or ""
    return frozenset({*_LOOPBACK, settings.host.lower(), public.lower(), *named} - _ANY)


def host_is_allowed(host: str | None, allowed: frozenset[str]) -> bool:
    """Whether a Host header names this app: against pages that point their own name at this address."""
    found = _HOST.fullmatch(host or "")
    if found is None:
        return False
    name = (found["name"] or found["address"]).lower().rstrip(".")
    return "*" in allowed or name in allowed


def comes_from_elsewhere(connection: HTTPConnection, settings: Settings) -> bool:
    """Whether a browser says that another site caused this request.

    ``Sec-Fetch-Site`` decides where it is sent; over plain HTTP, where it is not, ``Origin`` does. A request with
    neither does not come from a browser's page.
    """
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = connection.headers.get("origin")
    if origin is None:
        return False
    return urlsplit(origin).netloc not in {connection.headers.get("host"), urlsplit(settings.address).netloc}


def says_where_from(connection: HTTPConnection) -> bool:
    """Whether a request carries what a browser's page cannot leave out when it writes."""
    return "origin" in connection.headers or "sec-fetch-site" in connection.headers
