"""Reads about models, versions and datasets that join several tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import aliased
from sqlmodel import col, exists, select

from modelops.domain.digest import Digest
from modelops.domain.gate import ModelName
from modelops.domain.inventory import DatasetRole
from modelops.store.tables import AuditRow, DatasetRow, ModelRow, ReviewDatasetRow, ReviewRow, UserRow, VersionRow
from modelops.store.transaction import Reader

CORRECTED, CONFIRMED = "dataset:columns", "dataset:confirm"
ARCHIVED, RESTORED = "dataset:archive", "dataset:restore"


@dataclass(frozen=True)
class ModelLine:
    """One line of the inventory."""

    model: ModelRow
    owner: str
    versions: int
    latest: VersionRow | None
    review: ReviewRow | None


def inventory(reader: Reader) -> list[ModelLine]:
    """Return every model by name, with its owner, its latest version and its latest review."""
    versions: dict[int, list[VersionRow]] = {}
    for version in reader.session.exec(select(VersionRow).order_by(col(VersionRow.id))):
        versions.setdefault(version.model_id, []).append(version)
    query = select(VersionRow.model_id, ReviewRow).join(ReviewRow, col(ReviewRow.version_id) == VersionRow.id)
    reviews: dict[int, ReviewRow] = dict(reader.session.exec(query.order_by(col(ReviewRow.id))).all())
    rows = reader.session.exec(
        select(ModelRow, UserRow.name).join(UserRow, col(ModelRow.owner_id) == UserRow.id).order_by(col(ModelRow.name))
    )
    return [
        ModelLine(
            model=model,
            owner=owner,
            versions=len(versions.get(model.id, ())),
            latest=versions[model.id][-1] if model.id in versions else None,
            review=reviews.get(model.id),
        )
        for model, owner in rows
    ]


def reviews_using(reader: Reader, dataset_id: int) -> Sequence[ReviewRow]:
    """Return the reviews that rest on a dataset."""
    query = (
        select(ReviewRow)
        .join(ReviewDatasetRow, col(ReviewDatasetRow.review_id) == ReviewRow.id)
        .where(ReviewDatasetRow.dataset_id == dataset_id)
        .order_by(col(ReviewRow.id))
    )
    return reader.session.exec(query).all()


def datasets_of(reader: Reader, model_id: int, *, with_archived: bool = False) -> Sequence[DatasetRow]:
    """Return the datasets of a model, the newest first; those that are archived only where they are asked for."""
    query = select(DatasetRow).where(DatasetRow.model_id == model_id).order_by(col(DatasetRow.id).desc())
    if not with_archived:
        query = query.where(col(DatasetRow.archived_at).is_(None))
    return reader.session.exec(query).all()


def learned_among(reader: Reader, dataset_ids: Collection[int]) -> Sequence[DatasetRow]:
    """Return those of some datasets that hold what their model learned from: by their role, or by their very bytes."""
    twin = aliased(DatasetRow)
    same = exists().where(
        col(twin.model_id) == DatasetRow.model_id,
        col(twin.digest) == DatasetRow.digest,
        col(twin.role) == DatasetRole.TRAIN,
    )
    query = select(DatasetRow).where(col(DatasetRow.id).in_(dataset_ids), same).order_by(col(DatasetRow.id))
    return reader.session.exec(query).all()


def last_archiving(reader: Reader, dataset_id: int) -> AuditRow | None:
    """Return the entry in which a dataset was archived last."""
    query = select(AuditRow).where(AuditRow.subject == f"dataset/{dataset_id}", AuditRow.action == ARCHIVED)
    return reader.session.exec(query.order_by(col(AuditRow.sequence).desc()).limit(1)).first()


def settling_entries(reader: Reader, dataset_ids: Collection[int]) -> Sequence[AuditRow]:
    """Return the entries in which somebody said what columns of datasets are for, the newest first.

    A dataset without one has the columns that were guessed.
    """
    query = select(AuditRow).where(
        col(AuditRow.subject).in_([f"dataset/{number}" for number in dataset_ids]),
        col(AuditRow.action).in_((CORRECTED, CONFIRMED)),
    )
    return reader.session.exec(query.order_by(col(AuditRow.sequence).desc())).all()


def guessed_among(reader: Reader, dataset_ids: Collection[int]) -> frozenset[int]:
    """Return those of some datasets whose columns are as they were guessed, and nobody has confirmed that."""
    settled = {entry.subject for entry in settling_entries(reader, dataset_ids)}
    return frozenset(number for number in dataset_ids if f"dataset/{number}" not in settled)


def reviews_of(reader: Reader, model_id: int) -> Sequence[tuple[ReviewRow, VersionRow]]:
    """Return the reviews of all versions of a model, the newest first."""
    query = (
        select(ReviewRow, VersionRow)
        .join(VersionRow, col(ReviewRow.version_id) == VersionRow.id)
        .where(VersionRow.model_id == model_id)
        .order_by(col(ReviewRow.id).desc())
    )
    return reader.session.exec(query).all()


def versions_of_artifact(reader: Reader, digest: Digest) -> tuple[ModelName, ...]:
    """Return the registered versions whose file has these bytes, the oldest first."""
    query = (
        select(ModelRow.name, VersionRow.label)
        .join(VersionRow, col(VersionRow.model_id) == ModelRow.id)
        .where(VersionRow.artifact == digest)
        .order_by(col(VersionRow.id))
    )
    return tuple(ModelName(model=name, version=label) for name, label in reader.session.exec(query))


def reviews_of_artifact(reader: Reader, digest: Digest) -> Sequence[tuple[ReviewRow, VersionRow, str]]:
    """Return the reviews of versions whose file has these bytes, with the name of the model, the oldest first."""
    query = (
        select(ReviewRow, VersionRow, ModelRow.name)
        .join(VersionRow, col(ReviewRow.version_id) == VersionRow.id)
        .join(ModelRow, col(VersionRow.model_id) == ModelRow.id)
        .where(VersionRow.artifact == digest)
        .order_by(col(ReviewRow.id))
    )
    return reader.session.exec(query).all()


@dataclass(frozen=True)
class ReviewLine:
    """One line of the list of reviews."""

    review: ReviewRow
    version: str
    model: str


def all_reviews(reader: Reader) -> list[ReviewLine]:
    """Return every review, the newest first."""
    query = (
        select(ReviewRow, VersionRow.label, ModelRow.name)
        .join(VersionRow, col(ReviewRow.version_id) == VersionRow.id)
        .join(ModelRow, col(VersionRow.model_id) == ModelRow.id)
        .order_by(col(ReviewRow.id).desc())
    )
    return [ReviewLine(review, label, name) for review, label, name in reader.session.exec(query)]
