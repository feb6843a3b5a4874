import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from modelops.attest.keys import KeyRing, SigningKey, check_pair, create_key, fingerprint, load_key
from modelops.attest.verify import trusted_keys
from modelops.domain.digest import Digest
from modelops.errors import Conflict, InvalidInput, NotFound, VerificationFailed
from tests.attest.attest_samples import START, later

posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX thing")


@pytest.fixture
def ring_and_keys():
    keys = [SigningKey.new() for _ in range(3)]
    ring = KeyRing.of(keys[0], at=START).rotated(keys[0], keys[1], at=later(10)).rotated(keys[1], keys[2], at=later(20))
    return ring, keys


def test_a_key_file_gives_the_same_key_again(tmp_path):
    key = create_key(tmp_path / "keys" / "signing.pem")
    assert load_key(tmp_path / "keys" / "signing.pem").id == key.id


@posix_only
def test_only_the_owner_can_read_a_new_key_file(tmp_path):
    create_key(tmp_path / "signing.pem")
    assert stat.S_IMODE((tmp_path / "signing.pem").stat().st_mode) == 0o600


@posix_only
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o666])
def test_a_key_file_that_others_can_use_is_refused(tmp_path, mode):
    create_key(tmp_path / "signing.pem")
    (tmp_path / "signing.pem").chmod(mode)
    with pytest.raises(InvalidInput, match=f"mode {mode:04o}, wanted 0600"):
        load_key(tmp_path / "signing.pem")


def test_a_key_file_is_never_overwritten(tmp_path):
    key = create_key(tmp_path / "signing.pem")
    with pytest.raises(Conflict, match="already"):
        create_key(tmp_path / "signing.pem")
    assert load_key(tmp_path / "signing.pem").id == key.id


def test_of_many_that_make_the_key_at_once_exactly_one_wins(tmp_path):
    def attempt(_):
        try:
            return create_key(tmp_path / "signing.pem")
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [key for key in pool.map(attempt, range(16)) if key]
    assert [key.id for key in made] == [load_key(tmp_path / "signing.pem").id]


def test_making_a_key_leaves_no_other_file(tmp_path):
    create_key(tmp_path / "signing.pem")
    assert [path.name for path in tmp_path.iterdir()] == ["signing.pem"]


def test_a_missing_key_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(NotFound, match=r"no signing key in signing\.pem"):
        load_key(tmp_path / "signing.pem")


def test_a_key_of_another_kind_is_refused(tmp_path):
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "signing.pem").write_bytes(other)
    (tmp_path / "signing.pem").chmod(0o600)
    with pytest.raises(InvalidInput, match="expected Ed25519"):
        load_key(tmp_path / "signing.pem")


def test_a_file_without_a_key_is_refused(tmp_path):
    (tmp_path / "signing.pem").write_bytes(b"no key")
    (tmp_path / "signing.pem").chmod(0o600)
    with pytest.raises(InvalidInput, match="PEM"):
        load_key(tmp_path / "signing.pem")


def test_the_key_id_is_the_digest_of_the_public_key_info():
    key = SigningKey.new()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    assert key.id == Digest.of(key.public.public_bytes(serialization.Encoding.DER, form))


def test_a_private_key_does_not_show_itself():
    assert "private" not in repr(SigningKey.new())


def test_a_fingerprint_is_read_back_as_people_type_it():
    identity = SigningKey.new().id
    shown = fingerprint(identity)
    for typed in (shown, shown.lower(), identity, identity.hex, shown.replace(" ", ":")):
        assert set(trusted_keys(typed).until) == {identity}


def test_what_is_neither_fingerprint_nor_file_is_refused():
    with pytest.raises(VerificationFailed, match="neither a fingerprint"):
        trusted_keys("deadbeef")


def test_a_ring_survives_being_written_and_read(ring_and_keys):
    ring, _ = ring_and_keys
    assert KeyRing.read(ring.to_bytes()) == ring


def test_a_rotation_ends_the_old_key_when_the_new_one_begins(ring_and_keys):
    ring, _ = ring_and_keys
    assert [(key.rotated_at, after.valid_from) for key, after in zip(ring.keys, ring.keys[1:], strict=False)] == [
        (ring.keys[1].valid_from,) * 2,
        (ring.keys[2].valid_from,) * 2,
    ]


def test_only_the_current_key_can_hand_over(ring_and_keys):
    ring, keys = ring_and_keys
    with pytest.raises(Conflict, match="not the one that signs now"):
        ring.rotated(keys[0], SigningKey.new(), at=later(30))


def test_a_key_does_not_come_back(ring_and_keys):
    ring, keys = ring_and_keys
    with pytest.raises(Conflict, match="used before"):
        ring.rotated(keys[2], keys[0], at=later(30))


def test_a_rotation_before_the_key_began_is_refused():
    key = SigningKey.new()
    with pytest.raises(VerificationFailed, match="before it begins"):
        KeyRing.of(key, at=START).rotated(key, SigningKey.new(), at=START - timedelta(days=1))


def test_signing_with_another_key_than_the_current_one_is_refused(ring_and_keys):
    ring, keys = ring_and_keys
    check_pair(ring, keys[2])
    with pytest.raises(VerificationFailed, match="Restore the right key file"):
        check_pair(ring, keys[1])


@pytest.mark.parametrize("pinned", [0, 1, 2])
def test_whoever_trusts_one_key_trusts_those_joined_to_it_by_rotations(ring_and_keys, pinned):
    ring, keys = ring_and_keys
    assert trusted_keys(keys[pinned].id).among(ring.checked) == {key.id for key in keys}


def test_a_stolen_old_key_cannot_name_another_successor(ring_and_keys):
    ring, keys = ring_and_keys
    thief = SigningKey.new()
    forged = KeyRing.of(keys[0], at=START).rotated(keys[0], thief, at=later(10))
    assert thief.id not in ring.trusted.among(forged.checked)


def test_a_new_key_cannot_be_joined_without_its_own_signature(ring_and_keys):
    _, keys = ring_and_keys
    thief = SigningKey.new()
    forged = KeyRing.of(thief, at=START).rotated(thief, keys[2], at=later(10))
    content = json.loads(forged.to_bytes())
    content["rotations"][0]["signatures"] = content["rotations"][0]["signatures"][:1]
    with pytest.raises(VerificationFailed, match="signed by the old and the new key"):
        KeyRing.read(json.dumps(content).encode())


def _edit(edit):
    key = SigningKey.new()
    content = json.loads(KeyRing.of(key, at=START).rotated(key, SigningKey.new(), at=later(5)).to_bytes())
    edit(content)
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda c: c["rotations"].clear(), "rotated without a rotation statement"),
        (lambda c: c["keys"][0].update(rotated_at=None), "do not fit"),
        (lambda c: c["keys"][1].update(valid_from=c["keys"][0]["valid_from"]), "do not fit"),
        (lambda c: c["keys"].append(c["keys"][0]), "twice"),
        (lambda c: c["keys"][0].update(id=c["keys"][1]["id"]), "the digest of the key is"),
        (lambda c: c["keys"][0].update(algorithm="none"), "expected text of the form ed25519"),
        (lambda c: c.update(more=1), "unknown or missing fields"),
        (lambda c: c.update(schema="modelops.keys/2"), "expected text"),
        (lambda c: c["rotations"].append(c["rotations"][0]), "do not fit"),
    ],
)
def test_a_ring_that_was_edited_is_refused(edit, reason):
    with pytest.raises(VerificationFailed, match=reason):
        KeyRing.read(_edit(edit))
