"""Warm spares: sandboxed processes that have done their imports and wait to be used, once.

A sandboxed process costs its imports (2-8 s). One spare of each kind that was asked for with `warm` waits; whoever
starts a worker of that kind takes it, and the next one is started in the background. A spare is walled in before it
imports, and has seen no file.
"""

from __future__ import annotations

import atexit
import threading
from dataclasses import dataclass, field

from modelops.errors import WorkerFailed
from modelops.sandbox.launch import Worker, check_entry, close_all
from modelops.sandbox.limits import MODEL_LIMITS, Limits

_Kind = tuple[str, Limits]


@dataclass
class _Pool:
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: dict[_Kind, Worker] = field(default_factory=dict)
    wanted: set[_Kind] = field(default_factory=set)
    is_shut: bool = False


_pool = _Pool()


def warm(entry: str, limits: Limits = MODEL_LIMITS) -> None:
    """Keep one spare for ``entry`` with these limits from now on. Returns at once.

    Raises
    ------
    InvalidInput
        If the entry is not a module of this package.
    """
    check_entry(entry)
    kind = (entry, limits)
    with _pool.lock:
        if kind in _pool.wanted or _pool.is_shut:
            return
        _pool.wanted.add(kind)
    _refill(kind)


def take(entry: str, limits: Limits) -> Worker | None:
    """Return the spare of this kind if one lives, and have it replaced."""
    kind = (entry, limits)
    with _pool.lock:
        worker = _pool.waiting.pop(kind, None)
        is_wanted = kind in _pool.wanted
    if is_wanted:
        _refill(kind)
    if worker is not None and not worker.is_running():
        worker.close()
        return None
    return worker


def _refill(kind: _Kind) -> None:
    threading.Thread(target=_start_spare, args=(kind,), name="sandbox-spare", daemon=True).start()


def _start_spare(kind: _Kind) -> None:
    try:
        worker = Worker.confined(*kind, warm=True)
    except (WorkerFailed, OSError):
        return  # whoever needs one will start it and see the reason
    with _pool.lock:
        keep = not _pool.is_shut and kind not in _pool.waiting
        if keep:
            _pool.waiting[kind] = worker
    if not keep:
        worker.close()


def shutdown() -> None:
    """End every sandboxed process and keep no spares any more. Runs at exit by itself."""
    with _pool.lock:
        _pool.is_shut = True
        _pool.wanted.clear()
        _pool.waiting.clear()
    close_all()


def restart() -> None:
    """Allow spares again after `shutdown`."""
    with _pool.lock:
        _pool.is_shut = False


atexit.register(shutdown)
