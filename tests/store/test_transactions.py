"""One writer at a time, and readers that see one state: what every service relies on, in each database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from modelops.domain.people import SYSTEM
from modelops.store.tables import AuditRow

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def add_one(store) -> str:
    """Name an entry after the number of entries that were there."""
    with store.transaction() as t:
        found = t.count(AuditRow)
        t.get(AuditRow, found, what="entry")
        return t.record(SYSTEM, "test:count", f"found/{found}", at=AT).subject


def test_what_a_writer_has_read_still_holds_when_it_writes(store):
    with store.transaction() as t:
        t.record(SYSTEM, "test:begin", "found/none", at=AT)
    with ThreadPoolExecutor(8) as writers:
        written = list(writers.map(lambda _: add_one(store), range(80)))
    assert len(set(written)) == 80


def test_a_reader_sees_one_state_while_others_write(store):
    with store.transaction() as t:
        t.record(SYSTEM, "test:begin", "found/none", at=AT)
    with store.reading() as reader:
        before = len(reader.all(AuditRow))
        add_one(store)
        assert len(reader.all(AuditRow)) == before
    with store.reading() as reader:
        assert len(reader.all(AuditRow)) == before + 1
