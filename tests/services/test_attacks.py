"""What somebody tries who wants a signature, a seal or an open gate that they should not get."""

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from modelops.analyses.registry import analysis
from modelops.attest.verify import VERIFIED, verify_bundle
from modelops.domain.checklist import Gate
from modelops.domain.columns import ColumnRoles
from modelops.domain.contract import UniqueRule
from modelops.domain.criteria import Criteria
from modelops.domain.digest import Digest
from modelops.domain.gate import GateRule
from modelops.domain.inventory import DatasetRole, RiskTier
from modelops.domain.people import Role
from modelops.domain.review import Decision, FindingState, Severity
from modelops.errors import Conflict, InvalidInput, ModelOpsError, NotAllowed, NotFound
from modelops.services import (
    answers,
    case_records,
    cases,
    contracts,
    criteria,
    decisions,
    evidence,
    exporting,
    files,
    findings,
    gating,
    inventory,
    reviews,
    runs,
)
from modelops.services import people as accounts
from modelops.services.signing import Signing
from modelops.store.tables import (
    AuditRow,
    DatasetRow,
    EvidenceRow,
    ModelRow,
    ReviewDatasetRow,
    ReviewRow,
    RunRow,
    RunState,
    SignOffRow,
    UserRoleRow,
    VersionRow,
)
from tests import behind
from tests.postgresql import SQLITE_ALONE
from tests.services.road import answer, answer_all, opened, read, sign, submitted

MODEL = b"the bytes of the model"
SUMMARY = {"format": "csv", "rows": 3, "columns": [], "roles": {}}


@pytest.fixture
def as_role(store):
    """Give one of the people more roles, in the database and in their session."""

    def give(actor, *roles):
        with store.transaction() as t:
            for role in roles:
                t.add(UserRoleRow(user_id=actor.user_id, role=role))
        return replace(actor, roles=actor.roles | set(roles))

    return give


@pytest.fixture
def add_data(store, now):
    """Add a dataset that needs no sandbox."""

    def add(model_id, actor, content=b"a\n1\n", role=DatasetRole.TEST):
        with store.transaction() as t:
            row = t.add(
                DatasetRow(
                    model_id=model_id,
                    name="Data",
                    role=role,
                    digest=files.keep(store, t, content, at=now),
                    file_name="data.csv",
                    rows=1,
                    summary=SUMMARY,
                    roles={},
                    created_by=actor.user_id,
                    created_at=now,
                )
            )
            t.record(actor, "dataset:add", f"dataset/{row.id}", at=now, digest=row.digest, contributes=True)
        return row

    return add


@pytest.fixture
def give_file(store, now):
    """Give a version a model file; it need not be one that can be opened here."""

    def give(review):
        with store.transaction() as t:
            version = t.get(VersionRow, review.version_id, what="version")
            version.artifact = files.keep(store, t, MODEL, at=now)
        return review

    return give


@pytest.fixture
def approve(store, people, keys, give_file):
    """Take an open review to its seal."""

    def act(review, at):
        give_file(review)
        answer_all(store, review, people, at)
        reviews.submit(store, review.id, actor=people["author"], at=at)
        sign(store, review.id, people["reviewer"], keys, at)
        return sign(store, review.id, people["approver"], keys, at)

    return act


def version_of(store, review):
    with store.reading() as reader:
        version = reader.get(VersionRow, review.version_id, what="version")
        return version, reader.get(ModelRow, version.model_id, what="model")


def ask(store, keys, people, at):
    return gating.ask(store, Digest.of(MODEL), keys=keys, actor=people["auditor"], at=at)


def failed(decision):
    return [check.rule for check in decision.checks if check.outcome == "failed"]


def refused(store):
    with store.reading() as reader:
        return [row.subject for row in reader.all(AuditRow, action="refused")]


def change(store, people, review, at, **values):
    _, model = version_of(store, review)
    said = {
        "purpose": model.purpose,
        "owner_id": model.owner_id,
        "risk_tier": model.risk_tier,
        "business_unit": "",
        "reason": "Correction",
    }
    inventory.change_model(store, model.id, actor=people["author"], at=at, **(said | values))


