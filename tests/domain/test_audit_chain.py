import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from modelops.domain.audit import (
    GENESIS,
    AuditEntry,
    ChainRow,
    entry_bytes,
    entry_hash,
    read_entry,
    verify_chain,
)
from modelops.errors import InvalidInput, VerificationFailed


def entry(sequence, **changes):
    fields = {
        "sequence": sequence,
        "at": "2026-11-23T09:00:00.000001Z",
        "actor_id": 3,
        "actor_name": "Owner",
        "action": "answer:change",
        "subject": "review/7",
        "old": {"result": "not assessed"},
        "new": {"result": "met", "weights": [1, 2.5, None]},
    }
    return AuditEntry.model_validate(fields | changes)


def chain(length):
    rows, previous = [], GENESIS
    for sequence in range(1, length + 1):
        body = entry_bytes(entry(sequence))
        rows.append(ChainRow(sequence, previous, body, entry_hash(previous, sequence, body)))
        previous = rows[-1].hash
    return rows


def test_the_hash_is_that_of_its_description():
    body = b'{"a":1}'
    previous = "ab" * 32
    by_hand = hashlib.sha256(
        b"audit-v1\x00" + b"\x00\x00\x00\x00\x00\x00\x01\x02" + b"\xab" * 32 + hashlib.sha256(body).digest()
    )
    assert entry_hash(previous, 258, body) == by_hand.hexdigest()


def test_an_entry_has_canonical_bytes_and_reads_back():
    body = entry_bytes(entry(1))
    assert list(json.loads(body)) == sorted(json.loads(body))
    assert read_entry(body) == entry(1)


def test_what_is_no_entry_is_refused():
    with pytest.raises(VerificationFailed, match="not an audit entry"):
        read_entry(b'{"sequence":1}')


@pytest.mark.parametrize(
    "at", ["2026-11-23T09:00:00Z", "2026-11-23T09:00:00.000000+00:00", "2026-02-30T00:00:00.000000Z"]
)
def test_a_time_in_another_form_is_refused(at):
    with pytest.raises(ValidationError):
        entry(1, at=at)


def test_an_unbroken_chain_verifies():
    assert verify_chain(chain(5)) is None
    assert verify_chain([]) is None


def test_a_chain_can_be_verified_from_where_it_was_left():
    rows = chain(6)
    assert verify_chain(rows[3:], after=(3, rows[2].hash)) is None
    assert verify_chain(rows[3:], after=(3, GENESIS)).sequence == 4


@given(st.data())
def test_any_changed_byte_of_any_entry_names_that_entry(data):
    rows = chain(4)
    at = data.draw(st.integers(0, 3))
    body = bytearray(rows[at].body)
    body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    rows[at] = rows[at]._replace(body=bytes(body))
    assert verify_chain(rows).sequence == at + 1


@pytest.mark.parametrize("removed", [0, 1, 2])
def test_a_removed_entry_is_named(removed):
    rows = chain(4)
    del rows[removed]
    assert verify_chain(rows).sequence == removed + 1


def test_an_added_entry_is_named():
    rows = chain(3)
    assert verify_chain([*rows[:2], rows[1], *rows[2:]]).sequence == 3


def test_entries_that_changed_places_are_named():
    rows = chain(4)
    rows[1], rows[2] = rows[2], rows[1]
    assert verify_chain(rows).sequence == 2


def test_an_entry_hashed_anew_is_named_by_the_next():
    rows = chain(3)
    body = entry_bytes(entry(2, actor_name="Somebody else"))
    rows[1] = ChainRow(2, rows[0].hash, body, entry_hash(rows[0].hash, 2, body))
    found = verify_chain(rows)
    assert (found.sequence, "stands on" in found.reason) == (3, True)


def test_an_entry_that_calls_itself_by_another_number_is_named():
    body = entry_bytes(entry(9))
    assert "calls itself entry 9" in verify_chain([(1, GENESIS, body, entry_hash(GENESIS, 1, body))]).reason


def test_entries_cut_off_at_the_end_are_not_seen_by_the_chain_alone():
    # Why there are checkpoints: tests/attest/test_attest_checkpoint.py.
    assert verify_chain(chain(5)[:3]) is None


@pytest.mark.parametrize(("previous", "sequence"), [("xyz", 1), (GENESIS.upper() + "0", 1), (GENESIS, 0)])
def test_a_hash_of_nonsense_is_refused(previous, sequence):
    with pytest.raises(InvalidInput):
        entry_hash(previous, sequence, b"")
