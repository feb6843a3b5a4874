"""The frame and the pages of people, through Streamlit's own test of whole apps."""

from __future__ import annotations

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.util import calc_hash

from modelops.domain.people import Role
from modelops.services import people as accounts
from modelops.services import sessions, tokens
from modelops.store.queries_people import person, person_of_login
from modelops.store.tables import AuditRow, SessionRow
from modelops.ui import navigation

PEOPLE, PERSON, ACCOUNT = "pages/admin/people.py", "pages/admin/person.py", "pages/home/account.py"


def texts(screen):
    kinds = ("title", "header", "subheader", "markdown", "caption", "text", "error", "info", "success", "code")
    return "\n".join(str(element.value) for kind in kinds for element in getattr(screen, kind))


def field(screen, label, kind="text_input"):
    return next(found for found in getattr(screen, kind) if found.label == label)


def press(screen, label):
    return next(found for found in screen.button if found.label == label).click().run()


@pytest.mark.parametrize("who", ["author", "reviewer", "approver", "auditor", "administrator"])
def test_everybody_has_a_start_page(visit, who):
    screen = visit(who)
    assert not screen.exception
    assert screen.title[0].value.startswith("Welcome")


def test_without_a_session_no_page_shows_anything(visit):
    screen = visit("administrator", PEOPLE)
    visit.connections.clear()
    screen.run()
    assert screen.title[0].value == "Log in again"
    assert "Administrator" not in texts(screen)


def test_a_session_that_was_ended_elsewhere_ends_here_at_the_next_click(visit, store, people):
    screen = visit("author", ACCOUNT)
    with store.transaction() as transaction:
        for row in transaction.all(SessionRow, user_id=people["author"].user_id):
            transaction.remove(row)
    screen.run()
    assert screen.title[0].value == "Log in again"


def test_another_person_on_the_same_screen_finds_nothing_of_the_first(visit, store, people):
    screen = visit("author")
    screen.session_state["draft"] = "the author's words"
    visit.connections.update(visit.cookie("owner"))
    screen.run()
    assert "draft" not in screen.session_state
    assert "Owner" in screen.title[0].value


def test_only_an_administrator_sees_people_in_the_menu(people):
    for name, actor in people.items():
        titles = [entry.title for entry in navigation.allowed_entries(actor)]
        assert ("People" in titles) == (name == "administrator")


def test_every_page_of_the_menu_has_its_file_and_an_address_of_its_own():
    from modelops.settings import ROOT

    assert all((ROOT / entry.path).is_file() for entry in navigation.PAGES)
    assert len({entry.address for entry in navigation.PAGES}) == len(navigation.PAGES)
    assert {entry.section for entry in navigation.PAGES} <= set(navigation.SECTIONS)


def test_a_page_that_somebody_may_not_see_says_why(visit, people):
    screen = visit("author")
    screen._page_hash = calc_hash("people")  # what a browser asks for that opens /people
    screen.run()
    assert "needs the role administrator" in screen.error[0].value


def test_an_address_without_a_page_says_so_and_leads_to_the_start(visit, monkeypatch):
    screen = visit("author")
    with monkeypatch.context() as browser:  # what a browser asks for that opens /no*where*
        browser.setattr(PagesManager, "intended_page_script_hash", "")
        browser.setattr(PagesManager, "intended_page_name", "no*where*")
        screen.run()
    assert "There is no such page" in texts(screen)
    assert "/no\\*where\\*\\." in texts(screen)
    assert "Welcome" not in texts(screen)
    assert [found.proto.label for found in screen.get("page_link")] == ["Go to the start page"]
    assert "There is no such page" in texts(screen.run())
    assert "Welcome" in texts(screen.switch_page("pages/home/welcome.py").run())


def add(screen, name, login, *roles):
    field(screen, "Printed name").input(name)
    field(screen, "Login").input(login)
    field(screen, "Roles", "button_group").set_value(list(roles))
    press(screen, "Add")


def test_an_administrator_adds_somebody_and_sees_the_password_once(visit, store, now):
    screen = visit("administrator", PEOPLE)
    add(screen, "New Author", "newcomer", Role.AUTHOR)
    shown = [found.value for found in screen.code]
    assert shown[0] == "newcomer"
    assert sessions.log_in(store, "newcomer", shown[1], origin="here", at=now).must_change_password
    assert shown[1] not in texts(screen.run())


def test_nothing_of_somebody_added_is_left_for_the_next_person(visit, store):
    screen = visit("administrator", PEOPLE)
    add(screen, "Val Example", "val", Role.AUTHOR, Role.REVIEWER)
    assert "Val Example was added as author and reviewer\\." in texts(screen)
    assert (field(screen, "Printed name").value, field(screen, "Login").value) == ("", "")
    assert field(screen, "Roles", "button_group").value == []
    add(screen, "Aud Example", "aud", Role.AUDITOR)
    with store.reading() as reader:
        assert person_of_login(reader, "aud").roles == {Role.AUDITOR}


