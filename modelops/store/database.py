"""Engines: how a connection to SQLite or PostgreSQL is opened so that nothing is lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlmodel import create_engine

_PRAGMAS = (
    "journal_mode=WAL",
    "foreign_keys=ON",
    "busy_timeout=30000",
    # A signature that was shown as given must survive a power cut.
    "synchronous=FULL",
    # Without it INSERT OR REPLACE deletes rows behind the triggers that forbid it.
    "recursive_triggers=ON",
)
READ_ONLY = "modelops_read_only"


def make_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """Return an engine on which every writing transaction holds the write lock from its first statement.

    ``foreign_keys=False`` is for migrations alone: SQLite rebuilds a table by dropping it, and the drop would cascade.
    """
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The journal files get the mode of the database: it holds the hashes of passwords and sessions.
        Path(path).touch(mode=0o600)
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, pool_size=20, max_overflow=40)

    @event.listens_for(engine, "connect")
    def _opened(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()
        if not foreign_keys:
            connection.execute("PRAGMA foreign_keys=OFF").close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        reading = connection.get_execution_options().get(READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
