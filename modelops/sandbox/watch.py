"""What the parent watches while a sandboxed process lives: its memory, threads, files, time, and what it prints."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from modelops.errors import WorkerFailed
from modelops.sandbox import fates
from modelops.sandbox.limits import Limits

_EVERY = 0.1
_FILES_EVERY = 1.0
_MOST_FILES = 10_000
_KEPT_LOG = 16_384


class Log:
    """The end of what a process prints; too much of it ends the process."""

    def __init__(self, stream: IO[bytes] | None, limit: int, *, on_flood: Callable[[int], None]) -> None:
        self._kept = b""
        self._limit = limit
        self._on_flood = on_flood
        self._thread = threading.Thread(target=self._drain, args=(stream,), name="sandbox-log", daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        """The last 16 KiB."""
        return self._kept.decode(errors="replace")

    def join(self, seconds: float) -> None:
        """Wait until everything is read."""
        self._thread.join(seconds)

    def _drain(self, stream: IO[bytes] | None) -> None:
        total = 0
        try:
            while stream is not None and (piece := os.read(stream.fileno(), 65536)):
                total += len(piece)
                self._kept = (self._kept + piece)[-_KEPT_LOG:]
                if total > self._limit:
                    self._on_flood(self._limit)
                    return
        except (OSError, ValueError):
            return


class Watch:
    """A thread that ends a process which exceeds a limit that the kernel does not keep by itself."""

    def __init__(
        self,
        popen: subprocess.Popen[bytes],
        limits: Limits,
        scratch: Path,
        *,
        fail: Callable[[WorkerFailed], None],
        subject: Callable[[], str],
    ) -> None:
        self._popen = popen
        self._limits = limits
        self._scratch = scratch
        self._fail = fail
        self._subject = subject
        self._deadline: float | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sandbox-watch-{popen.pid}", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Start the wall-clock time."""
        self._deadline = time.monotonic() + self._limits.wall_seconds

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        import psutil

        try:
            process = psutil.Process(self._popen.pid)
        except psutil.Error:
            return
        next_files = time.monotonic() + _FILES_EVERY
        while not self._stopped.wait(_EVERY) and self._popen.poll() is None:
            try:
                with process.oneshot():
                    resident, threads = process.memory_info().rss, process.num_threads()
            except psutil.Error:
                resident, threads = 0, 0  # it has just ended, or this system hides it
            now = time.monotonic()
            error = self._exceeded(resident, threads, now)
            if error is None and now >= next_files:
                next_files = now + _FILES_EVERY
                error = self._files_exceeded()
            if error is not None:
                self._fail(error)
                return

    def _exceeded(self, resident: int, threads: int, now: float) -> WorkerFailed | None:
        if resident > self._limits.memory:
            return fates.out_of_memory(self._subject(), self._limits)
        if threads > self._limits.thread_ceiling:
            return fates.too_many_threads(self._subject(), self._limits)
        if self._deadline is not None and now > self._deadline:
            return fates.took_too_long(self._subject(), self._limits.wall_seconds)
        return None

    def _files_exceeded(self) -> WorkerFailed | None:
        if _written(self._scratch, self._limits.scratch_bytes) > self._limits.scratch_bytes:
            return fates.wrote_too_much(self._subject(), self._limits)
        return None


def _written(folder: Path, enough: int) -> int:
    """Return the bytes below ``folder``; stops counting at ``enough``, and counts very many files as too much."""
    total, files, waiting = 0, 0, [str(folder)]
    while waiting and total <= enough:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    files += 1
                    if files > _MOST_FILES:
                        return enough + 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue  # the process is changing the folder while we read it
    return total
