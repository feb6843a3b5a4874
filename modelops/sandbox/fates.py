"""How a sandboxed process ended, in words for people."""

from __future__ import annotations

import re
import signal

from modelops.errors import InvalidInput, ModelOpsError, NotMeasured, RefusedFile, TooLarge, WorkerFailed
from modelops.sandbox.limits import Limits
from modelops.sandbox.messages import size_text, without_paths
from modelops.sandbox.wire import BadFrame, Frame

_KEPT = {
    kind.__name__: kind for kind in (InvalidInput, NotMeasured, RefusedFile, TooLarge, WorkerFailed, ModelOpsError)
}
_OUT_OF_MEMORY = re.compile(r"bad_alloc|MemoryError|[Oo]ut of memory|[Cc]annot allocate|memory allocation of")
_CRASHES = {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGTRAP"}
_ADVICE = "Nothing outside its sandbox was touched."


def out_of_memory(subject: str, limits: Limits) -> WorkerFailed:
    """Return the error for a process that needed more memory than it may have."""
    return WorkerFailed(
        f"{subject} ran out of memory: the limit is {size_text(limits.memory)}. Use fewer rows or a smaller model."
    )


def took_too_long(subject: str, seconds: float, *, processor: bool = False) -> WorkerFailed:
    """Return the error for a process that was stopped at its time limit."""
    kind = " of processor time" if processor else ""
    return WorkerFailed(f"{subject} took longer than {seconds:g} s{kind} and was stopped. Use fewer rows.")


def too_many_threads(subject: str, limits: Limits) -> WorkerFailed:
    """Return the error for a process that started threads without end."""
    return WorkerFailed(f"{subject} started more than {limits.thread_ceiling} threads and was stopped. {_ADVICE}")


def wrote_too_much(subject: str, limits: Limits) -> WorkerFailed:
    """Return the error for a process that filled its scratch folder."""
    return WorkerFailed(
        f"{subject} wrote more than {size_text(limits.scratch_bytes)} of temporary files and was stopped. {_ADVICE}"
    )


def said_too_much(subject: str, limit: int) -> WorkerFailed:
    """Return the error for a process that flooded its parent."""
    return WorkerFailed(f"{subject} sent more than {size_text(limit)} of output and was stopped. {_ADVICE}")


def spoke_nonsense(subject: str, error: BadFrame) -> WorkerFailed:
    """Return the error for a process that answered with something that is no message."""
    return WorkerFailed(f"{subject} made the sandboxed process answer nonsense and was stopped. {error}")


def ended(subject: str, code: int, log: str, limits: Limits) -> WorkerFailed:
    """Return the error for a process that ended by itself with exit code ``code`` (negative: by that signal)."""
    if _OUT_OF_MEMORY.search(log):
        return out_of_memory(subject, limits)
    if code >= 0:
        return WorkerFailed(f"{subject} ended its sandboxed process early (exit code {code}). {_ADVICE}")
    name = _signal_name(-code)
    if name == "SIGXCPU":
        return took_too_long(subject, limits.cpu_seconds, processor=True)
    if name in _CRASHES:
        return WorkerFailed(
            f"{subject} crashed its loader (signal {-code}): it is damaged, or made to do harm. {_ADVICE} "
            "Export it again with the library that made it."
        )
    if name == "SIGSYS":
        return WorkerFailed(f"{subject} tried something that the sandbox forbids (signal {-code}). {_ADVICE}")
    return WorkerFailed(
        f"The system ended the sandboxed process of {subject} (signal {-code}), most likely for want of memory."
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""


def told(subject: str, frame: Frame, limits: Limits) -> ModelOpsError:
    """Return the error that a process has reported itself; its text is cleaned, for the file may have written it."""
    kind, message = frame.text("error"), without_paths(frame.text("message"))
    if kind == "MemoryError":
        return out_of_memory(subject, limits)
    if kind in _KEPT and message:
        return _KEPT[kind](message)
    return WorkerFailed(f"{subject} could not be read: the library that opens it failed ({message or 'no reason'}).")
