"""API tokens and the first administrator."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from modelops.domain.people import Authentication, Role
from modelops.errors import Conflict, InvalidInput, ModelOpsError, NotAllowed, NotFound
from modelops.services import people as accounts
from modelops.services import setup, tokens
from modelops.store.queries_people import persons
from modelops.store.tables import AuditRow, FactRow, TokenRow

FIRST = {"login": "first", "name": "First Person", "password": "violet kettle sings", "origin": "192.0.2.7"}


def make(store, people, now, days=30):
    return tokens.create_token(store, name="pipeline", days=days, actor=people["author"], at=now)


def test_a_token_acts_as_its_owner(store, people, now):
    actor = tokens.find_actor_by_token(store, make(store, people, now).secret, now, origin="192.0.2.7")
    assert (actor.login, actor.authentication, actor.origin) == ("author", Authentication.TOKEN, "192.0.2.7")


def test_a_token_has_the_roles_that_its_owner_has_now(store, people, now):
    token = make(store, people, now)
    roles = frozenset({Role.AUDITOR})
    accounts.set_roles(store, people["author"].user_id, roles, reason="moved", actor=people["administrator"], at=now)
    assert tokens.find_actor_by_token(store, token.secret, now).roles == roles


def test_only_the_digest_of_a_token_is_stored(store, people, now):
    token = make(store, people, now)
    with store.reading() as reader:
        assert token.secret not in repr([*reader.all(TokenRow), *reader.all(AuditRow)])


def test_a_token_ends_on_its_day(store, people, now):
    token = make(store, people, now, days=1)
    assert tokens.find_actor_by_token(store, token.secret, now + timedelta(hours=23)) is not None
    assert tokens.find_actor_by_token(store, token.secret, now + timedelta(hours=24)) is None


def test_a_revoked_token_is_nobody(store, people, now):
    token = make(store, people, now)
    tokens.revoke_token(store, token.token_id, actor=people["author"], at=now)
    assert tokens.find_actor_by_token(store, token.secret, now) is None
    with pytest.raises(Conflict):
        tokens.revoke_token(store, token.token_id, actor=people["author"], at=now)


def test_nobody_sees_or_revokes_somebody_elses_token(store, people, now):
    token = make(store, people, now)
    with pytest.raises(NotFound):
        tokens.revoke_token(store, token.token_id, actor=people["owner"], at=now)
    with store.reading() as reader:
        assert tokens.tokens_of(reader, people["owner"].user_id) == ()


def test_a_token_cannot_make_another(store, people, now):
    robot = replace(people["author"], authentication=Authentication.TOKEN)
    with pytest.raises(NotAllowed):
        tokens.create_token(store, name="second", days=1, actor=robot, at=now)


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_token_lasts_a_year_at_most(store, people, now, days):
    with pytest.raises(InvalidInput, match="days"):
        make(store, people, now, days=days)


@pytest.mark.parametrize("secret", ["", "mops_", "mops_" + "x" * 43, "Bearer x", "mops_" + "x" * 999, "mops_\ud800"])
def test_a_made_up_token_is_nobody(store, people, now, secret):
    assert tokens.find_actor_by_token(store, secret, now) is None


def test_use_is_noted_once_a_minute(store, people, now):
    token = make(store, people, now)
    tokens.find_actor_by_token(store, token.secret, now)
    tokens.find_actor_by_token(store, token.secret, now + timedelta(seconds=30))
    with store.reading() as reader:
        assert reader.find(TokenRow, token.token_id).used_at == now


def test_the_first_administrator_is_made_and_logged_in(store, now):
    session = setup.create_first_administrator(store, setup.offer_setup(store), **FIRST, at=now)
    assert session.actor.roles == {Role.ADMINISTRATOR}
    assert not setup.needs_setup(store)


def test_a_wrong_set_up_token_is_refused_and_audited(store, now):
    setup.offer_setup(store)
    with pytest.raises(NotAllowed, match="link is not valid"):
        setup.create_first_administrator(store, "guess", **FIRST, at=now)
    with store.reading() as reader:
        assert reader.first(AuditRow, action="refused") is not None
        assert persons(reader) == ()


def test_the_set_up_token_works_once(store, now):
    token = setup.offer_setup(store)
    setup.create_first_administrator(store, token, **FIRST, at=now)
    with pytest.raises(Conflict, match="already"):
        setup.create_first_administrator(store, token, **{**FIRST, "login": "second"}, at=now)


def test_no_set_up_is_offered_once_there_is_somebody(store, now):
    setup.create_first_administrator(store, setup.offer_setup(store), **FIRST, at=now)
    assert setup.offer_setup(store) is None


def test_a_restart_replaces_the_set_up_token(store, now):
    old = setup.offer_setup(store)
    setup.offer_setup(store)
    with pytest.raises(NotAllowed):
        setup.create_first_administrator(store, old, **FIRST, at=now)


def test_only_the_digest_of_the_set_up_token_is_stored(store):
    token = setup.offer_setup(store)
    with store.reading() as reader:
        assert token not in repr(reader.all(FactRow))


def test_a_weak_password_leaves_the_set_up_token_valid(store, now):
    token = setup.offer_setup(store)
    with pytest.raises(InvalidInput):
        setup.create_first_administrator(store, token, **{**FIRST, "password": "short"}, at=now)
    assert setup.is_setup_token(store, token)


def test_of_several_who_hold_the_set_up_token_one_wins(store, now):
    token = setup.offer_setup(store)

    def attempt(number):
        try:
            mine = {**FIRST, "login": f"first{number}"}
            return setup.create_first_administrator(store, token, **mine, at=now).actor.login
        except ModelOpsError:
            return None

    with ThreadPoolExecutor(6) as pool:
        winners = [login for login in pool.map(attempt, range(6)) if login]
    with store.reading() as reader:
        assert [found.login for found in persons(reader)] == winners
    assert len(winners) == 1
