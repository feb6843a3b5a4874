"""Two versions side by side: what differs in them, and what the same analyses found of both."""

from __future__ import annotations

import sqlite3

import pytest

from modelops.domain.canonical import canonical_bytes
from modelops.domain.criteria import Criteria
from modelops.domain.result import Measurement
from modelops.services import criteria, files, inventory, runs
from modelops.services.criteria import as_criterion
from modelops.store.tables import RunRow, RunState, VersionRow
from modelops.ui.models import COMPARE_VERSIONS, MODEL
from modelops.ui.version_pairs import different_facts, key_numbers, pairs, unmatched
from tests.reports.report_samples import sample_result
from tests.ui.ui_inventory import MADE_AT, Made, make


@pytest.fixture(scope="module")
def made(tmp_path_factory, peopled_database) -> Made:
    return make(tmp_path_factory.mktemp("versions"), peopled_database, MADE_AT, with_runs=True)


@pytest.fixture
def home(made, store, tmp_path):
    made.hand_files_to(tmp_path)
    source, target = sqlite3.connect(made.database), sqlite3.connect(tmp_path / "modelops.sqlite3")
    source.backup(target)
    source.close()
    target.close()
    return store


@pytest.fixture
def second(home, people, now):
    """A second version, whose performance is better by a tenth in every number about all rows."""
    version = inventory.register_version(home, 1, actor=people["author"], at=now, label="2.0")
    add_better_run(home, version, now)
    return version


def add_better_run(home, version, now, **more):
    with home.transaction() as t:
        old = t.get(RunRow, 1, what="run")
        result = runs.read_result(home, old.result)
        better = tuple(
            one.model_copy(update={"value": one.value + 0.1, "interval": None, "level": None})
            if one.value is not None and not one.scope
            else one
            for one in result.measurements
        )
        moved = result.model_copy(update={"measurements": better, "summary": "The second one is better."})
        kept = old.model_dump(exclude={"id", "result", "version_id", *more})
        digest = files.keep(home, t, canonical_bytes(moved), at=now)
        t.add(RunRow(**kept, **more, version_id=version.id, result=digest))


def texts(screen):
    kinds = ("title", "subheader", "markdown", "caption", "info", "error")
    shown = "\n".join(str(element.value) for kind in kinds for element in getattr(screen, kind))
    return shown.replace("\\", "")


def links(screen):
    return [element.proto.label.replace("\\", "") for element in screen.get("page_link")]


@pytest.mark.parametrize("who", ["author", "auditor"])
def test_both_versions_stand_side_by_side_for_everybody_who_may_read(visit, home, second, who):
    screen = visit(who, COMPARE_VERSIONS, left="1", right=str(second.id))
    assert not screen.exception
    shown = texts(screen)
    assert "The second one is better." in shown
    assert "on cases" in shown
    assert {"1.0: run 2", "2.0: run 3", "Compare everything"} <= set(links(screen))
    table = next(found.value for found in screen.dataframe if "Difference" in found.value.columns)
    accuracy = table[table["Measurement"] == "Accuracy"].iloc[0]
    assert accuracy["Difference"] == pytest.approx(0.1)
    assert accuracy["2.0"] == pytest.approx(accuracy["1.0"] + 0.1, abs=1e-3)


def test_verdicts_by_different_criteria_are_said_to_be_so_above_them(visit, home, people, now):
    version = inventory.register_version(home, 1, actor=people["author"], at=now, label="2.0")
    demand = {"analysis": "performance", "metric": "recall", "at_least": 0.8, "why": "As good as by hand."}
    body = Criteria(criteria=(as_criterion(demand, among=[]),))
    given = {"actor": people["author"], "at": now}
    drafted = criteria.write_criteria(home, version.id, body, seen_revision=0, **given)
    frozen = criteria.freeze_criteria(home, version.id, seen_revision=drafted.revision, **given)
    add_better_run(home, version, now, criteria=frozen.digest)
    screen = visit("author", COMPARE_VERSIONS, left="1", right=str(version.id))
    (told,) = screen.warning
    assert told.value.replace("\\", "") == (
        "Judged by different criteria: 1.0 by none. 2.0 by Recall, all rows: at least 0.8, on any data. "
        "So the verdicts tell nothing of which is better."
    )


