"""One analysis on files, through the real sandbox."""

import hashlib
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from modelops.domain.columns import ColumnRoles, Task
from modelops.errors import Cancelled, InvalidInput, NotFound, RefusedFile
from modelops.evaluation import (
    EvaluationRequest,
    InputFiles,
    Reproduction,
    compare,
    evaluate,
    file_kind,
    inspect_model,
    inspect_table,
    request_of,
)
from tests import model_files

PREDICTED = ColumnRoles(target="defaulted", prediction="predicted", sensitive=("sex",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("files")
    frame = model_files.applicants()
    frame["predicted"] = (frame["debt"] > 5).astype(int)
    frame.to_csv(made / "data.csv", index=False)
    frame.drop(columns="predicted").to_parquet(made / "data.parquet", index=False)
    return made


def performance(**changed) -> EvaluationRequest:
    return EvaluationRequest(**({"analysis": "performance", "data_roles": PREDICTED} | changed))


def left_behind() -> set[str]:
    """Return the folders of this process: other tests run beside it."""
    return {path.name for path in Path(tempfile.gettempdir()).glob(f"modelops-*-{os.getpid()}-*")}


@pytest.fixture(scope="module")
def measured(folder):
    return evaluate(performance(seed=11), InputFiles(data=folder / "data.csv"))


def test_numbers_equal_a_hand_count(folder, measured):
    frame = pd.read_csv(folder / "data.csv")
    assert measured.find("accuracy").value == pytest.approx((frame["defaulted"] == frame["predicted"]).mean())
    assert measured.find("accuracy").sample_size == len(frame)


def test_a_result_names_digest_rows_and_roles_of_its_input(folder, measured):
    data = measured.inputs["data"]
    assert data.digest == "sha256:" + hashlib.sha256((folder / "data.csv").read_bytes()).hexdigest()
    assert (data.rows, data.rows_used, data.format) == (400, 400, "csv")
    assert data.size == (folder / "data.csv").stat().st_size
    assert data.roles == {"defaulted": "target", "predicted": "prediction", "sex": "sensitive"}


def test_a_result_names_seed_parameters_versions_and_protection(measured):
    assert measured.seed == 11
    assert measured.parameters["threshold"] == 0.5
    assert {"python", "numpy", "scikit-learn", "pyarrow"} <= set(measured.environment)
    assert measured.protection.level in ("A", "B", "C")


def test_running_again_reproduces(folder, measured):
    again = evaluate(request_of(measured), InputFiles(data=folder / "data.csv"))
    assert compare(measured, again).outcome is Reproduction.REPRODUCED


def test_running_again_on_changed_data_cannot_be_compared(folder, measured, tmp_path):
    changed = tmp_path / "data.csv"
    changed.write_text((folder / "data.csv").read_text() + "50,1,1,F,1,1\n")
    found = compare(measured, evaluate(request_of(measured), InputFiles(data=changed)))
    assert found.outcome is Reproduction.CANNOT


def test_rows_left_out_are_counted(tmp_path):
    path = tmp_path / "gaps.csv"
    path.write_text("y,p\n" + "1,1\n0,0\n" * 20 + ",1\n,0\n1,\n")
    found = evaluate(performance(data_roles=ColumnRoles(target="y", prediction="p")), InputFiles(data=path))
    assert found.inputs["data"].rows == 43
    assert found.inputs["data"].rows_used == 40
    assert sum(found.inputs["data"].dropped.values()) == 3


def test_guessed_roles_stand_in_the_result(folder):
    found = evaluate(performance(data_roles=ColumnRoles(), guess_roles=True), InputFiles(data=folder / "data.csv"))
    assert found.inputs["data"].roles["defaulted"] == "target"
    assert any("guessed" in note for note in found.notes)


def test_progress_reaches_the_caller(folder):
    seen: list[float] = []
    evaluate(performance(), InputFiles(data=folder / "data.csv"), progress=lambda fraction, _: seen.append(fraction))
    assert seen
    assert seen == sorted(seen)
    assert 0 <= min(seen) <= max(seen) <= 1


def test_stopping_ends_every_process_within_a_second(tmp_path):
    rng = np.random.default_rng(0)
    pd.DataFrame(rng.random((300_000, 40)), columns=[f"c{i}" for i in range(40)]).to_parquet(tmp_path / "big.parquet")
    began = time.monotonic()
    asked: list[float] = []

    def cancelled() -> bool:
        if time.monotonic() - began > 1.5:
            asked.append(time.monotonic())
            return True
        return False

    request = EvaluationRequest(analysis="drift", guess_roles=True)
    before, folders = set(psutil.Process().children(recursive=True)), left_behind()
    with pytest.raises(Cancelled):
        evaluate(request, InputFiles(tmp_path / "big.parquet", reference=tmp_path / "big.parquet"), cancelled=cancelled)
    assert time.monotonic() - asked[0] < 1.0
    assert not [child for child in psutil.Process().children(recursive=True) if child not in before]
    assert left_behind() <= folders


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (EvaluationRequest(analysis="nothing"), "nothing"),
        (performance(parameters={"colour": 1}), "no parameter 'colour'; it has: threshold"),
        (performance(parameters={"level": 2}), "'level'"),
        (performance(data_roles=ColumnRoles(prediction="predicted")), r"needs a target column.*--target COL"),
        (performance(data_roles=ColumnRoles(target="nope")), "no column 'nope'"),
        (performance(positive="maybe"), "'maybe' does not occur"),
        (EvaluationRequest(analysis="fairness", data_roles=ColumnRoles(prediction="predicted")), "--sensitive COL"),
        (EvaluationRequest(analysis="drift", data_roles=PREDICTED), r"reference data \(--reference FILE\)"),
        (EvaluationRequest(analysis="explainability", data_roles=PREDICTED), r"a model file \(--model FILE\)"),
    ],
)
def test_what_is_missing_or_wrong_is_said(folder, request_, reason):
    with pytest.raises(InvalidInput, match=reason):
        evaluate(request_, InputFiles(data=folder / "data.csv"))


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(NotFound, match=r"gone\.csv"):
        evaluate(performance(), InputFiles(data=tmp_path / "gone.csv"))


