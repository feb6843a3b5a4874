"""Files in a transaction: a stored file always has a row, and a row always has its file."""

from __future__ import annotations

from datetime import datetime, timedelta

from modelops.domain.digest import Digest
from modelops.store import Store, Transaction
from modelops.store.blobs import Staged
from modelops.store.tables import BlobRow

_SETTLED = timedelta(hours=1)


def keep(store: Store, transaction: Transaction, content: bytes | Staged, *, at: datetime) -> Digest:
    """Store a file and its row. If the transaction fails afterwards, `sweep` takes the file away."""
    if isinstance(content, bytes):
        digest, size = store.blobs.add(content), len(content)
    else:
        digest, size = store.blobs.keep(content), content.size
    if transaction.find(BlobRow, digest) is None:
        transaction.add(BlobRow(digest=digest, size=size, created_at=at))
    return digest


def sweep(store: Store, *, at: datetime) -> int:
    """Remove files that no row knows, left by a crash between writing a file and its row; return how many.

    Files of the last hour stay: another process may be about to write their rows.
    """
    before = at - _SETTLED
    store.blobs.clear_staging(before=before)
    # The files first, the rows afterwards: what is stored in between is then known.
    stored = [digest for digest in store.blobs.all() if store.blobs.stored_at(digest) < before]
    with store.reading() as reader:
        known = {row.digest for row in reader.all(BlobRow)}
    unknown = [digest for digest in stored if digest not in known]
    for digest in unknown:
        store.blobs.remove(digest)
    return len(unknown)
