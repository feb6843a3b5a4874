"""What the numbers in the audit trail stand for, looked up in one query for each kind of thing, however many there are.

The trail says ``version/12`` and always will. Names are read beside it and never written into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, cast, exists, func, literal, type_coerce
from sqlmodel import col, or_, select

from modelops.store.tables import (
    AuditRow,
    DatasetRow,
    EvidenceRow,
    FindingRow,
    ModelRow,
    PolicyRow,
    ReviewRow,
    RunRow,
    TemplateRow,
    UserRow,
    VersionRow,
    WaiverRow,
)
from modelops.store.transaction import Reader

SHORT = 12  # the digits of a digest that stand in a subject, see `Digest.short`
_AT_ONCE = 5_000  # a database takes some ten thousand values in one question


@dataclass(frozen=True)
class Known:
    """What the store knows of one thing: its own name, the model it belongs to, and what else tells it apart.

    ``label`` is that of a version; ``also`` is the title of what it is part of, or the key of an analysis.
    """

    name: str
    model_id: int | None = None
    model: str = ""
    label: str = ""
    also: str = ""


Key = tuple[str, str]


def known(reader: Reader, wanted: Iterable[Key]) -> dict[Key, Known]:
    """Return what is known of things, each by its kind and its number or short digest; what is gone is left out."""
    by_kind: dict[str, set[str]] = {}
    for kind, key in wanted:
        by_kind.setdefault(kind, set()).add(key)
    found: dict[Key, Known] = {}
    for kind, keys in by_kind.items():
        if kind in _BY_NUMBER:
            numbers = sorted(int(key) for key in keys if _is_number(key))
            for part in _parts(numbers):
                found |= {(kind, str(number)): one for number, one in _BY_NUMBER[kind](reader, part)}
        elif kind in _BY_DIGEST:
            for digits in _parts(sorted(keys)):
                found |= {(kind, str(digest)): one for digest, one in _BY_DIGEST[kind](reader, digits)}
    return found


def about_model(model_id: int) -> ColumnElement[bool]:
    """Return the condition that an entry is about a model or anything that belongs to it."""
    versions = select(VersionRow.id).where(VersionRow.model_id == model_id)
    reviews = select(ReviewRow.id).where(col(ReviewRow.version_id).in_(versions))
    subject = col(AuditRow.subject)
    numbered = {
        "version": versions,
        "dataset": select(DatasetRow.id).where(DatasetRow.model_id == model_id),
        "run": select(RunRow.id).where(RunRow.model_id == model_id),
        "review": reviews,
        **{
            kind: select(table.id).where(col(table.review_id).in_(reviews))
            for kind, table in (("finding", FindingRow), ("waiver", WaiverRow), ("evidence", EvidenceRow))
        },
    }
    of_review = literal("review/") + cast(col(ReviewRow.id), String)
    inside = exists().where(col(ReviewRow.id).in_(reviews), subject.startswith(of_review + "/"))
    files = select(literal("gate/") + _short(col(VersionRow.artifact))).where(VersionRow.model_id == model_id)
    return or_(
        subject == f"model/{model_id}",
        *(subject.in_(_subjects(kind, numbers)) for kind, numbers in numbered.items()),
        subject.startswith("review/") & inside,
        subject.in_(files),
    )


def _subjects(kind: str, numbers: Any) -> Any:
    (number,) = numbers.selected_columns
    return numbers.with_only_columns(literal(f"{kind}/") + cast(number, String))


def _short(digest: Any) -> ColumnElement[str]:
    return func.substr(type_coerce(digest, String), len("sha256:") + 1, SHORT)


def _is_number(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < 10


def _parts(keys: Sequence[str] | Sequence[int]) -> Iterator[Sequence[str] | Sequence[int]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


Numbers = Sequence[str] | Sequence[int]
Answers = Iterator[tuple[object, Known]]


def _models(reader: Reader, numbers: Numbers) -> Answers:
    query = select(ModelRow.id, ModelRow.name).where(col(ModelRow.id).in_(numbers))
    for number, name in reader.session.exec(query):
        yield number, Known(name, number, name)


def _people(reader: Reader, numbers: Numbers) -> Answers:
    query = select(UserRow.id, UserRow.name).where(col(UserRow.id).in_(numbers))
    for number, name in reader.session.exec(query):
        yield number, Known(name)


def _versions(reader: Reader, numbers: Numbers) -> Answers:
    query = (
        select(VersionRow.id, VersionRow.label, ModelRow.id, ModelRow.name)
        .join(ModelRow, col(ModelRow.id) == VersionRow.model_id)
        .where(col(VersionRow.id).in_(numbers))
    )
    for number, label, model_id, model in reader.session.exec(query):
        yield number, Known(label, model_id, model, label)


def _datasets(reader: Reader, numbers: Numbers) -> Answers:
    query = (
        select(DatasetRow.id, DatasetRow.name, ModelRow.id, ModelRow.name)
        .join(ModelRow, col(ModelRow.id) == DatasetRow.model_id)
        .where(col(DatasetRow.id).in_(numbers))
    )
    for number, name, model_id, model in reader.session.exec(query):
        yield number, Known(name, model_id, model)


def _reviews(reader: Reader, numbers: Numbers) -> Answers:
    query = (
        select(ReviewRow, VersionRow.label, ModelRow.id, ModelRow.name)
        .join(VersionRow, col(VersionRow.id) == ReviewRow.version_id)
        .join(ModelRow, col(ModelRow.id) == VersionRow.model_id)
        .where(col(ReviewRow.id).in_(numbers))
    )
    for review, label, model_id, model in reader.session.exec(query):
        yield review.id, Known(_review(review), model_id, model, label)


def _review(review: ReviewRow) -> str:
    return f"{review.gate} review (round {review.round})"


def _runs(reader: Reader, numbers: Numbers) -> Answers:
    query = (
        select(RunRow, DatasetRow.name, VersionRow.label, ModelRow.name)
        .join(DatasetRow, col(DatasetRow.id) == RunRow.data_id)
        .join(ModelRow, col(ModelRow.id) == RunRow.model_id)
        .outerjoin(VersionRow, col(VersionRow.id) == RunRow.version_id)
        .where(col(RunRow.id).in_(numbers))
    )
    for run, data, label, model in reader.session.exec(query):
        yield run.id, Known(data, run.model_id, model, label or "", also=run.analysis)


def _part_of_review(table: Any) -> Callable[[Reader, Numbers], Answers]:
    def look_up(reader: Reader, numbers: Numbers) -> Answers:
        query = (
            select(table, ReviewRow, VersionRow.label, ModelRow)
            .join(ReviewRow, col(ReviewRow.id) == table.review_id)
            .join(VersionRow, col(VersionRow.id) == ReviewRow.version_id)
            .join(ModelRow, col(ModelRow.id) == VersionRow.model_id)
            .where(col(table.id).in_(numbers))
        )
        for row, review, label, model in reader.session.exec(query):
            name = row.question_id or "" if isinstance(row, WaiverRow) else row.title
            yield row.id, Known(name, model.id, model.name, label, also=_review(review))

    return look_up


def _published(table: Any) -> Callable[[Reader, Numbers], Answers]:
    def look_up(reader: Reader, digests: Numbers) -> Answers:
        short = _short(col(table.digest))
        for digest, name, version in reader.session.exec(
            select(short, table.name, table.version).where(short.in_(digests))
        ):
            yield digest, Known(name, label=version)

    return look_up


def _files(reader: Reader, digests: Numbers) -> Answers:
    """A file may be that of several versions: all are named, and a model only where they are of one."""
    short = _short(col(VersionRow.artifact))
    query = (
        select(short, VersionRow.label, ModelRow.id, ModelRow.name)
        .join(ModelRow, col(ModelRow.id) == VersionRow.model_id)
        .where(short.in_(digests))
        .order_by(col(VersionRow.id))
    )
    of: dict[str, list[tuple[str, int, str]]] = {}
    for digest, label, model_id, model in reader.session.exec(query):
        of.setdefault(digest, []).append((label, model_id, model))
    for digest, found in of.items():
        name = ", ".join(f"{model} {label}" for label, _, model in found)
        one_model = len({model_id for _, model_id, _ in found}) == 1
        yield digest, Known(name, found[0][1] if one_model else None, found[0][2] if one_model else "")


_BY_NUMBER: dict[str, Callable[[Reader, Numbers], Answers]] = {
    "model": _models,
    "user": _people,
    "version": _versions,
    "dataset": _datasets,
    "review": _reviews,
    "run": _runs,
    "finding": _part_of_review(FindingRow),
    "waiver": _part_of_review(WaiverRow),
    "evidence": _part_of_review(EvidenceRow),
}
_BY_DIGEST: dict[str, Callable[[Reader, Numbers], Answers]] = {
    "template": _published(TemplateRow),
    "policy": _published(PolicyRow),
    "gate": _files,
}
