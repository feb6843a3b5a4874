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
_POOL = {"pool_size": 20, "max_overflow": 40}
_READ_ONLY = "modelops_read_only"
# The lock is any fixed number. Who waits longer than SQLite's busy_timeout is told so.
_ONE_WRITER = "SELECT set_config('lock_timeout', '30s', true), pg_advisory_xact_lock(1836016741)"


def make_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """Return an engine on which every writing transaction holds the write lock from its first statement.

    ``foreign_keys=False`` is for migrations alone: SQLite rebuilds a table by dropping it, and the drop would cascade.
    """
    return _sqlite(url, foreign_keys=foreign_keys) if url.startswith("sqlite") else _postgresql(url)


def reading_only(engine: Engine) -> Engine:
    """Return ``engine`` for transactions that read one consistent state, and wait for no writer."""
    options: dict[str, Any] = {_READ_ONLY: True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return engine.execution_options(**options)


def _sqlite(url: str, *, foreign_keys: bool) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # The journal files get the mode of the database: it holds the hashes of passwords and sessions.
        Path(path).touch(mode=0o600)
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, **_POOL)

    @event.listens_for(engine, "connect")
    def _opened(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()
        if not foreign_keys:
            connection.execute("PRAGMA foreign_keys=OFF").close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if _only_reads(connection) else "BEGIN IMMEDIATE")

    return engine


def _postgresql(url: str) -> Engine:
    engine = create_engine(url, pool_pre_ping=True, **_POOL)

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        # What a service has read must still hold when it writes; every statement after this one sees what is committed.
        if not _only_reads(connection):
            connection.exec_driver_sql(_ONE_WRITER)

    return engine


def _only_reads(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(_READ_ONLY, False))
