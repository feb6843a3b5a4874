"""How much a sandboxed process may use, and how it is held to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Self

from modelops.errors import InvalidInput

MIB = 1 << 20
GIB = 1 << 30

# What the libraries map without touching it: all of them together reach 1.7 GiB of address space with 330 MiB resident.
_MAPPED_UNTOUCHED = 3 * GIB


@dataclass(frozen=True)
class Limits:
    """Limits of one sandboxed process.

    Parameters
    ----------
    memory : int
        Bytes of resident memory, watched from outside. The address space, which the kernel limits at once, is three
        GiB larger: libraries map much that they never touch.
    cpu_seconds : int
        Processor time over all threads.
    wall_seconds : float
        Time from the moment the process is taken into use.
    file_bytes : int
        Size of one file that it writes.
    scratch_bytes : int
        All that it writes, together.
    open_files : int
        File descriptors.
    output_bytes : int
        What it may send back, together.
    log_bytes : int
        What it may print.
    threads : int
        Threads that numeric libraries are asked to use. Twenty times as many end the process.

    Raises
    ------
    InvalidInput
        If a limit is not positive.
    """

    memory: int = 2 * GIB
    cpu_seconds: int = 600
    wall_seconds: float = 600.0
    file_bytes: int = 64 * MIB
    scratch_bytes: int = 512 * MIB
    open_files: int = 256
    output_bytes: int = 256 * MIB
    log_bytes: int = 4 * MIB
    threads: int = 1

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value <= 0:
                raise InvalidInput(f"Got the limit {name}={value}, a positive number is needed.")

    @property
    def address_space(self) -> int:
        """Bytes of address space that the kernel allows."""
        return self.memory + _MAPPED_UNTOUCHED

    @property
    def thread_ceiling(self) -> int:
        """Threads at which the process is ended."""
        return 20 * self.threads + 20

    def as_json(self) -> dict[str, int | float]:
        """Return the limits as plain numbers, for the child's start-up line."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, int | float]) -> Self:
        """Return what `as_json` wrote."""
        return cls(**values)  # type: ignore[arg-type]


MODEL_LIMITS = Limits()
"""For a process that opens one model file."""

ANALYSIS_LIMITS = Limits(memory=6 * GIB, cpu_seconds=7200, wall_seconds=1800.0, threads=2)
"""For a process that reads tables and computes."""


def apply(limits: Limits) -> str:
    """Set the kernel's limits on this process; return what was set, for the list of layers.

    Raises
    ------
    OSError
        If the system has no such limits (Windows).
    """
    try:
        import resource
    except ImportError as error:
        raise OSError("this system has no resource limits") from error
    wanted = {
        "RLIMIT_AS": limits.address_space,
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
    }
    applied = []
    for name, value in wanted.items():
        which = getattr(resource, name, None)
        if which is None:
            continue
        _, hard = resource.getrlimit(which)
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # SIGXCPU at the soft limit can be caught; the kill comes at the hard one.
        ceiling = soft + 1 if name == "RLIMIT_CPU" and hard == resource.RLIM_INFINITY else soft
        try:
            resource.setrlimit(which, (soft, ceiling))
        except (OSError, ValueError):
            continue
        applied.append(name.removeprefix("RLIMIT_").lower())
    if not applied:
        raise OSError("the system refused every resource limit")
    return ", ".join(applied)
