import json

import pytest

from modelops.attest import bundle
from modelops.attest.bundle import (
    MODEL_CARD,
    REPORT,
    REVIEW,
    TEMPLATE,
    artifact_name,
    build_bundle,
    evidence_name,
    result_name,
)
from modelops.attest.keys import SigningKey, fingerprint
from modelops.attest.statement import open_statement, seal
from modelops.attest.verify import as_dict, render_text, trusted_keys, verify_bundle
from modelops.domain.audit import SEAL, SIGN_OFF
from modelops.domain.digest import Digest
from modelops.errors import InvalidInput, VerificationFailed
from tests.attest.attest_samples import (
    MODEL,
    TRAIN,
    Installation,
    later,
    members_of,
    repacked,
    sealed_anyhow,
    statement_of,
)


@pytest.fixture
def names_failed(sealed, tmp_path):
    """Write edited members, signed anew by the true key or not, and return what the verifier names."""

    def failed(members, *, key=None):
        report = verify_bundle(repacked(tmp_path / "edited.zip", members, key=key), trust=sealed.ring.trusted)
        return {check.subject: check for check in report.failures}

    return failed


def test_a_bundle_verifies_with_the_key_that_signed_it(sealed, exported):
    assert verify_bundle(exported, trust=sealed.ring.trusted).outcome == "verified"


def test_a_fingerprint_is_enough_to_verify(sealed, exported):
    assert verify_bundle(exported, trust=trusted_keys(fingerprint(sealed.key.id))).ok


def test_without_a_pinned_key_the_signer_is_unknown(exported):
    report = verify_bundle(exported)
    assert (report.outcome, report.ok) == ("consistent, but signer unknown", False)


def test_a_consistent_bundle_of_a_stranger_is_not_verified(sealed, tmp_path):
    forged = Installation.with_sealed_review().export(tmp_path / "forged.zip")
    report = verify_bundle(forged, trust=sealed.ring.trusted)
    assert report.outcome == "failed"
    assert {check.name for check in report.failures} == {"signed by a trusted key"}


def test_the_same_content_and_time_give_the_same_bytes(sealed, exported, tmp_path):
    assert sealed.export(tmp_path / "again.zip").read_bytes() == exported.read_bytes()


def test_the_digest_of_the_zip_is_given_back(sealed, tmp_path):
    path = tmp_path / "review.zip"
    assert build_bundle(path, sealed.content(), key=sealed.key, at=later(300)) == Digest.of_file(path)


def test_an_export_leaves_no_other_file(exported):
    assert [path.name for path in exported.parent.iterdir()] == [exported.name]


def test_evidence_may_come_from_files(sealed, exported, tmp_path):
    paths = {}
    for number, (name, content) in enumerate(sealed.files.items()):
        paths[name] = tmp_path / str(number)
        paths[name].write_bytes(content)
    assert sealed.export(tmp_path / "review.zip", files=paths).read_bytes() == exported.read_bytes()


def test_a_person_can_open_the_zip_with_any_program(sealed, exported):
    assert members_of(exported)[REVIEW] == sealed.files[REVIEW]


def test_the_report_says_what_was_signed_and_by_whom(sealed, exported):
    text = render_text(verify_bundle(exported, trust=sealed.ring.trusted))
    assert text.startswith("VERIFIED: ")
    assert "Credit decisions" in text
    assert "Person 12, approver, approval, approve" in text


def test_the_facts_of_a_failed_bundle_are_not_shown(sealed, tmp_path):
    forged = Installation.with_sealed_review().export(tmp_path / "forged.zip")
    assert "Credit decisions" not in render_text(verify_bundle(forged, trust=sealed.ring.trusted))


def test_every_check_is_there_for_programs(sealed, exported):
    report = verify_bundle(exported, trust=sealed.ring.trusted)
    found = json.loads(json.dumps(as_dict(report)))
    assert found["outcome"] == "verified"
    assert [set(check) for check in found["checks"]] == [{"name", "subject", "ok", "found", "expected"}] * len(
        report.checks
    )


