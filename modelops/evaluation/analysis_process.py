"""The analysis process: opens tables, holds the labels, runs one analysis. It lives in the sandbox and is used once.

It is asked once, by a frame ``inspect`` or ``run`` whose buffer is JSON, and answers with a frame ``answer`` whose
buffer is JSON, after any number of progress frames.
"""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import pydantic

from modelops.analyses.base import Analysis, Computed, EvaluationData, Run, Sample
from modelops.analyses.needs import wanted_on_command_line
from modelops.datasets.facts import clean_column, column_facts
from modelops.datasets.opening import open_table
from modelops.datasets.table import Table
from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.record import Record
from modelops.errors import InvalidInput, ModelOpsError, NotMeasured, TooLarge, WorkerFailed
from modelops.evaluation.class_names import are_numbered, check_names, names_of, told
from modelops.evaluation.prepared import (
    NamedModel,
    Settled,
    champion_columns,
    restricted,
    settle,
    settled_positive,
    settled_task,
    with_model,
)
from modelops.evaluation.request import (
    MAX_ANSWER,
    Answer,
    EvaluationRequest,
    ModelPart,
    Order,
    TableInput,
    TableUse,
)
from modelops.evaluation.role_text import roles_as_text

if TYPE_CHECKING:
    from modelops.sandbox.channel import Channel
    from modelops.sandbox.wire import Stream

_READ = 0.1
_REASON = 300


def warm_up() -> None:
    """Import what every evaluation needs."""
    for name in ("pandas", "pyarrow.csv", "pyarrow.parquet", "modelops.analyses.registry"):
        importlib.import_module(name)


def main(channel: Channel) -> None:
    """Answer one order."""
    frame = channel.receive()
    if frame.kind == "inspect":
        answer: Record = _inspect(channel, TableInput.model_validate_json(frame.content()))
    elif frame.kind == "run":
        answer = run(channel, Order.model_validate_json(frame.content()))
    else:
        raise InvalidInput(f"Got the order {frame.kind!r}, expected 'inspect' or 'run'.")
    content = answer.model_dump_json(by_alias=True).encode()
    if len(content) > MAX_ANSWER:
        raise TooLarge(
            f"The result has {len(content):,} bytes, at most {MAX_ANSWER:,} are kept. Use fewer columns or groups."
        )
    channel.send({"kind": "answer"}, (content,))


def _inspect(channel: Channel, table: TableInput) -> Record:
    from modelops.datasets.summary import summarise

    return summarise(_opened(channel, table), progress=channel.progress)


def run(channel: Channel, order: Order) -> Answer:
    """Open the tables, settle roles, task and positive class, compute."""
    from modelops.analyses.registry import analysis

    declared = analysis(order.request.analysis)
    asks = {part: _asking(channel.peer()) for part in order.models}
    channel.progress(0.0, "Reading the data")
    tables = {part: _opened(channel, table) for part, table in order.tables.items()}
    prepared = _prepared(order.request, tables, declared, asks)
    later = Run(seed=order.request.seed, progress=_later(channel.progress))
    computed = _computed(declared, prepared.data, order.request.parameters, later)
    return Answer(
        task=prepared.data.task,
        positive=prepared.data.positive,
        tables={
            part: TableUse(
                rows=table.n_rows,
                dropped=computed.dropped if part == "data" else {},
                roles=prepared.roles[part],
            )
            for part, table in tables.items()
        },
        classes=prepared.classes,
        summary=computed.summary,
        measurements=computed.measurements,
        curves=computed.curves,
        tables_shown=computed.tables,
        notes=(*_reading_notes(order, tables), *prepared.notes, *computed.notes),
        cases=computed.cases,
    )


Ask = Callable[[tuple[str, ...], str | None, tuple[str, ...]], NamedModel]
"""Makes the model of feature columns (for a model without names), the positive class, and the names of classes."""


def _asking(peer: Stream) -> Ask:
    from modelops.sandbox.model_client import ModelClient

    def ask(columns: tuple[str, ...], positive: str | None, classes: tuple[str, ...]) -> NamedModel:
        return cast("NamedModel", ModelClient(peer, columns=columns, positive=positive, classes=classes))

    return ask


@dataclass(frozen=True)
class _Prepared:
    data: EvaluationData
    roles: dict[str, dict[str, str]]
    classes: dict[ModelPart, tuple[str, ...]]
    notes: tuple[str, ...]


