"""One opened store for each pair of URLs in a process: server, pages and job runner share its connections."""

from __future__ import annotations

from functools import lru_cache

from modelops.settings import Settings
from modelops.store.store import Store


def opened(settings: Settings) -> Store:
    """Return the store that these settings name, opened (and upgraded, if needed) on the first call."""
    return _opened(settings.database, settings.blobs)


@lru_cache(maxsize=16)
def _opened(database: str, blobs: str) -> Store:
    return Store.open(database, blobs)
