"""The answers of the example: complete, of the checklist's form, and with every figure that they quote."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops.demo.texts import FOLDER, answers_of, completed, texts_of
from modelops.domain.checklist import Gate, Result, load_template
from modelops.domain.readiness import AnswerState, readiness
from modelops.domain.review import EvidenceKind
from modelops.errors import InvalidInput
from modelops.settings import DATA, ROOT

NAMES = ["answers_credit_default", "answers_credit_line", "answers_pricing"]


@pytest.fixture(scope="module")
def template():
    return load_template((DATA / "checklists" / "readiness.yaml").read_text())


def states(template, answers, waived=frozenset()):
    """Return the answers as readiness sees them, by the rules of a review."""
    for question_id, one in answers.items():
        kinds = {need.kind for need in template.question(question_id).evidence}
        says_enough = bool(kinds & {EvidenceKind.TEXT, EvidenceKind.RECORD})
        yield AnswerState(
            question_id,
            one.result,
            one.work_status,
            waived=question_id in waived,
            has_evidence=bool(one.evidence) or says_enough,
            reason=one.text,
        )


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_is_to_a_question_of_the_checklist(name, figures, template):
    assert {question.id for question in template.questions} >= set(answers_of(name, figures))


def test_the_finished_review_answers_every_question_before_deployment(figures, template):
    wanted = {question.id for question in template.at(Gate.PRE_DEPLOYMENT)}
    assert set(answers_of("answers_credit_default", figures)) == wanted


def test_the_finished_review_is_ready_with_its_one_waiver(figures, template):
    given = answers_of("answers_credit_default", figures)
    ready = readiness(template, Gate.PRE_DEPLOYMENT, states(template, given, {"predictions.prejudice"}))
    assert ready.is_ready
    assert ready.settled == ready.asked


def test_without_the_waiver_only_the_question_on_prejudice_blocks(figures, template):
    given = answers_of("answers_credit_default", figures)
    ready = readiness(template, Gate.PRE_DEPLOYMENT, states(template, given))
    assert [gap.question_id for gap in ready.blockers] == ["predictions.prejudice"]


def test_the_review_with_the_leak_can_be_submitted_and_is_not_finished(figures, template):
    ready = readiness(template, Gate.PRE_DEPLOYMENT, states(template, answers_of("answers_credit_line", figures)))
    assert ready.is_ready
    assert ready.progress < 0.6


def test_some_answers_of_the_finished_review_are_honest_about_gaps(figures):
    results = [one.result for one in answers_of("answers_credit_default", figures).values()]
    assert results.count(Result.PARTIALLY) >= 3
    assert results.count(Result.NOT_APPLICABLE) == 1


@pytest.mark.parametrize("name", NAMES)
def test_every_file_that_is_attached_exists(name, figures, trained):
    papers = {path.name for path in (trained / "credit_default" / "papers").iterdir()}
    papers |= {path.name for path in (FOLDER / "files").iterdir()}
    named = {proof.file for one in answers_of(name, figures).values() for proof in one.evidence if proof.file}
    assert named <= papers


def test_every_text_of_the_stories_can_be_completed(figures):
    for text in texts_of("texts").values():
        assert "{" not in completed(text, figures)


def test_a_figure_that_does_not_exist_is_refused_by_name():
    with pytest.raises(InvalidInput, match="'no_such_figure'"):
        completed("{no_such_figure:.1%}", {})


@given(st.text().filter(lambda text: not set(text) & {"{", "}"}))
def test_a_text_without_figures_stays_as_it_is(text):
    assert completed(text, {}) == text


def test_the_stories_name_the_columns_that_the_generator_makes():
    """They do not import one another: the app must not load pandas to show the example's button."""
    from modelops.demo import credit_default, generator, offers, training, unfinished

    assert credit_default.FEATURES == generator.FEATURES
    assert tuple(credit_default.MONTHS) == generator.PRODUCTION_MONTHS
    assert credit_default.THRESHOLD == training.THRESHOLD
    assert set(unfinished._LINE_ROLES.features) == set(offers.LEAKY_FEATURES)
    assert set(unfinished._PRICE_ROLES.features) == {*offers.PRICE_NUMBERS, *offers.PRICE_CATEGORIES}


def test_loading_the_example_imports_no_machine_learning_library():
    heavy = ("pandas", "sklearn", "scipy.stats", "lightgbm", "xgboost", "skops")
    code = f"import sys, modelops.demo.workspace\nprint([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
