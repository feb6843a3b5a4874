"""Workers: sandboxed processes that are used once.

>>> from modelops.sandbox import Limits, Worker
>>> with Worker.start("modelops.sandbox.echo", Limits()) as worker:
...     worker.send({"kind": "hello"})
...     worker.receive(timeout=60).header["text"]
'hello'
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import signal
import socket
import sys
import threading
import time
import weakref
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from modelops.errors import InvalidInput, ModelOpsError, WorkerFailed
from modelops.sandbox import fates, folders, process
from modelops.sandbox.channel import INPUT_NAME
from modelops.sandbox.limits import MODEL_LIMITS, Limits
from modelops.sandbox.watch import Log, Watch
from modelops.sandbox.wire import BadFrame, EndOfStream, Frame, Json, read_frame, write_frame

_ENTRY = re.compile(r"modelops(\.[a-z][a-z0-9_]*)+")
_CONFINED_WITHIN = 60.0
_GONE_WITHIN = 5.0

_alive: weakref.WeakSet[Worker] = weakref.WeakSet()


class Worker:
    """One sandboxed process. Make it with `start`, use it in one thread, and `close` it, whatever happens.

    Attributes
    ----------
    limits : Limits
        What it may use.
    layers, missing : tuple of str
        The layers of the sandbox that are active, and those that this system does not offer.
    """

    def __init__(self, entry: str, limits: Limits, *, warm: bool = False, readable: tuple[Path, ...] = ()) -> None:
        self.limits = limits
        self.subject = "The file"
        self.layers: tuple[str, ...] = ()
        self.missing: tuple[str, ...] = ()
        self._failure: ModelOpsError | None = None
        self._failing = threading.Lock()
        self._closed = threading.Event()
        self._linked: list[Worker] = []
        self._frames: queue.Queue[Frame | None] = queue.Queue(maxsize=4)
        self._folders = folders.Folders.create()
        try:
            started = process.start(entry, limits, self._folders, warm=warm, readable=readable)
        except BaseException:
            self._folders.remove()
            raise
        self._popen, self._control = started.popen, started.control
        _alive.add(self)
        self._log = Log(self._popen.stderr, limits.log_bytes, on_flood=self._flooded)
        self._reader = threading.Thread(target=self._read, name=f"sandbox-read-{self._popen.pid}", daemon=True)
        self._reader.start()
        self._watch = Watch(self._popen, limits, self._folders.scratch, fail=self._fail, subject=lambda: self.subject)

    @classmethod
    def start(
        cls, entry: str, limits: Limits = MODEL_LIMITS, *, subject: str = "The file", takes_spare: bool = True
    ) -> Self:
        """Start a sandboxed process, or take a warm spare.

        Parameters
        ----------
        entry : str
            Name of a module of this package with a ``main(channel)``.
        limits : Limits
            What it may use. The wall-clock time begins now.
        subject : str
            What is opened, for messages: ``"credit.skops"``.
        takes_spare : bool
            ``False`` for a process that has imported nothing in advance.

        Raises
        ------
        InvalidInput
            If the entry is not a module of this package.
        WorkerFailed
            If the process does not come up.
        """
        from modelops.sandbox import spares

        check_entry(entry)
        worker = (spares.take(entry, limits) if takes_spare else None) or cls.confined(entry, limits)
        worker.begin(subject)
        return worker  # type: ignore[return-value]

    @classmethod
    def confined(cls, entry: str, limits: Limits, *, warm: bool = False, readable: tuple[Path, ...] = ()) -> Self:
        """Start a process and wait until it has walled itself in. Its clock does not run yet."""
        worker = cls(entry, limits, warm=warm, readable=readable)
        try:
            worker.wait_until_confined()
        except BaseException:
            worker.close()
            raise
        return worker

    def wait_until_confined(self) -> None:
        """Take the process's first message: which layers it has put on."""
        frame = self.receive(_CONFINED_WITHIN)
        if frame.kind != "confined":
            raise WorkerFailed("A sandboxed process did not come up.")
        self.layers = _texts(frame.header.get("active"))
        self.missing = _texts(frame.header.get("missing"))

    def begin(self, subject: str = "The file") -> None:
        """Start the wall-clock time."""
        self.subject = subject
        self._watch.begin()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def scratch(self) -> Path:
        """The only folder that the process may write to."""
        return self._folders.scratch

    @property
    def log(self) -> str:
        """The end of what the process printed. It may hold anything: for logs, not for people."""
        return self._log.text

    def is_running(self) -> bool:
        """Say whether the process lives."""
        return self._popen.poll() is None

    def put(self, path: Path, name: str) -> Path:
        """Give the process a file to read; return the path under which it sees it.

        The file is linked where the process cannot write to it anyway, and copied otherwise.

        Raises
        ------
        InvalidInput
            If ``name`` is not of letters, digits, ``.``, ``_`` and ``-``, or is taken.
        """
        if not INPUT_NAME.fullmatch(name):
            raise InvalidInput(f"Got {name!r} as the name of an input, expected letters, digits, '.', '_' and '-'.")
        target = self._folders.inputs / name
        if target.exists():
            raise InvalidInput(f"The sandboxed process has an input {name!r} already.")
        if folders.worker_user() is None and any(layer.startswith("Landlock") for layer in self.layers):
            with contextlib.suppress(OSError):
                os.link(path.resolve(), target)
                return target
        shutil.copyfile(path, target)
        target.chmod(0o444)
        return target

    def send(self, header: dict[str, Json], buffers: Iterable[object] = ()) -> None:
        """Send one frame.

        Raises
        ------
        WorkerFailed
            If the process has ended, with the reason.
        """
        stdin = self._popen.stdin
        try:
            if stdin is None or stdin.closed:
                raise BrokenPipeError
            write_frame(lambda content: _write_all(stdin.fileno(), content), header, buffers)
        except OSError as error:
            raise self._reason() from error

    def receive(self, timeout: float | None = None) -> Frame:
        """Wait for the next frame.

        Parameters
        ----------
        timeout : float or None
            Seconds; ``None`` waits until the wall-clock limit.

        Raises
        ------
        ModelOpsError
            The error that the process reported (a refused file, a value that cannot be used).
        WorkerFailed
            If it crashed, answered nonsense or ran over a limit, ``timeout`` included; it is ended then.
        """
        frame = self.poll(self.limits.wall_seconds if timeout is None else timeout)
        if frame is None:
            self._fail(fates.took_too_long(self.subject, self.limits.wall_seconds if timeout is None else timeout))
            raise self._reason()
        return frame

    def poll(self, timeout: float) -> Frame | None:
        """Wait at most ``timeout`` seconds for a frame; ``None`` if none came. Raises as `receive` does."""
        if self._failure is not None:
            raise self._reason()
        try:
            frame = self._frames.get(timeout=max(timeout, 0.0))
        except queue.Empty:
            return None
        if frame is None:
            raise self._reason()
        if frame.kind == "error":
            raise self._told(frame)
        return frame

    def link(self, other: Worker) -> None:
        """Join this process and another one by a pair of pipes; each gets its end from ``channel.peer()``.

        Raises
        ------
        WorkerFailed
            If this system cannot pass open pipes to a running process (Windows), or one of the two has ended.
        """
        if self._control is None or other._control is None:
            raise WorkerFailed("This system cannot join two sandboxed processes. Use Docker or WSL2.")
        from_self, to_other = os.pipe()
        from_other, to_self = os.pipe()
        # Each side reads what the other writes.
        pairs = ((self, (from_other, to_other)), (other, (from_self, to_self)))
        try:
            for worker, descriptors in pairs:
                worker._hand_over(descriptors)  # noqa: SLF001 - another worker's own
        finally:
            for descriptor in (from_self, to_other, from_other, to_self):
                os.close(descriptor)
        self._linked.append(other)
        other._linked.append(self)

    def _hand_over(self, descriptors: tuple[int, int]) -> None:
        if self._control is None:
            raise AssertionError
        try:
            socket.send_fds(self._control, [b"L"], list(descriptors))
        except OSError as error:
            raise self._reason() from error

    @property
    def failure(self) -> ModelOpsError | None:
        """Why the process ended, if it did and not because it was closed."""
        if self._failure is None and not self._closed.is_set() and not self.is_running():
            self._reason()
        return self._failure

    def close(self) -> None:
        """End the process and remove its folders. May be called again."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._kill()
        self._popen.wait()
        self._watch.stop()
        self._reader.join(_GONE_WITHIN)
        self._log.join(_GONE_WITHIN)
        for stream in (self._popen.stdin, self._popen.stdout, self._popen.stderr, self._control):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._folders.remove()
        _alive.discard(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> None:
        """Read frames until the end, in a thread of its own."""
        stdout = self._popen.stdout
        if stdout is None:
            raise AssertionError
        rest = self.limits.output_bytes
        try:
            while True:
                frame = read_frame(lambda into: _read_some(stdout.fileno(), into), max_bytes=rest)
                rest -= sum(buffer.nbytes for buffer in frame.buffers) + 1024
                if rest <= 0:
                    self._flooded(self.limits.output_bytes)
                    break
                if not self._offer(frame):
                    return
        except EndOfStream:
            pass
        except BadFrame as error:
            # A process that dies in the middle of a message has not lied: its exit code is the reason.
            if self._wait_for_end(0.5) in (None, 0):
                self._fail(fates.spoke_nonsense(self.subject, error))
        except (OSError, ValueError, MemoryError):
            pass
        self._offer(None)

    def _offer(self, frame: Frame | None) -> bool:
        while not self._closed.is_set():
            try:
                self._frames.put(frame, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def _flooded(self, limit: int) -> None:
        self._fail(fates.said_too_much(self.subject, limit))

    def _fail(self, error: ModelOpsError) -> None:
        """Note why, the first reason only, and end the process."""
        with self._failing:
            if self._failure is None and not self._closed.is_set():
                self._failure = error
        self._kill()

    def _reason(self) -> ModelOpsError:
        """Return why the process ended, which it has or is about to."""
        code = self._wait_for_end(_GONE_WITHIN)
        self._log.join(0.5)
        if self._closed.is_set():
            return self._failure or WorkerFailed("The sandboxed process was closed.")
        if code is None:
            self._fail(WorkerFailed(f"{self.subject} made the sandboxed process hang up. It was stopped."))
        else:
            self._fail(fates.ended(self.subject, code, self._log.text, self.limits))
        if self._failure is None:
            raise AssertionError
        return self._failure

    def _told(self, frame: Frame) -> ModelOpsError:
        if frame.header.get("lost") is True:
            for other in self._linked:
                other._wait_for_end(1.0)  # noqa: SLF001 - another worker's own
                if other.failure is not None:
                    return other.failure
        return fates.told(self.subject, frame, self.limits)

    def _wait_for_end(self, seconds: float) -> int | None:
        end = time.monotonic() + seconds
        while self._popen.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        return self._popen.returncode

    def _kill(self) -> None:
        if self._popen.poll() is not None:
            return
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._popen.kill()
            else:
                os.killpg(self._popen.pid, signal.SIGKILL)


def check_entry(entry: str) -> None:
    """Refuse any entry that is not a module of this package.

    Raises
    ------
    InvalidInput
        If it is another name.
    """
    if not _ENTRY.fullmatch(entry):
        raise InvalidInput(f"Got {entry!r} as the program of a sandboxed process, expected a module of modelops.")


def close_all() -> None:
    """Close every worker of this process."""
    for worker in list(_alive):
        worker.close()


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _write_all(descriptor: int, content: bytes | memoryview) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _read_some(descriptor: int, into: memoryview) -> int:
    content = os.read(descriptor, len(into))
    into[: len(content)] = content
    return len(content)
