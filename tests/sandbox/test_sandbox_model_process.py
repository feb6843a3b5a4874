"""One model of each format all the way: detected, opened in the sandbox, asked by another process."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline

from modelops.domain.columns import Task
from modelops.errors import InvalidInput, NotMeasured, RefusedFile, WorkerFailed
from modelops.sandbox import Limits, Worker
from modelops.sandbox.detect import FileKind, detect
from modelops.sandbox.model_client import ModelClient, open_model
from modelops.sandbox.wire import BadFrame, Frame
from tests.sandbox import sandbox_models as made

MODEL_PROCESS = "modelops.sandbox.model_process"
LIMITS = Limits(wall_seconds=120.0)


@pytest.fixture
def asked(tmp_path):
    """Open a case in a worker and return a client for it."""
    workers = []

    def ask(case, **options):
        worker = Worker.start(MODEL_PROCESS, LIMITS)
        workers.append(worker)
        open_model(worker, case.path, detect(case.path, name="m"), name="m")
        return ModelClient(worker, **options)

    yield ask
    for worker in workers:
        worker.close()


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    """One case and the connection to its model process, for every test that only asks."""
    case = made.skops(tmp_path_factory.mktemp("linear"), LogisticRegression(), "three")
    with Worker.start(MODEL_PROCESS, LIMITS) as worker:
        open_model(worker, case.path, FileKind.SKOPS, name="m")
        yield case, worker


@pytest.mark.parametrize(
    "train",
    [
        lambda folder: made.skops(folder, HistGradientBoostingClassifier(max_iter=3), "three", missing=True, text=True),
        lambda folder: made.onnx(folder, RandomForestClassifier(3, max_depth=3, random_state=0), "three"),
        lambda folder: made.xgboost(folder, "three", missing=True, text=True),
        lambda folder: made.xgboost(folder, "three", missing=True, text=True, suffix="ubj"),
        lambda folder: made.lightgbm(folder, "three", missing=True, text=True),
        lambda folder: made.catboost(folder, "three", missing=True, text=True),
    ],
    ids=["skops", "onnx", "xgboost", "xgboost_ubj", "lightgbm", "catboost"],
)
def test_labels_and_scores_from_the_sandbox_are_the_librarys_own(train, asked, tmp_path):
    case = train(tmp_path)
    model = asked(case, columns=tuple(case.rows.columns))
    assert model.features == tuple(case.rows.columns)
    assert model.classes == case.classes
    # Columns are found by name, whatever else the table holds and in whatever order.
    table = case.rows[case.rows.columns[::-1]].assign(target=1)
    np.testing.assert_array_equal(model.predict(table), case.labels)
    np.testing.assert_allclose(model.scores(table), case.scores, rtol=0, atol=2e-7)


def test_several_threads_may_ask_at_the_same_time(linear):
    case, worker = linear
    model = ModelClient(worker)
    parts = [slice(start, start + 7) for start in range(0, len(case.rows) - 7, 3)] * 5
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda part: model.scores(case.rows.iloc[part]), parts))
    for part, scores in zip(parts, found, strict=True):
        np.testing.assert_allclose(scores, case.scores[part], rtol=0, atol=1e-12)


def test_numbers_from_the_sandbox_are_the_librarys_own(asked, tmp_path):
    case = made.skops(tmp_path, LinearRegression(), "number")
    model = asked(case)
    np.testing.assert_array_equal(model.predict(case.rows), case.labels)
    assert model.summary.task is Task.REGRESSION
    with pytest.raises(NotMeasured, match="has no classes"):
        model.scores(case.rows)


def test_many_rows_are_asked_in_parts(linear, monkeypatch):
    monkeypatch.setattr("modelops.sandbox.model_client._CELLS_AT_ONCE", 100)
    case, worker = linear
    np.testing.assert_allclose(ModelClient(worker).scores(case.rows), case.scores, rtol=0, atol=1e-12)


def test_no_rows_get_no_predictions(linear):
    case, worker = linear
    model = ModelClient(worker)
    assert model.predict(case.rows.head(0)).shape == (0,)
    assert model.scores(case.rows.head(0)).shape == (0, 3)


def test_rows_that_the_model_cannot_use_do_not_end_it(linear):
    case, worker = linear
    model = ModelClient(worker)
    with pytest.raises(InvalidInput, match=r"needs 1 column\(s\) that the table does not have: 'd'"):
        model.predict(case.rows.drop(columns="d"))
    with pytest.raises(InvalidInput, match="cannot predict these rows"):
        model.predict(case.rows.assign(a="text"))
    assert len(model.predict(case.rows)) == len(case.rows)


def test_a_model_of_texts_takes_one_column(asked, tmp_path):
    from skops.io import dump

    texts = pd.DataFrame({"review": ["good film", "bad film"] * 10})
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts["review"], ["yes", "no"] * 10)
    dump(model, tmp_path / "m.skops")
    case = made.Case(tmp_path / "m.skops", texts, model.predict(texts["review"]), None)
    np.testing.assert_array_equal(asked(case, columns=("review",)).predict(texts), case.labels)


def test_a_class_that_the_model_does_not_have_is_told(linear):
    with pytest.raises(InvalidInput, match="has no class 'good'; it has '0', '1', '2'"):
        ModelClient(linear[1], positive="good")


def test_a_table_is_no_model(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    with (
        Worker.start(MODEL_PROCESS, LIMITS) as worker,
        pytest.raises(RefusedFile, match="is a table, a model is needed"),
    ):
        open_model(worker, path, FileKind.CSV)


def test_a_file_of_another_format_than_said_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    for kind in (FileKind.SKOPS, FileKind.ONNX, FileKind.XGBOOST_JSON, FileKind.CATBOOST, FileKind.LIGHTGBM):
        with Worker.start(MODEL_PROCESS, LIMITS) as worker, pytest.raises(RefusedFile):
            open_model(worker, path, kind)


class Liar:
    """A connection to a model process under the control of its file."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def send(self, header, buffers=()):
        pass

    def receive(self):
        return self.answers.pop(0)


