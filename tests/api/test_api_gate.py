"""The gate: what is open, and that everything else is closed."""

from __future__ import annotations

import pytest
from starlette.websockets import WebSocketDisconnect

from modelops.api.callers import safe_next
from modelops.api.gate import OPEN
from modelops.api.origins import host_is_allowed
from modelops.api.routes import ROUTES
from modelops.services import screens, tokens
from tests.api.door_browser import ORIGIN, VISIT

SOCKET = "ws://localhost:8501/_stcore/stream"
CLOSED = [
    "/",
    "/people",
    "/anything/at/all",
    "/password",
    "/oidc/confirm",
    "/static/js/index.js",
    "/media/abc.png",
    "/component/x/index.html",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/_stcore/upload_file/screen/file",
    "/_stcore/agent/interact",
    "/_stcore/bidi-components/x/y.js",
    "/auth/login",
    "/oauth2callback",
    "/oidc/../people",
    "/login/../people",
    "//people",
    "/healthz/x",
    *(route.path for route in ROUTES),
]


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_nothing_else_is_reached_without_a_session(people, browser, path, method):
    answer = browser.request(method, path)
    assert answer.status_code in {401, 403, 303}
    assert "behind the gate" not in answer.text


@pytest.mark.parametrize("path", sorted(OPEN))
def test_the_open_paths_answer_without_a_session(people, browser, path):
    assert browser.get(path, headers=VISIT).status_code in {200, 303}


@pytest.mark.parametrize("path", ["/", "/people", "/api/v1/me"])
def test_a_made_up_session_is_no_session(people, browser, path):
    assert browser.get(path, cookies={"modelops": "x" * 43}).status_code == 401


def test_a_session_passes(browser, cookie):
    assert browser.get("/people", cookies=cookie("author")).text == "behind the gate"


def test_a_session_under_the_name_of_another_cookie_does_not_pass(browser, cookie):
    token = cookie("author")["modelops"]
    assert browser.get("/people", cookies={"__Host-modelops": token}).status_code == 401


def test_a_page_visit_leads_to_the_log_in_page_and_back(people, browser):
    answer = browser.get("/reviews?id=3", headers=VISIT)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Freviews%3Fid%3D3"


def test_a_script_that_fetches_is_refused_and_not_led_away(people, browser):
    assert browser.get("/people", headers={**VISIT, "sec-fetch-mode": "cors"}).status_code == 401


def test_while_there_is_no_account_every_visit_leads_to_set_up(browser):
    for path in ("/", "/people", "/login"):
        assert browser.get(path, headers=VISIT).headers["location"] == "/setup"


def test_while_there_is_no_account_the_api_is_closed(browser):
    assert browser.get("/api/v1/me").status_code == 401


def test_a_websocket_without_a_session_is_refused(people, browser):
    with pytest.raises(WebSocketDisconnect), browser.websocket_connect(SOCKET, headers=dict(ORIGIN)):
        pass


def test_a_websocket_with_a_session_opens(browser, cookie):
    browser.cookies.update(cookie("author"))
    with browser.websocket_connect(SOCKET, headers=dict(ORIGIN)) as socket:
        assert socket.receive_text() == ""


def test_a_websocket_that_another_site_opens_is_refused(browser, cookie):
    browser.cookies.update(cookie("author"))
    headers = {"origin": "https://evil.example"}
    with pytest.raises(WebSocketDisconnect), browser.websocket_connect(SOCKET, headers=headers):
        pass


def asked_for(browser, store, token, screen):
    browser.cookies.update({"modelops": token})
    protocols = ["streamlit", "xsrf", screen]
    with browser.websocket_connect(SOCKET, subprotocols=protocols, headers=dict(ORIGIN)) as socket:
        return socket.receive_text()


def test_nobody_takes_over_the_screen_of_somebody_else(browser, store, cookie):
    mine, theirs = cookie("author")["modelops"], cookie("owner")["modelops"]
    screens.claim_screen("their-screen", _digest(theirs))
    assert asked_for(browser, store, mine, "their-screen") == "streamlit, xsrf"


def test_everybody_comes_back_to_their_own_screen(browser, store, cookie):
    mine = cookie("author")["modelops"]
    screens.claim_screen("my-screen", _digest(mine))
    assert asked_for(browser, store, mine, "my-screen") == "streamlit, xsrf, my-screen"


def test_nobody_uploads_into_the_screen_of_somebody_else(browser, cookie):
    screens.claim_screen("their-screen", _digest(cookie("owner")["modelops"]))
    mine = cookie("author")
    answer = browser.put("/_stcore/upload_file/their-screen/1", content=b"x", cookies=mine, headers=ORIGIN)
    assert answer.status_code == 403


