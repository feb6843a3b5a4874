"""What happened to a model and to everything that belongs to it, from the audit trail."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from modelops.store.tables import AuditRow, DatasetRow, ReviewRow, RunRow, VersionRow
from modelops.store.transaction import Reader


def history_of_model(reader: Reader, model_id: int, *, limit: int) -> Sequence[AuditRow]:
    """Return the newest entries about a model, its versions, its datasets, its reviews as a whole and its runs."""
    versions = list(reader.session.exec(select(VersionRow.id).where(VersionRow.model_id == model_id)))
    newest_runs = select(RunRow.id).where(RunRow.model_id == model_id).order_by(col(RunRow.id).desc()).limit(limit)
    parts = {
        "version": versions,
        "dataset": list(reader.session.exec(select(DatasetRow.id).where(DatasetRow.model_id == model_id))),
        "review": list(reader.session.exec(select(ReviewRow.id).where(col(ReviewRow.version_id).in_(versions)))),
        "run": list(reader.session.exec(newest_runs)),
    }
    subjects = [f"model/{model_id}", *(f"{kind}/{number}" for kind, numbers in parts.items() for number in numbers)]
    query = select(AuditRow).where(col(AuditRow.subject).in_(subjects))
    return reader.session.exec(query.order_by(col(AuditRow.sequence).desc()).limit(limit)).all()


def runs_repeating(reader: Reader, run_id: int) -> Sequence[RunRow]:
    """Return the runs that recompute another one, the oldest first."""
    return reader.session.exec(select(RunRow).where(RunRow.repeats_id == run_id).order_by(col(RunRow.id))).all()


def runs_on(reader: Reader, dataset_id: int, *, limit: int) -> Sequence[RunRow]:
    """Return the runs that look at a dataset, the newest first."""
    query = select(RunRow).where(RunRow.data_id == dataset_id).order_by(col(RunRow.id).desc()).limit(limit)
    return reader.session.exec(query).all()
