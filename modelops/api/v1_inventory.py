"""``/api/v1/models``: models, their versions and datasets. Files are the body of a PUT, read as they arrive."""

from __future__ import annotations

from anyio import to_thread
from pydantic import Field, JsonValue

from modelops.api.endpoint import ApiRoute, Call
from modelops.api.receiving import received
from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.digest import Digest
from modelops.domain.inventory import DatasetRole, RiskTier
from modelops.domain.people import Right
from modelops.domain.record import Record
from modelops.errors import InvalidInput
from modelops.services import datasets, inventory
from modelops.store.queries_inventory import inventory as lines
from modelops.store.tables import DatasetRow, VersionRow


class NewModel(Record):
    """What a model is registered with; the owner is the caller unless another id is given."""

    name: str
    purpose: str
    risk_tier: RiskTier
    owner_id: int | None = None
    business_unit: str = ""


class NewVersion(Record):
    """A version without a file: predictions only."""

    label: str
    notes: str = ""
    parent_id: int | None = None
    dependencies: str = Field(default="", description="The text of the dependency lock.")


class Columns(Record):
    """What the columns of a dataset are for."""

    roles: ColumnRoles
    task: Task | None = None
    positive: str | None = None
    reason: str = ""


class Because(Record):
    """Why something is done."""

    reason: str


class Registered(Record):
    """What was made."""

    id: int
    digest: Digest | None = None
    notes: tuple[str, ...] = ()


def models(call: Call) -> list[JsonValue]:
    """Return the inventory."""
    with call.store.reading() as reader:
        return [
            {
                "id": line.model.id,
                "name": line.model.name,
                "purpose": line.model.purpose,
                "risk_tier": line.model.risk_tier.value,
                "owner": line.owner,
                "versions": line.versions,
                "latest_version": line.latest.label if line.latest else None,
                "review": line.review.id if line.review else None,
                "review_state": line.review.state.value if line.review else None,
            }
            for line in lines(reader)
        ]


def register_model(call: Call) -> Registered:
    """Register a model."""
    asked = call.record(NewModel)
    model = inventory.register_model(
        call.store,
        actor=call.actor,
        at=call.at,
        name=asked.name,
        purpose=asked.purpose,
        owner_id=asked.owner_id or call.actor.user_id,
        risk_tier=asked.risk_tier,
        business_unit=asked.business_unit,
    )
    return Registered(id=model.id)


def register_version(call: Call) -> Registered:
    """Register a version without a file."""
    asked = call.record(NewVersion)
    version = inventory.register_version(
        call.store,
        call.number("model"),
        actor=call.actor,
        at=call.at,
        label=asked.label,
        notes=asked.notes,
        parent_id=asked.parent_id,
        dependencies=asked.dependencies.encode() or None,
        dependencies_name="dependencies.txt",
    )
    return Registered(id=version.id)


async def upload_version(call: Call) -> Registered:
    """Register a version with the model file in the body; label, name, notes, parent and classes in the query."""
    call.actor.require(Right.REGISTER)
    parent = _number(call.query("parent"), what="parent")
    async with received(call.request, call.store.blobs, limit=call.settings.max_upload) as staged:

        def act() -> VersionRow:
            return inventory.register_version(
                call.store,
                call.number("model"),
                actor=call.actor,
                at=call.at,
                label=call.query("label"),
                artifact=staged,
                artifact_name=call.query("name", "model"),
                parent_id=parent,
                notes=call.query("notes"),
                classes=call.query("classes"),
            )

        version = await to_thread.run_sync(act)
    return Registered(id=version.id, digest=version.artifact)


def upload_dependencies(call: Call) -> Registered:
    """Add the dependency lock in the body to a version that has none; its ``name`` stands in the query."""
    version = inventory.add_dependencies(
        call.store,
        call.number("version"),
        actor=call.actor,
        at=call.at,
        content=call.body,
        file_name=call.query("name"),
    )
    return Registered(id=version.id, digest=version.dependencies)


async def upload_dataset(call: Call) -> Registered:
    """Add the table in the body; ``title``, ``role`` and the file's ``name`` stand in the query."""
    call.actor.require(Right.REGISTER)
    role = _role(call.query("role", DatasetRole.TEST.value))
    async with received(call.request, call.store.blobs, limit=call.settings.max_upload) as staged:

        def act() -> DatasetRow:
            return inventory.add_dataset(
                call.store,
                call.number("model"),
                actor=call.actor,
                at=call.at,
                name=call.query("title") or call.query("name"),
                role=role,
                staged=staged,
                file_name=call.query("name", "table"),
            )

        dataset = await to_thread.run_sync(act)
    return Registered(id=dataset.id, digest=dataset.digest, notes=tuple(dataset.summary.get("notes", ())))


def correct_columns(call: Call) -> Registered:
    """Say what the columns of a dataset are for."""
    asked = call.record(Columns)
    dataset = inventory.correct_columns(
        call.store,
        call.number("dataset"),
        actor=call.actor,
        at=call.at,
        roles=asked.roles,
        task=asked.task,
        positive=asked.positive,
        reason=asked.reason,
    )
    return Registered(id=dataset.id, digest=dataset.digest)


def archive_dataset(call: Call) -> Registered:
    """Put a dataset out of the way."""
    reason = call.record(Because).reason
    dataset = datasets.archive_dataset(call.store, call.number("dataset"), actor=call.actor, at=call.at, reason=reason)
    return Registered(id=dataset.id, digest=dataset.digest)


def restore_dataset(call: Call) -> Registered:
    """Bring an archived dataset back."""
    reason = call.record(Because).reason
    dataset = datasets.restore_dataset(call.store, call.number("dataset"), actor=call.actor, at=call.at, reason=reason)
    return Registered(id=dataset.id, digest=dataset.digest)


def _number(text: str, *, what: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InvalidInput(f"Got {text[:40]!r} as {what}, expected the number of a version.")
    return int(text)


def _role(text: str) -> DatasetRole:
    try:
        return DatasetRole(text)
    except ValueError as error:
        known = ", ".join(DatasetRole)
        raise InvalidInput(f"Got the role {text[:40]!r}, expected one of: {known}.") from error


ROUTES = (
    ApiRoute("/api/v1/models", models),
    ApiRoute("/api/v1/models", register_model, methods=("POST",), status=201),
    ApiRoute("/api/v1/models/{model}/versions", register_version, methods=("POST",), status=201),
    ApiRoute("/api/v1/models/{model}/versions", upload_version, methods=("PUT",), status=201),
    ApiRoute("/api/v1/versions/{version}/dependencies", upload_dependencies, methods=("PUT",)),
    ApiRoute("/api/v1/models/{model}/datasets", upload_dataset, methods=("PUT",), status=201),
    ApiRoute("/api/v1/datasets/{dataset}/columns", correct_columns, methods=("PUT",)),
    ApiRoute("/api/v1/datasets/{dataset}/archive", archive_dataset, methods=("POST",)),
    ApiRoute("/api/v1/datasets/{dataset}/restore", restore_dataset, methods=("POST",)),
)
