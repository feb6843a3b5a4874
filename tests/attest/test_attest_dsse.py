import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib import dsse as independent
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from modelops.attest.dsse import open_signed, sign_envelope
from modelops.attest.keys import SigningKey
from modelops.attest.verifier.signatures import pae
from modelops.errors import InvalidInput, VerificationFailed

KIND = "application/vnd.in-toto+json"
KEY, OTHER = SigningKey.new(), SigningKey.new()
KEYS = {KEY.id: KEY.public}


def _opened(envelope, keys=KEYS):
    return open_signed(json.dumps(envelope).encode(), KIND, keys)


def _signed(payload=b"{}"):
    return json.loads(sign_envelope(payload, KIND, (KEY,)).to_bytes())


def test_the_encoding_is_that_of_the_specification():
    # The example in the protocol document of DSSE.
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@given(payload=st.binary(max_size=200), kind=st.text(max_size=20))
def test_the_encoding_equals_that_of_an_independent_library(payload, kind):
    assert pae(kind, payload) == independent.Envelope(payload, kind, {}).pae()


@given(payload=st.binary(max_size=200))
def test_an_independent_library_accepts_our_envelopes(payload):
    envelope = independent.Envelope.from_dict(json.loads(sign_envelope(payload, KIND, (KEY,)).to_bytes()))
    public = SSlibKey.from_crypto(KEY.public, keyid=KEY.id)
    assert list(envelope.verify([public], threshold=1)) == [KEY.id]


def test_an_independent_library_refuses_our_envelope_with_another_key():
    envelope = independent.Envelope.from_dict(_signed())
    with pytest.raises(VerificationError):
        envelope.verify([SSlibKey.from_crypto(OTHER.public, keyid=OTHER.id)], threshold=1)


@given(payload=st.binary(max_size=200))
def test_we_accept_the_envelopes_of_an_independent_library(payload):
    signer = CryptoSigner(KEY.private, SSlibKey.from_crypto(KEY.public, keyid=KEY.id))
    envelope = independent.Envelope(payload, KIND, {})
    envelope.sign(signer)
    assert _opened(envelope.to_dict()) == (payload, {KEY.id})


def test_signing_without_a_key_is_refused():
    with pytest.raises(InvalidInput, match="no key"):
        sign_envelope(b"", KIND, ())


def test_a_signature_of_a_stranger_beside_ours_is_passed_over():
    envelope = json.loads(sign_envelope(b"x", KIND, (OTHER, KEY)).to_bytes())
    assert _opened(envelope) == (b"x", {KEY.id})


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda e: e.update(payloadType="text/plain"), "expected 'application/vnd.in-toto"),
        (lambda e: e.update(payload="e30h"), "does not fit the content"),
        (lambda e: e.update(payload="e30"), "not base64"),
        (lambda e: e.update(payload="e31="), "stray bits"),
        (lambda e: e.update(payload=1), "expected text"),
        (lambda e: e.update(signatures=[]), "got 0 signatures"),
        (lambda e: e.update(signatures=e["signatures"] * 17), "got 17 signatures"),
        (lambda e: e.update(signatures=e["signatures"] * 2), "signed twice"),
        (lambda e: e.update(extra=1), "unknown or missing fields"),
        (lambda e: e.pop("payloadType"), "unknown or missing fields"),
        (lambda e: e["signatures"][0].update(cert=""), "unknown or missing fields"),
        (lambda e: e["signatures"][0].update(sig=""), "does not fit the content"),
        (lambda e: e["signatures"][0].update(keyid=OTHER.id), "no signature by a known key"),
        (lambda e: e.update(signatures={}), "expected list"),
    ],
)
def test_a_bad_envelope_is_refused(edit, reason):
    envelope = _signed()
    edit(envelope)
    with pytest.raises(VerificationFailed, match=reason):
        _opened(envelope)


def test_a_known_key_with_a_wrong_signature_spoils_the_envelope_even_beside_a_right_one():
    envelope = json.loads(sign_envelope(b"x", KIND, (KEY, OTHER)).to_bytes())
    envelope["signatures"][1]["sig"] = envelope["signatures"][0]["sig"]
    with pytest.raises(VerificationFailed, match="does not fit"):
        _opened(envelope, {**KEYS, OTHER.id: OTHER.public})


@pytest.mark.parametrize(
    "raw",
    [
        b'{"payload":"","payload":"e30="}',
        b'{"a":{"b":1,"b":1}}',
        b"[NaN]",
        b"[1e999]",
        b'"\\ud800"',
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"",
        b"[" * 100_000,
        b"[" + b"9" * 10_000 + b"]",
    ],
    ids=["key twice", "key twice inside", "NaN", "infinity", "surrogate", "no UTF-8", "mark", "empty", "deep", "long"],
)
def test_what_is_not_strict_json_is_refused(raw):
    with pytest.raises(VerificationFailed, match="not strict JSON"):
        open_signed(raw, KIND, KEYS)
