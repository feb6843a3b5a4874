"""Backups: one file with the records and every stored file. Keys are not in it: they are kept apart on purpose."""

from __future__ import annotations

import json
import tempfile
import zipfile
from datetime import datetime
from pathlib import Path

from modelops.domain.digest import Digest
from modelops.domain.instant import instant
from modelops.domain.people import Actor, Right
from modelops.errors import Conflict, InvalidInput, VerificationFailed
from modelops.store import Blobs, Store
from modelops.store.snapshot import restore_records, snapshot
from modelops.version import VERSION

_SCHEMA = "modelops.backup/1"
_RECORDS, _MANIFEST, _BLOBS = "records.sqlite3", "manifest.json", "blobs/"
MAX_MEMBERS = 10_000_000


def back_up(store: Store, path: Path, *, actor: Actor, at: datetime) -> Digest:
    """Write everything that the store holds to one file, also while others write; return the file's digest.

    Raises
    ------
    NotAllowed, InvalidInput
        Without the right; on a database that has its own tools for backups.
    """
    actor.require(Right.ADMINISTER)
    with store.transaction() as t:
        t.record(actor, "store:backup", "store", at=at)
    with tempfile.TemporaryDirectory(dir=path.absolute().parent) as folder:
        records = Path(folder) / _RECORDS
        snapshot(store, records)
        target = Path(folder) / "backup.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            archive.write(records, _RECORDS)
            # Files are only ever added: those that came after the snapshot do no harm.
            for digest in store.blobs.all():
                with store.blobs.local(digest) as blob:
                    archive.write(blob, _BLOBS + digest.hex)
            about = {"schema": _SCHEMA, "version": VERSION, "at": instant(at), "records": Digest.of_file(records)}
            archive.writestr(_MANIFEST, json.dumps(about, indent=1))
        digest = Digest.of_file(target)
        target.replace(path)
    return digest


def restore(path: Path, *, database: str, blobs: str) -> int:
    """Put a backup back into an empty installation; return how many files came with it.

    Raises
    ------
    InvalidInput, VerificationFailed, Conflict
        If it is not a backup; if its content is not that of its digests; if there are records already.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _restored(archive, database, blobs)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InvalidInput(f"{path.name} is not a backup of this app: {error}.") from error


def _restored(archive: zipfile.ZipFile, database: str, blobs: str) -> int:
    about = json.loads(archive.read(_MANIFEST))
    if about.get("schema") != _SCHEMA:
        raise InvalidInput(f"Got a backup of the form {about.get('schema')!r}, expected {_SCHEMA!r}.")
    names = [name for name in archive.namelist() if name.startswith(_BLOBS)]
    if len(names) > MAX_MEMBERS:
        raise InvalidInput(f"The backup has {len(names):,} files, at most {MAX_MEMBERS:,} are possible.")
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder) / _RECORDS
        with archive.open(_RECORDS) as source, records.open("wb") as copy:
            while chunk := source.read(1 << 20):
                copy.write(chunk)
        if Digest.of_file(records) != about["records"]:
            raise VerificationFailed("The records in this backup are not those that were written: it is damaged.")
        target = Blobs(blobs)
        for name in names:
            wanted = Digest(f"sha256:{name.removeprefix(_BLOBS)}")
            with archive.open(name) as source, target.stage() as staged:
                while chunk := source.read(1 << 20):
                    staged.add(chunk)
                if staged.digest != wanted:
                    raise VerificationFailed(f"The file {wanted.short} in this backup is damaged.")
                target.keep(staged)
        if not restore_records(records, database):
            raise Conflict("There are records here already. A backup is only put into an empty installation.")
    return len(names)
