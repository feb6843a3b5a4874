"""Workers for the tests of the sandbox."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelops.sandbox import Limits, Worker, folders, spares

collect_ignore = ["entries"]  # programs of workers
ENTRIES = Path(__file__).with_name("entries")
QUICK = Limits(wall_seconds=60.0, cpu_seconds=60)


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Worker]]:
    """Start a worker for an entry of the tests' own; all are closed at the end."""
    started: list[Worker] = []

    def begin(entry: str = "sandbox_misbehave", limits: Limits = QUICK) -> Worker:
        worker = Worker.confined(entry, limits, readable=(ENTRIES,))
        worker.begin("model.bin")
        started.append(worker)
        return worker

    yield begin
    for worker in started:
        worker.close()


@pytest.fixture(autouse=True)
def no_folder_is_left() -> Iterator[None]:
    """Every test leaves the temporary folder as it was."""
    before = scratch_folders()
    yield
    # A spare is replaced in the background: its folder goes, or becomes known, a moment after the test.
    end = time.monotonic() + 10
    while not scratch_folders() <= before and time.monotonic() < end:
        time.sleep(0.05)
    assert scratch_folders() <= before


def scratch_folders() -> set[str]:
    """Return the names of the folders of this process's workers; spares of other tests come and go."""
    kept = {spare.scratch.parent.name for spare in spares._pool.waiting.values()}
    mine = Path(tempfile.gettempdir()).glob(f"modelops-{folders._machine()}-{os.getpid()}-*")
    return {path.name for path in mine} - kept
