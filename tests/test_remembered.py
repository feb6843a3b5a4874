"""A state of a store that is copied is the state that was walked to."""

import shutil

import pytest

from modelops.domain.inventory import RiskTier
from modelops.services import inventory
from modelops.store import Store
from modelops.store.queries_audit import verify
from modelops.store.tables import ModelRow, UserRow
from tests import remembered as remembering
from tests.remembered import remembered


@pytest.fixture
def stores(peopled_database, tmp_path, monkeypatch):
    """Two stores in which the same has happened, and nothing that is remembered of them."""
    monkeypatch.setattr(remembering, "_STATES", {})
    made = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copyfile(peopled_database, folder / "modelops.sqlite3")
        made.append(Store.open(f"sqlite:///{folder / 'modelops.sqlite3'}", str(folder / "blobs")))
    yield made
    for store in made:
        store.close()


@pytest.fixture
def walked():
    """Every time that the step was walked, by the name it was asked for."""
    return []


@pytest.fixture
def register(people, now, walked):
    @remembered
    def register(store, folder, *, name="Credit"):
        walked.append(name)
        given = {"name": name, "purpose": "?", "owner_id": people["owner"].user_id, "risk_tier": RiskTier.LOW}
        model = inventory.register_model(store, actor=people["author"], at=now, **given)
        return model, store.blobs.add(b"what was kept")

    return register


def test_records_files_and_what_was_returned_are_there_without_walking_again(stores, tmp_path, register, walked):
    for place, store in enumerate(stores):
        model, digest = register(store, tmp_path / str(place))
        assert store.blobs.read(digest) == b"what was kept"
        with store.reading() as reader:
            assert [row.name for row in reader.all(ModelRow)] == [model.name]
            assert verify(reader) is None
    assert walked == ["Credit"]


def test_a_copied_store_goes_on_as_any_other(stores, people, now, tmp_path, register):
    for store in stores:
        model, _ = register(store, tmp_path)
    inventory.register_version(stores[1], model.id, actor=people["author"], at=now, label="1.0")
    with stores[1].reading() as reader:
        assert verify(reader) is None


def test_a_step_is_walked_again_where_it_is_asked_for_something_else(stores, tmp_path, register, walked):
    register(stores[0], tmp_path, name="Credit")
    register(stores[1], tmp_path, name="Pricing")
    assert walked == ["Credit", "Pricing"]


def test_a_step_is_walked_again_where_anything_else_is_in_the_records(stores, tmp_path, register, walked):
    register(stores[0], tmp_path)
    with stores[1].transaction() as transaction:
        transaction.get(UserRow, 1, what="person").name = "Somebody else"
    register(stores[1], tmp_path)
    assert walked == ["Credit", "Credit"]


def test_what_happens_to_one_copy_happens_to_no_other(stores, tmp_path, register):
    model, _ = register(stores[0], tmp_path)
    model.name = "Changed"
    assert register(stores[1], tmp_path)[0].name == "Credit"
