"""Passwords: which are refused, and how they are kept."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelops.errors import InvalidInput
from modelops.services import passwords

pytestmark = pytest.mark.usefixtures("as_in_use")


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "elevenchars",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "Password1234567",
        "!Password1234!",
        "qwertyuiop123",
        "Correct Horse Battery Staple",
        "x" * 257,
    ],
)
def test_a_password_that_is_guessed_early_is_refused(password):
    with pytest.raises(InvalidInput):
        passwords.check_password(password, login="somebody")


def test_a_password_with_the_login_in_it_is_refused():
    with pytest.raises(InvalidInput, match="contains the login"):
        passwords.check_password("my-Somebody-lives-here", login="somebody")


@pytest.mark.parametrize(
    "password", ["violet kettle sings", "tR7!mq92Lx#p", "пароль для модели", "x" + "🦉" * 3 + "abcd efghi"]
)
def test_a_long_uncommon_password_is_accepted(password):
    passwords.check_password(password, login="somebody")


def test_the_hash_is_argon2id_with_64_mib():
    assert passwords.password_hash("violet kettle sings").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_the_right_password_matches_and_another_does_not():
    stored = passwords.password_hash("violet kettle sings")
    assert passwords.password_matches(stored, "violet kettle sings")
    assert not passwords.password_matches(stored, "violet kettle sing")


def test_the_same_letters_typed_in_another_way_match():
    stored = passwords.password_hash("caf\u00e9 at the corner")
    assert passwords.password_matches(stored, "cafe\u0301 at the corner")


def test_nothing_matches_an_account_without_a_password():
    assert not passwords.password_matches(None, "violet kettle sings")


def test_an_account_without_a_password_costs_as_much_as_a_wrong_one():
    stored = passwords.password_hash("violet kettle sings")
    passwords.password_matches(None, "warm up")
    wrong = min(_seconds(stored) for _ in range(3))
    missing = min(_seconds(None) for _ in range(3))
    assert missing > wrong / 3


def test_temporary_passwords_pass_the_rules_and_differ():
    made = {passwords.temporary_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        passwords.check_password(password, login="somebody")


def test_only_two_hashes_are_computed_at_the_same_moment(monkeypatch):
    running, most, lock = 0, 0, threading.Lock()
    hasher = passwords._hasher()

    class Counted:
        def hash(self, secret):
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            return hasher.__class__.__name__

    monkeypatch.setattr(passwords, "_hasher", Counted)
    threads = [threading.Thread(target=passwords.password_hash, args=("x",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


@settings(max_examples=5, deadline=None)
@given(st.text(min_size=1, max_size=300))
def test_any_text_can_be_tried_as_a_password(text):
    stored = "$argon2id$v=19$m=65536,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg"
    assert isinstance(passwords.password_matches(stored, text), bool)


def _seconds(stored):
    start = time.perf_counter()
    passwords.password_matches(stored, "not the right one")
    return time.perf_counter() - start
