"""Every page of the app, wide and light, narrow and dark: it stands, it fits, and it asks nobody else for anything."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from modelops.domain.people import Right
from modelops.ui.navigation import PAGES, Entry
from tests.browser.prepared_store import actor, open_store, prepare, wait_for_runs
from tests.browser.visitor import PATIENCE, TRIES, Visitor
from tests.conftest import session_cookie

pytestmark = pytest.mark.timeout(300)

LOOKS = {"wide and light": (1280, 900, "light"), "narrow and dark": (390, 844, "dark")}
# What stands in the address of pages that are about one thing.
ABOUT = {
    "model": "model=1",
    "contract": "model=1",
    "version": "version=1",
    "dataset": "dataset=1",
    "start-analysis": "model=1",
    "run": "run=1",
    "compare": "left=1&right=2",
    "compare-versions": "left=1&right=2",
    "criteria": "version=1",
    "workbench": "run=1",
    "cases": "run=3",
    "what-if": "run=4",
    **dict.fromkeys(("review", "checklist", "findings", "sign", "record"), "review=1"),
    "person": "id=2",
}
# Streamlit asks for these below the address of a page first, and then finds them at the top.
PROBE = re.compile(r"/[a-z-]+/_stcore/(health|host-config)$")
OVERFLOW = """() => [document.documentElement, document.querySelector('[data-testid="stMain"]')]
    .map(part => part.scrollWidth - part.clientWidth)"""


@dataclass
class Watched:
    """A visitor, with what their browser complained about and whom it asked."""

    visitor: Visitor
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        page = self.visitor.page
        page.on("console", lambda said: self._complain(said.type, said.text, said.location["url"]))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._ask(request.url))
        page.on("websocket", lambda socket: self._ask(socket.url))

    def _ask(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in {"data", "blob"}:
            self.hosts.add(str(parts.hostname))

    def _complain(self, kind: str, text: str, address: str) -> None:
        if kind == "error" and not PROBE.search(address):
            self.complaints.append(f"{text} ({address})")


@pytest.fixture(scope="module")
def server(servers, peopled_database, tmp_path_factory):
    """An app whose store has a model, its data, a sealed review and two finished analyses."""
    folder = tmp_path_factory.mktemp("prepared")
    prepare(folder / "home", peopled_database, folder)
    started = servers.start(folder / "home")
    wait_for_runs(started.home)
    return started


@pytest.fixture(scope="module")
def come(server, visitors):
    """Let one of the people look at the app, in a browser that is kept for the next page."""
    there: dict[tuple[str, str], Watched] = {}
    store = open_store(server.home)

    def visitor_of(login: str, look: str) -> Watched:
        if (login, look) not in there:
            width, height, scheme = LOOKS[look]
            visitor = visitors.come(server.base, who=f"{login} {look}", width=width, height=height, scheme=scheme)
            cookie = session_cookie(store, actor(store, login))
            visitor.context.add_cookies(
                [{"name": name, "value": value, "url": server.base} for name, value in cookie.items()]
            )
            there[login, look] = Watched(visitor)
        return there[login, look]

    yield visitor_of
    store.close()


def suitable(entry: Entry) -> str:
    """Return who may see a page."""
    return {Right.ADMINISTER: "administrator", Right.READ_AUDIT: "auditor"}.get(entry.needs, "author")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.address)
def test_a_page_stands_and_fits_and_asks_nobody_else(come, entry, look):
    watched = come(suitable(entry), look)
    watched.complaints.clear()
    visitor = watched.visitor
    visitor.open(f"{'' if entry is PAGES[0] else entry.address}?{ABOUT.get(entry.address, '')}")
    page = visitor.page
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    visitor.settled()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.locator("[data-testid=stException], [data-testid=stAlertContentError]")).to_have_count(0)
    assert page.evaluate(OVERFLOW) == [0, 0]
    assert watched.complaints == []
    assert watched.hosts == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("label", "ending", "begins"),
    [
        ("Picture (PNG)", "png", b"\x89PNG"),
        ("Drawing (SVG)", "svg", b"<?xml"),
        ("Points (CSV)", "csv", b"\xef\xbb\xbf"),
    ],
)
def test_a_chart_is_taken_away_as_a_file(come, label, ending, begins):
    visitor = come("author", next(iter(LOOKS))).visitor
    visitor.open("run?run=1")
    visitor.press(re.compile("Download chart"), exact=False)
    button = visitor.page.get_by_role("button", name=label).first
    with visitor.page.expect_download() as taken:
        button.click()
    assert taken.value.suggested_filename.endswith(f".{ending}")
    assert taken.value.path().read_bytes().startswith(begins)


def test_a_case_is_read_with_the_keyboard_alone(come):
    visitor = come("owner", next(iter(LOOKS))).visitor
    visitor.open("cases?run=3")
    page = visitor.page
    note = page.get_by_role("textbox", name=re.compile("^Why"))
    for number, (verdict, why) in enumerate((("1", "The debt says it."), ("2", "It was paid late.")), start=1):
        # The cursor goes to the note by itself.
        _until(visitor, verdict, lambda wait: expect(note).to_be_focused(timeout=wait))
        page.keyboard.type(why)
        page.keyboard.press("Enter")
        visitor.sees(f"You have read {number} of")
    earlier = page.get_by_role("heading", name="Case 2 of")
    _until(visitor, "ArrowLeft", lambda wait: expect(earlier).to_be_visible(timeout=wait))
    expect(note).to_have_value("It was paid late.")


def _until(visitor: Visitor, key: str, is_so) -> None:
    """Press a key until it has worked: the first may come before a page that was just drawn listens."""
    for _ in range(TRIES):
        visitor.settled()
        visitor.page.keyboard.press(key)
        with contextlib.suppress(AssertionError):
            is_so(PATIENCE / TRIES)
            return
    raise AssertionError(f"The key {key} did nothing.")
