"""The audit trail with names: read beside it, in few questions, and never written into it."""

from __future__ import annotations

import ast
import csv
import io
import json
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event

from modelops.domain.decision import DecisionKind
from modelops.domain.digest import Digest
from modelops.domain.inventory import RiskTier
from modelops.domain.people import SYSTEM
from modelops.domain.review import ReviewState
from modelops.errors import NotAllowed
from modelops.services import files, gating, inventory, trail
from modelops.services import people as accounts
from modelops.services.named_trail import named_entries
from modelops.settings import ROOT
from modelops.store.queries_audit import AuditFilter, actors, page, verify
from modelops.store.tables import AuditRow, VersionRow
from modelops.ui.acts import ACTS, KINDS
from tests.conftest import NOW
from tests.services.road import opened
from tests.store.road_store import approved_with_a_run

BOM = "\ufeff"
FILE = b"the file of the model"


def written(store, subject: str, **values):
    """Add an entry about something, and return it with its names."""
    with store.transaction() as t:
        row = t.record(SYSTEM, "test:write", subject, at=NOW, **values)
        return named_entries(t, [row])[0]


@pytest.fixture
def road(store, people, keys, now):
    """A store in which a review was opened, answered, signed and sealed, with a run on a dataset."""
    return approved_with_a_run(store, people, keys, now)


def of(store, **wanted):
    with store.reading() as reader:
        return named_entries(reader, page(reader, AuditFilter(**wanted), limit=1_000))


@contextmanager
def counted(store):
    """Count what the database is asked."""
    asked: list[str] = []

    def note(connection, cursor, statement, *rest):
        asked.append(statement)

    event.listen(store._engine, "before_cursor_execute", note)
    yield asked
    event.remove(store._engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("model/1", "model Credit default"),
        ("version/1", "version 1.0 of Credit default"),
        ("dataset/1", "dataset Holdout of Credit default"),
        ("run/1", "Performance of Credit default 1.0 on Holdout (run 1)"),
        ("review/1", "pre-deployment review (round 1) of Credit default 1.0"),
        (
            "review/1/question/problem.done",
            "question problem.done in the pre-deployment review (round 1) of Credit default 1.0",
        ),
        (
            "review/1/run/1",
            "Performance on Holdout (run 1) in the pre-deployment review (round 1) of Credit default 1.0",
        ),
        ("user/0", "an unknown login"),
        ("audit", "the audit trail"),
        ("model/0", "a new model"),
    ],
)
def test_a_subject_is_called_by_the_name_of_what_it_is(store, road, subject, words):
    assert written(store, subject).thing.words == words


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("version/999", "version 999, which is not in this store"),
        ("run/999", "analysis run 999, which is not in this store"),
        ("dataset/99999999999999999999", "dataset 99999999999999999999, which is not in this store"),
        ("gate/aaaaaaaaaaaa", "file aaaaaaaaaaaa, which no version is registered with"),
        ("key/aaaaaaaaaaaa", "signing key aaaaaaaaaaaa"),
        ("policy/aaaaaaaaaaaa", "policy aaaaaaaaaaaa, which is not in this store"),
        ("thing", "thing"),
    ],
)
def test_a_subject_without_a_name_stays_readable(store, road, subject, words):
    assert written(store, subject).thing.words == words


def test_what_is_published_is_called_by_name_and_version(store, road):
    found = {one.entry.action: one.thing.words for one in of(store) if one.entry.action.endswith(":publish")}
    assert found == {"template:publish": "checklist readiness 1.0", "policy:publish": "policy default 3"}


def test_a_question_to_the_gate_names_the_versions_that_have_the_file(store, road, people, now, keys):
    with store.transaction() as t:
        t.get(VersionRow, 1, what="version").artifact = files.keep(store, t, FILE, at=now)
    gating.ask(store, Digest.of(FILE), keys=keys, actor=people["author"], at=now)
    (asked,) = of(store, action="gate:ask")
    assert asked.thing.words == f"file {Digest.of(FILE).short} (Credit default 1.0)"
    assert asked in of(store, model_id=1)


