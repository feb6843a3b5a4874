"""A store in which every page has something to show, made through the services."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from modelops.domain.checklist import Gate
from modelops.domain.inventory import DatasetRole, RiskTier
from modelops.domain.people import Actor, Authentication
from modelops.services import catalogue, inventory, reviews, runs
from modelops.services.keyring import open_keys
from modelops.store import Store
from modelops.store.blobs import Staged
from modelops.store.queries_people import person_of_login
from modelops.store.tables import TERMINAL, RunRow, RunState
from tests.conftest import ROLES
from tests.model_files import applicants, train
from tests.services.road import answer_all, sign

PATIENCE_SECONDS = 180


def open_store(home: Path) -> Store:
    """Open the store of a server's folder beside it."""
    return Store.open(f"sqlite:///{home / 'modelops.sqlite3'}", str(home / "blobs"))


def actor(store: Store, login: str) -> Actor:
    """Return one of the people in a store."""
    with store.reading() as reader:
        found = person_of_login(reader, login)
    assert found is not None
    return Actor(found.id, found.login, found.name, found.roles, Authentication.PASSWORD, "127.0.0.1")


@contextmanager
def staged(store: Store, path: Path) -> Iterator[Staged]:
    """Take a file in as an upload does."""
    with store.blobs.stage() as taken:
        taken.add(path.read_bytes())
        yield taken


def wait_for_runs(home: Path) -> None:
    """Wait until the runner of the server has finished every analysis."""
    store = open_store(home)
    until = time.monotonic() + PATIENCE_SECONDS
    states = {RunState.QUEUED}
    while states - TERMINAL and time.monotonic() < until:
        time.sleep(0.2)
        with store.reading() as reader:
            states = {run.state for run in reader.all(RunRow)}
    store.close()
    assert states == {RunState.FINISHED}


def prepare(home: Path, database: Path, files: Path) -> None:
    """Put a model, its data, a sealed review and two waiting analyses into ``home``."""
    home.mkdir()
    shutil.copyfile(database, home / "modelops.sqlite3")
    store = open_store(home)
    people = {login: actor(store, login) for login in ROLES}
    now = {"actor": people["author"], "at": datetime.now(UTC)}
    table = applicants()
    table.to_csv(files / "applicants.csv", index=False)
    catalogue.publish_built_in(store, at=now["at"])
    model = inventory.register_model(
        store,
        **now,
        name="Credit default",
        purpose="Who will default within a year?",
        owner_id=people["owner"].user_id,
        risk_tier=RiskTier.MEDIUM,
    )
    with staged(store, train("skops", files, table).path) as artifact:
        version = inventory.register_version(
            store, model.id, **now, label="1.0", artifact=artifact, artifact_name="model.skops"
        )
    with staged(store, files / "applicants.csv") as rows:
        name = {"name": "Applicants", "file_name": "applicants.csv"}
        data = inventory.add_dataset(store, model.id, **now, **name, role=DatasetRole.TEST, staged=rows)
    for seed in (1, 2):
        runs.request_run(store, "performance", **now, data_id=data.id, version_id=version.id, seed=seed)
    for key in ("misclassified", "what_if"):
        runs.request_run(store, key, **now, data_id=data.id, version_id=version.id)
    with staged(store, train("lightgbm", files, table).path) as artifact:
        challenger = inventory.register_version(
            store, model.id, **now, label="1.1", artifact=artifact, artifact_name="model.txt"
        )
    runs.request_run(store, "performance", **now, data_id=data.id, version_id=challenger.id)
    review = reviews.open_review(store, version.id, **now, gate=Gate.PRE_DEPLOYMENT, dataset_ids=[data.id])
    answer_all(store, review, people, now["at"])
    reviews.submit(store, review.id, **now)
    keys = open_keys(home / "keys", store, at=now["at"])
    for signer in ("reviewer", "approver"):
        sign(store, review.id, people[signer], keys, now["at"])
    store.close()
