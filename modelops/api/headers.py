"""Headers on every response: what a browser may load and from where.

Streamlit's pages get the policy under which all of its charts still draw and every script that does not come from this
server is blocked; the pages of the door get a stricter one without any script.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
DOOR_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FIXED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not "no-referrer": under that, browsers send "Origin: null" with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


def screen_policy(index: Path | None = None) -> str:
    """Return the content security policy of Streamlit's pages.

    ``index`` is Streamlit's own first page: the one inline script in it is allowed by its hash.
    """
    scripts = _INLINE.findall(index.read_text(encoding="utf-8")) if index is not None and index.is_file() else []
    hashes = "".join(f" 'sha256-{_hash(script)}'" for script in scripts)
    # Streamlit hands the script of the upload field to the browser as a blob; only a running script can make one.
    return (
        "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; "
        f"script-src 'self' 'wasm-unsafe-eval'{hashes} blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "media-src 'self' blob:; frame-src 'self'; manifest-src 'self'"
    )


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


class Headers:
    """Middleware: adds the headers to whatever answers, refusals included."""

    def __init__(self, app: ASGIApp, *, policy: str, behind_tls: bool) -> None:
        self._app = app
        self._policy = policy
        self._behind_tls = behind_tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; headers that the answer brings itself win."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._complete(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, with_headers)

    def _complete(self, headers: MutableHeaders) -> None:
        for name, value in _FIXED.items():
            headers.setdefault(name, value)
        headers.setdefault("content-security-policy", self._policy)
        if headers.get("content-type", "").startswith(("text/html", "application/json")):
            headers.setdefault("cache-control", "no-store")
        if self._behind_tls:
            headers.setdefault("strict-transport-security", "max-age=31536000; includeSubDomains")
