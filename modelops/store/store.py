"""The store: records and files behind two URLs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlalchemy import Engine
from sqlmodel import Session

from modelops.store.blobs import Blobs
from modelops.store.database import make_engine, reading_only
from modelops.store.failpoints import failpoint
from modelops.store.migrate import upgrade
from modelops.store.transaction import Reader, Transaction


class Store:
    """Opens transactions on the records, and holds the files."""

    def __init__(self, engine: Engine, blobs: Blobs) -> None:
        self._engine = engine
        self._reading = reading_only(engine)
        self.blobs = blobs

    @classmethod
    def open(cls, database: str, blobs: str) -> Store:
        """Open the store at these URLs, made or upgraded first where needed."""
        upgrade(database)
        return cls(make_engine(database), Blobs(blobs))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Write: everything inside the block happens, or nothing does. One writer at a time."""
        with Session(self._engine, expire_on_commit=False) as session:
            yield Transaction(session)
            failpoint("before commit")
            session.commit()
            failpoint("after commit")

    @contextlib.contextmanager
    def reading(self) -> Iterator[Reader]:
        """Read one consistent state; never waits for a writer, never writes."""
        with Session(self._reading, expire_on_commit=False, autoflush=False) as session:
            yield Reader(session)

    @property
    def sqlite_file(self) -> str | None:
        """The file of the records; ``None`` if they are in a database server."""
        return self._engine.url.database if self._engine.dialect.name == "sqlite" else None

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()
