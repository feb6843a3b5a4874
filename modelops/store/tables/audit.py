"""The audit trail and its signed checkpoints."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from modelops.store.tables.base import Moment


class AuditRow(SQLModel, table=True):
    """One entry. ``body`` is its exact canonical text; the other columns repeat parts of it for queries.

    ``contributes`` marks the acts after which a person is no longer independent of their ``subject``.
    """

    __tablename__ = "audit"

    sequence: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Moment, index=True)
    actor_id: int = Field(index=True)
    actor_name: str = Field(max_length=150)
    action: str = Field(max_length=60, index=True)
    subject: str = Field(max_length=150, index=True)
    contributes: bool = False
    previous: str = Field(max_length=64)
    body: str
    hash: str = Field(unique=True, max_length=64)


class CheckpointRow(SQLModel, table=True):
    """A signed statement of how long the trail was and what stood in it."""

    __tablename__ = "checkpoint"

    sequence: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Moment)
    text: str
