"""The zip of a bundle, read so strictly that there is one sequence of bytes for one content.

Members are stored and never compressed, in the order of their names, with fixed times and rights. Nothing can hide in
the container, nothing has to be unpacked to be checked, and there is no decompressor to attack.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from modelops.attest.verifier.reading import HEX, Checks, Refused

ENVELOPE, MANIFEST, MANIFEST_ENVELOPE = "signoff.dsse.json", "manifest.json", "manifest.dsse.json"
CHECKPOINT, PROOFS = "checkpoint.txt", "inclusion_proof.json"
EXCERPT, KEYS, REVIEW, REPORT = "audit_excerpt.jsonl", "public_keys.json", "review.json", "report.html"
SCRIPT, MODEL_CARD = "verify.py", "model_card.html"
# What is proved by signatures and proofs of its own; everything else is a subject of the statement.
TRANSPORT = (ENVELOPE, MANIFEST, MANIFEST_ENVELOPE, CHECKPOINT, PROOFS, EXCERPT, KEYS)
REQUIRED = (*TRANSPORT, REVIEW, REPORT, SCRIPT)
MEMBER = re.compile(
    "|".join(re.escape(name) for name in (*REQUIRED, MODEL_CARD))
    + rf"|(template|policy)\.(json|yaml)|results/{HEX}\.json|evidence/{HEX}(\.[a-z0-9]{{1,8}})?|artifacts/{HEX}"
)
MAX_MEMBERS, MAX_BUNDLE, MAX_KEPT = 10_000, (1 << 32) - 1, 64 << 20

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_VERSION, _DATE, _UNIX_FILE = 20, (1 << 5) | 1, 0o100644 << 16  # zip 2.0; 1980-01-01, the first day that zip knows


@dataclass(frozen=True)
class Member:
    """One file of the bundle. ``content`` is kept only for what must be read, not merely hashed."""

    sha256: str
    size: int
    content: bytes = b""


def read_container(path: Path, checks: Checks) -> dict[str, Member]:
    """Return the members by name. Refuses what is not exactly the container that the exporter writes."""
    members: dict[str, Member] = {}
    central: list[tuple[str, bytes]] = []
    with path.open("rb") as file:
        if file.seek(0, 2) > MAX_BUNDLE:
            raise Refused("container", f"got more than {MAX_BUNDLE} bytes")
        file.seek(0)
        while (head := file.read(_LOCAL.size))[:4] == b"PK\3\4":
            offset = file.tell() - len(head)
            name, crc, size = _local_header(file, head, last=central[-1][0] if central else "")
            members[name] = _content(file, name, size, crc, checks)
            central.append((name, _central_header(name, crc, size, offset)))
            if len(central) > MAX_MEMBERS:
                raise Refused("container", f"got more than {MAX_MEMBERS} members")
        start = file.tell() - len(head)
        _check_end(head + file.read(), central, start)
    if not members:
        raise Refused("container", "got a file that does not begin with a member of a zip, expected a bundle")
    checks.add("container", path.name, "one canonical zip", "one canonical zip")
    return members


def _local_header(file: IO[bytes], head: bytes, *, last: str) -> tuple[str, int, int]:
    if len(head) < _LOCAL.size:
        raise Refused("container", f"the file ends in the header of the member after {last or 'the beginning'!r}")
    _, _, flags, method, _, _, crc, size, _, length, _ = _LOCAL.unpack(head)
    name = file.read(min(length, 200)).decode("ascii", "backslashreplace")
    if not MEMBER.fullmatch(name):
        raise Refused(
            name or "container", f"is no member that a bundle may have (it follows {last or 'the beginning'!r})"
        )
    if name <= last:
        raise Refused(name, f"stands after {last!r}: members are in the order of their names, each once")
    if flags & 1:
        raise Refused(name, "is encrypted; members of a bundle never are")
    if method:
        raise Refused(name, "is compressed; members of a bundle never are: it was packed anew, ask for the original")
    if head != _LOCAL.pack(b"PK\3\4", _VERSION, 0, 0, 0, _DATE, crc, size, size, length, 0):
        raise Refused(name, "its header in the zip is not the one that the exporter writes")
    return name, crc, size


def _content(file: IO[bytes], name: str, size: int, crc: int, checks: Checks) -> Member:
    kept = name in TRANSPORT
    if kept and size > MAX_KEPT:
        raise Refused(name, f"has {size} bytes, at most {MAX_KEPT} are possible")
    state, found_crc, left, pieces = hashlib.sha256(), 0, size, []
    while left:
        piece = file.read(min(left, 1 << 20))
        if not piece:
            raise Refused(name, f"the file ends {left} bytes before the end of this member: it was cut off")
        state.update(piece)
        found_crc = zlib.crc32(piece, found_crc)
        left -= len(piece)
        if kept:
            pieces.append(piece)
    checks.add("checksum in the zip", name, f"{found_crc:08x}", f"{crc:08x}")
    return Member(state.hexdigest(), size, b"".join(pieces))


def _central_header(name: str, crc: int, size: int, offset: int) -> bytes:
    made_by = 3 << 8 | _VERSION
    times_and_sizes = (0, 0, 0, _DATE, crc, size, size, len(name), 0, 0, 0, 0)
    return _CENTRAL.pack(b"PK\1\2", made_by, _VERSION, *times_and_sizes, _UNIX_FILE, offset) + name.encode()


def _check_end(found: bytes, central: list[tuple[str, bytes]], start: int) -> None:
    at = 0
    for name, expected in central:
        if found[at : at + len(expected)] != expected:
            raise Refused(name, "its entry in the directory of the zip does not fit the member")
        at += len(expected)
    end = _END.pack(b"PK\5\6", 0, 0, len(central), len(central), at, start, 0)
    if central and found[at:] != end:
        more = len(found) - at - len(end)
        reason = f"{more} bytes follow its end" if more > 0 else "its end is cut off or changed"
        raise Refused("container", reason)
