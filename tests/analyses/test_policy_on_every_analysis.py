"""The policy that comes with the app on every analysis and task: no rule may be silent where the analysis has run.

A rule whose scope an analysis never measures for some task says "not run" for ever, whatever is run. Each rule has to
give a verdict on a run that has all its inputs, or to say why it does not apply.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from modelops.analyses.base import Need, Sample
from modelops.analyses.registry import ANALYSES, analysis
from modelops.domain.judging import judge
from modelops.domain.result import Outcome
from modelops.errors import NotMeasured
from modelops.evaluation.role_text import roles_as_text
from tests.analyses.judged import default_policy, result_of
from tests.analyses.samples import table
from tests.analyses.test_every_analysis import CASES, fitted

# What a run needs beyond data, as parameters, for its rules to have something to judge.
DECLARED = {"footprint": {"latency_limit": 5.0}, "reproducibility": {"train_rows": 300}}
# What the small models and tables here cannot have, and where its verdicts are tested instead.
ELSEWHERE = {
    "data_contract.accepted": "test_data_contract.py",
    "data_contract.between_columns": "test_data_contract.py",
    "leakage.future": "test_leakage.py",
    "overfitting.rounds": "test_overfitting.py",
}


def complete(case):
    """All inputs that the analysis can take: ids that repeat, times, and the model where it is of use."""
    columns, reference, train = case.columns(), case.columns(300, seed=9), case.columns(300, seed=7)
    for each, start in ((columns, "2026-01-01"), (reference, "2025-01-01"), (train, "2024-01-01")):
        rows = len(next(iter(each.values())))
        each["customer"] = [f"c{row % (rows // 2)}" for row in range(rows)]
        each["asked"] = np.datetime64(start, "s") + np.arange(rows) * np.timedelta64(3600, "s")
    if case.key == "ground_truth":  # some labels have not come
        target = case.roles["target"]
        columns[target] = [None if row % 3 == 0 else value for row, value in enumerate(columns[target])]
    data = case.data(columns, reference, time="asked", ids=("customer",))
    if data.train is not None:
        data = replace(data, train=Sample(table(train), data.data.roles))
    declared = analysis(case.key)
    return replace(data, model=fitted(case.kind)) if declared.takes(Need.MODEL) else data


@cache
def verdicts(place):
    case = CASES[place]
    case = replace(case, parameters={**case.parameters, **DECLARED.get(case.key, {})})
    data = complete(case)
    found = case.compute(data)
    return judge(default_policy(), result_of(found, case.key, task=data.task))


each_case = pytest.mark.parametrize(
    "place", range(len(CASES)), ids=lambda place: f"{CASES[place].key}-{CASES[place].kind}"
)


@each_case
def test_no_rule_is_silent_on_a_run_with_all_its_inputs(place):
    silent = {(one.rule, one.because) for one in verdicts(place) if one.verdict is Outcome.NOT_RUN}
    assert silent == set()


@each_case
def test_every_rule_of_the_analysis_says_something(place):
    assert {one.rule for one in verdicts(place)} == {rule.id for rule in default_policy().rules_for(CASES[place].key)}


@each_case
def test_what_does_not_apply_says_why(place):
    for one in verdicts(place):
        if one.verdict is Outcome.NOT_APPLICABLE:
            assert len(one.because) > 20, one.rule


def test_every_rule_judges_some_analysis_on_some_task():
    """A rule that never applies is a metric or a scope that nothing measures."""
    judged = {
        one.rule
        for place in range(len(CASES))
        for one in verdicts(place)
        if one.verdict not in (Outcome.NOT_APPLICABLE, Outcome.NOT_RUN) and "was not measured" not in one.because
    }
    assert {rule.id for rule in default_policy().rules} - judged == set(ELSEWHERE)


@pytest.mark.parametrize(("rule", "file"), ELSEWHERE.items())
def test_what_is_left_to_other_tests_is_tested_there(rule, file):
    assert rule.rpartition(".")[2] in (Path(__file__).parent / file).read_text(encoding="utf-8")


def test_every_task_of_every_analysis_is_looked_at():
    kinds = {"classification": {"binary", "multiclass"}, "regression": {"regression"}}
    wanted = {(one.key, kind) for one in ANALYSES for task in one.tasks for kind in kinds[task]}
    assert {(case.key, case.kind) for case in CASES} == wanted


LEFT_OUT = {
    "sensitive": (),
    "features": (),
    "scores": (),
    "ids": (),
    **dict.fromkeys(("target", "prediction", "time"), None),
}


def without(sample, role):
    classes = {"score_classes": ()} if role == "scores" else {}
    return sample and Sample(sample.source, sample.roles.model_copy(update={role: LEFT_OUT[role], **classes}))


@pytest.mark.parametrize("role", LEFT_OUT)
@each_case
def test_no_rule_is_silent_where_no_column_has_a_role(place, role):
    case = CASES[place]
    case = replace(case, parameters={**case.parameters, **DECLARED.get(case.key, {})})
    data = complete(case)
    data = replace(data, **{name: without(getattr(data, name), role) for name in ("data", "reference", "train")})
    try:
        found = case.compute(data)
    except NotMeasured:
        return  # the run says that it needs the role
    told = judge(default_policy(), result_of(found, case.key, task=data.task, roles=roles_as_text(data.data.roles)))
    assert {(one.rule, one.because) for one in told if one.verdict is Outcome.NOT_RUN} == set()
