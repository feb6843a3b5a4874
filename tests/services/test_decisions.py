"""Decisions with a result in view: the threshold of a model, the limits of a drift check."""

import pytest
from sqlalchemy.exc import IntegrityError

from modelops.domain.inventory import DatasetRole
from modelops.errors import Conflict, InvalidInput, NotAllowed, NotMeasured
from modelops.services import decisions, inventory, reviews
from modelops.store.queries_decisions import decisions_of_run, decisions_of_version, drift_limits
from modelops.store.queries_review import contributions
from modelops.store.tables import AuditRow, DecisionRow, ReviewRow, RunState
from tests.jobs.decided_runs import add, ran, worked
from tests.services.road import opened
from tests.store.road_store import finished

COSTS = (-2.0, 1.0, 5.0, 0.0)


@pytest.fixture
def review(store, people, now):
    return opened(store, people, now)


@pytest.fixture
def run(store, people, now, review, tmp_path):
    data = add(store, people["author"], now, DatasetRole.TEST)
    found = ran(store, tmp_path, "performance", actor=people["author"], at=now, data_id=data)
    assert found.state is RunState.FINISHED, found.message
    return found


@pytest.fixture
def drift_run(store, people, now, review, tmp_path):
    reference = add(store, people["author"], now, DatasetRole.REFERENCE)
    batch = add(store, people["author"], now, DatasetRole.PRODUCTION, seed=1, rows=150)
    asked = {"data_id": batch, "reference_id": reference, "parameters": {"domain_classifier": False, "margin": 0.2}}
    return ran(store, tmp_path, "drift", actor=people["author"], at=now, **asked)


def choose(store, run, actor, at, **changes):
    given = {"threshold": 0.5, "costs": COSTS, "capacity": None, "reason": "Agreed with the desk.", **changes}
    return decisions.choose_threshold(store, run.id, actor=actor, at=at, **given)


def of_run(store, run):
    with store.reading() as reader:
        return decisions_of_run(reader, run.id)


def test_a_threshold_is_kept_with_what_it_does_to_all_and_to_each_group(store, people, now, run):
    choose(store, run, people["author"], now)
    (one,) = of_run(store, run)
    assert [effect.group for effect in one.body.effects] == ["all rows", "sex = f", "sex = m"]
    assert one.body.effects[0].rows == 400
    assert one.body.threshold == pytest.approx(0.5)
    assert "A score of at least 0.5 counts as 1." in one.body.words


def test_a_threshold_that_selects_more_than_the_capacity_is_refused(store, people, now, run):
    with pytest.raises(InvalidInput, match="the capacity is 5 %"):
        choose(store, run, people["author"], now, threshold=0.2, capacity=0.05)
    choose(store, run, people["author"], now, threshold=0.9, capacity=0.05)


def test_a_decision_needs_a_reason(store, people, now, run):
    with pytest.raises(InvalidInput, match="reason is empty"):
        choose(store, run, people["author"], now, reason=" ")


def test_numbers_that_are_none_are_refused_in_words(store, people, now, run):
    nan, inf = float("nan"), float("inf")
    changes = [{"threshold": nan}, {"threshold": inf}, {"costs": (0, nan, 1, 0)}, {"costs": (0, 1e308, 1e308, 1e308)}]
    for change in (*changes, *({"capacity": share} for share in (nan, 0, -1, 2))):
        with pytest.raises(InvalidInput, match="finite"):
            choose(store, run, people["author"], now, **change)
    assert of_run(store, run) == []


@pytest.mark.parametrize("who", ["reviewer", "approver", "auditor"])
def test_only_an_author_decides(store, people, now, run, who):
    with pytest.raises(NotAllowed):
        choose(store, run, people[who], now)


def test_whoever_decides_has_contributed(store, people, now, run):
    row = choose(store, run, people["owner"], now)
    with store.reading() as reader:
        assert reader.first(AuditRow, action="decision:threshold").body.count(row.digest) == 1
        involved = contributions(reader, reader.get(ReviewRow, 1, what="review"))
    assert "decision:threshold" in involved[people["owner"].user_id]


def test_a_decision_is_never_changed(store, people, now, run):
    row = choose(store, run, people["author"], now)
    with pytest.raises(IntegrityError, match="append-only"), store.transaction() as t:
        t.get(DecisionRow, row.id, what="decision").reason = "Another."
        t.flush()


def test_a_result_without_counts_by_threshold_has_no_workbench(store, people, now, run):
    bare = finished(store, people["author"], now, data_id=run.data_id, version_id=1)
    with pytest.raises(NotMeasured):
        choose(store, bare, people["author"], now)


def test_a_decision_is_evidence_in_its_words(store, people, now, run):
    row = choose(store, run, people["author"], now)
    proof = decisions.attach_decision(store, row.id, 1, "works.solves", actor=people["author"], at=now)
    assert proof.digest == row.digest
    assert "Agreed with the desk." in proof.text
    assert "sex = f: selection rate" in proof.text


def test_a_decision_on_another_version_is_no_evidence(store, people, now, run):
    row = choose(store, run, people["author"], now)
    other = inventory.register_version(store, 1, actor=people["author"], at=now, label="2.0")
    opened_for = {"gate": "pre-deployment", "dataset_ids": ()}
    second = reviews.open_review(store, other.id, actor=people["author"], at=now, **opened_for)
    with pytest.raises(Conflict, match="another version"):
        decisions.attach_decision(store, row.id, second.id, "works.solves", actor=people["author"], at=now)


def test_thresholds_that_were_not_rehearsed_are_not_accepted(store, people, now, drift_run):
    with pytest.raises(Conflict, match="not rehearsed"):
        decisions.accept_drift_limits(store, drift_run.id, actor=people["author"], at=now, reason="Fine.")


def test_a_rehearsal_runs_in_the_queue_and_its_limits_are_accepted_with_their_rate(
    store, people, now, drift_run, tmp_path
):
    given = {"actor": people["author"], "at": now}
    again = worked(store, tmp_path, decisions.rehearse(store, drift_run.id, **given, rehearsals=60))
    assert again.state is RunState.FINISHED, again.message
    assert again.request["parameters"]["margin"] == 0.2
    decisions.accept_drift_limits(store, again.id, **given, reason="One false alarm a year is fine.")
    with store.reading() as reader:
        accepted = drift_limits(reader, 1)
        assert [one.row.id for one in decisions_of_version(reader, 1, 1)] == [accepted.row.id]
    assert (accepted.body.margin, accepted.body.rehearsals) == (0.2, 60)
    assert accepted.body.interval[0] <= accepted.body.alarm_rate <= accepted.body.interval[1]


def test_only_drift_is_rehearsed(store, people, now, run):
    with pytest.raises(InvalidInput, match="only thresholds of drift"):
        decisions.rehearse(store, run.id, actor=people["author"], at=now)
