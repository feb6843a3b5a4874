"""What the code in a sandboxed process has of the world: its parent, its files, and perhaps one other process."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import BinaryIO

from modelops.errors import InvalidInput, WorkerFailed
from modelops.sandbox.wire import Stream

INPUT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


class Channel(Stream):
    """The connection to the parent, as a worker's ``main(channel)`` gets it.

    Parameters
    ----------
    source, sink : BinaryIO
        Unbuffered streams from and to the parent.
    inputs, scratch : Path
        Folder of the input files (read only), and the only folder that may be written.
    control : int or None
        File descriptor of the control socket, over which connections to other workers arrive.
    """

    def __init__(
        self, source: BinaryIO, sink: BinaryIO, *, inputs: Path, scratch: Path, control: int | None = None
    ) -> None:
        super().__init__(source, sink)
        self.inputs = inputs
        self.scratch = scratch
        self._control = control

    def input(self, name: str) -> Path:
        """Return the path of an input that the parent has put under this name.

        Raises
        ------
        InvalidInput
            If the name is not one that `Worker.put` allows.
        """
        if not INPUT_NAME.fullmatch(name):
            raise InvalidInput(f"Got {name!r} as the name of an input, expected letters, digits, '.', '_' and '-'.")
        return self.inputs / name

    def progress(self, fraction: float, text: str) -> None:
        """Tell the parent how far the work is (0 to 1), and what is being done."""
        self.send({"kind": "progress", "fraction": min(max(float(fraction), 0.0), 1.0), "text": text[:200]})

    def peer(self) -> Stream:
        """Wait until the parent links this process with another one, and return the connection to it.

        Raises
        ------
        WorkerFailed
            If this system cannot pass connections between processes (Windows), or the parent went away.
        """
        if self._control is None:
            raise WorkerFailed("This system cannot join two sandboxed processes. Use Docker or WSL2.")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=os.dup(self._control)) as control:
            _, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        if len(descriptors) != 2:
            raise WorkerFailed("The connection to the other process did not arrive.")
        source, sink = descriptors
        return Stream(os.fdopen(source, "rb", buffering=0), os.fdopen(sink, "wb", buffering=0))
