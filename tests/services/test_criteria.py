"""Acceptance criteria: frozen before the result, remembered by the run, and seen where they move after it."""

from datetime import timedelta

import pytest

from modelops.domain.criteria import Criteria, bar_changes
from modelops.domain.inventory import DatasetRole
from modelops.domain.result import AnalysisResult, Outcome
from modelops.errors import Conflict, InvalidInput, NotAllowed
from modelops.services import answers, criteria, evidence, exporting, files, inventory, reviews, runs
from modelops.services.criteria import CriteriaRecord, as_criterion
from modelops.store.queries_criteria import bar, draft, frozen_by_digest
from modelops.store.queries_review import content, contributions
from modelops.store.tables import AuditRow, DatasetRow, ReviewRow, RunRow, VersionRow
from tests.services.road import answer_all, opened, sign
from tests.store.road_store import finished, with_data

RECALL = {"analysis": "performance", "metric": "recall", "at_least": 0.8, "why": "As good as by hand."}


def later(now, minutes):
    return now + timedelta(minutes=minutes)


def write(store, people, at, *demands, who="author", **more):
    """Write a draft with these demands, in place of what was there."""
    made: list = []
    for demand in demands:
        made.append(as_criterion(demand, among=made))
    with store.reading() as reader:
        seen = draft(reader, 1).revision
    body = Criteria(criteria=tuple(made), **more)
    return criteria.write_criteria(store, 1, body, actor=people[who], at=at, seen_revision=seen)


def freeze(store, people, at, *demands, reason="", **more):
    revision = write(store, people, at, *demands, **more).revision
    return criteria.freeze_criteria(store, 1, actor=people["author"], at=at, seen_revision=revision, reason=reason)


@pytest.fixture
def review(store, people, now):
    review = opened(store, people, now)
    with_data(store, people["author"], now)
    return review


def ran(store, people, at):
    return finished(store, people["author"], at, data_id=1, version_id=1)


def bar_of(store, run):
    with store.reading() as reader:
        return bar(reader, reader.get(RunRow, run.id, what="run"))


def test_a_run_remembers_the_criteria_that_were_frozen_when_it_was_asked_for(store, people, now, review):
    first = freeze(store, people, now, RECALL)
    run = ran(store, people, later(now, 1))
    freeze(store, people, later(now, 2), {**RECALL, "at_least": 0.7}, reason="Too hard.")
    assert run.criteria == first.digest
    assert bar_of(store, run).judged.row.digest == first.digest


def test_a_draft_judges_nothing(store, people, now, review):
    write(store, people, now, RECALL)
    assert ran(store, people, now).criteria is None


def test_a_bar_that_moves_after_the_result_is_told_with_old_and_new(store, people, now, review):
    freeze(store, people, now, RECALL)
    run = ran(store, people, later(now, 1))
    assert bar_of(store, run).moved(run) is None
    freeze(store, people, later(now, 2), {**RECALL, "at_least": 0.7}, reason="Too hard.")
    (change,) = bar_of(store, run).moved(run).changes
    assert "at least 0.8" in change.old
    assert "at least 0.7" in change.new


def test_a_change_that_does_not_concern_the_analysis_does_not_move_its_bar(store, people, now, review):
    freeze(store, people, now, RECALL)
    run = ran(store, people, later(now, 1))
    drift = {"analysis": "drift", "metric": "drifted_feature_share", "at_most": 0.2, "why": "More is another world."}
    freeze(store, people, later(now, 2), RECALL, drift, reason="Drift was forgotten.")
    assert bar_of(store, run).moved(run) is None


def test_criteria_that_are_first_frozen_after_the_result_are_told(store, people, now, review):
    run = ran(store, people, now)
    freeze(store, people, later(now, 1), RECALL)
    moved = bar_of(store, run).moved(run)
    assert moved.judged_by is None
    assert moved.changes[0].old == "not asked for"


def test_a_bar_that_was_set_with_the_result_in_view_is_told(store, people, now, review):
    seen = ran(store, people, now)
    freeze(store, people, later(now, 1), RECALL)
    again = ran(store, people, later(now, 2))
    assert bar_of(store, again).moved(again).known_before == (seen.id,)


