"""Files by digest. A name that a person gave is never a path."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from modelops.domain.digest import Digest
from modelops.errors import NotFound, TooLarge, VerificationFailed


class Blobs:
    """A content-addressed folder, or any place that fsspec can write to."""

    def __init__(self, url: str) -> None:
        import fsspec

        self._files, self._root = fsspec.core.url_to_fs(url)
        self._is_local = "file" in self._files.protocol
        if self._is_local:
            Path(self._root).mkdir(parents=True, exist_ok=True, mode=0o700)
        else:
            self._files.makedirs(self._root, exist_ok=True)
        self._staging = Path(self._root) / "incoming" if self._is_local else Path(tempfile.mkdtemp())
        self._staging.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _path(self, digest: Digest) -> str:
        return f"{self._root}/{digest.hex[:2]}/{digest.hex}"

    @contextlib.contextmanager
    def stage(self, *, limit: int | None = None) -> Iterator[Staged]:
        """Take a file in without storing it yet: what is not kept by the end of the block leaves nothing behind."""
        staged = Staged(self._staging / secrets.token_hex(16), limit)
        try:
            yield staged
        finally:
            staged.close()
            staged.path.unlink(missing_ok=True)

    def keep(self, staged: Staged) -> Digest:
        """Store a staged file under its digest: flushed first and then renamed, so half a file is never a blob."""
        staged.close()
        target = self._path(staged.digest)
        self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
        if self._is_local:
            staged.path.chmod(0o444)
            staged.path.replace(target)
        elif not self._files.exists(target):
            self._files.put_file(str(staged.path), target + ".part")
            self._files.mv(target + ".part", target)
        return staged.digest

    def add(self, content: bytes | Iterable[bytes]) -> Digest:
        """Store ``content`` and return its digest."""
        with self.stage() as staged:
            for chunk in [content] if isinstance(content, bytes) else content:
                staged.add(chunk)
            return self.keep(staged)

    def open(self, digest: Digest) -> IO[bytes]:
        """Open a blob for reading.

        Raises
        ------
        NotFound
            If the store does not hold it.
        """
        try:
            opened: IO[bytes] = self._files.open(self._path(digest), "rb")
        except FileNotFoundError as error:
            raise NotFound(f"The file {digest} is not in the store.") from error
        return opened

    def read(self, digest: Digest) -> bytes:
        """Return a whole blob, checked against its digest.

        Raises
        ------
        NotFound
            If the store does not hold it.
        VerificationFailed
            If its bytes are no longer those of its name.
        """
        with self.open(digest) as file:
            content = file.read()
        found = Digest.of(content)
        if found != digest:
            raise VerificationFailed(f"The stored file {digest} has been changed: its bytes now have {found}.")
        return content

    def holds(self, digest: Digest) -> bool:
        """Whether the store holds this file."""
        return bool(self._files.exists(self._path(digest)))

    def stored_at(self, digest: Digest) -> datetime:
        """Return when a stored file was written last."""
        found: datetime = self._files.modified(self._path(digest))
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def clear_staging(self, *, before: datetime) -> int:
        """Remove what a crash left half received, last written before this moment; return how many files."""
        left = [path for path in self._staging.iterdir() if path.stat().st_mtime < before.timestamp()]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def remove(self, digest: Digest) -> None:
        """Remove a file that no row refers to."""
        with contextlib.suppress(FileNotFoundError):
            self._files.rm(self._path(digest))

    def all(self) -> Iterator[Digest]:
        """Yield the digest of every stored file."""
        for path in self._files.find(self._root):
            name = path.rpartition("/")[2]
            if len(name) == 64 and path == self._path(Digest(f"sha256:{name}")):
                yield Digest(f"sha256:{name}")

    @contextlib.contextmanager
    def local(self, digest: Digest) -> Iterator[Path]:
        """Give a blob as a local file for reading: a copy for a while if the store is not a local folder.

        Raises
        ------
        NotFound
            If the store does not hold it.
        """
        if not self.holds(digest):
            raise NotFound(f"The file {digest} is not in the store.")
        if self._is_local:
            yield Path(self._path(digest))
            return
        copy = self._staging / secrets.token_hex(16)
        try:
            self._files.get_file(self._path(digest), str(copy))
            yield copy
        finally:
            copy.unlink(missing_ok=True)


class Staged:
    """A file on its way in, hashed while it arrives."""

    def __init__(self, path: Path, limit: int | None) -> None:
        self.path = path
        self.size = 0
        self._limit = limit
        self._state = hashlib.sha256()
        self._file = path.open("xb")

    def add(self, chunk: bytes) -> None:
        """Write one piece.

        Raises
        ------
        TooLarge
            If the whole is now longer than the limit.
        """
        self.size += len(chunk)
        if self._limit is not None and self.size > self._limit:
            raise TooLarge(f"This file is larger than the limit of {self._limit:,} bytes. Send a smaller one.")
        self._state.update(chunk)
        self._file.write(chunk)

    def close(self) -> None:
        """Flush to the disk; nothing can be added afterwards."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    @property
    def digest(self) -> Digest:
        """The digest of what was written so far."""
        return Digest("sha256:" + self._state.hexdigest())
