"""The folders of sandboxed processes: made for one, removed with it, whatever it has done to them."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelops.sandbox import compile_cache
from modelops.sandbox.confine import other_user

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def worker_user() -> int | None:
    """Return the user that workers run as, ``None`` for the present one."""
    return other_user(ROOT / "modelops")


@dataclass(frozen=True)
class Folders:
    """The folders of one worker, in a folder of their own under the system's temporary one."""

    root: Path

    @property
    def inputs(self) -> Path:
        """What the worker may read and not change."""
        return self.root / "inputs"

    @property
    def scratch(self) -> Path:
        """What the worker may write."""
        return self.root / "scratch"

    @classmethod
    def create(cls) -> Folders:
        """Make new, empty folders that nobody else can enter."""
        remove_orphans()
        folders = cls(Path(tempfile.mkdtemp(prefix=f"modelops-{_machine()}-{os.getpid()}-")).resolve())
        folders.inputs.mkdir(mode=0o755)
        folders.scratch.mkdir(mode=0o700)
        compile_cache.copy_to(folders.scratch / "numba")
        user = worker_user()
        if user is not None:
            for path in (folders.root, folders.scratch, *folders.scratch.rglob("*")):
                os.chown(path, user, user)
        return folders

    def remove(self) -> None:
        """Remove everything, also what the worker has made unreadable."""
        remove_tree(self.root)


@functools.cache
def _machine() -> str:
    """Return what tells process ids of this machine, or container, from those of others that share the folder."""
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return re.sub(r"[^A-Za-z0-9]", "", platform.node()) or "here"


@functools.cache
def remove_orphans() -> None:
    """Remove the folders of workers whose parent was killed before it could; once in the life of this process."""
    import psutil

    for path in Path(tempfile.gettempdir()).glob(f"modelops-{_machine()}-*-*"):
        parent = path.name.split("-")[2]
        if parent.isdigit() and not psutil.pid_exists(int(parent)) and not path.is_symlink():
            remove_tree(path)


def remove_tree(root: Path) -> None:
    """Remove a folder that a hostile process has filled, once that process is gone.

    Folders may be unreadable, and nested deeper than a path may be long or Python may recurse: each is opened, its own
    folders are moved up to ``root``, its files are removed, and then it is empty.
    """
    if sys.platform == "win32":
        shutil.rmtree(root, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        root.chmod(stat.S_IRWXU)
        with _opened(str(root), None) as top:
            waiting = list(_emptied(top, top))
            while waiting:
                name = waiting.pop()
                with contextlib.suppress(OSError):
                    os.chmod(name, stat.S_IRWXU, dir_fd=top)
                    with _opened(name, top) as folder:
                        waiting += _emptied(folder, top)
                    os.rmdir(name, dir_fd=top)
        root.rmdir()


@contextlib.contextmanager
def _opened(name: str, inside: int | None) -> Iterator[int]:
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=inside)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _emptied(folder: int, top: int) -> Iterator[str]:
    """Remove the files of a folder and move its folders to the top under new names; yield those names."""
    with os.scandir(folder) as entries:
        listed = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in listed:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
            continue
        os.chmod(name, stat.S_IRWXU, dir_fd=folder)  # moving it takes the right to write to it
        new = secrets.token_hex(16)
        os.rename(name, new, src_dir_fd=folder, dst_dir_fd=top)
        yield new