def test_numbers_in_values_are_called_by_name(store, road):
    (registered,) = of(store, action="model:register")
    assert ("owner", None, "Owner") in [(one.what, one.old, one.new) for one in registered.changes]
    assert registered.names["user/" + str(registered.entry.new["owner_id"])] == "Owner"
    (asked,) = of(store, action="run:request")
    said = {one.what: one.new for one in asked.changes}
    assert (said["version"], said["data"]) == ("1.0", "Holdout")


def test_only_what_differs_is_said_of_a_change(store, road):
    before = {"roles": {"target": "a", "score": "s"}, "task": None}
    after = {"roles": {"target": "b", "score": "s"}, "task": None}
    one = written(store, "dataset/1", old=before, new=after)
    assert [(change.what, change.old, change.new) for change in one.changes] == [("roles target", "a", "b")]


def test_the_printed_name_is_that_of_then_and_the_one_of_now_stands_beside_it(store, road, people, now):
    by = people["administrator"]
    accounts.set_name(store, people["author"].user_id, "New Name", reason="Married.", actor=by, at=now)
    entries = of(store, actor_id=people["author"].user_id)
    assert {(one.entry.actor_name, one.actor_now) for one in entries} == {("Author", "New Name")}


def test_names_cost_as_many_questions_for_many_entries_as_for_few(store, road):
    with store.reading() as reader:
        rows = page(reader, AuditFilter(), limit=1_000)
    with counted(store) as all_of_them, store.reading() as reader:
        named_entries(reader, rows)
    with counted(store) as once_more, store.reading() as reader:
        named_entries(reader, [*rows, *rows, *rows])
    assert len(rows) > 100
    assert len(all_of_them) == len(once_more) <= 12


def test_names_leave_the_chain_as_it_is(store, road, people, keys, now):
    with store.reading() as reader:
        before = {row.sequence: row.body for row in reader.all(AuditRow)}
    trail.export_json(store, AuditFilter(), actor=people["auditor"], at=now)
    with store.reading() as reader:
        assert verify(reader) is None
        assert {row.sequence: row.body for row in reader.all(AuditRow) if row.sequence in before} == before


def test_entries_of_one_person_are_found(store, road, people):
    number = people["reviewer"].user_id
    assert {one.entry.actor_id for one in of(store, actor_id=number)} == {number}


def test_entries_without_an_account_are_told_apart_by_name(store, road):
    with store.reading() as reader:
        known = [name for number, name in actors(reader) if number == 0]
    assert "ModelOps" in known
    assert {one.entry.actor_name for one in of(store, actor_id=0, actor_name="ModelOps")} == {"ModelOps"}


def test_a_kind_of_acts_is_found(store, road):
    kind = {one.entry.action for one in of(store, action="review:")}
    assert {"review:open", "review:submit", "review:sign_off", "review:seal"} <= kind
    assert {action.partition(":")[0] for action in kind} == {"review"}


def test_a_kind_has_its_act_without_a_colon(store, people, now):
    with store.transaction() as t:
        for action in ("login", "login:failed", "loginx"):
            t.record(SYSTEM, action, "user/0", at=now)
    assert {one.entry.action for one in of(store, action="login:")} == {"login", "login:failed"}
    assert {one.entry.action for one in of(store, action="login")} == {"login"}


def test_entries_about_a_model_and_all_that_belongs_to_it_are_found(store, road, people, now):
    author = people["author"]
    other = inventory.register_model(
        store, actor=author, at=now, name="Churn", purpose="Who leaves?", owner_id=author.user_id,
        risk_tier=RiskTier.LOW,
    )  # fmt: skip
    mine = {one.entry.subject.partition("/")[0] for one in of(store, model_id=1)}
    assert mine == {"model", "version", "dataset", "review", "run"}
    questions = [one for one in of(store, model_id=1) if "/question/" in one.entry.subject]
    assert len(questions) >= 50
    assert [one.entry.subject for one in of(store, model_id=other.id)] == [f"model/{other.id}"]


