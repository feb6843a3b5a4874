"""Compiled code: written only by workers that have seen nothing from outside, handed to all as a copy."""

import pytest

from modelops.errors import InvalidInput, WorkerFailed
from modelops.sandbox import compile_cache, compiling

KERNELS = ("modelops.analyses.cores.histogram_kernels",)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder that was filled once."""
    path = tmp_path_factory.mktemp("compiled") / "numba"
    compile_cache.use(path)
    assert compiling.fill(KERNELS) > 0
    yield path
    compile_cache.use(None)


def files(folder):
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_only_compiled_code_is_kept(folder):
    assert {path.suffix for path in files(folder)} == {".nbi", ".nbc"}


def test_a_worker_starts_with_the_compiled_code_and_compiles_nothing(folder, start):
    worker = start("modelops.sandbox.compiling")
    before = files(worker.scratch / "numba")
    assert set(before) == set(files(folder))
    worker.send({"kind": "compile", "modules": list(KERNELS)})
    worker.receive(60)
    assert files(worker.scratch / "numba") == before


def test_what_a_worker_leaves_in_its_own_copy_goes_with_it(folder, start):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    worker = start("modelops.sandbox.echo")
    for path in (worker.scratch / "numba").rglob("*.nbc"):
        path.write_bytes(b"poisoned")
    worker.close()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_only_modules_of_this_package_are_compiled():
    with pytest.raises(InvalidInput, match="expected a module of modelops"):
        compiling.fill(("os",))


def test_a_module_that_does_not_exist_is_told():
    with pytest.raises(WorkerFailed, match="ModuleNotFoundError"):
        compiling.fill(("modelops.nothing",))
