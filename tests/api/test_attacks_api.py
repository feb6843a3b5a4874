"""Every route of the API against everybody who should not get through it, and against hostile input."""

from __future__ import annotations

import stat
from datetime import UTC, datetime

import pytest

from modelops.api.routes import ROUTES
from modelops.domain.inventory import RiskTier
from modelops.services import answers, inventory, tokens
from modelops.services.keyring import open_keys
from modelops.store.tables import AuditRow, BlobRow, DatasetRow, EvidenceRow, ModelRow, RunRow, VersionRow
from tests.api.door_browser import ORIGIN
from tests.services.road import opened, read

EVERY = [(method, route.path) for route in ROUTES for method in route.methods]
WRITES = [(method, path) for method, path in EVERY if method != "GET"]
# Who may do what; every role may read.
AUTHORS = {"author", "owner"}
MAY = {
    ("POST", "/api/v1/runs"): {*AUTHORS, "reviewer"},
    ("POST", "/api/v1/runs/{run}/cancel"): {*AUTHORS, "reviewer"},
    ("POST", "/api/v1/runs/{run}/again"): {*AUTHORS, "reviewer"},
}
BODIES = {
    "/api/v1/models": {"name": "N", "purpose": "p", "risk_tier": "low"},
    "/api/v1/runs": {"analysis": "drift", "data_id": 1},
    "/api/v1/models/{model}/versions": {"label": "2"},
    "/api/v1/datasets/{dataset}/columns": {"roles": {}},
    "/api/v1/datasets/{dataset}/archive": {"reason": "A mistake."},
    "/api/v1/datasets/{dataset}/restore": {"reason": "No mistake."},
    "/api/v1/versions/{version}/criteria": {"body": {"criteria": []}, "seen_revision": 0},
    "/api/v1/versions/{version}/criteria/freeze": {"seen_revision": 0},
}


def concrete(path):
    for name in ("model", "version", "dataset", "review", "evidence", "run"):
        path = path.replace("{" + name + "}", "1")
    return path.replace("{question}", "x").replace("{digest}", "0" * 64)


@pytest.fixture
def bearer(store, people):
    """Return the header of an API token of one of the people."""

    def make(who):
        made = tokens.create_token(store, name="t", days=1, actor=people[who], at=datetime.now(UTC))
        return {"authorization": f"Bearer {made.secret}"}

    return make


@pytest.fixture
def review(store, people):
    return opened(store, people, datetime.now(UTC))


def rows(store):
    with store.reading() as reader:
        kinds = (ModelRow, VersionRow, DatasetRow, EvidenceRow, RunRow, BlobRow)
        return [len(reader.all(kind)) for kind in kinds]


def left_over(tmp_path):
    return [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_nobody_calls_a_route_without_a_log_in(browser, people, method, path):
    answer = browser.request(method, concrete(path), headers=ORIGIN)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (401, "NotLoggedIn")


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_a_token_that_was_made_up_opens_nothing_even_beside_a_session(browser, cookie, method, path):
    headers = {**ORIGIN, "authorization": "Bearer mops_madeup"}
    answer = browser.request(method, concrete(path), headers=headers, cookies=cookie("author"))
    assert answer.status_code == 401


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}, {"origin": "null"}])
def test_no_other_site_writes_in_somebody_s_name(browser, cookie, store, method, path, headers):
    before = rows(store)
    answer = browser.request(method, concrete(path), headers=headers, cookies=cookie("author"))
    assert answer.status_code == 403
    assert rows(store) == before


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_who_lacks_the_right_writes_nothing(browser, bearer, people, store, review, tmp_path, method, path):
    before, files = rows(store), left_over(tmp_path)
    for who in sorted(set(people) - MAY.get((method, path), AUTHORS)):
        # A path that both adds and replaces takes a file where it replaces.
        takes_a_file = path not in BODIES or (method == "PUT" and ("POST", path) in WRITES)
        sent = {"content": b"a,b\n1,2\n"} if takes_a_file else {"json": BODIES[path]}
        answer = browser.request(method, concrete(path), headers=bearer(who), **sent)
        assert (answer.status_code, answer.json()["error"].get("rule", "")[:6]) == (403, "right:"), (who, answer.text)
    assert (rows(store), left_over(tmp_path)) == (before, files)


def test_every_refusal_of_a_right_is_in_the_trail(browser, bearer, store, people, review):
    browser.post("/api/v1/models", headers=bearer("auditor"), json=BODIES["/api/v1/models"])
    with store.reading() as reader:
        [entry] = reader.all(AuditRow, action="refused")
    assert entry.actor_id == people["auditor"].user_id