def test_a_model_is_no_table_and_a_table_no_model(folder, tmp_path):
    model = model_files.train("xgboost", tmp_path, model_files.applicants()).path
    with pytest.raises(RefusedFile, match="is a model"):
        inspect_table(model, name="m.json")
    with pytest.raises(RefusedFile, match="is a table"):
        evaluate(performance(), InputFiles(data=folder / "data.csv", model=folder / "data.csv"))


@pytest.mark.parametrize(
    ("name", "form"), [("notes.skops", "skops.io.dump"), ("m.TXT", "booster_.save_model"), ("m", "")]
)
def test_a_text_called_like_a_model_is_told_what_such_a_file_must_be(tmp_path, name, form):
    path = tmp_path / "any"
    path.write_text("only some notes\n")
    with pytest.raises(RefusedFile) as refused:
        inspect_model(path, name=name)
    assert form in str(refused.value)
    assert ("file must be" in str(refused.value)) == bool(form)


def test_a_hostile_table_is_refused_by_name_and_leaves_nothing(tmp_path):
    before = left_behind()
    (tmp_path / "bad.csv").write_bytes(b"a,b\n" + b"1,2\n" * 20_000 + b"1\x00,2\n")
    with pytest.raises(RefusedFile, match=r"bad\.csv: .*NUL"):
        evaluate(performance(), InputFiles(data=tmp_path / "bad.csv"))
    assert left_behind() <= before


def test_a_packed_table_is_recognised_by_what_it_holds(tmp_path):
    import gzip
    import pickle

    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    (tmp_path / "t.pkl.gz").write_bytes(gzip.compress(pickle.dumps({"a": 1})))
    assert file_kind(tmp_path / "t.csv.gz", name="t.csv.gz") == "csv"
    assert inspect_table(tmp_path / "t.csv.gz", name="t.csv.gz").rows == 1
    with pytest.raises(RefusedFile, match="gzip"):
        file_kind(tmp_path / "t.pkl.gz", name="t.pkl.gz")


@pytest.mark.parametrize("kind", model_files.KINDS)
def test_every_model_format_predicts_what_its_library_predicts(folder, tmp_path, kind):
    """Log loss changes with every single probability, accuracy with every label."""
    from sklearn.metrics import accuracy_score, log_loss

    frame = model_files.applicants()
    trained = model_files.train(kind, tmp_path, frame)
    roles = ColumnRoles(target="defaulted", features=model_files.FEATURES)
    files = InputFiles(data=folder / "data.parquet", model=trained.path)
    found = evaluate(performance(data_roles=roles), files)
    label = frame["defaulted"]
    assert found.find("log_loss").value == pytest.approx(log_loss(label, trained.expected), rel=1e-6)
    assert found.find("accuracy").value == pytest.approx(accuracy_score(label, trained.expected > 0.5))
    assert found.inputs["model"].digest == "sha256:" + hashlib.sha256(trained.path.read_bytes()).hexdigest()
    assert any("come from the model" in note for note in found.notes)


def test_a_model_result_can_be_run_again(folder, tmp_path):
    trained = model_files.train("lightgbm", tmp_path, model_files.applicants())
    files = InputFiles(data=folder / "data.parquet", model=trained.path)
    first = evaluate(performance(data_roles=ColumnRoles(target="defaulted")), files)
    again = evaluate(request_of(first), files)
    assert compare(first, again).outcome is Reproduction.REPRODUCED
    assert "lightgbm" in first.environment


def test_a_model_can_be_inspected(tmp_path):
    trained = model_files.train("xgboost", tmp_path, model_files.applicants())
    summary = inspect_model(trained.path, name="model.json")
    assert summary.features == model_files.FEATURES
    assert summary.task is Task.CLASSIFICATION


def test_missing_features_of_a_model_are_listed(folder, tmp_path):
    trained = model_files.train("xgboost", tmp_path, model_files.applicants())
    frame = pd.read_parquet(folder / "data.parquet").drop(columns=["income"])
    frame.to_parquet(tmp_path / "less.parquet", index=False)
    with pytest.raises(InvalidInput, match="'income'"):
        evaluate(
            performance(data_roles=ColumnRoles(target="defaulted")),
            InputFiles(data=tmp_path / "less.parquet", model=trained.path),
        )


def test_a_refused_model_is_said_while_the_analysis_waits(folder, tmp_path):
    trained = model_files.train("xgboost", tmp_path, model_files.applicants())
    content = trained.path.read_text()
    trained.path.write_text(content.replace('"left_children":[1', '"left_children":[99999', 1))
    before = left_behind()
    with pytest.raises(RefusedFile):
        evaluate(
            performance(data_roles=ColumnRoles(target="defaulted")),
            InputFiles(folder / "data.parquet", model=trained.path),
        )
    assert left_behind() <= before
