"""Warm spares: ready, used once, replaced, gone at the end."""

import time

import pytest

from modelops.errors import InvalidInput
from modelops.sandbox import Limits, Worker, shutdown, spares, warm

ECHO = "modelops.sandbox.echo"
LIMITS = Limits(wall_seconds=20.0)


@pytest.fixture(autouse=True)
def clean_pool():
    spares.restart()
    yield
    shutdown()
    spares.restart()


def waiting(*, other_than=0, entry=ECHO):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        spare = spares._pool.waiting.get((entry, LIMITS))
        if spare is not None and spare.pid != other_than:
            return spare
        time.sleep(0.02)
    raise AssertionError("no spare came up")


def test_a_spare_is_taken_and_replaced_by_another_one():
    warm(ECHO, LIMITS)
    spare = waiting()
    with Worker.start(ECHO, LIMITS) as worker:
        assert worker is spare
        worker.send({"kind": "hello"})
        assert worker.receive(20).text("text") == "hello"
        assert waiting(other_than=spare.pid).is_running()


def test_a_spare_is_walled_in_before_it_is_used():
    warm(ECHO, LIMITS)
    assert waiting().layers


def test_other_limits_do_not_get_the_spare():
    warm(ECHO, LIMITS)
    spare = waiting()
    with Worker.start(ECHO, Limits(wall_seconds=21.0)) as worker:
        assert worker is not spare


def test_the_clock_of_a_spare_starts_when_it_is_taken():
    limits = Limits(wall_seconds=0.6)
    warm(ECHO, limits)
    end = time.monotonic() + 20
    while (ECHO, limits) not in spares._pool.waiting and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.8)
    with Worker.start(ECHO, limits) as worker:
        worker.send({"kind": "hello"})
        assert worker.receive(20).kind == "echo"


def test_a_spare_that_died_is_not_handed_out():
    warm(ECHO, LIMITS)
    spare = waiting()
    spare._kill()
    spare._popen.wait()
    with Worker.start(ECHO, LIMITS) as worker:
        assert worker is not spare
        worker.send({"kind": "hello"})
        assert worker.receive(20).kind == "echo"


def test_shutting_down_ends_every_spare_and_keeps_no_more():
    warm(ECHO, LIMITS)
    spare = waiting()
    shutdown()
    assert not spare.is_running()
    warm(ECHO, LIMITS)
    assert not spares._pool.wanted


def test_two_linked_spares_talk():
    warm("modelops.sandbox.model_process", LIMITS)
    warm(ECHO, LIMITS)
    one, two = waiting(), waiting(entry="modelops.sandbox.model_process")
    one.link(two)


def test_only_modules_of_this_package_are_kept_warm():
    with pytest.raises(InvalidInput, match="expected a module of modelops"):
        warm("os")
