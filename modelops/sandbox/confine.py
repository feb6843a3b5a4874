"""The child's first act: wall itself in, before any other thread, library or uploaded byte is there.

The order matters and is kept in `confine`:

1. limits of memory, processor time, files;
2. another user, when started as root and that user can read the Python installation;
3. no capabilities, no new privileges;
4. death with the parent (the kernel forgets this when the user changes, so not earlier);
5. Landlock;
6. seccomp, last, because it forbids what the other steps need.

A layer that this system does not offer is reported and left out: which protection really holds is found by trying
(`modelops.sandbox.probe`), not by reading this list.
"""

from __future__ import annotations

import os
import signal
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from modelops.sandbox import kernel, landlock, limits, seccomp

NOBODY = 65534

_SYSTEM_FOLDERS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store", "/usr/share/zoneinfo")
_SYSTEM_FILES = (
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",  # openpyxl fails without it
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/self/maps",  # threadpoolctl, which scikit-learn imports, looks there for loaded libraries
    "/proc/self/status",  # how much memory a model takes
    "/proc/stat",
    "/sys/devices/system/cpu",
    "/dev/urandom",
)


@dataclass
class Layers:
    """What is active, in the order it was put on, and what is missing with the reason."""

    active: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def put_on(self, name: str, layer: Callable[[], object]) -> None:
        """Run one layer; its return value, if any, is told beside its name."""
        try:
            told = layer()
        except (OSError, AttributeError, ValueError) as error:
            self.missing.append(f"{name}: {error}")
        else:
            self.active.append(name if told is None else f"{name}: {told}")


def confine(
    bounds: limits.Limits,
    *,
    package: Path,
    readable: Iterable[Path],
    writable: Iterable[Path],
    parent: int,
    user: int | None,
) -> Layers:
    """Wall this process in.

    Parameters
    ----------
    bounds : Limits
        The limits to set.
    package : Path
        The folder of this package, readable.
    readable, writable : iterable of Path
        The worker's inputs and its scratch folder.
    parent : int
        Process id of the parent; if it is gone already, this process ends.
    user : int or None
        The user to become, from `other_user`; ``None`` keeps the present one.
    """
    layers = Layers()
    libraries = list(library_paths(package))
    layers.put_on("limits", lambda: limits.apply(bounds))
    if sys.platform != "linux":
        layers.missing.append(f"Landlock and seccomp: {sys.platform} has neither")
        return layers
    if user is not None:
        layers.put_on("user", lambda: _become(user))
    elif os.getuid() == 0:
        layers.missing.append("user: another one cannot read the Python installation, so it stays root, powerless")
    layers.put_on("no capabilities", kernel.drop_capabilities)
    layers.put_on("ends with its parent", lambda: _die_with(parent))
    layers.put_on("Landlock", lambda: _landlock(libraries, readable, writable))
    layers.put_on("not inspectable", hide_memory)
    layers.put_on("seccomp", seccomp.install)
    return layers


def hide_memory() -> None:
    """Let no other process of the same user read this one's memory, environment or open files.

    Raises
    ------
    OSError
        On other systems than Linux.
    """
    kernel.prctl(kernel.Prctl.SET_DUMPABLE, 0)


def _become(user: int) -> int:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    return user


def other_user(package: Path) -> int | None:
    """Return the user that workers are to run as: nobody, if this is root and nobody can read what Python needs."""
    if sys.platform != "linux" or os.getuid() != 0:
        return None
    needed = (Path(sys.executable).resolve(), *(path for path in library_paths(package) if path.exists()))
    return NOBODY if all(readable_by_all(path) for path in needed) else None


def readable_by_all(path: Path) -> bool:
    """Say whether any user may read ``path`` and pass through the folders above it."""
    try:
        needed = 0o005 if path.is_dir() else 0o004
        if path.stat().st_mode & needed != needed:
            return False
        return all(folder.stat().st_mode & 0o001 for folder in path.parents)
    except OSError:
        return False


def _die_with(parent: int) -> None:
    kernel.prctl(kernel.Prctl.SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _landlock(libraries: list[Path], readable: Iterable[Path], writable: Iterable[Path]) -> str:
    if kernel.thread_count() != 1:
        raise OSError("another thread was running already")
    system = [Path(path) for path in (*_SYSTEM_FOLDERS, *_SYSTEM_FILES)]
    offered = landlock.restrict(readable=[*libraries, *system, *readable], writable=[*writable, Path(os.devnull)])
    return f"version {offered}"


def library_paths(package: Path) -> Iterator[Path]:
    """Yield what the interpreter and the libraries are read from: never the project, a home or a data folder."""
    yield package
    for name in ("stdlib", "platstdlib", "purelib", "platlib"):
        yield Path(sysconfig.get_path(name)).resolve()
    yield from {Path(entry).resolve() for entry in sys.path if "lib-dynload" in entry}
    yield from sorted({Path(name).parent for name in _mapped_libraries()})


def _mapped_libraries() -> Iterator[str]:
    try:
        with Path("/proc/self/maps").open(encoding="utf-8", errors="surrogateescape") as maps:
            for line in maps:
                fields = line.split(maxsplit=5)
                if len(fields) == 6 and ".so" in fields[5]:
                    yield fields[5].strip()
    except OSError:
        return
