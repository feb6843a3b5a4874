"""Models, versions and datasets: registering and correcting them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import datetime

from pydantic import ValidationError

from modelops import evaluation
from modelops.domain.columns import ColumnRoles, ModelSummary, TableSummary, Task
from modelops.domain.inventory import DatasetRole, RiskTier
from modelops.domain.names import LONGEST, clean_name, clean_text
from modelops.domain.people import Actor, Right
from modelops.domain.review import EDITABLE, ReviewState
from modelops.errors import Conflict, InvalidInput
from modelops.evaluation.class_names import check_names
from modelops.sandbox.protection import protection
from modelops.services import datasets, files
from modelops.services.refusals import audits_refusals
from modelops.store import Store, Transaction
from modelops.store.blobs import Staged
from modelops.store.queries_inventory import CORRECTED, reviews_of
from modelops.store.tables import DatasetRow, ModelRow, UserRow, VersionRow

_SANDBOXES = threading.BoundedSemaphore(2)
_PATIENCE_SECONDS = 120.0


@audits_refusals("model/0")
def register_model(
    store: Store,
    *,
    actor: Actor,
    at: datetime,
    name: str,
    purpose: str,
    owner_id: int,
    risk_tier: RiskTier,
    business_unit: str = "",
) -> ModelRow:
    """Add a model to the inventory.

    Raises
    ------
    NotAllowed, InvalidInput, NotFound, Conflict
        Without the right; with an empty text; without such an owner; if the name is taken.
    """
    actor.require(Right.REGISTER)
    name = clean_name(name, what="The name of the model")
    purpose = clean_text(purpose, what="The purpose of the model", required=True)
    unit = clean_name(business_unit, what="The business unit") if business_unit.strip() else ""
    with store.transaction() as t:
        _active_owner(t, owner_id)
        if t.first(ModelRow, name=name):
            raise Conflict(f"There is a model {name!r} already. Choose another name, or add a version to it.")
        model = t.add(
            ModelRow(
                name=name,
                purpose=purpose,
                owner_id=owner_id,
                risk_tier=risk_tier,
                business_unit=unit,
                created_by=actor.user_id,
                created_at=at,
            )
        )
        new = {"name": name, "purpose": purpose, "owner_id": owner_id, "risk_tier": risk_tier, "business_unit": unit}
        t.record(actor, "model:register", f"model/{model.id}", at=at, new=new, contributes=True)
    return model


@audits_refusals("model/{model_id}")
def change_model(
    store: Store,
    model_id: int,
    *,
    actor: Actor,
    at: datetime,
    purpose: str,
    owner_id: int,
    risk_tier: RiskTier,
    business_unit: str,
    reason: str,
) -> ModelRow:
    """Correct what is said of a model. A sealed approval then shows as one of an earlier state."""
    actor.require(Right.REGISTER)
    new = {
        "purpose": clean_text(purpose, what="The purpose of the model", required=True),
        "owner_id": owner_id,
        "risk_tier": RiskTier(risk_tier),
        "business_unit": clean_name(business_unit, what="The business unit") if business_unit.strip() else "",
    }
    reason = clean_text(reason, what="The reason", required=True)
    with store.transaction() as t:
        _active_owner(t, owner_id)
        model = t.get(ModelRow, model_id, what="model")
        if any(review.state is ReviewState.SUBMITTED for review, _ in reviews_of(t, model_id)):
            raise Conflict(
                "A review of this model is submitted: what it is about stands still until it is decided or changes are "
                "asked for."
            )
        old = {name: getattr(model, name) for name in new}
        changed = [name for name in new if old[name] != new[name]]
        if not changed:
            raise InvalidInput("Nothing was changed.")
        for name in changed:
            setattr(model, name, new[name])
        t.record(
            actor,
            "model:change",
            f"model/{model_id}",
            at=at,
            reason=reason,
            old={name: old[name] for name in changed},
            new={name: new[name] for name in changed},
            contributes=True,
        )
    return model


@audits_refusals("model/{model_id}")
def register_version(
    store: Store,
    model_id: int,
    *,
    actor: Actor,
    at: datetime,
    label: str,
    artifact: Staged | None = None,
    artifact_name: str = "",
    dependencies: bytes | None = None,
    dependencies_name: str = "",
    parent_id: int | None = None,
    notes: str = "",
    classes: str = "",
) -> VersionRow:
    """Add a version of a model: a model file, opened in the sandbox first, or predictions only.

    ``classes`` names, separated by commas, the classes of a file that only numbers them.

    Raises
    ------
    RefusedFile, WorkerFailed
        If the file is of a kind that is never opened, or could not be opened in the sandbox. Nothing is kept.
    NotAllowed, InvalidInput, NotFound, Conflict
        Without the right; with an empty label; without such a model; if the label is taken.
    """
    actor.require(Right.REGISTER)
    label = clean_name(label, what="The version label")
    notes = clean_text(notes, what="The notes")
    file_name = clean_name(artifact_name or "model", what="The file name") if artifact else ""
    with store.reading() as reader:
        reader.get(ModelRow, model_id, what="model")
        if reader.first(VersionRow, model_id=model_id, label=label):
            raise Conflict(f"This model has a version {label!r} already. Choose another label.")
    summary: ModelSummary | None = None
    if artifact:
        artifact.close()
        with _a_free_sandbox():
            summary = evaluation.inspect_model(artifact.path, name=file_name)
        names = tuple(clean_name(name, what="The name of a class") for name in classes.split(",")) if classes else ()
        if names:
            check_names(names, summary.classes)
        summary = summary.model_copy(update={"class_names": names})
    with store.transaction() as t:
        if t.first(VersionRow, model_id=model_id, label=label):
            raise Conflict(f"This model has a version {label!r} already. Choose another label.")
        if parent_id is not None and t.get(VersionRow, parent_id, what="version").model_id != model_id:
            raise InvalidInput("The parent version belongs to another model.")
        version = t.add(
            VersionRow(
                model_id=model_id,
                label=label,
                artifact=files.keep(store, t, artifact, at=at) if artifact else None,
                artifact_name=file_name,
                summary=summary.model_dump(mode="json") if summary else None,
                protection=protection().model_dump(mode="json") if summary else None,
                dependencies=files.keep(store, t, dependencies, at=at) if dependencies else None,
                dependencies_name=clean_name(dependencies_name, what="The file name") if dependencies else "",
                parent_id=parent_id,
                notes=notes,
                created_by=actor.user_id,
                created_at=at,
            )
        )
        new: dict[str, object] = {"model_id": model_id, "label": label, "artifact_name": file_name}
        new |= {"parent_id": parent_id} | ({"classes": list(summary.class_names)} if summary and classes else {})
        t.record(
            actor,
            "version:register",
            f"version/{version.id}",
            at=at,
            new={**new, "dependencies": version.dependencies},
            digest=version.artifact,
            contributes=True,
        )
    return version


@audits_refusals("version/{version_id}")
def add_dependencies(
    store: Store, version_id: int, *, actor: Actor, at: datetime, content: bytes, file_name: str
) -> VersionRow:
    """Add the dependency lock of a version that came without one. It is kept and handed out again, never opened.

    Raises
    ------
    NotAllowed, NotFound, InvalidInput
        Without the right; without such a version; if the file is empty.
    Conflict
        If the version has one: a version never changes. If a submitted or finished review is about the version.
    """
    actor.require(Right.REGISTER)
    file_name = clean_name(file_name or "dependencies.txt", what="The file name")
    if not content.strip():
        raise InvalidInput(f"{file_name} is empty. Choose the lock file of the environment the model was made in.")
    with store.transaction() as t:
        version = t.get(VersionRow, version_id, what="version")
        if version.dependencies is not None:
            raise Conflict(f"Version {version.label} has a dependency lock already. Another one is another version.")
        if any(of.id == version_id and review.state not in EDITABLE for review, of in reviews_of(t, version.model_id)):
            raise Conflict("A submitted or finished review is about this version: what it rests on stands still.")
        version.dependencies = files.keep(store, t, content, at=at)
        version.dependencies_name = file_name
        new = {"dependencies_name": file_name}
        subject, digest = f"version/{version_id}", version.dependencies
        t.record(actor, "version:dependencies", subject, at=at, new=new, digest=digest, contributes=True)
    return version


@audits_refusals("model/{model_id}")
def add_dataset(
    store: Store,
    model_id: int,
    *,
    actor: Actor,
    at: datetime,
    name: str,
    role: DatasetRole,
    staged: Staged,
    file_name: str,
) -> DatasetRow:
    """Add a table, read in the sandbox; its column roles are guessed for a person to correct.

    Raises
    ------
    RefusedFile, TooLarge, WorkerFailed
        If it is not a table that can be read. Nothing is kept.
    NotAllowed, InvalidInput, NotFound
        Without the right; with an empty name; without such a model.
    """
    actor.require(Right.REGISTER)
    name = clean_name(name, what="The name of the dataset")
    file_name = clean_name(file_name or name, what="The file name")
    with store.reading() as reader:
        reader.get(ModelRow, model_id, what="model")
    staged.close()
    with _a_free_sandbox():
        summary = evaluation.inspect_table(staged.path, name=file_name)
    with store.transaction() as t:
        dataset = t.add(
            DatasetRow(
                model_id=model_id,
                name=name,
                role=role,
                digest=files.keep(store, t, staged, at=at),
                file_name=file_name,
                rows=summary.rows,
                summary=summary.model_dump(mode="json"),
                roles=summary.roles.model_dump(mode="json"),
                task=summary.task,
                positive=_likely_positive(summary),
                created_by=actor.user_id,
                created_at=at,
            )
        )
        new = {"model_id": model_id, "name": name, "role": role, "file_name": file_name, "rows": summary.rows}
        digest = dataset.digest
        t.record(actor, "dataset:add", f"dataset/{dataset.id}", at=at, new=new, digest=digest, contributes=True)
    return dataset


@audits_refusals("dataset/{dataset_id}")
def correct_columns(
    store: Store,
    dataset_id: int,
    *,
    actor: Actor,
    at: datetime,
    roles: ColumnRoles,
    task: Task | None,
    positive: str | None,
    reason: str = "",
) -> DatasetRow:
    """Say what the columns of a dataset are for.

    Refused while a review that uses it is submitted. Where one was approved a reason is needed, and the approval shows
    as one of an earlier state. To say what was guessed is to confirm it.
    """
    actor.require(Right.REGISTER)
    reason = clean_text(reason, what="The reason")
    if positive is not None and (len(positive) > LONGEST or "\0" in positive):
        raise InvalidInput(f"The positive class has {len(positive)} characters; at most {LONGEST} are possible.")
    with store.transaction() as t:
        dataset = t.get(DatasetRow, dataset_id, what="dataset")
        _known_columns(TableSummary.model_validate(dataset.summary), roles)
        states = datasets.states_of_reviews(t, dataset_id)
        old = {"roles": dataset.roles, "task": dataset.task, "positive": dataset.positive}
        dataset.roles = roles.model_dump(mode="json")
        dataset.task, dataset.positive = task, positive
        new = {"roles": dataset.roles, "task": task, "positive": positive}
        if new == old:
            datasets.confirm(t, dataset, actor=actor, at=at)
            return dataset
        if states - EDITABLE and not reason:
            raise InvalidInput("A finished review uses this dataset: say why its columns change.")
        t.record(
            actor,
            CORRECTED,
            f"dataset/{dataset_id}",
            at=at,
            reason=reason or None,
            old=old,
            new=new,
            contributes=True,
        )
    return dataset


@contextlib.contextmanager
def _a_free_sandbox() -> Iterator[None]:
    """Wait for one of the few sandboxes that open uploads: each may take all the memory that one is allowed."""
    if not _SANDBOXES.acquire(timeout=_PATIENCE_SECONDS):
        raise Conflict("Too many files are being opened at the moment. Send this one again in some minutes.")
    try:
        yield
    finally:
        _SANDBOXES.release()


def _known_columns(summary: TableSummary, roles: ColumnRoles) -> None:
    known = {column.name for column in summary.columns}
    unknown = [name for name in roles.named if name not in known]
    if unknown:
        raise InvalidInput(f"The dataset has no column {unknown[0]!r}. It has: {', '.join(sorted(known)[:20])}.")


def _likely_positive(summary: TableSummary) -> str | None:
    """Return the class that is probably the one of interest: the larger of two numbers, the rarer of two words."""
    target = summary.roles.target or summary.roles.prediction
    column = next((c for c in summary.columns if c.name == target), None)
    if summary.task is not Task.CLASSIFICATION or column is None or column.distinct != 2:
        return None
    if isinstance(column.maximum, float):
        return f"{column.maximum:.17g}"
    labels = [label for label, _ in column.top]
    for yes in ("1", "true", "yes", "y", "positive", "bad", "default", "fraud", "churn"):
        for label in labels:
            if label.lower() == yes:
                return label
    return labels[1] if len(labels) == 2 else None


def _active_owner(transaction: Transaction, owner_id: int) -> None:
    if not transaction.get(UserRow, owner_id, what="person").is_active:
        raise InvalidInput("This person's account is disabled. Choose another owner.")


def as_roles(values: dict[str, object]) -> ColumnRoles:
    """Return column roles from a form or the API.

    Raises
    ------
    InvalidInput
        If they contradict one another.
    """
    try:
        return ColumnRoles.model_validate(values)
    except ValidationError as error:
        raise InvalidInput(f"These column roles do not fit together: {error.errors()[0]['msg']}.") from error
