"""Models, their versions, datasets, and the files behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from modelops.domain.columns import Task
from modelops.domain.digest import Digest
from modelops.domain.inventory import DatasetRole, RiskTier
from modelops.store.tables.base import DigestText, Moment, choice, json_type


class BlobRow(SQLModel, table=True):
    """A file that the store holds."""

    __tablename__ = "blob"

    digest: Digest = Field(sa_type=DigestText, primary_key=True)
    size: int = Field(sa_type=BigInteger)
    created_at: datetime = Field(sa_type=Moment)


class ModelRow(SQLModel, table=True):
    """A model of the inventory."""

    __tablename__ = "model"

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=150)
    purpose: str
    owner_id: int = Field(foreign_key="user.id")
    risk_tier: RiskTier = Field(sa_type=choice(RiskTier))
    business_unit: str = Field(default="", max_length=150)
    created_by: int = Field(foreign_key="user.id")
    created_at: datetime = Field(sa_type=Moment)


class VersionRow(SQLModel, table=True):
    """One immutable version of a model: a file, or predictions only (no ``artifact``).

    ``summary`` is the `ModelSummary` that the sandbox read from the file; ``dependencies`` is the digest of the
    dependency lock.
    """

    __tablename__ = "model_version"
    __table_args__ = (UniqueConstraint("model_id", "label"),)

    id: int = Field(default=None, primary_key=True)
    model_id: int = Field(foreign_key="model.id", index=True)
    label: str = Field(max_length=150)
    artifact: Digest | None = Field(default=None, sa_type=DigestText, foreign_key="blob.digest", index=True)
    artifact_name: str = Field(default="", max_length=150)
    summary: dict[str, Any] | None = Field(default=None, sa_type=json_type())
    protection: dict[str, Any] | None = Field(default=None, sa_type=json_type())
    dependencies: Digest | None = Field(default=None, sa_type=DigestText, foreign_key="blob.digest")
    dependencies_name: str = Field(default="", max_length=150)
    parent_id: int | None = Field(default=None, foreign_key="model_version.id")
    notes: str = ""
    created_by: int = Field(foreign_key="user.id")
    created_at: datetime = Field(sa_type=Moment)


class DatasetRow(SQLModel, table=True):
    """One immutable table; ``roles`` (a `ColumnRoles`) is guessed, and corrected by a person until a review uses it.

    One with ``archived_at`` is out of the way: nothing new is made with it, what was made with it stands.
    """

    __tablename__ = "dataset"

    id: int = Field(default=None, primary_key=True)
    model_id: int = Field(foreign_key="model.id", index=True)
    name: str = Field(max_length=150)
    role: DatasetRole = Field(sa_type=choice(DatasetRole))
    digest: Digest = Field(sa_type=DigestText, foreign_key="blob.digest", index=True)
    file_name: str = Field(max_length=150)
    rows: int
    summary: dict[str, Any] = Field(sa_type=json_type())
    roles: dict[str, Any] = Field(sa_type=json_type())
    task: Task | None = Field(default=None, sa_type=choice(Task))
    positive: str | None = None
    created_by: int = Field(foreign_key="user.id")
    created_at: datetime = Field(sa_type=Moment)
    archived_at: datetime | None = Field(default=None, sa_type=Moment)
