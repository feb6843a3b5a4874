"""Which libraries this installation was locked to."""

from __future__ import annotations

from functools import lru_cache

from modelops.domain.digest import Digest
from modelops.settings import ROOT


@lru_cache(maxsize=1)
def lock_digest() -> Digest:
    """Return the digest of the lock file that the environment was installed from."""
    return Digest.of_file(ROOT / "requirements.txt")
