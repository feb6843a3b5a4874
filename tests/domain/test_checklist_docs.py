"""The page about the checklist, held against the template, the crosswalks and the rules."""

import re
from pathlib import Path

import pytest
import yaml

from modelops.domain.checklist import Condition, Gate, Question, Result, Template, Weight, WorkStatus, load_template
from modelops.domain.crosswalk import load_framework
from modelops.domain.readiness import IMPORTANCE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "checklist.md").read_text(encoding="utf-8")
TEMPLATE = load_template((ROOT / "data" / "checklists" / "readiness.yaml").read_text(encoding="utf-8"))
FRAMEWORKS = [(path, load_framework(path.read_text("utf-8"))) for path in (ROOT / "data" / "crosswalks").glob("*.yaml")]


def rows(heading):
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.split("\n") if line[:1] == "|"]
    return cells[2:]


def test_areas_are_those_of_the_template():
    expected = [
        [
            TEMPLATE.numbers[section.id],
            f"`{section.id}`",
            section.title,
            str(len(section.questions)),
            *(str(sum(question.gate is gate for question in section.questions)) for gate in Gate),
            str(sum(question.is_blocking for question in section.questions)),
        ]
        for area in TEMPLATE.areas
        for section in area.sections
    ]
    assert rows("Areas") == expected


def test_gates_say_how_many_questions_are_asked():
    assert [(row[0], row[2]) for row in rows("Gates")] == [(gate, str(len(TEMPLATE.at(gate)))) for gate in Gate]


def test_weights_say_how_many_questions_have_them():
    expected = [(weight, str(sum(q.weight is weight for q in TEMPLATE.questions))) for weight in Weight]
    assert [(row[0], row[2]) for row in rows("Weights")] == expected


def test_importance_is_the_one_described():
    assert "blocking question counted four times, a major one twice and a minor one once" in PAGE.replace("\n", " ")
    assert IMPORTANCE == {Weight.BLOCKING: 4, Weight.MAJOR: 2, Weight.MINOR: 1}


@pytest.mark.parametrize("words", [Result, WorkStatus])
def test_results_and_work_statuses_are_all_named(words):
    assert ", ".join(words) in PAGE


def test_crosswalks_are_those_of_the_folder():
    found = {(row[0], row[1], row[2], row[3].split(":")[0]) for row in rows("Crosswalks")}
    assert found == {
        (f"`{path.name}`", framework.title, str(len(framework.clauses)), "yes" if framework.is_complete else "no")
        for path, framework in FRAMEWORKS
    }


@pytest.mark.parametrize("record", [Template, Question])
def test_fields_that_a_template_needs_are_named(record):
    section = PAGE.split("## A template of your own")[1]
    needed = {name for name, field in record.model_fields.items() if field.is_required()}
    assert needed <= set(re.findall(r"`(\w+)`", section))


def test_example_of_a_condition_is_one():
    example = PAGE.split("```yaml\n")[1].split("```")[0]
    assert Condition.model_validate(yaml.safe_load(example)["when"]).has_sensitive
