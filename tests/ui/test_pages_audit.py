"""The page of the audit trail: who did what to which named thing, without opening anything."""

from __future__ import annotations

import json
from datetime import date

import pytest

from modelops.domain.people import SYSTEM
from modelops.services import runs
from tests.conftest import NOW
from tests.ui.test_pages_models import field, home, links, made, press, texts  # noqa: F401

AUDIT = "pages/governance/audit.py"


def choose(screen, label, value):
    return field(screen, label, "selectbox").select(value).run()


@pytest.fixture
def trail(home, people):  # noqa: F811
    """The inventory with a run asked for, and entries of somebody else about nothing that is known."""
    runs.request_run(home, "performance", actor=people["author"], at=NOW, data_id=1, version_id=1)
    with home.transaction() as t:
        t.record(SYSTEM, "run:fail", "run/999", at=NOW, reason="It stopped.")
    return home


def test_an_entry_says_who_did_what_to_which_named_thing(visit, trail):
    shown = texts(visit("auditor", AUDIT))
    assert "Author**  \nasked for analysis run" in shown
    assert "Performance of Credit *default* 1.0 on cases (run 1)" in shown
    assert "Dataset earlier of Credit *default*" in shown
    assert "2026-11-23  \n09:30:00 UTC" in shown.replace("\u200b", "")


def test_a_thing_that_is_not_there_stays_readable(visit, trail):
    shown = texts(visit("auditor", AUDIT))
    assert "Analysis run 999, which is not in this store" in shown
    assert "“It stopped.”" in shown


def test_no_table_cuts_the_entries(visit, trail):
    assert not visit("auditor", AUDIT).dataframe


def test_what_a_number_stands_for_is_said_among_the_values(visit, trail):
    shown = texts(visit("auditor", AUDIT))
    assert "version: 1.0" in shown
    assert "owner: Author" in shown


def test_the_trail_is_narrowed_to_a_model(visit, trail):
    screen = choose(visit("auditor", AUDIT), "Model", 1)
    shown = texts(screen)
    assert "Dataset earlier of Credit *default*" in shown
    assert "which is not in this store" not in shown
    assert "published the policy" not in shown


def test_the_trail_is_narrowed_to_a_person(visit, trail, people):
    screen = choose(visit("auditor", AUDIT), "Person", str(people["author"].user_id))
    assert "**Author**" in texts(screen)
    assert "**ModelOps**" not in texts(screen)


def test_the_trail_is_narrowed_to_the_app_itself(visit, trail):
    screen = choose(visit("auditor", AUDIT), "Person", "ModelOps")
    assert "**ModelOps**" in texts(screen)
    assert "**Author**" not in texts(screen)


def test_the_trail_is_narrowed_to_a_kind_of_act_and_to_one(visit, trail):
    screen = visit("auditor", AUDIT)
    offered = field(screen, "Act", "selectbox").options
    assert "Datasets: everything" in offered
    assert "Analysis runs: asked for analysis run" in offered
    shown = texts(choose(screen, "Act", "run:"))
    assert "asked for analysis run" in shown
    assert "could not finish run" in shown
    assert "added dataset" not in shown
    assert "could not finish run" not in texts(choose(screen, "Act", "run:request"))


def test_the_trail_is_narrowed_to_days(visit, trail):
    with trail.transaction() as t:
        t.record(SYSTEM, "run:fail", "run/998", at=NOW.replace(day=25))
    screen = visit("auditor", AUDIT)
    field(screen, "From", "date_input").set_value(date(2026, 11, 25)).run()
    field(screen, "Until", "date_input").set_value(date(2026, 11, 25)).run()
    shown = texts(screen)
    assert "run 998" in shown
    assert "run 999" not in shown


def test_nothing_that_fits_is_said(visit, trail):
    screen = visit("auditor", AUDIT)
    field(screen, "About").input("review/77").run()
    assert "Nothing fits" in texts(screen)


def test_one_entry_is_shown_with_its_exact_bytes_and_its_names(visit, trail):
    with trail.reading() as reader:
        from modelops.store.tables import AuditRow

        row = reader.first(AuditRow, action="run:request")
    screen = visit("auditor", AUDIT, entry=str(row.sequence))
    assert screen.code[0].value == row.body
    assert row.hash in screen.code[1].value
    assert "Performance of Credit *default* 1.0 on cases (run 1)" in texts(screen)


def test_older_entries_are_one_click_away(visit, trail):
    with trail.transaction() as t:
        for number in range(60):
            t.record(SYSTEM, "run:fail", f"run/{1000 + number}", at=NOW)
    screen = visit("auditor", AUDIT)
    assert "run 1059," in texts(screen)
    assert "run 1009," not in texts(screen)
    screen = press(screen, "Older")
    assert "run 1009," in texts(screen)
    assert "run 1059," not in texts(screen)
    assert "run 1059," in texts(press(screen, "Newer"))


def test_a_filter_begins_with_the_newest_again(visit, trail):
    with trail.transaction() as t:
        for number in range(60):
            t.record(SYSTEM, "run:fail", f"run/{1000 + number}", at=NOW)
    screen = press(visit("auditor", AUDIT), "Older")
    assert "run 1059," in texts(choose(screen, "Act", "run:fail"))


def test_the_file_for_a_program_is_made_of_what_fits(visit, trail):
    screen = choose(visit("auditor", AUDIT), "Act", "run:request")
    screen = press(screen, "Make a JSON of everything that fits")
    (one,) = json.loads(screen.session_state["made"]["JSON"])
    assert (one["subject"], one["model_name"]) == ("run/1", "Credit *default*")


def test_a_file_made_for_other_filters_is_not_offered(visit, trail):
    screen = press(visit("auditor", AUDIT), "Make a CSV of everything that fits")
    assert screen.get("download_button")
    assert not choose(screen, "Act", "run:request").get("download_button")


def test_a_thing_with_a_page_is_opened_from_its_entry(visit, trail):
    assert "Open" in links(visit("auditor", AUDIT))
