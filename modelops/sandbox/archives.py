"""Zip files told apart by the names of their members, and refused when they are bombs or lie.

Only the list of members is read; nothing is unpacked.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from modelops.errors import RefusedFile, TooLarge
from modelops.sandbox.messages import one_line, size_text

MAX_MEMBERS = 50_000
MAX_UNPACKED = 2 << 30
MAX_RATIO = 100
_RATIO_FROM = 16 << 20  # small files of zeros compress well and do no harm
_MAX_DIRECTORY = 64 << 20
_END = b"PK\x05\x06"
_END_SIZE = 22
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Members:
    """The names in a zip file that passed the checks."""

    names: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Say whether a member has exactly this name."""
        return name in self.names

    def any_named(self, last: str) -> bool:
        """Say whether a member in any folder has this name."""
        return any(PurePosixPath(name).name == last for name in self.names)

    def any_ending(self, *suffixes: str) -> bool:
        """Say whether a member's name ends so, upper or lower case."""
        return any(name.lower().endswith(suffixes) for name in self.names)

    def all_ending(self, suffix: str) -> bool:
        """Say whether every member's name ends so."""
        return bool(self.names) and all(name.lower().endswith(suffix) for name in self.names)


def members(path: Path, *, name: str) -> Members:
    """Read and check the list of members.

    Raises
    ------
    RefusedFile
        If the list cannot be read, or a member is encrypted, a link, named twice or named so that it would be
        unpacked somewhere else.
    TooLarge
        If there are too many members, or they unpack to too much.
    """
    _check_directory(path, name=name)
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise RefusedFile(
            f"{name} begins like a zip file and cannot be read as one: it is cut off or damaged."
        ) from error
    if len(infos) > MAX_MEMBERS:
        raise TooLarge(f"{name} holds {len(infos):,} members, the limit is {MAX_MEMBERS:,}.")
    names: set[str] = set()
    for info in infos:
        _check_member(info, name=name)
        if info.filename in names:
            raise RefusedFile(f"{name} holds the member {one_line(info.filename, limit=80)!r} twice. Save it again.")
        names.add(info.filename)
    unpacked, packed = sum(info.file_size for info in infos), sum(info.compress_size for info in infos)
    if unpacked > MAX_UNPACKED:
        raise TooLarge(f"{name} unpacks to {size_text(unpacked)}, the limit is {size_text(MAX_UNPACKED)}.")
    if unpacked > _RATIO_FROM and unpacked > MAX_RATIO * max(packed, 1):
        raise TooLarge(f"{name} unpacks to more than {MAX_RATIO} times its size, as bombs do. Save it uncompressed.")
    return Members(tuple(info.filename for info in infos if not info.is_dir()))


def _check_directory(path: Path, *, name: str) -> None:
    """Look at the announced number of members before `zipfile` builds an object for each."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _END_SIZE - 65535))
        tail = file.read()
    start = tail.rfind(_END)
    if start < 0 or len(tail) - start < _END_SIZE:
        raise RefusedFile(f"{name} begins like a zip file and has no end: it is cut off. Upload it again.")
    count, directory = struct.unpack("<HI", tail[start + 10 : start + 16])
    if count > MAX_MEMBERS or directory > _MAX_DIRECTORY:
        raise TooLarge(f"{name} announces more than {MAX_MEMBERS:,} members.")


def _check_member(info: zipfile.ZipInfo, *, name: str) -> None:
    member = info.filename
    shown = one_line(member, limit=80)
    parts = PurePosixPath(member.replace("\\", "/")).parts
    if member.startswith(("/", "\\")) or ".." in parts or _DRIVE.match(member) or "\x00" in info.orig_filename:
        raise RefusedFile(f"{name} holds a member named {shown!r}, which would be unpacked outside its folder.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise RefusedFile(f"{name} holds a link ({shown!r}). Save it without links.")
    if info.flag_bits & 0x1:
        raise RefusedFile(f"{name} is encrypted. Save it without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RefusedFile(f"{name} is packed by an uncommon method. Save it with the usual zip compression, or none.")
