"""Writing a bundle: one zip with everything that is needed to verify a sealed review without us.

The statement is sealed once and never changes. What surrounds it is made at the export: the newest checkpoint, the
proofs that lead to it, the list of keys, and a signed manifest of it all. Equal content and time give equal bytes.
"""

from __future__ import annotations

import io
import re
import secrets
import shutil
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath

from modelops.attest.checkpoint import open_checkpoint
from modelops.attest.dsse import sign_envelope
from modelops.attest.keys import KeyRing, SigningKey, check_pair
from modelops.attest.merkle import Tree
from modelops.attest.standalone import standalone_source
from modelops.attest.verifier import container
from modelops.attest.verifier.procedure import verify_bundle
from modelops.attest.verifier.script import render_text
from modelops.attest.verifier.statement import MANIFEST_PAYLOAD, MANIFEST_SCHEMA
from modelops.attest.verifier.trail import PROOFS_SCHEMA
from modelops.domain.attestation import Subject
from modelops.domain.audit import ChainRow
from modelops.domain.canonical import canonical_bytes
from modelops.domain.digest import Digest
from modelops.domain.instant import instant
from modelops.errors import InvalidInput, TooLarge, VerificationFailed

Source = bytes | Path

REVIEW, TEMPLATE, POLICY = container.REVIEW, "template.json", "policy.json"
REPORT, MODEL_CARD = container.REPORT, container.MODEL_CARD
MODEL_SUBJECT, DATASET_SUBJECT = "model", "dataset/"
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class BundleContent:
    """What goes into a bundle.

    ``files`` are `REVIEW`, `TEMPLATE`, `POLICY` and `REPORT`, results, evidence and artifacts under the names that the
    functions below give, and `MODEL_CARD` if there is one: the exact bytes, or the path of a file that holds them.
    ``excerpt`` holds every audit entry of the review up to the seal. ``hashes`` are those of all entries that
    ``checkpoint`` covers. ``earlier`` are the sizes of checkpoints that others may hold: from each on, the bundle
    proves that history has only grown.
    """

    envelope: bytes
    files: Mapping[str, Source]
    excerpt: Sequence[ChainRow]
    hashes: Sequence[str]
    checkpoint: bytes
    ring: KeyRing
    earlier: Sequence[int] = ()


def result_name(digest: Digest) -> str:
    """Return the name of the member that holds a result with this digest."""
    return f"results/{digest.hex}.json"


def evidence_name(digest: Digest, title: str = "") -> str:
    """Return the name of the member that holds a file of evidence: its digest, and the ending of ``title`` if plain.

    Examples
    --------
    >>> evidence_name(Digest.of(b"abc"), "Minutes 2026-11.PDF")[-8:]
    '15ad.pdf'
    """
    ending = PurePath(title).suffix.lower()
    return f"evidence/{digest.hex}{ending if re.fullmatch(r'[.][a-z0-9]{1,8}', ending) else ''}"


def artifact_name(digest: Digest) -> str:
    """Return the name of the member that holds the bytes of the model or of a dataset, where those are given along."""
    return f"artifacts/{digest.hex}"


def statement_subjects(
    members: Mapping[str, Digest], *, model: Digest | None, datasets: Mapping[str, Digest]
) -> tuple[Subject, ...]:
    """Return the subjects of the statement: the files of content by their names in the bundle, model and datasets.

    ``datasets`` are by name. The model card is made at the export, and artifacts are the model and the datasets
    themselves: neither is a subject of its own.
    """
    plain = {name: digest for name, digest in members.items() if name != MODEL_CARD and "artifacts/" not in name}
    named = {**plain, **{DATASET_SUBJECT + name: digest for name, digest in datasets.items()}}
    if model is not None:
        named[MODEL_SUBJECT] = model
    return tuple(Subject.of(name, named[name]) for name in sorted(named))