def raw_signature(store, review, actor, at):
    """Write a signature past the services, as a faulty service would."""
    row = SignOffRow(
        review_id=review.id, submission=1, user_id=actor.user_id, printed_name=actor.name, role="approver",
        meaning="approval", decision="approve", reason="r", statement="s", authentication="password",
        content_digest=Digest.of(b"x"), at=at,
    )  # fmt: skip
    with store.transaction() as t:
        t.add(row)
        t.session.rollback()


# Separation of duties


def test_an_earlier_owner_of_the_model_does_not_sign(store, people, keys, now, as_role):
    owner = as_role(people["owner"], Role.APPROVER, Role.REVIEWER)
    review = opened(store, people, now)
    change(store, people, review, now, owner_id=people["author"].user_id)
    answer_all(store, review, people, now)
    reviews.submit(store, review.id, actor=people["author"], at=now)
    with pytest.raises(NotAllowed, match="contributed"):
        sign(store, review.id, owner, keys, now)


def test_the_database_refuses_an_earlier_owner_too(store, people, now, as_role):
    owner = as_role(people["owner"], Role.APPROVER)
    review = opened(store, people, now)
    change(store, people, review, now, owner_id=people["author"].user_id)
    answer_all(store, review, people, now)
    reviews.submit(store, review.id, actor=people["author"], at=now)
    with pytest.raises(IntegrityError, match="contributor"):
        raw_signature(store, review, owner, now)
    raw_signature(store, review, people["approver"], now)


@pytest.fixture
def kept(store, people, now, keys, as_role):
    """A second review that keeps an answer of the first; its writer had no other part in the second."""
    writer = as_role(people["second_approver"], Role.AUTHOR)
    first = opened(store, people, now)
    question = read(store, first.id, now).blockers[0].subject
    from tests.services.road import MET

    answer(store, first.id, question, MET, actor=writer, at=now)
    answer_all(store, first, people, now)
    reviews.submit(store, first.id, actor=people["author"], at=now)
    sign(store, first.id, people["reviewer"], keys, now, decision=Decision.REJECT)
    second = reviews.open_review(
        store, first.version_id, actor=people["author"], at=now, gate=Gate.PRE_DEPLOYMENT, dataset_ids=()
    )
    answers.keep_earlier(store, second.id, question, actor=people["author"], at=now, seen_revision=0)
    answer_all(store, second, people, now)
    reviews.submit(store, second.id, actor=people["author"], at=now)
    return second, writer


def test_who_gave_an_answer_that_was_kept_does_not_sign(store, keys, now, kept, people):
    second, writer = kept
    sign(store, second.id, people["reviewer"], keys, now)
    with pytest.raises(NotAllowed, match="contributed"):
        sign(store, second.id, writer, keys, now)


def test_the_database_refuses_who_gave_an_answer_that_was_kept(store, now, kept):
    with pytest.raises(IntegrityError, match="contributor"):
        raw_signature(store, *kept, now)


def test_the_data_of_an_attached_run_become_data_of_the_review(store, people, now, as_role, add_data):
    review = opened(store, people, now)
    version, model = version_of(store, review)
    bringer = as_role(people["second_approver"], Role.AUTHOR)
    data = add_data(model.id, bringer)
    question = read(store, review.id, now).blockers[0].subject
    with store.transaction() as t:
        run = t.add(
            RunRow(
                analysis="drift",
                model_id=model.id,
                version_id=version.id,
                data_id=data.id,
                request={},
                policy=review.policy,
                state=RunState.FINISHED,
                requested_by=people["author"].user_id,
                requested_at=now,
                result=files.keep(store, t, b"{}", at=now),
            )
        )
    evidence.attach_run(store, run.id, review.id, question, actor=people["author"], at=now)
    found = read(store, review.id, now)
    assert [row.digest for row in found.content.datasets] == [data.digest]
    assert bringer.user_id in found.contributors


def test_who_puts_a_finding_right_does_not_close_it(store, people, now):
    review = opened(store, people, now)
    me = people["reviewer"]
    said = {"severity": Severity.CRITICAL, "title": "Leak", "text": "", "due": now.date()}
    finding = findings.raise_finding(store, review.id, actor=me, at=now, owner_id=me.user_id, **said)
    findings.move_finding(store, finding.id, FindingState.REMEDIATED, actor=me, at=now, reason="Done")
    with pytest.raises(NotAllowed, match="contributed"):
        findings.move_finding(store, finding.id, FindingState.CLOSED, actor=me, at=now, reason="I said so")