def test_text_from_a_bundle_cannot_play_with_the_terminal(tmp_path):
    sealed = Installation.with_sealed_review(model="\x1b[2J\u202etxt")
    text = render_text(verify_bundle(sealed.export(tmp_path / "review.zip"), trust=sealed.ring.trusted))
    assert "\\u{1b}[2J\\u{202e}txt" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("name", [REVIEW, TEMPLATE, REPORT, "results", "evidence"])
def test_a_file_that_was_exchanged_is_named_even_if_the_manifest_was_signed_anew(sealed, exported, names_failed, name):
    members = members_of(exported)
    member = next(found for found in members if found.startswith(name))
    members[member] = b"{}"
    assert member in names_failed(members, key=sealed.key)


@pytest.mark.parametrize("name", [REVIEW, "results", "evidence", "policy"])
def test_a_file_that_is_missing_is_named_even_if_the_manifest_was_signed_anew(sealed, exported, names_failed, name):
    members = members_of(exported)
    member = next(found for found in members if found.startswith(name))
    del members[member]
    assert any(subject.startswith(name) for subject in names_failed(members, key=sealed.key))


def test_a_result_that_was_added_is_named_even_if_the_manifest_was_signed_anew(sealed, exported, names_failed):
    added = b'{"better": true}'
    members = members_of(exported) | {result_name(Digest.of(added)): added}
    assert names_failed(members, key=sealed.key)[result_name(Digest.of(added))].found == Digest.of(added).hex


def test_a_result_under_the_name_of_another_is_named(sealed, exported, names_failed):
    members = members_of(exported)
    member = next(found for found in members if found.startswith("results/"))
    members[member] = b"{}"
    assert member in names_failed(members, key=sealed.key)


def test_an_edited_manifest_has_no_signature(exported, names_failed):
    members = members_of(exported)
    members[MODEL_CARD] = b"<p>Better</p>"
    manifest = json.loads(members["manifest.json"])
    for item in manifest["members"]:
        if item["name"] == MODEL_CARD:
            item.update(size=len(members[MODEL_CARD]), sha256=Digest.of(members[MODEL_CARD]).hex)
    members["manifest.json"] = json.dumps(manifest).encode()
    assert names_failed(members)["manifest.json"].name == "what was signed is the manifest"


def test_a_manifest_signed_by_a_stranger_is_not_trusted(exported, names_failed):
    thief = SigningKey.new()
    assert "no signature by a known key" in names_failed(members_of(exported), key=thief)["manifest.dsse.json"].found


@pytest.mark.parametrize(
    "name", ["model_card.html", "manifest.json", "public_keys.json", "checkpoint.txt", "verify.py"]
)
def test_a_missing_member_is_named(exported, names_failed, name):
    members = members_of(exported)
    del members[name]
    assert name in names_failed(members)


def test_the_envelope_of_another_review_is_named(sealed, exported, names_failed):
    predicate = open_statement(sealed.envelope, sealed.ring).predicate
    other = predicate.model_copy(update={"model_version": "3.0"})
    members = members_of(exported)
    members["signoff.dsse.json"] = seal(other, open_statement(sealed.envelope, sealed.ring).subject, sealed.key)
    failed = names_failed(members, key=sealed.key)
    assert failed["audit_excerpt.jsonl, entry 5"].name == "statement that the seal names"