def _prepared(
    request: EvaluationRequest, tables: dict[str, Table], declared: Analysis, asks: dict[ModelPart, Ask]
) -> _Prepared:
    opened = {part: ask((), None, ()) for part, ask in asks.items()}
    main = settle(tables["data"], request.data_roles, guess=request.guess_roles, model=opened.get("model"))
    classes, named = _class_names(request, tables, main, opened)
    if "model" in classes:
        main = replace(main, classes=classes["model"])
    task = settled_task(request.task, main, declared.tasks)
    if task not in declared.tasks:
        allowed = " or ".join(sorted(declared.tasks))
        raise InvalidInput(
            f"The analysis {declared.key!r} is for {allowed}; this is a {task.value}. If that is wrong, choose the "
            "task with the columns of the dataset, or by --task."
        )
    is_classes = task is Task.CLASSIFICATION
    positive, chosen = settled_positive(request.positive, main) if is_classes else (None, ())
    models = {
        part: ask(
            _by_position(part, opened[part], main, tables["data"]),
            positive if positive in (classes.get(part) or opened[part].classes) else None,
            classes.get(part, ()),
        )
        for part, ask in asks.items()
    }
    model = models.get("model")
    parts = {"data": main}
    parts |= {part: _other(table, part, request, main, model) for part, table in tables.items() if part != "data"}
    samples: dict[str, Sample] = {}
    added: dict[str, None] = {}
    for part, settled in parts.items():
        samples[part], notes = with_model(tables[part], settled.roles, model, task=task, positive=positive)
        added |= dict.fromkeys(notes)
    data = EvaluationData(
        data=samples["data"],
        task=task,
        positive=positive,
        reference=samples.get("reference"),
        train=samples.get("train"),
        model=model,
        champion=models.get("champion"),
        again=models.get("again"),
    )
    texts = {part: roles_as_text(one.roles, by_position=main.by_position) for part, one in parts.items()}
    return _Prepared(data, texts, classes, (*main.notes, *named, *chosen, *added))


def _class_names(
    request: EvaluationRequest, tables: dict[str, Table], main: Settled, opened: dict[ModelPart, NamedModel]
) -> tuple[dict[ModelPart, tuple[str, ...]], tuple[str, ...]]:
    """Return the names of the classes of each model whose file only numbers them, and notes on where they come from."""
    found: dict[ModelPart, tuple[str, ...]] = {}
    notes: dict[str, None] = {}
    for part, model in opened.items():
        given = names = request.classes.get("champion" if part == "champion" else "model", ())
        if given:
            check_names(given, model.classes)
        elif are_numbered(model.classes):
            names = names_of(model.classes, _target_labels(request, tables, main))
        if names:
            found[part] = names
            notes[told(names, is_given=bool(given))] = None
    return found, tuple(notes)


def _target_labels(request: EvaluationRequest, tables: dict[str, Table], main: Settled) -> set[str]:
    """Return the labels of the target in all tables; none where there are too many to be classes."""
    labels = set(main.facts[main.roles.target].levels or ()) if main.roles.target else set()
    for part, table in tables.items():
        roles: ColumnRoles = getattr(request, f"{part}_roles") or main.roles
        if part != "data" and roles.target in table.names:
            labels |= column_facts(roles.target, clean_column(table, roles.target)).levels or set()
    return labels


def _by_position(part: ModelPart, model: NamedModel, main: Settled, data: Table) -> tuple[str, ...]:
    """Return the columns that a model gets by position; those of the champion are looked for here."""
    if part == "champion":
        return champion_columns(data, model, main.roles)
    return main.roles.features if main.by_position else ()


def _computed(declared: Analysis, data: EvaluationData, parameters: object, run: Run) -> Computed:
    missing = declared.missing(data)
    if missing:
        raise InvalidInput(f"The analysis {declared.key!r} needs {wanted_on_command_line(missing)}.")
    try:
        chosen = declared.parameters.model_validate(parameters)
    except pydantic.ValidationError as error:
        raise InvalidInput(f"The parameters do not fit: {error.error_count()} problems.") from error
    try:
        return declared.compute(data, chosen, run)
    except NotMeasured as error:
        raise InvalidInput(f"The analysis {declared.title} cannot be made on this data. {error}") from error
    except (ModelOpsError, MemoryError):
        raise
    except Exception as error:
        # The log has the rest; the parent shows one line.
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}"[:_REASON]
        raise WorkerFailed(f"The analysis {declared.key!r} broke off ({reason}). Please report this.") from error


def _opened(channel: Channel, table: TableInput) -> Table:
    try:
        return open_table(channel.input(table.file), table.format)  # type: ignore[arg-type]
    except InvalidInput as error:
        raise type(error)(f"{table.name}: {error}") from error


def _other(table: Table, part: str, request: EvaluationRequest, main: Settled, model: NamedModel | None) -> Settled:
    """Settle the roles of another table than the data: its own, or those of the data's columns that it has."""
    given: ColumnRoles | None = getattr(request, f"{part}_roles")
    if given is None:
        given = restricted(main.roles, table.names)
    return settle(table, given, guess=False, model=model)


def _later(progress: Callable[[float, str], None]) -> Callable[[float, str], None]:
    """Reading the data was the first tenth."""
    return lambda fraction, text: progress(_READ + (1 - _READ) * fraction, text)


def _reading_notes(order: Order, tables: dict[str, Table]) -> list[str]:
    several = len(tables) > 1
    return [
        f"{order.tables[part].name}: {note}" if several else note
        for part, table in tables.items()
        for note in table.notes
    ]
