"""The page of a data contract, through Streamlit's own test of whole apps."""

from __future__ import annotations

import sqlite3

import pytest

from modelops.domain.contract import AllowedRule, MissingRule, RangeRule
from modelops.services import contracts
from modelops.store.queries_contracts import newest
from modelops.store.tables import RunRow
from tests.ui.ui_inventory import MADE_AT, Made, author_of, make

CONTRACT, MODEL = "pages/models/contract.py", "pages/models/model.py"
INCOME = RangeRule(column="income", low=0.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory, peopled_database) -> Made:
    return make(tmp_path_factory.mktemp("contracts"), peopled_database, MADE_AT)


@pytest.fixture
def home(made, store, tmp_path):
    """The store of the test, with a model, its data and no contract."""
    made.hand_files_to(tmp_path)
    source, target = sqlite3.connect(made.database), sqlite3.connect(tmp_path / "modelops.sqlite3")
    source.backup(target)
    source.close()
    target.close()
    return store


@pytest.fixture
def begun(home, now):
    """The store with a contract of three checks."""
    author = {"actor": author_of(home), "at": now}
    row = contracts.begin_contract(home, 1, **author, name="Applicants")
    for rule in (
        INCOME,
        MissingRule(column="income", at_most=0.1),
        AllowedRule(column="sex", values=("female", "male")),
    ):
        row = contracts.put_check(home, 1, rule, why="Known from the form.", **author, seen=row.revision)
    return home


def texts(screen):
    kinds = ("title", "subheader", "markdown", "caption", "text", "error", "info", "success")
    return "\n".join(str(each.value) for kind in kinds for each in getattr(screen, kind)).replace("\\", "")


def field(screen, label, kind="text_input"):
    return next(found for found in getattr(screen, kind) if found.label == label)


def press(screen, label):
    return next(found for found in screen.button if label in found.label.replace("\\", "")).click().run()


def contract(store):
    with store.reading() as reader:
        return contracts.contract_of(newest(reader, 1))


def test_a_model_without_a_contract_offers_to_learn_or_to_write_one(visit, home):
    screen = visit("author", CONTRACT, model="1")
    assert {"Learn checks", "Start an empty contract"} <= {button.label for button in screen.button}
    assert not screen.error


def test_who_may_not_write_one_is_told_who_does(visit, home):
    screen = visit("reviewer", CONTRACT, model="1")
    assert "An author starts one" in texts(screen)
    assert not [button for button in screen.button if "contract" in button.label]


def test_learning_asks_for_a_run_on_good_rows(visit, home):
    press(visit("author", CONTRACT, model="1"), "Learn checks")
    with home.reading() as reader:
        run = reader.first(RunRow)
    assert (run.analysis, run.data_id, run.reference_id) == ("data_contract", 2, 2)


def test_an_empty_contract_is_started_and_offers_the_first_check(visit, home):
    screen = press(visit("author", CONTRACT, model="1"), "Start an empty contract")
    assert contract(home).name == "Data of Credit *default*"
    assert "No checks yet" in texts(screen)


def test_a_check_is_added_with_its_reason_and_shown(visit, begun):
    screen = visit("author", CONTRACT, model="1")
    field(screen, "What is it about?", "selectbox").set_value("range").run()
    field(screen, "Column", "selectbox").set_value("score")
    field(screen, "From").input("0")
    field(screen, "To").input("1")
    field(screen, "Why is this demanded?", "text_area").input("It is a probability.")
    screen = press(screen, "Add the check")
    assert contract(begun).check("score: range").rule == RangeRule(column="score", low=0.0, high=1.0)
    assert "It is a probability." in texts(screen)


def test_a_check_that_does_not_hold_together_is_refused_in_words(visit, begun):
    screen = visit("author", CONTRACT, model="1")
    field(screen, "What is it about?", "selectbox").set_value("range").run()
    field(screen, "Column", "selectbox").set_value("score")
    field(screen, "Why is this demanded?", "text_area").input("No reason.")
    screen = press(screen, "Add the check")
    assert "at least one of low and high" in texts(screen)
    assert len(contract(begun).checks) == 3


@pytest.mark.parametrize(
    "kind", ["type", "missing rate", "range", "allowed values", "unique", "comparison", "presence"]
)
def test_every_kind_of_check_has_its_fields(visit, begun, kind):
    screen = visit("author", CONTRACT, model="1")
    screen = field(screen, "What is it about?", "selectbox").set_value(kind).run()
    assert not screen.exception
    assert [found for found in screen.selectbox if found.label == "Column"]


def test_a_check_is_accepted_under_the_persons_name(visit, begun):
    screen = visit("author", CONTRACT, model="1")
    field(screen, "Check to work on", "selectbox").set_value("income: range").run()
    screen = press(screen, "Accept as Author")
    assert contract(begun).check("income: range").accepted_by == "Author"
    assert "3 checks on 2 columns, 1 accepted by a person" in texts(screen)


def test_a_check_is_changed_in_its_own_fields(visit, begun):
    screen = visit("author", CONTRACT, model="1")
    field(screen, "Check to work on", "selectbox").set_value("income: missing rate").run()
    field(screen, "Missing at most (percent of the rows)", "number_input").set_value(2.5)
    press(screen, "Save the change")
    assert contract(begun).check("income: missing rate").rule.at_most == 0.025


def test_a_check_is_removed_with_a_reason(visit, begun):
    screen = visit("author", CONTRACT, model="1")
    field(screen, "Check to work on", "selectbox").set_value("sex: allowed values").run()
    screen = press(screen, "Remove the check")
    assert "The reason is empty" in texts(screen)
    field(screen, "Why is it removed?").input("A third value is coming.")
    press(screen, "Remove the check")
    assert [check.id for check in contract(begun).checks] == ["income: range", "income: missing rate"]


def test_a_reviewer_reads_every_check_and_changes_none(visit, begun):
    screen = visit("reviewer", CONTRACT, model="1")
    screen = field(screen, "Check to work on", "selectbox").set_value("income: range").run()
    assert "Known from the form." in texts(screen)
    assert not [button for button in screen.button if button.label in ("Save the change", "Add the check")]


def test_a_version_is_published_and_offered_as_files(visit, begun):
    screen = visit("author", CONTRACT, model="1", part="Versions and files")
    field(screen, "What changed, and why?").input("First.")
    screen = press(screen, "Publish the next version")
    assert contract(begun).version == 1
    assert "Version 1 is published" in texts(screen)
    assert len(screen.get("download_button")) == 3
    assert screen.dataframe[0].value["Act"].tolist()[0] == "publish"


def test_the_contract_is_run_on_a_dataset_with_one_click(visit, begun):
    press(visit("author", CONTRACT, model="1", part="Run it"), "Run the contract")
    with begun.reading() as reader:
        run = reader.first(RunRow)
    assert (run.data_id, run.reference_id) == (1, 2)
    assert run.request["parameters"]["contract"] == contract(begun).text


def test_the_page_of_the_model_leads_to_the_contract(visit, home):
    screen = visit("auditor", MODEL, model="1", tab="Data")
    assert "Data contract" in [element.proto.label for element in screen.get("page_link")]