def build_bundle(path: Path, content: BundleContent, *, key: SigningKey, at: datetime) -> Digest:
    """Write the bundle to ``path``, whole or not at all, and only if it verifies.

    Parameters
    ----------
    path : Path
        Where to; a file that is there is replaced.
    content : BundleContent
        What goes in.
    key : SigningKey
        The current key; it signs the manifest.
    at : datetime
        Now.

    Returns
    -------
    Digest
        That of the zip.

    Raises
    ------
    InvalidInput
        If a file has a name that no member has.
    TooLarge
        If there are more members or bytes than a bundle may have.
    VerificationFailed
        If what was written does not verify: something in ``content`` does not belong to the statement.
    """
    check_pair(content.ring, key)
    members = _members(content)
    manifest = _manifest(members, at)
    members[container.MANIFEST] = manifest
    members[container.MANIFEST_ENVELOPE] = sign_envelope(manifest, MANIFEST_PAYLOAD, (key,)).to_bytes()
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write(beside, members)
        report = verify_bundle(beside, trust=content.ring.trusted)
        if not report.ok:
            raise VerificationFailed(f"This review cannot be exported, its parts do not fit.\n{render_text(report)}")
        digest = Digest.of_file(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return digest


def _members(content: BundleContent) -> dict[str, Source]:
    for name in content.files:
        if not container.MEMBER.fullmatch(name) or name in (*container.TRANSPORT, container.SCRIPT):
            raise InvalidInput(f"Got a file named {name[:120]!r}, which is no member of a bundle.")
    checkpoint, _ = open_checkpoint(content.checkpoint, content.ring.public_keys)
    if checkpoint.size != len(content.hashes):
        raise InvalidInput(f"Got {len(content.hashes)} entry hashes for a checkpoint of {checkpoint.size} entries.")
    members: dict[str, Source] = {
        **content.files,
        container.ENVELOPE: content.envelope,
        container.CHECKPOINT: content.checkpoint,
        container.KEYS: content.ring.to_bytes(),
        container.EXCERPT: b"".join(_line(row) for row in content.excerpt),
        container.PROOFS: _proofs(content),
        container.SCRIPT: standalone_source(),
    }
    if len(members) + 2 > container.MAX_MEMBERS:
        raise TooLarge(
            f"The bundle would have {len(members) + 2} members, at most {container.MAX_MEMBERS} are possible."
        )
    return members


def _line(row: ChainRow) -> bytes:
    return canonical_bytes({**row._asdict(), "body": row.body.decode()}) + b"\n"


def _proofs(content: BundleContent) -> bytes:
    tree = Tree(bytes.fromhex(entry) for entry in content.hashes)
    size = len(tree)
    inclusion = [
        {"sequence": row.sequence, "hashes": _hexadecimal(tree.inclusion_proof(row.sequence - 1))}
        for row in content.excerpt
    ]
    earlier = sorted({old for old in content.earlier if 0 < old < size})
    consistency = [{"size": old, "hashes": _hexadecimal(tree.consistency_proof(old))} for old in earlier]
    return canonical_bytes({"schema": PROOFS_SCHEMA, "size": size, "inclusion": inclusion, "consistency": consistency})


def _hexadecimal(hashes: Iterable[bytes]) -> list[str]:
    return [entry.hex() for entry in hashes]


def _manifest(members: Mapping[str, Source], at: datetime) -> bytes:
    listed = [
        {"name": name, "size": _size(members[name]), "sha256": _digest(members[name]).hex} for name in sorted(members)
    ]
    return canonical_bytes({"schema": MANIFEST_SCHEMA, "exported_at": instant(at), "members": listed})


def _size(source: Source) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size


def _digest(source: Source) -> Digest:
    return Digest.of(source) if isinstance(source, bytes) else Digest.of_file(source)


def _write(path: Path, members: Mapping[str, Source]) -> None:
    total = sum(_size(source) for source in members.values())
    if total > container.MAX_BUNDLE - (1 << 24):  # room for the headers
        raise TooLarge(f"The bundle would have {total:,} bytes. Leave out the artifacts: their digests are in it.")
    with zipfile.ZipFile(path, "x", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            source = members[name]
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            entry.file_size = _size(source)
            with archive.open(entry, "w") as target, _opened(source) as file:
                shutil.copyfileobj(file, target, 1 << 20)


def _opened(source: Source) -> io.BufferedIOBase:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