def test_a_given_out_password_opens_nothing_but_its_change(browser, store, people, now, door):
    from modelops.services import people as accounts
    from modelops.services import sessions

    target, by = people["author"].user_id, people["administrator"]
    new = accounts.reset_password(store, target, reason="forgotten", actor=by, at=now)
    from datetime import UTC, datetime

    session = sessions.log_in(store, "author", new.password, origin="here", at=datetime.now(UTC))
    jar = {"modelops": session.token}
    assert browser.get("/people", headers=VISIT, cookies=jar).headers["location"] == "/password"
    assert browser.get("/api/v1/me", cookies=jar).status_code == 403
    assert browser.get("/password", headers=VISIT, cookies=jar).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_writing_request_from_another_site_is_refused(browser, cookie, site):
    headers = {"sec-fetch-site": site, **ORIGIN}
    assert browser.post("/people", headers=headers, cookies=cookie("author")).status_code == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:9999", "http://localhost:8501.evil"]
)
def test_a_writing_request_with_a_foreign_origin_is_refused(browser, cookie, origin):
    assert browser.put("/people", headers={"origin": origin}, cookies=cookie("author")).status_code == 403


def test_a_writing_request_with_a_cookie_must_say_where_it_comes_from(browser, cookie):
    assert browser.delete("/people", cookies=cookie("author")).status_code == 403


def test_our_own_page_may_write(browser, cookie):
    headers = {"sec-fetch-site": "same-origin", **ORIGIN}
    assert browser.post("/people", headers=headers, cookies=cookie("author")).status_code == 200


def test_an_api_token_needs_no_origin(browser, store, people):
    from datetime import UTC, datetime

    token = tokens.create_token(store, name="ci", days=1, actor=people["author"], at=datetime.now(UTC))
    answer = browser.get("/api/v1/me", headers={"authorization": f"Bearer {token.secret}"})
    assert answer.json()["login"] == "author"


def test_an_api_token_opens_the_api_alone(browser, store, people):
    from datetime import UTC, datetime

    token = tokens.create_token(store, name="ci", days=1, actor=people["author"], at=datetime.now(UTC))
    assert browser.get("/people", headers={"authorization": f"Bearer {token.secret}"}).status_code == 401


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic eDp5", "Bearer", "mops_x"])
def test_a_wrong_authorization_header_is_not_rescued_by_a_cookie(browser, cookie, header):
    answer = browser.get("/api/v1/me", headers={"authorization": header}, cookies=cookie("author"))
    assert answer.status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil", "", "a@localhost"])
def test_another_host_name_is_refused(people, browser, host):
    assert browser.get("/login", headers={"host": host}).status_code == 400


def test_a_host_name_that_was_allowed_is_answered(people, door):
    browser = door(allowed_hosts="models.example, other.example")
    assert browser.get("/healthz", headers={"host": "models.example"}).status_code == 200


def test_a_wildcard_address_allows_no_host_by_itself(people, door):
    assert door(host="0.0.0.0").get("/healthz", headers={"host": "192.0.2.1"}).status_code == 400


@pytest.mark.parametrize("host", [None, "", ":80", "a b", "[::1", "localhost:x", "localhost/x", "localhost#"])
def test_a_malformed_host_is_not_allowed(host):
    assert not host_is_allowed(host, frozenset({"localhost"}))


def test_a_large_form_is_refused_before_it_is_read(people, browser):
    answer = browser.post("/login", content=b"x" * 70_000, headers=ORIGIN)
    assert answer.status_code == 413


def test_a_large_body_in_pieces_is_refused_while_it_arrives(people, browser):
    pieces = (b"x" * 1000 for _ in range(100))
    headers = {**ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    assert browser.post("/login", content=pieces, headers=headers).status_code == 413


@pytest.mark.parametrize(
    ("target", "there"),
    [
        (None, "/"),
        ("", "/"),
        ("/reviews?id=3", "/reviews?id=3"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nset-cookie: x", "/"),
        ("javascript:alert(1)", "/"),
        ("/logout", "/"),
        ("/login?next=/", "/"),
        ("/" + "a" * 3000, "/"),
        ("evil.example", "/"),
    ],
)
def test_only_paths_of_this_app_are_gone_to_after_log_in(target, there):
    assert safe_next(target) == there


def _digest(token):
    import hashlib

    return hashlib.sha256(token.encode()).hexdigest()
