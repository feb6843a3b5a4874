import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from modelops.attest.checkpoint import check_anchor, open_checkpoint, sign_checkpoint
from modelops.attest.keys import SigningKey
from modelops.attest.verifier.log import note_key_hash
from modelops.errors import InvalidInput, VerificationFailed
from tests.attest.attest_samples import ORIGIN, START, Trail

KEY, OTHER = SigningKey.new(), SigningKey.new()
KEYS = {KEY.id: KEY.public}
ROOT = bytes(range(32))


def _text(**changes):
    fields = {"origin": ORIGIN, "size": 12, "root": ROOT, "at": START} | changes
    return sign_checkpoint(KEY, **fields)


@pytest.fixture
def trail():
    trail = Trail()
    for actor in range(1, 8):
        trail.record("act", actor_id=actor)
    return trail


def test_a_checkpoint_has_the_text_form_of_the_specification():
    lines = _text().decode().split("\n")
    assert lines[:5] == [ORIGIN, "12", base64.b64encode(ROOT).decode(), "time 2026-11-23T09:00:00.000000Z", ""]
    assert lines[5].startswith(f"\u2014 {ORIGIN} ")
    assert lines[6:] == [""]


def test_the_key_hash_and_signature_of_notes_are_those_of_the_reference():
    # The example in the documentation of golang.org/x/mod/sumdb/note.
    verifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    name, key_hash, encoded = verifier.split("+", 2)
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:])
    assert note_key_hash(name, key).hex() == key_hash


def test_a_checkpoint_gives_back_what_was_signed():
    checkpoint, signers = open_checkpoint(_text(), KEYS)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root, signers) == (ORIGIN, 12, ROOT, {KEY.id})


def test_a_checkpoint_of_another_key_is_refused():
    with pytest.raises(VerificationFailed, match="no signature by a known key"):
        open_checkpoint(_text(), {OTHER.id: OTHER.public})


def test_the_signature_of_a_witness_is_passed_over():
    witness = note_key_hash("witness.example", OTHER.public) + b"0" * 64
    raw = _text() + f"\u2014 witness.example {base64.b64encode(witness).decode()}\n".encode()
    assert open_checkpoint(raw, KEYS)[1] == {KEY.id}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n12\n", "\n13\n"),
        ("\n12\n", "\n012\n"),
        ("\n12\n", "\n-1\n"),
        ("T09:00", "T10:00"),
        ("\n\n", "\n"),
        ("\n\n", "\nmore\n\n"),
        (ORIGIN + "\n12", "other\n12"),
        ("\u2014 ", "- "),
        ("AAECAw", "AAECBA"),
        ("Hh8=", "Hh9="),
    ],
)
def test_a_changed_checkpoint_is_refused(old, new):
    changed = _text().decode().replace(old, new, 1)
    assert changed != _text().decode()
    with pytest.raises(VerificationFailed):
        open_checkpoint(changed.encode(), KEYS)


@pytest.mark.parametrize("raw", [b"", b"\xff", _text()[:-1], _text() + b"\n", _text().replace(b"\n", b"\r\n")])
def test_what_is_no_checkpoint_is_refused(raw):
    with pytest.raises(VerificationFailed, match="not a signed checkpoint"):
        open_checkpoint(raw, KEYS)


@pytest.mark.parametrize("change", [{"origin": "a b"}, {"origin": "a+b"}, {"origin": ""}, {"size": -1}, {"root": b""}])
def test_a_checkpoint_that_could_not_be_read_back_is_not_signed(change):
    with pytest.raises(InvalidInput):
        _text(**change)


def test_a_trail_that_has_grown_fits_its_anchor(trail):
    checkpoint, _ = open_checkpoint(trail.checkpoint(KEY), KEYS)
    trail.record("one more", actor_id=1)
    check_anchor(checkpoint, trail.hashes)


def test_a_trail_whose_end_was_cut_off_does_not_fit_its_anchor(trail):
    checkpoint, _ = open_checkpoint(trail.checkpoint(KEY), KEYS)
    with pytest.raises(VerificationFailed, match="its end was cut off"):
        check_anchor(checkpoint, trail.hashes[:-1])


def test_a_trail_that_was_written_anew_with_right_hashes_does_not_fit_its_anchor(trail):
    checkpoint, _ = open_checkpoint(trail.checkpoint(KEY), KEYS)
    other = Trail()
    for actor in range(1, 8):
        other.record("another act", actor_id=actor)
    with pytest.raises(VerificationFailed, match="History was rewritten"):
        check_anchor(checkpoint, other.hashes)
