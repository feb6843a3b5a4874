"""Analyses start at once: kernels are compiled ahead, once for the code of today, and processes wait."""

import time

import pytest

from modelops.jobs import warming
from modelops.sandbox import compile_cache, spares
from modelops.settings import Settings


@pytest.fixture(autouse=True)
def clean_pool():
    spares.restart()
    yield
    spares.shutdown()
    spares.restart()


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "compiled"
    compile_cache.use(None)


def test_kernels_are_compiled_once_and_those_of_older_code_are_removed(folder):
    old = folder / "0123456789abcdef"
    old.mkdir(parents=True)
    assert warming.compile_kernels(folder) > 0
    assert not old.exists()
    assert warming.compile_kernels(folder) == 0


def test_a_process_of_each_kind_waits_after_the_start(tmp_path, store, folder, monkeypatch):
    monkeypatch.setattr(warming, "_AFTER_SECONDS", 0.0)
    (folder / warming._stamp()).mkdir(parents=True)  # as if compiled at an earlier start
    stop = warming.start(store, Settings(home=tmp_path))
    try:
        end = time.monotonic() + 60
        while len(spares._pool.waiting) < 2 and time.monotonic() < end:
            time.sleep(0.1)
        assert {entry for entry, _ in spares._pool.waiting} == {
            "modelops.evaluation.analysis_process",
            "modelops.sandbox.model_process",
        }
    finally:
        stop()


def test_nothing_is_prepared_where_it_is_switched_off(tmp_path, store):
    warming.start(store, Settings(home=tmp_path, warm=False))()
    assert not spares._pool.wanted
