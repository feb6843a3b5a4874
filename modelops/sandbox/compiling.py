"""Filling the folder of compiled code (`modelops.sandbox.compile_cache`) from a worker that sees nothing else."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from modelops.sandbox import compile_cache
from modelops.sandbox.launch import Worker, check_entry
from modelops.sandbox.limits import ANALYSIS_LIMITS, Limits
from modelops.sandbox.wire import BadFrame

if TYPE_CHECKING:
    from modelops.sandbox.channel import Channel


def fill(modules: tuple[str, ...], *, limits: Limits = ANALYSIS_LIMITS) -> int:
    """Compile the functions of some modules and keep the code; return the number of files kept.

    Parameters
    ----------
    modules : tuple of str
        Modules of this package whose functions have signatures, so that importing compiles them, or that have a
        ``compile_all()``.

    Raises
    ------
    InvalidInput
        If one is not a module of this package.
    WorkerFailed
        If one cannot be imported.
    """
    for module in modules:
        check_entry(module)
    with Worker.confined(__name__, limits) as worker:
        worker.begin("The compilation")
        worker.send({"kind": "compile", "modules": list(modules)})
        worker.receive()
        return compile_cache.keep(worker.scratch / "numba")


def main(channel: Channel) -> None:
    """Import what is asked for."""
    modules = channel.receive().header.get("modules")
    if not isinstance(modules, list):
        raise BadFrame("Got no list of modules to compile.")
    for name in modules:
        module = importlib.import_module(str(name))
        if hasattr(module, "compile_all"):
            module.compile_all()
    channel.send({"kind": "compiled"})
