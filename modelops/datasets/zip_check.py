"""What a zip archive must look like before anything in it is unpacked. Nothing is ever extracted to disk."""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path

from modelops.datasets.limits import TableLimits
from modelops.datasets.names import shown
from modelops.errors import RefusedFile, TooLarge

_SMALL = 10 << 20
_XML_HEAD = 1 << 16
_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def check_zip(path: Path, limits: TableLimits) -> None:
    """Refuse archives that lie, climb out of their folder, unpack to too much, or hold XML with a document type.

    Raises
    ------
    RefusedFile, TooLarge
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive.infolist(), limits)
            for member in archive.infolist():
                if member.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _check_xml(archive, member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise RefusedFile(f"The workbook is damaged, encrypted or no zip archive: {error}.") from error


def _check_members(members: list[zipfile.ZipInfo], limits: TableLimits) -> None:
    if len(members) > limits.max_zip_members:
        raise TooLarge(f"The workbook has {len(members):,} parts, at most {limits.max_zip_members:,} are read.")
    if sum(member.file_size for member in members) > limits.max_zip_bytes:
        raise TooLarge(f"The workbook unpacks to more than {limits.max_zip_bytes:,} bytes. Save the table as Parquet.")
    seen: set[str] = set()
    for member in members:
        name = member.filename
        if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or "\x00" in name or ":" in name:
            raise RefusedFile(f"The workbook holds a part outside its own folder: {shown(name)}.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise RefusedFile(f"The workbook holds a link: {shown(name)}.")
        if name.lower() in seen:
            raise RefusedFile(f"The workbook holds the part {shown(name)} twice.")
        seen.add(name.lower())
        if member.file_size > _SMALL and member.file_size > limits.max_zip_ratio * max(1, member.compress_size):
            raise TooLarge(
                f"The part {shown(name)} unpacks to more than {limits.max_zip_ratio} times its size; save it as CSV."
            )


def _check_xml(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    with archive.open(member) as part:
        head = part.read(_XML_HEAD)
    # UTF-16 would hide the words from a search for bytes.
    if _DTD.search(head.replace(b"\x00", b"")):
        raise RefusedFile(f"The part {shown(member.filename)} declares a document type (DTD); that is never read.")
