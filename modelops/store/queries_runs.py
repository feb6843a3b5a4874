"""The queue of analysis runs: claiming, reporting, finishing.

A runner claims a row by a conditional UPDATE and looks at the row count. Every later update names the attempt, so that
a runner that was thought dead cannot write over its successor.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, update
from sqlmodel import col, or_, select

from modelops.domain.digest import Digest
from modelops.store.tables import TERMINAL, DatasetRow, RunRow, RunState, VersionRow
from modelops.store.transaction import Reader, Transaction


def next_queued(reader: Reader) -> int | None:
    """Return the id of the run that has waited longest, or ``None``."""
    query = select(RunRow.id).where(RunRow.state == RunState.QUEUED).order_by(col(RunRow.id)).limit(1)
    return reader.session.exec(query).first()


def claim(t: Transaction, run_id: int, *, runner: str, at: datetime) -> RunRow | None:
    """Take a queued run; ``None`` if another runner was faster."""
    taken = _update(
        t,
        col(RunRow.id) == run_id,
        col(RunRow.state) == RunState.QUEUED,
        state=RunState.RUNNING,
        runner=runner,
        attempt=RunRow.attempt + 1,
        started_at=at,
        heartbeat_at=at,
        progress=0.0,
        message="Starting",
    )
    return t.find(RunRow, run_id) if taken else None


def report(t: Transaction, run: RunRow, *, progress: float, message: str, at: datetime) -> bool:
    """Say how far a run is; return whether it is still ours."""
    return _mine(t, run, progress=progress, message=message[:500], heartbeat_at=at)


def end(t: Transaction, run: RunRow, state: RunState, *, at: datetime, **values: Any) -> bool:
    """Finish, fail or cancel a run; return whether it was still ours."""
    return _mine(t, run, state=state, finished_at=at, **values)


def cancel_is_asked(reader: Reader, run: RunRow) -> bool:
    """Whether somebody asked to stop this run, or it is no longer ours."""
    query = select(RunRow.cancel_requested, RunRow.state, RunRow.attempt).where(RunRow.id == run.id)
    asked, state, attempt = reader.session.exec(query).one()
    return asked or state is not RunState.RUNNING or attempt != run.attempt


def abandoned(reader: Reader, *, runners: str, before: datetime) -> Sequence[RunRow]:
    """Return running rows whose runner's name starts with ``runners``, or that gave no sign since ``before``."""
    query = select(RunRow).where(
        RunRow.state == RunState.RUNNING,
        or_(col(RunRow.runner).startswith(runners, autoescape=True), col(RunRow.heartbeat_at) < before),
    )
    return reader.session.exec(query).all()


def requeue(t: Transaction, run: RunRow) -> bool:
    """Put an abandoned run back into the queue."""
    return _mine(t, run, state=RunState.QUEUED, runner="", message="Its runner stopped; waiting for another try")


def runs_of(
    reader: Reader,
    *,
    model_id: int | None = None,
    review_id: int | None = None,
    question_id: str | None = None,
    limit: int = 200,
) -> Sequence[RunRow]:
    """Return runs, the newest first."""
    query = select(RunRow).order_by(col(RunRow.id).desc()).limit(limit)
    for name, value in (("model_id", model_id), ("review_id", review_id), ("question_id", question_id)):
        if value is not None:
            query = query.where(getattr(RunRow, name) == value)
    return reader.session.exec(query).all()


def unfinished(reader: Reader) -> int:
    """Return how many runs wait or work."""
    query = select(RunRow.id).where(col(RunRow.state).not_in(TERMINAL))
    return len(reader.session.exec(query).all())


def _mine(t: Transaction, run: RunRow, **values: Any) -> bool:
    return _update(
        t,
        col(RunRow.id) == run.id,
        col(RunRow.attempt) == run.attempt,
        col(RunRow.state) == RunState.RUNNING,
        **values,
    )


def _update(t: Transaction, *conditions: Any, **values: Any) -> bool:
    statement = update(RunRow).where(*conditions).values(**values).execution_options(synchronize_session="fetch")
    result = t.session.execute(statement)
    assert isinstance(result, CursorResult)
    return bool(result.rowcount)


def inputs_of(reader: Reader, run: RunRow) -> tuple[dict[str, Digest], dict[str, str]]:
    """Return the digests of a run's files and what people call them, by part."""
    digests: dict[str, Digest] = {}
    names: dict[str, str] = {}
    for part, key in (("data", run.data_id), ("reference", run.reference_id), ("train", run.train_id)):
        if key:
            row = reader.get(DatasetRow, key, what="dataset")
            digests[part], names[part] = row.digest, row.file_name
    for part, key in (("model", run.version_id), ("champion", run.champion_id)):
        version = reader.find(VersionRow, key) if key else None
        if version and version.artifact:
            digests[part], names[part] = version.artifact, version.artifact_name
    return digests, names
