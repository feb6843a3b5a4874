"""What somebody does who holds the password of the database: plain SQL, past the services and past the triggers."""

from __future__ import annotations

from modelops.store import Store


def address(store: Store) -> str:
    """Return the address of the database of ``store``."""
    return store._engine.url.render_as_string(hide_password=False)


def run(store: Store, *statements: str) -> None:
    """Run statements in one transaction, foreign keys checked."""
    with store.transaction() as t:
        for statement in statements:
            t.session.connection().exec_driver_sql(statement)


def drop_trigger(store: Store, name: str, *, table: str) -> None:
    """Take away one refusal of the database."""
    run(store, f"DROP TRIGGER {name}" if store.sqlite_file else f"DROP TRIGGER {name} ON {table}")