ACTS = {
    "open": lambda s, r, a, at: reviews.open_review(
        s, r.version_id, actor=a, at=at, gate=Gate.PERIODIC, dataset_ids=()
    ),
    "answer": lambda s, r, a, at: answers.answer(
        s, r.id, "x", answers.Answer("met", "", "done"), actor=a, at=at, seen_revision=0
    ),
    "evidence": lambda s, r, a, at: evidence.attach_text(s, r.id, "x", actor=a, at=at, title="t", text="t"),
    "submit": lambda s, r, a, at: reviews.submit(s, r.id, actor=a, at=at),
    "withdraw": lambda s, r, a, at: reviews.withdraw(s, r.id, actor=a, at=at, reason="r"),
    "request changes": lambda s, r, a, at: reviews.request_changes(s, r.id, actor=a, at=at, reason="r"),
    "raise": lambda s, r, a, at: findings.raise_finding(
        s, r.id, actor=a, at=at, severity="low", title="t", text="", owner_id=1, due=at.date()
    ),
    "ask waiver": lambda s, r, a, at: findings.request_waiver(
        s, r.id, actor=a, at=at, reason="r", compensating_control="c", risk_owner_id=99, expires_on=at.date()
    ),
    "decide waiver": lambda s, r, a, at: findings.decide_waiver(s, 1, accept=True, actor=a, at=at, reason="r"),
    "revoke": lambda s, r, a, at: reviews.revoke(s, r.id, actor=a, at=at, reason="r"),
    "run contract": lambda s, r, a, at: contracts.run_contract(s, 1, actor=a, at=at, data_id=1),
    "run": lambda s, r, a, at: runs.request_run(s, "drift", actor=a, at=at, data_id=1),
    "export": lambda s, r, a, at: exporting.export_bundle(s, r.id, None, keys=None, actor=a, at=at),
    "administer": lambda s, r, a, at: accounts.set_name(s, 1, "N", reason="r", actor=a, at=at),
    "write criteria": lambda s, r, a, at: criteria.write_criteria(
        s, r.version_id, Criteria(business="b"), actor=a, at=at, seen_revision=0
    ),
    "freeze criteria": lambda s, r, a, at: criteria.freeze_criteria(s, r.version_id, actor=a, at=at, seen_revision=0),
    "attach criteria": lambda s, r, a, at: criteria.attach_criteria(
        s, r.id, "x", criteria.CriteriaRecord.CRITERIA, actor=a, at=at, reason="r"
    ),
    "choose threshold": lambda s, r, a, at: decisions.choose_threshold(
        s, 1, actor=a, at=at, threshold=0.5, costs=(0, 1, 1, 0), capacity=None, reason="r"
    ),
    "rehearse": lambda s, r, a, at: decisions.rehearse(s, 1, actor=a, at=at),
    "accept drift limits": lambda s, r, a, at: decisions.accept_drift_limits(s, 1, actor=a, at=at, reason="r"),
    "attach decision": lambda s, r, a, at: decisions.attach_decision(s, 1, r.id, "x", actor=a, at=at),
    "begin contract": lambda s, r, a, at: contracts.begin_contract(s, 1, actor=a, at=at, name="Data"),
    "state a check": lambda s, r, a, at: contracts.put_check(
        s, 1, UniqueRule(column="case"), why="w", actor=a, at=at, seen=1
    ),
    "accept a check": lambda s, r, a, at: contracts.accept_checks(s, 1, ["case: unique"], actor=a, at=at, seen=2),
    "remove a check": lambda s, r, a, at: contracts.remove_check(
        s, 1, "case: unique", actor=a, at=at, seen=2, reason="r"
    ),
    "publish contract": lambda s, r, a, at: contracts.publish(s, 1, actor=a, at=at, seen=2, reason="r"),
    "attach contract": lambda s, r, a, at: contracts.attach_contract(s, r.id, "x", actor=a, at=at),
    "read a case": lambda s, r, a, at: cases.read_case(s, 1, 1, actor=a, at=at, verdict="model error", note="n"),
    "settle a case": lambda s, r, a, at: cases.settle_case(s, 1, 1, actor=a, at=at, verdict="model error", note="n"),
    "attach readings": lambda s, r, a, at: case_records.attach_readings(s, 1, r.id, "x", actor=a, at=at),
}
AUTHORS, SIGNERS = {"author"}, {"reviewer", "approver"}
ALLOWED = {  # everything else is for authors
    "request changes": SIGNERS,
    "raise": SIGNERS,
    "decide waiver": {"approver"},
    "revoke": SIGNERS,
    "run": {"author", "reviewer"},
    "run contract": {"author", "reviewer"},
    "export": {"author", *SIGNERS, "auditor", "administrator"},
    "administer": {"administrator"},
    "rehearse": {"author", "reviewer"},
    "read a case": {"author", *SIGNERS},
    "settle a case": {"author", *SIGNERS},
}


