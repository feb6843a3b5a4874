"""Digests: text that carries its algorithm."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from modelops.domain.canonical import canonical_bytes
from modelops.errors import InvalidInput

_PATTERN = re.compile(r"sha256:[0-9a-f]{64}")
_CHUNK = 1 << 20


class Digest(str):
    """``sha256:`` followed by 64 lower-case hexadecimal digits.

    Raises
    ------
    InvalidInput
        If the text has another form.

    Examples
    --------
    >>> Digest.of(b"abc").hex[:8]
    'ba7816bf'
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:  # noqa: D102
        if not _PATTERN.fullmatch(text):
            shown = text if len(text) <= 80 else text[:77] + "..."
            raise InvalidInput(f"Got {shown!r} as a digest, expected 'sha256:' and 64 lower-case hexadecimal digits.")
        return super().__new__(cls, text)

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Return the digest of ``content``."""
        return cls("sha256:" + hashlib.sha256(content).hexdigest())

    @classmethod
    def of_json(cls, value: object) -> Self:
        """Return the digest of the canonical JSON form (RFC 8785) of ``value``."""
        return cls.of(canonical_bytes(value))

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Return the digest of a file, read in pieces."""
        state = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                state.update(chunk)
        return cls("sha256:" + state.hexdigest())

    @property
    def hex(self) -> str:
        """The 64 digits without the algorithm."""
        return self.removeprefix("sha256:")

    @property
    def short(self) -> str:
        """The first twelve digits, for people."""
        return self.hex[:12]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls._validated, core_schema.str_schema())

    @classmethod
    def _validated(cls, text: str) -> Self:
        try:
            return cls(text)
        except InvalidInput as error:
            raise ValueError(str(error)) from error
