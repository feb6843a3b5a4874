"""Arguments as they become roles, parameters and files."""

import os

import pytest

from modelops.analyses.registry import analysis
from modelops.cli import support
from modelops.cli import text as shown
from modelops.domain.columns import ColumnRoles
from modelops.errors import InvalidInput

NOTHING = {
    "target": None, "prediction": None, "score": None, "sensitive": None, "features": None, "ids": None, "when": None,
    "weight": None,
}  # fmt: skip


def roles(**given) -> ColumnRoles:
    return support.roles(**(NOTHING | given))


def test_lists_of_columns_may_be_joined_by_commas_or_given_again():
    assert roles(features=["a,b", "c"]).features == ("a", "b", "c")
    assert roles(sensitive=["sex, race"]).sensitive == ("sex", "race")


def test_one_score_is_that_of_the_positive_class():
    assert roles(score=["p"]).scores == ("p",)


def test_several_scores_name_their_classes():
    found = roles(score=["cat=p_cat,dog=p_dog"])
    assert (found.scores, found.score_classes) == (("p_cat", "p_dog"), ("cat", "dog"))


def test_several_scores_without_classes_are_refused_with_the_way_to_say_it():
    with pytest.raises(InvalidInput, match="--score CLASS=COL"):
        roles(score=["p_cat,p_dog"])


def test_a_list_parameter_is_split_at_commas():
    found = support.parameters(analysis("drift"), ["importance=a=1,b=2", "alpha=0.01", "domain_classifier=false"])
    chosen = analysis("drift").parameters.model_validate(found)
    assert list(chosen.importance) == ["a=1", "b=2"]
    assert (chosen.alpha, chosen.domain_classifier) == (0.01, False)


def test_null_is_no_value_only_where_none_is_allowed():
    found = support.parameters(analysis("performance"), ["capacity=null", "value_matrix=null"])
    assert found == {"capacity": None, "value_matrix": "null"}


def test_a_file_is_replaced_whole_and_keeps_the_usual_rights(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("old")
    support.write_atomically(path, b"new")
    umask = os.umask(0)
    os.umask(umask)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("old")
    with pytest.raises(TypeError):
        support.write_atomically(path, "text")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_an_upload_says_cannot_steer_the_terminal():
    assert "\x1b" not in shown._clean("\x1b[2Jname\u202e")
    assert "\u202e" not in shown._clean("\x1b[2Jname\u202e")


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        ({"group": {"sex": "F", "race": "B"}}, "sex = F, race = B"),
        ({"feature": "age", "table": "reference"}, "feature age, table reference"),
    ],
)
def test_scopes_are_readable(scope, text):
    assert shown.scope_as_text(scope) == text


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        (["no,yes"], ("no", "yes")),
        (["no, yes"], ("no", "yes")),
        (["no", "yes"], ("no", "yes")),
        (['"maybe, later"', "no"], ("maybe, later", "no")),
        (['no,"maybe, later"'], ("no", "maybe, later")),
        (['"say ""no""",yes'], ('say "no"', "yes")),
    ],
)
def test_labels_of_classes_are_lines_of_csv(given, labels):
    asked = support.request(
        "performance", [], seed=0, task=None, positive=None, classes=given, roles=ColumnRoles(target="y")
    )
    assert asked.classes == {"model": labels}


@pytest.mark.parametrize("given", [['"open,yes'], ['"a"b,c'], ["a,,b"], [""]])
def test_labels_that_cannot_be_read_are_refused(given):
    with pytest.raises(InvalidInput, match="Got --classes"):
        support.class_labels(given)


def test_the_help_says_how_a_label_with_a_comma_is_given():
    from typer.testing import CliRunner

    from modelops.cli import app

    told = CliRunner().invoke(app, ["analyze", "--help"], env={"COLUMNS": "400"}).output
    assert "a label that holds a comma stands in double quotes" in " ".join(told.split())
