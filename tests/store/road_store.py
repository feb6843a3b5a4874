"""A store with something in every room, and its dump: what later releases must be able to upgrade."""

from __future__ import annotations

import gzip
import sqlite3
from datetime import datetime
from pathlib import Path

from modelops.domain.canonical import canonical_bytes
from modelops.domain.inventory import DatasetRole
from modelops.domain.people import Actor
from modelops.domain.result import AnalysisResult
from modelops.services import evidence, files, inventory, reviews, runs
from modelops.services.keyring import Keys
from modelops.store import Store, queries_runs
from modelops.store.tables import DatasetRow, ReviewRow, RunRow, RunState
from tests.remembered import remembered
from tests.services.road import answer_all, opened, sign

RELEASES = Path(__file__).parent / "releases"
ROWS = "income,target,score\n" + "\n".join(f"{n * 7 % 90},{'yes' if n % 3 else 'no'},{n % 10 / 10}" for n in range(60))


def approved_with_a_run(store: Store, people: dict[str, Actor], keys: Keys, at: datetime) -> ReviewRow:
    """Return an approved and sealed review whose evidence is an analysis run on a dataset."""
    author = people["author"]
    review = opened(store, people, at)
    data = with_data(store, author, at)
    run = finished(store, author, at, data_id=data.id, version_id=review.version_id)
    answer_all(store, review, people, at)
    evidence.attach_run(store, run.id, review.id, "problem.done", actor=author, at=at)
    reviews.submit(store, review.id, actor=author, at=at)
    sign(store, review.id, people["reviewer"], keys, at)
    return sign(store, review.id, people["approver"], keys, at)


@remembered
def with_data(store: Store, actor: Actor, at: datetime) -> DatasetRow:
    """Return a small dataset of the first model."""
    with store.blobs.stage() as staged:
        staged.add(ROWS.encode())
        given = {"name": "Holdout", "role": DatasetRole.TEST, "file_name": "holdout.csv"}
        return inventory.add_dataset(store, 1, actor=actor, at=at, staged=staged, **given)


def finished(store: Store, actor: Actor, at: datetime, **inputs: int) -> RunRow:
    """Return a run that ended with a small result of its own; no sandbox is needed for it."""
    run = runs.request_run(store, "performance", actor=actor, at=at, **inputs)
    result = AnalysisResult.model_validate(
        {
            "schema": "modelops.result/1", "analysis": "performance", "inputs": {}, "task": "classification",
            "parameters": {}, "seed": 0, "environment": {}, "protection": {"level": "A"}, "summary": "Fine.",
            "measurements": [],
        }
    )  # fmt: skip
    with store.transaction() as t:
        claimed = queries_runs.claim(t, run.id, runner="test", at=at)
        digest = files.keep(store, t, canonical_bytes(result), at=at)
        queries_runs.end(t, claimed, RunState.FINISHED, at=at, result=digest, summary="Fine.", verdict="passed")
        return t.get(RunRow, run.id, what="run")


def dump(store: Store, path: Path) -> None:
    """Write the records of ``store`` as SQL."""
    with sqlite3.connect(store.sqlite_file or "") as database:
        path.write_bytes(gzip.compress("\n".join(database.iterdump()).encode(), mtime=0))


def restored(release: str, database: Path) -> Path:
    """Make ``database`` what a store of ``release`` held."""
    with sqlite3.connect(database) as made:
        made.executescript(gzip.decompress((RELEASES / f"{release}.sql.gz").read_bytes()).decode())
    return database
