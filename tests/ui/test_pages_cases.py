"""The pages on single cases: reading mistakes, and asking a model what if; on real runs."""

import sqlite3
from datetime import UTC, datetime

import pytest

from modelops.domain.case_reading import CaseVerdict
from modelops.domain.inventory import DatasetRole
from modelops.services import cases, inventory, runs
from modelops.store.tables import CaseReadingRow, RunRow, RunState
from modelops.ui.what_if import Column, changes
from tests.model_files import applicants, train
from tests.ui.ui_inventory import MADE_AT, author_of, make, work

CASES, WHAT_IF, RUN, VERSION = (
    "pages/analyses/cases.py",
    "pages/analyses/what_if.py",
    "pages/analyses/run.py",
    "pages/models/version.py",
)
NOTE = "Why? One line that others can learn from"


@pytest.fixture(scope="module")
def made(tmp_path_factory, peopled_database):
    """A model file with its table; run 1 queues its mistakes, run 2 asks about row 5."""
    from modelops.store import Store

    made = make(tmp_path_factory.mktemp("single"), peopled_database, MADE_AT)
    store = Store.open(f"sqlite:///{made.database}", str(made.folder / "blobs"))
    who = {"actor": author_of(store), "at": MADE_AT}
    table = applicants()
    table.to_csv(made.folder / "applicants.csv", index=False)
    with store.blobs.stage() as staged:
        staged.add(train("skops", made.folder, table).path.read_bytes())
        version = inventory.register_version(store, 1, **who, label="2.0", artifact=staged, artifact_name="model.skops")
    with store.blobs.stage() as staged:
        staged.add((made.folder / "applicants.csv").read_bytes())
        name = {"name": "Applicants", "file_name": "applicants.csv"}
        data = inventory.add_dataset(store, 1, **who, **name, role=DatasetRole.TEST, staged=staged)
    asked = {**who, "data_id": data.id, "version_id": version.id}
    runs.request_run(store, "misclassified", **asked, parameters={"rows": 10})
    runs.request_run(store, "what_if", **asked, parameters={"row": 5, "rules": ["debt <= 60"]})
    work(store, made.folder)
    store.close()
    return made


@pytest.fixture
def home(made, store, tmp_path):
    made.hand_files_to(tmp_path)
    source, target = sqlite3.connect(made.database), sqlite3.connect(tmp_path / "modelops.sqlite3")
    source.backup(target)
    source.close()
    target.close()
    return store


def texts(screen):
    kinds = ("title", "subheader", "markdown", "caption", "text", "error", "info", "success", "warning")
    shown = "\n".join(str(element.value) for kind in kinds for element in getattr(screen, kind))
    metrics = "\n".join(f"{one.label}: {one.value}" for one in screen.metric)
    return f"{shown}\n{metrics}".replace("\\", "")


def links(screen):
    return [element.proto.label.replace("\\", "") for element in screen.get("page_link")]


def button(screen, label):
    return next(found for found in screen.button if found.label == label)


def press(screen, label):
    return button(screen, label).click().run()


def field(screen, label, kind="text_input"):
    return next(found for found in getattr(screen, kind) if found.label == label)


def readings(store):
    with store.reading() as reader:
        return list(reader.all(CaseReadingRow))


def newest(store):
    with store.reading() as reader:
        return reader.all(RunRow)[-1]


# --- reading cases


def test_the_first_case_is_shown_with_its_values_and_outcome(visit, home, people):
    screen = visit("author", CASES, run="1")
    rows = cases.case_review(home, 1, actor=people["author"]).queue.rows
    assert "Case 1 of 10" in texts(screen)
    assert f"Row {rows[0]} of the table" in texts(screen)
    shown = screen.dataframe[0].value
    assert {"age", "income", "debt"} <= set(shown["Column"])
    assert not screen.exception


def test_a_verdict_and_a_note_are_saved_and_the_next_case_is_shown(visit, home):
    screen = press(visit("author", CASES, run="1"), "Label error")
    field(screen, NOTE).set_value("The bank sent the payment date later.")
    press(screen, "Save and next")
    saved = readings(home)[0]
    assert (saved.verdict, saved.note) == (CaseVerdict.LABEL_ERROR, "The bank sent the payment date later.")
    assert saved.right_label in {"0", "1"}
    assert "Case 2 of 10" in texts(screen)


def test_the_verdicts_have_keys_of_their_own(visit, home):
    screen = visit("author", CASES, run="1")
    keys = {found.label: found.proto.shortcut for found in screen.button if found.proto.shortcut}
    assert [keys[verdict.value.capitalize()] for verdict in CaseVerdict] == ["1", "2", "3", "4"]
    assert {keys["Next"], keys["Previous"]} == {"right", "left"}


def test_a_note_that_is_missing_is_asked_for_and_nothing_is_saved(visit, home):
    screen = press(press(visit("author", CASES, run="1"), "Model error"), "Save and next")
    assert "The note" in texts(screen)
    assert readings(home) == []


def read(home, who, row, verdict, note="Seen before."):
    cases.read_case(home, 1, row, actor=who, at=datetime.now(UTC), verdict=verdict, note=note)


