"""A result computed again from its record: reproduced, drifted and by how much, or why it cannot be done."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelops.cli import run

ROOT = Path(__file__).parents[2]


def modelops(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "modelops", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=120, check=False)


def refused(capsys, *arguments: object) -> str:
    """Check that it ended with 2 and a reason in one line; return the reason."""
    assert run([str(argument) for argument in arguments]) == 2
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) == 1
    return said


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> tuple[Path, Path]:
    """A table of predictions and its result file."""
    folder = tmp_path_factory.mktemp("rerun")
    data, result = folder / "data.csv", folder / "result.json"
    rows = [f"{row % 2},{(row % 5) / 5 + 0.05},{int(row % 5 > 2)}\n" for row in range(100)]
    data.write_text("label,score,prediction\n" + "".join(rows))
    done = modelops(
        "analyze", "performance", "--data", data, "--target", "label", "--score", "score", "--prediction", "prediction",
        "--positive", "1", "--seed", "5", "--out", result,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return data, result


def changed(stored, tmp_path, change) -> Path:
    """The result file with something else in it."""
    content = json.loads(stored[1].read_text())
    change(content)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(content))
    return path


def test_the_same_files_reproduce_every_number(stored, tmp_path):
    data, result = stored
    done = modelops("rerun", result, "--data", data, "--out", tmp_path / "new.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("reproduced: All ")
    old, new = (json.loads(path.read_text())["measurements"] for path in (result, tmp_path / "new.json"))
    assert old == new


def test_a_number_that_moved_is_named_with_its_change(stored, tmp_path):
    def lower_accuracy(content):
        one = next(one for one in content["measurements"] if one["metric"] == "accuracy" and not one["scope"])
        one["value"] -= 0.25

    done = modelops("rerun", changed(stored, tmp_path, lower_accuracy), "--data", stored[0])
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("drifted: 1 of ")
    assert "accuracy value: 0.25 -> 0.5 (+0.25)" in done.stdout


def test_drift_is_there_for_programs(stored, tmp_path):
    def another_library(content):
        content["environment"]["numpy"] = "1.0"
        content["measurements"][0]["value"] = 0.0

    done = modelops("rerun", changed(stored, tmp_path, another_library), "--data", stored[0], "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["outcome"]) == (1, "drifted")
    assert found["environment"][0].startswith("numpy: 1.0 -> ")
    assert found["differences"][0]["old"] == 0.0


def test_another_file_cannot_be_compared(stored, tmp_path, capsys):
    other = tmp_path / "other.csv"
    other.write_text(stored[0].read_text() + "1,0.5,1\n")
    reason = refused(capsys, "rerun", stored[1], "--data", other)
    assert "'other.csv' is another file than the 'data' of the record" in reason


def test_a_missing_model_is_named_with_its_digest(stored, tmp_path, capsys):
    digest = "sha256:" + "ab" * 32

    def with_model(content):
        content["inputs"]["model"] = {"digest": digest}

    reason = refused(capsys, "rerun", changed(stored, tmp_path, with_model), "--data", stored[0])
    assert f"The file of 'model' is missing: the one with the digest {digest}" in reason


def test_a_file_that_the_record_does_not_have_is_refused(stored, capsys):
    reason = refused(capsys, "rerun", stored[1], "--data", stored[0], "--reference", stored[0])
    assert "The record has no 'reference'" in reason


def test_an_analysis_of_another_version_says_what_has_changed(stored, tmp_path, capsys):
    def from_the_future(content):
        content["analysis"] = "clairvoyance"
        content["environment"]["modelops"] = "99"

    reason = refused(capsys, "rerun", changed(stored, tmp_path, from_the_future), "--data", stored[0])
    assert "no analysis 'clairvoyance'" in reason
    assert "modelops 99 ->" in reason


def test_what_is_no_result_file_is_refused(stored, tmp_path, capsys):
    path = tmp_path / "x.json"
    path.write_text("{}")
    assert "'x.json' is no result file" in refused(capsys, "rerun", path, "--data", stored[0])
