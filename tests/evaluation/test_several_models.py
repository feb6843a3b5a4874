"""The model under test, the one in use today, and the first opened anew: each in a process of its own."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from modelops.analyses import registry
from modelops.analyses.base import Analysis, Computed, Need, Parameters
from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.result import Measurement
from modelops.errors import InvalidInput, RefusedFile
from modelops.evaluation import EvaluationRequest, InputFiles, Reproduction, compare, evaluate, request_of
from modelops.evaluation.analysis_process import run
from modelops.evaluation.request import Order, TableInput
from modelops.reports.command import command_line
from tests import model_files
from tests.sandbox import sandbox_models as made
from tests.sandbox.test_sandbox_model_questions import Local


class Desk:
    """What a sandboxed process has of the world, with models in this very process as its peers."""

    def __init__(self, folder, *peers):
        self.folder, self.peers = folder, list(peers)

    def input(self, name):
        return self.folder / name

    def progress(self, fraction, text):
        pass

    def peer(self):
        return self.peers.pop(0)


@pytest.fixture
def seen(monkeypatch):
    """What an analysis that may ask three models got to see."""
    caught = []

    def compute(data, parameters, run):
        caught.append(data)
        return Computed("Seen.", (Measurement(metric="accuracy", value=1.0, sample_size=1),))

    declared = Analysis(
        key="spy",
        title="Spy",
        question="What is there?",
        serves=(),
        needs=frozenset({Need.MODEL}),
        tasks=frozenset(Task),
        parameters=Parameters,
        source="",
        compute=compute,
        uses=frozenset({Need.CHAMPION}),
        reopens=True,
    )
    monkeypatch.setattr("modelops.analyses.registry.ANALYSES", (declared,))
    return caught


def order(*parts, **roles):
    request = EvaluationRequest(analysis="spy", data_roles=ColumnRoles(**roles), positive="1")
    return Order(request=request, tables={"data": TableInput(file="data.csv", format="csv", name="data")}, models=parts)


def cases(tmp_path):
    """Two models on the same three columns, and the table."""
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
    new = made.skops(tmp_path / "new", LogisticRegression(), "binary")
    old = made.skops(tmp_path / "old", DecisionTreeClassifier(max_depth=1), "binary")
    new.rows.assign(y=made.binary(new.rows)).to_csv(tmp_path / "data.csv", index=False)
    return new, old


def test_each_model_answers_for_itself(tmp_path, seen):
    new, old = cases(tmp_path)
    run(Desk(tmp_path, Local(new), Local(old), Local(new)), order("model", "champion", "again", target="y"))
    (data,) = seen
    np.testing.assert_allclose(data.model.scores(new.rows), new.scores)
    np.testing.assert_allclose(data.champion.scores(new.rows), old.scores)
    np.testing.assert_array_equal(data.again.scores(new.rows), data.model.scores(new.rows))
    assert data.again is not data.model


def test_without_a_champion_there_is_none(tmp_path, seen):
    new, _ = cases(tmp_path)
    run(Desk(tmp_path, Local(new)), order("model", target="y"))
    assert seen[0].champion is seen[0].again is None


def test_a_task_that_does_not_fit_says_where_it_is_chosen(tmp_path, seen, monkeypatch):
    new, _ = cases(tmp_path)
    (declared,) = registry.ANALYSES
    only_numbers = replace(declared, tasks=frozenset({Task.REGRESSION}))
    monkeypatch.setattr("modelops.analyses.registry.ANALYSES", (only_numbers,))
    with pytest.raises(
        InvalidInput, match=r"this is a classification\. .* with the columns of the dataset, or by --task"
    ):
        run(Desk(tmp_path, Local(new)), order("model", target="y"))


def test_a_champion_without_names_gets_the_columns_in_the_order_given(tmp_path, seen):
    new, _ = cases(tmp_path)
    (tmp_path / "nameless").mkdir()
    old = made.onnx(tmp_path / "nameless", LogisticRegression(), "binary")
    run(Desk(tmp_path, Local(new), Local(old)), order("model", "champion", target="y", features=("a", "b", "d")))
    np.testing.assert_allclose(seen[0].champion.scores(new.rows), old.scores, atol=1e-6)
    assert seen[0].champion.features == ("a", "b", "d")


def test_a_champion_that_needs_other_columns_is_told(tmp_path, seen):
    new, _ = cases(tmp_path)
    (tmp_path / "wide").mkdir()
    old = made.skops(tmp_path / "wide", LogisticRegression(), "binary")
    frame = made.rows().rename(columns={"d": "depth"})
    from skops.io import dump

    dump(LogisticRegression().fit(frame, made.binary(made.rows())), old.path)
    with pytest.raises(InvalidInput, match="champion needs columns that the table does not have: 'depth'"):
        run(Desk(tmp_path, Local(new), Local(old)), order("model", "champion", target="y"))


def test_a_champion_of_another_width_without_names_is_told(tmp_path, seen):
    new, _ = cases(tmp_path)
    (tmp_path / "nameless").mkdir()
    old = made.onnx(tmp_path / "nameless", LogisticRegression(), "binary")
    pd.read_csv(tmp_path / "data.csv").assign(e=1).to_csv(tmp_path / "data.csv", index=False)
    with pytest.raises(
        InvalidInput, match=r"takes 3 columns and holds no names for them; the table has 4 features\. Mark"
    ):
        run(
            Desk(tmp_path, Local(new), Local(old)),
            order("model", "champion", target="y", features=("a", "b", "d", "e")),
        )


# Through the real sandbox


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made_in = tmp_path_factory.mktemp("models")
    frame = model_files.applicants()
    frame.to_parquet(made_in / "data.parquet", index=False)
    for kind in ("xgboost", "lightgbm"):
        model_files.train(kind, made_in, frame)
    return made_in


REQUEST = EvaluationRequest(analysis="performance", data_roles=ColumnRoles(target="defaulted"))


def test_a_result_names_the_champion_and_can_be_run_again(folder):
    files = InputFiles(
        data=folder / "data.parquet",
        model=folder / "model.json",
        champion=folder / "model.txt",
        names=(("champion", "x"),),
    )
    first = evaluate(REQUEST, files)
    assert first.inputs["champion"].format == "lightgbm"
    assert first.inputs["champion"].size == (folder / "model.txt").stat().st_size
    assert "lightgbm" in first.environment
    assert "--champion CHAMPION" in command_line(first)
    assert compare(first, evaluate(request_of(first), files)).outcome is Reproduction.REPRODUCED


def test_another_champion_cannot_be_compared(folder):
    files = InputFiles(data=folder / "data.parquet", model=folder / "model.json", champion=folder / "model.txt")
    first = evaluate(REQUEST, files)
    other = evaluate(REQUEST, InputFiles(data=folder / "data.parquet", model=folder / "model.json"))
    found = compare(first, other)
    assert found.outcome is Reproduction.CANNOT
    assert "'champion'" in found.because


def test_a_refused_champion_is_said(folder, tmp_path):
    shutil.copyfile(folder / "data.parquet", tmp_path / "old.parquet")
    files = InputFiles(data=folder / "data.parquet", model=folder / "model.json", champion=tmp_path / "old.parquet")
    with pytest.raises(RefusedFile, match=r"old\.parquet is a table"):
        evaluate(REQUEST, files)
