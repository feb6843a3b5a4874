"""Loading the example into a real store, with real analyses in the real sandbox."""

from datetime import UTC, datetime

import pytest

from modelops.attest.verify import VERIFIED, verify_bundle
from modelops.demo import workspace
from modelops.demo.cast import ACCOUNTS
from modelops.domain.people import Right
from modelops.domain.review import FindingState, ReviewState, WaiverState
from modelops.errors import Conflict, NotAllowed, WorkerFailed
from modelops.services import exporting, gating, inventory, keyring, runs, sessions, trail
from modelops.services.standing import standing
from modelops.store.tables import (
    AttestationRow,
    AuditRow,
    DatasetRow,
    FindingRow,
    ModelRow,
    ReviewRow,
    RunRow,
    SignOffRow,
    UserRow,
    VersionRow,
    WaiverRow,
)


@pytest.fixture
def keys(store, tmp_path, now):
    return keyring.open_keys(tmp_path / "keys", store, at=now)


@pytest.fixture
def administrator(people):
    return people["administrator"]


def silent(fraction: float, text: str) -> None:
    del fraction, text


@pytest.mark.timeout(600)
def test_the_example_is_one_sealed_model_one_in_review_and_one_begun(fresh_store, founded, founder, tmp_path):
    keys = keyring.open_keys(tmp_path / "keys", fresh_store, at=datetime.now(UTC))
    told = []
    accounts = workspace.load(
        fresh_store, keys, actor=founder, at=datetime.now(UTC), progress=lambda share, text: told.append((share, text))
    )

    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert told[-1][0] == 1.0
    assert [account.login for account in accounts] == [login for login, _, _ in ACCOUNTS]
    for account in accounts:
        session = sessions.log_in(
            fresh_store, account.login, account.password, origin="127.0.0.1", at=datetime.now(UTC)
        )
        assert session.must_change_password

    with fresh_store.reading() as reader:
        models = reader.all(ModelRow)
        names = [model.name for model in models]
        assert names == ["Consumer credit default", "Credit line increase", "Instalment loan pricing"]
        formats = [row.summary and row.summary["format"] for row in reader.all(VersionRow)]
        assert formats == ["skops", "xgboost_json", "lightgbm", None]
        artifacts = [row.artifact for row in reader.all(VersionRow) if row.artifact]
        assert len(reader.all(DatasetRow)) == 12

        done, in_review, begun = reader.all(ReviewRow)
        states = [review.state for review in (done, in_review, begun)]
        assert states == [ReviewState.APPROVED, ReviewState.SUBMITTED, ReviewState.IN_PROGRESS]
        assert done.submission == 2
        signatures = [(row.printed_name, str(row.meaning), str(row.authentication)) for row in reader.all(SignOffRow)]
        assert signatures == [
            ("Reviewer", "review", "password"),
            ("Approver", "approval", "password"),
            ("Second approver", "responsibility", "password"),
        ]
        assert [row.review_id for row in reader.all(AttestationRow)] == [done.id]
        assert [row.state for row in reader.all(WaiverRow)] == [WaiverState.ACCEPTED]

        now = standing(reader, done, at=datetime.now(UTC))
        assert now.blockers == ()
        assert now.digest == done.content_digest
        waiting = standing(reader, in_review, at=datetime.now(UTC))
        assert [blocker.subject for blocker in waiting.blockers] == ["finding 2"]
        findings = [(row.review_id, row.state) for row in reader.all(FindingRow)]
        assert findings == [(done.id, FindingState.CLOSED), (in_review.id, FindingState.OPEN)]
        assert standing(reader, begun, at=datetime.now(UTC)).readiness.settled <= 2

        verdicts = {(row.analysis, row.review_id, row.data_id): row.verdict for row in reader.all(RunRow)}
        assert sorted(verdict for (key, *_), verdict in verdicts.items() if key == "drift") == ["failed", "passed"]
        fairness = next(row for row in reader.all(RunRow) if row.analysis == "fairness")
        failed = {
            str(verdict.scope.get("group"))
            for verdict in runs.read_result(fresh_store, fairness.result).verdicts
            if verdict.verdict == "failed"
        }
        assert any("gender" in scope for scope in failed)
        leakage = next(row for row in reader.all(RunRow) if row.analysis == "leakage" and row.review_id == in_review.id)
        assert "collection_calls" in leakage.summary
        assert leakage.verdict == "failed"
        assert all(founded <= row.at <= datetime.now(UTC) for row in reader.all(AuditRow))

    trail.verify_trail(fresh_store, keys)
    bundle = tmp_path / "bundle.zip"
    exporting.export_bundle(fresh_store, done.id, bundle, keys=keys, actor=founder, at=datetime.now(UTC))
    assert verify_bundle(bundle, trust=keys.ring.trusted).outcome == VERIFIED
    opens = [
        gating.ask(fresh_store, digest, keys=keys, actor=founder, at=datetime.now(UTC)).allowed for digest in artifacts
    ]
    assert opens == [True, False, False]
    with pytest.raises(Conflict, match="has models already"):
        workspace.load(fresh_store, keys, actor=founder, at=datetime.now(UTC), progress=silent)


def test_only_an_administrator_loads_the_example(store, people, keys, now):
    with pytest.raises(NotAllowed, match="administrator"):
        workspace.load(store, keys, actor=people["author"], at=now, progress=silent)


def test_a_store_with_models_is_refused(store, people, keys, administrator, now):
    owner = people["owner"]
    inventory.register_model(
        store, actor=owner, at=now, name="Real", purpose="Work", owner_id=owner.user_id, risk_tier="low"
    )
    with pytest.raises(Conflict, match="MODELOPS_HOME"):
        workspace.load(store, keys, actor=administrator, at=now, progress=silent)


def test_taken_logins_are_refused_before_anything_is_made(store, keys, administrator, now):
    assert Right.ADMINISTER in administrator.rights
    with pytest.raises(Conflict, match=r"login owner, author, reviewer, approver, auditor is taken"):
        workspace.load(store, keys, actor=administrator, at=now, progress=silent)
    with store.reading() as reader:
        assert reader.first(UserRow, login="second.approver") is None


def test_a_training_that_fails_says_that_nothing_was_loaded(tmp_path):
    blocked = tmp_path / "a file, not a folder"
    blocked.write_text("")
    with pytest.raises(WorkerFailed, match="nothing was loaded"):
        workspace.train(blocked)
