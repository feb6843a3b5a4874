"""The whole road in a real browser: from an empty folder to a record that anybody can verify and an open gate."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, expect

from modelops.domain.checklist import Result, WorkStatus
from modelops.domain.digest import Digest
from modelops.services import evidence
from modelops.services.answers import Answer
from modelops.ui.navigation import PAGES
from tests.browser.app_server import Server
from tests.browser.credit_files import CreditFiles, credit_files
from tests.browser.prepared_store import actor, open_store
from tests.browser.visitor import LONG, Visitor, Visitors
from tests.services.road import answer, read

pytestmark = pytest.mark.timeout(900)

PASSWORD = "violet kettle sings at noon"
MODEL, VERSION = "Consumer credit default", "1.0"
PEOPLE = {
    "owner": ("Model owner", ("Author",)),
    "author": ("Author", ("Author", "Reviewer")),
    "reviewer": ("Reviewer", ("Reviewer",)),
    "approver": ("Approver", ("Approver",)),
}
PURPOSE = (
    "Proposes to a credit officer whether to grant a consumer loan of 1,000 to 50,000 euros, from the probability of "
    "an instalment 90 days late within twelve months. The officer decides."
)
STATEMENT = (
    "Credit officers decide on about 10,000 consumer loans a year with a points rule from 2017. One loan in eleven is "
    "not repaid, and customers wait up to two days for an answer. We want to refuse fewer good customers and more bad "
    "ones, and give a reason on the spot."
)
HARM = (
    "A wrongly refused person pays more elsewhere; a wrongly accepted one is over-indebted. No application is refused "
    "by the model alone. The head of consumer lending decided to go on under that condition."
)
DONE = (
    "Frozen at inception, measured on loans of February to April 2025: ROC AUC at least 0.74, because below that the "
    "gain over the rule does not pay for the change, and the mean score within one point of the default rate."
)
REVIEWED = "All acceptance criteria are reached; the one finding is closed."
APPROVED = "Better than the rule in force by a clear margin, with a person in every refusal."
ROLLBACK = (
    "The release tool keeps the last two versions and switches back with one command. Tried in March: eleven minutes "
    "from the decision to the earlier version, with no score lost."
)
# Blocking questions that stay open until the review was refused because of them, and others that stay open for good.
LEFT = (
    *("data.bias", "data.minorities", "predictions.prejudice", "use.fairness"),
    *("predictions.explained", "operations.rollback", "monitoring.owner"),
)
NEVER = ("data.labels_checked", "data.size", "baseline.lessons", "works.replicate", "tests.unit", "operations.rollout")


@dataclass
class Road:
    """What the people of this walk share."""

    server: Server
    visitors: Visitors
    files: CreditFiles
    folder: Path
    who: dict[str, Visitor] = field(default_factory=dict)
    model: int = 0
    review: int = 0

    def come(self, login: str, given: str) -> Visitor:
        """Let somebody come with the password that they were given, in a browser of their own."""
        visitor = self.visitors.come(self.server.base, who=login)
        visitor.log_in(login, given, PASSWORD)
        self.who[login] = visitor
        return visitor

    def show(self, visitor: Visitor, name: str, *, top: Locator | None = None) -> None:
        """Take a picture for the documentation, if one is wanted; ``top`` is what stands at its upper edge."""
        folder = os.environ.get("MODELOPS_SCREENSHOTS")
        if not folder:
            return
        visitor.page.mouse.move(1439, 899)
        expect(visitor.page.get_by_test_id("stToast")).to_have_count(0)
        if top:
            top.evaluate("part => { part.style.scrollMarginTop = '24px'; part.scrollIntoView({behavior: 'instant'}); }")
        visitor.page.wait_for_timeout(1500)
        visitor.page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture
def road(servers, visitors, tmp_path) -> Road:
    return Road(servers.start(tmp_path / "home"), visitors, credit_files(tmp_path), tmp_path)


def test_the_whole_road(road):
    nobody_gets_past_the_door(road)
    people_are_added(road)
    the_author_registers_a_model(road)
    the_author_opens_a_review(road)
    the_author_answers(road)
    the_review_is_submitted(road)
    the_author_cannot_sign(road)
    the_reviewer_reviews_and_signs(road)
    the_approver_signs_and_seals(road)
    the_record_is_verified_elsewhere(road)
    the_gate_knows_the_signed_bytes(road)
    a_change_closes_the_gate(road)
    trail = road.server.command("audit", "verify")
    assert trail.returncode == 0, trail.stderr


def nobody_gets_past_the_door(road: Road) -> None:
    """The first request of a fresh server is a deep link; the administrator is made with the printed link."""
    visitor = road.visitors.come(road.server.base, who="administrator")
    for entry in PAGES:
        visitor.page.goto(f"{road.server.base}/{entry.address}?review=1")
        assert visitor.page.url == f"{road.server.base}/setup"
        expect(visitor.page.get_by_role("heading", name="One step to go")).to_be_visible()
        expect(visitor.page.get_by_test_id("stApp")).to_have_count(0)
    visitor.set_up(road.server.set_up_link, name="Administrator", login="administrator", password=PASSWORD)
    stranger = road.visitors.come(road.server.base, who="stranger")
    stranger.page.goto(f"{road.server.base}/checklist?review=1")
    expect(stranger.page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(stranger.page.get_by_test_id("stApp")).to_have_count(0)
    road.show(stranger, "login")
    road.who["administrator"] = visitor


def people_are_added(road: Road) -> None:
    """The administrator adds everybody; each logs in and chooses a password of their own."""
    administrator = road.who["administrator"]
    for login, (name, roles) in PEOPLE.items():
        administrator.open("people")
        form = administrator.unfold("Add somebody")
        administrator.fill("Printed name", name, within=form)
        administrator.fill("Login", login, within=form)
        for role in roles:
            form.get_by_role("button", name=role, exact=True).click()
        administrator.press("Add", within=form)
        administrator.alert("Hand this over now")
        given = form.get_by_test_id("stCode").last.inner_text().strip()
        if login != "owner":
            road.come(login, given)


def the_author_registers_a_model(road: Road) -> None:
    """A model with its file and two tables, whose guessed columns are corrected."""
    author = road.who["author"]
    author.open("models")
    form = author.unfold("Register a model")
    author.fill("Name", MODEL, within=form)
    author.fill("Purpose", PURPOSE, within=form)
    author.choose("Owner", "Model owner", within=form)
    author.fill("Business unit (optional)", "Consumer lending", within=form)
    author.press("Register", within=form)
    author.heading(MODEL)
    author.badge("medium risk")
    road.model = author.number("model")

    author.upload("Model file", road.files.model)
    author.heading(f"{MODEL} {VERSION}")
    author.sees(Digest.of_file(road.files.model), timeout=LONG)
    author.sees("decide: FixedThresholdClassifier")
    author.badge("isolated")

    add_table(road, road.files.test, role="Test", note="Rows that the model never saw")
    add_table(road, road.files.train, role="Train", note="What the model learned from")


def add_table(road: Road, path: Path, *, role: str, note: str) -> None:
    """Gender and age band are there for the audit; the guess makes features of them, which the author corrects."""
    author = road.who["author"]
    author.open(f"model?model={road.model}&tab=Data")
    form = author.unfold("Add a dataset")
    author.choose("What is it for?", role, within=form)
    author.sees(note, within=form)
    author.upload("Table: CSV, Parquet, XLSX or JSON lines", path)
    expect(author.page.get_by_role("heading", name=path.name)).to_be_visible(timeout=LONG)
    author.sees("Target default, no prediction, no score, 14 features, sensitive: age, gender, age_band")
    author.press(f"Features of version {VERSION}")
    author.sees("Target default, no prediction, no score, 12 features, sensitive: age, gender, age_band")
    author.press("Save the columns")
    author.sees("Last corrected by Author")


def the_author_opens_a_review(road: Road) -> None:
    """A pre-deployment review of the version, on both tables."""
    author = road.who["author"]
    author.open(f"model?model={road.model}")
    author.press("Open a review of 1.0", exact=False)
    form = author.unfold("Open a review")
    expect(form.get_by_role("radio", name="Pre-deployment review")).to_be_checked()
    author.press("Open the review", within=form)
    author.heading(f"{MODEL} {VERSION}")
    author.badge("in progress")
    author.heading("Why not ready?")
    road.review = author.number("review")


def the_author_answers(road: Road) -> None:
    """Three questions by hand, with a text, a file and an analysis; the others the same way without the screen."""
    author = road.who["author"]
    author.follow("Checklist")
    statement = author.question("In plain language, what is the business problem")
    answer_by_hand(author, statement, STATEMENT)
    adding = author.unfold("Add evidence", within=statement)
    author.fill("Title", "Agreed with the branches", within=adding)
    author.fill("Text", "Two branch managers and the head of consumer lending read it and agreed.", within=adding)
    author.press("Attach", within=adding)
    author.sees("1 piece of evidence", within=statement)

    author.follow("Overview")
    author.sees("Why not ready?")
    author.follow("Checklist")
    harm = author.question("Could solving this problem")
    answer_by_hand(author, harm, HARM)
    adding = author.unfold("Add evidence", within=harm)
    adding.get_by_role("radio", name="File").click()
    author.upload("File to attach", road.files.note)
    expect(harm.get_by_role("link", name=road.files.note.name)).to_be_visible()

    done = author.question("What does finished mean, and which acceptance tests define it?")
    answer_by_hand(author, done, DONE)
    author.press(re.compile("Run performance"), within=done)
    author.badge("finished", within=done, timeout=LONG)
    author.press("Attach to answer", within=done)
    author.sees("1 piece of evidence", within=done)
    road.show(author, "checklist", top=done)
    author.follow("performance (run 1)", within=done)
    author.heading("Performance")
    author.sees("It puts a positive row before a negative one")
    expect(author.page.get_by_test_id("stPlotlyChart").first).to_be_visible()
    road.show(author, "result")
    answer_the_others(road, but=(*LEFT, *NEVER))


def answer_by_hand(author: Visitor, question: Locator, text: str) -> None:
    """Choose a result, write the answer, save it."""
    question.get_by_role("radio", name="Met", exact=True).click()
    author.fill("Answer", text, within=question)
    author.press("Save", within=question)
    author.badge("met", within=question)


def answer_the_others(road: Road, *, but: tuple[str, ...]) -> None:
    """Answer through the services what was not answered by hand."""
    store = open_store(road.server.home)
    now = {"actor": actor(store, "author"), "at": datetime.now(UTC)}
    for given in read(store, road.review, now["at"]).content.answers:
        if given.result is Result.NOT_ASSESSED and given.question not in but:
            met = Answer(Result.MET, "Done as described in the note.", WorkStatus.DONE)
            answer(store, road.review, given.question, met, **now)
            note = {"title": "Note", "text": f"What was done for {given.question}."}
            evidence.attach_text(store, road.review, given.question, **now, **note)
    store.close()


def the_review_is_submitted(road: Road) -> None:
    """Refused with the list of what blocks; accepted when nothing does."""
    author = road.who["author"]
    author.open(f"review?review={road.review}")
    author.heading(f"Why not ready? {len(LEFT)} blocking")
    road.show(author, "review")
    author.press(f"Submit for review ({len(LEFT)} things block it)")
    refusal = author.alert(f"This review cannot be submitted: {len(LEFT)} things block it.")
    expect(refusal).to_contain_text("data.bias: ")
    expect(refusal).to_contain_text("And 2 more.")
    author.badge("in progress")

    text = "How is a rollout undone when something goes wrong?"
    step = author.page.get_by_test_id("stVerticalBlock").filter(has_text=text).last
    author.follow("Go to the question", within=step)
    rollback = author.question(text)
    answer_by_hand(author, rollback, ROLLBACK)
    adding = author.unfold("Add evidence", within=rollback)
    adding.get_by_role("radio", name="Link").click()
    author.fill("Title", "Protocol of the trial", within=adding)
    author.fill("Address", "https://example.org/operations/rollback-trial", within=adding)
    author.press("Attach", within=adding)
    author.sees("1 piece of evidence", within=rollback)
    answer_the_others(road, but=NEVER)
    author.open(f"review?review={road.review}")
    author.sees("Nothing blocks this review.")
    author.fill("Note for the reviewers (optional)", "Ready for independent review.")
    author.press("Submit for review")
    author.badge("submitted")
    author.sees("Waiting for signatures")


def the_author_cannot_sign(road: Road) -> None:
    """The author is a reviewer of other reviews: what forbids the signature is the separation of duties."""
    author = road.who["author"]
    author.follow("Sign")
    author.alert(
        "Author contributed to this review, its model version or its data, and so cannot review or approve it. "
        "Ask somebody who did not."
    )
    expect(author.page.get_by_label("Your password again")).to_have_count(0)
    expect(author.page.get_by_role("button", name="Sign", exact=True)).to_have_count(0)


def the_reviewer_reviews_and_signs(road: Road) -> None:
    """Comments, a finding that is put right and closed, a refused password, a signature."""
    reviewer, author = road.who["reviewer"], road.who["author"]
    reviewer.open("reviews")
    reviewer.follow(f"{MODEL} {VERSION}")
    reviewer.follow("Checklist")
    done = reviewer.question("What does finished mean, and which acceptance tests define it?")
    reviewer.fill("Comment", "I ran the analysis again and got the same numbers.", within=done)
    reviewer.press("Comment", within=done)
    reviewer.sees("I ran the analysis again and got the same numbers.", within=done)

    reviewer.follow("Findings and waivers")
    form = reviewer.unfold("Raise a finding")
    reviewer.fill("What is wrong, in one line", "The form does not say whom to ask", within=form)
    reviewer.fill("In more words", "A refused customer finds no name or number on the letter.", within=form)
    reviewer.choose("Severity", "High", within=form)
    reviewer.choose("Owner", "Author", within=form)
    reviewer.press("Raise", within=form)
    reviewer.badge("open")
    reviewer.follow("Sign")
    reviewer.sees("Finding 1: The form does not say whom to ask")
    sign(reviewer, reason="Everything else is in place.")
    reviewer.alert("The high finding “The form does not say whom to ask” is open.")

    author.open(f"findings?review={road.review}")
    move_on(author, "Remediated", "The letter names the branch and its number.")
    reviewer.open(f"findings?review={road.review}")
    move_on(reviewer, "Closed", "Read the new letter.")

    reviewer.follow("Sign")
    reviewer.sees("high, closed, owner Author")
    reviewer.fill("Reason", REVIEWED)
    road.show(reviewer, "sign")
    sign(reviewer, reason=REVIEWED, password="not my password at all")
    reviewer.alert("The login or the password is wrong.")
    sign(reviewer, reason=REVIEWED)
    reviewer.badge("approve")
    reviewer.sees("Review as reviewer")


def move_on(visitor: Visitor, step: str, reason: str) -> None:
    """Move the finding on."""
    visitor.press("Move it on")
    form = visitor.page.get_by_test_id("stPopoverBody")
    visitor.choose("To", step, within=form)
    visitor.fill("What was done", reason, within=form)
    visitor.press("Save", within=form)
    visitor.badge(step.lower())


def sign(visitor: Visitor, *, reason: str, password: str = PASSWORD) -> None:
    """Fill the form of a signature and press the button."""
    visitor.fill("Reason", reason)
    visitor.page.get_by_label("Your password again").fill(password)
    visitor.press("Sign")


def the_approver_signs_and_seals(road: Road) -> None:
    """The last signature seals the record and opens the gate."""
    approver = road.who["approver"]
    approver.open(f"sign?review={road.review}")
    approver.sees("Approval by somebody with the role approver")
    sign(approver, reason=APPROVED)
    approver.badge("approved")
    approver.follow("Record")
    approver.heading("Sealed")
    approver.sees("I approve this model version for use as described.")
    approver.sees(Digest.of_file(road.files.model))
    approver.press("Ask the gate now")
    approver.badge("allowed")
    road.show(approver, "record")
    approver.open("gate")
    ask_the_gate(road, approver, road.files.model, "Allowed")
    ask_the_gate(road, approver, road.files.retrained, "Not allowed")


def ask_the_gate(road: Road, visitor: Visitor, model: Path, said: str) -> None:
    """Ask for the digest of a file on the page of the gate."""
    visitor.fill("Digest of the model file", Digest.of_file(model))
    visitor.press("Ask")
    visitor.alert(re.compile(rf"^\W*(lock|lock_open)?\s*{said}$"))


def the_record_is_verified_elsewhere(road: Road) -> None:
    """The downloaded zip verifies with the key that the page names, in two ways, and no longer with one bit changed."""
    approver = road.who["approver"]
    approver.open(f"record?review={road.review}")
    told = approver.page.get_by_test_id("stCode").filter(has_text="modelops verify").inner_text()
    named = re.search(r"--trust\s+(sha256:[0-9a-f]{64})", told)
    assert named is not None, told
    trust = named[1]
    with approver.page.expect_download() as download:
        approver.page.get_by_role("link", name="Sealed record (zip)").click()
    bundle = road.folder / download.value.suggested_filename
    download.value.save_as(bundle)

    verified = road.server.command("verify", str(bundle), "--trust", trust, "--model", str(road.files.model))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    with zipfile.ZipFile(bundle) as opened:
        opened.extract("verify.py", road.folder)
    assert verified_alone(road.folder, bundle, trust) == 0

    content = bytearray(bundle.read_bytes())
    content[len(content) // 2] ^= 1
    changed = road.folder / "changed.zip"
    changed.write_bytes(content)
    refused = road.server.command("verify", str(changed), "--trust", trust)
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert verified_alone(road.folder, changed, trust) == 1


def verified_alone(folder: Path, bundle: Path, trust: str) -> int:
    """Run the program that came with the record, apart from this package; return its exit code."""
    command = [sys.executable, "-I", "verify.py", str(bundle), "--key", trust]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=60).returncode


def the_gate_knows_the_signed_bytes(road: Road) -> None:
    """The command line and the API say the same: these bytes, and no others."""
    approver = road.who["approver"]
    approver.open("account")
    approver.fill("What it is for", "Release pipeline")
    approver.press("Make a token")
    approver.alert("Copy it now")
    token = approver.page.get_by_test_id("stCode").first.inner_text().strip()
    for model, is_allowed in ((road.files.model, True), (road.files.retrained, False)):
        asked = road.server.command("gate", "--model", str(model))
        assert asked.returncode == (0 if is_allowed else 1), asked.stdout + asked.stderr
        address = f"{road.server.base}/api/v1/gate/{Digest.of_file(model)}"
        said = httpx.get(address, headers={"Authorization": f"Bearer {token}"})
        assert said.json()["allowed"] is is_allowed


def a_change_closes_the_gate(road: Road) -> None:
    """After the approval an answer is changed with a reason: what was signed is not what stands there now."""
    author = road.who["author"]
    author.open(f"checklist?review={road.review}&question=problem.done&area=problem")
    done = author.question("What does finished mean, and which acceptance tests define it?")
    author.fill("Answer", "ROC AUC at least 0.70.", within=done)
    author.fill("Why does it change?", "The bar was lowered.", within=done)
    author.press("Save", within=done)
    author.sees("Saved.")
    author.follow("Overview")
    author.alert("Approved for an earlier state.")
    author.sees("What differs (1)")
    assert road.server.command("gate", "--model", str(road.files.model)).returncode == 1
