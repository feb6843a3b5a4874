"""How well sandboxed processes are walled in on this machine, found by trying.

Version numbers and lists of features do not say what holds: a container may forbid what the kernel offers. So a
sandboxed process of its own tries to break out, once for each process of the app, and what it could not do decides.

====  =========================================================  ====================================================
A     nothing succeeded                                          no network, no other files, no programs
B     files could be read or written, nothing else               files that the server may read, the model may read
C     anything else, or no sandboxed process comes up            limits of time and memory only
====  =========================================================  ====================================================
"""

from __future__ import annotations

import logging
import socket
import tempfile
import threading
from pathlib import Path
from typing import Literal

from modelops.domain.result import Protection
from modelops.errors import ModelOpsError
from modelops.sandbox.launch import Worker
from modelops.sandbox.limits import MIB, Limits

_LOG = logging.getLogger("modelops.sandbox")
_LIMITS = Limits(memory=512 * MIB, cpu_seconds=20, wall_seconds=60.0, file_bytes=8 * MIB, open_files=64)
_ON_FILES = frozenset(
    {
        "read a system file",
        "read a file of the same user",
        "write outside its folder",
        "read its parent's environment",
    }
)
_lock = threading.Lock()
_found: list[Protection] = []


def protection() -> Protection:
    """Return the protection level of this machine, with the layers that are active. Probed once, then remembered."""
    with _lock:
        if not _found:
            _found.append(probe())
        return _found[0]


def probe() -> Protection:
    """Start a sandboxed process that tries to break out, and judge by what it could do."""
    try:
        layers, succeeded = attempt()
    except (ModelOpsError, OSError) as error:
        _LOG.warning("No sandboxed process could be probed, so the protection level is C: %s", error)
        return Protection(level="C")
    if succeeded:
        _LOG.warning("A sandboxed process on this machine can: %s", ", ".join(sorted(succeeded)))
    return Protection(level=level(succeeded), layers=layers)


def level(succeeded: frozenset[str]) -> Literal["A", "B", "C"]:
    """Return the level for a set of attempts that succeeded.

    Examples
    --------
    >>> level(frozenset()), level(frozenset({"read a system file"})), level(frozenset({"fork"}))
    ('A', 'B', 'C')
    """
    if not succeeded:
        return "A"
    return "B" if succeeded <= _ON_FILES else "C"


def attempt() -> tuple[tuple[str, ...], frozenset[str]]:
    """Run the attempts; return the active layers and what succeeded.

    What the process says is held against what the parent sees: a connection that arrived, a file that was written.

    Raises
    ------
    WorkerFailed
        If the process does not come up or does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="modelops-probe-") as folder, socket.socket() as listener:
        outside = Path(folder)
        (outside / "secret").write_bytes(b"secret")
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.0)
        # A process of its own, never a spare: its limits are the probe's.
        with Worker.confined("modelops.sandbox.attempts", _LIMITS) as worker:
            worker.begin("The probe of the sandbox")
            order = {"kind": "attempt", "outside": folder, "port": listener.getsockname()[1]}
            limits = {
                "memory": _LIMITS.address_space,
                "open_files": _LIMITS.open_files,
                "file_bytes": _LIMITS.file_bytes,
            }
            worker.send({**order, **limits})
            told = worker.receive().header.get("succeeded")
            layers = worker.layers
        succeeded = {item for item in told if isinstance(item, str)} if isinstance(told, list) else {"answer nonsense"}
        if _has_connection(listener):
            succeeded.add("connect over TCP")
        if (outside / "written").exists():
            succeeded.add("write outside its folder")
        return layers, frozenset(succeeded)


def _has_connection(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except OSError:
        return False
    return True
