"""How many threads a model of our own is trained and asked with."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

MANY_ROWS = 10_000
"""From here on several threads are worth it; below, they wait for each other longer than they work."""


def threads_for(rows: int) -> AbstractContextManager[object]:
    """Keep native code to one thread where the rows are few."""
    return one_thread() if rows < MANY_ROWS else nullcontext()


def one_thread() -> AbstractContextManager[object]:
    """Keep native code to one thread: more of them, waiting for each other on a busy machine, were 50 times as slow."""
    # Only what is loaded can be limited.
    import sklearn.ensemble  # noqa: F401
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    limited: AbstractContextManager[object] = threadpool_limits(1)
    return limited
