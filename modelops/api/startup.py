"""What starts with the server and stops with it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

from anyio import to_thread

from modelops.api.health import probe_in_background
from modelops.jobs import runner, upkeep, warming
from modelops.settings import Settings
from modelops.store import Store

Stop = Callable[[], None]
STARTUP: tuple[Callable[[Store, Settings], Stop], ...] = (
    upkeep.start,
    runner.start,
    probe_in_background,
    warming.start,
)


@contextlib.asynccontextmanager
async def running(store: Store, settings: Settings) -> AsyncIterator[None]:
    """Start everything in its order; stop it in the opposite one, also if a later one did not start."""
    stops: list[Stop] = []
    try:
        for start in STARTUP:
            stops.append(await to_thread.run_sync(start, store, settings))  # noqa: PERF401 - one must stop what began
        yield
    finally:
        for stop in reversed(stops):
            await to_thread.run_sync(stop)
