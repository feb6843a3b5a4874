"""The field for a file by itself, in the real browser: where a refusal appears, and when a file can be sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from modelops.ui import upload

HERE = "http://field.test/"
REFUSAL = "model.skops is a table (csv), a model is wanted here. " * 6
GIVEN = {"label": "Model file", "path": "/sent", "query": {}, "accept": "", "limit": 1000, "blocked": "", "away": False}


def document() -> str:
    script = upload._JS.replace("export default function", "window.field = function")
    return (
        f"<style>{upload._CSS}</style><div style='height: 900px'></div><main>{upload._HTML}</main>"
        f"<script>{script}; window.done = [];"
        "window.draw = (data) => window.field({parentElement: document.querySelector('main'), data,"
        "setTriggerValue: (name, value) => window.done.push([name, value])});</script>"
    )


def answered(route: Route) -> None:
    if route.request.method == "PUT":
        is_good = "good" in route.request.url
        answer: dict[str, Any] = {"id": 7} if is_good else {"error": {"message": REFUSAL}}
        route.fulfill(status=201 if is_good else 422, content_type="application/json", body=json.dumps(answer))
    else:
        route.fulfill(content_type="text/html", body=document())


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 500})
    page.route("**/*", answered)
    page.goto(HERE)
    yield page
    page.close()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / f"{name}.skops" for name in ("good", "bad", "large")}
    for name, path in found.items():
        path.write_bytes(b"x" * (2000 if name == "large" else 10))
    return found


def draw(page: Page, **changes: object) -> None:
    page.evaluate("data => window.draw(data)", {**GIVEN, **changes})


def send(page: Page, path: Path) -> None:
    page.get_by_label("Model file").set_input_files(path)
    page.get_by_role("button", name="Upload").click()


def test_a_refusal_stands_whole_above_the_button_and_in_view(page, files):
    draw(page)
    send(page, files["bad"])
    said = page.get_by_role("status")
    expect(said).to_have_text(REFUSAL.strip())
    expect(said).to_be_in_viewport(ratio=1)
    button = page.get_by_role("button", name="Upload")
    assert said.bounding_box()["y"] + said.bounding_box()["height"] <= button.bounding_box()["y"]
    assert said.evaluate("it => it.scrollHeight <= it.clientHeight + 1 && it.scrollWidth <= it.clientWidth + 1")
    expect(button).to_be_enabled()


def test_a_file_that_is_too_large_is_not_sent_and_says_so(page, files):
    draw(page)
    page.get_by_label("Model file").set_input_files(files["large"])
    expect(page.get_by_role("status")).to_contain_text("at most")
    expect(page.get_by_role("button", name="Upload")).to_be_disabled()


def test_what_lacks_keeps_a_chosen_file_until_it_is_there(page, files):
    draw(page, blocked="Give the version a label.")
    page.get_by_label("Model file").set_input_files(files["good"])
    expect(page.get_by_text("Give the version a label.")).to_be_visible()
    expect(page.get_by_role("button", name="Upload")).to_be_disabled()
    draw(page)
    expect(page.get_by_text("Give the version a label.")).to_be_hidden()
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status")).to_have_text("Done.")
    assert page.evaluate("window.done") == [["done", {"id": 7}]]


@pytest.fixture
def held(page: Page) -> list[Route]:
    """What was sent and has no answer yet."""
    found: list[Route] = []
    page.route("**/sent*", lambda route: found.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    return found


def test_a_field_that_is_drawn_again_while_a_file_is_under_way_still_gives_its_answer(page, files, held):
    draw(page)
    send(page, files["good"])
    expect(page.get_by_role("status")).to_contain_text("Sending")
    draw(page, label="Model file")
    expect(page.get_by_role("button", name="Upload")).to_be_disabled()
    answered(held[0])
    expect(page.get_by_role("status")).to_have_text("Done.")
    assert page.evaluate("window.done") == [["done", {"id": 7}]]


def test_a_field_is_not_seen_where_something_else_than_a_file_was_chosen(page, files):
    draw(page, away=True)
    expect(page.locator(".box")).to_be_hidden()
    draw(page)
    expect(page.locator(".box")).to_be_visible()


def test_a_file_that_is_under_way_is_seen_and_gives_its_answer_when_something_else_was_chosen(page, files, held):
    draw(page)
    send(page, files["good"])
    expect(page.get_by_role("status")).to_contain_text("Sending")
    draw(page, away=True)
    expect(page.get_by_role("status")).to_be_visible()
    answered(held[0])
    expect(page.locator(".box")).to_be_hidden()
    assert page.evaluate("window.done") == [["done", {"id": 7}]]


def test_a_refusal_is_seen_also_when_something_else_was_chosen_meanwhile(page, files, held):
    draw(page)
    send(page, files["bad"])
    expect(page.get_by_role("status")).to_contain_text("Sending")
    draw(page, away=True)
    answered(held[0])
    expect(page.get_by_role("status")).to_have_text(REFUSAL.strip())
    draw(page, away=True)
    expect(page.get_by_role("status")).to_be_visible()


def test_a_refusal_that_was_seen_goes_with_its_field(page, files):
    draw(page)
    send(page, files["bad"])
    expect(page.get_by_role("status")).to_have_text(REFUSAL.strip())
    draw(page, away=True)
    expect(page.locator(".box")).to_be_hidden()
