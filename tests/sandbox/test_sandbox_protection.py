"""The protection level is what a process could not do, and the attempts are real."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from modelops.sandbox import attempts, folders, protection
from modelops.sandbox.limits import MIB

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the layers exist on Linux only")


@LINUX
def test_nothing_that_is_tried_in_the_sandbox_succeeds_here():
    layers, succeeded = protection.attempt()
    assert succeeded == frozenset()
    assert any(layer.startswith("Landlock") for layer in layers)


@LINUX
def test_this_machine_is_at_level_a_and_says_by_which_layers():
    found = protection.protection()
    assert found.level == "A"
    assert {layer.split(":")[0] for layer in found.layers} >= {"limits", "Landlock", "seccomp", "no capabilities"}
    assert protection.protection() is found


@LINUX
def test_without_a_sandbox_the_attempts_succeed(tmp_path, monkeypatch):
    import socket

    (tmp_path / "secret").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    done = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        limits = {"memory": 64 * MIB, "open_files": 64, "file_bytes": MIB}
        for name, attempt in attempts._attempts(tmp_path, listener.getsockname()[1], limits):
            # A fork in a process with threads and namespaces of its own are not for a test's process.
            if name in ("fork", "make a user namespace", "trace its parent", "read its parent's memory"):
                continue
            try:
                attempt()
            except OSError:
                continue
            done.append(name)
    # Reading the parent's environment takes the same user, which the parent of a test may not be.
    assert set(done) >= {
        "read a system file",
        "read a file of the same user",
        "write outside its folder",
        "change the mode of a file",
        "connect over TCP",
        "open a UDP socket",
        "open a local socket",
        "start a program",
        "allocate without end",
        "open files without end",
        "write a file without end",
    }


WITHOUT = """
import sys; sys.path[:0] = [sys.argv[1]]
from modelops.sandbox import protect_parent, seccomp
from modelops.sandbox.protection import attempt, level
protect_parent()
refused = [(0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7FFF0000)]
landlock = [(0x20, 0, 0, 0), (0x35, 0, 2, 444), (0x35, 1, 0, 447), *refused]
filters = [(0x20, 0, 0, 0), (0x15, 0, 3, PRCTL), (0x20, 0, 0, 16), (0x15, 0, 1, 22), *refused]
if "seccomp" in sys.argv:  # the filters that follow cannot be loaded any more
    seccomp.load(filters)
else:
    seccomp.load(landlock)
layers, succeeded = attempt()
print(level(succeeded), "|", *sorted(succeeded), sep="\\n")
"""


def probed_without(layer):
    import platform

    number = str({"x86_64": 157, "aarch64": 167}[platform.machine()])
    command = [sys.executable, "-c", WITHOUT.replace("PRCTL", number), str(folders.ROOT), layer]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return found[0], set(found[2:])


@LINUX
def test_without_landlock_files_can_be_read_and_nothing_else_done():
    level, succeeded = probed_without("landlock")
    assert level == "B"
    assert "read a system file" in succeeded


@LINUX
def test_without_seccomp_the_level_is_c():
    level, succeeded = probed_without("seccomp")
    assert level == "C"
    assert "fork" in succeeded
    assert "read a system file" not in succeeded


def test_files_alone_make_level_b_and_anything_else_level_c():
    assert protection.level(frozenset({"read a system file", "write outside its folder"})) == "B"
    assert protection.level(frozenset({"read a system file", "connect over TCP"})) == "C"


def test_no_probe_at_all_is_level_c(monkeypatch):
    monkeypatch.setattr(protection, "_LIMITS", protection.Limits(wall_seconds=0.001))
    assert protection.probe().level == "C"


def test_the_probe_leaves_nothing_behind(tmp_path):
    before = {child.pid for child in psutil.Process(os.getpid()).children()}
    protection.probe()
    assert {child.pid for child in psutil.Process(os.getpid()).children()} == before
    assert not list(Path(tmp_path).iterdir())
