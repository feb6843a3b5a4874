"""Server time of answering one question of a review: the write and its audit entry included.

Starts the app on a store of its own, lets 1 and then 50 people answer a question over the websocket as their browsers
Starts the app on a store of its own, lets 1 and then 50 people answer a question over the websocket as browsers
Streamlit's that is nothing but a heading, and the act alone (one transaction, flushed to the disk) without any page.

    python benchmarks/answer.py [--people 50] [--answers 10]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from screen import Screen, log_in  # noqa: E402

from modelops.domain.checklist import Gate, Result, WorkStatus  # noqa: E402
from modelops.domain.inventory import RiskTier  # noqa: E402
from modelops.domain.people import Actor, Authentication, Role  # noqa: E402
from modelops.services import answers, catalogue, inventory, passwords, reviews  # noqa: E402
from modelops.services.people import insert_person  # noqa: E402
from modelops.store import Store  # noqa: E402

PASSWORD = "violet kettle sings at noon"
QUESTION = "problem.statement"
WARM_UP = 5
BARE = 'import streamlit as st\n\nst.title("Nothing but this")\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=50, help="how many answer at once")
    parser.add_argument("--answers", type=int, default=10, help="how often each of them does")
    parser.add_argument("--pause", type=float, default=4.0, help="mean seconds that each of them reads and types")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        found = seed(home, options.people)
        act = act_alone(home, *found[0])
        bare, bare_cpu = measure_bare(home)
        alone, alone_cpu, together, together_cpu = measure_app(
            home, [review for _, review in found], options.answers, options.pause
        )
    floor = statistics.median(bare)
    show("the act alone, without a page", act, None, floor)
    show("a bare page", bare, bare_cpu, floor)
    show("one person answering", alone, alone_cpu, floor)
    show(f"{options.people} people answering at once", together, together_cpu, floor)


def show(name: str, seconds: list[float], cpu: float | None, floor: float) -> None:
    ordered = sorted(seconds)
    middle, high = statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))]
    spent = "    -" if cpu is None else f"{1000 * cpu / len(seconds):5.1f}"
    print(
        f"{name:<32} p50 {1000 * middle:6.1f} ms   p95 {1000 * high:6.1f} ms   processor {spent} ms each"
        f"   / bare page {middle / floor:5.2f}   ({len(seconds)} times)"
    )


def seed(home: Path, people: int) -> list[tuple[Actor, int]]:
    """Make authors, and one open review for each."""
    with opened(home) as store:
        now = datetime.now(UTC)
        catalogue.publish_built_in(store, at=now)
        hashed, roles = passwords.password_hash(PASSWORD), frozenset({Role.AUTHOR})
        found = []
        for number in range(people):
            login = f"author{number}"
            with store.transaction() as t:
                user = insert_person(t, login=login, name=login, roles=roles, at=now, hashed=hashed, must_change=False)
            actor = Actor(user, login, login, roles, Authentication.PASSWORD)
            about = {"name": f"Model {number}", "purpose": "A measurement", "owner_id": user}
            model = inventory.register_model(store, actor=actor, at=now, risk_tier=RiskTier.LOW, **about)
            version = inventory.register_version(store, model.id, actor=actor, at=now, label="1")
            gate = Gate.PRE_DEPLOYMENT
            review = reviews.open_review(store, version.id, actor=actor, at=now, gate=gate, dataset_ids=())
            found.append((actor, review.id))
    return found


@contextlib.contextmanager
def opened(home: Path) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{home / 'modelops.sqlite3'}", str(home / "blobs"))
    yield store
    store.close()


def act_alone(home: Path, actor: Actor, review: int) -> list[float]:
    """Return the seconds of answering through the service."""
    seconds = []
    with opened(home) as store:
        for number in range(WARM_UP + 40):
            given = answers.Answer(Result.MET, f"Before {number}.", WorkStatus.DONE)
            start = time.perf_counter()
            now = datetime.now(UTC)
            answers.answer(store, review, QUESTION, given, actor=actor, at=now, seen_revision=number)
            seconds.append(time.perf_counter() - start)
    return seconds[WARM_UP:]


def measure_bare(home: Path) -> tuple[list[float], float]:
    """Return the seconds of drawing a page that is a heading, and the processor time of all of them."""
    script, port = home / "bare.py", free_port()
    script.write_text(BARE, encoding="utf-8")
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    with served(command, port, "_stcore/health") as server:
        screen = Screen(port)
        return timed(server, lambda: [screen.run() for _ in range(40)], warm=screen.run)


def measure_app(
    home: Path, found: list[int], times: int, pause: float
) -> tuple[list[float], float, list[float], float]:
    """Return seconds and processor time of one person's answers, and of everybody's."""
    port = free_port()
    command = [sys.executable, "-m", "modelops", "serve", "--port", str(port)]
    with served(command, port, "healthz", MODELOPS_HOME=str(home)) as server:
        people = [Person(port, f"author{number}", review) for number, review in enumerate(found)]
        first = people[0]
        alone = timed(server, lambda: [first.answer() for _ in range(4 * times)], warm=first.answer)
        together = timed(server, lambda: all_at_once(people, times, pause), warm=lambda: all_at_once(people, 1, pause))
    return *alone, *together


class Person:
    """Somebody who looks at one area of a checklist and answers one question of it again and again."""

    def __init__(self, port: int, login: str, review: int) -> None:
        cookie = log_in(port, login, PASSWORD)
        self._screen = Screen(port, page="checklist", query=f"review={review}", cookie=cookie)
        self._number = 0
        button = next(w for w in self._screen.widgets.values() if w.id.endswith(f"toggle {QUESTION}"))
        self._screen.run(fragment=button.fragment, pressed=button.id)

    def answer(self) -> float:
        """Type an answer and save it; return the seconds until it is drawn."""
        self._number += 1
        form = [
            widget
            for widget in self._screen.widgets.values()
            if getattr(widget.element, "form_id", "").startswith("answer ")
        ]
        area = next(widget for widget in form if type(widget.element).__name__ == "TextArea")
        save = next(widget for widget in form if type(widget.element).__name__ == "Button")
        typed = f"Answer {self._number}."
        seconds = self._screen.run(fragment=save.fragment, texts={area.id: typed}, pressed=save.id)
        drawn = [w.element.default for w in self._screen.widgets.values() if type(w.element).__name__ == "TextArea"]
        assert typed in drawn, f"The answer was not saved: {drawn}"
        return seconds


def all_at_once(people: list[Person], times: int, pause: float) -> list[float]:
    """Let everybody answer in a thread of their own, reading and typing for ``pause`` seconds on average in between."""
    seconds: list[float] = []

    def work(person: Person, chance: random.Random) -> None:
        for _ in range(times):
            time.sleep(pause * chance.uniform(0.5, 1.5))
            seconds.append(person.answer())

    threads = [threading.Thread(target=work, args=(one, random.Random(n))) for n, one in enumerate(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seconds) == times * len(people)
    return seconds


def timed(
    server: psutil.Process, act: Callable[[], list[float]], *, warm: Callable[[], object]
) -> tuple[list[float], float]:
    for _ in range(WARM_UP):
        warm()
    before = server.cpu_times()
    seconds = act()
    after = server.cpu_times()
    return seconds, after.user + after.system - before.user - before.system


@contextlib.contextmanager
def served(command: list[str], port: int, health: str, **environment: str) -> Iterator[psutil.Process]:
    """Run a server until the end of the block."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, **quiet)  # type: ignore[call-overload]
    try:
        wait_for(f"http://127.0.0.1:{port}/{health}", server)
        yield psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait()


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise SystemExit("The server did not start.")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(address).close()
            return
        time.sleep(0.2)
    raise SystemExit("The server did not answer within a minute.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
