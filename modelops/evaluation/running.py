"""Runs one analysis in sandboxed processes and completes its result."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pydantic

from modelops.analyses.base import Analysis, Need
from modelops.analyses.needs import wanted_on_command_line
from modelops.analyses.registry import analysis
from modelops.domain.digest import Digest
from modelops.domain.result import AnalysisResult, InputRecord, ResultTable
from modelops.errors import InvalidInput, NotFound, WorkerFailed
from modelops.evaluation.environment import environment
from modelops.evaluation.inspecting import model_kind, table_kind
from modelops.evaluation.request import (
    Answer,
    EvaluationRequest,
    InputFiles,
    ModelPart,
    Order,
    ParameterValue,
    TableInput,
    TableUse,
)
from modelops.evaluation.workers import (
    ANALYSIS_PROCESS,
    MODEL_PROCESS,
    Progress,
    answer_of,
    input_name,
    model_limits,
    never,
    next_frame,
    quiet,
    validated,
)
from modelops.sandbox import ANALYSIS_LIMITS, Limits, Worker
from modelops.sandbox.detect import FileKind
from modelops.sandbox.messages import shown_name

if TYPE_CHECKING:
    from modelops.domain.policy import Policy


def evaluate(
    request: EvaluationRequest,
    files: InputFiles,
    *,
    policy: Policy | None = None,
    progress: Progress = quiet,
    cancelled: Callable[[], bool] = never,
    limits: Limits = ANALYSIS_LIMITS,
    keep_cases: Callable[[ResultTable], None] | None = None,
) -> AnalysisResult:
    """Run one analysis on files and return its result.

    Parameters
    ----------
    request : EvaluationRequest
        Which analysis, with which parameters, seed and column roles.
    files : InputFiles
        The data, and as needed reference data, training data, a model and the model in use today.
    policy : Policy, optional
        Judges the result; without one the result carries no verdicts.
    progress : callable
        Told how far the work is, from 0 to 1, and what is being done.
    cancelled : callable
        Asked five times a second; once true, every process is ended.
    limits : Limits
        What the analysis process may use.
    keep_cases : callable, optional
        Given the rows that people are to read one by one, where the analysis hands out any.

    Raises
    ------
    NotFound
        If there is no such analysis.
    InvalidInput
        If a parameter, role or file does not fit, or something that the analysis needs is missing.
    RefusedFile, TooLarge
        If a file cannot be opened.
    Cancelled
        If ``cancelled()`` said so.
    WorkerFailed
        If a process died or ran over a limit.
    """
    declared = analysis(request.analysis)
    parameters = checked_parameters(declared, request.parameters)
    _check_files(declared, request, files)
    order = Order(
        request=request.model_copy(update={"parameters": parameters}),
        tables={part: _table_input(files, part) for part in files.tables},
        models=_model_parts(declared, files),
    )
    kinds = {part: model_kind(path, name=files.name(part)) for part, path in files.models.items()}
    progress(0.0, "Starting")
    opening = _Opening(files, kinds, model_limits(limits), is_fresh=bool(declared.costs))
    answer, inputs = _run(order, opening, progress=progress, cancelled=cancelled, limits=limits)
    result = _result(order, answer, inputs, kinds)
    if keep_cases is not None and answer.cases is not None:
        keep_cases(answer.cases)
    if policy is None:
        return result
    from modelops.domain.judging import judge

    return result.model_copy(update={"verdicts": judge(policy, result)})


def checked_parameters(declared: Analysis, given: dict[str, ParameterValue]) -> dict[str, ParameterValue]:
    """Return all parameters of an analysis with their defaults filled in, as plain JSON values.

    Raises
    ------
    InvalidInput
        If one is unknown or out of range; the message names it and those there are.
    """
    try:
        chosen = declared.parameters.model_validate(given)
    except pydantic.ValidationError as error:
        raise InvalidInput(_parameter_problem(declared, error)) from error
    plain: dict[str, ParameterValue] = chosen.model_dump(mode="json")
    return plain


def _parameter_problem(declared: Analysis, error: pydantic.ValidationError) -> str:
    problem = error.errors()[0]
    name = ".".join(map(str, problem["loc"])) or "the parameters"
    if problem["type"] == "extra_forbidden":
        known = ", ".join(declared.parameters.model_fields) or "none"
        return f"The analysis {declared.key!r} has no parameter {name!r}; it has: {known}."
    return f"The parameter {name!r} of {declared.key!r} does not fit: {problem['msg']} (got {problem['input']!r})."


def _check_files(declared: Analysis, request: EvaluationRequest, files: InputFiles) -> None:
    """Refuse before any process is started what can be seen without opening a file."""
    for part, path in {**files.tables, **files.models}.items():
        if not path.is_file():
            raise NotFound(f"There is no file {files.name(part)!r} ({part}).")
    there = {
        Need.REFERENCE: files.reference,
        Need.TRAIN: files.train,
        Need.MODEL: files.model,
        Need.CHAMPION: files.champion,
    }
    missing = [need for need, path in there.items() if need in declared.needs and path is None]
    if missing:
        raise InvalidInput(f"The analysis {declared.key!r} needs {wanted_on_command_line(missing)}.")
    if request.task is not None and request.task not in declared.tasks:
        allowed = " or ".join(sorted(declared.tasks))
        raise InvalidInput(f"The analysis {declared.key!r} is for {allowed}, not for {request.task.value}.")


def _table_input(files: InputFiles, part: str) -> TableInput:
    name = files.name(part)
    kind = table_kind(files.tables[part], name=name)
    return TableInput(file=input_name(part, kind), format=kind.value, name=shown_name(name))


def _model_parts(declared: Analysis, files: InputFiles) -> tuple[ModelPart, ...]:
    there: dict[ModelPart, bool] = {
        "model": files.model is not None,
        "champion": files.champion is not None,
        "again": files.model is not None and declared.reopens,
    }
    return tuple(part for part, is_there in there.items() if is_there)


@dataclass(frozen=True)
class _Opening:
    """How the model processes of an evaluation are started.

    ``is_fresh``: as a process of its own and not as a warm spare, which has imported every library of models.
    """

    files: InputFiles
    kinds: dict[str, FileKind]
    limits: Limits
    is_fresh: bool

    def start(self, part: ModelPart, stack: contextlib.ExitStack) -> tuple[Worker, InputRecord]:
        """Start the process of one model and tell it to open its file; it says later what that is."""
        source = "model" if part == "again" else part
        kind, name = self.kinds[source].value, shown_name(self.files.name(source))
        worker = stack.enter_context(
            Worker.start(MODEL_PROCESS, self.limits, subject=name, takes_spare=not self.is_fresh)
        )
        record = _input_record(worker.put(self.files.models[source], "model"), kind)
        worker.send({"kind": "open", "file": "model", "format": kind})
        return worker, record


def _run(
    order: Order,
    opening: _Opening,
    *,
    progress: Progress,
    cancelled: Callable[[], bool],
    limits: Limits,
) -> tuple[Answer, dict[str, InputRecord]]:
    inputs: dict[str, InputRecord] = {}
    with contextlib.ExitStack() as stack:
        models = {part: opening.start(part, stack) for part in order.models}
        inputs |= {part: record for part, (_, record) in models.items() if part != "again"}
        subject = f"The analysis {order.request.analysis!r}"
        worker = stack.enter_context(Worker.start(ANALYSIS_PROCESS, limits, subject=subject))
        for part, path in opening.files.tables.items():
            inputs[part] = _input_record(worker.put(path, order.tables[part].file), order.tables[part].format)
        if models:
            progress(0.0, "Opening the model")
        for model, _ in models.values():
            _await_opened(model, cancelled)
            model.send({"kind": "serve"})
            worker.link(model)
        worker.send({"kind": "run"}, (order.model_dump_json().encode(),))
        return validated(Answer, answer_of(worker, progress, cancelled)), inputs


def _await_opened(model: Worker, cancelled: Callable[[], bool]) -> None:
    frame = next_frame(model, cancelled)
    if frame.kind != "summary":
        raise WorkerFailed("The model process did not say what the model is.")


def _input_record(path: Path, form: str) -> InputRecord:
    """Describe an input by the very bytes that the process sees."""
    return InputRecord(digest=Digest.of_file(path), format=form, size=path.stat().st_size)


def _with_use(record: InputRecord, use: TableUse) -> InputRecord:
    used = max(0, use.rows - sum(use.dropped.values()))
    return record.model_copy(
        update={"rows": use.rows, "rows_used": used, "dropped": use.dropped, "roles": use.roles},
    )


def _result(order: Order, answer: Answer, inputs: dict[str, InputRecord], kinds: dict[str, FileKind]) -> AnalysisResult:
    if set(answer.tables) != set(order.tables):
        raise WorkerFailed("The analysis process answered for other tables than it was given.")
    from modelops.sandbox.protection import protection

    request = order.request
    inputs |= {
        part: inputs[part].model_copy(update={"classes": names})
        for part, names in answer.classes.items()
        if part in inputs
    }
    used = {part: _with_use(record, answer.tables[part]) for part, record in inputs.items() if part in answer.tables}
    return AnalysisResult(
        analysis=request.analysis,
        inputs=inputs | used,
        task=answer.task.value,
        positive=answer.positive,
        parameters=dict(request.parameters),
        seed=request.seed,
        environment=environment(*(kind.value for kind in kinds.values())),
        protection=protection(),
        summary=answer.summary,
        measurements=answer.measurements,
        curves=answer.curves,
        tables=answer.tables_shown,
        notes=answer.notes,
    )
