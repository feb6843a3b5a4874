"""Reads about decisions: the threshold of a version, the drift limits of a model."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import col, or_, select

from modelops.domain.decision import BODIES, DecisionBody, DecisionKind
from modelops.store.tables import DecisionRow
from modelops.store.transaction import Reader


@dataclass(frozen=True)
class Decided:
    """A decision with its record."""

    row: DecisionRow
    body: DecisionBody


def decisions_of_run(reader: Reader, run_id: int) -> list[Decided]:
    """Return what was decided on a run, the newest first."""
    query = select(DecisionRow).where(DecisionRow.run_id == run_id).order_by(col(DecisionRow.id).desc())
    return [decided(row) for row in reader.session.exec(query)]


def decisions_of_version(reader: Reader, model_id: int, version_id: int) -> list[Decided]:
    """Return what was decided for a version or for the whole model, the newest first."""
    query = (
        select(DecisionRow)
        .where(
            DecisionRow.model_id == model_id,
            or_(DecisionRow.version_id == version_id, DecisionRow.kind == DecisionKind.DRIFT_LIMITS),
        )
        .order_by(col(DecisionRow.id).desc())
    )
    return [decided(row) for row in reader.session.exec(query)]


def drift_limits(reader: Reader, model_id: int) -> Decided | None:
    """Return the drift limits that were accepted last for a model, or ``None``."""
    query = (
        select(DecisionRow)
        .where(DecisionRow.model_id == model_id, DecisionRow.kind == DecisionKind.DRIFT_LIMITS)
        .order_by(col(DecisionRow.id).desc())
        .limit(1)
    )
    row = reader.session.exec(query).first()
    return decided(row) if row else None


def decided(row: DecisionRow) -> Decided:
    """Return a decision with its record."""
    return Decided(row, BODIES[row.kind].model_validate(row.body))