def test_a_refusal_keeps_what_was_typed(visit):
    screen = visit("administrator", PEOPLE)
    add(screen, "New Author", "owner", Role.AUTHOR)
    assert (field(screen, "Printed name").value, field(screen, "Login").value) == ("New Author", "owner")
    assert field(screen, "Roles", "button_group").value == [Role.AUTHOR]


def test_an_empty_form_asks_for_login_and_name(visit):
    screen = press(visit("administrator", PEOPLE), "Add")
    said = screen.error[0].value.replace("\\", "")
    assert "Type a login: 2 to 64 letters" in said
    assert "Type a printed name" in said


def test_a_refusal_is_shown_with_its_reason(visit):
    screen = visit("administrator", PEOPLE)
    add(screen, "New Author", "owner", Role.AUTHOR)
    assert "The login owner is taken" in screen.error[0].value


def test_an_administrator_changes_roles_with_a_reason(visit, store, people):
    target = people["author"].user_id
    screen = visit("administrator", PERSON, id=str(target))
    screen.button_group(key=f"roles of {target}").set_value([Role.REVIEWER])
    screen.text_input(key="why roles").input("joins the reviewers")
    press(screen, "Change roles")
    with store.reading() as reader:
        assert person(reader, target).roles == {Role.REVIEWER}


def test_without_a_reason_nothing_changes(visit, store, people):
    target = people["author"].user_id
    screen = visit("administrator", PERSON, id=str(target))
    press(screen, "Disable account")
    assert "reason is empty" in screen.error[0].value
    with store.reading() as reader:
        assert person(reader, target).is_active


def test_an_administrator_disables_somebody(visit, store, people):
    target = people["author"].user_id
    screen = visit("administrator", PERSON, id=str(target))
    screen.text_input(key="why switch").input("left")
    press(screen, "Disable account")
    with store.reading() as reader:
        assert not person(reader, target).is_active


def test_an_administrator_gives_a_new_password(visit, store, people, now):
    screen = visit("administrator", PERSON, id=str(people["author"].user_id))
    screen.text_input(key="why reset").input("forgotten")
    press(screen, "Reset password")
    shown = [found.value for found in screen.code]
    assert sessions.log_in(store, "author", shown[1], origin="here", at=now).must_change_password


def test_an_administrator_finds_no_forms_on_their_own_account(visit, people):
    screen = visit("administrator", PERSON, id=str(people["administrator"].user_id))
    assert not screen.button
    assert "Another administrator" in screen.info[0].value


@pytest.mark.parametrize(("number", "message"), [("999", "no person 999"), ("x", "a number is wanted")])
def test_an_address_that_leads_nowhere_says_so(visit, number, message):
    screen = visit("administrator", PERSON, id=number)
    assert not screen.exception
    assert message in screen.error[0].value.replace("\\", "")


def test_a_name_full_of_markup_is_shown_letter_by_letter(visit, store, people, now):
    name = "**bold** [link](http://evil.example) ![](http://evil.example/x.png) :red[x] $x$"
    target, by = people["author"].user_id, people["administrator"]
    accounts.set_name(store, target, name, reason="test", actor=by, at=now)
    screen = visit("administrator", PERSON, id=str(target))
    assert "\\*\\*bold\\*\\*" in screen.title[0].value
    assert "](" not in screen.title[0].value


def test_the_account_page_shows_who_one_is(visit):
    shown = texts(visit("reviewer", ACCOUNT))
    assert "Reviewer" in shown
    assert "review, run, sign" in shown


def test_a_token_is_made_shown_once_and_revoked(visit, store, people, now):
    from datetime import UTC, datetime

    screen = visit("author", ACCOUNT)
    field(screen, "What it is for").input("pipeline")
    press(screen, "Make a token")
    secret = screen.code[0].value
    assert tokens.find_actor_by_token(store, secret, datetime.now(UTC)).login == "author"
    assert not screen.run().code
    press(screen, "Revoke")
    assert tokens.find_actor_by_token(store, secret, datetime.now(UTC)) is None


def test_other_sessions_are_ended_from_the_account_page(visit, store, people, now):
    visit.cookie("author")
    screen = visit("author", ACCOUNT)
    press(screen, "Log out everywhere else")
    with store.reading() as reader:
        assert len(reader.all(SessionRow, user_id=people["author"].user_id)) == 1
        assert reader.first(AuditRow, action="logout:others") is not None
        assert person_of_login(reader, "author").last_seen is not None
