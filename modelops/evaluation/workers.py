"""The sandboxed processes of an evaluation, seen from the parent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from modelops.errors import Cancelled, WorkerFailed
from modelops.evaluation.request import MAX_ANSWER
from modelops.sandbox import ANALYSIS_LIMITS, MODEL_LIMITS, Frame, Limits, Worker, warm
from modelops.sandbox.messages import one_line

ANALYSIS_PROCESS = "modelops.evaluation.analysis_process"
MODEL_PROCESS = "modelops.sandbox.model_process"
_LOOK = 0.2

Progress = Callable[[float, str], None]
Answered = TypeVar("Answered", bound=BaseModel)


def quiet(fraction: float, text: str) -> None:
    """Report nothing."""


def never() -> bool:
    """Never cancel."""
    return False


def answer_of(worker: Worker, progress: Progress = quiet, cancelled: Callable[[], bool] = never) -> bytes:
    """Wait for the one answer of an analysis process and hand on its progress.

    Raises
    ------
    Cancelled
        If ``cancelled()`` says so; the caller closes the workers, which ends them at once.
    ModelOpsError
        Whatever the process reports.
    """
    while True:
        frame = next_frame(worker, cancelled)
        if frame.kind == "progress":
            fraction = frame.header.get("fraction")
            progress(
                float(fraction) if isinstance(fraction, int | float) else 0.0, one_line(frame.text("text"), limit=200)
            )
            continue
        if frame.kind != "answer":
            raise WorkerFailed(
                f"The sandboxed process answered {one_line(frame.kind, limit=40)!r}, expected an answer."
            )
        content = frame.content()
        if len(content) > MAX_ANSWER:
            raise WorkerFailed(f"The answer has {len(content):,} bytes, at most {MAX_ANSWER:,} are read.")
        return content


def next_frame(worker: Worker, cancelled: Callable[[], bool]) -> Frame:
    """Wait for the next frame, and look five times a second whether to stop."""
    while not cancelled():
        frame = worker.poll(_LOOK)
        if frame is not None:
            return frame
    raise Cancelled("Stopped on request; nothing was kept.")


def model_limits(limits: Limits = ANALYSIS_LIMITS) -> Limits:
    """Return the limits of the model process of an evaluation: it lives as long as the analysis that asks it."""
    return replace(
        MODEL_LIMITS,
        wall_seconds=max(MODEL_LIMITS.wall_seconds, limits.wall_seconds),
        cpu_seconds=max(MODEL_LIMITS.cpu_seconds, limits.cpu_seconds),
    )


def keep_spares(limits: Limits = ANALYSIS_LIMITS) -> None:
    """Keep a warm process of each kind that `evaluate` needs under these limits, from now on. Returns at once."""
    warm(ANALYSIS_PROCESS, limits)
    warm(MODEL_PROCESS, model_limits(limits))


def input_name(part: str, kind: str) -> str:
    """Return the name under which a process sees its input: never the uploader's."""
    return f"{part}.{kind}"


def validated(kind: type[Answered], content: bytes) -> Answered:
    """Return what a process has answered as a record; nothing of it is believed before.

    Raises
    ------
    WorkerFailed
        If it is not such a record.
    """
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise WorkerFailed(
            f"The sandboxed process answered with something that is no {kind.__name__}: {where}."
        ) from error