def summary(**changes):
    from modelops.domain.columns import ModelSummary

    known = {
        "format": "skops",
        "framework": "x",
        "task": "classification",
        "features": ("a",),
        "classes": ("no", "yes"),
    }
    content = ModelSummary.model_validate({**known, "size": 1, **changes}).model_dump_json().encode()
    return Frame({"kind": "summary", "named": True}, (np.frombuffer(content, np.uint8),))


ROWS = pd.DataFrame({"a": [1.0, 2.0]})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Frame({"kind": "predictions"}, (np.array([0, 1, 1]),)), WorkerFailed),
        (Frame({"kind": "predictions"}, (np.array([[0, 1]]),)), WorkerFailed),
        (Frame({"kind": "predictions"}, (np.array([0, 2]),)), WorkerFailed),
        (Frame({"kind": "predictions"}, (np.array([-1, 0]),)), WorkerFailed),
        (Frame({"kind": "predictions"}, ()), WorkerFailed),
        (Frame({"kind": "scores"}, (np.array([0, 1]),)), WorkerFailed),
        (Frame({"kind": "refused", "message": "no\n/etc/passwd"}), InvalidInput),
        (Frame({"kind": "refused", "message": 7}), BadFrame),
    ],
)
def test_an_answer_that_does_not_fit_is_not_believed(answer, error):
    with pytest.raises(error):
        ModelClient(Liar(summary(), answer)).predict(ROWS)


def test_scores_that_are_no_numbers_are_not_measured():
    answer = Frame({"kind": "scores"}, (np.array([[0.1, np.nan], [0.5, np.inf]]),))
    with pytest.raises(NotMeasured, match="2 values that are not numbers"):
        ModelClient(Liar(summary(), answer)).scores(ROWS)


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b'{"format": "x", "evil": 1}', b"\xff"])
def test_a_summary_that_is_none_is_not_believed(content):
    with pytest.raises(BadFrame):
        ModelClient(Liar(Frame({"kind": "summary"}, (np.frombuffer(content, np.uint8),))))


def test_a_summary_is_cleaned_for_people():
    lie = summary(framework="x\x1b[31m", steps=("a\nb",), notes=("\u202eevil",), parameters={"k\x00": "v" * 500})
    found = ModelClient(Liar(lie)).summary
    assert (found.framework, found.steps, found.notes) == ("x[31m", ("a b",), ("evil",))
    assert max(map(len, found.parameters.values())) <= 150


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot join two processes")
def test_the_analysis_process_asks_the_model_process_over_a_link(start, tmp_path):
    case = made.skops(tmp_path, LogisticRegression(), "three")
    with Worker.start(MODEL_PROCESS, LIMITS) as model:
        open_model(model, case.path, FileKind.SKOPS)
        analysis = start("sandbox_ask", LIMITS)
        analysis.link(model)
        model.send({"kind": "serve"})
        case.rows.to_csv(tmp_path / "rows.csv", index=False)
        analysis.put(tmp_path / "rows.csv", "rows.csv")
        analysis.send({"kind": "ask", "file": "rows.csv"})
        np.testing.assert_allclose(analysis.receive(60).buffers[0], case.scores, rtol=0, atol=1e-12)


def test_entries_of_the_tests_are_not_in_the_package():
    assert not list(Path(sys.modules["modelops"].__path__[0]).rglob("sandbox_misbehave.py"))