def test_a_second_reader_is_told_that_there_is_a_verdict_and_not_which(visit, home, people):
    row = cases.case_review(home, 1, actor=people["author"]).queue.rows[0]
    read(home, people["author"], row, CaseVerdict.DATA_ERROR, note="An income of a child.")
    shown = texts(visit("reviewer", CASES, run="1"))
    assert "Somebody has read this case" in shown
    assert "An income of a child" not in shown


def test_both_see_each_others_verdict_and_settle_a_difference(visit, home, people):
    row = cases.case_review(home, 1, actor=people["author"]).queue.rows[0]
    read(home, people["author"], row, CaseVerdict.DATA_ERROR, note="An income of a child.")
    read(home, people["reviewer"], row, CaseVerdict.MODEL_ERROR, note="Others have it too.")
    screen = visit("reviewer", CASES, run="1")
    assert "Where two readers differ" in texts(screen)
    assert "An income of a child." in texts(screen)
    assert "Choose which verdict stands" in texts(press(screen, "Settle"))
    field(screen, "Which verdict stands?", "radio").set_value(CaseVerdict.MODEL_ERROR)
    field(screen, "Why?").set_value("The registry says so.")
    press(screen, "Settle")
    assert cases.case_review(home, 1, actor=people["author"]).stands[row].verdict is CaseVerdict.MODEL_ERROR


def test_what_was_found_is_counted_with_agreement_and_accuracy(visit, home, people):
    for place, row in enumerate(cases.case_review(home, 1, actor=people["author"]).queue.rows[:6]):
        verdict = CaseVerdict.LABEL_ERROR if place < 3 else CaseVerdict.MODEL_ERROR
        read(home, people["author"], row, verdict)
        read(home, people["reviewer"], row, verdict)
    shown = texts(visit("auditor", CASES, run="1"))
    assert "Label error: 3" in shown
    assert "Cohen's kappa 1.00" in shown
    assert "Accuracy with wrong labels put right" in shown


def test_who_only_looks_is_offered_no_verdict(visit, home):
    screen = visit("auditor", CASES, run="1")
    assert "Model error" not in [found.label for found in screen.button]


def test_the_run_leads_to_its_cases(visit, home):
    assert "Read the cases" in links(visit("author", RUN, run="1"))


def test_a_run_of_something_else_has_no_cases(visit, home):
    assert "no queue of cases" in texts(visit("author", CASES, run="2"))


# --- what if


def test_the_case_is_shown_with_what_the_model_says_and_what_would_lead_elsewhere(visit, home):
    screen = visit("author", WHAT_IF, run="2")
    shown = texts(screen)
    assert "For row 5 the model gives the class" in shown
    assert "What would lead elsewhere" in shown
    assert "The nearest real case" in shown
    assert {"age", "income", "debt"} <= {found.label for found in screen.number_input}
    assert not screen.exception


def test_editing_asks_the_model_again_and_keeps_the_limits(visit, home):
    screen = visit("author", WHAT_IF, run="2")
    field(screen, "debt", "number_input").set_value(55.5)
    press(screen, "Ask the model")
    run = newest(home)
    asked = run.request["parameters"]
    assert (run.analysis, run.state) == ("what_if", RunState.QUEUED)
    assert asked["changes"] == ["debt = 55.5"]
    assert (asked["row"], asked["rules"]) == (5, ["debt <= 60"])


def test_a_proposed_set_of_changes_can_be_tried(visit, home):
    screen = visit("author", WHAT_IF, run="2")
    press(screen, "Try")
    assert newest(home).request["parameters"]["changes"]


def test_a_case_is_chosen_by_version_data_and_row(visit, home):
    screen = visit("author", WHAT_IF, model="1")
    field(screen, "Row", "number_input").set_value(17)
    press(screen, "Look at this case")
    assert newest(home).request["parameters"]["row"] == 17


def test_who_may_not_run_looks_and_does_not_ask(visit, home):
    screen = visit("auditor", WHAT_IF, run="2")
    assert "For row 5" in texts(screen)
    assert "Ask the model" not in [found.label for found in screen.button]
    assert "Asking a model is for authors and reviewers" in texts(visit("auditor", WHAT_IF, model="1"))


def test_the_version_and_the_run_lead_to_it(visit, home):
    assert "Ask it about one case" in links(visit("author", VERSION, version="2"))
    assert "What if" in links(visit("author", RUN, run="2"))


def test_edits_are_what_differs_from_the_table():
    columns = [
        Column("age", "number", 40.0, 40.0, 18.0, 80.0, (), None, True, None),
        Column("job", "level", "clerk", "none", None, None, ("clerk", "none"), None, True, None),
        Column("paid", "yes or no", True, True, None, None, ("False", "True"), None, True, None),
    ]
    assert changes(columns, {"age": 40, "job": "clerk", "paid": "True"}) == []
    assert changes(columns, {"age": None, "job": "none", "paid": "False"}) == [
        "age = missing",
        "job = none",
        "paid = False",
    ]
