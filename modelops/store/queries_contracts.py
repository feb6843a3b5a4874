"""Reads about data contracts: the newest revision, what was published, the history."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from modelops.store.tables import ContractRow
from modelops.store.transaction import Reader


def newest(reader: Reader, model_id: int) -> ContractRow | None:
    """Return the newest revision of a model's contract, draft or published, or ``None`` if it has none."""
    query = select(ContractRow).where(ContractRow.model_id == model_id).order_by(col(ContractRow.revision).desc())
    return reader.session.exec(query.limit(1)).first()


def published(reader: Reader, model_id: int) -> ContractRow | None:
    """Return the newest published version of a model's contract, or ``None``."""
    query = select(ContractRow).where(ContractRow.model_id == model_id, col(ContractRow.version).is_not(None))
    return reader.session.exec(query.order_by(col(ContractRow.revision).desc()).limit(1)).first()


def revisions(reader: Reader, model_id: int, *, limit: int) -> Sequence[ContractRow]:
    """Return the revisions of a model's contract, the newest first."""
    query = select(ContractRow).where(ContractRow.model_id == model_id).order_by(col(ContractRow.revision).desc())
    return reader.session.exec(query.limit(limit)).all()
