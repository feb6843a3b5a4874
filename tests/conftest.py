"""What all rooms share: a real store, people with every role, and a fixed time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as examples

from modelops.domain.people import Actor, Authentication, Role
from tests import postgresql

# A change is judged by the same examples every time, however busy the machine is; `HYPOTHESIS_PROFILE=search` looks for
# new ones.
examples.register_profile("same", derandomize=True, deadline=None)
examples.register_profile("search", derandomize=False, deadline=None, max_examples=500)
examples.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PASSWORD = "violet kettle sings at noon"
ROLES: dict[str, frozenset[Role]] = {
    "owner": frozenset({Role.AUTHOR}),
    "author": frozenset({Role.AUTHOR}),
    "reviewer": frozenset({Role.REVIEWER}),
    "approver": frozenset({Role.APPROVER}),
    "second_approver": frozenset({Role.APPROVER}),
    "auditor": frozenset({Role.AUDITOR}),
    "administrator": frozenset({Role.ADMINISTRATOR}),
}


@pytest.fixture(autouse=True, scope="session")
def quick() -> Iterator[dict[str, Any]]:
    """Hash passwords in a millisecond, and leave it to the system when records reach the disk.

    Nobody guesses the passwords of a test or cuts its power. What a test starts as a process is as it always is, and
    so is what a test sees that asks for ``as_in_use``. Returned is what stood there before.
    """
    from argon2 import PasswordHasher

    from modelops.services import passwords
    from modelops.store import database

    before = {"hasher": passwords._hasher, "pragmas": database._PRAGMAS}
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: cheap)
        patch.setattr(database, "_PRAGMAS", (*database._PRAGMAS, "synchronous=OFF"))
        yield before


@pytest.fixture
def as_in_use(quick: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hash passwords and write records as the app does."""
    from modelops.services import passwords
    from modelops.store import database

    monkeypatch.setattr(passwords, "_hasher", quick["hasher"])
    monkeypatch.setattr(database, "_PRAGMAS", quick["pragmas"])
    passwords._dummy.cache_clear()
    yield
    passwords._dummy.cache_clear()


@pytest.fixture
def now() -> datetime:
    """The time at which every test takes place."""
    return NOW


@pytest.fixture
def password() -> str:
    """The password of everybody in ``people``."""
    return PASSWORD


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """A store of the test's own, on disk; with everybody in it if the test also asks for ``people``."""
    from modelops.store import Store

    template = request.getfixturevalue("peopled_database" if "people" in request.fixturenames else "empty_database")
    if postgresql.SERVER:
        name = postgresql.made(postgresql.SERVER, template=template)
        url = postgresql.SERVER.format(database=name)
        monkeypatch.setenv("DATABASE_URL", url)
    else:
        database = tmp_path / "modelops.sqlite3"
        shutil.copyfile(template, database)
        url = f"sqlite:///{database}"
    opened = Store.open(url, str(tmp_path / "blobs"))
    yield opened
    opened.close()
    if postgresql.SERVER:
        postgresql.dropped(postgresql.SERVER, name)


@pytest.fixture
def people(store) -> dict[str, Actor]:
    """One person for each name of ``ROLES``, made through the services."""
    from modelops.store.queries_people import person_of_login

    with store.reading() as reader:
        found = {name: person_of_login(reader, name) for name in ROLES}
    return {
        name: Actor(person.id, person.login, person.name, person.roles, Authentication.PASSWORD, "127.0.0.1")
        for name, person in found.items()
    }


