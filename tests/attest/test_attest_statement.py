import json

import pytest
from pydantic import ValidationError

from modelops.attest.dsse import sign_envelope
from modelops.attest.keys import KeyRing, SigningKey
from modelops.attest.statement import open_statement
from modelops.attest.verifier import container, statement, trail
from modelops.domain.attestation import (
    PAYLOAD_TYPE,
    PREDICATE_TYPE,
    STATEMENT_TYPE,
    AuditPosition,
    ReadinessPredicate,
    SignOff,
    Statement,
    Subject,
)
from modelops.domain.audit import GENESIS, SEAL, SIGN_OFF, AuditEntry
from modelops.domain.digest import Digest
from modelops.domain.review import Decision, Meaning
from modelops.errors import VerificationFailed
from tests.attest.attest_samples import later, sample_files, sample_predicate, sample_sign_off, statement_of

HEAD = AuditPosition(sequence=4, hash=GENESIS)


def test_a_sealed_statement_opens_again(sealed):
    found = open_statement(sealed.envelope, sealed.ring)
    assert found.predicate == sample_predicate(sealed.files, found.predicate.audit)


def test_the_statement_has_the_form_of_in_toto(sealed):
    payload = statement_of(sealed)
    assert list(payload) == ["_type", "predicate", "predicateType", "subject"]
    assert payload["_type"] == "https://in-toto.io/Statement/v1"
    assert all(
        set(subject) == {"name", "digest"} and set(subject["digest"]) == {"sha256"} for subject in payload["subject"]
    )


def test_the_statement_names_model_datasets_and_files(sealed):
    found = open_statement(sealed.envelope, sealed.ring)
    assert found.digest_of("model") == Digest.of(b"the bytes of a model")
    assert found.digest_of("dataset/train") is not None
    assert {"review.json", "template.json", "policy.json", "report.html"} <= {s.name for s in found.subject}
    assert found.digest_of("model_card.html") is None


def test_a_statement_of_another_installation_is_refused(sealed):
    with pytest.raises(VerificationFailed, match="no signature by a known key"):
        open_statement(sealed.envelope, KeyRing.of(SigningKey.new(), at=later(0)))


def test_a_key_that_was_rotated_does_not_seal_any_more(sealed):
    rotated = sealed.ring.rotated(sealed.key, SigningKey.new(), at=later(50))
    with pytest.raises(VerificationFailed, match="not in use then"):
        open_statement(sealed.envelope, rotated)


def test_what_a_key_sealed_before_it_was_rotated_stays_valid(sealed):
    rotated = sealed.ring.rotated(sealed.key, SigningKey.new(), at=later(150))
    assert open_statement(sealed.envelope, rotated).predicate.review_id == "review/7"


def test_a_signed_payload_of_another_form_is_refused(sealed):
    payload = statement_of(sealed)
    payload["predicate"]["more"] = 1
    raw = sign_envelope(json.dumps(payload).encode(), PAYLOAD_TYPE, (sealed.key,)).to_bytes()
    with pytest.raises(VerificationFailed, match=r"predicate\.more"):
        open_statement(raw, sealed.ring)


def test_a_signature_on_other_content_cannot_be_sealed():
    other = sample_sign_off(12, "approval", Digest.of(b"an earlier state"))
    with pytest.raises(ValidationError, match="it changed after the signature"):
        sample_predicate(sample_files(), HEAD, sign_offs=(other,))


def test_a_review_without_signature_cannot_be_sealed():
    with pytest.raises(ValidationError, match="at least 1 item"):
        sample_predicate(sample_files(), HEAD, sign_offs=())


def test_an_approval_with_a_rejecting_signature_cannot_be_sealed():
    files = sample_files()
    rejecting = sample_sign_off(12, "approval", Digest.of(files["review.json"])).model_copy(
        update={"decision": Decision.REJECT}
    )
    with pytest.raises(ValidationError, match="one of the signatures rejects"):
        sample_predicate(files, HEAD, sign_offs=(rejecting,))


def test_an_approval_that_ends_before_it_begins_cannot_be_sealed():
    with pytest.raises(ValidationError, match="before it begins"):
        sample_predicate(sample_files(), HEAD, valid_until="2026-11-23T10:40:00.000000Z")


def test_a_subject_stands_in_a_statement_once():
    subject = Subject.of("model", Digest.of(b""))
    with pytest.raises(ValidationError, match="twice: model"):
        Statement(subject=(subject, subject), predicate=sample_predicate(sample_files(), HEAD))


def test_the_verifier_knows_the_names_of_the_domain():
    assert (STATEMENT_TYPE, PREDICATE_TYPE, PAYLOAD_TYPE) == (
        statement.STATEMENT_TYPE,
        statement.PREDICATE_TYPE,
        statement.STATEMENT_PAYLOAD,
    )
    assert set(statement.PREDICATE_FIELDS) == set(ReadinessPredicate.model_fields)
    assert set(statement.SIGN_OFF_FIELDS) == set(SignOff.model_fields)
    assert set(trail.AUDIT_FIELDS) == set(AuditEntry.model_fields)
    assert (trail.SIGN_OFF, trail.SEAL) == (SIGN_OFF, SEAL)
    assert set(statement.INDEPENDENT) == {Meaning.REVIEW, Meaning.APPROVAL}
    assert container.MEMBER.fullmatch("review.json")
