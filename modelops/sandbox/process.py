"""Starting the operating system's process of a worker: folders, environment, command line."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from modelops.sandbox.confine import hide_memory
from modelops.sandbox.folders import ROOT, Folders, worker_user
from modelops.sandbox.limits import Limits

_CHILD = Path(__file__).with_name("child.py")
_THREAD_SETTINGS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)


def protect_parent() -> bool:
    """Keep this process's memory, environment and open files from other processes of the same user.

    Called once when the app starts. Even where Landlock is missing, a sandboxed process then cannot read its parent's
    secrets. Returns whether the system can do it (Linux).
    """
    try:
        hide_memory()
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Started:
    """A process, and the parent's end of its control socket (``None`` where the system has none)."""

    popen: subprocess.Popen[bytes]
    control: socket.socket | None


def start(
    entry: str, limits: Limits, folders: Folders, *, warm: bool = False, readable: tuple[Path, ...] = ()
) -> Started:
    """Start the child program for ``entry``; ``warm`` makes it import before it is asked."""
    ours, theirs = socket.socketpair() if hasattr(socket, "send_fds") else (None, None)
    configuration = {
        "entry": entry,
        "warm": warm,
        "root": str(ROOT),
        "inputs": str(folders.inputs),
        "scratch": str(folders.scratch),
        "readable": [str(path) for path in readable],
        "limits": limits.as_json(),
        "parent": os.getpid(),
        "user": worker_user(),
        "control": None if theirs is None else theirs.fileno(),
    }
    command = [sys.executable, "-I", "-B", str(_CHILD), json.dumps(configuration)]
    passed = () if theirs is None else (theirs.fileno(),)
    try:
        popen = _spawner().submit(command, folders.scratch, _environment(folders.scratch, limits.threads), passed)
    except BaseException:
        if ours is not None:
            ours.close()
        raise
    finally:
        if theirs is not None:
            theirs.close()
    return Started(popen, ours)


def _environment(scratch: Path, threads: int) -> dict[str, str]:
    """Return all that the child learns of this machine."""
    environment = dict.fromkeys(_THREAD_SETTINGS, str(threads))
    environment |= {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "MPLCONFIGDIR": str(scratch),
        "NUMBA_CACHE_DIR": str(scratch / "numba"),
        "JOBLIB_MULTIPROCESSING": "0",
        # Threads that wait by spinning keep each other from working on a busy machine.
        "OMP_WAIT_POLICY": "passive",
    }
    if sys.platform == "win32":
        environment |= {name: os.environ[name] for name in ("SYSTEMROOT", "SYSTEMDRIVE") if name in os.environ}
        environment |= {"TEMP": str(scratch), "TMP": str(scratch)}
    return environment


class _Spawner:
    """One thread that starts every child.

    A child asks the kernel to die with its parent, and the kernel means the *thread* that started it: started from a
    short-lived thread (a page, a job), a spare would die with that thread.
    """

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[
            tuple[list[str], Path, dict[str, str], tuple[int, ...], Future[subprocess.Popen[bytes]]]
        ]
        self._orders = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="sandbox-spawner", daemon=True).start()

    def submit(
        self, command: list[str], folder: Path, environment: dict[str, str], passed: tuple[int, ...]
    ) -> subprocess.Popen[bytes]:
        """Start one child and return it."""
        done: Future[subprocess.Popen[bytes]] = Future()
        self._orders.put((command, folder, environment, passed, done))
        return done.result()

    def _serve(self) -> None:
        while True:
            command, folder, environment, passed, done = self._orders.get()
            try:
                done.set_result(_popen(command, folder, environment, passed))
            except BaseException as error:  # noqa: BLE001 - handed to the one who asked
                done.set_exception(error)


def _popen(
    command: list[str], folder: Path, environment: dict[str, str], passed: tuple[int, ...]
) -> subprocess.Popen[bytes]:
    posix = sys.platform != "win32"
    return subprocess.Popen(  # noqa: S603 - our own interpreter and program, no shell
        command,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment,
        close_fds=True,
        start_new_session=posix,
        pass_fds=passed if posix else (),
    )


_spawners: dict[int, _Spawner] = {}
_spawners_lock = threading.Lock()


def _spawner() -> _Spawner:
    """Return the spawner of this process; after a fork the thread is gone, so the child process has its own."""
    with _spawners_lock:
        if os.getpid() not in _spawners:
            _spawners.clear()
            _spawners[os.getpid()] = _Spawner()
        return _spawners[os.getpid()]