@pytest.mark.parametrize(
    ("edit", "check"),
    [
        (lambda p: p["sign_offs"][0].update(digest_seen="sha256:" + "0" * 64), "digest that was seen"),
        (lambda p: p["sign_offs"][0].update(user_id=10), "separation of duties"),
        (lambda p: p["sign_offs"][0].update(user_id=12), "nobody signed twice"),
        (lambda p: p["sign_offs"][0].update(user_id=14), "signature in the audit trail"),
        (lambda p: p["sign_offs"][0].update(decision="reject"), "decision of the signer"),
        (lambda p: p["sign_offs"].clear(), "somebody signed"),
        (lambda p: p.update(content="sha256:" + "0" * 64), "content that was signed"),
        (lambda p: p["policy"].update(digest="sha256:" + "0" * 64), "policy of the review"),
        (lambda p: p["audit"].update(hash="0" * 64), "the seal stands on"),
        (lambda p: p["audit"].update(sequence=2), "act of the seal"),
        (lambda p: p["audit"].update(sequence=50), "form"),
        (lambda p: p.update(sealed_at="2020-01-01T00:00:00.000000Z"), "signed by a key that was in use"),
        (lambda p: p.update(note="more"), "form"),
        (lambda p: p["sign_offs"][0].update(user_id=[]), "form"),
    ],
)
def test_a_statement_that_contradicts_the_rest_fails_by_name(sealed, exported, tmp_path, edit, check):
    statement = statement_of(sealed)
    edit(statement["predicate"])
    members = members_of(exported) | {"signoff.dsse.json": sealed_anyhow(statement, sealed.key)}
    report = verify_bundle(repacked(tmp_path / "x.zip", members, key=sealed.key), trust=sealed.ring.trusted)
    assert check in {failure.name for failure in report.failures}


def test_a_subject_that_stands_twice_is_refused(sealed, exported, names_failed):
    statement = statement_of(sealed)
    statement["subject"].append(statement["subject"][0])
    envelope = sealed_anyhow(statement, sealed.key)
    assert "twice" in names_failed(members_of(exported) | {"signoff.dsse.json": envelope})["signoff.dsse.json"].found


@pytest.mark.parametrize("name", ["signoff.dsse.json", "manifest.json", "public_keys.json", "inclusion_proof.json"])
def test_a_key_that_stands_twice_is_refused(sealed, exported, names_failed, name):
    members = members_of(exported)
    members[name] = members[name].replace(b"{", b'{"schema":"","schema":"",', 1)
    assert "twice" in names_failed(members, key=None if name == "manifest.json" else sealed.key)[name].found


def test_another_payload_type_is_refused(sealed, exported, names_failed):
    envelope = json.loads(sealed.envelope) | {"payloadType": "application/json"}
    members = members_of(exported) | {"signoff.dsse.json": json.dumps(envelope).encode()}
    assert "got the payload type 'application/json'" in names_failed(members)["signoff.dsse.json"].found


def test_a_statement_without_signature_is_refused(sealed, exported, names_failed):
    envelope = json.loads(sealed.envelope) | {"signatures": []}
    members = members_of(exported) | {"signoff.dsse.json": json.dumps(envelope).encode()}
    assert "got 0 signatures" in names_failed(members)["signoff.dsse.json"].found


def test_a_changed_entry_is_named(sealed, exported, names_failed):
    members = members_of(exported)
    members["audit_excerpt.jsonl"] = members["audit_excerpt.jsonl"].replace(b"Person 11", b"Person 99")
    failed = names_failed(members, key=sealed.key)
    assert failed["audit_excerpt.jsonl, entry 3"].name == "hash of the entry"


def test_a_trail_written_anew_with_right_hashes_is_not_in_the_checkpoint(sealed, exported, names_failed):
    other = Installation.with_sealed_review(key=sealed.key, model_version="9").trail
    content = sealed.content(excerpt=other.rows[:5])
    members = members_of(exported) | {"audit_excerpt.jsonl": b"".join(bundle._line(row) for row in content.excerpt)}
    failed = names_failed(members, key=sealed.key)
    assert failed["inclusion_proof.json, entry 5"].name == "included in the checkpoint"