def test_a_demand_that_stood_before_the_result_is_not_set_in_view_of_it(store, people, now, review):
    freeze(store, people, now, RECALL)
    ran(store, people, later(now, 1))
    drift = {"analysis": "drift", "metric": "drifted_feature_share", "at_most": 0.2, "why": "More is another world."}
    freeze(store, people, later(now, 2), RECALL, drift, reason="Drift was forgotten.")
    again = ran(store, people, later(now, 3))
    assert bar_of(store, again).moved(again) is None


def test_a_demand_that_was_dropped_with_the_result_in_view_is_told(store, people, now, review):
    accuracy = {**RECALL, "metric": "accuracy"}
    freeze(store, people, now, RECALL, accuracy)
    seen = ran(store, people, later(now, 1))
    freeze(store, people, later(now, 2), accuracy, reason="Recall does not matter.")
    again = ran(store, people, later(now, 3))
    assert bar_of(store, again).moved(again).known_before == (seen.id,)


def test_dropping_every_demand_on_an_analysis_is_told_too(store, people, now, review):
    drift = {"analysis": "drift", "metric": "drifted_feature_share", "at_most": 0.2, "why": "More is another world."}
    freeze(store, people, now, RECALL, drift)
    seen = ran(store, people, later(now, 1))
    freeze(store, people, later(now, 2), drift, reason="Recall does not matter.")
    again = ran(store, people, later(now, 3))
    assert bar_of(store, again).moved(again).known_before == (seen.id,)


def test_the_whole_bar_can_be_taken_away_with_a_reason_and_is_no_evidence_then(store, people, now, review):
    freeze(store, people, now, RECALL)
    seen = ran(store, people, later(now, 1))
    with pytest.raises(InvalidInput, match="The bar moves"):
        freeze(store, people, later(now, 2))
    row = freeze(store, people, later(now, 2), reason="The model answers another question now.")
    assert bar_of(store, seen).moved(seen).changes[0].new == "not asked for"
    with pytest.raises(Conflict, match="no criterion"):
        criteria.attach_criteria(
            store, 1, "problem.done", CriteriaRecord.CRITERIA, actor=people["author"], at=later(now, 3), reason=""
        )
    assert row.number == 2


def test_a_version_or_dataset_of_the_same_bytes_does_not_hide_that_the_result_was_known(store, people, now, review):
    seen = [ran(store, people, now), finished(store, people["author"], now, data_id=1)]
    copy = inventory.register_version(store, 1, actor=people["author"], at=now, label="1.1")
    table = with_data(store, people["author"], now)
    body = Criteria(criteria=(as_criterion(RECALL, among=()),))
    given = {"actor": people["author"], "at": later(now, 1)}
    criteria.write_criteria(store, copy.id, body, seen_revision=0, **given)
    criteria.freeze_criteria(store, copy.id, seen_revision=1, **given)
    run = finished(store, people["author"], later(now, 2), data_id=table.id, version_id=copy.id)
    assert bar_of(store, run).moved(run).known_before == tuple(one.id for one in seen)


def test_what_another_model_showed_on_the_same_table_is_not_this_result(store, people, now, review):
    def give_model(version_id, content):
        with store.transaction() as t:
            t.get(VersionRow, version_id, what="version").artifact = files.keep(store, t, content, at=now)

    give_model(1, b"an earlier model")
    with store.transaction() as t:
        t.get(DatasetRow, 1, what="dataset").roles = {"target": "target", "features": ["income"]}
    ran(store, people, now)
    newer = inventory.register_version(store, 1, actor=people["author"], at=now, label="2.0")
    body = Criteria(criteria=(as_criterion(RECALL, among=()),))
    given = {"actor": people["author"], "at": later(now, 1)}
    criteria.write_criteria(store, newer.id, body, seen_revision=0, **given)
    criteria.freeze_criteria(store, newer.id, seen_revision=1, **given)
    give_model(newer.id, b"a new model")
    run = finished(store, people["author"], later(now, 2), data_id=1, version_id=newer.id)
    assert bar_of(store, run).moved(run) is None


def test_running_again_judges_by_the_same_bar(store, people, now, review):
    freeze(store, people, now, RECALL)
    run = ran(store, people, later(now, 1))
    freeze(store, people, later(now, 2), {**RECALL, "at_least": 0.7}, reason="Too hard.")
    assert runs.run_again(store, run.id, actor=people["author"], at=later(now, 3)).criteria == run.criteria