@pytest.mark.parametrize("act", ACTS)
def test_every_act_is_for_its_roles_alone_and_a_refusal_leaves_a_trace(store, people, now, act):
    review = opened(store, people, now)
    refusals = 0
    for who in ("author", "reviewer", "approver", "auditor", "administrator"):
        try:
            ACTS[act](store, review, people[who], now)
            was_allowed = True
        except NotAllowed as refusal:
            was_allowed = not (refusal.rule or "").startswith("right:")
            refusals += 1
        except (ModelOpsError, AttributeError):
            was_allowed = True
        assert was_allowed == (who in ALLOWED.get(act, AUTHORS)), who
    assert len(refused(store)) == refusals


# Content that moves between signatures


def test_the_purpose_of_a_model_stands_still_while_a_review_is_submitted(store, people, now):
    review = submitted(store, people, now)
    with pytest.raises(Conflict, match="stands still"):
        change(store, people, review, now, purpose="Something else")


def test_a_lower_risk_tier_does_not_save_signatures(store, people, now):
    review = submitted(store, people, now, tier=RiskTier.HIGH)
    with pytest.raises(Conflict, match="stands still"):
        change(store, people, review, now, risk_tier=RiskTier.LOW)


def test_signatures_on_different_contents_are_never_joined(store, people, keys, now):
    review = submitted(store, people, now)
    sign(store, review.id, people["reviewer"], keys, now)
    with store.transaction() as t:
        version = t.get(VersionRow, review.version_id, what="version")
        t.get(ModelRow, version.model_id, what="model").purpose = "Changed behind the services"
    with pytest.raises(Conflict, match="changed after Reviewer signed"):
        sign(store, review.id, people["approver"], keys, now)


def test_somebody_who_is_renamed_changes_nothing_that_was_signed(store, people, now):
    review = opened(store, people, now)
    said = {"severity": Severity.LOW, "title": "Typo", "text": "", "due": now.date()}
    owner = people["author"].user_id
    findings.raise_finding(store, review.id, actor=people["reviewer"], at=now, owner_id=owner, **said)
    before = read(store, review.id, now).digest
    later = now + timedelta(days=1)
    accounts.set_name(store, owner, "A New Name", reason="Marriage", actor=people["administrator"], at=later)
    assert read(store, review.id, later).digest == before


def test_a_signature_of_an_earlier_submission_is_a_conflict(store, people, keys, now):
    review = submitted(store, people, now)
    seen = read(store, review.id, now)
    rule = seen.missing[0]
    given = Signing(rule.role, rule.meaning, Decision.APPROVE, "Checked", seen.digest)

    def meanwhile():
        reviews.request_changes(store, review.id, actor=people["approver"], at=now, reason="r")
        reviews.submit(store, review.id, actor=people["author"], at=now)
        from modelops.domain.people import Authentication

        return Authentication.PASSWORD

    from modelops.services.signing import sign_off

    with pytest.raises(Conflict, match="anew"):
        sign_off(store, review.id, given, actor=people["reviewer"], authenticate=meanwhile, keys=keys, at=now)


# The gate


