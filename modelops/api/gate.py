"""The gate: nothing behind it is reached by somebody who has not logged in.

It stands in front of every route, of Streamlit's own and of its websocket. What is open is a short list; everything
else is closed, also what is added later. In this order a request is

1. refused if its Host is not ours, or if another site caused a writing request;
2. let through if its path is open;
3. sent to the set-up page while there is no account, or to the log-in page (or refused, if it is no page visit);
4. sent to change a password that was given out;
5. refused if it reaches for the screen of another log-in, or its body is too large.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelops.api.callers import Caller, bearer_of, find_caller, remember
from modelops.api.origins import SAFE_METHODS, allowed_hosts, comes_from_elsewhere, host_is_allowed, says_where_from
from modelops.services.screens import owns_screen
from modelops.services.setup import needs_setup
from modelops.settings import MIB, Settings
from modelops.store import Store

OPEN = frozenset(
    {
        "/login",
        "/logout",
        "/setup",
        "/oidc/login",
        "/oidc/callback",
        "/healthz",
        "/_stcore/health",
        "/door.css",
        "/favicon.png",
    }
)
WHILE_PASSWORD_IS_NEW = frozenset({"/password"})
_SCREEN_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/")
_FORM_LIMIT = 64 * 1024
_UPLOAD_LIMIT = 50 * MIB


class Gate:
    """Middleware: the outermost but the headers."""

    def __init__(self, app: ASGIApp, *, store: Store, settings: Settings) -> None:
        self._app = app
        self._store = store
        self._settings = settings
        self._hosts = allowed_hosts(settings)
        self._is_set_up = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        refusal = _forged(connection, self._hosts, self._settings)
        if refusal is None and not is_open(connection.url.path):
            refusal = await to_thread.run_sync(self._admit, connection)
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        limit = self._largest_body(connection.url.path)
        if _declared_length(connection) > limit:
            await _answer(connection, 413, _too_large(limit))(scope, receive, send)
            return
        await self._app(scope, _limited(receive, limit), send)

    def _admit(self, connection: HTTPConnection) -> Response | None:
        """Return ``None`` for a caller who may pass, otherwise the answer. Reads the database."""
        caller = find_caller(connection, self._store, self._settings)
        if caller is None:
            return self._stranger(connection)
        if caller.session is not None and caller.session.must_change_password:
            if connection.url.path not in WHILE_PASSWORD_IS_NEW:
                return _send_to(connection, "/password", 403, "Change the password that you were given first.")
        elif not _owns(connection, caller):
            return _answer(connection, 403, "This screen belongs to another log-in.")
        remember(connection, caller)
        _forget_foreign_screen(connection, caller)
        return None

    def _stranger(self, connection: HTTPConnection) -> Response:
        self._is_set_up = self._is_set_up or not needs_setup(self._store)
        if not self._is_set_up:
            return _send_to(connection, "/setup", 401, "This installation has no account yet. Open /setup.")
        target = connection.url.path + (f"?{connection.url.query}" if connection.url.query else "")
        there = "/login" if target == "/" else f"/login?next={quote(target, safe='')}"
        answer = _send_to(connection, there, 401, "Log in first, or send an API token.")
        answer.headers["www-authenticate"] = "Bearer"
        return answer

    def _largest_body(self, path: str) -> int:
        if path.startswith("/api/"):
            return self._settings.max_upload + MIB
        return _UPLOAD_LIMIT + MIB if path.startswith("/_stcore/upload_file/") else _FORM_LIMIT


def is_open(path: str) -> bool:
    """Whether a path is reached without logging in."""
    return path in OPEN


def _forged(connection: HTTPConnection, hosts: frozenset[str], settings: Settings) -> Response | None:
    host = connection.headers.get("host")
    if not host_is_allowed(host, hosts):
        message = "This app does not answer to this host name. Add it to MODELOPS_ALLOWED_HOSTS."
        return _answer(connection, 400, message)
    is_socket = connection.scope["type"] == "websocket"
    if not is_socket and connection.scope["method"] in SAFE_METHODS:
        return None
    if bearer_of(connection):
        return None
    if comes_from_elsewhere(connection, settings):
        return _answer(connection, 403, "This request was caused by another site, so it is refused.")
    is_form = not is_socket and (is_open(connection.url.path) or connection.url.path in WHILE_PASSWORD_IS_NEW)
    # A form carries a token of its own. What has neither must at least say where it comes from.
    if not is_form and connection.cookies and not says_where_from(connection):
        return _answer(connection, 403, "A request with a cookie needs an Origin header; use an API token instead.")
    return None


def _owns(connection: HTTPConnection, caller: Caller) -> bool:
    screen = _SCREEN_UPLOAD.match(connection.url.path)
    if screen is None:
        return True
    return caller.session is not None and owns_screen(screen.group(1), caller.session.token_hash)


def _forget_foreign_screen(connection: HTTPConnection, caller: Caller) -> None:
    """Take the number of somebody else's earlier screen out of a websocket's opening (its third protocol entry)."""
    if connection.scope["type"] != "websocket":
        return
    entries = [entry.strip() for entry in connection.headers.get("sec-websocket-protocol", "").split(",")]
    if len(entries) < 3:
        return
    if caller.session is not None and owns_screen(entries[2], caller.session.token_hash):
        return
    kept = ", ".join(entries[:2]).encode("latin-1")
    name = b"sec-websocket-protocol"
    connection.scope["headers"] = [(key, kept if key == name else value) for key, value in connection.scope["headers"]]


def _declared_length(connection: HTTPConnection) -> int:
    text = connection.headers.get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() else 0


def _limited(receive: Receive, limit: int) -> Receive:
    """Count what arrives: a body sent in pieces does not say its length beforehand."""
    arrived = 0

    async def counted() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > limit:
            raise HTTPException(413, _too_large(limit))
        return message

    return counted


def _too_large(limit: int) -> str:
    return f"This request is larger than {limit:,} bytes, which is the limit here."


def _is_visit(connection: HTTPConnection) -> bool:
    """Whether somebody opens a page, rather than a program or a page's script fetching something."""
    if connection.scope["type"] != "http" or connection.scope["method"] not in {"GET", "HEAD"}:
        return False
    if connection.url.path.startswith(("/api/", "/_stcore/", "/static/", "/media/", "/component/")):
        return False
    mode = connection.headers.get("sec-fetch-mode", "navigate")
    return mode == "navigate" and "text/html" in connection.headers.get("accept", "")


def _send_to(connection: HTTPConnection, path: str, status: int, message: str) -> Response:
    if _is_visit(connection):
        return RedirectResponse(path, status_code=303, headers={"cache-control": "no-store"})
    return _answer(connection, status, message)


def _answer(connection: HTTPConnection, status: int, message: str) -> Response:
    if connection.url.path.startswith("/api/"):
        return JSONResponse({"error": {"kind": _KINDS.get(status, "Refused"), "message": message}}, status_code=status)
    return PlainTextResponse(message, status_code=status)


_KINDS = {400: "InvalidInput", 401: "NotLoggedIn", 403: "NotAllowed", 413: "TooLarge"}


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await response(scope, receive, send)
        return
    await receive()
    # Before the handshake is accepted, a server answers a close with HTTP 403.
    await send({"type": "websocket.close", "code": 4401, "reason": "log in first"})
