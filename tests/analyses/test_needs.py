"""Every need has its words, once, and the options that they name are those of the command."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from modelops.analyses.base import Need
from modelops.analyses.needs import NEEDS, wanted_on_command_line, wanted_on_screen
from modelops.cli import app

ROOT = Path(__file__).parents[2]


def test_every_need_has_its_words():
    assert set(NEEDS) == set(Need)
    names = [words.name for words in NEEDS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("need", Need)
def test_the_options_that_are_named_are_options_of_the_command(need):
    known = {option for parameter in get_command(app).commands["analyze"].params for option in parameter.opts}
    named = set(re.findall(r"--[a-z-]+", NEEDS[need].option))
    assert named
    assert named <= known


def test_pages_are_not_told_of_options():
    assert "--" not in wanted_on_screen(Need)
    assert wanted_on_screen([Need.MODEL]) == "a version with a model file"


def test_what_is_missing_is_listed_in_one_sentence():
    assert wanted_on_command_line([Need.REFERENCE]) == "reference data (--reference FILE)"
    assert wanted_on_command_line([Need.TIME, Need.TRAIN]) == (
        "a time column (--time COL) and the training data (--train FILE)"
    )


def test_the_words_stand_in_one_file_only():
    own = ROOT / "modelops" / "analyses" / "needs.py"
    elsewhere = [path for path in (ROOT / "modelops").rglob("*.py") if path not in {own, own.with_name("base.py")}]
    assert [path.name for path in elsewhere if len(re.findall(r"Need\.[A-Z]+: *\"", path.read_text("utf-8"))) > 1] == []
