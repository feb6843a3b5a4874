"""The command line through real processes: exit codes, one-line reasons, files."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from modelops.cli import run
from modelops.domain.result import AnalysisResult
from tests import model_files

ROOT = Path(__file__).parents[2]


def modelops(*arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "modelops", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=folder or ROOT, timeout=120, check=False
    )


def in_this_process(capsys, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command without the second that a process costs: for what is refused before any work."""
    code = run([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return subprocess.CompletedProcess(arguments, code, said.out, said.err)


def refused(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """Check that it ended with a reason in one line and no traceback; return the reason."""
    assert done.returncode == code, done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr.strip()


@pytest.fixture(scope="module")
def predictions(tmp_path_factory) -> Path:
    """Predictions alone, no model: 40 women of whom 10 are selected, 60 men of whom 30 are."""
    rows = [("F", i < 10, i % 2 == 0) for i in range(40)] + [("M", i < 30, i % 3 == 0) for i in range(60)]
    path = tmp_path_factory.mktemp("cli") / "predictions.csv"
    path.write_text("sex,hired,qualified\n" + "".join(f"{sex},{int(hired)},{int(good)}\n" for sex, hired, good in rows))
    return path


def test_help_is_quick_and_lists_the_commands():
    costs = []
    for _ in range(3):
        before = os.times()
        done = modelops("--help")
        after = os.times()
        # Processor seconds: what else the machine does plays no part, and the command waits for nothing.
        costs.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert done.returncode == 0
    assert {"analyses", "inspect", "analyze"} <= set(done.stdout.split())
    assert 0 < min(costs) < 0.3


def test_no_command_is_a_usage_error_that_shows_the_commands():
    done = modelops()
    assert done.returncode == 2
    assert "analyze" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [["dance"], ["analyze"], ["analyze", "performance"], ["inspect"], ["--nonsense"], ["analyses", "--xml"]],
)
def test_unusable_arguments_exit_with_two_and_one_line(capsys, arguments):
    refused(in_this_process(capsys, *arguments))


def test_analyses_are_listed_with_needs_and_parameters():
    listed = json.loads(modelops("analyses", "--json").stdout)
    by_key = {one["key"]: one for one in listed}
    assert {"performance", "drift", "fairness", "explainability"} <= set(by_key)
    assert by_key["drift"]["needs"] == ["reference"]
    assert {"alpha", "margin", "domain_classifier", "rows"} <= set(by_key["drift"]["parameters"]["properties"])


def test_analyses_can_be_read(capsys):
    assert "fairness: " in in_this_process(capsys, "analyses").stdout


def test_inspecting_a_table_gives_digest_and_schema(predictions):
    found = json.loads(modelops("inspect", predictions, "--json").stdout)
    assert found["kind"] == "table"
    assert found["rows"] == 100
    assert [column["name"] for column in found["columns"]] == ["sex", "hired", "qualified"]
    assert found["digest"].startswith("sha256:")


def test_a_pickle_is_refused_with_one(tmp_path):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps({"a": 1}))
    assert "model.pkl" in refused(modelops("inspect", tmp_path / "model.pkl"), code=1)


def test_a_damaged_table_is_refused_with_one(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3\n")
    assert "Row 3" in refused(modelops("inspect", tmp_path / "t.csv"), code=1)


def test_a_missing_file_is_two(tmp_path):
    assert "gone.csv" in refused(modelops("inspect", tmp_path / "gone.csv"))


def test_group_rates_of_predictions_alone_equal_a_hand_count(predictions, tmp_path):
    out = tmp_path / "result.json"
    done = modelops(
        "analyze", "fairness", "--data", predictions, "--prediction", "hired", "--sensitive", "sex", "--out", out
    )
    assert done.returncode == 0, done.stderr
    result = AnalysisResult.model_validate_json(out.read_text())
    rates = {sex: result.find("selection_rate", group={"sex": sex}).value for sex in "FM"}
    assert rates == pytest.approx({"F": 10 / 40, "M": 30 / 60})
    assert result.find("demographic_parity_difference", feature="sex").value == pytest.approx(0.25)
    assert result.find("demographic_parity_ratio", feature="sex").value == pytest.approx(0.5)


def test_rates_by_label_equal_a_hand_count(predictions, tmp_path):
    out = tmp_path / "result.json"
    modelops(
        "analyze", "fairness", "--data", predictions, "--target", "qualified", "--prediction", "hired",
        "--sensitive", "sex", "--out", out,
    )  # fmt: skip
    result = AnalysisResult.model_validate_json(out.read_text())
    frame = pd.read_csv(predictions)
    for sex in "FM":
        rows = frame[frame["sex"] == sex]
        for metric, label in (("true_positive_rate", 1), ("false_positive_rate", 0)):
            expected = rows.loc[rows["qualified"] == label, "hired"].mean()
            assert result.find(metric, group={"sex": sex}).value == pytest.approx(expected)


def test_the_same_seed_writes_the_same_result(predictions, tmp_path):
    request = ("analyze", "performance", "--data", predictions, "--target", "qualified", "--prediction", "hired")
    for name in ("one.json", "two.json"):
        assert modelops(*request, "--seed", 5, "--out", tmp_path / name).returncode == 0
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_parameters_are_taken_and_recorded(predictions, tmp_path):
    out = tmp_path / "result.json"
    done = modelops(
        "analyze", "performance", "--data", predictions, "--target", "qualified", "--prediction", "hired",
        "--param", "level=0.9", "--param", "capacity=null", "--out", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    recorded = json.loads(out.read_text())["parameters"]
    assert (recorded["level"], recorded["capacity"]) == (0.9, None)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--param", "level"], "NAME=VALUE"),
        (["--param", "level=x"], "'level'"),
        (["--param", "level=0.9", "--param", "level=0.8"], "twice"),
        (["--param", "volume=11"], "no parameter 'volume'"),
        (["--target", "nope"], "no column 'nope'"),
        (["--target", "hired", "--prediction", "hired"], "two of the roles"),
        (["--task", "clustering"], "clustering"),
        (["--seed", "-1"], "seed"),
        (["--policy", "gone.yaml"], "gone.yaml"),
        (["--model", "gone.onnx"], "gone.onnx"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line_and_nothing_is_written(capsys, predictions, tmp_path, arguments, reason):
    out = tmp_path / "result.json"
    done = in_this_process(capsys, "analyze", "performance", "--data", predictions, *arguments, "--out", out)
    assert reason in refused(done)
    assert list(tmp_path.iterdir()) == []


def test_missing_needs_are_listed_with_how_to_give_them(capsys, predictions, tmp_path):
    done = in_this_process(capsys, "analyze", "explainability", "--data", predictions, "--out", tmp_path / "r.json")
    assert "a model file (--model FILE)" in refused(done)


def test_an_old_result_survives_a_failed_run(capsys, predictions, tmp_path):
    out = tmp_path / "result.json"
    out.write_text("old")
    arguments = ("analyze", "performance", "--data", predictions, "--target", "nope", "--out", out)
    refused(in_this_process(capsys, *arguments))
    assert out.read_text() == "old"


def test_an_input_is_never_overwritten(capsys, predictions):
    before = predictions.read_bytes()
    assert "input" in refused(
        in_this_process(capsys, "analyze", "performance", "--data", predictions, "--out", predictions)
    )
    assert predictions.read_bytes() == before


def test_an_output_folder_that_is_not_there_is_said_before_the_work(capsys, predictions, tmp_path):
    done = in_this_process(capsys, "analyze", "performance", "--data", predictions, "--out", tmp_path / "no" / "r.json")
    assert "no folder" in refused(done)


POLICY = """
name: test
version: "1"
signatures:
  low: [{role: approver, meaning: approval}]
  medium: [{role: approver, meaning: approval}]
  high: [{role: approver, meaning: approval}]
approval_valid_days: {low: 365, medium: 365, high: 180}
waiver_max_days: {low: 180, medium: 90, high: 30}
waiver_right: approver
rules:
  - id: performance.accurate
    analysis: performance
    metric: accuracy
    at_least: LIMIT
    why: For this test.
    serves: [works.metrics]
"""


def judged(predictions: Path, folder: Path, limit: float, key: str = "performance") -> subprocess.CompletedProcess[str]:
    policy = folder / "policy.yaml"
    policy.write_text(POLICY.replace("LIMIT", str(limit)))
    return modelops(
        "analyze", key, "--data", predictions, "--target", "qualified", "--prediction", "hired", "--policy", policy,
        "--out", folder / "result.json",
    )  # fmt: skip


def test_a_failed_rule_exits_with_one_and_its_reason_stands_in_the_result(predictions, tmp_path):
    assert judged(predictions, tmp_path, 0.99).returncode == 1
    (verdict,) = json.loads((tmp_path / "result.json").read_text())["verdicts"]
    assert verdict["verdict"] == "failed"
    assert verdict["because"]


def test_a_rule_that_holds_exits_with_zero(predictions, tmp_path):
    done = judged(predictions, tmp_path, 0.1)
    assert done.returncode == 0, done.stderr
    assert "passed: " in done.stdout


def test_a_policy_without_a_rule_for_the_analysis_cannot_judge(predictions, tmp_path):
    assert "no rule for 'fairness'" in refused(judged(predictions, tmp_path, 0.1, key="fairness"))


def test_a_report_is_written_beside_the_result(predictions, tmp_path):
    done = modelops(
        "analyze", "fairness", "--data", predictions, "--prediction", "hired", "--sensitive", "sex",
        "--out", tmp_path / "r.json", "--html", tmp_path / "r.html",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "r.html").read_text()
    assert page.lstrip().lower().startswith("<!doctype html")
    assert len(page) < 1_000_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.html", "r.json"]


def test_a_model_and_its_data_can_be_explained(tmp_path):
    frame = model_files.applicants()
    frame.to_csv(tmp_path / "data.csv", index=False)
    model = model_files.train("lightgbm", tmp_path, frame).path
    done = modelops(
        "analyze", "explainability", "--data", tmp_path / "data.csv", "--model", model, "--target", "defaulted",
        "--out", tmp_path / "r.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = AnalysisResult.model_validate_json((tmp_path / "r.json").read_text())
    ranked = {name: result.find("mean_absolute_shap_value", feature=name).value for name in model_files.FEATURES}
    assert max(ranked, key=ranked.get) in ("income", "debt")
