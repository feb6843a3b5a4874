"""Hostile files: none runs code, none hurts the parent, and each is told apart with a reason and what to do."""

import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from modelops.errors import InvalidInput, ModelOpsError, WorkerFailed
from modelops.sandbox import Limits, Worker, tables
from modelops.sandbox.detect import detect
from modelops.sandbox.limits import GIB
from modelops.sandbox.model_client import ModelClient, open_model
from tests.sandbox import hostile
from tests.sandbox import sandbox_models as made

ROWS = pd.DataFrame(np.linspace(-2, 2, 30).reshape(10, 3), columns=["a", "b", "d"])
LIMITS = Limits(memory=GIB, wall_seconds=120.0, cpu_seconds=60)
MODEL_PROCESS = "modelops.sandbox.model_process"


@pytest.fixture
def marker(tmp_path):
    path = tmp_path / "marker"
    yield path
    assert not path.exists(), "code of a file was run"


def is_fit_to_show(message: str) -> bool:
    """No paths of this machine, no traceback, no control characters, one line, not endless."""
    paths = re.search(r"/(tmp|work|root|home|usr|lib)\b|site-packages|\.py\b", message)
    return not paths and "Traceback" not in message and message.isprintable() and len(message) < 1500


def refused_at_once(file, folder):
    path = folder / "upload"
    path.write_bytes(file.content)
    began = time.monotonic()
    with pytest.raises(InvalidInput) as caught:
        detect(path, name=file.name)
    message = str(caught.value)
    assert file.says in message
    assert message.startswith(file.name)
    assert is_fit_to_show(message)
    assert time.monotonic() - began < 5


def test_pickles_are_refused_under_every_name_and_in_every_packing(marker, tmp_path):
    for file in hostile.pickles(marker):
        refused_at_once(file, tmp_path)


def test_pickles_are_real_ones(tmp_path):
    import pickle

    path = tmp_path / "really"
    pickle.loads(pickle.dumps(hostile.Payload(path)))
    assert path.exists()


@pytest.mark.parametrize("file", [*hostile.archives()], ids=lambda file: file.title)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip_files_that_lie_are_refused(file, tmp_path):
    refused_at_once(file, tmp_path)


@pytest.mark.parametrize("file", [*hostile.others()], ids=lambda file: file.title)
def test_what_is_never_opened_is_refused(file, tmp_path):
    refused_at_once(file, tmp_path)


def test_joblib_files_are_refused_whatever_their_compression(tmp_path):
    import joblib

    for index, compress in enumerate((0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3), ("zlib", 9))):
        path = tmp_path / f"{index}.csv"
        joblib.dump({"a": np.arange(3)}, path, compress=compress)
        with pytest.raises(InvalidInput, match=r"pickle|packed with"):
            detect(path, name="table.csv")


def judge_all(files, start, folder):
    """Open each in one sandboxed process; every one must be refused in its own way, and the process must live."""
    worker = start("sandbox_open_many", LIMITS)
    header, buffers = tables.encode(ROWS)
    count = 0
    for count, file in enumerate(files, 1):
        path = folder / f"upload-{count}"
        path.write_bytes(file.content)
        kind = detect(path, name=file.name)
        worker.put(path, f"input-{count}")
        worker.send({"kind": "open", "file": f"input-{count}", "format": str(kind), **header}, buffers)
        message = worker.receive(60).text("message")
        assert message, f"{file.title}: accepted"
        assert message.startswith(("RefusedFile", "TooLarge", "Malformed", "InvalidInput", "MemoryError")), file.title
        assert file.says in message, f"{file.title}: {message}"
        assert is_fit_to_show(message.split(": ", 1)[1]), message
    assert count


def test_hostile_skops_files_are_refused_before_they_are_used(marker, start, tmp_path):
    judge_all(hostile.skops_files(marker), start, tmp_path)


def test_hostile_onnx_files_are_refused_before_they_run(start, tmp_path):
    judge_all(hostile.onnx_files(), start, tmp_path)


