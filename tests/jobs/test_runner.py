"""What the runner makes of a request: judged by policy and criteria, with the champion's file."""

from __future__ import annotations

import pytest

from modelops.domain.criteria import Criteria
from modelops.domain.inventory import DatasetRole
from modelops.domain.result import Outcome
from modelops.jobs.runner import Runner, gravest
from modelops.services import criteria, files, inventory, runs
from modelops.services.criteria import as_criterion
from modelops.settings import Settings
from modelops.store import queries_runs
from modelops.store.tables import RunRow, VersionRow
from tests.services.road import opened
from tests.store.road_store import with_data

WANTED = {"analysis": "performance", "metric": "accuracy", "at_least": 0.0, "why": "Anything will do."}


@pytest.fixture
def with_review(store, people, now):
    opened(store, people, now)
    with_data(store, people["author"], now)
    return store


def work(store, tmp_path):
    runner = Runner(store, Settings(home=tmp_path))
    while run := runner.claim():
        runner.run(run)


def test_a_result_is_judged_by_the_policy_and_by_the_frozen_criteria(with_review, people, now, tmp_path):
    store, author = with_review, people["author"]
    demands: list = []
    for demand in (WANTED, {**WANTED, "at_least": 1.1}, {**WANTED, "role": DatasetRole.TRAIN}):
        demands.append(as_criterion(demand, among=demands))
    body = Criteria(criteria=tuple(demands))
    criteria.write_criteria(store, 1, body, actor=author, at=now, seen_revision=0)
    criteria.freeze_criteria(store, 1, actor=author, at=now, seen_revision=1)
    run = runs.request_run(store, "performance", actor=author, at=now, data_id=1, version_id=1)
    work(store, tmp_path)
    with store.reading() as reader:
        row = reader.get(RunRow, run.id, what="run")
    found = {verdict.rule: verdict.verdict for verdict in runs.result(store, row).verdicts}
    assert found["criteria.accuracy"] is Outcome.PASSED
    assert found["criteria.accuracy_2"] is Outcome.FAILED
    assert found["criteria.accuracy_3"] is Outcome.NOT_APPLICABLE
    assert any(not rule.startswith("criteria.") for rule in found)
    assert row.verdict == "failed"


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.NOT_ENOUGH_DATA, Outcome.NOT_RUN])
def test_a_run_is_no_pass_where_a_rule_was_left_out_or_could_not_be_judged(outcome):
    assert gravest([Outcome.PASSED, Outcome.IMMATERIAL, outcome, Outcome.NOT_APPLICABLE]) is outcome


def test_what_does_not_apply_leaves_a_pass():
    assert gravest([Outcome.NOT_APPLICABLE, Outcome.PASSED]) is Outcome.PASSED


def test_the_files_of_a_run_include_that_of_the_champion(with_review, people, now):
    store, author = with_review, people["author"]
    rival = inventory.register_version(store, 1, actor=author, at=now, label="0.9")
    with store.transaction() as t:
        t.get(VersionRow, rival.id, what="version").artifact = files.keep(store, t, b"the older model", at=now)
    run = runs.request_run(store, "performance", actor=author, at=now, data_id=1, version_id=1, champion_id=rival.id)
    with store.reading() as reader:
        digests, _ = queries_runs.inputs_of(reader, run)
        assert digests["champion"] == reader.get(VersionRow, rival.id, what="version").artifact


def test_the_usual_champion_is_the_version_that_one_came_from(with_review, people, now):
    store, author = with_review, people["author"]
    with store.transaction() as t:
        t.get(VersionRow, 1, what="version").artifact = files.keep(store, t, b"the older model", at=now)
    child = inventory.register_version(store, 1, actor=author, at=now, label="1.1", parent_id=1)
    with store.reading() as reader:
        assert runs.usual_champion(reader, child).id == 1
        assert runs.usual_champion(reader, reader.get(VersionRow, 1, what="version")) is None
