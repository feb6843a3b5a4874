"""A person at a browser of their own: what they see and press, in the words that stand on the screen."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Locator, Page, Response, expect

# A shared machine may need this long for one step; a step that is done goes on at once.
PATIENCE = 30_000
LONG = 180_000
TRIES = 5
expect.set_options(timeout=PATIENCE)


class Visitor:
    """One person, one browser context, one page at a time."""

    def __init__(self, context: BrowserContext, base: str, *, who: str) -> None:
        context.set_default_timeout(PATIENCE)
        self.context = context
        self.base = base
        self.who = who
        self.page: Page = context.new_page()

    # The door: pages that are plain HTML.

    def set_up(self, link: str, *, name: str, login: str, password: str) -> None:
        """Make the first administrator with the link that the server printed."""
        self.page.goto(link)
        self._fill_door({"Your name": name, "Login": login, "Password": password, "Password again": password})
        self.page.get_by_role("button", name="Make this account").click()
        expect(self.page.get_by_role("heading", name=f"Welcome, {name}")).to_be_visible()

    def log_in(self, login: str, given: str, password: str) -> None:
        """Log in with a password that was given out, and choose one of one's own, which the app insists on."""
        self.page.goto(f"{self.base}/login")
        self._fill_door({"Login": login, "Password": given})
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("heading", name="Change your password")).to_be_visible()
        self._fill_door({"Current password": given, "New password": password, "New password again": password})
        self.page.get_by_role("button", name="Change password").click()
        expect(self.page.get_by_role("heading", name="Welcome")).to_be_visible()

    def _fill_door(self, fields: dict[str, str]) -> None:
        for label, text in fields.items():
            self.page.get_by_label(label, exact=True).fill(text)

    # Pages of the app.

    def open(self, path: str) -> Response | None:
        """Open an address of the app and wait until its page stands."""
        response = self.page.goto(f"{self.base}/{path}")
        self.settled()
        return response

    def settled(self) -> None:
        """Wait until the app has nothing left to draw."""
        shown = self.page.get_by_test_id("stApp")
        expect(shown).to_have_attribute("data-test-connection-state", "CONNECTED")
        expect(shown).to_have_attribute("data-test-script-state", "notRunning")

    def sees(self, text: str | re.Pattern[str], *, within: Locator | None = None, timeout: int = PATIENCE) -> Locator:
        """Wait for a text and return where it stands."""
        found = (within or self.page).get_by_text(text).first
        expect(found).to_be_visible(timeout=timeout)
        return found

    def heading(self, text: str | re.Pattern[str]) -> None:
        """Wait for a heading."""
        expect(self.page.get_by_role("heading", name=text).first).to_be_visible()

    def alert(self, text: str | re.Pattern[str]) -> Locator:
        """Wait for a message of the app, refusals among them."""
        found = self.page.get_by_test_id("stAlert").filter(has_text=text).first
        expect(found).to_be_visible()
        return found

    def badge(self, word: str, *, within: Locator | None = None, timeout: int = PATIENCE) -> None:
        """Wait for a status: its word stands beside a sign."""
        self.sees(re.compile(rf"(^|\s){word}$"), within=within, timeout=timeout)

    def press(self, name: str | re.Pattern[str], *, within: Locator | None = None, exact: bool = True) -> None:
        """Press a button."""
        self.settled()
        (within or self.page).get_by_role("button", name=name, exact=exact).first.click()
        self.settled()

    def follow(self, name: str | re.Pattern[str], *, within: Locator | None = None) -> None:
        """Follow a link of the app."""
        self.settled()
        (within or self.page).get_by_role("link", name=name).first.click()
        self.settled()

    def fill(self, label: str, text: str, *, within: Locator | None = None) -> None:
        """Type into a field."""
        field = (within or self.page).get_by_role("textbox", name=label, exact=True).first
        field.fill(text)
        field.blur()

    def choose(self, label: str, option: str | re.Pattern[str], *, within: Locator | None = None) -> None:
        """Choose from a list."""
        field = (within or self.page).get_by_role("combobox", name=label).first
        listed = self.page.get_by_role("option", name=option).first
        for _ in range(TRIES):
            if not listed.is_visible():
                field.click()
            with contextlib.suppress(Error):
                # A list closes when what stands around it is drawn anew.
                listed.click(timeout=PATIENCE / TRIES)
                return
        raise AssertionError(f"{label} offers no {option}")

    def unfold(self, title: str, *, within: Locator | None = None) -> Locator:
        """Open a folded part of the page and return it."""
        self.settled()
        part = (within or self.page).get_by_test_id("stExpander").filter(has_text=title).first
        if part.locator("details").get_attribute("open") is None:
            part.locator("summary").click()
        return part

    def upload(self, label: str, path: Path) -> None:
        """Choose a file and send it."""
        self.settled()
        self.page.get_by_label(label, exact=True).set_input_files(path)
        self.page.get_by_role("button", name="Upload").click()

    def question(self, text: str) -> Locator:
        """Open a question of the checklist and return its box."""
        row = self.sees(text).locator("xpath=ancestor::*[@data-testid='stHorizontalBlock'][1]")
        toggle = row.get_by_role("button", name=re.compile("expand_(less|more)"))
        expect(toggle).to_be_visible()
        if "expand_more" in toggle.inner_text():
            toggle.click()
        expect(row.get_by_role("button", name=re.compile("expand_less"))).to_be_visible()
        return row.locator("xpath=ancestor::*[@data-testid='stVerticalBlock'][1]")

    def number(self, name: str) -> int:
        """Return the number under which the address names something."""
        pattern = re.compile(rf"[?&]{name}=(\d+)")
        expect(self.page).to_have_url(pattern)
        found = pattern.search(self.page.url)
        assert found is not None
        return int(found[1])


@dataclass
class Visitors:
    """Everybody who has a browser open."""

    browser: Browser
    everybody: list[Visitor] = field(default_factory=list)

    def come(self, base: str, *, who: str, width: int = 1440, height: int = 900, scheme: str = "light") -> Visitor:
        """Open a browser of their own for one more person."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, accept_downloads=True
        )
        self.everybody.append(Visitor(context, base, who=who))
        return self.everybody[-1]

    def pictures(self, folder: Path) -> list[Path]:
        """Take a picture of every open page."""
        return [picture for visitor in self.everybody if (picture := _picture(visitor, folder))]

    def leave(self) -> None:
        """Close every browser."""
        for visitor in self.everybody:
            visitor.context.close()


def _picture(visitor: Visitor, folder: Path) -> Path | None:
    path = folder / f"{re.sub('[^a-z0-9]+', '-', visitor.who.lower())}.png"
    try:
        visitor.page.screenshot(path=path, timeout=10_000)
    except Error:  # a page that hangs leaves no picture, and must not hide why the test failed
        return None
    return path
