"""The audit trail: append-only, chained, and complete under load."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError

from modelops.domain.people import SYSTEM
from modelops.store import Store
from modelops.store.queries_audit import verify
from tests import behind
from tests.postgresql import SQLITE_ALONE

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

COPIED = "at, actor_id, actor_name, action, subject, contributes"

WRITER = """
import sys
from datetime import UTC, datetime
from modelops.domain.people import SYSTEM
from modelops.store import Store
store = Store.open(sys.argv[1], sys.argv[2])
for number in range(25):
    with store.transaction() as t:
        t.record(SYSTEM, "test:write", f"writer/{sys.argv[3]}", at=datetime.now(UTC), new={"number": number})
"""


def written(store: Store, count: int = 3) -> None:
    for number in range(count):
        with store.transaction() as t:
            t.record(SYSTEM, "test:write", "thing/1", at=NOW, new={"number": number})


def broken(store: Store):
    with store.reading() as reader:
        return verify(reader)


def test_entries_of_eight_processes_are_all_there_and_chained(store, tmp_path):
    command = [sys.executable, "-c", WRITER, behind.address(store), str(tmp_path / "blobs")]
    writers = [subprocess.Popen([*command, str(number)]) for number in range(8)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 8
    with store.reading() as reader:
        assert sum(1 for _ in reader.entries()) == 200
    assert broken(store) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET body = '{}' WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = 3",
        pytest.param(
            f"INSERT OR REPLACE INTO audit SELECT 2, {COPIED}, previous, body, hash FROM audit WHERE sequence = 2",
            marks=SQLITE_ALONE,
        ),
        f"INSERT INTO audit SELECT 9, {COPIED}, hash, body, 'x' FROM audit WHERE sequence = 3",
    ],
)
def test_the_database_refuses_to_rewrite_the_trail(store, statement):
    written(store)
    with pytest.raises(IntegrityError):
        behind.run(store, statement)
    assert broken(store) is None


@pytest.mark.parametrize(
    "column", ["body = replace(body, 'test:write', 'test:wrote')", "actor_id = 7", "at = '2020-01-01 00:00:00.000000'"]
)
def test_an_entry_changed_behind_the_triggers_is_named(store, column):
    with store.reading() as reader:
        before = sum(1 for _ in reader.entries())
    written(store)
    behind.drop_trigger(store, "audit_no_update", table="audit")
    behind.run(store, f"UPDATE audit SET {column} WHERE sequence = {before + 2}")
    assert broken(store).sequence == before + 2


def test_a_change_and_its_entry_are_undone_together(store):
    written(store)
    with pytest.raises(RuntimeError), store.transaction() as t:
        t.record(SYSTEM, "test:write", "thing/2", at=NOW)
        raise RuntimeError
    with store.reading() as reader:
        assert not [row for row in reader.entries() if row.subject == "thing/2"]


def test_a_time_without_a_zone_is_refused(store):
    with pytest.raises(Exception, match="time zone"), store.transaction() as t:
        t.record(SYSTEM, "test:write", "thing/1", at=datetime(2026, 1, 1))  # noqa: DTZ001
