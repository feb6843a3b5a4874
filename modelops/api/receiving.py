"""A file that arrives by HTTP: hashed and written while it comes, never held in memory."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request

from modelops.errors import InvalidInput
from modelops.store import Blobs
from modelops.store.blobs import Staged

_AT_ONCE = 1 << 20


@contextlib.asynccontextmanager
async def received(request: Request, blobs: Blobs, *, limit: int) -> AsyncIterator[Staged]:
    """Give the body of a request as a staged file; what the block does not keep leaves nothing behind.

    Raises
    ------
    TooLarge
        As soon as more than ``limit`` bytes came.
    InvalidInput
        If the sender went away in between.
    """
    staging = blobs.stage(limit=limit)
    staged = await to_thread.run_sync(staging.__enter__)
    try:
        await _fill(staged, request)
        yield staged
    except BaseException:
        staging.__exit__(*sys.exc_info())
        raise
    await to_thread.run_sync(lambda: staging.__exit__(None, None, None))


async def _fill(staged: Staged, request: Request) -> None:
    waiting = bytearray()
    try:
        async for chunk in request.stream():
            waiting += chunk
            if len(waiting) >= _AT_ONCE:
                await to_thread.run_sync(staged.add, bytes(waiting))
                waiting.clear()
    except ClientDisconnect as error:
        raise InvalidInput("The file did not arrive in full. Send it again.") from error
    await to_thread.run_sync(staged.add, bytes(waiting))
