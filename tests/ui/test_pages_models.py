"""The pages of the inventory, through Streamlit's own test of whole apps."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.inventory import DatasetRole
from modelops.domain.review import ReviewState
from modelops.services import catalogue, datasets, inventory, reviews
from modelops.store.tables import AuditRow, DatasetRow, ModelRow, ReviewRow, VersionRow
from tests.ui.ui_inventory import MADE_AT, Made, author_of, make

MODELS, MODEL = "pages/models/models.py", "pages/models/model.py"
VERSION, DATASET = "pages/models/version.py", "pages/models/dataset.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory, peopled_database) -> Made:
    return make(tmp_path_factory.mktemp("inventory"), peopled_database, MADE_AT)


@pytest.fixture
def home(made, store, tmp_path):
    """The store of the test, with the inventory in it."""
    import sqlite3

    made.hand_files_to(tmp_path)
    source, target = sqlite3.connect(made.database), sqlite3.connect(tmp_path / "modelops.sqlite3")
    source.backup(target)
    source.close()
    target.close()
    return store


def texts(screen):
    kinds = ("title", "header", "subheader", "markdown", "caption", "text", "error", "info", "success", "warning")
    shown = "\n".join(str(element.value) for kind in kinds for element in getattr(screen, kind))
    return shown.replace("\\", "")


def links(screen):
    return [element.proto.label.replace("\\", "") for element in screen.get("page_link")]


def field(screen, label, kind="text_input"):
    return next(found for found in getattr(screen, kind) if found.label == label)


def press(screen, label):
    return next(found for found in screen.button if found.label == label).click().run()


def sent_to(screen):
    """What the field for a file was told."""
    return json.loads(screen.get("bidi_component")[0].proto.json)


def editor_key(screen):
    return next(key for key in screen.session_state if key.startswith("columns of") and " table " in key)


def choose(screen, changes):
    """Change cells of the table of columns, by row and name of the cell."""
    screen.session_state[editor_key(screen)] = {"edited_rows": changes, "added_rows": [], "deleted_rows": []}
    return screen.run()


def row_of(screen, column):
    return screen.session_state[editor_key(screen).rpartition(" table ")[0] + " given"][1].index(
        next(
            line
            for line in screen.session_state[editor_key(screen).rpartition(" table ")[0] + " given"][1]
            if line["Column"] == column
        )
    )


def test_an_empty_inventory_leads_an_author_to_the_first_model(visit, store, people, now):
    catalogue.publish_built_in(store, at=now)
    screen = visit("author", MODELS)
    assert "No model yet" in texts(screen)
    assert field(screen, "Name").placeholder


def test_an_empty_inventory_tells_others_who_registers(visit, store, people, now):
    catalogue.publish_built_in(store, at=now)
    screen = visit("auditor", MODELS)
    assert "role author" in texts(screen)
    assert not screen.text_input


def test_an_author_registers_a_model_and_comes_to_its_page(visit, store, people, now):
    catalogue.publish_built_in(store, at=now)
    screen = visit("author", MODELS)
    field(screen, "Name").input("Churn")
    field(screen, "Purpose", "text_area").input("Who will leave?")
    press(screen, "Register")
    with store.reading() as reader:
        model = reader.first(ModelRow, name="Churn")
    assert model.owner_id == people["author"].user_id
    assert screen.title[0].value == "Churn"


def test_what_a_risk_tier_means_for_signatures_is_said_where_it_is_chosen(visit, home):
    screen = visit("author", MODELS)
    captions = next(found for found in screen.radio if found.label == "Risk tier").proto.captions
    assert [text.count("signature") for text in captions] == [1, 1, 1]
    assert "Three signatures" in captions[2]


def test_a_name_that_is_taken_is_refused_with_its_reason(visit, home):
    screen = visit("author", MODELS)
    field(screen, "Name").input("Credit *default*")
    field(screen, "Purpose", "text_area").input("Again")
    press(screen, "Register")
    assert "There is a model" in texts(screen)


def test_a_name_with_markup_is_shown_letter_by_letter(visit, home):
    screen = visit("author", MODELS)
    assert "**Credit \\*default\\***" in [element.proto.label for element in screen.get("page_link")]


def test_the_inventory_says_what_each_model_waits_for(visit, home):
    assert "Open a review of 1.0" in links(visit("reviewer", MODELS))


@pytest.mark.parametrize(("text", "found"), [("DEFAULT within", True), ("pricing", False)])
def test_the_search_looks_at_names_and_purposes(visit, home, text, found):
    screen = visit("reviewer", MODELS)
    field(screen, "Find a model").input(text).run()
    assert ("No model fits" not in texts(screen)) is found


@pytest.mark.parametrize("tab", ["Versions", "Data", "Reviews", "Analyses", "About", "History"])
@pytest.mark.parametrize("who", ["author", "auditor"])
def test_every_part_of_a_model_is_shown(visit, home, who, tab):
    screen = visit(who, MODEL, model="1", tab=tab)
    assert not screen.exception
    assert not screen.error


def test_what_comes_next_is_opened_on_the_page_itself_and_stays_open(visit, home):
    screen = visit("author", MODEL, model="1", tab="History")
    press(screen, "Open a review of 1\\.0")
    assert [found for found in screen.button if found.label == "Open the review"]
    assert [found for found in screen.run().button if found.label == "Open the review"]
    assert not screen.warning


def test_a_version_without_a_file_is_added(visit, home):
    screen = visit("author", MODEL, model="1")
    field(screen, "What is there of it?", "radio").set_value("Only its predictions").run()
    assert field(screen, "Version label").value == "1.1"
    press(screen, "Add the version")
    with home.reading() as reader:
        assert reader.first(VersionRow, label="1.1") is not None
    assert screen.title[0].value == "Credit \\*default\\* 1\\.1"


def test_the_field_of_a_file_under_way_stays_when_its_version_has_come_to_be(visit, home, now):
    screen = visit("author", MODEL, model="1")
    field(screen, "Version label").input("spring").run()
    field(screen, "Notes (optional)", "text_area").input("Trained again.").run()
    before = screen.get("bidi_component")[0].proto.id
    inventory.register_version(home, 1, actor=author_of(home), at=now, label="spring")
    screen.run()
    assert field(screen, "Version label").value == "spring"
    assert field(screen, "Notes (optional)", "text_area").value == "Trained again."
    assert screen.get("bidi_component")[0].proto.id == before


def test_the_field_of_a_file_stays_when_a_version_without_one_is_chosen(visit, home):
    screen = visit("author", MODEL, model="1")
    before = screen.get("bidi_component")[0].proto.id
    assert sent_to(screen)["away"] is False
    field(screen, "What is there of it?", "radio").set_value("Only its predictions").run()
    assert screen.get("bidi_component")[0].proto.id == before
    assert sent_to(screen)["away"] is True


def test_a_file_without_a_label_for_its_version_is_not_sent_but_its_field_stays(visit, home):
    screen = visit("author", MODEL, model="1")
    assert sent_to(screen)["blocked"] == ""
    field(screen, "Version label").input("").run()
    assert "Give the version a label" in sent_to(screen)["blocked"]


def test_of_many_datasets_a_review_is_offered_the_newest_of_each_role_it_needs(visit, home):
    with home.transaction() as transaction:
        of_test = transaction.get(DatasetRow, 1, what="dataset").model_dump(exclude={"id"})
        for number in range(8):
            role = DatasetRole.TEST if number < 4 else DatasetRole.PRODUCTION
            transaction.add(DatasetRow(**{**of_test, "name": f"more {number}", "role": role}))
    screen = visit("author", MODEL, model="1", tab="Reviews")
    chosen = field(screen, "Data it rests on", "multiselect")
    with home.reading() as reader:
        names = sorted(reader.get(DatasetRow, number, what="dataset").name for number in chosen.value)
    assert names == ["earlier", "more 3"]
    assert "the newest for test, reference and train" in texts(screen)


def test_the_way_to_a_page_ends_with_its_last_step(visit, home):
    assert links(visit("author", MODEL, model="1"))[0] == "Models"
    assert "/" not in [found.value for found in visit("author", MODEL, model="1").caption]
    assert [found.value for found in visit("author", VERSION, version="1").caption].count("/") == 1


@pytest.mark.parametrize(
    ("level", "layers", "word", "note"),
    [
        ("A", ("landlock", "seccomp"), "isolated", "Sandbox level A: enforced by the kernel (landlock, seccomp)"),
        ("C", (), "not isolated", "Sandbox level C: not enforced by the kernel (no layer)"),
    ],
)
def test_how_well_a_file_was_walled_in_is_said_in_words(level, layers, word, note):
    def page(level, layers):
        from modelops.domain.result import Protection
        from modelops.ui.protection import protection_note

        protection_note(Protection(level=level, layers=layers))

    screen = AppTest.from_function(page, kwargs={"level": level, "layers": layers}).run()
    assert screen.markdown[0].value.endswith(f" {word}]")
    assert note in screen.markdown[0].help.replace("\\", "")


def test_a_store_with_models_says_where_the_example_can_be_loaded(visit, home):
    screen = visit("administrator")
    assert "Load the example" in [found.label for found in screen.expander]
    assert "MODELOPS_HOME=" in screen.code[0].value
    assert "Load the example" not in [found.label for found in visit("author").expander]


def test_a_store_without_models_offers_the_example_itself(visit, store):
    screen = visit("administrator")
    assert "Load the example workspace" in [found.label for found in screen.button]
    assert not screen.expander


def test_a_review_is_opened_with_all_the_data_of_the_model(visit, home):
    screen = visit("author", MODEL, model="1", tab="Reviews")
    press(screen, "Open the review")
    with home.reading() as reader:
        review = reader.first(ReviewRow, version_id=1)
    assert review.state is ReviewState.IN_PROGRESS
    assert screen.query_params["review"] == str(review.id)


def test_facts_are_corrected_with_a_reason_and_the_history_shows_it(visit, home):
    screen = visit("author", MODEL, model="1", tab="About")
    field(screen, "Purpose", "text_area").input("Who will default within two years?")
    press(screen, "Save")
    assert "reason is empty" in texts(screen)
    field(screen, "Reason for the change").input("The product changed.")
    press(screen, "Save")
    screen = visit("author", MODEL, model="1", tab="History")
    newest = screen.dataframe[0].value.iloc[0]
    assert newest["Reason"] == "The product changed."
    assert "two years" in newest["What"]


def test_a_version_without_a_file_says_what_it_can_do(visit, home):
    screen = visit("reviewer", VERSION, version="1")
    assert "known by its predictions alone" in texts(screen)
    assert not screen.exception


def test_roles_that_were_guessed_are_said_to_be_guessed(visit, home):
    screen = visit("author", DATASET, dataset="1")
    assert "guessed from names and values" in texts(screen)
    assert "Target target, prediction prediction, score score" in texts(screen)


def confirmed(store):
    with store.reading() as reader:
        return reader.all(AuditRow, action="dataset:confirm")


def test_who_agrees_with_the_guess_says_so_with_one_button(visit, home):
    screen = press(visit("author", DATASET, dataset="1"), "These are right")
    assert "guessed from names and values" not in texts(screen)
    assert "Guessed, and confirmed by Author, " in texts(screen)
    assert "These are right" not in [found.label for found in screen.button]
    (entry,) = confirmed(home)
    assert (entry.actor_name, entry.subject, entry.contributes) == ("Author", "dataset/1", True)


def test_a_guess_that_is_being_changed_is_saved_not_confirmed(visit, home):
    screen = visit("author", DATASET, dataset="1")
    choose(screen, {row_of(screen, "income"): {"Use": "not used"}})
    assert next(found for found in screen.button if found.label == "These are right").disabled
    screen = press(screen, "Save the columns")
    assert "These are right" not in [found.label for found in screen.button]
    assert confirmed(home) == []


def test_the_list_of_the_data_says_whose_columns_were_guessed(visit, home):
    press(visit("author", DATASET, dataset="1"), "These are right")
    assert texts(visit("auditor", MODEL, model="1", tab="Data")).count("columns guessed") == 1


def test_a_reviewer_reads_that_nobody_confirmed_the_guess(visit, home):
    screen = visit("reviewer", DATASET, dataset="1")
    assert "Nobody has confirmed them yet" in texts(screen)
    assert "These are right" not in [found.label for found in screen.button]


def with_reason(screen, reason, act):
    next(found for found in screen.text_input if found.label == "Reason").input(reason)
    return press(screen, act)


def test_a_dataset_is_archived_and_restored_with_a_reason(visit, home):
    screen = visit("author", DATASET, dataset="1", part="File")
    assert "reason is empty" in texts(press(screen, "Archive"))
    screen = with_reason(screen, "The wrong month.", "Archive")
    assert "Archived by Author, " in texts(screen)
    assert "The wrong month." in texts(screen)
    assert "Run an analysis" not in links(screen)
    screen = with_reason(screen, "The right one.", "Restore")
    assert "Archived by" not in texts(screen)
    assert "Run an analysis" in links(screen)


def test_an_archived_dataset_is_listed_only_where_it_is_asked_for(visit, home, people, now):
    screen = visit("author", MODEL, model="1", tab="Data")
    assert not screen.toggle
    datasets.archive_dataset(home, 1, actor=people["author"], at=now, reason="The wrong month.")
    screen = visit("author", MODEL, model="1", tab="Data")
    assert "**cases**" not in links(screen)
    assert "**earlier**" in links(screen)
    screen = field(screen, "Show archived (1)", "toggle").set_value(True).run()
    assert "**cases**" in links(screen)


def test_an_archived_dataset_is_offered_nowhere(visit, home, people, now):
    datasets.archive_dataset(home, 1, actor=people["author"], at=now, reason="The wrong month.")
    start = visit("author", "pages/analyses/start.py", analysis="drift", model="1", data="1")
    assert field(start, "Data", "selectbox").options == ["earlier (reference, 300 rows)"]
    review = visit("author", MODEL, model="1", tab="Reviews")
    assert field(review, "Data it rests on", "multiselect").options == ["earlier (reference)"]
    contract = visit("author", "pages/models/contract.py", model="1")
    assert all("cases" not in option for box in contract.selectbox for option in box.options)


def test_a_reviewer_sees_who_archived_a_dataset_and_restores_nothing(visit, home, people, now):
    datasets.archive_dataset(home, 1, actor=people["author"], at=now, reason="The wrong month.")
    screen = visit("reviewer", DATASET, dataset="1", part="File")
    assert "Archived by Author, " in texts(screen)
    assert not {"Archive", "Restore"} & {found.label for found in screen.button}


def test_the_history_names_an_archived_dataset(visit, home, people, now):
    datasets.archive_dataset(home, 1, actor=people["author"], at=now, reason="The wrong month.")
    newest = visit("author", MODEL, model="1", tab="History").dataframe[0].value.iloc[0]
    assert (newest["What"], newest["Reason"]) == ("Archived dataset cases", "The wrong month.")


def test_a_corrected_column_is_saved(visit, home):
    screen = visit("author", DATASET, dataset="1")
    choose(screen, {row_of(screen, "region"): {"Sensitive": True}, row_of(screen, "income"): {"Use": "not used"}})
    press(screen, "Save the columns")
    with home.reading() as reader:
        roles = ColumnRoles.model_validate(reader.get(DatasetRow, 1, what="dataset").roles)
        assert reader.first(AuditRow, action="dataset:columns") is not None
    assert set(roles.sensitive) == {"region", "sex"}
    assert roles.features == ("region", "sex")


def test_the_positive_class_of_a_target_of_zeroes_and_ones_is_guessed(home):
    with home.reading() as reader:
        assert reader.get(DatasetRow, 1, what="dataset").positive == "1"


def test_nothing_is_saved_while_nothing_changed(visit, home):
    screen = visit("author", DATASET, dataset="1")
    assert next(found for found in screen.button if found.label == "Save the columns").disabled


def test_two_targets_cannot_be_saved(visit, home):
    screen = visit("author", DATASET, dataset="1")
    choose(screen, {row_of(screen, "income"): {"Use": "target (what came true)"}})
    assert "are all the target" in texts(screen)
    assert next(found for found in screen.button if found.label == "Save the columns").disabled


def test_two_scores_ask_for_their_classes(visit, home):
    screen = visit("author", DATASET, dataset="1")
    choose(screen, {row_of(screen, "income"): {"Use": "score"}})
    assert "of which class" in texts(screen)


def test_a_quick_action_takes_sensitive_columns_away_from_the_model(visit, home):
    screen = visit("author", DATASET, dataset="1")
    press(screen, "Sensitive only for the audit")
    press(screen, "Save the columns")
    with home.reading() as reader:
        roles = ColumnRoles.model_validate(reader.get(DatasetRow, 1, what="dataset").roles)
    assert "sex" in roles.sensitive
    assert "sex" not in roles.features


def test_a_correction_can_be_taken_back_to_the_guess(visit, home):
    screen = visit("author", DATASET, dataset="1")
    press(screen, "No features")
    assert "0 features" in texts(screen)
    press(screen, "Back to the guess")
    assert "3 features" in texts(screen)


def test_a_reviewer_reads_the_columns_and_changes_nothing(visit, home):
    screen = visit("reviewer", DATASET, dataset="1")
    assert not [found for found in screen.button if found.label == "Save the columns"]


@pytest.mark.parametrize("part", ["Columns", "Statistics", "First rows", "Analyses", "File"])
def test_every_part_of_a_dataset_is_shown(visit, home, part):
    screen = visit("approver", DATASET, dataset="1", part=part)
    assert not screen.exception
    assert not screen.error


def test_the_columns_of_a_dataset_under_a_finished_review_change_with_a_reason(visit, home, people, now):
    author = people["author"]
    review = reviews.open_review(home, 1, actor=author, at=now, gate="inception", dataset_ids=[1])
    reviews.withdraw(home, review.id, actor=author, at=now, reason="Begun too early.")
    screen = visit("author", DATASET, dataset="1")
    press(screen, "No features")
    press(screen, "Save the columns")
    assert "say why its columns change" in texts(screen)
    next(found for found in screen.text_input if found.label == "Reason for the change").input("Wrong table.").run()
    press(screen, "Save the columns")
    with home.reading() as reader:
        assert ColumnRoles.model_validate(reader.get(DatasetRow, 1, what="dataset").roles).features == ()


def test_a_table_with_two_hundred_columns_is_searched(visit, home, people, now, tmp_path):
    import numpy as np
    import pandas as pd

    wide = pd.DataFrame(np.random.default_rng(1).random((60, 200)), columns=[f"m{i:03d}" for i in range(200)])
    with home.blobs.stage(limit=1 << 22) as staged:
        staged.add(wide.to_csv(index=False).encode())
        row = inventory.add_dataset(
            home, 1, actor=author_of(home), at=now, name="wide", role="test", staged=staged, file_name="wide.csv"
        )
    screen = visit("author", DATASET, dataset=str(row.id))
    field(screen, "Find a column").input("m19").run()
    choose(screen, {3: {"Use": "target (what came true)"}})
    field(screen, "Find a column").input("").run()
    press(screen, "Save the columns")
    with home.reading() as reader:
        saved = reader.get(DatasetRow, row.id, what="dataset")
    assert ColumnRoles.model_validate(saved.roles).target == "m193"
    assert len(saved.roles["features"]) == 199


@pytest.mark.parametrize(("path", "name"), [(MODEL, "model"), (VERSION, "version"), (DATASET, "dataset")])
def test_an_address_that_leads_nowhere_says_so(visit, home, path, name):
    screen = visit("author", path, **{name: "999"})
    assert "There is no" in texts(screen)
    assert not screen.exception


def test_a_dependency_lock_is_added_once(home, people, now):
    from modelops.errors import Conflict

    lock = {"content": b"scikit-learn==1.9.1\n", "file_name": "requirements.lock"}
    inventory.add_dependencies(home, 1, actor=people["author"], at=now, **lock)
    with pytest.raises(Conflict, match="already"):
        inventory.add_dependencies(home, 1, actor=people["author"], at=now, **lock)


def test_a_correction_keeps_task_and_positive_class_of_the_form(visit, home):
    screen = visit("author", DATASET, dataset="1")
    task = next(found for found in screen.button_group if found.label == "What is predicted")
    task.set_value(Task.REGRESSION).run()
    press(screen, "Save the columns")
    with home.reading() as reader:
        saved = reader.get(DatasetRow, 1, what="dataset")
    assert (saved.task, saved.positive) == (Task.REGRESSION, None)
