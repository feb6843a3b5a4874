"""Compiled code: written only by workers that have seen nothing from outside, handed to all as a copy."""

import pytest

from modelops.errors import WorkerFailed
from modelops.sandbox import compile_cache


@pytest.fixture
def folder(tmp_path):
    compile_cache.use(tmp_path / "compiled")
    yield tmp_path / "compiled"
    compile_cache.use(None)


def test_what_one_worker_compiled_another_one_loads(folder, start):
    with_nothing = start("sandbox_compile")
    assert compile_cache.fill(with_nothing) > 0
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".nbi", ".nbc"}
    another = start("sandbox_compile")
    another.send({"kind": "compile"})
    assert another.receive(60).header["hits"] == 1


def test_a_worker_with_a_file_from_outside_does_not_fill_it(folder, start, tmp_path):
    (tmp_path / "upload").write_bytes(b"x")
    worker = start("sandbox_compile")
    worker.put(tmp_path / "upload", "upload")
    with pytest.raises(WorkerFailed, match="may not fill"):
        compile_cache.fill(worker)
    assert not folder.exists()


def test_what_a_worker_leaves_in_its_own_copy_goes_with_it(folder, start):
    compile_cache.fill(start("sandbox_compile"))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    worker = start("sandbox_compile")
    for path in (worker.scratch / "numba").rglob("*.nbc"):
        path.write_bytes(b"poisoned")
    worker.close()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_without_a_folder_nothing_is_kept(start):
    assert compile_cache.fill(start("sandbox_compile")) == 0
