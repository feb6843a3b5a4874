"""A copy of the records at one moment, taken while others write."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from sqlalchemy.engine import make_url

from modelops.errors import InvalidInput
from modelops.store.store import Store


def snapshot(store: Store, path: Path) -> None:
    """Write the records to a SQLite file.

    Raises
    ------
    InvalidInput
        If the records are not in SQLite.
    """
    source = store.sqlite_file
    if source is None:
        raise InvalidInput("The records are in a database server: back it up with its own tools (pg_dump).")
    with sqlite3.connect(source) as connection:
        connection.execute("VACUUM INTO ?", (str(path),))
    connection.close()


def restore_records(path: Path, database: str) -> bool:
    """Put a snapshot in place; return ``False``, with nothing changed, if there are records already."""
    url = make_url(database)
    if not url.drivername.startswith("sqlite") or not url.database:
        raise InvalidInput("A backup can only be put into SQLite. For a database server use its own tools.")
    target = Path(url.database)
    if target.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = target.with_suffix(".restoring")
    beside.touch(mode=0o600)
    shutil.copyfile(path, beside)
    beside.replace(target)
    return True
