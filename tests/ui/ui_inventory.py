"""A small inventory that the tests of pages share: made once through the services, the real sandbox included."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from modelops.domain.inventory import DatasetRole, RiskTier
from modelops.domain.people import Actor, Authentication
from modelops.jobs.runner import Runner
from modelops.services import catalogue, inventory, runs
from modelops.settings import Settings
from modelops.store import Store
from modelops.store.queries_people import person_of_login

ROWS = 300
MADE_AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """Where the inventory lies: a database and the files beside it."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "modelops.sqlite3"

    def hand_files_to(self, folder: Path) -> None:
        """Copy the files to where a test's store looks for them."""
        shutil.copytree(self.folder / "blobs", folder / "blobs", dirs_exist_ok=True)


def decisions(seed: int = 5) -> pd.DataFrame:
    """Make a table with an outcome, predictions and a sensitive column."""
    rng = np.random.default_rng(seed)
    score = rng.random(ROWS).round(4)
    return pd.DataFrame(
        {
            "case_id": np.arange(ROWS) + 1000,
            "income": rng.normal(40, 10, ROWS).round(2),
            "region": rng.choice(["north", "south"], ROWS),
            "sex": rng.choice(["female", "male"], ROWS),
            "target": (rng.random(ROWS) < score).astype(int),
            "prediction": (score >= 0.5).astype(int),
            "score": score,
        }
    )


def author_of(store: Store) -> Actor:
    """Return the author as an actor."""
    with store.reading() as reader:
        found = person_of_login(reader, "author")
    return Actor(found.id, found.login, found.name, found.roles, Authentication.PASSWORD, "127.0.0.1")


def make(folder: Path, peopled: Path, at: datetime, *, with_runs: bool = False) -> Made:
    """Make the inventory: one model, one version without a file, two tables; and two runs that say the same."""
    made = Made(folder)
    shutil.copyfile(peopled, made.database)
    store = Store.open(f"sqlite:///{made.database}", str(folder / "blobs"))
    author = author_of(store)
    catalogue.publish_built_in(store, at=at)
    model = inventory.register_model(
        store,
        actor=author,
        at=at,
        name="Credit *default*",
        purpose="Who will default within a year?",
        owner_id=author.user_id,
        risk_tier=RiskTier.MEDIUM,
    )
    version = inventory.register_version(store, model.id, actor=author, at=at, label="1.0")
    for name, role in (("cases", DatasetRole.TEST), ("earlier", DatasetRole.REFERENCE)):
        path = folder / f"{name}.csv"
        decisions(len(name)).to_csv(path, index=False)
        with store.blobs.stage(limit=1 << 20) as staged:
            staged.add(path.read_bytes())
            inventory.add_dataset(
                store, model.id, actor=author, at=at, name=name, role=role, staged=staged, file_name=path.name
            )
    if with_runs:
        first = runs.request_run(store, "performance", actor=author, at=at, data_id=1, version_id=version.id)
        work(store, folder)
        runs.run_again(store, first.id, actor=author, at=at)
        work(store, folder)
    store.close()
    return made


def work(store: Store, home: Path) -> None:
    """Work off the queue as the job runner does."""
    runner = Runner(store, Settings(home=home))
    while run := runner.claim():
        runner.run(run)