def test_forged_inclusion_proofs_are_named(sealed, exported, names_failed):
    members = members_of(exported)
    proofs = json.loads(members["inclusion_proof.json"])
    proofs["inclusion"][4]["hashes"][0] = "0" * 64
    members["inclusion_proof.json"] = json.dumps(proofs).encode()
    assert "inclusion_proof.json, entry 5" in names_failed(members, key=sealed.key)


def test_an_entry_without_proof_is_named(sealed, exported, names_failed):
    members = members_of(exported)
    proofs = json.loads(members["inclusion_proof.json"])
    proofs["inclusion"].pop()
    members["inclusion_proof.json"] = json.dumps(proofs).encode()
    assert names_failed(members, key=sealed.key)["inclusion_proof.json"].name == "one proof for each entry"


def test_a_checkpoint_from_before_the_seal_does_not_prove_it(sealed, tmp_path):
    sealed_again = Installation(**{**sealed.__dict__, "trail": _trail_of(sealed, 4)})
    with pytest.raises((VerificationFailed, InvalidInput)):
        sealed_again.export(tmp_path / "review.zip", excerpt=sealed.trail.rows[:5])


def _trail_of(sealed, length):
    trail = type(sealed.trail)()
    trail.rows = sealed.trail.rows[:length]
    return trail


@pytest.mark.parametrize("action", [SIGN_OFF, SEAL])
def test_an_excerpt_without_signature_or_seal_is_not_exported(sealed, tmp_path, action):
    excerpt = [row for row in sealed.trail.rows[:5] if action.encode() not in row.body]
    with pytest.raises(VerificationFailed, match="its parts do not fit"):
        sealed.export(tmp_path / "review.zip", excerpt=excerpt)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def grown(tmp_path):
    """Return an installation, its first bundle and checkpoint, and a bundle after the trail has grown."""
    sealed = Installation.with_sealed_review()
    first = sealed.export(tmp_path / "first.zip")
    (tmp_path / "checkpoint.txt").write_bytes(sealed.trail.checkpoint(sealed.key))
    for actor in range(1, 6):
        sealed.trail.record("act", actor_id=actor)
    return sealed, first, sealed.export(tmp_path / "second.zip", earlier=(6,))


@pytest.mark.parametrize("earlier", ["first.zip", "checkpoint.txt"])
def test_a_trail_that_has_grown_is_consistent_with_an_earlier_checkpoint(grown, tmp_path, earlier):
    sealed, _, second = grown
    assert verify_bundle(second, trust=sealed.ring.trusted, against=tmp_path / earlier).ok


def test_a_bundle_is_consistent_with_itself(grown):
    sealed, first, _ = grown
    assert verify_bundle(first, trust=sealed.ring.trusted, against=first).ok


def test_a_rewritten_history_is_seen_against_an_earlier_bundle(grown, tmp_path):
    sealed, first, _ = grown
    rewritten = Installation.with_sealed_review(key=sealed.key, model_version="9")
    for actor in range(1, 6):
        rewritten.trail.record("act", actor_id=actor)
    second = rewritten.export(tmp_path / "rewritten.zip", earlier=(6,))
    report = verify_bundle(second, trust=sealed.ring.trusted, against=first)
    assert [check.name for check in report.failures] == ["history since the earlier checkpoint"]


def test_a_cut_trail_is_seen_against_an_earlier_bundle(grown):
    sealed, first, second = grown
    report = verify_bundle(first, trust=sealed.ring.trusted, against=second)
    assert "it is the later one" in report.failures[0].found


def test_a_checkpoint_to_which_there_is_no_proof_fails(grown, tmp_path):
    sealed, first, _ = grown
    third = sealed.export(tmp_path / "third.zip", earlier=())
    report = verify_bundle(third, trust=sealed.ring.trusted, against=first)
    assert "no proof from 6 entries" in report.failures[0].found


def test_a_checkpoint_of_another_installation_fails(grown, tmp_path):
    sealed, _, second = grown
    other = Installation.with_sealed_review()
    (tmp_path / "other.txt").write_bytes(other.trail.checkpoint(other.key))
    report = verify_bundle(second, trust=sealed.ring.trusted, against=tmp_path / "other.txt")
    assert report.failures[0].subject == "other.txt"