def test_the_gate_notices_a_change_of_one_of_two_datasets_with_the_same_bytes(
    store, people, keys, now, add_data, approve
):
    review = opened(store, people, now)
    _, model = version_of(store, review)
    first, second = (add_data(model.id, people["author"]) for _ in range(2))
    for data in (first, second):
        reviews.use_dataset(store, review.id, data.id, actor=people["author"], at=now)
    approve(review, now)
    with store.transaction() as t:
        t.get(DatasetRow, first.id, what="dataset").positive = "0"
    assert failed(ask(store, keys, people, now)) == [GateRule.UNCHANGED]


def test_an_old_approval_that_ends_does_not_hide_a_newer_one(store, people, keys, now, approve):
    review = opened(store, people, now)
    first = approve(review, now)
    later = now + timedelta(days=30)
    second = reviews.open_review(
        store, review.version_id, actor=people["author"], at=later, gate=Gate.PERIODIC, dataset_ids=()
    )
    approve(second, later)
    with store.reading() as reader:
        end = reader.get(ReviewRow, first.id, what="review").valid_until
    reviews.expire(store, at=end)
    decision = ask(store, keys, people, end)
    assert (decision.allowed, decision.review_id) == (True, str(second.id)), decision.reasons


def test_an_approval_that_was_taken_back_is_not_set_back_behind_the_trail(store, people, keys, now, approve):
    review = approve(opened(store, people, now), now)
    reviews.revoke(store, review.id, actor=people["reviewer"], at=now, reason="A fault was found")
    behind.drop_trigger(store, "review_step", table="review")
    behind.run(store, "UPDATE review SET state = 'approved'")
    assert GateRule.SEALED in failed(ask(store, keys, people, now))


def test_a_waiver_that_was_over_before_the_approval_does_not_close_the_gate(store, people, keys, now, approve):
    review = opened(store, people, now)
    question = read(store, review.id, now).blockers[0].subject
    waiver = findings.request_waiver(
        store,
        review.id,
        actor=people["author"],
        at=now,
        reason="r",
        compensating_control="c",
        risk_owner_id=people["owner"].user_id,
        expires_on=now.date() + timedelta(days=1),
        question_id=question,
    )
    findings.decide_waiver(store, waiver.id, accept=True, actor=people["approver"], at=now, reason="r")
    later = now + timedelta(days=5)
    approve(review, later)
    decision = ask(store, keys, people, later)
    assert decision.allowed, decision.reasons


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE review SET valid_until = '2099-01-01 00:00:00.000000'",
        "UPDATE answer SET text = 'Better words'",
        "UPDATE model SET purpose = 'Anything at all'",
    ],
)
def test_rows_edited_behind_our_back_prolong_and_change_nothing(store, people, keys, now, approve, sql):
    review = approve(opened(store, people, now), now)
    behind.run(store, sql)
    at = review.valid_until if "valid_until" in sql else now
    assert not ask(store, keys, people, at).allowed


# Raw SQL


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM review_dataset",
        "UPDATE review_dataset SET review_id = review_id",
        "INSERT INTO review_dataset SELECT 1, id FROM dataset WHERE id NOT IN (SELECT dataset_id FROM review_dataset)",
        "DELETE FROM finding",
        "DELETE FROM waiver",
        "DELETE FROM comment",
        "DELETE FROM dataset WHERE id = 2",
        "UPDATE dataset SET digest = 'sha256:0'",
        "UPDATE model_version SET artifact = NULL",
        "UPDATE review SET submission = 0",
        "UPDATE review SET policy = 'sha256:0'",
        "UPDATE review SET state = 'in progress'",
        "UPDATE answer SET text = 'x'",
        pytest.param("INSERT OR REPLACE INTO answer SELECT * FROM answer LIMIT 1", marks=SQLITE_ALONE),
        "DELETE FROM evidence",
        "UPDATE audit SET contributes = FALSE",
        "DELETE FROM sign_off",
        "UPDATE sign_off SET decision = 'approve'",
    ],
)
def test_the_database_itself_refuses_to_move_what_was_submitted(store, people, keys, now, add_data, give_file, sql):
    review = give_file(opened(store, people, now))
    _, model = version_of(store, review)
    data = add_data(model.id, people["author"])
    add_data(model.id, people["author"], b"another")
    reviews.use_dataset(store, review.id, data.id, actor=people["author"], at=now)
    answers.comment(store, review.id, "Good", actor=people["reviewer"], at=now)
    said = {"severity": Severity.LOW, "title": "Typo", "text": "", "due": now.date()}
    owner = people["owner"].user_id
    finding = findings.raise_finding(store, review.id, actor=people["reviewer"], at=now, owner_id=owner, **said)
    asked = {"reason": "r", "compensating_control": "c", "expires_on": now.date() + timedelta(days=9)}
    author = people["author"]
    findings.request_waiver(store, review.id, actor=author, at=now, risk_owner_id=owner, finding_id=finding.id, **asked)
    answer_all(store, review, people, now)
    reviews.submit(store, review.id, actor=people["author"], at=now)
    sign(store, review.id, people["reviewer"], keys, now)
    with pytest.raises(IntegrityError) as refusal:
        behind.run(store, sql)
    assert "foreign key" not in str(refusal.value).lower()


