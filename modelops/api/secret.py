"""A secret of this installation: it signs what the door hands out and gets back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from pydantic import JsonValue

_FILE = "door.secret"


def door_secret(keys: Path) -> bytes:
    """Return the secret kept in the folder ``keys``, made at the first call; readable by the app's user alone."""
    path = keys / _FILE
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(32))
    return _read(path)


def _read(path: Path) -> bytes:
    found = path.read_bytes()
    if len(found) != 32:
        raise RuntimeError(f"{path.name} holds {len(found)} bytes, expected 32. Remove it and start again.")
    return found


def seal(secret: bytes, purpose: str, content: dict[str, JsonValue]) -> str:
    """Return ``content`` as text that `unseal` accepts for the same ``purpose`` only. Readable, but not forgeable."""
    body = base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode())
    return f"{body.decode()}.{_mac(secret, purpose, body)}"


def unseal(secret: bytes, purpose: str, text: str) -> dict[str, JsonValue] | None:
    """Return what was sealed, or ``None`` if the text was not made by `seal` with this secret and purpose."""
    body, _, mac = text.partition(".")
    expected = _mac(secret, purpose, body.encode("utf-8", "surrogatepass"))
    if not hmac.compare_digest(expected.encode(), mac.encode("utf-8", "surrogatepass")):
        return None
    try:
        content = json.loads(base64.urlsafe_b64decode(body))
    except (ValueError, binascii.Error):
        return None
    return content if isinstance(content, dict) else None


def _mac(secret: bytes, purpose: str, body: bytes) -> str:
    return hmac.new(secret, purpose.encode() + b"\0" + body, hashlib.sha256).hexdigest()
