"""Claims runs from the database and supervises them.

The table is the truth. A run whose runner died is put back into the queue, and given up after `MAX_ATTEMPTS`; nothing
is lost by a restart.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from modelops import evaluation
from modelops.domain.canonical import canonical_bytes
from modelops.domain.criteria import judge_criteria
from modelops.domain.people import SYSTEM
from modelops.domain.result import AnalysisResult, Outcome, ResultTable
from modelops.errors import Cancelled, ModelOpsError
from modelops.evaluation import EvaluationRequest, InputFiles
from modelops.jobs.warming import run_limits
from modelops.services import catalogue, files, runs
from modelops.settings import Settings
from modelops.store import Store, queries_runs
from modelops.store.queries_criteria import frozen_by_digest
from modelops.store.tables import DatasetRow, RunRow, RunState

MAX_ATTEMPTS = 3
_POLL_SECONDS = 0.5
_HEARTBEAT_SECONDS = 5.0
_DEAD_AFTER = timedelta(seconds=60)
_log = logging.getLogger(__name__)

# What a run is called when several verdicts come together: the gravest first. What was left out is no pass.
_GRAVITY = (
    *(Outcome.FAILED, Outcome.NOT_ENOUGH_DATA, Outcome.NOT_RUN),
    *(Outcome.IMMATERIAL, Outcome.PASSED, Outcome.NOT_APPLICABLE),
)


def gravest(outcomes: Iterable[Outcome]) -> Outcome:
    """Return what a run is called whose rules came to these outcomes: *not run* where there is no rule.

    Examples
    --------
    >>> gravest([Outcome.PASSED, Outcome.NOT_RUN, Outcome.NOT_APPLICABLE]).value
    'not run'
    """
    found = set(outcomes)
    return next((outcome for outcome in _GRAVITY if outcome in found), Outcome.NOT_RUN)


def start(store: Store, settings: Settings) -> Callable[[], None]:
    """Start working off the queue in threads of this process; return the function that stops it."""
    runner = Runner(store, settings)
    runner.recover()
    threads = [
        threading.Thread(target=runner.work, name=f"runner-{number}", daemon=True) for number in range(settings.workers)
    ]
    for thread in threads:
        thread.start()

    def stop() -> None:
        runner.stopping.set()
        for thread in threads:
            thread.join(timeout=10)

    return stop


class Runner:
    """One process's share of the work."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.limits = run_limits(settings)
        self.stopping = threading.Event()
        self._host = f"{socket.gethostname()}/"
        self.name = f"{self._host}{os.getpid()}/{secrets.token_hex(4)}"

    def recover(self) -> int:
        """Put runs back that a runner of this machine left behind, or that gave no sign for a minute; return how many.

        A host runs one app on one store, so that at its start nothing of this host can still be running.
        """
        now = datetime.now(UTC)
        with self.store.transaction() as t:
            left = queries_runs.abandoned(t, runners=self._host, before=now - _DEAD_AFTER)
            for run in left:
                if run.attempt < MAX_ATTEMPTS:
                    queries_runs.requeue(t, run)
                    continue
                message = f"Given up: its runner died {run.attempt} times. The files may be too large for this machine."
                queries_runs.end(t, run, RunState.FAILED, at=now, message=message)
                t.record(SYSTEM, "run:fail", f"run/{run.id}", at=now, reason=message)
        return len(left)

    def work(self) -> None:
        """Claim and run until told to stop."""
        while not self.stopping.is_set():
            try:
                run = self.claim()
                if run is None:
                    self.stopping.wait(_POLL_SECONDS)
                else:
                    self.run(run)
            except Exception:  # noqa: BLE001 - logged; the thread must go on
                _log.exception("A run ended in an unforeseen way")
                self.stopping.wait(_POLL_SECONDS)

    def claim(self) -> RunRow | None:
        """Take the run that has waited longest, if there is one."""
        with self.store.reading() as reader:
            run_id = queries_runs.next_queued(reader)
        if run_id is None:
            return None
        with self.store.transaction() as t:
            return queries_runs.claim(t, run_id, runner=self.name, at=datetime.now(UTC))

    def run(self, run: RunRow) -> None:
        """Supervise one run to its end, whatever end that is."""
        cases: list[ResultTable] = []
        try:
            result = self._evaluate(run, cases)
        except Cancelled:
            if not self.stopping.is_set():
                self._end(run, RunState.CANCELLED, "Cancelled")
        except ModelOpsError as error:
            self._end(run, RunState.FAILED, self._failure(run, error))
        except Exception:  # noqa: BLE001 - logged; the thread must go on
            number = secrets.token_hex(4)
            _log.exception("Run %s failed (%s)", run.id, number)
            self._end(run, RunState.FAILED, f"Something went wrong in the app itself (number {number} in its log).")
        else:
            self._finish(run, result, cases)

    def _evaluate(self, run: RunRow, cases: list[ResultTable]) -> AnalysisResult:
        request = EvaluationRequest.model_validate(run.request)
        with contextlib.ExitStack() as stack:
            with self.store.reading() as reader:
                policy = catalogue.policy(reader, run.policy)
                criteria = frozen_by_digest(reader, run.criteria)
                role = reader.get(DatasetRow, run.data_id, what="dataset").role
                digests, names = queries_runs.inputs_of(reader, run)
            paths = {part: stack.enter_context(self.store.blobs.local(digest)) for part, digest in digests.items()}
            watch = _Watch(self, run)
            result = evaluation.evaluate(
                request,
                InputFiles(
                    data=paths["data"],
                    reference=paths.get("reference"),
                    train=paths.get("train"),
                    model=paths.get("model"),
                    champion=paths.get("champion"),
                    names=tuple(names.items()),
                ),
                policy=policy,
                progress=watch.progress,
                cancelled=watch.cancelled,
                limits=self.limits,
                keep_cases=cases.append,
            )
        if criteria is None:
            return result
        judged = judge_criteria(criteria.body, result, role=role)
        return result.model_copy(update={"verdicts": (*result.verdicts, *judged)})

    def _finish(self, run: RunRow, result: AnalysisResult, cases: list[ResultTable]) -> None:
        now = datetime.now(UTC)
        message = self._comparison(run, result)
        with self.store.transaction() as t:
            digest = files.keep(self.store, t, canonical_bytes(result), at=now)
            verdict = gravest(one.verdict for one in result.verdicts)
            values: dict[str, object] = {"result": digest, "summary": result.summary, "verdict": str(verdict)}
            if cases:
                values["cases"] = files.keep(self.store, t, canonical_bytes(cases[0]), at=now)
            if queries_runs.end(t, run, RunState.FINISHED, at=now, progress=1.0, message=message, **values):
                t.record(SYSTEM, "run:finish", f"run/{run.id}", at=now, new={"verdict": str(verdict)}, digest=digest)

    def _comparison(self, run: RunRow, result: AnalysisResult) -> str:
        """Return what came of running it again, or nothing for a first run."""
        if run.repeats_id is None:
            return ""
        with self.store.reading() as reader:
            old = runs.result(self.store, reader.get(RunRow, run.repeats_id, what="analysis run"))
        if old is None:
            return ""
        found = evaluation.compare(old, result)
        return f"Run again: {found.outcome}. {found.because}"

    def _failure(self, run: RunRow, error: ModelOpsError) -> str:
        """Return why there is no result; of a run that repeats another one, also what has changed since."""
        if run.repeats_id is None:
            return str(error)
        with self.store.reading() as reader:
            old = runs.result(self.store, reader.get(RunRow, run.repeats_id, what="analysis run"))
        return f"Run again: cannot. {error if old is None else evaluation.failed(old, error)}"

    def _end(self, run: RunRow, state: RunState, message: str) -> None:
        now = datetime.now(UTC)
        action = "run:stopped" if state is RunState.CANCELLED else "run:fail"
        with self.store.transaction() as t:
            if queries_runs.end(t, run, state, at=now, message=message[:2000]):
                t.record(SYSTEM, action, f"run/{run.id}", at=now, reason=message[:2000])


class _Watch:
    """Writes progress to the table and reads from it whether to stop, neither more often than is useful."""

    def __init__(self, runner: Runner, run: RunRow) -> None:
        self._runner, self._run = runner, run
        self._reported = self._asked = 0.0
        self._answer = False
        self._last = (0.0, "Starting")

    def progress(self, fraction: float, text: str) -> None:
        self._last = (min(max(fraction, 0.0), 1.0), text)
        if time.monotonic() - self._reported >= _POLL_SECONDS:
            self._report()

    def _report(self) -> None:
        self._reported = time.monotonic()
        fraction, text = self._last
        with self._runner.store.transaction() as t:
            queries_runs.report(t, self._run, progress=fraction, message=text, at=datetime.now(UTC))

    def cancelled(self) -> bool:
        now = time.monotonic()
        if now - self._reported >= _HEARTBEAT_SECONDS:
            self._report()
        if now - self._asked >= _POLL_SECONDS:
            self._asked = now
            with self._runner.store.reading() as reader:
                self._answer = queries_runs.cancel_is_asked(reader, self._run)
        return self._answer or self._runner.stopping.is_set()
