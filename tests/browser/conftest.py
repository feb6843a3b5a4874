"""The real server, the real browser, and a picture of every open page where a test fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.app_server import Server
from tests.browser.install import ensure
from tests.browser.visitor import Visitors

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=ensure(), args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def visitors(browser: Browser) -> Iterator[Visitors]:
    """People, each with a browser of their own."""
    made = Visitors(browser)
    yield made
    made.leave()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path | None], Server]]:
    """Start the app: on a fresh folder, or on one that was prepared."""
    started: list[Server] = []

    def begin(home: Path | None = None) -> Server:
        started.append(Server(home or tmp_path_factory.mktemp("home")))
        return started[-1]

    yield begin
    for server in started:
        server.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Name the pictures of what was on the screens when a test failed."""
    report = yield
    there = getattr(item, "funcargs", {}).get("visitors")
    if report.when == "call" and report.failed and there is not None:
        folder = item.funcargs["tmp_path_factory"].mktemp("screens")
        lines = [str(path) for path in there.pictures(folder)]
        servers = [value for value in item.funcargs.values() if isinstance(value, Server)]
        lines += [f"{server.log}\n{server.printed[-3000:]}" for server in servers]
        report.longrepr.addsection("Pictures of the screens, and what the server printed", "\n".join(lines))
    return report
