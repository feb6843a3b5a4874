"""The one canonical form of JSON (RFC 8785), by the ``rfc8785`` library.

Everything that is hashed or signed goes through here, so that the same content has the same bytes everywhere.
"""

from __future__ import annotations

import rfc8785
from pydantic import BaseModel

from modelops.errors import InvalidInput

MAX_DEPTH = 40
Plain = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None


def canonical_bytes(value: object) -> bytes:
    """Return the RFC 8785 form of ``value``.

    Parameters
    ----------
    value : object
        A record, or nested dict, list, tuple, str, int, float, bool and None. Text keys only.

    Raises
    ------
    InvalidInput
        If the value holds NaN, an infinity, an integer beyond 2**53, bytes, a lone surrogate, a key that is not
        text, or is nested deeper than ``MAX_DEPTH``.

    Examples
    --------
    >>> canonical_bytes({"b": 1.0, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    plain = value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value
    try:
        return rfc8785.dumps(_plain(plain, depth=0))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise InvalidInput(f"This content has no canonical JSON form: {error}.") from error


def _plain(value: object, *, depth: int) -> Plain:
    if depth > MAX_DEPTH:
        raise InvalidInput(f"This content is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise InvalidInput(f"Got the key {key!r} in JSON content, expected text.")
            key.encode()
        return {str(key): _plain(item, depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth=depth + 1) for item in value]
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise InvalidInput(f"Got a value of type {type(value).__name__} in JSON content.")
