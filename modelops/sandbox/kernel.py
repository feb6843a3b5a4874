"""The few Linux calls that Python does not offer, by ctypes. On other systems every one raises `OSError`."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from enum import IntEnum
from pathlib import Path

_libc: ctypes.CDLL | None = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63


class Prctl(IntEnum):
    """Options of prctl(2)."""

    SET_PDEATHSIG = 1
    GET_DUMPABLE = 3
    SET_DUMPABLE = 4
    SET_SECCOMP = 22
    CAPBSET_DROP = 24
    SET_NO_NEW_PRIVS = 38


def _libc_or_refuse() -> ctypes.CDLL:
    if _libc is None:
        raise OSError(errno.ENOSYS, "this system call exists on Linux only")
    return _libc


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def prctl(option: Prctl, argument: int | ctypes.c_void_p = 0, pointer: ctypes.c_void_p | int = 0) -> int:
    """Call prctl(2); raises `OSError` when the kernel refuses."""
    libc = _libc_or_refuse()
    second = argument if isinstance(argument, ctypes.c_void_p) else ctypes.c_ulong(argument)
    third = pointer if isinstance(pointer, ctypes.c_void_p) else ctypes.c_ulong(pointer)
    zero = ctypes.c_ulong(0)
    return _checked(int(libc.prctl(ctypes.c_int(option), second, third, zero, zero)))


def syscall(number: int, *arguments: object) -> int:
    """Call syscall(2) with ctypes arguments; raises `OSError` when the kernel refuses."""
    call = _libc_or_refuse().syscall
    call.restype = ctypes.c_long
    return _checked(int(call(ctypes.c_long(number), *arguments)))


def drop_capabilities() -> None:
    """Give up every capability for good: root is then an ordinary owner of root's files and nothing more."""
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            prctl(Prctl.CAPBSET_DROP, capability)
        except OSError:
            break  # beyond the last one that this kernel knows, or not ours to drop
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _checked(int(_libc_or_refuse().capset(ctypes.byref(header), ctypes.byref(nothing))))


def thread_count() -> int:
    """Return how many threads this process has."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())