def test_hostile_xgboost_files_are_refused_before_they_are_used(start, tmp_path):
    sound = made.xgboost(tmp_path, "binary", missing=False, text=False).path.read_bytes()
    binary = made.xgboost(tmp_path, "binary", missing=False, text=False, suffix="ubj").path.read_bytes()
    judge_all([*hostile.xgboost_files(sound), *hostile.ubjson_files(binary)], start, tmp_path)


def test_hostile_lightgbm_files_are_refused_before_they_are_used(start, tmp_path):
    sound = made.lightgbm(tmp_path, "binary", missing=False, text=False).path.read_text()
    judge_all(hostile.lightgbm_files(sound), start, tmp_path)


def test_hostile_catboost_files_are_refused_before_they_are_used(start, tmp_path):
    sound = made.catboost(tmp_path, "binary", missing=False, text=False).path.read_bytes()
    judge_all(hostile.catboost_files(sound), start, tmp_path)


def examined(path: Path, name: str, *, limits: Limits = LIMITS) -> str:
    """Take a file the whole way; return why it failed, empty if it did not."""
    try:
        kind = detect(path, name=name)
        with Worker.start(MODEL_PROCESS, limits, subject=name) as worker:
            open_model(worker, path, kind, name=name)
            client = ModelClient(worker, columns=tuple(ROWS.columns))
            client.predict(ROWS.set_axis(client.features, axis=1))
    except ModelOpsError as error:
        return str(error)
    return ""


def test_a_file_that_crashes_its_loader_only_ends_its_own_process(tmp_path):
    """A random state whose position lies far outside its array: nothing in the file is of a type that is refused."""
    from sklearn.dummy import DummyClassifier
    from skops.io import dumps

    state = np.random.RandomState(0)
    model = DummyClassifier(strategy="stratified", random_state=state).fit(ROWS, np.arange(10) % 2)
    members = hostile.unzipped(dumps(model))
    schema = members["schema.json"].decode()
    members["schema.json"] = re.sub(r'"content": "624"', '"content": "1000000000"', schema).encode()
    assert members["schema.json"].decode() != schema
    path = tmp_path / "upload"
    path.write_bytes(hostile.zipped(members))
    message = examined(path, "m.skops")
    assert message.startswith("m.skops crashed its loader (signal 11)")
    assert is_fit_to_show(message)


def test_a_constant_that_fills_the_memory_only_ends_its_own_process(tmp_path):
    from onnx import TensorProto, helper

    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [1 << 20, 1 << 14])
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["one"], keepdims=0),
        helper.make_node("ReduceSum", ["x", "axes"], ["sum"], keepdims=1),
        helper.make_node("Add", ["sum", "one"], ["y"]),
    ]
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [1])
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])]
    graph = helper.make_graph(nodes, "g", inputs, outputs, [shape, axes])
    path = tmp_path / "upload"
    path.write_bytes(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    )
    message = examined(path, "m.onnx")
    assert message
    assert is_fit_to_show(message)


@pytest.mark.parametrize("train", [made.xgboost, made.lightgbm, made.catboost])
def test_changed_bytes_end_in_an_answer_or_a_reason(train, start, tmp_path):
    sound = train(tmp_path, "binary", missing=False, text=False).path.read_bytes()
    header, buffers = tables.encode(ROWS)
    worker = start("sandbox_open_many", LIMITS)
    for index, content in enumerate(hostile.flipped(sound, 30, seed=1)):
        path = tmp_path / f"upload-{index}"
        path.write_bytes(content)
        try:
            kind = detect(path, name="m")
        except InvalidInput:
            continue
        if not kind.is_model:
            continue
        worker.put(path, f"input-{index}")
        try:
            worker.send({"kind": "open", "file": f"input-{index}", "format": str(kind), **header}, buffers)
            message = worker.receive(60).text("message")
        except WorkerFailed as error:
            message = str(error)
            worker = start("sandbox_open_many", LIMITS)
        assert is_fit_to_show(message)
