"""A store of every earlier release is upgraded with what is in it, and ends with the tables of this one."""

import gzip
import os

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
from modelops.store.tables import AttestationRow, EvidenceRow, ReviewRow, RunRow
from tests.store.road_store import RELEASES, approved_with_a_run, dump, restored

EARLIER = sorted(path.name.split(".")[0] for path in RELEASES.glob("*.sql.gz"))


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


def test_the_refusals_of_the_database_are_there_again(upgraded):
    with pytest.raises(IntegrityError, match="never change"), upgraded.transaction() as t:
        t.get(RunRow, 1, what="run").result = Digest.of(b"a better one")
        t.flush()


def test_a_store_of_today_can_be_kept_for_the_next_release(store, people, now, tmp_path):
    approved_with_a_run(store, people, open_keys(tmp_path / "keys", store, at=now), now)
    kept = tmp_path / "today.sql.gz"
    dump(store, kept)
    assert b'INSERT INTO "attestation"' in gzip.decompress(kept.read_bytes())
    if folder := os.environ.get("MODELOPS_KEEP_RELEASE"):
        kept.replace(f"{folder}/{HEAD}.sql.gz")
