"""What people set before a result and decide after it: acceptance criteria and decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from modelops.domain.decision import DecisionKind
from modelops.domain.digest import Digest
from modelops.store.tables.base import DigestText, Moment, choice, json_type


class CriteriaDraftRow(SQLModel, table=True):
    """The acceptance criteria of a version as they are being written; ``body`` is a `Criteria`.

    ``revision`` grows with every change, so that two people do not overwrite one another.
    """

    __tablename__ = "criteria_draft"

    version_id: int = Field(foreign_key="model_version.id", primary_key=True)
    body: dict[str, Any] = Field(sa_type=json_type())
    revision: int = 0
    updated_by: int = Field(foreign_key="user.id")
    updated_at: datetime = Field(sa_type=Moment)


class CriteriaRow(SQLModel, table=True):
    """Frozen acceptance criteria of a version: ``body`` is the canonical text of a `CriteriaSet`, never changed."""

    __tablename__ = "criteria"
    __table_args__ = (UniqueConstraint("version_id", "number"),)

    digest: Digest = Field(sa_type=DigestText, primary_key=True)
    version_id: int = Field(foreign_key="model_version.id", index=True)
    number: int
    body: str
    reason: str = ""
    frozen_by: int = Field(foreign_key="user.id")
    frozen_at: datetime = Field(sa_type=Moment)


class DecisionRow(SQLModel, table=True):
    """A choice that a person made with a result in view, and why. A later one of the same kind takes its place.

    ``body`` is the record of the kind: a `ThresholdDecision` or a `DriftLimits`.
    """

    __tablename__ = "decision"

    id: int = Field(default=None, primary_key=True)
    kind: DecisionKind = Field(sa_type=choice(DecisionKind))
    model_id: int = Field(foreign_key="model.id", index=True)
    version_id: int | None = Field(default=None, foreign_key="model_version.id", index=True)
    run_id: int = Field(foreign_key="run.id", index=True)
    result: Digest = Field(sa_type=DigestText)
    body: dict[str, Any] = Field(sa_type=json_type())
    digest: Digest = Field(sa_type=DigestText)
    reason: str
    decided_by: int = Field(foreign_key="user.id")
    decided_at: datetime = Field(sa_type=Moment)
