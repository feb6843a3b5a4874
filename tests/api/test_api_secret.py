"""What the door hands out and gets back cannot be made by anybody else."""

from __future__ import annotations

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops.api.headers import screen_policy
from modelops.api.secret import door_secret, seal, unseal

SECRET = b"0" * 32


def test_what_was_sealed_comes_back():
    assert unseal(SECRET, "form", seal(SECRET, "form", {"number": "x", "n": 1})) == {"number": "x", "n": 1}


def test_a_seal_of_another_purpose_or_secret_is_refused():
    sealed = seal(SECRET, "form", {"number": "x"})
    assert unseal(SECRET, "journey", sealed) is None
    assert unseal(b"1" * 32, "form", sealed) is None


@given(st.text(max_size=200))
def test_no_other_text_is_ever_accepted(text):
    assert unseal(SECRET, "form", text) is None


@given(st.integers(min_value=0, max_value=200), st.integers(min_value=1, max_value=255))
def test_any_changed_character_breaks_the_seal(place, by):
    sealed = seal(SECRET, "form", {"number": "abcdef", "target": "/reviews"})
    place %= len(sealed)
    changed = sealed[:place] + chr((ord(sealed[place]) + by) % 256) + sealed[place + 1 :]
    assert unseal(SECRET, "form", changed) is None


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path):
    first = door_secret(tmp_path / "keys")
    assert door_secret(tmp_path / "keys") == first
    assert len(first) == 32
    assert stat.S_IMODE((tmp_path / "keys" / "door.secret").stat().st_mode) == 0o600


def test_a_secret_that_was_cut_short_is_not_used(tmp_path):
    (tmp_path / "door.secret").write_bytes(b"short")
    with pytest.raises(RuntimeError, match="5 bytes"):
        door_secret(tmp_path)


def test_the_one_inline_script_of_streamlit_is_allowed_by_its_hash(tmp_path):
    index = tmp_path / "index.html"
    index.write_text("<script>\nwindow.x = 1\n</script><script src='x.js'></script>")
    # printf '\nwindow.x = 1\n' | openssl dgst -sha256 -binary | base64
    expected = "sha256-" + _openssl("\nwindow.x = 1\n")
    assert screen_policy(index).count("sha256-") == 1
    assert expected in screen_policy(index)


def _openssl(text):
    import base64

    from cryptography.hazmat.primitives import hashes

    digest = hashes.Hash(hashes.SHA256())
    digest.update(text.encode())
    return base64.b64encode(digest.finalize()).decode()
