"""Cases that people read: the verdicts of up to two readers on each, and how a difference was settled."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from modelops.domain.case_reading import CaseVerdict
from modelops.store.tables.base import Moment, choice


class CaseReadingRow(SQLModel, table=True):
    """One person's verdict on one case of a run. It stands still once a second person has given theirs (a trigger)."""

    __tablename__ = "case_reading"
    __table_args__ = (UniqueConstraint("run_id", "case_row", "reader_id"),)

    id: int = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id", index=True)
    case_row: int
    reader_id: int = Field(foreign_key="user.id")
    verdict: CaseVerdict = Field(sa_type=choice(CaseVerdict))
    right_label: str | None = None
    note: str = ""
    at: datetime = Field(sa_type=Moment)


class CaseSettlementRow(SQLModel, table=True):
    """The verdict that stands where two readers differed, and why. Never changed."""

    __tablename__ = "case_settlement"

    run_id: int = Field(foreign_key="run.id", primary_key=True)
    case_row: int = Field(primary_key=True)
    verdict: CaseVerdict = Field(sa_type=choice(CaseVerdict))
    right_label: str | None = None
    note: str
    settled_by: int = Field(foreign_key="user.id")
    at: datetime = Field(sa_type=Moment)
