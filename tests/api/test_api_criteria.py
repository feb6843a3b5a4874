"""Acceptance criteria from a pipeline, and the champion of a run."""

import pytest

from modelops.services import inventory
from tests.api.door_browser import ORIGIN
from tests.services.road import opened
from tests.store.road_store import finished, with_data

PATH = "/api/v1/versions/1/criteria"
RECALL = {
    "name": "recall",
    "analysis": "performance",
    "metric": "recall",
    "at_least": 0.8,
    "why": "As good as by hand.",
}


@pytest.fixture
def ask(store, people, now, browser, cookie):
    opened(store, people, now)
    with_data(store, people["author"], now)

    def ask(method, path=PATH, *, who="author", **body):
        sent = {"json": body} if body else {}
        return browser.request(method, path, cookies=cookie(who), headers=ORIGIN, **sent)

    return ask


def written(ask, revision, **changes):
    return ask("PUT", seen_revision=revision, body={"criteria": [{**RECALL, **changes}], "primary": "recall"})


def test_criteria_are_written_frozen_and_read(ask):
    assert written(ask, 0).json() == {"revision": 1}
    frozen = ask("POST", f"{PATH}/freeze", seen_revision=1)
    assert frozen.status_code == 201
    (shown,) = ask("GET", who="auditor").json()["frozen"]
    assert (shown["digest"], shown["body"]["criteria"][0]["at_least"]) == (frozen.json()["digest"], 0.8)


def test_a_reviewer_does_not_write_criteria(ask):
    assert ask("PUT", who="reviewer", seen_revision=0, body={"criteria": [RECALL]}).status_code == 403


def test_a_metric_that_there_is_not_is_refused(ask):
    answer = written(ask, 0, metric="beauty")
    assert (answer.status_code, "beauty" in answer.json()["error"]["message"]) == (422, True)


def test_a_run_tells_by_what_it_was_judged_and_that_the_bar_moved(ask, store, people, now):
    written(ask, 0)
    first = ask("POST", f"{PATH}/freeze", seen_revision=1).json()
    run = finished(store, people["author"], now, data_id=1, version_id=1)
    assert ask("GET", f"/api/v1/runs/{run.id}").json()["bar_moved"] is None
    written(ask, 1, at_least=0.7)
    ask("POST", f"{PATH}/freeze", seen_revision=2, reason="Too hard.")
    shown = ask("GET", f"/api/v1/runs/{run.id}").json()
    assert shown["criteria"] == first["digest"]
    assert "at least 0.7" in shown["bar_moved"]["changes"][0]["new"]


def test_a_champion_of_another_model_is_refused(ask, store, people, now):
    other = inventory.register_model(
        store,
        actor=people["author"],
        at=now,
        name="Another",
        purpose="Another thing",
        owner_id=people["owner"].user_id,
        risk_tier="low",
    )
    rival = inventory.register_version(store, other.id, actor=people["author"], at=now, label="1")
    answer = ask("POST", "/api/v1/runs", analysis="performance", data_id=1, version_id=1, champion_id=rival.id)
    assert (answer.status_code, "different models" in answer.json()["error"]["message"]) == (422, True)