# Runs, files, texts


def test_a_run_is_not_made_for_the_review_of_another_model(store, people, now, add_data):
    review = opened(store, people, now)
    said = {"purpose": "p", "owner_id": people["owner"].user_id, "risk_tier": RiskTier.LOW}
    other = inventory.register_model(store, actor=people["author"], at=now, name="Other", **said)
    data, reference = add_data(other.id, people["author"]), add_data(other.id, people["author"])
    with pytest.raises(InvalidInput, match="another model"):
        runs.request_run(
            store,
            "drift",
            actor=people["author"],
            at=now,
            data_id=data.id,
            reference_id=reference.id,
            review_id=review.id,
        )


def test_a_number_that_no_database_knows_names_nothing(store):
    with store.reading() as reader, pytest.raises(NotFound):
        reader.get(ReviewRow, 10**40, what="review")


def test_hidden_characters_of_a_reason_do_not_reach_the_trail(store, people, now):
    review = submitted(store, people, now)
    reviews.request_changes(store, review.id, actor=people["approver"], at=now, reason="r")
    with store.reading() as reader:
        question = reader.all(EvidenceRow, review_id=review.id)[0].question_id
    said = answers.Answer("met", "New", "done")
    answer(store, review.id, question, said, actor=people["author"], at=now, reason="a\u202eb\x00c")
    with store.reading() as reader:
        assert '"reason":"abc"' in reader.all(AuditRow, action="answer:change")[-1].body


def test_a_reason_as_long_as_a_book_is_refused(store, people, now):
    review = opened(store, people, now)
    question = read(store, review.id, now).blockers[0].subject
    said = answers.Answer("met", "New", "done")
    with pytest.raises(InvalidInput, match="20,000"):
        answer(store, review.id, question, said, actor=people["author"], at=now, reason="x" * (1 << 20))


def test_the_records_are_for_the_app_s_user_alone(tmp_path):
    from modelops.store import Store

    home = tmp_path / "home"
    store = Store.open(f"sqlite:///{home / 'modelops.sqlite3'}", str(home / "blobs"))
    with store.transaction():
        open_to_others = [path.name for path in home.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077]
    store.close()
    assert open_to_others == []
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_file_whose_row_is_about_to_be_written_is_not_swept_away(store):
    digest = store.blobs.add(b"just arrived")
    files.sweep(store, at=datetime.now(UTC))
    assert store.blobs.holds(digest)


def test_an_old_file_without_a_row_is_swept_away(store):
    digest = store.blobs.add(b"left by a crash")
    files.sweep(store, at=datetime.now(UTC) + timedelta(hours=2))
    assert not store.blobs.holds(digest)


def test_what_a_crash_left_half_received_is_removed(store, tmp_path):
    left = tmp_path / "blobs" / "incoming" / "half"
    left.write_bytes(b"half")
    files.sweep(store, at=datetime.now(UTC) + timedelta(hours=2))
    assert not left.exists()