def test_a_model_does_not_get_the_entries_of_a_review_whose_number_begins_like_its_own(store, road, now):
    with store.transaction() as t:
        t.record(SYSTEM, "test:write", "review/11/question/problem.done", at=now)
        t.record(SYSTEM, "test:write", "review/11", at=now)
    assert not [one for one in of(store, model_id=1) if one.entry.action == "test:write"]


def test_entries_of_some_days_are_found(store, people, now):
    with store.transaction() as t:
        for days in range(4):
            t.record(SYSTEM, "test:write", f"thing/{days}", at=now + timedelta(days=days))
    found = of(store, since=now + timedelta(days=1), until=now + timedelta(days=3))
    assert [one.entry.subject for one in found] == ["thing/2", "thing/1"]


def test_the_csv_has_numbers_and_names(store, road, people, now):
    raw = trail.export_csv(store, AuditFilter(action="run:request"), actor=people["auditor"], at=now)
    (line,) = csv.DictReader(io.StringIO(raw.decode().removeprefix(BOM)))
    assert (line["subject"], line["model_id"], line["model_name"]) == ("run/1", "1", "Credit default")
    assert line["subject_name"] == "Performance of Credit default 1.0 on Holdout (run 1)"
    assert (line["actor_id"], line["actor_name"]) == (str(people["author"].user_id), "Author")
    assert json.loads(line["names"])["dataset/1"] == "Holdout"
    assert json.loads(line["new"])["data_id"] == 1


def test_the_json_says_what_the_csv_says(store, road, people, now):
    wanted = AuditFilter(subject="review/1")
    raw = trail.export_csv(store, wanted, actor=people["auditor"], at=now)
    lines = list(csv.DictReader(io.StringIO(raw.decode().removeprefix(BOM))))
    objects = json.loads(trail.export_json(store, wanted, actor=people["auditor"], at=now))
    assert [list(one) for one in objects] == [list(line) for line in lines]
    assert [one["subject_name"] for one in objects] == [line["subject_name"] for line in lines]
    assert [one["sequence"] for one in objects] == sorted(one["sequence"] for one in objects)


def test_a_name_in_the_csv_is_no_formula(store, people, now):
    opened(store, people, now)
    with store.transaction() as t:
        t.get(VersionRow, 1, what="version").label = "1.0"
        t.record(SYSTEM, "test:write", "=1+1", at=now)
    raw = trail.export_csv(store, AuditFilter(action="test:write"), actor=people["auditor"], at=now)
    (line,) = csv.DictReader(io.StringIO(raw.decode().removeprefix(BOM)))
    assert line["subject_name"] == line["subject"] == "'=1+1"


@pytest.mark.parametrize("export", [trail.export_csv, trail.export_json])
def test_an_export_is_an_entry_and_needs_the_right(store, people, now, export):
    export(store, AuditFilter(), actor=people["auditor"], at=now)
    (entry,) = of(store, action="audit:export")
    assert entry.entry.actor_name == "Auditor"
    with pytest.raises(NotAllowed):
        export(store, AuditFilter(), actor=people["author"], at=now)


def recorded_actions() -> set[str]:
    """Return every action that the program writes out, read from its calls of ``record``."""
    found = set()
    for path in (ROOT / "modelops").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "record":
                name = node.args[1] if len(node.args) > 2 else None
                branches = [name.body, name.orelse] if isinstance(name, ast.IfExp) else [name]
                found |= {part.value for part in branches if isinstance(part, ast.Constant)}
    return found


def test_every_act_that_is_recorded_has_words():
    put_together = {
        *(f"decision:{kind.replace(' ', '_')}" for kind in DecisionKind),
        *(
            f"review:{state.replace(' ', '_')}"
            for state in set(ReviewState) - {ReviewState.DRAFT, ReviewState.IN_PROGRESS, ReviewState.SUBMITTED}
        ),
        *(f"contract:{what}" for what in ("begin", "learn", "add", "change", "remove", "accept", "publish")),
        *("answer:keep", "case:attach", "login:throttled", "review:sign_off", "review:seal", "refused", "run:stopped"),
    }
    recorded = recorded_actions() | put_together
    assert len(recorded) > 50
    assert recorded - set(ACTS) == set()
    assert {action.partition(":")[0] for action in ACTS} == set(KINDS)
