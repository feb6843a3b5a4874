"""A store of every earlier release is upgraded with what is in it, and ends with the tables of this one."""

import gzip
import os
import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from modelops.domain.digest import Digest
from modelops.services.keyring import open_keys
from modelops.store import Store
from modelops.store.database import make_engine
from modelops.store.migrate import HEAD, current, upgrade
from modelops.store.queries_audit import verify
from modelops.store.queries_review import content
from modelops.store.tables import AttestationRow, DatasetRow, EvidenceRow, ReviewRow, RunRow
from tests.store.road_store import RELEASES, approved_with_a_run, dump, restored

EARLIER = sorted(path.name.split(".")[0] for path in RELEASES.glob("*.sql.gz"))

NEW_TABLES = {"criteria": "body", "decision": "reason", "contract": "body", "case_settlement": "note"}
ROWS_OF_TODAY = (
    "INSERT INTO criteria VALUES ('d', 1, 1, '{}', '', 1, '2026-11-28')",
    "INSERT INTO decision VALUES (1, 'threshold', 1, 1, 1, 'r', '{}', 'd', 'why', 1, '2026-11-28')",
    "INSERT INTO contract VALUES (1, 1, 1, NULL, 'begin', '', '', 'd', '{}', 0, NULL, 1, '2026-11-28')",
    "INSERT INTO case_settlement VALUES (1, 7, 'model error', NULL, 'why', 1, '2026-11-28')",
)


@pytest.fixture(params=EARLIER)
def upgraded(request, tmp_path):
    """A store that was made by an earlier release: one approved review with one analysis run as evidence."""
    database = restored(request.param, tmp_path / "old.sqlite3")
    opened = Store.open(f"sqlite:///{database}", str(tmp_path / "blobs"))
    yield opened
    opened.close()


def test_there_is_a_store_of_every_release_before_this_one():
    assert [f"{number:04}" for number in range(1, int(HEAD))] == EARLIER


def test_the_upgrade_reaches_this_release(upgraded, tmp_path):
    assert current(f"sqlite:///{tmp_path / 'old.sqlite3'}") == HEAD


def test_the_upgraded_tables_are_those_of_the_program(upgraded):
    engine = make_engine(f"sqlite:///{upgraded.sqlite_file}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
    engine.dispose()


def test_a_second_upgrade_has_nothing_to_do(upgraded):
    assert not upgrade(f"sqlite:///{upgraded.sqlite_file}")


def test_the_audit_trail_still_verifies(upgraded):
    with upgraded.reading() as reader:
        assert verify(reader) is None
        assert sum(1 for _ in reader.entries()) > 60


def test_what_was_signed_has_the_digest_that_was_signed(upgraded):
    with upgraded.reading() as reader:
        review = reader.get(ReviewRow, 1, what="review")
        assert content(reader, review).digest == review.content_digest
        assert reader.get(AttestationRow, 1, what="attestation").envelope


def test_a_run_keeps_its_result_and_has_no_criteria(upgraded):
    with upgraded.reading() as reader:
        run = reader.get(RunRow, 1, what="run")
        assert run.result in {row.digest for row in reader.all(EvidenceRow, run_id=1)}
        assert run.criteria is run.champion_id is None


def test_no_dataset_is_archived_by_an_upgrade(upgraded):
    with upgraded.reading() as reader:
        assert [row.archived_at for row in reader.all(DatasetRow)] == [None]


def test_the_refusals_of_the_database_are_there_again(upgraded):
    with pytest.raises(IntegrityError, match="never change"), upgraded.transaction() as t:
        t.get(RunRow, 1, what="run").result = Digest.of(b"a better one")
        t.flush()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM run",
        "UPDATE run SET data_id = data_id + 1",
        "UPDATE run SET version_id = NULL",
        "UPDATE run SET champion_id = 1",
        "UPDATE run SET request = '{}'",
        "UPDATE run SET finished_at = '2099-01-01 00:00:00'",
        "UPDATE run SET state = 'cancelled'",
        *(f"DELETE FROM {table}" for table in NEW_TABLES),
        *(f"UPDATE {table} SET {column} = 'another'" for table, column in NEW_TABLES.items()),
    ],
)
def test_an_upgraded_database_refuses_in_plain_sql_too(upgraded, sql):
    with sqlite3.connect(upgraded.sqlite_file) as database:
        for row in ROWS_OF_TODAY:
            database.execute(row)
        with pytest.raises(sqlite3.IntegrityError, match=r"never|append-only"):
            database.execute(sql)
    database.close()


def test_a_store_of_today_can_be_kept_for_the_next_release(store, people, now, tmp_path):
    approved_with_a_run(store, people, open_keys(tmp_path / "keys", store, at=now), now)
    kept = tmp_path / "today.sql.gz"
    dump(store, kept)
    assert b'INSERT INTO "attestation"' in gzip.decompress(kept.read_bytes())
    if folder := os.environ.get("MODELOPS_KEEP_RELEASE"):
        kept.replace(f"{folder}/{HEAD}.sql.gz")