def test_moving_the_bar_needs_a_reason(store, people, now, review):
    freeze(store, people, now, RECALL)
    with pytest.raises(InvalidInput, match="say why"):
        freeze(store, people, now, {**RECALL, "at_least": 0.7})


def test_nothing_to_freeze_is_refused(store, people, now, review):
    with pytest.raises(InvalidInput, match="no criterion"):
        criteria.freeze_criteria(store, 1, actor=people["author"], at=now, seen_revision=0)


def test_the_same_criteria_are_not_frozen_twice(store, people, now, review):
    freeze(store, people, now, RECALL)
    with pytest.raises(Conflict, match="frozen already"):
        criteria.freeze_criteria(store, 1, actor=people["author"], at=now, seen_revision=1, reason="Once more.")


def test_what_was_not_read_is_not_frozen(store, people, now, review):
    write(store, people, now, RECALL)
    write(store, people, now, {**RECALL, "at_least": 0.1})
    with pytest.raises(Conflict, match="changed since"):
        criteria.freeze_criteria(store, 1, actor=people["author"], at=now, seen_revision=1)


def test_nobody_writes_over_a_change_that_they_did_not_see(store, people, now, review):
    write(store, people, now, RECALL)
    with pytest.raises(Conflict, match="Somebody else"):
        criteria.write_criteria(store, 1, Criteria(), actor=people["owner"], at=now, seen_revision=0)


@pytest.mark.parametrize("who", ["reviewer", "approver", "auditor", "administrator"])
def test_only_an_author_sets_the_bar(store, people, now, review, who):
    with pytest.raises(NotAllowed):
        write(store, people, now, RECALL, who=who)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"metric": "beauty"}, "no metric"),
        ({"analysis": "astrology"}, "no analysis"),
        ({"at_most": 0.9}, "exactly one"),
        ({"at_least": float("nan")}, "finite"),
        ({"why": ""}, "Say why this bound was chosen"),
        ({"why": "  "}, "Say why this bound was chosen"),
        ({"dataset": "sha256:" + "0" * 64}, "does not have"),
        ({"for_each": ("moon",)}, "each moon"),
    ],
)
def test_a_criterion_that_cannot_be_judged_is_refused_with_its_reason(store, people, now, review, wrong, said):
    with pytest.raises(Exception, match=said):
        write(store, people, now, {**RECALL, **wrong})


def test_freezing_is_in_the_audit_trail_with_digest_old_and_new(store, people, now, review):
    row = freeze(store, people, now, RECALL)
    with store.reading() as reader:
        entry = reader.first(AuditRow, action="criteria:freeze")
        assert row.digest in entry.body
        assert "at least 0.8" in entry.body
        assert people["author"].user_id in contributions(reader, reader.get(ReviewRow, 1, what="review"))


def test_a_frozen_set_has_the_digest_of_its_content(store, people, now, review):
    row = freeze(store, people, now, RECALL)
    with store.reading() as reader:
        assert frozen_by_digest(reader, row.digest).body.criteria[0].metric == "recall"


def test_the_bar_stands_still_while_the_review_is_submitted(store, people, now, review):
    answer_all(store, review, people, now)
    reviews.submit(store, review.id, actor=people["author"], at=now)
    with pytest.raises(Conflict, match="stands still"):
        freeze(store, people, now, RECALL)


def test_the_frozen_criteria_are_evidence_in_their_words(store, people, now, review):
    freeze(store, people, now, RECALL, primary="recall", business="Cost per default that was avoided.")
    given = {"actor": people["author"], "at": now, "reason": ""}
    row = criteria.attach_criteria(store, 1, "problem.done", CriteriaRecord.CRITERIA, **given)
    assert row.text.startswith("Recall, all rows: at least 0.8")
    primary = criteria.attach_criteria(store, 1, "problem.indicators", CriteriaRecord.PRIMARY, **given)
    assert primary.text.startswith("Recall")
    business = criteria.attach_criteria(store, 1, "problem.indicators", CriteriaRecord.BUSINESS, **given)
    assert business.text == "Cost per default that was avoided."


def test_a_draft_is_no_evidence(store, people, now, review):
    write(store, people, now, RECALL)
    given = {"actor": people["author"], "at": now, "reason": ""}
    with pytest.raises(Conflict, match="draft proves nothing"):
        criteria.attach_criteria(store, 1, "problem.done", CriteriaRecord.CRITERIA, **given)


