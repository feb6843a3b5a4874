"""Accounts: who may change what about whom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from modelops.domain.people import Actor, Authentication, Role
from modelops.errors import Conflict, InvalidInput, NotAllowed, NotFound
from modelops.services import people as accounts
from modelops.services import sessions, tokens
from modelops.store.queries_people import names_of, person, persons
from modelops.store.tables import AuditRow, SessionRow, UserRow

AUTHOR = frozenset({Role.AUTHOR})


def actions(store, **equal):
    with store.reading() as reader:
        return [row.action for row in reader.all(AuditRow, **equal)]


def add(store, people, now, login="new.person", roles=AUTHOR, name="New Person"):
    return accounts.add_person(store, login=login, name=name, roles=roles, actor=people["administrator"], at=now)


def test_a_new_person_logs_in_with_the_password_that_was_shown_once(store, people, now):
    new = add(store, people, now)
    session = sessions.log_in(store, "new.person", new.password, origin="here", at=now)
    assert session.must_change_password


def test_adding_a_person_is_audited_with_their_roles(store, people, now):
    new = add(store, people, now)
    with store.reading() as reader:
        entry = reader.first(AuditRow, action="user:add", subject=f"user/{new.user_id}")
    assert '"roles":["author"]' in entry.body
    assert entry.actor_id == people["administrator"].user_id


def test_the_password_of_a_new_person_stands_nowhere_in_the_database(store, people, now):
    new = add(store, people, now)
    with store.reading() as reader:
        text = repr([*reader.all(AuditRow), *reader.all(UserRow), *reader.all(SessionRow)])
    assert new.password not in text


@pytest.mark.parametrize("who", ["owner", "reviewer", "approver", "auditor"])
def test_only_an_administrator_adds_people(store, people, now, who):
    with pytest.raises(NotAllowed, match="administrator"):
        accounts.add_person(store, login="x.y", name="X", roles=AUTHOR, actor=people[who], at=now)


def test_a_refused_act_is_audited_with_its_rule(store, people, now):
    with pytest.raises(NotAllowed):
        accounts.add_person(store, login="x.y", name="X", roles=AUTHOR, actor=people["owner"], at=now)
    with store.reading() as reader:
        entry = reader.first(AuditRow, action="refused")
    assert '"rule":"right:administer"' in entry.body


def test_a_login_is_taken_in_any_capitalisation(store, people, now):
    with pytest.raises(Conflict, match="owner is taken"):
        add(store, people, now, login=" OWNER ")


def test_an_empty_login_and_an_empty_name_are_both_asked_for(store, people, now):
    with pytest.raises(InvalidInput, match=r"Type a printed name.*Type a login: 2 to 64 letters"):
        add(store, people, now, login=" ", name="")


@pytest.mark.parametrize("login", ["a", "-ab", "a b", "a/b", "a" * 65, "näme", "a\x00b"])
def test_a_login_that_cannot_be_used_is_refused(store, people, now, login):
    with pytest.raises(InvalidInput, match="cannot be used"):
        add(store, people, now, login=login)


def test_an_administrator_cannot_be_given_a_signing_role(store, people, now):
    with pytest.raises(InvalidInput, match="cannot sign"):
        add(store, people, now, roles=frozenset({Role.ADMINISTRATOR, Role.APPROVER}))


def test_an_administrator_cannot_change_their_own_roles(store, people, now):
    me = people["administrator"]
    with pytest.raises(NotAllowed, match="Another administrator"):
        accounts.set_roles(store, me.user_id, frozenset({Role.APPROVER}), reason="I want to sign", actor=me, at=now)
    assert actions(store, action="refused") == ["refused"]


def test_an_administrator_cannot_disable_themselves(store, people, now):
    me = people["administrator"]
    with pytest.raises(NotAllowed, match="own account"):
        accounts.disable_person(store, me.user_id, reason="leaving", actor=me, at=now)


def test_the_last_administrator_cannot_be_disabled_by_the_command_line(store, people, now):
    target = people["administrator"].user_id
    with pytest.raises(Conflict, match="last administrator"):
        accounts.disable_person(store, target, reason="leaving", actor=accounts.COMMAND_LINE, at=now)
    with store.reading() as reader:
        assert person(reader, target).is_active


def test_the_last_administrator_keeps_the_role(store, people, now):
    target = people["administrator"].user_id
    with pytest.raises(Conflict, match="last administrator"):
        accounts.set_roles(store, target, AUTHOR, reason="moves on", actor=accounts.COMMAND_LINE, at=now)
    with store.reading() as reader:
        assert person(reader, target).roles == {Role.ADMINISTRATOR}


def test_changed_roles_end_the_sessions_of_that_person(store, people, now, password):
    session = sessions.log_in(store, "author", password, origin="here", at=now)
    target, why = people["author"].user_id, "joins the reviewers"
    roles = frozenset({Role.REVIEWER})
    accounts.set_roles(store, target, roles, reason=why, actor=people["administrator"], at=now)
    assert sessions.find_actor(store, session.token, now) is None


def test_a_change_of_roles_keeps_the_old_ones_in_the_audit_trail(store, people, now):
    target = people["author"].user_id
    roles = frozenset({Role.REVIEWER})
    accounts.set_roles(store, target, roles, reason="joins", actor=people["administrator"], at=now)
    with store.reading() as reader:
        entry = reader.first(AuditRow, action="user:roles")
    assert '"old":{"roles":["author"]}' in entry.body
    assert '"reason":"joins"' in entry.body


def test_a_disabled_person_is_logged_out_and_cannot_log_in(store, people, now, password):
    session = sessions.log_in(store, "author", password, origin="here", at=now)
    accounts.disable_person(store, people["author"].user_id, reason="left", actor=people["administrator"], at=now)
    assert sessions.find_actor(store, session.token, now) is None
    with pytest.raises(NotAllowed, match="wrong"):
        sessions.log_in(store, "author", password, origin="here", at=now)


def test_a_disabled_persons_api_tokens_are_revoked_and_stay_so(store, people, now):
    token = tokens.create_token(store, name="ci", days=30, actor=people["author"], at=now)
    target, by = people["author"].user_id, people["administrator"]
    accounts.disable_person(store, target, reason="left", actor=by, at=now)
    accounts.enable_person(store, target, reason="is back", actor=by, at=now)
    assert tokens.find_actor_by_token(store, token.secret, now) is None


def test_an_enabled_person_logs_in_again(store, people, now, password):
    target, by = people["author"].user_id, people["administrator"]
    accounts.disable_person(store, target, reason="left", actor=by, at=now)
    accounts.enable_person(store, target, reason="is back", actor=by, at=now)
    assert sessions.log_in(store, "author", password, origin="here", at=now).actor.login == "author"


def test_disabling_twice_says_so(store, people, now):
    target, by = people["author"].user_id, people["administrator"]
    accounts.disable_person(store, target, reason="left", actor=by, at=now)
    with pytest.raises(Conflict, match="disabled already"):
        accounts.disable_person(store, target, reason="left", actor=by, at=now)


def test_a_reason_is_mandatory(store, people, now):
    with pytest.raises(InvalidInput, match="reason is empty"):
        accounts.disable_person(store, people["author"].user_id, reason="  ", actor=people["administrator"], at=now)


def test_a_reset_password_must_be_changed(store, people, now, password):
    target, by = people["author"].user_id, people["administrator"]
    new = accounts.reset_password(store, target, reason="forgotten", actor=by, at=now)
    with pytest.raises(NotAllowed):
        sessions.log_in(store, "author", password, origin="here", at=now)
    session = sessions.log_in(store, "author", new.password, origin="here", at=now)
    assert session.must_change_password
    assert sessions.find_actor(store, session.token, now) is None


def test_nobody_resets_their_own_password_without_knowing_it(store, people, now):
    me = people["administrator"]
    with pytest.raises(NotAllowed, match="own account"):
        accounts.reset_password(store, me.user_id, reason="forgotten", actor=me, at=now)


def test_the_command_line_resets_the_password_of_the_last_administrator(store, people, now):
    target = people["administrator"].user_id
    new = accounts.reset_password(store, target, reason="forgotten", actor=accounts.COMMAND_LINE, at=now)
    assert sessions.log_in(store, new.login, new.password, origin="here", at=now).must_change_password


def test_people_are_not_administered_with_an_api_token(store, people, now):
    by = people["administrator"]
    robot = Actor(by.user_id, by.login, by.name, by.roles, Authentication.TOKEN)
    with pytest.raises(NotAllowed, match="API token"):
        accounts.set_roles(store, people["author"].user_id, AUTHOR, reason="x", actor=robot, at=now)


def test_a_new_printed_name_leaves_earlier_entries_as_they_were(store, people, now):
    tokens.create_token(store, name="ci", days=1, actor=people["author"], at=now)
    target, by = people["author"].user_id, people["administrator"]
    accounts.set_name(store, target, "Married Name", reason="married", actor=by, at=now)
    with store.reading() as reader:
        assert reader.first(AuditRow, action="token:create").actor_name == "Author"
        assert names_of(reader)[target] == "Married Name"


def test_hidden_characters_do_not_reach_a_printed_name(store, people, now):
    target, by = people["author"].user_id, people["administrator"]
    accounts.set_name(store, target, "Ann\u202e\u0000 \t Example", reason="typo", actor=by, at=now)
    with store.reading() as reader:
        assert person(reader, target).name == "Ann Example"


def test_an_unknown_person_is_not_found(store, people, now):
    with pytest.raises(NotFound, match="no person 999"):
        accounts.disable_person(store, 999, reason="x", actor=people["administrator"], at=now)


def test_the_list_of_people_says_when_each_was_seen_last(store, people, now, password):
    later = now + timedelta(minutes=3)
    sessions.log_in(store, "auditor", password, origin="here", at=later)
    with store.reading() as reader:
        seen = {found.login: found.last_seen for found in persons(reader)}
    assert seen["auditor"] == later


def test_a_right_taken_away_meanwhile_no_longer_acts(store, people, now):
    by = people["administrator"]
    target = people["reviewer"]
    accounts.set_roles(store, target.user_id, AUTHOR, reason="moved", actor=by, at=now)
    with store.transaction() as transaction:
        assert accounts.current_actor(transaction, target).roles == AUTHOR


def test_a_disabled_person_no_longer_acts_with_an_open_form(store, people, now):
    target = people["reviewer"]
    accounts.disable_person(store, target.user_id, reason="left", actor=people["administrator"], at=now)
    with store.transaction() as transaction, pytest.raises(NotAllowed, match="disabled"):
        accounts.current_actor(transaction, target)
