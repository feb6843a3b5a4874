"""Single sign-on, end to end against a provider on loopback."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from joserfc.jwk import OctKey, RSAKey

from modelops.domain.people import Authentication, Role
from modelops.errors import InvalidInput, NotAllowed
from modelops.services import people as accounts
from modelops.services import sessions
from modelops.services.single_sign_on import read_role_map
from modelops.store.queries_people import person_of_login, persons
from modelops.store.tables import AuditRow
from tests.api.door_browser import BASE, VISIT
from tests.api.identity_provider import IdentityProvider

ROLES = "ml-team=author, model-risk=approver, it=administrator"


@pytest.fixture
def provider():
    made = IdentityProvider()
    yield made
    made.close()


@pytest.fixture
def browser(people, door, provider):
    values = {"oidc_issuer": provider.issuer, "oidc_client_id": "modelops", "oidc_client_secret": "s"}
    return door(public_url=BASE, oidc_roles=ROLES, **values)


def visit(browser, provider, path="/oidc/login"):
    """Go to the provider and come back; return the app's answer."""
    away = browser.get(path, headers=VISIT)
    assert away.status_code == 303, away.text
    return browser.get(provider.authorize(away.headers["location"]), headers=VISIT)


def me(browser):
    return browser.get("/api/v1/me").json()


def test_a_person_of_the_provider_gets_in_with_the_role_of_their_group(browser, provider):
    assert visit(browser, provider).headers["location"] == "/"
    found = me(browser)
    assert (found["login"], found["name"], found["roles"]) == ("newcomer", "New Author", ["author"])
    assert found["authentication"] == "single sign-on"


def test_the_request_uses_pkce_state_and_nonce(browser, provider):
    visit(browser, provider)
    asked = provider.seen[0]
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) >= 32
    assert len(asked["nonce"]) >= 32
    assert asked["redirect_uri"] == BASE + "/oidc/callback"


def test_the_way_back_leads_to_the_page_that_was_asked_for(browser, provider):
    assert visit(browser, provider, "/oidc/login?next=%2Freviews").headers["location"] == "/reviews"


def test_a_second_visit_is_the_same_person_also_under_another_name(browser, provider, store):
    visit(browser, provider)
    provider.person = {**provider.person, "preferred_username": "somebody", "name": "New Name"}
    browser.cookies.clear()
    visit(browser, provider)
    with store.reading() as reader:
        found = [person for person in persons(reader) if person.uses_single_sign_on]
    assert [(person.login, person.name) for person in found] == [("newcomer", "New Name")]


def test_a_local_account_of_the_same_login_stays_somebody_else(browser, provider, store, people):
    provider.person = {**provider.person, "preferred_username": "administrator"}
    visit(browser, provider)
    assert me(browser)["login"] == "administrator-2"
    assert me(browser)["id"] != people["administrator"].user_id


def test_without_a_role_nobody_gets_in(browser, provider, store):
    provider.person = {**provider.person, "groups": ["canteen"]}
    answer = visit(browser, provider)
    assert answer.status_code == 403
    assert "None of your groups" in answer.text
    with store.reading() as reader:
        assert not any(person.uses_single_sign_on for person in persons(reader))


def test_groups_that_contradict_each_other_let_nobody_in(browser, provider):
    provider.person = {**provider.person, "groups": ["it", "model-risk"]}
    assert "contradict" in visit(browser, provider).text


def test_changed_groups_change_the_roles_at_the_next_log_in(browser, provider, store):
    visit(browser, provider)
    provider.person = {**provider.person, "groups": ["model-risk"]}
    visit(browser, provider)
    assert me(browser)["roles"] == ["approver"]
    with store.reading() as reader:
        assert reader.first(AuditRow, action="user:roles") is not None


def test_groups_that_only_userinfo_knows_are_read_there(browser, provider):
    provider.changed = {"groups": None}
    provider.userinfo = {"groups": ["model-risk"]}
    visit(browser, provider)
    assert me(browser)["roles"] == ["approver"]


def test_userinfo_of_another_person_is_not_believed(browser, provider):
    provider.changed = {"groups": None}
    provider.userinfo = {"groups": ["model-risk"], "sub": "somebody else"}
    assert visit(browser, provider).status_code == 403


def test_a_disabled_person_does_not_get_in(browser, provider, store, people):
    visit(browser, provider)
    by = people["administrator"]
    accounts.disable_person(store, me(browser)["id"], reason="left", actor=by, at=datetime.now(UTC))
    assert "disabled" in visit(browser, provider).text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iss", "http://evil.example"),
        ("aud", "another app"),
        ("aud", ["modelops", "another app"]),
        ("exp", 1),
        ("exp", None),
        pytest.param("iat", int(time.time()) + 86400, id="iat tomorrow"),
        ("nonce", "replayed"),
        ("nonce", None),
        ("sub", ""),
        ("sub", None),
    ],
)
def test_a_token_with_a_wrong_claim_lets_nobody_in(browser, provider, name, value):
    provider.changed = {name: value}
    answer = visit(browser, provider)
    assert answer.status_code == 403
    assert "ID token" in answer.text
    assert "modelops" not in browser.cookies


