"""Numba's compiled code, handed to sandboxed processes.

Numba keeps compiled functions in a folder that it insists on writing to. A folder shared by all workers would let a
hostile file leave machine code behind that the next worker runs, so each worker has its own folder inside its scratch
folder, gone when it ends. What it starts with is copied from one that only `modelops.sandbox.compiling` fills: from a
worker that has compiled our functions and has never seen a file from outside. Without a filled folder everything still
works; the first use of a compiled function in each worker then costs its compilation (2-9 s).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_SUFFIXES = {".nbi", ".nbc"}
_folder: Path | None = None


def use(folder: Path | None) -> None:
    """Name the folder of compiled code for every worker started from now on; ``None`` for none."""
    global _folder  # noqa: PLW0603 - one setting of the process, made once when the app starts
    _folder = folder


def copy_to(target: Path) -> None:
    """Fill a new worker's own folder."""
    target.mkdir(mode=0o700)
    if _folder is not None and _folder.is_dir():
        _copy(_folder, target)


def keep(source: Path) -> int:
    """Copy compiled code to the shared folder; return the number of files. Only `compiling` calls it."""
    if _folder is None:
        return 0
    _folder.mkdir(parents=True, exist_ok=True)
    return _copy(source, _folder)


def _copy(source: Path, target: Path) -> int:
    """Copy compiled files, each in one step so that no reader sees half of one; return how many."""
    copied = 0
    for path in sorted(source.rglob("*")):
        if path.suffix not in _SUFFIXES or not path.is_file() or path.is_symlink():
            continue
        place = target / path.relative_to(source)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place.parent)
        os.close(handle)
        shutil.copyfile(path, temporary)
        Path(temporary).replace(place)
        copied += 1
    return copied
