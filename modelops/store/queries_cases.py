"""Reads about cases that people read."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from modelops.domain.case_reading import Reading
from modelops.store.tables import CaseReadingRow, CaseSettlementRow
from modelops.store.transaction import Reader

ATTACH = "case:attach"
"""In the audit trail: the verdicts on the cases of a run became evidence of a review."""


def readings_of(reader: Reader, run_id: int) -> Sequence[CaseReadingRow]:
    """Return every verdict on the cases of a run, in the order in which they were given."""
    query = select(CaseReadingRow).where(CaseReadingRow.run_id == run_id).order_by(col(CaseReadingRow.id))
    return reader.session.exec(query).all()


def settlements_of(reader: Reader, run_id: int) -> Sequence[CaseSettlementRow]:
    """Return how differences on the cases of a run were settled."""
    return reader.all(CaseSettlementRow, run_id=run_id)


def as_reading(row: CaseReadingRow | CaseSettlementRow) -> Reading:
    """Return a verdict as the domain knows it."""
    person = row.reader_id if isinstance(row, CaseReadingRow) else row.settled_by
    return Reading(row.case_row, person, row.verdict, row.note, row.right_label)
