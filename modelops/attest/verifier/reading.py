"""What everything else here is read with: refusals, checks, and JSON that means only one thing."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

VERIFIED, UNKNOWN_SIGNER, FAILED = "verified", "consistent, but signer unknown", "failed"
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
HEX = "[0-9a-f]{64}"


class Refused(Exception):
    """Something is not what it must be; ``subject`` names it."""

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(reason)
        self.subject, self.reason = subject, reason


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: of what, what was found, what was expected."""

    name: str
    subject: str
    ok: bool
    found: str
    expected: str


@dataclass(frozen=True)
class VerificationReport:
    """All checks, what follows from them, and what the statement says (to be believed only if ``ok``)."""

    outcome: str
    checks: tuple[Check, ...]
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether everything fits and a trusted key signed it."""
        return self.outcome == VERIFIED

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that did not hold."""
        return tuple(check for check in self.checks if not check.ok)


class Checks(list[Check]):
    """The checks so far."""

    def add(self, name: str, subject: str, found: object, expected: object) -> None:
        """Note what was found and what was expected; they must be equal."""
        self.append(Check(name, subject, found == expected, str(found), str(expected)))


def strict_json(raw: bytes, subject: str) -> Any:
    """Return the JSON value of ``raw``; duplicate keys, NaN, broken UTF-8 and lone surrogates are refused."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            raise ValueError(f"the key {max(names, key=names.count)!r} stands there twice")
        return found

    def constant(text: str) -> Any:
        raise ValueError(f"{text} is no JSON number")

    try:
        text = raw.decode("utf-8")
        value = json.loads(text, object_pairs_hook=once, parse_constant=constant)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refused(subject, f"got bytes that are not strict JSON: {error}") from error
    return value


def fields(value: object, names: Collection[str], subject: str) -> dict[str, Any]:
    """Return ``value`` if it is an object with exactly the keys ``names``."""
    if not isinstance(value, dict):
        raise Refused(subject, f"got {type(value).__name__}, expected an object with {', '.join(names)}")
    if set(value) != set(names):
        odd = ", ".join(sorted(set(value) ^ set(names)))
        raise Refused(subject, f"got unknown or missing fields ({odd}), expected exactly {', '.join(names)}")
    return value


def typed(value: object, kind: type, subject: str) -> Any:
    """Return ``value`` if it is exactly of the type ``kind``: a boolean is no integer."""
    if type(value) is not kind:
        raise Refused(subject, f"got {type(value).__name__}, expected {kind.__name__}")
    return value


def text_of(value: object, subject: str, pattern: str = r"(?s).*") -> str:
    """Return ``value`` if it is text that matches ``pattern`` as a whole."""
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise Refused(subject, f"got {str(value)[:80]!r}, expected text of the form {pattern}")
    return value


def objects(value: object, subject: str) -> list[dict[str, Any]]:
    """Return ``value`` if it is a list of objects."""
    return [typed(item, dict, subject) for item in typed(value, list, subject)]


def base64_bytes(text: object, subject: str) -> bytes:
    """Return the bytes of base64 text in its one canonical form."""
    try:
        raw = base64.b64decode(text_of(text, subject), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(subject, f"got text that is not base64: {error}") from error
    if base64.b64encode(raw).decode() != text:
        raise Refused(subject, "got base64 with stray bits, expected its one canonical form")
    return raw
