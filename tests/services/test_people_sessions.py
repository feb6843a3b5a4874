"""Log-in, log-out, throttling and the proof of identity at signing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from modelops.domain.people import Authentication, Role
from modelops.errors import InvalidInput, NotAllowed
from modelops.services import people as accounts
from modelops.services import sessions, throttle
from modelops.services.sessions import SessionLimits
from modelops.store.tables import AuditRow, SessionRow, ThrottleRow

HERE = "192.0.2.7"
NEW = "quiet engine by the lake"


def log_in(store, now, password, login="author", origin=HERE):
    return sessions.log_in(store, login, password, origin=origin, at=now)


def fail(store, at, login="author", origin=HERE):
    with pytest.raises(NotAllowed) as refusal:
        log_in(store, at, "not the right password", login=login, origin=origin)
    return refusal.value


def test_a_session_names_who_acts(store, people, now, password):
    actor = sessions.find_actor(store, log_in(store, now, password).token, now)
    assert (actor.name, actor.roles, actor.origin) == ("Author", {Role.AUTHOR}, HERE)


def test_a_login_is_found_in_any_capitalisation(store, people, now, password):
    assert log_in(store, now, password, login=" AUTHOR ").actor.login == "author"


def test_only_the_digest_of_the_cookie_is_stored(store, people, now, password):
    session = log_in(store, now, password)
    with store.reading() as reader:
        rows = reader.all(SessionRow, user_id=session.actor.user_id)
    assert all(session.token not in repr(row) and len(row.token_hash) == 64 for row in rows)


def test_every_log_in_gets_a_token_of_its_own(store, people, now, password):
    assert log_in(store, now, password).token != log_in(store, now, password).token


@pytest.mark.parametrize("token", [None, "", "x", "x" * 5000, "\ud800", "' OR 1=1 --"])
def test_a_made_up_cookie_is_nobody(store, people, now, token):
    assert sessions.find_actor(store, token, now) is None


def test_a_session_ends_after_its_idle_time(store, people, now, password):
    token = log_in(store, now, password).token
    assert sessions.find_actor(store, token, now + timedelta(minutes=29)) is not None
    assert sessions.find_actor(store, token, now + timedelta(minutes=60)) is None


def test_clicks_keep_a_session_alive_until_its_absolute_end(store, people, now, password):
    token = log_in(store, now, password).token
    limits = SessionLimits(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
    for minutes in range(20, 12 * 60, 20):
        assert sessions.find_actor(store, token, now + timedelta(minutes=minutes), limits=limits) is not None
    assert sessions.find_actor(store, token, now + timedelta(hours=12), limits=limits) is None


def test_clicks_within_a_minute_write_nothing(store, people, now, password):
    token = log_in(store, now, password).token
    sessions.find_actor(store, token, now + timedelta(seconds=59))
    with store.reading() as reader:
        assert reader.first(SessionRow, user_id=people["author"].user_id).seen_at == now


def test_log_out_ends_the_session_and_is_audited(store, people, now, password):
    token = log_in(store, now, password).token
    sessions.log_out(store, token, at=now)
    sessions.log_out(store, token, at=now)
    assert sessions.find_actor(store, token, now) is None
    with store.reading() as reader:
        assert len(reader.all(AuditRow, action="logout")) == 1


def test_a_person_ends_their_other_sessions(store, people, now, password):
    first, second = log_in(store, now, password), log_in(store, now, password)
    kept = sessions.find_session(store, second.token, now)
    assert sessions.end_other_sessions(store, keep=kept.token_hash, actor=kept.actor, at=now) >= 1
    assert sessions.find_actor(store, first.token, now) is None
    assert sessions.find_actor(store, second.token, now) is not None


def test_old_sessions_are_cleared_away_at_the_next_log_in(store, people, now, password):
    log_in(store, now, password)
    log_in(store, now + timedelta(days=1), password, login="owner")
    with store.reading() as reader:
        assert len(reader.all(SessionRow)) == 1


def test_unknown_login_and_wrong_password_get_the_same_answer(store, people, now):
    assert str(fail(store, now)) == str(fail(store, now, login="nobody"))


def test_every_failure_is_audited_with_where_it_came_from(store, people, now):
    fail(store, now)
    with store.reading() as reader:
        entry = reader.first(AuditRow, action="login:failed")
    assert entry.subject == f"user/{people['author'].user_id}"
    assert HERE in entry.body


def test_what_was_typed_as_an_unknown_login_is_not_kept(store, people, now):
    fail(store, now, login="my secret password")
    with store.reading() as reader:
        assert "my secret password" not in repr([*reader.all(AuditRow), *reader.all(ThrottleRow)])


@pytest.mark.parametrize("login", ["", "a\x00b", "\ud800", "' OR 1=1 --", "x" * 10_000])
def test_any_text_can_be_tried_as_a_login(store, people, now, login):
    assert fail(store, now, login=login).rule == "login:failed"


def test_the_sixth_attempt_is_refused_even_with_the_right_password(store, people, now, password):
    for _ in range(5):
        fail(store, now)
    with pytest.raises(NotAllowed, match="Try again in 31 seconds"):
        log_in(store, now, password)


def test_after_the_wait_the_right_password_is_accepted_and_all_is_forgiven(store, people, now, password):
    for _ in range(5):
        fail(store, now)
    log_in(store, now + timedelta(seconds=31), password)
    assert fail(store, now + timedelta(seconds=32)).rule == "login:failed"


def test_each_further_failure_doubles_the_wait_up_to_15_minutes(store, people, now):
    at = now
    for _ in range(5):
        fail(store, at)
    waits = []
    for _ in range(8):
        with store.reading() as reader:
            row = next(row for row in reader.all(ThrottleRow) if row.key.startswith("account:"))
        waits.append((row.blocked_until - at).total_seconds())
        at = row.blocked_until
        fail(store, at, origin=f"192.0.2.{len(waits)}")
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


def test_throttling_one_account_leaves_the_others_alone(store, people, now, password):
    for _ in range(5):
        fail(store, now)
    assert log_in(store, now, password, login="owner").actor.login == "owner"


def test_a_source_that_sprays_many_accounts_is_stopped(store, people, now, password):
    for number in range(throttle.SOURCE_ATTEMPTS):
        fail(store, now, login=f"somebody{number}")
    with pytest.raises(NotAllowed, match="Too many"):
        log_in(store, now, password, login="owner")
    assert log_in(store, now, password, login="owner", origin="198.51.100.1").actor.login == "owner"


def test_unknown_logins_are_throttled_like_known_ones(store, people, now):
    for _ in range(5):
        fail(store, now, login="nobody")
    assert fail(store, now, login="nobody").rule == throttle.THROTTLED


def test_the_block_is_audited(store, people, now):
    for _ in range(5):
        fail(store, now)
    with store.reading() as reader:
        assert len(reader.all(AuditRow, action="login:throttled")) == 1


def test_parallel_guesses_do_not_slip_past_the_throttle(store, people, now):
    def guess(_):
        with pytest.raises(NotAllowed) as refusal:
            log_in(store, now, "not the right password")
        return refusal.value.rule

    with ThreadPoolExecutor(12) as pool:
        rules = list(pool.map(guess, range(12)))
    assert rules.count("login:failed") == throttle.ACCOUNT_ATTEMPTS


def test_failures_of_an_hour_ago_are_forgotten(store, people, now):
    for _ in range(4):
        fail(store, now)
    assert fail(store, now + timedelta(hours=2)).rule == "login:failed"
    assert fail(store, now + timedelta(hours=2)).rule == "login:failed"


def test_a_changed_password_ends_every_session_and_begins_a_new_one(store, people, now, password):
    first, second = log_in(store, now, password), log_in(store, now, password)
    new = sessions.change_password(store, first.token, current=password, new=NEW, origin=HERE, at=now)
    assert sessions.find_actor(store, first.token, now) is None
    assert sessions.find_actor(store, second.token, now) is None
    assert sessions.find_actor(store, new.token, now).login == "author"
    assert log_in(store, now, NEW).actor.login == "author"


def test_a_password_is_not_changed_without_the_current_one(store, people, now, password):
    token = log_in(store, now, password).token
    with pytest.raises(NotAllowed, match="wrong"):
        sessions.change_password(store, token, current="not the right one", new=NEW, origin=HERE, at=now)


def test_the_new_password_must_be_another_one(store, people, now, password):
    token = log_in(store, now, password).token
    with pytest.raises(InvalidInput, match="the old one"):
        sessions.change_password(store, token, current=password, new=password, origin=HERE, at=now)


def test_the_right_password_proves_identity_at_signing(store, people, now, password):
    proof = sessions.verify_password(store, actor=people["approver"], login="Approver", password=password, at=now)
    assert proof is Authentication.PASSWORD


def test_somebody_elses_password_proves_nothing(store, people, now, password):
    with pytest.raises(NotAllowed):
        sessions.verify_password(store, actor=people["approver"], login="reviewer", password=password, at=now)


def test_failed_proofs_are_audited_and_throttled(store, people, now, password):
    for _ in range(5):
        with pytest.raises(NotAllowed):
            sessions.verify_password(store, actor=people["approver"], password="not the right one", at=now)
    with pytest.raises(NotAllowed, match="Too many"):
        sessions.verify_password(store, actor=people["approver"], password=password, at=now)
    with store.reading() as reader:
        assert len(reader.all(AuditRow, action="refused", actor_id=people["approver"].user_id)) == 6


def test_a_disabled_person_proves_nothing(store, people, now, password):
    target = people["approver"]
    accounts.disable_person(store, target.user_id, reason="left", actor=people["administrator"], at=now)
    with pytest.raises(NotAllowed):
        sessions.verify_password(store, actor=target, password=password, at=now)


def test_a_password_session_is_no_proof_of_single_sign_on(store, people, now, password):
    session = log_in(store, now, password)
    with pytest.raises(NotAllowed, match="identity provider"):
        sessions.verify_single_sign_on(store, session.token, actor=session.actor, at=now)
