"""How records are written: what was shown as done is there after a power cut."""

import pytest
from sqlalchemy import text

from modelops.store.database import make_engine


@pytest.mark.usefixtures("as_in_use")
@pytest.mark.parametrize(("pragma", "expected"), [("synchronous", 2), ("journal_mode", "wal")])
def test_a_commit_returns_when_its_records_are_on_the_disk(tmp_path, pragma, expected):
    """SQLite's documentation: with a write-ahead log, FULL (2) flushes the log at each commit; NORMAL (1) does not."""
    engine = make_engine(f"sqlite:///{tmp_path / 'modelops.sqlite3'}")
    with engine.connect() as connection:
        assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == expected
    engine.dispose()
