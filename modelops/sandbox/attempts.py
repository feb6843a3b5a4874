"""A worker that tries to break out: what `modelops.sandbox.protection` learns the protection level from.

Every attempt is harmless where it succeeds: a file of the probe's own is read or written, a listener of the probe's own
is connected to, the null signal is sent.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelops.sandbox.channel import Channel
    from modelops.sandbox.wire import Json

_SEIZE = 0x4206  # unlike PTRACE_ATTACH, this does not stop the process that it succeeds on
_NEW_USER = 0x10000000
_NEW_NETWORK = 0x40000000


def main(channel: Channel) -> None:
    """Try everything; answer which attempts succeeded, by name."""
    order = channel.receive()
    outside, port = Path(order.text("outside")), order.header["port"]
    limits = {name: order.header[name] for name in ("memory", "open_files", "file_bytes")}
    succeeded: list[Json] = []
    for name, attempt in _attempts(outside, int(str(port)), {key: int(str(value)) for key, value in limits.items()}):
        try:
            attempt()
        except (OSError, MemoryError, ValueError, AttributeError):
            continue
        succeeded.append(name)
    channel.send({"kind": "attempted", "succeeded": succeeded})


def _attempts(outside: Path, port: int, limits: dict[str, int]) -> list[tuple[str, Callable[[], object]]]:
    parent = os.getppid()
    return [
        ("read a system file", lambda: _read(Path("/etc/passwd"))),
        ("read a file of the same user", lambda: _read(outside / "secret")),
        ("write outside its folder", lambda: (outside / "written").write_bytes(b"x")),
        ("change the mode of a file", lambda: (outside / "secret").chmod(0o600)),
        ("read its parent's environment", lambda: _read(Path(f"/proc/{parent}/environ"))),
        ("read its parent's memory", lambda: _read(Path(f"/proc/{parent}/mem"), 0)),
        ("connect over TCP", lambda: _connect(port)),
        ("open a UDP socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()),
        ("open a local socket", _pair),
        ("fork", _fork),
        ("start a program", lambda: subprocess.run([sys.executable, "-c", ""], check=True, timeout=10)),
        ("signal its parent", lambda: os.kill(parent, 0)),
        ("trace its parent", lambda: _trace(parent)),
        ("make a user namespace", lambda: _libc("unshare", _NEW_USER | _NEW_NETWORK)),
        ("allocate without end", lambda: _allocate(limits["memory"])),
        ("open files without end", lambda: _open_many(limits["open_files"])),
        ("write a file without end", lambda: _write_much(limits["file_bytes"])),
    ]


def _read(path: Path, size: int = 1) -> None:
    with path.open("rb", buffering=0) as file:
        if size:
            file.read(size)


def _connect(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def _pair() -> None:
    for end in socket.socketpair():
        end.close()


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _trace(process: int) -> None:
    _libc("ptrace", _SEIZE, process, 0, 0)


def _libc(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*(ctypes.c_long(argument) for argument in arguments)) < 0:
        raise OSError(ctypes.get_errno(), name)


def _allocate(limit: int) -> None:
    mmap.mmap(-1, limit).close()  # untouched pages: nothing is really used where it succeeds


def _open_many(limit: int) -> None:
    opened: list[int] = []
    try:
        while len(opened) <= limit:
            opened.append(os.open(os.devnull, os.O_RDONLY))
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _write_much(limit: int) -> None:
    path = Path("much")
    try:
        with path.open("wb") as file:
            file.seek(limit)
            file.write(b"x")
    finally:
        path.unlink(missing_ok=True)
