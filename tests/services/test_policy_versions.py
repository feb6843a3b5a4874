"""The next version of the policy that comes with the app, in a store that holds the one before."""

from datetime import timedelta
from pathlib import Path

import pytest

from modelops.domain.policy import load_policy
from modelops.errors import Conflict
from modelops.services import catalogue, inventory, reviews
from modelops.settings import DATA
from modelops.store.tables import PolicyRow, ReviewRow
from tests.services.road import opened

VERSION_2 = (Path(__file__).parents[1] / "released" / "policy-default-2.yaml").read_text(encoding="utf-8")
CURRENT = (DATA / "policies" / "default.yaml").read_text(encoding="utf-8")


def with_version_2(store, monkeypatch, tmp_path):
    """Make what comes with the app what came with it before."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "default.yaml").write_text(VERSION_2, encoding="utf-8")
    (tmp_path / "checklists").symlink_to(DATA / "checklists")
    monkeypatch.setattr(catalogue, "DATA", tmp_path)


def in_force(store):
    with store.reading() as reader:
        return catalogue.latest(reader)[1]


def test_the_next_version_is_published_beside_the_one_before(store, now, monkeypatch, tmp_path):
    with monkeypatch.context() as before:
        with_version_2(store, before, tmp_path)
        catalogue.publish_built_in(store, at=now)
    catalogue.publish_built_in(store, at=now + timedelta(days=1))
    with store.reading() as reader:
        assert {row.version for row in reader.all(PolicyRow)} == {"2", load_policy(CURRENT).version}
    assert in_force(store).body == CURRENT


def test_a_review_keeps_the_version_that_it_was_opened_with(store, people, now, monkeypatch, tmp_path):
    with monkeypatch.context() as before:
        with_version_2(store, before, tmp_path)
        catalogue.publish_built_in(store, at=now)
        old = opened(store, people, now)
    later = now + timedelta(days=1)
    catalogue.publish_built_in(store, at=later)
    with store.reading() as reader:
        kept = catalogue.policy(reader, reader.get(ReviewRow, old.id, what="review").policy)
    assert kept == load_policy(VERSION_2)
    version = inventory.register_version(store, 1, actor=people["author"], at=later, label="2.0")
    new = reviews.open_review(store, version.id, actor=people["author"], at=later, gate=old.gate, dataset_ids=())
    assert new.policy == in_force(store).digest


def test_a_policy_that_a_person_published_stays_in_force(store, people, now, monkeypatch, tmp_path):
    own = VERSION_2.replace("name: default", "name: ours", 1)
    with monkeypatch.context() as before:
        with_version_2(store, before, tmp_path)
        catalogue.publish_built_in(store, at=now)
        catalogue.publish_policy(store, own, actor=people["administrator"], at=now + timedelta(hours=1))
    catalogue.publish_built_in(store, at=now + timedelta(days=1))
    assert in_force(store).name == "ours"


def test_the_app_starts_where_the_number_of_its_policy_is_taken(store, now, monkeypatch, tmp_path):
    number = load_policy(CURRENT).version
    other = VERSION_2.replace('version: "2"', f'version: "{number}"', 1)
    with monkeypatch.context() as before:
        with_version_2(store, before, tmp_path)
        (tmp_path / "policies" / "default.yaml").write_text(other, encoding="utf-8")
        catalogue.publish_built_in(store, at=now)
    catalogue.publish_built_in(store, at=now + timedelta(days=1))
    assert in_force(store).body == other


def test_the_content_of_a_published_version_cannot_be_replaced(store, people, now):
    catalogue.publish_built_in(store, at=now)
    changed = CURRENT.replace("alpha: 0.05", "alpha: 0.01", 1)
    with pytest.raises(Conflict, match="never changes"):
        catalogue.publish_policy(store, changed, actor=people["administrator"], at=now)


def test_what_version_2_said_is_not_said_again_under_its_number():
    """Version 2 has been released: the file that comes with the app is another version, or exactly that content."""
    assert load_policy(CURRENT).version != "2" or CURRENT == VERSION_2