def test_a_token_signed_by_another_key_lets_nobody_in(browser, provider):
    provider.signs_with = RSAKey.generate_key(2048, parameters={"kid": "k1", "alg": "RS256"})
    assert "not signed" in visit(browser, provider).text


def test_a_token_signed_with_the_client_secret_lets_nobody_in(browser, provider):
    provider.signs_with = OctKey.import_key("s" * 32, parameters={"kid": "k1", "alg": "HS256"})
    assert "not signed" in visit(browser, provider).text


def test_new_keys_of_the_provider_are_read_when_they_are_needed(browser, provider):
    visit(browser, provider)
    provider.key = RSAKey.generate_key(2048, parameters={"kid": "k2", "use": "sig", "alg": "RS256"})
    provider.published = [provider.key]
    browser.cookies.clear()
    assert visit(browser, provider).status_code == 303


def test_an_answer_that_was_not_asked_for_in_this_browser_is_refused(browser, door, provider):
    away = browser.get("/oidc/login", headers=VISIT)
    back = provider.authorize(away.headers["location"])
    browser.cookies.clear()
    assert "not begun in this browser" in browser.get(back, headers=VISIT).text


def test_an_answer_is_not_taken_twice(browser, provider):
    away = browser.get("/oidc/login", headers=VISIT)
    back = provider.authorize(away.headers["location"])
    browser.get(back, headers=VISIT)
    browser.cookies.clear()
    assert browser.get(back, headers=VISIT).status_code == 403


def test_a_provider_that_refuses_is_said_so(browser, provider):
    browser.get("/oidc/login", headers=VISIT)
    state = "x"
    assert browser.get(f"/oidc/callback?error=access_denied&state={state}", headers=VISIT).status_code == 403


def test_a_provider_that_does_not_answer_is_said_so(people, door):
    browser = door(oidc_issuer="http://127.0.0.1:9", oidc_client_id="x", oidc_roles=ROLES)
    answer = browser.get("/oidc/login", headers=VISIT)
    assert answer.status_code == 403
    assert "did not answer" in answer.text


def approver(browser, provider):
    provider.person = {**provider.person, "groups": ["model-risk"]}
    visit(browser, provider)


def test_a_fresh_log_in_at_the_provider_proves_identity_at_signing(browser, provider, store):
    approver(browser, provider)
    token, at = browser.cookies["modelops"], datetime.now(UTC)
    actor = sessions.find_actor(store, token, at)
    with pytest.raises(NotAllowed, match="Confirm"):
        sessions.verify_single_sign_on(store, token, actor=actor, at=at)
    assert visit(browser, provider, "/oidc/confirm?next=%2Fsign").headers["location"] == "/sign"
    assert (provider.seen[-1]["prompt"], provider.seen[-1]["max_age"]) == ("login", "0")
    proof = sessions.verify_single_sign_on(store, token, actor=actor, at=datetime.now(UTC))
    assert proof is Authentication.SINGLE_SIGN_ON


def test_the_proof_is_old_after_five_minutes(browser, provider, store):
    approver(browser, provider)
    visit(browser, provider, "/oidc/confirm")
    token, later = browser.cookies["modelops"], datetime.now(UTC) + timedelta(minutes=6)
    actor = sessions.find_actor(store, token, later)
    with pytest.raises(NotAllowed):
        sessions.verify_single_sign_on(store, token, actor=actor, at=later)


@pytest.mark.parametrize(
    "auth_time", [None, 0, int(time.time()) - 3600, int(time.time()) + 3600], ids=["none", "zero", "past", "future"]
)
def test_a_provider_that_did_not_ask_again_proves_nothing(browser, provider, auth_time):
    approver(browser, provider)
    provider.changed = {"auth_time": auth_time}
    assert "did not ask again" in visit(browser, provider, "/oidc/confirm").text


def test_somebody_else_at_the_provider_proves_nothing(browser, provider):
    approver(browser, provider)
    provider.person = {**provider.person, "sub": "u-2"}
    assert "not the one who is logged in" in visit(browser, provider, "/oidc/confirm").text


def test_a_password_session_is_not_confirmed_by_the_provider(browser, cookie):
    answer = browser.get("/oidc/confirm", headers=VISIT, cookies=cookie("approver"))
    assert "Sign with your password" in answer.text


def test_an_administrator_does_not_change_roles_that_come_from_the_provider(browser, provider, store, people, now):
    from modelops.errors import Conflict

    visit(browser, provider)
    with store.reading() as reader:
        target = person_of_login(reader, "newcomer").id
    roles = frozenset({Role.APPROVER})
    with pytest.raises(Conflict, match="single sign-on"):
        accounts.set_roles(store, target, roles, reason="x", actor=people["administrator"], at=now)


@pytest.mark.parametrize("text", ["ml-team", "=author", "ml-team=boss", "a=author,b"])
def test_a_role_map_of_another_form_is_refused(text):
    with pytest.raises(InvalidInput, match="MODELOPS_OIDC_ROLES"):
        read_role_map(text)


def test_a_group_name_may_contain_an_equals_sign():
    assert read_role_map("cn=ml=author") == {"cn=ml": Role.AUTHOR}
