"""The sealed record: exported, verified offline, and what the gate makes of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from modelops.attest.verify import FAILED, VERIFIED, verify_bundle
from modelops.domain.digest import Digest
from modelops.domain.gate import GateRule
from modelops.errors import Conflict, VerificationFailed
from modelops.services import exporting, gating, reviews, trail
from modelops.store.tables import VersionRow
from tests import behind
from tests.services.road import MET, answer, opened, sign, submitted

MODEL = b"the bytes of the model"


def ask(store, keys, people, at, content=MODEL):
    return gating.ask(store, Digest.of(content), keys=keys, actor=people["auditor"], at=at)


@pytest.fixture
def with_file(store, people, now, monkeypatch):
    """Give every version that is registered a model file; it need not be one that can be opened here."""

    def give(review):
        with store.transaction() as t:
            from modelops.services import files

            version = t.get(VersionRow, review.version_id, what="version")
            version.artifact = files.keep(store, t, MODEL, at=now)
        return review

    return give


@pytest.fixture
def approved(store, people, keys, now, with_file):
    from modelops.services import reviews as acts
    from tests.services.road import answer_all

    review = with_file(opened(store, people, now))
    answer_all(store, review, people, now)
    acts.submit(store, review.id, actor=people["author"], at=now)
    sign(store, review.id, people["reviewer"], keys, now)
    return sign(store, review.id, people["approver"], keys, now)


def failed(decision) -> list[GateRule]:
    return [check.rule for check in decision.checks if check.outcome == "failed"]


def test_the_exported_record_verifies_against_a_pinned_key(store, people, keys, now, approved, tmp_path):
    exporting.export_bundle(store, approved.id, tmp_path / "r.zip", keys=keys, actor=people["auditor"], at=now)
    assert verify_bundle(tmp_path / "r.zip", trust=keys.ring.trusted).outcome == VERIFIED


def test_a_flipped_byte_of_the_record_is_noticed(store, people, keys, now, approved, tmp_path):
    path = tmp_path / "r.zip"
    exporting.export_bundle(store, approved.id, path, keys=keys, actor=people["auditor"], at=now)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert verify_bundle(path, trust=keys.ring.trusted).outcome == FAILED


def test_a_review_without_a_seal_is_not_exported(store, people, keys, now, tmp_path):
    review = submitted(store, people, now)
    with pytest.raises(Conflict, match="only an approved review"):
        exporting.export_bundle(store, review.id, tmp_path / "r.zip", keys=keys, actor=people["auditor"], at=now)


def test_a_stored_file_that_was_changed_is_not_exported(store, people, keys, now, approved, tmp_path):
    with store.reading() as reader:
        digest = Digest(exporting.attestation(reader, approved.id).members["review.json"])
    with store.blobs.local(digest) as path:
        path.chmod(0o600)
        path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(VerificationFailed, match=r"review\.json"):
        exporting.export_bundle(store, approved.id, tmp_path / "r.zip", keys=keys, actor=people["auditor"], at=now)


def test_the_gate_opens_for_the_signed_bytes_alone(store, people, keys, now, approved):
    assert ask(store, keys, people, now).allowed
    other = ask(store, keys, people, now, b"other bytes")
    assert failed(other) == [GateRule.REGISTERED]


def test_the_gate_closes_when_the_approval_ends(store, people, keys, now, approved):
    assert failed(ask(store, keys, people, now + timedelta(days=366))) == [GateRule.UNEXPIRED]


def test_the_gate_closes_when_the_approval_is_taken_back(store, people, keys, now, approved):
    reviews.revoke(store, approved.id, actor=people["approver"], at=now, reason="A leak was found.")
    assert failed(ask(store, keys, people, now)) == [GateRule.APPROVED]


def test_the_gate_closes_when_the_content_changes_after_approval(store, people, keys, now, approved):
    given = replace(MET, text="Else.")
    answer(store, approved.id, "problem.harm", given, actor=people["author"], at=now, reason="Typo.")
    assert failed(ask(store, keys, people, now)) == [GateRule.UNCHANGED]


def test_the_gate_is_closed_before_the_last_signature(store, people, keys, now, with_file):
    from tests.services.road import answer_all

    review = with_file(opened(store, people, now))
    answer_all(store, review, people, now)
    reviews.submit(store, review.id, actor=people["author"], at=now)
    sign(store, review.id, people["reviewer"], keys, now)
    assert failed(ask(store, keys, people, now)) == [GateRule.REVIEWED]


def test_a_checkpoint_kept_elsewhere_shows_that_the_end_was_cut_off(store, people, keys, now, approved):
    kept = trail.anchor(store, keys, actor=people["auditor"], at=now)
    assert trail.verify_trail(store, keys, anchor=kept).anchored
    behind.drop_trigger(store, "audit_no_delete", table="audit")
    behind.drop_trigger(store, "checkpoint_no_delete", table="checkpoint")
    cut = "DELETE FROM audit WHERE sequence > (SELECT MAX(sequence) - 3 FROM audit)"
    behind.run(store, cut, "DELETE FROM checkpoint")
    assert trail.verify_trail(store, keys).entries
    with pytest.raises(VerificationFailed, match="cut off"):
        trail.verify_trail(store, keys, anchor=kept)
