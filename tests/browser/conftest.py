"""The real server, the real browser, and a picture of every open page where a test fails."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.app_server import Servers
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
def servers() -> Iterator[Servers]:
    """Apps that run until the tests of a file are over."""
    made = Servers()
    yield made
    made.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Name the pictures of what was on the screens when a test failed, with the end of what the servers printed."""
    report = yield
    there = getattr(item, "funcargs", {})
    if report.when == "call" and report.failed and {"visitors", "servers"} <= set(there):
        folder = Path(tempfile.mkdtemp(prefix="modelops-screens-"))
        lines = [str(path) for path in there["visitors"].pictures(folder)]
        lines += [f"{server.log}:\n{server.printed[-3000:]}" for server in there["servers"].running]
        report.longrepr.addsection("Screens and servers", "\n".join(lines))
    return report
