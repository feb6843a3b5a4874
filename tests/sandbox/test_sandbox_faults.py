"""Workers that die, loop, fork, flood or answer nonsense: the parent lives, says why, and cleans up."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from modelops.errors import InvalidInput, RefusedFile, WorkerFailed
from modelops.sandbox import Limits, Worker, folders
from modelops.sandbox.limits import MIB

QUICK = Limits(wall_seconds=30.0, cpu_seconds=30)
ROOT = Path(__file__).resolve().parents[2]


def failure(worker, kind, **header):
    worker.send({"kind": kind, **header})
    with pytest.raises(WorkerFailed) as caught:
        while True:
            worker.receive(20)
    return str(caught.value)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_a_crash_is_told_with_its_signal(start, number):
    assert f"model.bin crashed its loader (signal {int(number)})" in failure(start(), "crash", signal=int(number))


def test_an_early_end_is_told_with_its_code(start):
    assert "exit code 3" in failure(start(), "leave", code=3)


def test_a_worker_that_needs_too_much_resident_memory_is_ended(start):
    message = failure(start(limits=replace(QUICK, memory=200 * MIB)), "allocate", mebibytes=2000)
    assert message.startswith("model.bin ran out of memory: the limit is 200.0 MiB")


def test_a_worker_that_asks_for_more_address_space_than_there_is_is_told_so(start):
    worker = start(limits=replace(QUICK, memory=64 * MIB))
    assert "ran out of memory" in failure(worker, "allocate", mebibytes=100_000)


def test_a_worker_that_takes_too_long_is_ended(start):
    began = time.monotonic()
    message = failure(start(limits=replace(QUICK, wall_seconds=0.5)), "answer_late", seconds=60)
    assert message.startswith("model.bin took longer than 0.5 s")
    assert time.monotonic() - began < 5


def test_a_worker_that_computes_too_long_is_ended(start):
    worker = start(limits=replace(QUICK, cpu_seconds=1))
    assert "took longer than 1 s of processor time" in failure(worker, "spin")


def test_an_answer_that_does_not_come_in_time_ends_the_worker(start):
    worker = start()
    worker.send({"kind": "answer_late", "seconds": 60})
    with pytest.raises(WorkerFailed, match=r"took longer than 0\.3 s"):
        worker.receive(0.3)
    assert not worker.is_running()


def test_looking_for_an_answer_in_vain_does_no_harm(start):
    worker = start()
    worker.send({"kind": "answer_late", "seconds": 0.3})
    assert worker.poll(0.01) is None
    assert worker.receive(10).kind == "late"


def test_a_flood_of_printing_ends_the_worker(start):
    message = failure(start(limits=replace(QUICK, log_bytes=1 * MIB)), "flood_log")
    assert message.startswith("model.bin sent more than 1.0 MiB of output")


def test_a_flood_of_messages_ends_the_worker(start):
    message = failure(start(limits=replace(QUICK, output_bytes=8 * MIB)), "flood_frames")
    assert message.startswith("model.bin sent more than 8.0 MiB of output") or "nonsense" in message


def test_a_worker_cannot_fork(start):
    worker = start()
    worker.send({"kind": "fork"})
    assert worker.receive(10).header == {"kind": "no", "why": "PermissionError"}


def test_threads_without_end_end_the_worker(start):
    assert "started more than 40 threads" in failure(start(), "threads")


def test_files_without_end_end_the_worker(start):
    assert "temporary files" in failure(start(limits=replace(QUICK, scratch_bytes=16 * MIB)), "fill_scratch")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01",
        b"\xff" * 8,
        (5).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (4).to_bytes(8, "little") + b"null",
        b"HTTP/1.1 200 OK\r\n\r\n",
        (40).to_bytes(8, "little") + b'{"buffers":[{"type":"x","shape":[1]}]}  ',
    ],
)
def test_an_answer_that_is_no_message_is_told_and_not_believed(start, content):
    worker = start()
    worker.send({"kind": "raw"}, [content])
    with pytest.raises(WorkerFailed, match=r"nonsense|ended its sandboxed process|crashed|failed"):
        worker.receive(10)


def test_a_folder_that_the_worker_has_closed_is_removed(start):
    worker = start()
    worker.send({"kind": "make_mess"})
    worker.receive(10)
    scratch = worker.scratch
    worker.close()
    assert not scratch.exists()


def test_folders_nested_deeper_than_a_path_is_long_are_removed(start):
    worker = start()
    worker.send({"kind": "dig", "levels": 3000})
    worker.receive(20)
    scratch = worker.scratch
    worker.close()
    assert not scratch.exists()


def test_an_unexpected_error_is_told_without_its_text(start):
    message = failure(start(), "unexpected")
    assert "ZeroDivisionError" in message
    assert "shadow" not in message
    assert "Traceback" not in message


def test_a_refusal_arrives_as_one_line_without_control_characters_and_paths(start):
    worker = start()
    worker.send({"kind": "refuse", "message": "bad \x1b[31m\u202efile in /srv/app/x.bin\nTraceback: more"})
    with pytest.raises(RefusedFile) as caught:
        worker.receive(10)
    assert str(caught.value) == "bad [31mfile in (path)"


def test_the_death_of_a_linked_worker_is_the_reason_that_the_other_fails(start):
    analysis, model = start(), start()
    analysis.link(model)
    analysis.send({"kind": "listen"})
    model.send({"kind": "crash", "signal": int(signal.SIGSEGV)})
    with pytest.raises(WorkerFailed, match=r"crashed its loader \(signal 11\)"):
        analysis.receive(10)


def test_what_is_asked_of_an_ended_worker_is_answered_with_why_it_ended(start):
    worker = start()
    failure(worker, "leave", code=3)
    with pytest.raises(WorkerFailed, match="exit code 3"):
        worker.send({"kind": "again"}, [bytes(1 << 20)])


def test_a_worker_goes_when_its_parent_is_killed_and_its_folder_with_the_next():
    code = (
        "import sys, time; sys.path[:0] = [sys.argv[1]]\n"
        "from modelops.sandbox import Limits, Worker; from pathlib import Path\n"
        "w = Worker.confined('sandbox_misbehave', Limits(), readable=(Path(sys.argv[2]),))\n"
        "w.send({'kind': 'spin'}); print(w.receive(20).header['pid'], w.scratch.parent, flush=True); time.sleep(60)\n"
    )
    entries = Path(__file__).with_name("entries")
    with subprocess.Popen([sys.executable, "-c", code, ROOT, entries], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, folder = parent.stdout.readline().split()
        child = psutil.Process(int(pid))
        parent.kill()
    _, alive = psutil.wait_procs([child], timeout=5)
    assert not alive
    # Nobody was left to remove its folder; the next parent does.
    folders.remove_orphans.cache_clear()
    folders.remove_orphans()
    assert not Path(folder).exists()


def test_a_spinning_worker_dies_at_once_when_it_is_closed(start):
    worker = start()
    worker.send({"kind": "spin"})
    pid = worker.receive(10).header["pid"]
    worker.close()
    assert not psutil.pid_exists(pid)


def test_only_modules_of_this_package_are_started():
    for entry in ("os", "modelops", "modelops.sandbox.echo; import os", "../x", "modelops..x"):
        with pytest.raises(InvalidInput, match="expected a module of modelops"):
            Worker.start(entry)


def test_a_module_that_does_not_exist_is_told():
    with Worker.start("modelops.sandbox.nothing") as worker, pytest.raises(WorkerFailed, match="ModuleNotFoundError"):
        worker.receive(10)


def test_this_process_has_no_children_left_after_closing(start):
    worker = start()
    pid = worker.pid
    worker.close()
    assert pid not in {child.pid for child in psutil.Process(os.getpid()).children(recursive=True)}
