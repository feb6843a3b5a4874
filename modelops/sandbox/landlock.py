"""Landlock: after `restrict`, this process can open only the named files and folders, and no network.

Landlock is a Linux security module (kernel 5.13 and later) that any process may use on itself, in containers too. It
binds the calling thread and the threads it starts later, so it must run before any other thread exists. What it does
not cover (chmod, chown, extended attributes, times) is left to `modelops.sandbox.seccomp`.

References
----------
Linux kernel documentation, ``userspace-api/landlock.rst``.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from enum import IntFlag
from pathlib import Path

from modelops.sandbox import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1


class Access(IntFlag):
    """Rights on files. The first thirteen exist since version 1."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


_VERSION_1 = Access((1 << 13) - 1)
READ = Access.READ_FILE | Access.READ_DIR | Access.EXECUTE  # a mapped library needs EXECUTE; seccomp forbids execve
WRITE = (
    (READ | Access.WRITE_FILE | Access.REMOVE_DIR | Access.REMOVE_FILE | Access.MAKE_DIR | Access.MAKE_REG)
    & ~Access.EXECUTE
    | Access.REFER
    | Access.TRUNCATE
)
_ON_FILES = Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE | Access.IOCTL_DEV


def version() -> int:
    """Return the version of Landlock that the kernel offers, 0 if none."""
    try:
        return kernel.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_CREATE_RULESET_VERSION))
    except OSError:
        return 0


def restrict(*, readable: Iterable[Path], writable: Iterable[Path]) -> int:
    """Forbid every file but these, TCP, signals to others and abstract sockets; return Landlock's version.

    Parameters
    ----------
    readable, writable : iterable of Path
        Files, or folders with everything below them. Those that do not exist are left out.

    Raises
    ------
    OSError
        If the kernel has no Landlock or it is switched off. Nothing is restricted then.
    """
    offered = version()
    if offered < 1:
        raise OSError("the kernel offers no Landlock")
    handled = _handled(offered)
    rules = os.fdopen(_ruleset(offered, handled), "rb", buffering=0)
    with rules:
        for path in readable:
            _allow(rules.fileno(), path, READ & handled)
        for path in writable:
            _allow(rules.fileno(), path, WRITE & handled)
        kernel.prctl(kernel.Prctl.SET_NO_NEW_PRIVS, 1)
        kernel.syscall(_RESTRICT_SELF, ctypes.c_int(rules.fileno()), ctypes.c_uint32(0))
    return offered


def _handled(offered: int) -> Access:
    handled = _VERSION_1
    for since, access in ((2, Access.REFER), (3, Access.TRUNCATE), (5, Access.IOCTL_DEV)):
        if offered >= since:
            handled |= access
    return handled


def _ruleset(offered: int, handled: Access) -> int:
    network = 3 if offered >= 4 else 0  # bind and connect, TCP
    scope = 3 if offered >= 6 else 0  # abstract sockets and signals outside
    length = 8 if offered < 4 else 16 if offered < 6 else 24
    attributes = struct.pack("<QQQ", handled, network, scope)[:length]
    return kernel.syscall(_CREATE_RULESET, ctypes.c_char_p(attributes), ctypes.c_size_t(length), ctypes.c_uint32(0))


def _allow(rules: int, path: Path, access: Access) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not path.is_dir():
            access &= _ON_FILES
        attributes = struct.pack("<Qi", access, handle)
        kernel.syscall(
            _ADD_RULE,
            ctypes.c_int(rules),
            ctypes.c_int(_RULE_PATH_BENEATH),
            ctypes.c_char_p(attributes),
            ctypes.c_uint32(0),
        )
    finally:
        os.close(handle)
