"""A seccomp filter, written as classic BPF by hand: no library is needed and none is loaded.

Refused with EPERM: new processes and programs, sockets, signals to others, looking into other processes, namespaces,
mounts, keys, changing owners, modes, attributes and times of files (which Landlock does not cover). Threads are
allowed: ``clone`` with ``CLONE_THREAD``; ``clone3``, whose flags a filter cannot see, answers ENOSYS, after which the
C library uses ``clone``. System calls newer than this file answer ENOSYS unless they are on a short list.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

from modelops.sandbox import kernel

_ALLOW, _KILL_PROCESS = 0x7FFF0000, 0x80000000
_EPERM, _ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _AUDIT = 0, 4  # offsets in struct seccomp_data
_CLONE_THREAD = 0x10000
_X32 = 0x40000000
_MODE_FILTER = 2

# From 424 on, every architecture numbers its calls alike.
_SHARED_FROM = 424
_CLONE3 = 435
_NEWER_ALLOWED = {
    "close_range": 436,
    "openat2": 437,
    "faccessat2": 439,
    "epoll_pwait2": 441,
    "futex_waitv": 449,
    "futex_wake": 454,
    "futex_wait": 455,
    "futex_requeue": 456,
}
_PRCTL_REFUSED = (kernel.Prctl.SET_PDEATHSIG, kernel.Prctl.SET_DUMPABLE)


@dataclass(frozen=True)
class _Architecture:
    """``refused``: never; ``own``: only with this process as the first argument; the rest by name."""

    audit: int
    clone: int
    prctl: int
    prlimit64: int
    own: tuple[int, ...]
    refused: dict[str, int]
    has_x32: bool = False


# fmt: off
_X86_64 = _Architecture(
    audit=0xC000003E, clone=56, prctl=157, prlimit64=302, own=(62, 234), has_x32=True,
    refused={
        "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "sendmsg": 46, "bind": 49, "listen": 50,
        "socketpair": 53, "accept4": 288, "recvmmsg": 299, "sendmmsg": 307,
        "fork": 57, "vfork": 58, "execve": 59, "execveat": 322,
        "tkill": 200, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297,
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "move_pages": 279,
        "migrate_pages": 256, "perf_event_open": 298, "userfaultfd": 323, "bpf": 321,
        "setpriority": 141, "sched_setparam": 142, "sched_setscheduler": 144, "sched_setaffinity": 203,
        "sched_setattr": 314, "ioprio_set": 251,
        "shmget": 29, "msgget": 68, "semget": 64, "mq_open": 240,
        "add_key": 248, "request_key": 249, "keyctl": 250,
        "unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161,
        "swapon": 167, "swapoff": 168, "reboot": 169, "acct": 163, "settimeofday": 164, "clock_settime": 227,
        "adjtimex": 159, "clock_adjtime": 305, "sethostname": 170, "setdomainname": 171, "quotactl": 179,
        "syslog": 103, "personality": 135, "uselib": 134, "iopl": 172, "ioperm": 173, "modify_ldt": 154,
        "init_module": 175, "delete_module": 176, "finit_module": 313, "kexec_load": 246, "kexec_file_load": 320,
        "name_to_handle_at": 303, "open_by_handle_at": 304, "fanotify_init": 300, "lookup_dcookie": 212,
        "mknod": 133, "mknodat": 259,
        "chmod": 90, "fchmod": 91, "fchmodat": 268, "chown": 92, "fchown": 93, "lchown": 94, "fchownat": 260,
        "utime": 132, "utimes": 235, "futimesat": 261, "utimensat": 280,
        "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190,
        "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199,
    },
)
_AARCH64 = _Architecture(
    audit=0xC00000B7, clone=220, prctl=167, prlimit64=261, own=(129, 131),
    refused={
        "socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203, "sendto": 206,
        "sendmsg": 211, "accept4": 242, "recvmmsg": 243, "sendmmsg": 269,
        "execve": 221, "execveat": 281,
        "tkill": 130, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240,
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "move_pages": 239,
        "migrate_pages": 238, "perf_event_open": 241, "userfaultfd": 282, "bpf": 280,
        "setpriority": 140, "sched_setparam": 118, "sched_setscheduler": 119, "sched_setaffinity": 122,
        "sched_setattr": 274, "ioprio_set": 30,
        "shmget": 194, "msgget": 186, "semget": 190, "mq_open": 180,
        "add_key": 217, "request_key": 218, "keyctl": 219,
        "unshare": 97, "setns": 268, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51,
        "swapon": 224, "swapoff": 225, "reboot": 142, "acct": 89, "settimeofday": 170, "clock_settime": 112,
        "adjtimex": 171, "clock_adjtime": 266, "sethostname": 161, "setdomainname": 162, "quotactl": 60,
        "syslog": 116, "personality": 92,
        "init_module": 105, "delete_module": 106, "finit_module": 273, "kexec_load": 104, "kexec_file_load": 294,
        "name_to_handle_at": 264, "open_by_handle_at": 265, "fanotify_init": 262, "lookup_dcookie": 18,
        "mknodat": 33,
        "fchmod": 52, "fchmodat": 53, "fchownat": 54, "fchown": 55, "utimensat": 88,
        "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
    },
)
# fmt: on
_ARCHITECTURES = {"x86_64": _X86_64, "aarch64": _AARCH64}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


Instruction = tuple[int, int, int, int]


def install() -> None:
    """Put the filter on this thread and on all that it starts.

    Raises
    ------
    OSError
        If the processor is neither x86-64 nor 64-bit ARM, or the kernel refuses.
    """
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise OSError(f"no system call table for the processor {machine!r}")
    load(program(_ARCHITECTURES[machine], own_process=os.getpid()))


def load(instructions: list[Instruction]) -> None:
    """Put a filter on this thread and on all that it starts; filters add up.

    Raises
    ------
    OSError
        If the kernel refuses.
    """
    content = b"".join(struct.pack("<HBBI", *instruction) for instruction in instructions)
    held = ctypes.create_string_buffer(content)
    header = _Program(len(instructions), ctypes.cast(held, ctypes.c_void_p))
    kernel.prctl(kernel.Prctl.SET_NO_NEW_PRIVS, 1)
    kernel.prctl(kernel.Prctl.SET_SECCOMP, _MODE_FILTER, ctypes.cast(ctypes.byref(header), ctypes.c_void_p))


def program(architecture: _Architecture, *, own_process: int) -> list[Instruction]:
    """Return the filter as (code, jump if true, jump if false, value)."""
    code: list[Instruction] = [
        (_LOAD, 0, 0, _AUDIT),
        (_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if architecture.has_x32:
        code += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL_PROCESS)]
    code += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _ENOSYS)]
    code += [(_EQUAL, 0, 4, architecture.clone), (_LOAD, 0, 0, _argument(0)), (_ANY_BIT, 1, 0, _CLONE_THREAD)]
    code += [(_RETURN, 0, 0, _EPERM), (_RETURN, 0, 0, _ALLOW)]
    code += _only_first_argument(architecture.prlimit64, 0)  # this process may lower its own limits
    for number in architecture.own:
        code += _only_first_argument(number, own_process)
    for option in _PRCTL_REFUSED:
        code += [(_EQUAL, 0, 4, architecture.prctl), (_LOAD, 0, 0, _argument(0)), (_EQUAL, 0, 1, option)]
        code += [(_RETURN, 0, 0, _EPERM), (_LOAD, 0, 0, _NUMBER)]
    for number in architecture.refused.values():
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _EPERM)]
    for number in _NEWER_ALLOWED.values():
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    code += [(_AT_LEAST, 0, 1, _SHARED_FROM), (_RETURN, 0, 0, _ENOSYS), (_RETURN, 0, 0, _ALLOW)]
    return code


def _argument(index: int) -> int:
    return 16 + 8 * index


def _only_first_argument(number: int, wanted: int) -> list[Instruction]:
    """Allow call ``number`` only with this first argument (the low 32 bits: all such arguments are process ids)."""
    return [
        (_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _argument(0)),
        (_EQUAL, 1, 0, wanted),
        (_RETURN, 0, 0, _EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
