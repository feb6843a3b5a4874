"""Endpoints: errors become statuses, the unexpected becomes a number, bodies have limits."""

from __future__ import annotations

import json

import pytest
from starlette.applications import Starlette

from modelops import errors
from modelops.api.callers import Caller, remember
from modelops.api.endpoint import ApiRoute, Endpoints
from modelops.api.receiving import received
from modelops.domain.digest import Digest
from modelops.domain.record import Record
from modelops.settings import Settings
from tests.api.door_browser import TestClient


class Asked(Record):
    name: str
    count: int = 1


@pytest.fixture
def call(store, people, tmp_path):
    """Answer one call of a function, as the author."""

    def answer(function, method="GET", path="/api/x", actual="/api/x", actor="author", limit=1 << 20, **sent):
        route = ApiRoute(path, function, methods=(method,), largest_body=limit)
        inner = Starlette(routes=[Endpoints(store, Settings(home=tmp_path)).route(route)])

        async def app(scope, receive, send):
            if scope["type"] == "http" and actor:
                from starlette.requests import HTTPConnection

                remember(HTTPConnection(scope), Caller(people[actor], None))
            await inner(scope, receive, send)

        return TestClient(app, raise_server_exceptions=False).request(method, actual, **sent)

    return answer


def failing(error):
    def fail(_):
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInput("no"), 422),
        (errors.RefusedFile("no"), 422),
        (errors.TooLarge("no"), 413),
        (errors.NotFound("no"), 404),
        (errors.NotAllowed("no", rule="right:sign"), 403),
        (errors.Conflict("no"), 409),
        (errors.NotMeasured("no"), 422),
        (errors.WorkerFailed("no"), 422),
        (errors.VerificationFailed("no"), 409),
    ],
)
def test_each_error_has_its_status_and_its_message(call, error, status):
    answer = call(failing(error))
    assert answer.status_code == status
    assert answer.json()["error"]["message"] == "no"
    assert answer.json()["error"]["kind"] == type(error).__name__


def test_a_refusal_names_its_rule(call):
    answer = call(failing(errors.NotAllowed("no", rule="separation of duties: contributor")))
    assert answer.json()["error"]["rule"] == "separation of duties: contributor"


def test_the_unexpected_shows_a_number_and_nothing_of_the_program(call, caplog):
    answer = call(failing(ZeroDivisionError("secret detail")))
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
    number = answer.json()["error"]["message"].rstrip(".").split()[-1]
    assert number in caplog.text


def test_a_function_gets_the_record_that_was_sent(call):
    answer = call(lambda call: {"got": call.record(Asked).count}, "POST", json={"name": "x", "count": 3})
    assert answer.json() == {"got": 3}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"name": 3}', b'{"name": "x", "more": 1}', b"\xff", b"[" * 5000])
def test_a_body_of_another_form_is_named_and_refused(call, body):
    answer = call(lambda call: call.record(Asked), "POST", content=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith("In ")


def test_a_large_body_is_refused(call):
    answer = call(lambda call: {"n": len(call.body)}, "POST", content=b"x" * 101, limit=100)
    assert answer.status_code == 413


def test_a_number_in_the_path_is_a_number(call):
    def number(call):
        return {"id": call.number("id")}

    assert call(number, path="/api/{id}", actual="/api/12").json() == {"id": 12}
    assert call(number, path="/api/{id}", actual="/api/twelve").status_code == 404


def test_without_a_caller_there_is_no_answer(call):
    assert call(lambda _: {"secret": 1}, actor=None).status_code == 401


def test_a_file_is_stored_under_its_digest_while_it_arrives(call, store):
    content = b"0123456789" * 300_000

    async def keep(call):
        async with received(call.request, call.store.blobs, limit=4_000_000) as staged:
            digest = call.store.blobs.keep(staged)
        return {"digest": digest, "size": staged.size}

    answer = call(keep, "PUT", content=(content[i : i + 65536] for i in range(0, len(content), 65536)))
    assert answer.json() == {"digest": str(Digest.of(content)), "size": len(content)}
    assert store.blobs.read(Digest.of(content)) == content


def test_a_file_over_the_limit_leaves_nothing_behind(call, store, tmp_path):
    async def keep(call):
        async with received(call.request, call.store.blobs, limit=1000) as staged:
            return {"digest": call.store.blobs.keep(staged)}

    answer = call(keep, "PUT", content=b"x" * 1001)
    assert answer.status_code == 413
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


def test_an_unknown_path_of_the_api_is_not_found_in_json(browser, cookie):
    answer = browser.get("/api/v2/nothing", cookies=cookie("author"))
    assert answer.status_code == 404
    assert json.loads(answer.text)["error"]["kind"] == "NotFound"
