"""Real runs to decide on, worked off by the real runner."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np

from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.inventory import DatasetRole
from modelops.domain.people import Actor
from modelops.jobs.runner import Runner
from modelops.services import inventory, runs
from modelops.settings import Settings
from modelops.store import Store
from modelops.store.tables import RunRow
from tests.remembered import remembered

ROLES = ColumnRoles(features=("income",), target="late", scores=("score",), sensitive=("sex",))


def table(rows: int, seed: int) -> bytes:
    """Return a table of loans in CSV: income, sex, what came true, the score of a model."""
    rng = np.random.default_rng(seed)
    late = rng.random(rows) < 0.3
    score = np.clip(0.3 * late + rng.normal(0.35, 0.15, rows), 0, 1).round(4)
    lines = zip(rng.normal(50, 9, rows).round(2), rng.choice(["f", "m"], rows), late.astype(int), score, strict=True)
    return "\n".join(["income,sex,late,score", *(",".join(map(str, line)) for line in lines)]).encode()


@remembered
def add(store: Store, actor: Actor, at: datetime, role: DatasetRole, *, rows: int = 400, seed: int = 0) -> int:
    """Add a table to the first model; return its number."""
    with store.blobs.stage() as staged:
        staged.add(table(rows, seed))
        given = {"name": str(role), "role": role, "file_name": f"{role}.csv"}
        data = inventory.add_dataset(store, 1, actor=actor, at=at, staged=staged, **given)
    meaning = {"roles": ROLES, "task": Task.CLASSIFICATION, "positive": "1"}
    inventory.correct_columns(store, data.id, actor=actor, at=at, **meaning)
    return data.id


@remembered
def ran(store: Store, home: Path, key: str, *, actor: Actor, at: datetime, **inputs: object) -> RunRow:
    """Ask for a run and work off the queue."""
    return worked(store, home, runs.request_run(store, key, actor=actor, at=at, version_id=1, **inputs))


def worked(store: Store, home: Path, run: RunRow) -> RunRow:
    """Work off the queue as the job runner does."""
    runner = Runner(store, Settings(home=home))
    while claimed := runner.claim():
        runner.run(claimed)
    with store.reading() as reader:
        return reader.get(RunRow, run.id, what="run")
