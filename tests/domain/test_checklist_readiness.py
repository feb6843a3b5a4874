import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops.domain.checklist import Gate, Result, Weight, WorkStatus, load_template
from modelops.domain.readiness import AnswerState, Standing, readiness, standing
from modelops.errors import InvalidInput

TEMPLATE = load_template((Path(__file__).parents[2] / "data" / "checklists" / "readiness.yaml").read_text("utf-8"))
IDS = [question.id for question in TEMPLATE.at(Gate.INCEPTION)]
DONE = WorkStatus.DONE

BLOCKING = "problem.harm"
MAJOR = "problem.well_posed"


def met(question_id, **changes):
    whole = AnswerState(question_id, Result.MET, DONE, has_evidence=True)
    return dataclasses.replace(whole, **changes)


def all_met(gate=Gate.INCEPTION, **instead):
    """Every answer met and done, but for those given as ``problem__harm={...}``."""
    changes = {key.replace("__", "."): value for key, value in instead.items()}
    return [met(question.id, **changes.get(question.id, {})) for question in TEMPLATE.at(gate)]


states = st.builds(
    AnswerState,
    question_id=st.just(""),
    result=st.sampled_from(Result),
    work_status=st.sampled_from(WorkStatus),
    waived=st.booleans(),
    confirmed=st.booleans(),
    has_evidence=st.booleans(),
    reason=st.sampled_from(["", "No people are concerned."]),
    owner=st.sampled_from([None, "author", "data owner"]),
)
answer_lists = st.lists(st.sampled_from(IDS), unique=True).flatmap(
    lambda ids: st.tuples(*(states.map(lambda state, i=i: dataclasses.replace(state, question_id=i)) for i in ids))
)


def judged(answers):
    return readiness(TEMPLATE, Gate.INCEPTION, answers)


@given(answer_lists, st.sampled_from(IDS))
def test_adding_a_met_answer_never_lowers_the_score(answers, question_id):
    before = judged(answers)
    after = judged([a for a in answers if a.question_id != question_id] + [met(question_id)])
    assert (after.score or 0) >= (before.score or 0)


@given(answer_lists, st.sampled_from(IDS))
def test_adding_a_met_answer_never_lowers_progress_nor_adds_blockers(answers, question_id):
    before = judged(answers)
    after = judged([a for a in answers if a.question_id != question_id] + [met(question_id)])
    assert after.progress >= before.progress
    assert {gap.question_id for gap in after.blockers} <= {gap.question_id for gap in before.blockers}


@given(answer_lists, st.randoms(use_true_random=False))
def test_order_of_answers_does_not_matter(answers, random):
    shuffled = list(answers)
    random.shuffle(shuffled)
    assert judged(shuffled) == judged(answers)


@given(answer_lists)
def test_overall_score_is_that_of_the_weakest_area(answers):
    found = judged(answers)
    assert found.score == min((area.score for area in found.areas if area.score is not None), default=None)


@given(answer_lists)
def test_to_do_list_names_each_blocker_once(answers):
    found = judged(answers)
    named = [question_id for item in found.to_do for question_id in item.question_ids]
    assert sorted(named) == sorted(gap.question_id for gap in found.blockers)


@given(answer_lists)
def test_ready_means_that_nothing_is_to_do(answers):
    found = judged(answers)
    assert found.is_ready == (not found.to_do)


@given(answer_lists)
def test_settled_questions_and_gaps_add_up(answers):
    found = judged(answers)
    assert found.settled + sum(len(area.gaps) for area in found.areas) == found.asked == len(IDS)


@pytest.mark.parametrize("gate", Gate)
def test_all_met_and_done_is_ready(gate):
    found = readiness(TEMPLATE, gate, all_met(gate))
    assert (found.is_ready, found.score, found.progress) == (True, 1.0, 1.0)


def test_no_answer_at_all_is_not_ready():
    found = judged([])
    assert (found.is_ready, found.score, found.progress) == (False, 0.0, 0.0)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"result": Result.NOT_MET}, "It is not met, and it is blocking."),
        ({"result": Result.PARTIALLY}, "It is met only partially, and it is blocking."),
        ({"result": Result.NOT_ASSESSED}, "It has not been assessed."),
        ({"result": Result.NOT_APPLICABLE}, "No reason says why it does not apply."),
        ({"result": Result.NOT_APPLICABLE, "reason": " "}, "No reason says why it does not apply."),
        ({"work_status": WorkStatus.IN_REVIEW}, "The work on it is not done; its status is 'in review'."),
        ({"has_evidence": False}, "Nothing proves the answer."),
        ({"confirmed": False}, "The answer was carried over and has not been looked at again."),
    ],
)
def test_blocking_question_forbids_approval_and_says_why(changes, why):
    found = judged(all_met(problem__harm=changes))
    assert [(gap.question_id, gap.why) for gap in found.blockers] == [(BLOCKING, why)]


@pytest.mark.parametrize("result", [Result.NOT_MET, Result.PARTIALLY, Result.NOT_ASSESSED])
def test_waived_blocking_question_does_not_forbid_approval(result):
    assert judged(all_met(problem__harm={"result": result, "waived": True})).is_ready


def test_waiver_does_not_raise_the_score():
    not_met = {"result": Result.NOT_MET}
    waived = judged(all_met(problem__harm=not_met | {"waived": True}))
    assert waived.score == judged(all_met(problem__harm=not_met)).score < 1


