"""The page of the acceptance criteria, and where a bar that moved is shown, through Streamlit's own test of apps."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from modelops.domain.canonical import canonical_bytes
from modelops.domain.criteria import Criteria
from modelops.domain.result import AnalysisResult
from modelops.services import criteria, evidence, files
from modelops.services.criteria import as_criterion
from modelops.store.queries_criteria import draft, frozen_sets
from modelops.store.tables import EvidenceRow, RunRow, VersionRow
from modelops.ui.questions import key_of
from tests.services.road import opened
from tests.store.road_store import finished, with_data
from tests.ui.test_pages_models import field, links, press, texts

CRITERIA = "pages/models/criteria.py"
SUMMARY = {"format": "skops", "framework": "scikit-learn", "task": "classification", "features": ["a"], "size": 1}
RECALL = {"analysis": "performance", "metric": "recall", "at_least": 0.8, "why": "As good as by hand."}


@pytest.fixture
def review(store, people, now):
    review = opened(store, people, now)
    with_data(store, people["author"], now)
    return review


def freeze(store, people, at, demand, reason=""):
    with store.reading() as reader:
        seen = draft(reader, 1).revision
    body = Criteria(criteria=(as_criterion(demand, among=()),))
    given = {"actor": people["author"], "at": at}
    revision = criteria.write_criteria(store, 1, body, **given, seen_revision=seen).revision
    return criteria.freeze_criteria(store, 1, **given, seen_revision=revision, reason=reason)


def moved(store, people, now):
    """Attach a run and move its bar."""
    freeze(store, people, now, RECALL)
    run = finished(store, people["author"], now, data_id=1, version_id=1)
    evidence.attach_run(store, run.id, 1, "problem.done", actor=people["author"], at=now)
    freeze(store, people, now + timedelta(minutes=1), {**RECALL, "at_least": 0.7}, reason="Too hard.")
    return run


def sets(store):
    with store.reading() as reader:
        return frozen_sets(reader, 1)


def reproduced(store, run, at):
    """Return a run that measured what training again moves recall by."""
    result = AnalysisResult.model_validate(
        {
            "analysis": "reproducibility", "inputs": {}, "task": "classification", "parameters": {}, "seed": 0,
            "environment": {}, "protection": {"level": "A"}, "summary": "The same.",
            "measurements": [
                {"metric": "noise_margin", "value": 0.0213, "scope": {"metric": "recall"}, "sample_size": 5}
            ],
        }
    )  # fmt: skip
    with store.transaction() as t:
        digest = files.keep(store, t, canonical_bytes(result), at=at)
        asked = run.model_dump(exclude={"id", "analysis", "result", "cases"})
        return t.add(RunRow(**asked, analysis="reproducibility", result=digest))


def test_the_spread_of_training_again_is_offered_beside_the_margin(review, store, people, now, visit):
    run = reproduced(store, finished(store, people["author"], now, data_id=1, version_id=1), now)
    screen = visit("author", CRITERIA, version="1")
    assert "moves by up to" not in texts(screen)
    field(screen, "Metric", "selectbox").select("recall").run()
    assert f"moves by up to 0.0213 (run {run.id})" in texts(screen)


def test_an_author_adds_a_criterion_and_freezes_it(review, store, visit):
    screen = visit("author", CRITERIA, version="1")
    field(screen, "Metric", "selectbox").select("recall").run()
    field(screen, "Value", "number_input").set_value(0.75)
    field(screen, "Measured on", "selectbox").select("test")
    field(screen, "Why this bound?", "text_area").input("As good as by hand.")
    screen = press(screen, "Add")
    assert "Recall, all rows: at least 0.75, from 100 rows on, on test data" in texts(screen)
    assert sets(store) == []
    screen = press(screen, "Freeze")
    (frozen,) = sets(store)
    assert frozen.body.criteria[0].at_least == 0.75
    assert "Number 1, frozen" in texts(screen)


def test_a_criterion_without_a_reason_is_refused_on_the_page(review, store, visit):
    screen = press(visit("author", CRITERIA, version="1"), "Add")
    assert "Say why this bound was chosen: it is what a reviewer asks first." in texts(screen)
    with store.reading() as reader:
        assert draft(reader, 1).body.criteria == ()


def test_a_slice_of_one_group_is_asked_for_by_column_and_value(review, store, visit):
    screen = visit("author", CRITERIA, version="1")
    field(screen, "Slice", "selectbox").select("One group").run()
    field(screen, "Column", "selectbox").select("income").run()
    field(screen, "Value", "text_input").input("7")
    field(screen, "Why this bound?", "text_area").input("They are few.")
    screen = press(screen, "Add")
    with store.reading() as reader:
        assert draft(reader, 1).body.criteria[0].scope == {"group": {"income": "7"}}


def test_the_side_of_the_bound_follows_the_metric(review, visit):
    screen = visit("author", CRITERIA, version="1")
    assert field(screen, "Bound", "selectbox").value == "at least"
    field(screen, "Metric", "selectbox").select("log_loss").run()
    assert field(screen, "Bound", "selectbox").value == "at most"


def test_a_bound_that_nobody_typed_is_refused(review, store, visit):
    screen = visit("author", CRITERIA, version="1")
    field(screen, "Metric", "selectbox").select("log_loss").run()
    field(screen, "Why this bound?", "text_area").input("As good as by hand.")
    shown = texts(press(screen, "Add"))
    assert "Type the value" in shown
    with store.reading() as reader:
        assert draft(reader, 1).body.criteria == ()


def test_of_a_regression_the_form_begins_with_an_error_that_is_at_most_something(review, store, visit):
    with store.transaction() as t:
        row = t.get(VersionRow, 1, what="version")
        row.summary = {**(row.summary or {}), **SUMMARY, "task": "regression"}
    screen = visit("author", CRITERIA, version="1")
    assert field(screen, "Metric", "selectbox").value == "mean_absolute_error"
    assert field(screen, "Bound", "selectbox").value == "at most"


def test_one_class_is_chosen_from_those_of_the_model(review, store, visit):
    with store.transaction() as t:
        row = t.get(VersionRow, 1, what="version")
        row.summary = {**(row.summary or {}), **SUMMARY, "classes": ["0", "1"], "class_names": ["refund", "outage"]}
    screen = visit("author", CRITERIA, version="1")
    field(screen, "Slice", "selectbox").select("One class").run()
    assert field(screen, "Class", "selectbox").options == ["refund", "outage"]


def test_a_criterion_is_taken_out_again(review, store, people, now, visit):
    freeze(store, people, now, RECALL)
    press(visit("author", CRITERIA, version="1"), "Remove")
    with store.reading() as reader:
        assert draft(reader, 1).body.criteria == ()
    assert len(sets(store)) == 1


def test_taking_out_the_only_criterion_says_what_still_judges_and_can_be_frozen(review, store, people, now, visit):
    freeze(store, people, now, RECALL)
    screen = press(visit("author", CRITERIA, version="1"), "Remove")
    shown = texts(screen)
    assert "draft, judges nothing yet" in shown
    assert "Frozen number 1 judges until you freeze again." in shown
    field(screen, "Why does the bar move?").input("Recall is no longer what counts.")
    shown = texts(press(screen, "Freeze"))
    assert [len(one.body.criteria) for one in sets(store)] == [1, 0]
    assert "frozen, number 2" in shown
    assert "judges until you freeze again" not in shown
    assert "hold no criterion" in texts(visit("auditor", "pages/models/version.py", version="1"))


def test_primary_and_business_metric_are_named(review, store, people, now, visit):
    freeze(store, people, now, RECALL)
    screen = visit("author", CRITERIA, version="1")
    field(screen, "Primary metric", "selectbox").select("recall")
    field(screen, "Business metric", "text_area").input("Losses that were avoided.")
    screen = press(screen, "Save")
    with store.reading() as reader:
        body = draft(reader, 1).body
    assert (body.primary, body.business) == ("recall", "Losses that were avoided.")
    assert "draft, judges nothing yet" in texts(screen)


@pytest.mark.parametrize("who", ["reviewer", "approver", "auditor"])
def test_others_read_the_criteria(review, store, people, now, visit, who):
    freeze(store, people, now, RECALL)
    screen = visit(who, CRITERIA, version="1")
    assert "at least 0.8" in texts(screen)
    assert [button.label for button in screen.button if button.label in {"Add", "Freeze", "Remove"}] == []


PLACES = [
    (CRITERIA, {"version": "1"}),
    ("pages/analyses/run.py", {"run": "1"}),
    ("pages/reviews/review.py", {"review": "1"}),
    ("pages/reviews/sign.py", {"review": "1"}),
    ("pages/reviews/checklist.py", {"review": "1", "question": "problem.done"}),
]


@pytest.mark.parametrize(("path", "query"), PLACES, ids=[path.split("/")[-1] for path, _ in PLACES])
def test_a_bar_that_moved_is_shown_wherever_its_result_is(review, store, people, now, visit, path, query):
    moved(store, people, now)
    shown = texts(visit("reviewer", path, **query))
    assert "bar moved after the result" in shown
    assert "at least 0.8" in shown
    assert "at least 0.7" in shown


def test_the_version_shows_what_is_in_force(review, store, people, now, visit):
    moved(store, people, now)
    screen = visit("auditor", "pages/models/version.py", version="1")
    assert "at least 0.7" in texts(screen)
    assert "Open the criteria" in links(screen)


def test_the_criteria_are_attached_to_their_question_by_one_click(review, store, people, now, visit):
    freeze(store, people, now, RECALL)
    screen = visit("author", "pages/reviews/checklist.py", review="1", question="problem.done")
    assert screen.session_state[key_of("problem.done")]
    press(screen, "Attach the acceptance criteria")
    with store.reading() as reader:
        assert reader.first(EvidenceRow, question_id="problem.done").digest == sets(store)[0].row.digest


def test_a_question_that_a_link_leads_to_stands_first_and_open(review, visit):
    def rows(screen):
        return [found.key.removeprefix("toggle ") for found in screen.button if (found.key or "").startswith("toggle ")]

    usual = rows(visit("author", "pages/reviews/checklist.py", review="1"))
    screen = visit("author", "pages/reviews/checklist.py", review="1", question=usual[-1])
    assert rows(screen) == [usual[-1], *usual[:-1]]
    assert screen.session_state[key_of(usual[-1])]
    assert "The question that the link asked for." in texts(screen)


def file_fields(screen):
    """The number of each field for a file, and whether it is away."""
    fields = [one.proto for one in screen.get("bidi_component") if "limit" in (one.proto.json or "")]
    return [(field.id, json.loads(field.json)["away"]) for field in fields]


def test_the_field_of_a_file_stays_when_another_kind_of_evidence_is_chosen(review, visit):
    screen = visit("author", "pages/reviews/checklist.py", review="1", question="problem.done")
    screen.session_state["add evidence problem.done"] = True
    assert file_fields(screen.run()) == []
    ((number, is_away),) = file_fields(screen.button_group(key="kind problem.done").set_value("File").run())
    assert not is_away
    assert file_fields(screen.button_group(key="kind problem.done").set_value("Text").run()) == [(number, True)]


def test_an_analysis_that_lacks_its_data_is_not_run_and_says_why(review, visit):
    screen = visit("author", "pages/reviews/checklist.py", review="1", question="problem.done")
    assert "not run" in texts(screen)
    assert "The review rests on no data that performance looks at." in texts(screen)
    assert screen.button(key="run performance problem.done").disabled