def test_no_more_uploads_are_opened_at_once_than_there_are_sandboxes(store, people, now, monkeypatch, tmp_path):
    review = opened(store, people, now)
    _, model = version_of(store, review)
    monkeypatch.setattr(inventory, "_PATIENCE_SECONDS", 0.05)
    with inventory._a_free_sandbox(), inventory._a_free_sandbox(), store.blobs.stage() as staged:
        staged.add(b"a\n1\n")
        said = {"name": "D", "role": DatasetRole.TEST, "staged": staged, "file_name": "d.csv"}
        with pytest.raises(Conflict, match="Too many files"):
            inventory.add_dataset(store, model.id, actor=people["author"], at=now, **said)
    assert list((tmp_path / "blobs" / "incoming").iterdir()) == []


def test_a_new_password_makes_the_tokens_of_the_old_one_useless(store, people, now):
    from modelops.services import tokens

    made = tokens.create_token(store, name="ci", days=9, actor=people["author"], at=now)
    who = people["author"].user_id
    accounts.reset_password(store, who, reason="stolen", actor=people["administrator"], at=now)
    with store.reading() as reader:
        assert [row.revoked_at is not None for row in tokens.tokens_of(reader, who)] == [True]
    assert made.token_id


def test_a_record_full_of_hostile_texts_still_verifies(store, people, keys, now, approve, tmp_path):
    hostile = "</script><img src=x onerror=alert(1)>\u202e{{7*7}}=cmd|' /C calc'!A0\x00"
    review = opened(store, people, now)
    change(store, people, review, now, purpose=hostile)
    question = read(store, review.id, now).blockers[0].subject
    said = answers.Answer("met", hostile, "done")
    answer(store, review.id, question, said, actor=people["author"], at=now)
    evidence.attach_text(store, review.id, question, actor=people["author"], at=now, title=hostile, text=hostile)
    with store.blobs.stage() as staged:
        staged.add(b"<script>alert(1)</script>")
        name = "../../etc/passwd\x00<b>.html"
        evidence.attach_file(store, review.id, question, actor=people["author"], at=now, staged=staged, file_name=name)
    sealed = approve(review, now)
    path = tmp_path / "r.zip"
    exporting.export_bundle(store, sealed.id, path, keys=keys, actor=people["auditor"], at=now)
    assert verify_bundle(path, trust=keys.ring.trusted).outcome == VERIFIED


def test_hostile_texts_are_text_in_the_report(store, people, keys, now):
    from modelops.services.reporting import current_report

    review = opened(store, people, now)
    change(store, people, review, now, purpose="<img src=x onerror=alert(1)>")
    assert "<img src=x" not in current_report(store, review.id, actor=people["auditor"], at=now)


def test_column_roles_of_a_dataset_stand_still_while_a_review_is_submitted(store, people, now, add_data):
    review = opened(store, people, now)
    _, model = version_of(store, review)
    data = add_data(model.id, people["author"])
    reviews.use_dataset(store, review.id, data.id, actor=people["author"], at=now)
    answer_all(store, review, people, now)
    reviews.submit(store, review.id, actor=people["author"], at=now)
    with pytest.raises(Conflict, match="submitted"):
        inventory.correct_columns(
            store, data.id, actor=people["author"], at=now, roles=ColumnRoles(), task=None, positive="1"
        )


def test_a_dataset_is_not_slipped_under_a_submitted_review(store, people, now, add_data):
    review = submitted(store, people, now)
    _, model = version_of(store, review)
    data = add_data(model.id, people["author"])
    with pytest.raises(IntegrityError, match="closed"), store.transaction() as t:
        t.add(ReviewDatasetRow(review_id=review.id, dataset_id=data.id))


# What is asked of an analysis


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("what_if", {"rules": ["a" * 2_001]}),
        ("what_if", {"changes": ["a = 1"] * 201}),
        ("representativeness", {"shares": [":" * 1_000 + "=" * 1_001]}),
        ("data_quality", {"missing_values": ["-"] * 2_001}),
        ("data_contract", {"contract": "[" * 100_000}),
        ("data_contract", {"contract": " " * 2_000_001}),
        ("performance", {"no_such": 1}),
    ],
)
def test_parameters_that_never_end_are_refused_before_a_run_is_queued(key, given):
    with pytest.raises(InvalidInput, match="parameters of"):
        runs.check_parameters(analysis(key), given)