def approved(store, people, keys, at, review):
    run = ran(store, people, at)
    answer_all(store, review, people, at)
    evidence.attach_run(store, run.id, review.id, "problem.done", actor=people["author"], at=at)
    reviews.submit(store, review.id, actor=people["author"], at=at)
    sign(store, review.id, people["reviewer"], keys, at)
    return sign(store, review.id, people["approver"], keys, at)


def changed_since(store, review):
    with store.reading() as reader:
        row = reader.get(ReviewRow, review.id, what="review")
        return {each.what for each in exporting.changes_since_approval(store, reader, row)}


def test_the_criteria_are_part_of_what_is_signed(store, people, keys, now, review):
    frozen = freeze(store, people, now, RECALL)
    approved(store, people, keys, later(now, 1), review)
    with store.reading() as reader:
        signed = content(reader, reader.get(ReviewRow, review.id, what="review"))
    assert signed.acceptance.digest == frozen.digest
    assert changed_since(store, review) == set()


def test_a_bar_that_moves_after_the_approval_shows_as_approved_for_an_earlier_state(store, people, keys, now, review):
    freeze(store, people, now, RECALL)
    approved(store, people, keys, later(now, 1), review)
    freeze(store, people, later(now, 2), {**RECALL, "at_least": 0.7}, reason="Too hard.")
    assert changed_since(store, review) == {"acceptance criteria", "bar moved after the result of run 1"}


def test_criteria_that_are_first_frozen_after_the_approval_leave_it_as_it_was_signed(store, people, keys, now, review):
    approved(store, people, keys, now, review)
    freeze(store, people, later(now, 2), RECALL)
    assert changed_since(store, review) == set()


def test_a_moved_bar_stands_in_the_sealed_report(store, people, keys, now, review):
    from modelops.services.reporting import current_report

    freeze(store, people, now, RECALL)
    run = ran(store, people, later(now, 1))
    evidence.attach_run(store, run.id, 1, "problem.done", actor=people["author"], at=later(now, 1))
    freeze(store, people, later(now, 2), {**RECALL, "at_least": 0.7}, reason="Too hard.")
    page = current_report(store, 1, actor=people["auditor"], at=later(now, 3))
    assert "Bar moved after the result" in page
    assert "at least 0.8" in page
    assert "at least 0.7" in page


def test_evidence_changes_after_a_submission_only_with_a_reason(store, people, now, review):
    freeze(store, people, now, RECALL)
    answer_all(store, review, people, now)
    reviews.submit(store, 1, actor=people["author"], at=now)
    reviews.request_changes(store, 1, actor=people["reviewer"], at=now, reason="Say more.")
    given = {"actor": people["author"], "at": now}
    with pytest.raises(InvalidInput, match="say why"):
        criteria.attach_criteria(store, 1, "problem.done", CriteriaRecord.CRITERIA, reason=" ", **given)
    answers.comment(store, 1, "Seen.", **given)


def test_changes_name_the_reason_where_only_the_reason_changed():
    one = as_criterion(RECALL, among=())
    other = one.model_copy(update={"why": "Agreed with the desk."})
    (change,) = bar_changes(Criteria(criteria=(one,)), Criteria(criteria=(other,)))
    assert change.new.endswith("Agreed with the desk.")


def test_a_criterion_for_other_data_is_not_applicable_and_says_why():
    from modelops.domain.criteria import judge_criteria

    one = as_criterion({**RECALL, "role": DatasetRole.TEST}, among=())
    result = AnalysisResult.model_validate(
        {
            "schema": "modelops.result/1", "analysis": "performance", "inputs": {}, "task": "classification",
            "parameters": {}, "seed": 0, "environment": {}, "protection": {"level": "A"}, "summary": "",
            "measurements": [{"metric": "recall", "value": 0.9, "sample_size": 100}],
        }
    )  # fmt: skip
    (there,) = judge_criteria(Criteria(criteria=(one,)), result, role=DatasetRole.TEST)
    (elsewhere,) = judge_criteria(Criteria(criteria=(one,)), result, role=DatasetRole.TRAIN)
    assert (there.verdict, there.rule) == (Outcome.PASSED, "criteria.recall")
    assert elsewhere.verdict is Outcome.NOT_APPLICABLE
    assert "train data" in elsewhere.because