NUMBERS = ["0", "-1", "9" * 15, "9" * 400, "1e3", "%00", "..", "%2e%2e%2f1", "\u0661", "NaN"]


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path in EVERY if "{" in path])
def test_a_number_that_names_nothing_is_no_error_of_ours(browser, bearer, review, method, path):
    start, headers = path.partition("{")[0], bearer("author")
    rest = path.partition("}")[2].replace("{question}", "x")
    for number in NUMBERS:
        answer = browser.request(method, start + number + rest, headers=headers, content=b"{}")
        assert 400 <= answer.status_code < 500, (number, answer.text)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b'{"name":"a","name":"b"}',
        b'{"name":"\\ud800","purpose":"p","risk_tier":"low"}',
        b'{"name":"a\\u0000","purpose":"p","risk_tier":"low","owner_id":100000000000000000000000}',
        b'{"name":"n","purpose":"p","risk_tier":"low","owner_id":99999999999}',
        b'{"name":"n","purpose":"' + b"x" * 30_000 + b'","risk_tier":"low"}',
        b"[" * 5000,
    ],
)
def test_a_hostile_body_gets_a_reason_and_leaves_nothing(browser, bearer, store, people, body):
    before = rows(store)
    answer = browser.post("/api/v1/models", headers=bearer("author"), content=body)
    assert 400 <= answer.status_code < 500, answer.text
    assert rows(store) == before


def test_a_body_of_two_megabytes_is_refused(browser, bearer):
    answer = browser.post("/api/v1/models", headers=bearer("author"), content=b" " * (2 << 20))
    assert (answer.status_code, answer.json()["error"]["kind"]) == (413, "TooLarge")


HOSTILE = "../../etc/passwd\u202e<img src=x onerror=alert(1)>\x00\r\nX-Evil: 1.html"


def test_a_hostile_file_name_is_neither_a_path_nor_a_header_nor_a_page(browser, bearer, review, store, people):
    question = read(store, review.id, datetime.now(UTC)).blockers[0].subject
    path = f"/api/v1/reviews/{review.id}/questions/{question}/evidence"
    made = browser.put(path, params={"name": HOSTILE}, headers=bearer("author"), content=b"<script>alert(1)</script>")
    assert made.status_code == 201, made.text
    got = browser.get(f"/api/v1/evidence/{made.json()['id']}/file", headers=bearer("auditor"))
    assert got.content == b"<script>alert(1)</script>"
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith("attachment; filename=")
    assert not set('/\\\r\n<>\u202e"') & set(got.headers["content-disposition"].partition('filename="')[2][:-1])
    assert "x-evil" not in got.headers


def test_hostile_texts_are_text_in_report_and_model_card(browser, bearer, review, store, people):
    at = datetime.now(UTC)
    markup = "</td></script><img src=x onerror=alert(1)><a href=javascript:alert(1)>"
    said = {"owner_id": people["owner"].user_id, "risk_tier": RiskTier.LOW, "business_unit": markup[:150]}
    inventory.change_model(store, 1, actor=people["author"], at=at, purpose=markup, reason=markup, **said)
    question = read(store, review.id, at).blockers[0].subject
    given = answers.Answer("met", markup, "done")
    answers.answer(store, review.id, question, given, actor=people["author"], at=at, seen_revision=0)
    for page in ("report", "model-card"):
        answer = browser.get(f"/api/v1/reviews/{review.id}/{page}", headers=bearer("auditor"))
        assert answer.status_code == 200
        assert "<img src=x" not in answer.text
        assert "<a href=javascript" not in answer.text


def test_the_question_of_the_gate_is_written_down_clean(browser, bearer, store):
    url = f"/api/v1/gate/{'0' * 64}"
    asked = {"environment": "prod\u202e\x00" + "x" * 500}
    answer = browser.get(url, params=asked, headers=bearer("auditor"))
    assert answer.json()["environment"] == "prod" + "x" * 76


@pytest.mark.parametrize("digest", ["x", "sha256:" + "G" * 64, "sha1:" + "0" * 40, "0" * 63, "%00", "../" * 9])
def test_what_is_no_digest_gets_a_reason(browser, bearer, digest):
    answer = browser.get(f"/api/v1/gate/{digest}", headers=bearer("auditor"))
    assert 400 <= answer.status_code < 500, answer.text


@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95", b"PK\x03\x04", b"MZ" + b"\0" * 99])
def test_a_refused_upload_leaves_nothing(browser, bearer, store, review, tmp_path, content):
    before = rows(store)
    for path in ("/api/v1/models/1/datasets?role=test&name=x.csv", "/api/v1/models/1/versions?label=9&name=m.onnx"):
        answer = browser.put(path, headers=bearer("author"), content=content)
        assert answer.status_code == 422, answer.text
        assert str(tmp_path) not in answer.text
    assert (rows(store), left_over(tmp_path)) == (before, [])


def test_a_disabled_person_s_token_and_session_are_useless(browser, bearer, cookie, store, people):
    from modelops.services import people as accounts

    header, session = bearer("author"), cookie("author")
    who, by = people["author"].user_id, people["administrator"]
    accounts.disable_person(store, who, reason="left", actor=by, at=datetime.now(UTC))
    for sent in ({"headers": header}, {"cookies": session}):
        assert browser.get("/api/v1/me", **sent).status_code == 401


def test_the_key_and_the_secret_are_for_the_app_s_user_alone(browser, store, tmp_path):
    open_keys(tmp_path / "keys", store, at=datetime.now(UTC))
    secret = [path for path in (tmp_path / "keys").iterdir() if path.name != "public_keys.json"]
    assert len(secret) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
