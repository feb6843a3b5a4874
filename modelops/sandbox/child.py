"""The program of a sandboxed process, started as ``python -I -B child.py CONFIGURATION``.

It walls itself in, says so, imports one module of this package and calls its ``main(channel)``. A module may have a
``warm_up()``: what a spare process imports while it waits.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from modelops.sandbox.channel import Channel


def run(configuration: dict[str, Any]) -> None:
    """Live the life of one worker."""
    from modelops.sandbox import channel as channels
    from modelops.sandbox.confine import confine
    from modelops.sandbox.limits import Limits

    source, sink = _private_streams()
    inputs, scratch = Path(configuration["inputs"]), Path(configuration["scratch"])
    os.umask(0o077)
    layers = confine(
        Limits.from_json(configuration["limits"]),
        package=Path(configuration["root"]) / "modelops",
        readable=[inputs, *map(Path, configuration["readable"])],
        writable=[scratch],
        parent=configuration["parent"],
        user=configuration["user"],
    )
    channel = channels.Channel(source, sink, inputs=inputs, scratch=scratch, control=configuration["control"])
    channel.send({"kind": "confined", "active": list(layers.active), "missing": list(layers.missing)})
    _work(channel, configuration["entry"], is_spare=configuration["warm"])


def _private_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes to the parent for frames alone: whatever prints, prints into the log."""
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    sink = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


def _work(channel: Channel, entry: str, *, is_spare: bool) -> None:
    from modelops.errors import ModelOpsError
    from modelops.sandbox.wire import BadFrame, EndOfStream

    try:
        module = importlib.import_module(entry)
        if is_spare and hasattr(module, "warm_up"):
            module.warm_up()
        module.main(channel)
    except EndOfStream as error:
        _report(channel, "WorkerFailed", str(error), lost=True)
    except MemoryError:
        _report(channel, "MemoryError", "")
    except ModelOpsError as error:
        known = next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "modelops.errors")
        _report(channel, known, str(error), lost=isinstance(error, BadFrame))
    except Exception as error:  # noqa: BLE001 - whatever a library raises, the parent is told; the log has the rest
        traceback.print_exc()
        _report(channel, "Unexpected", type(error).__name__)


def _report(channel: Channel, error: str, message: str, *, lost: bool = False) -> None:
    """Tell the parent how it ended. ``lost``: a connection broke, so the other end's fate is the reason."""
    from modelops.errors import WorkerFailed

    try:
        channel.send({"kind": "error", "error": error, "message": message[:2000], "lost": lost})
    except WorkerFailed:
        return  # the parent is gone


def main() -> None:
    """Read the configuration, run, and leave without the libraries' clean-up, which may hang."""
    configuration = json.loads(sys.argv[1])
    sys.path.append(configuration["root"])
    sys.path.extend(configuration["readable"])
    try:
        run(configuration)
    except BaseException:  # noqa: BLE001 - the last line of defence; the parent reads the log and the exit code
        traceback.print_exc()
        os._exit(70)
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
