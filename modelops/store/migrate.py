"""Upgrades of the database, by Alembic."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from modelops.store.database import make_engine
from modelops.store.triggers import create_triggers

HEAD = "0003"
_FOLDER = Path(__file__).parent / "migrations"


def current(database: str) -> str | None:
    """Return the version of the database, or ``None`` for an empty one."""
    engine = make_engine(database)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return found
    finally:
        engine.dispose()


def upgrade(database: str) -> bool:
    """Bring the database to the version of this program; return whether anything was to do.

    Alembic is only imported when there is something to do: it costs a second of the start.
    """
    if current(database) == HEAD:
        return False
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    engine = make_engine(database, foreign_keys=False)
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        with engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise RuntimeError(f"The upgrade left {len(broken)} rows that refer to nothing: {broken[:3]}")
            create_triggers(connection)
    finally:
        engine.dispose()
    return True
