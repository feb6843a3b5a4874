"""Run again: the request behind a result, and what counts as the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops.domain.canonical import canonical_bytes
from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.digest import Digest
from modelops.domain.result import AnalysisResult, InputRecord, Measurement, Protection
from modelops.errors import InvalidInput
from modelops.evaluation import Reproduction, compare, request_of
from modelops.evaluation.role_text import roles_as_text, roles_from_text

ROLES = ColumnRoles(features=("age", "sex"), target="y", prediction="p", sensitive=("sex",), ids=("id",))


def result(*measurements: Measurement, **changed) -> AnalysisResult:
    values = {
        "schema": "modelops.result/1",
        "analysis": "performance",
        "inputs": {"data": InputRecord(digest=Digest.of(b"data"), rows=9, roles=roles_as_text(ROLES))},
        "task": "classification",
        "positive": "1",
        "parameters": {"rows": 100},
        "seed": 7,
        "environment": {"python": "3.11.7", "numpy": "2.4.6"},
        "protection": Protection(level="A"),
        "summary": "Right in most rows.",
        "measurements": measurements or (accuracy(0.8),),
    }
    return AnalysisResult(**(values | changed))


def accuracy(value: float | None, **more) -> Measurement:
    return Measurement(
        metric="accuracy", value=value, sample_size=9, note=None if value is not None else "no rows", **more
    )


def test_the_request_of_a_result_leads_back_to_it():
    request = request_of(result())
    assert request.data_roles == ROLES
    assert (request.analysis, request.parameters, request.seed) == ("performance", {"rows": 100}, 7)
    assert (request.task, request.positive, request.guess_roles) == (Task.CLASSIFICATION, "1", False)


def test_the_request_survives_the_result_file():
    stored = AnalysisResult.model_validate_json(result().model_dump_json(by_alias=True))
    assert request_of(stored) == request_of(result())


def test_equal_results_are_reproduced():
    found = compare(result(), result())
    assert found.outcome is Reproduction.REPRODUCED
    assert found.compared == 1


def test_the_order_of_a_sum_is_no_drift():
    assert compare(result(accuracy(0.1 + 0.2)), result(accuracy(0.3))).outcome is Reproduction.REPRODUCED


def test_a_changed_number_is_named_with_its_change():
    found = compare(result(accuracy(0.8)), result(accuracy(0.75)))
    assert found.outcome is Reproduction.DRIFTED
    (difference,) = found.differences
    assert (difference.metric, difference.part, difference.old, difference.new) == ("accuracy", "value", 0.8, 0.75)
    assert difference.change == pytest.approx(-0.05)


def test_a_changed_interval_and_sample_size_are_drift():
    old = Measurement(metric="recall", value=0.5, interval=(0.4, 0.6), level=0.95, sample_size=10)
    new = Measurement(metric="recall", value=0.5, interval=(0.4, 0.7), level=0.95, sample_size=11)
    assert [one.part for one in compare(result(old), result(new)).differences] == ["interval high", "sample size"]


def test_a_number_that_is_no_longer_measured_is_drift():
    (difference,) = compare(result(accuracy(0.8)), result(accuracy(None))).differences
    assert (difference.old, difference.new, difference.change) == (0.8, None, None)


def test_a_measurement_that_only_one_has_is_drift():
    more = accuracy(0.5, scope={"group": {"sex": "F"}})
    found = compare(result(accuracy(0.8)), result(accuracy(0.8), more))
    assert [(one.part, one.scope) for one in found.differences] == [("presence", {"group": {"sex": "F"}})]


def test_equal_metrics_of_other_scopes_are_not_mixed_up():
    scoped = [accuracy(value, scope={"group": {"sex": sex}}) for sex, value in (("F", 0.7), ("M", 0.9))]
    assert compare(result(*scoped), result(*reversed(scoped))).outcome is Reproduction.REPRODUCED


def test_changed_library_versions_are_listed():
    found = compare(result(), result(accuracy(0.7), environment={"python": "3.11.7", "numpy": "2.5.0"}))
    assert found.environment == ("numpy: 2.4.6 -> 2.5.0",)
    assert "numpy: 2.4.6 -> 2.5.0" in found.because


@pytest.mark.parametrize(
    "changed",
    [
        {"analysis": "drift"},
        {"inputs": {"data": InputRecord(digest=Digest.of(b"other"))}},
        {"inputs": {}},
        {"inputs": {"data": InputRecord(digest=Digest.of(b"data"), rows=9, roles={"y": "target"})}},
        {"parameters": {"rows": 200}},
        {"parameters": {}},
        {"seed": 8},
        {"positive": "0"},
    ],
)
def test_results_of_something_else_cannot_be_compared(changed):
    found = compare(result(), result(**changed))
    assert found.outcome is Reproduction.CANNOT
    assert found.because


NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=6)


@given(names=st.lists(NAMES, min_size=8, max_size=8, unique=True), label=NAMES, other=NAMES, by_position=st.booleans())
def test_roles_come_back_from_their_text(names, label, other, by_position):
    a, b, target, prediction, one, two, weight, row = names
    roles = ColumnRoles(
        features=(a, b),
        target=target,
        prediction=prediction,
        scores=(one, two),
        score_classes=(label, other + "!"),
        sensitive=(b,),
        weight=weight,
        time=row,
        ids=(row,),
    )
    assert roles_from_text(roles_as_text(roles, by_position=by_position)) == roles


def test_the_order_of_numbered_features_survives_sorting():
    roles = ColumnRoles(features=tuple("zyxwvutsrqponm"), sensitive=("z",))
    text = roles_as_text(roles, by_position=True)
    assert roles_from_text(dict(sorted(text.items()))) == roles


def test_an_unknown_role_is_refused():
    with pytest.raises(InvalidInput, match="boss"):
        roles_from_text({"a": "boss"})


def test_a_result_that_was_read_from_the_store_is_compared_with_a_fresh_one():
    fresh = result(accuracy(0.8).model_copy(update={"scope": {"threshold": 1.0}}), parameters={"cost": 0.0})
    stored = AnalysisResult.model_validate_json(canonical_bytes(fresh))
    assert compare(stored, fresh).outcome is Reproduction.REPRODUCED


def cost(seconds: float, **more) -> Measurement:
    return Measurement(metric="latency", value=seconds, unit="seconds", sample_size=100, **more)


@pytest.fixture
def timed(monkeypatch):
    """An analysis whose latency is a cost."""
    from dataclasses import replace

    from modelops.analyses.performance import PERFORMANCE

    declared = replace(PERFORMANCE, costs=frozenset({"latency"}))
    monkeypatch.setattr("modelops.evaluation.comparing.ANALYSES", (declared,))


@pytest.mark.usefixtures("timed")
def test_a_time_is_reproduced_within_a_factor_of_two_and_the_outcome_says_so():
    old, new = (result(accuracy(0.8), cost(one, interval=(one, one), level=0.95)) for one in (0.010, 0.019))
    found = compare(old, new)
    assert found.outcome is Reproduction.REPRODUCED
    assert "Times and memory (1) are held to a factor of 2 only" in found.because


@pytest.mark.usefixtures("timed")
@pytest.mark.parametrize("seconds", [0.021, 0.0049, 0.0])
def test_a_time_that_changed_by_more_has_drifted(seconds):
    found = compare(result(cost(0.010)), result(cost(seconds)))
    assert found.outcome is Reproduction.DRIFTED
    assert [(one.metric, one.part) for one in found.differences] == [("latency", "value")]


@pytest.mark.usefixtures("timed")
def test_other_numbers_of_the_same_analysis_stay_exact():
    found = compare(result(accuracy(0.8), cost(0.01)), result(accuracy(0.81), cost(0.01)))
    assert [one.metric for one in found.differences] == ["accuracy"]
