"""Log-in, log-out, set-up, change of password: the pages of the door."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from modelops.services import people as accounts
from modelops.services import sessions, setup
from modelops.store.queries_people import persons
from modelops.version import VERSION
from tests.api.door_browser import ORIGIN, VISIT, csrf_in, submit

NEW = "quiet engine by the lake"
FIRST = {"name": "First Person", "login": "first", "password": NEW, "again": NEW}


def log_in(browser, password, login="author", path="/login"):
    fields = {"login": login, "password": password}
    if "next=" in path:
        fields["next"] = "/reviews?id=3"
    return submit(browser, path, **fields)


def test_the_right_password_leads_in(people, browser, password):
    assert log_in(browser, password).headers["location"] == "/"
    assert browser.get("/people").text == "behind the gate"


def test_log_in_goes_on_to_the_page_that_was_asked_for(people, browser, password):
    answer = log_in(browser, password, path="/login?next=%2Freviews%3Fid%3D3")
    assert answer.headers["location"] == "/reviews?id=3"


def test_the_cookie_is_kept_from_scripts_and_other_sites(people, browser, password):
    cookie = log_in(browser, password).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie


def test_behind_tls_the_cookie_is_tied_to_the_host(people, door, password):
    browser = door(behind_tls=True)
    # A client over plain HTTP does not send Secure cookies back, so the form cookie is carried by hand.
    page = browser.get("/login", headers=VISIT)
    form_cookie = page.headers["set-cookie"].split(";")[0]
    fields = {"csrf": csrf_in(page), "login": "author", "password": password}
    answer = browser.post("/login", data=fields, headers={**ORIGIN, "cookie": form_cookie})
    assert answer.headers["set-cookie"].startswith("__Host-modelops=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age=31536000" in answer.headers["strict-transport-security"]


def test_a_wrong_password_shows_the_form_again_and_sets_no_session(people, browser):
    answer = log_in(browser, "not the right one")
    assert answer.status_code == 401
    assert "login or the password is wrong" in answer.text
    assert "modelops" not in browser.cookies


def test_throttling_says_when_to_come_back(people, browser, password):
    for _ in range(5):
        log_in(browser, "not the right one")
    answer = log_in(browser, password)
    assert answer.status_code == 429
    assert "Try again in" in answer.text
    assert answer.headers["retry-after"] == "30"


def test_what_was_typed_comes_back_escaped(people, browser):
    answer = log_in(browser, "x", login='"><script>alert(1)</script>')
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_a_form_without_its_token_is_refused(people, browser, password):
    browser.get("/login", headers=VISIT)
    answer = browser.post("/login", data={"login": "author", "password": password}, headers=ORIGIN)
    assert answer.status_code == 403
    assert "modelops" not in browser.cookies


def test_a_form_token_of_another_browser_is_refused(people, door, password):
    mine, theirs = door(), door()
    token = csrf_in(theirs.get("/login", headers=VISIT))
    mine.get("/login", headers=VISIT)
    fields = {"csrf": token, "login": "author", "password": password}
    assert mine.post("/login", data=fields, headers=ORIGIN).status_code == 403


def test_an_upload_in_the_place_of_a_field_is_refused(people, browser):
    token = csrf_in(browser.get("/login", headers=VISIT))
    answer = browser.post("/login", data={"csrf": token}, files={"password": b"x"}, headers=ORIGIN)
    assert answer.status_code in {400, 403}


def test_who_is_logged_in_is_sent_on_from_the_log_in_page(browser, cookie):
    assert browser.get("/login", headers=VISIT, cookies=cookie("author")).headers["location"] == "/"


def test_log_out_ends_the_session_on_the_server(people, browser, password):
    log_in(browser, password)
    token = browser.cookies["modelops"]
    assert browser.post("/logout", headers=ORIGIN).headers["location"] == "/login?out=1"
    assert "modelops" not in browser.cookies
    assert browser.get("/people", cookies={"modelops": token}).status_code == 401


def test_a_link_alone_does_not_log_out(people, browser, password):
    log_in(browser, password)
    assert browser.get("/logout", headers=VISIT).status_code == 200
    assert browser.get("/people").text == "behind the gate"


def test_another_site_does_not_log_anybody_out(people, browser, password):
    log_in(browser, password)
    assert browser.post("/logout", headers={"origin": "https://evil.example"}).status_code == 403
    assert browser.get("/people").text == "behind the gate"


def test_the_set_up_page_says_where_the_link_is(browser):
    page = browser.get("/setup", headers=VISIT)
    assert page.status_code == 200
    assert "in the terminal where ModelOps was started" in page.text
    assert "<form" not in page.text


def test_set_up_makes_the_first_administrator_and_logs_them_in(browser, store):
    token = setup.offer_setup(store)
    assert submit(browser, f"/setup?token={token}", token=token, **FIRST).headers["location"] == "/"
    assert browser.get("/api/v1/me").json()["roles"] == ["administrator"]


def test_a_wrong_set_up_link_gets_no_form(browser, store):
    setup.offer_setup(store)
    page = browser.get("/setup?token=guess", headers=VISIT)
    assert page.status_code == 403
    assert "<form" not in page.text


def test_a_weak_first_password_keeps_what_was_typed(browser, store):
    token = setup.offer_setup(store)
    answer = submit(browser, f"/setup?token={token}", token=token, **{**FIRST, "password": "x", "again": "x"})
    assert answer.status_code == 422
    assert 'value="First Person"' in answer.text
    assert f'value="{token}"' in answer.text


def test_two_different_first_passwords_are_refused(browser, store):
    token = setup.offer_setup(store)
    answer = submit(browser, f"/setup?token={token}", token=token, **{**FIRST, "again": "another one entirely"})
    assert "differ" in answer.text
    with store.reading() as reader:
        assert persons(reader) == ()


def test_after_set_up_the_page_is_gone(people, browser):
    assert browser.get("/setup", headers=VISIT).headers["location"] == "/login"


def test_a_given_out_password_is_changed_at_the_first_log_in(people, browser, store, now):
    target, by = people["author"].user_id, people["administrator"]
    given = accounts.reset_password(store, target, reason="forgotten", actor=by, at=now)
    assert log_in(browser, given.password).headers["location"] == "/password"
    answer = submit(browser, "/password", current=given.password, new=NEW, again=NEW)
    assert answer.headers["location"] == "/"
    assert browser.get("/people").text == "behind the gate"


def test_a_password_is_not_changed_with_a_wrong_current_one(people, browser, password):
    log_in(browser, password)
    answer = submit(browser, "/password", current="not the right one", new=NEW, again=NEW)
    assert answer.status_code == 403
    assert "wrong" in answer.text


def test_the_change_of_a_password_gives_a_new_cookie(people, browser, store, password):
    log_in(browser, password)
    before = browser.cookies["modelops"]
    submit(browser, "/password", current=password, new=NEW, again=NEW)
    assert browser.cookies["modelops"] != before
    assert sessions.find_actor(store, before, datetime.now(UTC)) is None


def test_health_says_version_and_level(people, browser):
    found = browser.get("/healthz").json()
    assert found["status"] == "ok"
    assert found["version"] == VERSION
    assert found["protection"] in {None, "A", "B", "C"}


@pytest.mark.parametrize("path", ["/login", "/setup", "/healthz", "/people", "/api/v1/me", "/door.css", "/nowhere"])
def test_every_answer_carries_the_security_headers(people, browser, path):
    headers = browser.get(path, headers=VISIT).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe-eval'" not in headers["content-security-policy"].replace("wasm-unsafe-eval'", "")


def test_the_pages_of_the_door_allow_no_script(people, browser):
    page = browser.get("/login", headers=VISIT)
    assert "script-src" not in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert page.headers["cache-control"] == "no-store"


def test_the_pages_of_the_door_load_nothing_from_elsewhere(people, browser):
    page = browser.get("/login", headers=VISIT)
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "url(" not in browser.get("/door.css").text


def test_single_sign_on_is_offered_only_where_it_is_set_up(people, browser, door):
    assert "/oidc/login" not in browser.get("/login", headers=VISIT).text
    other = door(oidc_issuer="https://id.example", oidc_client_id="x", oidc_name="Example ID")
    assert "Example ID" in other.get("/login", headers=VISIT).text
