"""Data contracts: every revision of every model's contract, none of them ever changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from modelops.domain.digest import Digest
from modelops.store.tables.base import DigestText, Moment


class ContractRow(SQLModel, table=True):
    """One revision of the data contract of a model. ``body`` is the canonical JSON of a `Contract`.

    Every act makes a revision: ``act`` is what was done, ``subject`` to which check, ``reason`` why. ``version`` is the
    number under which the revision was published, ``None`` for a draft.
    """

    __tablename__ = "contract"
    __table_args__ = (UniqueConstraint("model_id", "revision"),)

    id: int = Field(default=None, primary_key=True)
    model_id: int = Field(foreign_key="model.id", index=True)
    revision: int
    version: int | None = None
    act: str = Field(max_length=40)
    subject: str = ""
    reason: str = ""
    digest: Digest = Field(sa_type=DigestText)
    body: str
    checks: int
    run_id: int | None = Field(default=None, foreign_key="run.id")
    created_by: int = Field(foreign_key="user.id")
    created_at: datetime = Field(sa_type=Moment)