def test_nothing_is_said_of_criteria_that_are_the_same(visit, home, second):
    assert not visit("author", COMPARE_VERSIONS, left="1", right=str(second.id)).warning


def test_without_a_common_analysis_the_page_says_what_to_do(visit, home, people, now):
    inventory.register_version(home, 1, actor=people["author"], at=now, label="2.0")
    screen = visit("author", COMPARE_VERSIONS, left="1", right="2")
    assert "Run the same one on both versions" in texts(screen)
    assert "For 1.0 alone, or on other data: Performance." in texts(screen)
    assert "Run an analysis" in links(screen)


def test_a_single_version_has_nothing_to_be_compared_with(visit, home):
    assert "single version" in texts(visit("author", COMPARE_VERSIONS, left="1"))
    assert "Compare two versions" not in links(visit("author", MODEL, model="1"))


def test_the_model_leads_to_the_comparison(visit, home, second):
    assert "Compare two versions" in links(visit("author", MODEL, model="1"))


def run(number, analysis="performance", data=1, result="sha256:" + "a" * 64, version=1):
    values = {"analysis": analysis, "model_id": 1, "version_id": version, "data_id": data, "result": result}
    return RunRow(id=number, state=RunState.FINISHED, **values)


def test_the_newest_runs_on_a_common_dataset_make_a_pair():
    one = [run(1), run(4), run(6, data=3), run(7, "drift")]
    other = [run(2), run(3, result=None), run(5, data=2), run(8, "fairness")]
    (found,) = pairs(one, other)
    assert (found.analysis, found.data_id, found.one.id, found.other.id) == ("performance", 1, 4, 2)
    assert unmatched(one, other, [found]) == (["Drift"], ["Fairness"])


def test_files_parameters_and_features_that_differ_are_named():
    summary = {"format": "skops", "framework": "scikit-learn", "task": "classification", "size": 10}
    one = VersionRow(label="1", summary={**summary, "features": ["age", "income"], "parameters": {"depth": "3"}})
    other = VersionRow(label="2", summary={**summary, "features": ["age", "debt"], "parameters": {"depth": "4"}})
    found = {row["What"]: (row["1"], row["2"]) for row in different_facts(one, other)}
    assert found == {"Parameter depth": ("3", "4"), "Features of one only": ("income", "debt")}
    assert different_facts(one, one.model_copy(update={"label": "3"})) == []


def test_features_in_another_order_are_a_difference():
    summary = {"format": "onnx", "framework": "onnx", "task": None, "size": 1}
    one = VersionRow(label="1", summary={**summary, "features": ["a", "b"]})
    other = VersionRow(label="2", summary={**summary, "features": ["b", "a"]})
    assert different_facts(one, other) == [{"What": "Features", "1": "the same", "2": "in another order"}]


def test_numbers_that_one_of_the_two_lacks_are_left_out(home):
    with home.reading() as reader:
        result = runs.result(home, reader.get(RunRow, 1, what="run"))
    none = result.model_copy(update={"measurements": ()})
    assert key_numbers(result, none, ("1", "2")) == []


def test_numbers_of_other_units_and_those_that_neither_has_are_not_set_beside_each_other():
    one, other = (
        sample_result(
            measurements=(
                Measurement(metric="shap_base_value", value=value, unit=unit, scope={}, sample_size=50),
                Measurement(metric="log_loss", value=value, scope={}, sample_size=50),
                Measurement(metric="pit_p_value", value=None, scope={}, sample_size=0, note="No quantiles."),
            )
        )
        for value, unit in ((0.4, "score"), (-0.8, "log-odds"))
    )
    assert [row["Measurement"] for row in key_numbers(one, other, ("1.0", "2.0"))] == ["Log loss"]
