"""What a worker gets, and what it does not get."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from modelops.errors import InvalidInput
from modelops.sandbox import ANALYSIS_LIMITS, Limits, Worker, folders
from modelops.sandbox.limits import GIB


def test_numbers_and_bytes_come_back_as_they_were_sent(start):
    worker = start("modelops.sandbox.echo")
    sent = [np.array([[1.5, np.nan], [-0.0, np.inf]]), np.array([-1, 2**62]), b"\x00bytes"]
    worker.send({"kind": "hello", "nested": {"list": [1, None, True, "ü"]}}, sent)
    frame = worker.receive(20)
    assert frame.header == {"kind": "echo", "text": "hello"}
    np.testing.assert_array_equal(frame.buffers[0], sent[0])
    np.testing.assert_array_equal(frame.buffers[1], sent[1])
    assert frame.content(2) == sent[2]


def test_a_message_larger_than_a_pipe_passes(start):
    worker = start("modelops.sandbox.echo")
    values = np.arange(2_000_000, dtype=np.float64)
    # The worker answers while it is still being written to: somebody must read meanwhile.
    worker.send({"kind": "many"}, [values])
    np.testing.assert_array_equal(worker.receive(20).buffers[0], values)


def test_an_input_can_be_read_and_not_changed(start, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"a\n1\n")
    worker = start()
    worker.put(path, "data.csv")
    worker.send({"kind": "read_only", "file": "data.csv"})
    frame = worker.receive(20)
    assert frame.kind == "kept"
    assert frame.content() == b"a\n1\n" == path.read_bytes()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 101, "a\x00b", "a b", "/etc/passwd"])
def test_an_input_has_a_plain_name(start, tmp_path, name):
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(InvalidInput, match="as the name of an input"):
        start().put(tmp_path / "file", name)


def test_two_inputs_have_two_names(start, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    worker = start()
    worker.put(tmp_path / "file", "data")
    with pytest.raises(InvalidInput, match="has an input 'data' already"):
        worker.put(tmp_path / "file", "data")


def test_two_workers_talk_over_a_link(start):
    one, two = start(), start()
    one.link(two)
    one.send({"kind": "talk", "name": "one"})
    two.send({"kind": "talk", "name": "two"})
    assert one.receive(20).text("text") == "two"
    assert two.receive(20).text("text") == "one"


def test_a_worker_learns_nothing_from_the_environment(start, monkeypatch):
    monkeypatch.setenv("MODELOPS_SECRET", "swordfish")
    worker = start()
    worker.send({"kind": "environment"})
    frame = worker.receive(20)
    assert "MODELOPS_SECRET" not in frame.header["names"]
    assert not [name for name in frame.header["names"] if name.startswith(("AWS", "DATABASE", "SSH"))]
    assert "swordfish" not in str(frame.header)


def test_the_numeric_libraries_run_inside_with_two_threads(start):
    worker = start(limits=ANALYSIS_LIMITS)
    worker.send({"kind": "libraries"})
    np.testing.assert_allclose(worker.receive(120).buffers[0], 499_500.0)


def test_the_layers_are_told(start):
    worker = start()
    assert {layer.split(":")[0] for layer in worker.layers} >= {"limits"}
    if sys.platform == "linux":
        assert {layer.split(":")[0] for layer in worker.layers} >= {
            "seccomp",
            "not inspectable",
            "ends with its parent",
        }


def test_a_worker_outlives_the_thread_that_started_it(start):
    started = []
    thread = threading.Thread(target=lambda: started.append(start("modelops.sandbox.echo")))
    thread.start()
    thread.join()
    started[0].send({"kind": "still there"})
    assert started[0].receive(20).text("text") == "still there"


def test_closing_twice_does_no_harm(start):
    worker = start()
    worker.close()
    worker.close()
    assert not worker.is_running()


def test_limits_are_positive():
    with pytest.raises(InvalidInput, match="memory=0"):
        Limits(memory=0)


def test_the_address_space_leaves_room_for_what_libraries_map():
    assert Limits(memory=GIB).address_space == 4 * GIB


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such switch")
def test_the_app_can_be_closed_to_other_processes_of_its_user(tmp_path):
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "from modelops.sandbox import protect_parent; from modelops.sandbox.kernel import prctl, Prctl\n"
        "print(prctl(Prctl.GET_DUMPABLE), protect_parent(), prctl(Prctl.GET_DUMPABLE))"
    )
    found = subprocess.run([sys.executable, "-c", code, folders.ROOT], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["1", "True", "0"]


def test_the_sandbox_imports_nothing_heavy():
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "import modelops.sandbox, modelops.sandbox.detect; print(*sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code, folders.ROOT], capture_output=True, text=True, check=True)
    assert not {"numpy", "pandas", "pydantic", "psutil", "sklearn"} & set(found.stdout.split())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such user")
def test_the_user_of_workers_is_another_one_only_for_root():
    user = folders.worker_user()
    assert user is None if os.getuid() else user in (None, 65534)


def test_the_example_in_the_documentation_holds():
    with Worker.start("modelops.sandbox.echo", Limits()) as worker:
        worker.send({"kind": "hello"})
        assert worker.receive(timeout=60).header["text"] == "hello"


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_on_other_systems_everything_imports_and_the_missing_layers_are_told(system):
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "import importlib, pathlib, pkgutil, subprocess, sysconfig, psutil, numpy, pydantic\n"
        "sysconfig.get_config_vars()  # what Python itself asks of the real system\n"
        f"sys.platform = {system!r}\n"
        "if sys.platform == 'win32':\n"
        "    sys.modules['resource'] = sys.modules['fcntl'] = None\n"
        "import modelops.sandbox\n"
        "for module in pkgutil.iter_modules(modelops.sandbox.__path__, 'modelops.sandbox.'):\n"
        "    importlib.import_module(module.name)\n"
        "from modelops.sandbox import Limits, confine, protect_parent\n"
        "package = pathlib.Path(sys.argv[1]) / 'modelops'\n"
        "layers = confine.confine(Limits(), package=package, readable=[], writable=[], parent=1, user=None)\n"
        "print(confine.other_user(package), protect_parent(), *layers.missing, sep='|')\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, folders.ROOT], capture_output=True, text=True, check=True
    ).stdout
    assert found.startswith("None|False|")
    assert f"Landlock and seccomp: {system} has neither" in found