def test_a_review_sealed_before_a_rotation_still_verifies_with_either_key(tmp_path):
    sealed = Installation.with_sealed_review()
    old, new = sealed.key, SigningKey.new()
    rotated = Installation(
        new, sealed.ring.rotated(old, new, at=later(150)), sealed.trail, sealed.files, sealed.envelope
    )
    path = rotated.export(tmp_path / "review.zip")
    for pinned in (old.id, new.id):
        assert verify_bundle(path, trust=trusted_keys(pinned)).ok
    assert verify_bundle(path, trust=sealed.ring.trusted).ok


def test_an_old_key_does_not_sign_after_its_rotation(tmp_path):
    sealed = Installation.with_sealed_review()
    old, new = sealed.key, SigningKey.new()
    known = sealed.ring.rotated(old, new, at=later(50))
    thief = sealed.export(tmp_path / "review.zip")
    report = verify_bundle(thief, trust=known.trusted)
    assert {check.name for check in report.failures} == {"signed by a trusted key"}


def test_a_bundle_is_only_exported_with_the_current_key(sealed, tmp_path):
    with pytest.raises(VerificationFailed, match="current key"):
        build_bundle(tmp_path / "x.zip", sealed.content(), key=SigningKey.new(), at=later(300))


def test_the_signed_model_and_data_are_recognised(sealed, exported, tmp_path):
    (tmp_path / "model.onnx").write_bytes(MODEL)
    (tmp_path / "train.csv").write_bytes(TRAIN)
    model, data = tmp_path / "model.onnx", (tmp_path / "train.csv",)
    assert verify_bundle(exported, trust=sealed.ring.trusted, model=model, data=data).ok


def test_a_retrained_model_is_not_the_signed_one(sealed, exported, tmp_path):
    (tmp_path / "model.onnx").write_bytes(MODEL + b".")
    report = verify_bundle(exported, trust=sealed.ring.trusted, model=tmp_path / "model.onnx")
    assert [(check.subject, check.expected) for check in report.failures] == [("model.onnx", Digest.of(MODEL).hex)]


def test_a_dataset_is_not_taken_for_the_model(sealed, exported, tmp_path):
    (tmp_path / "train.csv").write_bytes(TRAIN)
    assert not verify_bundle(exported, trust=sealed.ring.trusted, model=tmp_path / "train.csv").ok


def test_the_model_can_travel_along(sealed, tmp_path):
    files = sealed.files | {artifact_name(Digest.of(MODEL)): MODEL}
    assert verify_bundle(sealed.export(tmp_path / "x.zip", files=files), trust=sealed.ring.trusted).ok


def test_a_model_that_is_no_subject_does_not_travel_along(sealed, tmp_path):
    files = sealed.files | {artifact_name(Digest.of(b"other")): b"other"}
    with pytest.raises(VerificationFailed, match="which is no subject"):
        sealed.export(tmp_path / "x.zip", files=files)


@pytest.mark.parametrize(
    "name", ["../review.json", "Review.json", "notes.txt", "verify.py", "manifest.json", "results/x.json"]
)
def test_a_name_that_no_member_has_is_not_exported(sealed, tmp_path, name):
    with pytest.raises(InvalidInput, match="no member of a bundle"):
        sealed.export(tmp_path / "x.zip", files=sealed.files | {name: b""})


def test_only_a_plain_ending_of_evidence_is_kept():
    digest = Digest.of(b"")
    endings = {
        title: evidence_name(digest, title)[len("evidence/") + 64 :]
        for title in ("a.PDF", "b", "c.p/../d", "e.\u202ex")
    }
    assert endings == {"a.PDF": ".pdf", "b": "", "c.p/../d": "", "e.\u202ex": ""}
