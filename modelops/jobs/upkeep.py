"""What happens without anybody asking: publishing what came with the app, daily checkpoints, ends of approvals."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from modelops.services import catalogue, files, reviews, trail
from modelops.services.keyring import Keys, open_keys
from modelops.settings import Settings
from modelops.store import Store

_EVERY_SECONDS = 3600.0
_log = logging.getLogger(__name__)


def start(store: Store, settings: Settings) -> Callable[[], None]:
    """Make the store ready, then look after it once an hour; return the function that stops it."""
    now = datetime.now(UTC)
    files.sweep(store, at=now)
    catalogue.publish_built_in(store, at=now)
    keys = open_keys(settings.keys, store, at=now)
    stopping = threading.Event()
    thread = threading.Thread(target=_look_after, args=(store, keys, stopping), name="upkeep", daemon=True)
    thread.start()

    def stop() -> None:
        stopping.set()
        thread.join(timeout=10)

    return stop


def _look_after(store: Store, keys: Keys, stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            now = datetime.now(UTC)
            reviews.expire(store, at=now)
            trail.daily_checkpoint(store, keys, at=now)
        except Exception:  # noqa: BLE001 - logged; the thread must go on
            _log.exception("Upkeep failed; it is tried again in an hour")
        stopping.wait(_EVERY_SECONDS)