@pytest.mark.parametrize("result", [Result.NOT_MET, Result.PARTIALLY])
def test_major_question_that_falls_short_is_settled_and_lowers_the_score(result):
    found = judged(all_met(problem__well_posed={"result": result}))
    assert (found.is_ready, found.progress) == (True, 1.0)
    assert found.score < 1


def test_open_major_question_lowers_progress_and_does_not_forbid_approval():
    found = judged(all_met(problem__well_posed={"work_status": WorkStatus.TO_DO}))
    assert found.is_ready
    assert found.settled == found.asked - 1


def test_score_of_an_area_by_hand():
    # Area "problem": 3 blocking (12), 4 major (8) = 20. Not met blocking -4, partially major -1: 15 of 20.
    changes = {"problem__harm": {"result": Result.NOT_MET}, "problem__well_posed": {"result": Result.PARTIALLY}}
    assert judged(all_met(**changes)).score == 0.75


def test_question_that_does_not_apply_leaves_the_score():
    # Without one major question (2 of 20), one not met major leaves 16 of 18.
    changes = {
        "problem__well_posed": {"result": Result.NOT_APPLICABLE, "reason": "A fixed task."},
        "problem__resources": {"result": Result.NOT_MET},
    }
    assert judged(all_met(**changes)).score == 16 / 18


def test_area_in_which_nothing_applies_has_no_score():
    answers = [
        met(i, result=Result.NOT_APPLICABLE, reason="Out of scope.") if i.startswith("baseline.") else met(i)
        for i in IDS
    ]
    found = judged(answers)
    assert [area.score for area in found.areas] == [1.0, 1.0, None]
    assert found.score == 1.0


def test_strong_areas_do_not_make_up_for_a_weak_one():
    answers = [met(i) for i in IDS if not i.startswith("baseline.")]
    found = judged(answers)
    assert (found.weakest.area_id, found.score) == ("baseline", 0.0)


def test_only_areas_that_ask_something_at_the_gate_are_judged():
    assert [area.area_id for area in judged([]).areas] == ["problem", "data", "baseline"]


def test_questions_that_one_run_serves_are_one_thing_to_do():
    fairness = {i: {"result": Result.NOT_ASSESSED, "has_evidence": False} for i in ("data__bias", "use__fairness")}
    found = readiness(TEMPLATE, Gate.PRE_DEPLOYMENT, all_met(Gate.PRE_DEPLOYMENT, **fairness))
    assert [(item.what, item.question_ids) for item in found.to_do] == [
        ("Run “fairness” and answer from its result.", ("data.bias", "use.fairness"))
    ]


def test_an_analysis_is_called_by_the_title_that_people_know():
    titles = {"fairness": "Fairness by group", "leakage": "Leakage"}
    unassessed = {"data__bias": {"result": Result.NOT_ASSESSED, "has_evidence": False}}
    found = readiness(TEMPLATE, Gate.PRE_DEPLOYMENT, all_met(Gate.PRE_DEPLOYMENT, **unassessed), runnable=titles)
    assert [item.what for item in found.to_do] == ["Run “Fairness by group” and answer from its result."]
    gap = next(gap for area in found.areas for gap in area.gaps)
    assert gap.what_to_do == "Run “Fairness by group” and answer from its result."


def test_nobody_is_told_to_run_an_analysis_that_cannot_be_run():
    leakage = {"works__leakage": {"has_evidence": False}}
    answers = all_met(Gate.PRE_DEPLOYMENT, **leakage)
    found = readiness(TEMPLATE, Gate.PRE_DEPLOYMENT, answers, runnable={"fairness": "Fairness"})
    assert [item.what for item in found.to_do] == ["Attach evidence: the analysis “leakage”."]


def test_carried_answers_are_confirmed_in_one_go_by_their_owners():
    changes = {"confirmed": False}
    answers = all_met(problem__harm=changes | {"owner": "risk owner"}, data__access=changes | {"owner": "author"})
    found = judged(answers)
    assert [(item.question_ids, item.owners) for item in found.to_do] == [
        (("problem.harm", "data.access"), ("author", "risk owner"))
    ]


def test_what_takes_longest_stands_first_on_the_list():
    answers = all_met(problem__statement={"confirmed": False}, data__access={"result": Result.NOT_MET})
    assert [item.question_ids for item in judged(answers).to_do] == [("data.access",), ("problem.statement",)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Standing.SETTLED),
        ({"result": Result.NOT_MET}, Standing.FAILED),
        ({"result": Result.NOT_MET, "waived": True}, Standing.WAIVED),
        ({"work_status": WorkStatus.IN_PROGRESS}, Standing.OPEN),
    ],
)
def test_standing_of_one_answer(changes, expected):
    assert standing(TEMPLATE.question(BLOCKING), met(BLOCKING, **changes)) is expected


def test_two_answers_to_one_question_are_refused():
    with pytest.raises(InvalidInput, match=r"two answers to the question 'problem\.harm'"):
        judged([met(BLOCKING), met(BLOCKING)])


def test_answer_to_a_question_of_a_later_gate_is_refused():
    with pytest.raises(InvalidInput, match=r"'works\.leakage', which is not asked at the gate inception"):
        judged([met("works.leakage")])


def test_gate_that_asks_nothing_is_refused():
    areas = tuple(area for area in TEMPLATE.areas if area.id == "use")
    with pytest.raises(InvalidInput, match="asks nothing at the gate inception"):
        readiness(TEMPLATE.model_copy(update={"areas": areas}), Gate.INCEPTION, [])


def test_weights_are_those_of_the_template():
    assert {TEMPLATE.question(BLOCKING).weight, TEMPLATE.question(MAJOR).weight} == {Weight.BLOCKING, Weight.MAJOR}
