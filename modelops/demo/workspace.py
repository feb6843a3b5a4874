"""Loads the example workspace: three models, taken through the services as people would.

One model went all the way (signed and sealed), one is in review with an open finding, one has just begun. Everything
happens at the time of loading; nothing is dated back. Only the data is older (`modelops.demo.generator`).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from modelops.demo import credit_default, unfinished
from modelops.demo.analysing import Analysing
from modelops.demo.cast import Clock, assemble, dismiss, refuse_taken_logins
from modelops.demo.stage import Progress, Stage
from modelops.demo.texts import figures_in, texts_of
from modelops.domain.people import Actor, Right
from modelops.errors import Conflict, ModelOpsError, WorkerFailed
from modelops.services import catalogue
from modelops.services.keyring import Keys
from modelops.services.people import NewPassword
from modelops.settings import ROOT, Settings
from modelops.settings import settings as current_settings
from modelops.store import Store
from modelops.store.tables import ModelRow

TRAINING_SECONDS = 300
_SEED = 1


def load(
    store: Store,
    keys: Keys,
    *,
    actor: Actor,
    at: datetime,
    progress: Progress,
    settings: Settings | None = None,
) -> list[NewPassword]:
    """Load the example; return its accounts with passwords that are shown once and changed at the first log-in.

    Parameters
    ----------
    store : Store
        Without models.
    keys : Keys
        Seal the finished review.
    actor : Actor
        An administrator, who makes the accounts.
    at : datetime
        Now.
    progress : callable
        Told how far the loading is, from 0 to 1, and what is being done.
    settings : Settings, optional
        Limits of the sandboxed processes; those of this process, if left out.

    Raises
    ------
    NotAllowed
        If ``actor`` is no administrator.
    Conflict
        If the store has models, or one of the logins is taken; nothing was made.
    WorkerFailed
        If the training failed; nothing was made.
    ModelOpsError
        If it stopped half-way; it says what to do.
    """
    actor.require(Right.ADMINISTER)
    _refuse_used(store)
    refuse_taken_logins(store)
    clock = Clock(at)
    with tempfile.TemporaryDirectory(prefix="modelops-example-") as folder:
        progress(0.01, "Making the data and training the models")
        train(Path(folder))
        try:
            return _play(store, keys, Path(folder), actor, clock, progress, settings or current_settings())
        except ModelOpsError as error:
            raise type_of(error)(
                f"The example was loaded only in part, because of this: {error} What is there can be looked at. "
                "To load it whole, stop the app, start it with an empty folder (MODELOPS_HOME), and load it again."
            ) from error


def type_of(error: ModelOpsError) -> type[ModelOpsError]:
    """Return the kind of error to raise again: the plain one for those that need more than a message."""
    return type(error) if type(error) in {Conflict, WorkerFailed} else ModelOpsError


def train(folder: Path, *, seed: int = _SEED) -> None:
    """Run the training in a process of its own.

    Raises
    ------
    WorkerFailed
        With the end of what it printed, if it did not succeed in time.
    """
    command = [sys.executable, "-m", "modelops.demo.training", str(folder), "--seed", str(seed)]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, arguments made here
            command, cwd=ROOT, capture_output=True, text=True, timeout=TRAINING_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise WorkerFailed(
            f"The training of the example did not end within {TRAINING_SECONDS} seconds; nothing was loaded. Try again "
            "when the machine has less to do."
        ) from error
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise WorkerFailed(f"The training of the example failed; nothing was loaded: {last[0][:300]}")


def _refuse_used(store: Store) -> None:
    with store.reading() as reader:
        if reader.first(ModelRow):
            raise Conflict(
                "This store has models already; the example is for an empty one, so that nobody takes it for real. "
                "Start the app with another MODELOPS_HOME and load it there."
            )


def _play(
    store: Store, keys: Keys, folder: Path, actor: Actor, clock: Clock, progress: Progress, settings: Settings
) -> list[NewPassword]:
    progress(0.15, "Making accounts")
    catalogue.publish_built_in(store, at=clock())
    players = assemble(store, actor=actor, clock=clock)
    papers = (folder / "credit_default" / "papers",)
    stage = Stage(store, keys, clock, players, folder, figures_in(folder), texts_of("texts"), papers)
    progress(0.2, f"Registering {credit_default.NAME}")
    registered = credit_default.register(stage)
    review_id, runs = credit_default.open_with_runs(stage, registered)
    analysing = Analysing(store, settings)
    progress(0.45, f"Registering {unfinished.LINE}")
    line_review_id, line_runs = unfinished.register_line(stage)
    analysing.start()
    progress(0.5, "Answering the checklist while the analyses run")
    given = credit_default.answered(stage, review_id)
    credit_default.waive_prejudice(stage, review_id)
    unfinished.begin_pricing(stage)
    progress(0.6, "Waiting for the analyses")
    analysing.finish([*runs.values(), *line_runs.values()])
    progress(0.85, "Reviewing")
    stage.attach_runs(review_id, given, runs, by=credit_default.responsible)
    credit_default.reviewed(stage, review_id)
    unfinished.submit_line(stage, line_review_id, line_runs)
    progress(0.95, "Signing and sealing")
    credit_default.signed(stage, review_id)
    accounts = dismiss(store, players, clock=clock)
    progress(1.0, "Loaded")
    return accounts
