"""Makes the first analysis start at once: compiled kernels and warm processes, prepared beside the start."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import logging
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from modelops.errors import ModelOpsError
from modelops.evaluation import keep_spares
from modelops.sandbox import ANALYSIS_LIMITS, Limits, compile_cache, compiling
from modelops.settings import Settings
from modelops.store import Store

KERNELS = ("modelops.analyses.cores.histogram_kernels", "modelops.treeshap.kernels")
"""The modules whose functions are compiled to machine code."""

# A page that somebody waits for comes first.
_AFTER_SECONDS = 3.0
_log = logging.getLogger(__name__)


def run_limits(settings: Settings) -> Limits:
    """Return what one analysis may use."""
    return replace(ANALYSIS_LIMITS, memory=settings.worker_memory, wall_seconds=float(settings.worker_seconds))


def start(_store: Store, settings: Settings) -> Callable[[], None]:
    """Prepare in the background; return the function that stops that. Waiting processes end with this one."""
    if not settings.warm:
        return lambda: None
    stopping = threading.Event()

    def prepare() -> None:
        if stopping.wait(_AFTER_SECONDS):
            return
        try:
            compile_kernels(settings.home / "compiled")
        except (ModelOpsError, OSError):
            _log.exception("The kernels could not be compiled ahead; each analysis compiles its own")
        if not stopping.is_set():
            keep_spares(run_limits(settings))

    threading.Thread(target=prepare, name="warming", daemon=True).start()

    return stopping.set


def compile_kernels(folder: Path) -> int:
    """Compile the kernels unless this very code is compiled already; return the number of files made.

    ``folder`` holds one folder for the sources and the compiler of today; what is left of earlier ones is removed.
    """
    current = folder / _stamp()
    compile_cache.use(current)
    if current.is_dir():
        return 0
    made = compiling.fill(KERNELS)
    for old in folder.iterdir():
        if old != current:
            shutil.rmtree(old, ignore_errors=True)
    return made


def _stamp() -> str:
    """Return a name for the sources of the kernels and the version of the compiler."""
    content = hashlib.sha256(importlib.metadata.version("numba").encode())
    for name in KERNELS:
        found = importlib.util.find_spec(name)
        if found is not None and found.origin:
            content.update(Path(found.origin).read_bytes())
    return content.hexdigest()[:16]
