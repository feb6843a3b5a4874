"""What a pipeline does with a dataset after it sent it."""

import pytest

from modelops.store.tables import DatasetRow
from tests.api.door_browser import ORIGIN
from tests.services.road import opened
from tests.store.road_store import with_data

PATH = "/api/v1/datasets/1"


@pytest.fixture
def ask(store, people, now, browser, cookie):
    opened(store, people, now)
    with_data(store, people["author"], now)

    def ask(method, act, *, who="author", **body):
        return browser.request(method, f"{PATH}/{act}", cookies=cookie(who), headers=ORIGIN, json=body)

    return ask


def is_archived(store):
    with store.reading() as reader:
        return reader.get(DatasetRow, 1, what="dataset").archived_at is not None


def test_a_dataset_is_archived_and_restored_with_a_reason(ask, store):
    assert ask("POST", "archive", reason="The wrong month.").json()["id"] == 1
    assert is_archived(store)
    assert ask("POST", "archive", reason="The wrong month.").status_code == 409
    assert ask("POST", "restore", reason="The right one.").status_code == 200
    assert not is_archived(store)


@pytest.mark.parametrize("act", ["archive", "restore"])
def test_a_reason_is_needed(ask, act):
    assert ask("POST", act).status_code == 422
    assert ask("POST", act, reason=" ").status_code == 422


def test_a_reviewer_archives_nothing(ask, store):
    assert ask("POST", "archive", who="reviewer", reason="Mine.").status_code == 403
    assert not is_archived(store)
