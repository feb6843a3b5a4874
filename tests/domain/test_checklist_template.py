"""The built-in template, held against a table of what it must contain.

Ids are stable for ever, because records refer to them. A line: id, gate (I inception, D pre-deployment, P periodic),
weight, and the evidence: kinds that a person or the app provides, then the keys of analyses.
"""

import itertools
import re
from pathlib import Path

import pytest

from modelops.domain.checklist import Gate, Weight, load_template

EXPECTED = """
problem.statement I block text -
problem.well_posed I major text -
problem.harm I block text,file -
problem.done I block text,record performance
problem.indicators I major text,record -
problem.ml_needed I major text baseline
problem.resources I major text -
data.access I block text,record -
data.available_in_production I block text,record -
data.permitted I block text,file -
data.sensitive I block text data_quality
data.labelled I major text data_quality
data.label_effort I minor text learning_curve
data.current D major - data_quality
data.labels_checked D major text label_quality
data.representative D block text representativeness
data.size D major - learning_curve,representativeness
data.quality_over_quantity D major - data_quality
data.bias D block text fairness
data.minorities D block - representativeness,fairness
baseline.starting_point I block - baseline
baseline.earlier_methods I major text -
baseline.metrics D block - baseline
baseline.literature I minor text,link -
baseline.lessons I minor text -
preprocessing.exploration D major file data_quality
preprocessing.assumptions D major record -
preprocessing.checks D block - data_contract
preprocessing.steps D major file,record -
preprocessing.reproducible D block record reproducibility
preprocessing.missing D major - robustness
works.runs D block record -
works.solves D block - performance
works.metrics D block - performance
works.overfitting D block - overfitting
works.leakage D block - leakage
works.recreate D major - reproducibility
works.replicate D major record reproducibility
predictions.plausible D major - performance,calibration
predictions.explained D block - explainability,subpopulations,residuals,what_if
predictions.prejudice D block - fairness
predictions.misclassified D major - misclassified
predictions.fails_when D major - subpopulations
code.documented D minor file,link -
code.constraints D major - footprint
code.dependencies D block record -
tests.unit D major file -
tests.functional D block file performance
tests.extreme D block - robustness
operations.resources D major text -
operations.form D minor record -
operations.mode D minor record -
operations.compute D major record footprint
operations.integration D major text,file -
operations.dependencies D block record -
operations.unusual D major record robustness
operations.artifacts D major record -
operations.versioning D major record -
operations.code_tests D minor text,link -
operations.rollout D major record -
operations.retraining D major record -
operations.rollback D block record -
monitoring.hard_data D major record -
monitoring.metrics D block record -
monitoring.kpis D major record -
monitoring.switching D major record champion_challenger
monitoring.methods D block record -
monitoring.ground_truth P major - ground_truth
monitoring.input_drift P block - drift
monitoring.prediction_drift P major - drift
monitoring.domain_classifier P minor - drift
monitoring.feedback_loops D major text feedback_loop
monitoring.access D minor record -
monitoring.owner D block record -
use.asked_again D block record -
use.real_world D block file ground_truth,drift
use.third_party D major file,record -
use.worth D major text,record -
use.fairness D block - fairness
use.misuse D major text -
use.legal D block text,file -
use.artifacts_kept D block record -
use.backup_plan D major text,record -
"""

GATES = {"I": Gate.INCEPTION, "D": Gate.PRE_DEPLOYMENT, "P": Gate.PERIODIC}
WEIGHTS = {"block": Weight.BLOCKING, "major": Weight.MAJOR, "minor": Weight.MINOR}
ROWS = [line.split() for line in EXPECTED.split("\n") if line]
TEXT = (Path(__file__).parents[2] / "data" / "checklists" / "readiness.yaml").read_text(encoding="utf-8")
TEMPLATE = load_template(TEXT)


def names(cell):
    return set() if cell == "-" else set(cell.split(","))


def test_template_has_the_83_questions_in_order():
    assert len(ROWS) == 83
    assert [question.id for question in TEMPLATE.questions] == [row[0] for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_question_has_its_gate(row):
    assert TEMPLATE.question(row[0]).gate is GATES[row[1]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_question_has_its_weight(row):
    assert TEMPLATE.question(row[0]).weight is WEIGHTS[row[2]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_question_asks_for_its_kinds_of_evidence(row):
    needs = TEMPLATE.question(row[0]).evidence
    assert {str(need.kind) for need in needs} - {"analysis run"} == names(row[3])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_question_names_its_analyses(row):
    assert set(TEMPLATE.question(row[0]).analyses) == names(row[4])


def test_seven_areas_of_which_one_has_five_sections():
    assert [(area.id, len(area.sections)) for area in TEMPLATE.areas] == [
        ("problem", 1),
        ("data", 1),
        ("baseline", 1),
        ("deployment", 5),
        ("operations", 1),
        ("monitoring", 1),
        ("use", 1),
    ]


def test_sections_are_numbered_as_people_know_them():
    assert list(TEMPLATE.numbers.values()) == ["1", "2", "3", "4a", "4b", "4c", "4d", "4e", "5", "6", "7"]


@pytest.mark.parametrize(("gate", "count"), [(Gate.INCEPTION, 17), (Gate.PRE_DEPLOYMENT, 79), (Gate.PERIODIC, 83)])
def test_later_gates_ask_again_what_earlier_ones_asked(gate, count):
    assert len(TEMPLATE.at(gate)) == count


@pytest.mark.parametrize("question", TEMPLATE.questions, ids=lambda question: question.id)
def test_help_has_two_to_four_sentences(question):
    assert 2 <= len(re.findall(r"[.?!](?=[\s\"]|$)", question.help)) <= 4


@pytest.mark.parametrize("question", TEMPLATE.questions, ids=lambda question: question.id)
def test_every_text_is_long_enough_to_say_something(question):
    assert min(len(question.help), len(question.good_evidence), len(question.what_goes_wrong)) >= 80


@pytest.mark.parametrize("field", ["text", "help", "good_evidence", "what_goes_wrong"])
def test_no_text_is_used_for_two_questions(field):
    texts = [getattr(question, field) for question in TEMPLATE.questions]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("field", ["help", "good_evidence", "what_goes_wrong"])
def test_no_two_texts_are_nearly_the_same(field):
    def shingles(text):
        words = re.findall(r"[a-z]+", text.lower())
        return {tuple(words[i : i + 4]) for i in range(len(words) - 3)}

    sets = [shingles(getattr(question, field)) for question in TEMPLATE.questions]
    pairs = itertools.combinations(sets, 2)
    assert max(len(a & b) / min(len(a), len(b)) for a, b in pairs) < 0.15


def test_every_question_ends_with_a_question_mark():
    assert [question.id for question in TEMPLATE.questions if not question.text.endswith("?")] == []


def test_every_question_is_asked_of_every_model():
    assert [question.id for question in TEMPLATE.questions if question.when] == []
