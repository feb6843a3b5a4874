"""Working off the analyses of the example, with the runner of the app."""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor

from modelops.errors import WorkerFailed
from modelops.jobs.runner import Runner
from modelops.settings import Settings
from modelops.store import Store, queries_runs
from modelops.store.tables import TERMINAL, RunRow, RunState

_POLL_SECONDS = 0.2
_AT_ONCE = 2


class Analysing:
    """Claims and runs what is queued, in the background; other runners on the same store may help."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._runner = Runner(store, settings)
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="example")
        self._working: list[Future[None]] = []

    def start(self) -> None:
        """Begin to work off what is queued now."""
        self._working = [self._threads.submit(self._work) for _ in range(_AT_ONCE)]

    def _work(self) -> None:
        # A claim can come back empty because another thread was quicker; only an empty queue ends the work.
        while self._is_queued():
            run = self._runner.claim()
            if run is not None:
                self._runner.run(run)

    def _is_queued(self) -> bool:
        with self._store.reading() as reader:
            return queries_runs.next_queued(reader) is not None

    def finish(self, run_ids: Collection[int]) -> None:
        """Wait until all of these are finished.

        Raises
        ------
        WorkerFailed
            If one failed; with its reason.
        """
        for future in self._working:
            future.result()
        self._threads.shutdown()
        while any(row.state not in TERMINAL for row in self._rows(run_ids)):
            time.sleep(_POLL_SECONDS)
        for row in self._rows(run_ids):
            if row.state is not RunState.FINISHED:
                raise WorkerFailed(f"The analysis {row.analysis} (run {row.id}) is {row.state}: {row.message}")

    def _rows(self, run_ids: Collection[int]) -> list[RunRow]:
        with self._store.reading() as reader:
            return [reader.get(RunRow, run_id, what="analysis run") for run_id in run_ids]
