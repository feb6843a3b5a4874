"""Analysis runs: the queue and its results in one table."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel

from modelops.domain.digest import Digest
from modelops.store.tables.base import DigestText, Moment, choice, json_type


class RunState(StrEnum):
    """The life of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = frozenset({RunState.FINISHED, RunState.FAILED, RunState.CANCELLED})


class RunRow(SQLModel, table=True):
    """One analysis on digests, parameters and a seed. ``request`` is the `EvaluationRequest`.

    ``policy`` and ``criteria`` are the bar as it was when the run was asked for; they never change (a trigger).

    ``cases`` are rows that people read one by one, with their values; they are never part of the result.

    ``attempt`` grows when a runner died and another takes over: updates of an older attempt change nothing.
    """

    __tablename__ = "run"

    id: int = Field(default=None, primary_key=True)
    analysis: str = Field(max_length=40)
    model_id: int = Field(foreign_key="model.id", index=True)
    version_id: int | None = Field(default=None, foreign_key="model_version.id", index=True)
    review_id: int | None = Field(default=None, foreign_key="review.id", index=True)
    question_id: str | None = Field(default=None, max_length=80)
    data_id: int = Field(foreign_key="dataset.id")
    reference_id: int | None = Field(default=None, foreign_key="dataset.id")
    train_id: int | None = Field(default=None, foreign_key="dataset.id")
    champion_id: int | None = Field(default=None, foreign_key="model_version.id")
    repeats_id: int | None = Field(default=None, foreign_key="run.id")
    request: dict[str, Any] = Field(sa_type=json_type())
    policy: Digest = Field(sa_type=DigestText, foreign_key="policy.digest")
    criteria: Digest | None = Field(default=None, sa_type=DigestText, foreign_key="criteria.digest")
    state: RunState = Field(default=RunState.QUEUED, sa_type=choice(RunState), index=True)
    attempt: int = 0
    progress: float = 0.0
    message: str = ""
    cancel_requested: bool = False
    runner: str = Field(default="", max_length=100)
    requested_by: int = Field(foreign_key="user.id")
    requested_at: datetime = Field(sa_type=Moment)
    started_at: datetime | None = Field(default=None, sa_type=Moment)
    heartbeat_at: datetime | None = Field(default=None, sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    result: Digest | None = Field(default=None, sa_type=DigestText, foreign_key="blob.digest")
    cases: Digest | None = Field(default=None, sa_type=DigestText, foreign_key="blob.digest")
    summary: str = ""
    verdict: str = Field(default="", max_length=40)