@pytest.fixture
def visit(
    store, people, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Callable[..., Any]]:
    """Open a page as one of ``people`` does: ``visit("author", "pages/home/account.py", id="3")``.

    It starts at ``app.py`` with a real session of that person. A test of Streamlit's has no browser, so the cookie of
    the connection, and nothing else, is handed in where Streamlit reads it.
    """
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    from modelops.settings import ROOT, settings
    from modelops.store import opened as shared

    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    settings.cache_clear()
    connections: dict[str, str] = {}
    monkeypatch.setattr("streamlit.runtime.context._get_client_context", lambda: _Connection(connections))

    def open_page(who: str, path: str = "", **query: str) -> AppTest:
        connections.clear()
        connections.update(session_cookie(store, people[who]))
        st.cache_data.clear()
        st.cache_resource.clear()
        screen = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        screen.run()
        for name, value in query.items():
            screen.query_params[name] = value
        return screen.switch_page(path).run() if path else screen

    open_page.connections = connections  # type: ignore[attr-defined]
    open_page.cookie = lambda who: session_cookie(store, people[who])  # type: ignore[attr-defined]
    yield open_page
    # A page shows what it did not expect as a number, which a test would otherwise take for an answer.
    assert [record.getMessage() for record in caplog.get_records("call") if record.name == "modelops.ui"] == []
    shared.opened(settings()).close()
    shared._opened.cache_clear()
    settings.cache_clear()


class _Connection:
    """What Streamlit knows of the browser at the other end."""

    headers: tuple[tuple[str, str], ...] = ()
    remote_ip = "127.0.0.1"

    def __init__(self, cookies: dict[str, str]) -> None:
        self.cookies = cookies


def session_cookie(store: Any, actor: Actor) -> dict[str, str]:
    """Begin a session of ``actor`` now, without the slow hash; return its cookie."""
    from modelops.services.sessions import open_session
    from modelops.store.tables import UserRow

    with store.transaction() as transaction:
        user = transaction.get(UserRow, actor.user_id, what="person")
        session = open_session(transaction, user, Authentication.PASSWORD, origin="127.0.0.1", at=datetime.now(UTC))
    return {"modelops": session.token}


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | str]:
    """A migrated database without anybody, made once."""
    yield from _made_once(tmp_path_factory, None, lambda store: None)


@pytest.fixture(scope="session")
def peopled_database(tmp_path_factory: pytest.TempPathFactory, empty_database: Path | str) -> Iterator[Path | str]:
    """A database with everybody, made once: each password costs a slow hash."""
    yield from _made_once(tmp_path_factory, empty_database, _add_everybody)


def _made_once(
    folders: pytest.TempPathFactory, template: Path | str | None, fill: Callable[[Any], None]
) -> Iterator[Path | str]:
    """Yield the file of a database of SQLite, or the name of one of PostgreSQL."""
    from modelops.store import Store

    folder = folders.mktemp("database")

    def filled(url: str) -> None:
        store = Store.open(url, str(folder / "blobs"))
        fill(store)
        store.close()

    if postgresql.SERVER:
        name = postgresql.made(postgresql.SERVER, filled, template=str(template or "template0"))
        yield name
        postgresql.dropped(postgresql.SERVER, name)
    else:
        database = folder / "modelops.sqlite3"
        if template is not None:
            shutil.copyfile(template, database)
        filled(f"sqlite:///{database}")
        # SQLite folds the write-ahead log into the file when the last connection closes; a copy needs only the file.
        wal = database.with_name(database.name + "-wal")
        assert not wal.exists() or wal.stat().st_size == 0
        yield database


def _add_everybody(store: Any) -> None:
    from modelops.services import people, sessions, setup

    token = setup.offer_setup(store)
    assert token is not None
    first = {"login": "administrator", "name": "Administrator", "password": PASSWORD}
    administrator = setup.create_first_administrator(store, token, **first, origin="127.0.0.1", at=NOW).actor
    for name, roles in ROLES.items():
        if name == "administrator":
            continue
        printed = name.replace("_", " ").capitalize()
        new = people.add_person(store, login=name, name=printed, roles=roles, actor=administrator, at=NOW)
        session = sessions.log_in(store, new.login, new.password, origin="127.0.0.1", at=NOW)
        change = {"current": new.password, "new": PASSWORD, "origin": "127.0.0.1", "at": NOW}
        sessions.change_password(store, session.token, **change)
