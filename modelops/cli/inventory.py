"""Commands on the inventory: models, versions and datasets. Whoever runs them names the person who acts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelops.cli.store import existing_file, now, opened_store
from modelops.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from modelops.domain.people import Actor
    from modelops.store import Store
    from modelops.store.blobs import Staged

model_app = typer.Typer(help="Register models.")
version_app = typer.Typer(help="Register versions of a model.")
dataset_app = typer.Typer(help="Add datasets to a model, and put them out of the way.")
Login = Annotated[str, typer.Option("--as", metavar="LOGIN", help="The person who acts; it stands in the audit trail.")]
Number = Annotated[int, typer.Argument(metavar="DATASET", help="The number of the dataset.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in the audit trail.")]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="The name of a registered model.")]


def add_to(app: typer.Typer) -> None:
    """Add every command of this module."""
    app.add_typer(model_app, name="model")
    app.add_typer(version_app, name="version")
    app.add_typer(dataset_app, name="dataset")


@model_app.command("add")
def model_add(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    purpose: Annotated[str, typer.Option(help="What it decides, for whom.")],
    login: Login,
    tier: Annotated[
        str, typer.Option(metavar="low|medium|high", help="How much harm a wrong model could do.")
    ] = "medium",
    owner: Annotated[
        str | None, typer.Option(metavar="LOGIN", help="Who answers for it; the person who acts if not given.")
    ] = None,
) -> None:
    """Register a model."""
    from modelops.domain.inventory import RiskTier
    from modelops.services.inventory import register_model

    if tier not in list(RiskTier):
        raise InvalidInput(f"Got the risk tier {tier!r}, expected one of: {', '.join(RiskTier)}.")
    store, _ = opened_store()
    actor = _person(store, login)
    owner_id = _person(store, owner).user_id if owner else actor.user_id
    model = register_model(
        store, actor=actor, at=now(), name=name, purpose=purpose, owner_id=owner_id, risk_tier=RiskTier(tier)
    )
    print(f"model {model.id}")


@version_app.command("add")
def version_add(
    model: Model,
    *,
    label: Annotated[str, typer.Option(help="What the version is called.")],
    login: Login,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The model file; none for predictions only.")
    ] = None,
    dependencies: Annotated[Path | None, typer.Option(metavar="FILE", help="The dependency lock.")] = None,
    notes: Annotated[str, typer.Option(help="What is new.")] = "",
) -> None:
    """Register a version of a model. The file is opened in the sandbox first."""
    from modelops.services.inventory import register_version

    store, _ = opened_store()
    actor, model_id = _person(store, login), _model(store, model)
    lock = existing_file(dependencies).read_bytes() if dependencies else None
    with _staged(store, file) as staged:
        version = register_version(
            store,
            model_id,
            actor=actor,
            at=now(),
            label=label,
            artifact=staged,
            artifact_name=file.name if file else "",
            dependencies=lock,
            dependencies_name=dependencies.name if dependencies else "",
            notes=notes,
        )
    print(f"version {version.id} {version.artifact or 'predictions only'}")


@dataset_app.command("add")
def dataset_add(
    model: Model,
    *,
    data: Annotated[Path, typer.Option(metavar="FILE", help="The table.")],
    login: Login,
    name: Annotated[str | None, typer.Option(help="What people call it; the file's name if not given.")] = None,
    role: Annotated[
        str, typer.Option(metavar="ROLE", help="train, test, reference, production batch or population.")
    ] = "test",
) -> None:
    """Add a table to a model. Its column roles are guessed; correct them on its page."""
    from modelops.domain.inventory import DatasetRole
    from modelops.services.inventory import add_dataset

    if role not in list(DatasetRole):
        raise InvalidInput(f"Got the role {role!r}, expected one of: {', '.join(DatasetRole)}.")
    store, _ = opened_store()
    actor, model_id = _person(store, login), _model(store, model)
    with _staged(store, data) as staged:
        assert staged is not None
        dataset = add_dataset(
            store,
            model_id,
            actor=actor,
            at=now(),
            name=name or data.name,
            role=DatasetRole(role),
            staged=staged,
            file_name=data.name,
        )
    print(f"dataset {dataset.id} {dataset.digest} {dataset.rows} rows")


@dataset_app.command("archive")
def dataset_archive(number: Number, *, reason: Reason, login: Login) -> None:
    """Put a dataset out of the way. What was made with it stands, nothing new is made with it."""
    from modelops.services.datasets import archive_dataset

    store, _ = opened_store()
    dataset = archive_dataset(store, number, actor=_person(store, login), at=now(), reason=reason)
    print(f"dataset {dataset.id} archived")


@dataset_app.command("restore")
def dataset_restore(number: Number, *, reason: Reason, login: Login) -> None:
    """Bring an archived dataset back."""
    from modelops.services.datasets import restore_dataset

    store, _ = opened_store()
    dataset = restore_dataset(store, number, actor=_person(store, login), at=now(), reason=reason)
    print(f"dataset {dataset.id} restored")


@contextmanager
def _staged(store: Store, file: Path | None) -> Iterator[Staged | None]:
    if file is None:
        yield None
        return
    with existing_file(file).open("rb") as source, store.blobs.stage() as staged:
        while chunk := source.read(1 << 20):
            staged.add(chunk)
        yield staged


def _model(store: Store, name: str) -> int:
    from modelops.store.tables import ModelRow

    with store.reading() as reader:
        found = reader.first(ModelRow, name=name)
    if found is None:
        raise NotFound(f"There is no model {name!r}. Register it first: modelops model add.")
    return found.id


def _person(store: Store, login: str) -> Actor:
    from modelops.domain.people import Actor, Authentication
    from modelops.store.queries_people import person_of_login

    with store.reading() as reader:
        person = person_of_login(reader, login)
    if not person.is_active:
        raise NotFound(f"The account {login!r} is disabled.")
    return Actor(person.id, person.login, person.name, person.roles, Authentication.COMMAND_LINE, "command line")
