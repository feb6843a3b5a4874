"""The tables, and what the training writes, made once for all tests of the example."""

import json
from datetime import UTC, datetime

import pytest


@pytest.fixture(scope="session")
def decisions():
    from modelops.demo.generator import credit_decisions

    return credit_decisions(1)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    from modelops.demo.workspace import train

    folder = tmp_path_factory.mktemp("example")
    train(folder)
    return folder


@pytest.fixture(scope="session")
def figures(trained):
    return json.loads((trained / "figures.json").read_text())


@pytest.fixture
def fresh_store(store):
    """A store without anybody but the administrator whom ``founder`` makes."""
    return store


@pytest.fixture
def founded():
    """The moment before anything happens in ``fresh_store``."""
    return datetime.now(UTC)


@pytest.fixture
def founder(fresh_store, founded):
    from modelops.services import setup

    token = setup.offer_setup(fresh_store)
    return setup.create_first_administrator(
        fresh_store,
        token,
        login="administrator",
        name="Administrator",
        password="violet kettle sings at noon",
        origin="127.0.0.1",
        at=founded,
    ).actor
