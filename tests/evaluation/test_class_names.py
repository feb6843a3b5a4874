"""Models whose files number their classes, on tables whose labels have names."""

import json

import pytest

from modelops.cli import run
from modelops.domain.columns import ColumnRoles, Task
from modelops.errors import InvalidInput
from modelops.evaluation import EvaluationRequest, InputFiles, Reproduction, compare, evaluate, request_of
from modelops.evaluation.class_names import check_names, names_of
from modelops.reports.command import command_line
from tests import model_files

ROLES = ColumnRoles(target="outcome", features=model_files.FEATURES)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    frame = model_files.applicants()
    model_files.train("lightgbm", folder, frame)
    model_files.train("xgboost", folder, frame)
    named = frame.assign(outcome=frame["defaulted"].map({0: "kept", 1: "lost"})).drop(columns="defaulted")
    named.to_csv(folder / "named.csv", index=False)
    frame.rename(columns={"defaulted": "outcome"}).to_csv(folder / "numbered.csv", index=False)
    frame.assign(outcome=frame["defaulted"].map({0: "repaid", 1: "lost"})).to_csv(folder / "other.csv", index=False)
    return folder


def measured(folder, data, *, positive, model="model.txt", **more):
    request = EvaluationRequest(
        analysis="performance", task=Task.CLASSIFICATION, positive=positive, data_roles=ROLES, **more
    )
    return evaluate(request, InputFiles(data=folder / data, model=folder / model))


def values(result):
    return {(one.metric, str(one.scope)): one.value for one in result.measurements if "class" not in one.scope}


@pytest.mark.parametrize("model", ["model.txt", "model.json"])
def test_labels_in_sorted_order_give_what_numbers_give(table, model):
    numbered = measured(table, "numbered.csv", positive="1", model=model)
    named = measured(table, "named.csv", positive="lost", model=model)
    assert values(named) == values(numbered)
    assert named.inputs["model"].classes == ("kept", "lost")
    assert numbered.inputs["model"].classes == ()
    assert any("0 = kept, 1 = lost" in note and "sorted order" in note for note in named.notes)


def test_names_that_a_person_gave_come_before_the_sorted_order(table):
    numbered = measured(table, "numbered.csv", positive="1")
    wrong = measured(table, "other.csv", positive="lost")
    right = measured(table, "other.csv", positive="lost", classes={"model": ("repaid", "lost")})
    assert values(right) == values(numbered)
    assert values(wrong) != values(numbered)
    assert any("They were named: 0 = repaid, 1 = lost" in note for note in right.notes)


def test_a_result_with_named_classes_can_be_computed_again(table):
    first = measured(table, "other.csv", positive="lost", classes={"model": ("repaid", "lost")})
    again = evaluate(request_of(first), InputFiles(data=table / "other.csv", model=table / "model.txt"))
    assert compare(first, again).outcome is Reproduction.REPRODUCED
    assert "--classes repaid,lost" in command_line(first)


def test_the_command_line_takes_the_names(table, tmp_path):
    words = ["analyze", "performance", "--data", str(table / "other.csv"), "--model", str(table / "model.txt")]
    words += [
        "--target",
        "outcome",
        "--positive",
        "lost",
        "--classes",
        "repaid, lost",
        "--out",
        str(tmp_path / "r.json"),
    ]
    assert run(words) == 0
    assert json.loads((tmp_path / "r.json").read_text())["inputs"]["model"]["classes"] == ["repaid", "lost"]


@pytest.mark.parametrize(
    ("names", "classes", "said"),
    [
        (("a", "b", "c"), ("0", "1"), "has 2 classes"),
        (("a", "a"), ("0", "1"), "different names"),
        (("a", "b"), ("no", "yes"), "names its classes itself"),
        (("a", "b"), (), "predicts numbers"),
    ],
)
def test_names_that_do_not_fit_are_refused(names, classes, said):
    with pytest.raises(InvalidInput, match=said):
        check_names(names, classes)


@pytest.mark.parametrize("labels", [[], ["a", "b", "c"], ["0", "b"], ["1", "2", "3"]])
def test_nothing_follows_from_labels_that_may_mean_anything(labels):
    assert names_of(("0", "1"), labels) == ()


def test_labels_of_another_number_than_the_classes_are_refused_with_a_way_out(table, tmp_path):
    lines = (table / "named.csv").read_text().splitlines()
    (tmp_path / "more.csv").write_text("\n".join([*lines, lines[1].replace("kept", "late").replace("lost", "late")]))
    request = EvaluationRequest(analysis="performance", task=Task.CLASSIFICATION, data_roles=ROLES)
    with pytest.raises(InvalidInput, match=r"no label is in both.*--classes"):
        evaluate(request, InputFiles(data=tmp_path / "more.csv", model=table / "model.txt"))
