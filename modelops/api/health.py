"""``/healthz``: whether the app answers, which version it is, and how well it walls in what it opens."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from modelops.domain.result import Protection
from modelops.services.setup import needs_setup
from modelops.settings import Settings
from modelops.store import Store
from modelops.version import VERSION

_LOG = logging.getLogger("modelops.api")
_found: list[Protection] = []


def probe_in_background(_store: Store, _settings: Settings) -> Callable[[], None]:
    """Find out the protection level beside the start: it takes seconds, and nobody should wait for it."""

    def probe() -> None:
        from modelops.sandbox.protection import protection

        try:
            _found[:] = [protection()]
        except Exception:  # noqa: BLE001 - the level stays unknown, which is what the answer then says
            _LOG.exception("The protection level could not be found out")

    threading.Thread(target=probe, name="protection", daemon=True).start()
    return lambda: None


class Health:
    """The route; its answer says that the database answers too."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def show(self, _: Request) -> Response:
        """Answer ``ok`` with the version and the protection level, ``null`` until it is known."""
        await to_thread.run_sync(needs_setup, self._store)
        level = _found[0].level if _found else None
        return JSONResponse({"status": "ok", "version": VERSION, "protection": level})
