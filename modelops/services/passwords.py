"""Passwords: the rules for a good one, the slow hash, and passwords that are given out once."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from modelops.errors import InvalidInput
from modelops.services.common_passwords import COMMON

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST = 12
LONGEST = 256
# Each verification takes 64 MiB: more at the same time would let a stranger fill the memory.
_AT_ONCE = threading.BoundedSemaphore(2)
_TEMPORARY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def check_password(password: str, *, login: str) -> None:
    """Refuse a password that is guessed early.

    Raises
    ------
    InvalidInput
        If it is shorter than 12 or longer than 256 characters, holds the login, is a common one with or without
        digits around it, or repeats few characters.
    """
    if len(password) < SHORTEST:
        raise InvalidInput(f"This password has {len(password)} characters; at least {SHORTEST} are needed.")
    if len(password) > LONGEST:
        raise InvalidInput(f"This password has {len(password)} characters; at most {LONGEST} are possible.")
    folded = password.casefold()
    if login and login.casefold() in folded:
        raise InvalidInput("This password contains the login. Choose one that does not.")
    if len(set(folded)) < 5:
        raise InvalidInput("This password repeats very few characters. Choose one with more different characters.")
    letters = "".join(character for character in folded if character.isalnum())
    if {folded, letters, letters.strip("0123456789")} & COMMON:
        raise InvalidInput("This password is on the list of common passwords. Choose another, or four random words.")


def password_hash(password: str) -> str:
    """Return the argon2id hash, with its parameters and salt."""
    with _AT_ONCE:
        return _hasher().hash(_composed(password))


def password_matches(stored: str | None, password: str) -> bool:
    """Whether ``password`` is the one that was hashed. Takes as long when there is nothing ``stored``."""
    from argon2.exceptions import InvalidHashError, VerificationError

    # A password longer than any that can be set is never right, and is not worth hashing.
    composed = _composed(password[: LONGEST + 1])
    with _AT_ONCE:
        try:
            _hasher().verify(_dummy() if stored is None else stored, composed)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _hasher().check_needs_rehash(stored)


def temporary_password() -> str:
    """Return a random password that is easy to read out: four groups of four, about 79 bits."""
    groups = ("".join(secrets.choice(_TEMPORARY_ALPHABET) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def _composed(password: str) -> bytes:
    """The same letters typed on another keyboard give the same bytes."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@lru_cache(maxsize=1)
def _dummy() -> str:
    return _hasher().hash(secrets.token_bytes(32))
