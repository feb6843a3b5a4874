"""A data contract in the real browser: learned, edited, accepted, published, run on another table."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from modelops.domain.contract import load_contract
from tests.browser.prepared_store import actor, open_store
from tests.browser.visitor import LONG
from tests.conftest import session_cookie
from tests.ui.ui_inventory import MADE_AT, make

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def author(servers, visitors, peopled_database, tmp_path_factory):
    """An author in front of a model with two tables and no contract."""
    home = tmp_path_factory.mktemp("contract") / "home"
    home.mkdir()
    make(home, peopled_database, MADE_AT)
    server = servers.start(home)
    visitor = visitors.come(server.base, who="author", width=1280)
    store = open_store(home)
    cookie = session_cookie(store, actor(store, "author"))
    store.close()
    visitor.context.add_cookies([{"name": name, "value": value, "url": server.base} for name, value in cookie.items()])
    return visitor


def test_a_contract_is_learned_edited_accepted_published_and_run(author, tmp_path):
    author.open("contract?model=1")
    author.press("Learn checks", exact=False)
    author.sees("checks that were learned from the reference", timeout=LONG)
    author.follow("To the data contract")
    author.press(re.compile("Take over the checks"))
    author.sees(re.compile(r"\d+ checks on \d+ columns, 0 accepted"))

    author.unfold("Add a check")
    author.choose("What is it about?", "Between which ends values lie")
    author.choose("Column", "income")
    author.fill("From", "45")
    author.fill("Why is this demanded?", "Nobody is asked who earns less.")
    author.press("Add the check")
    author.sees("income: range (2)")

    author.choose("Check to work on", "income: range (2)")
    author.press(re.compile("Accept as Author"))
    author.badge("accepted by Author")

    author.open("contract?model=1&part=Versions+and+files")
    author.fill("What changed, and why?", "The first version.")
    author.press("Publish the next version")
    author.badge("version 1")
    with author.page.expect_download() as caught:
        author.press(re.compile("The contract"))
    caught.value.save_as(tmp_path / "contract.json")
    text = (tmp_path / "contract.json").read_text()
    assert load_contract(text).check("income: range (2)").accepted_by == "Author"
    assert json.loads(text)["version"] == 1

    author.open("contract?model=1&part=Run+it")
    author.press(re.compile("Run the contract"))
    author.sees(re.compile(r"checks of the contract .* broken: most of all income \(at least 45\)"), timeout=LONG)
    expect(author.page.get_by_role("heading", level=1)).to_contain_text("Data contract")
