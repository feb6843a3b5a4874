"""The threshold workbench and the acceptance of drift thresholds, through Streamlit's own test of apps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelops.analyses.performance.threshold_counts import ThresholdCounts
from modelops.analyses.statistics.rates import SELECTION_RATE
from modelops.domain.inventory import DatasetRole
from modelops.domain.number_words import percent
from modelops.services import decisions, runs
from modelops.store.queries_decisions import decisions_of_run, drift_limits
from modelops.store.tables import RunRow
from modelops.ui.workbench import start
from tests.jobs.decided_runs import add, ran, worked
from tests.services.road import opened
from tests.ui.test_pages_models import field, links, press, texts

WORKBENCH, RUN = "pages/analyses/workbench.py", "pages/analyses/run.py"


@pytest.fixture
def run(store, people, now, tmp_path):
    opened(store, people, now)
    data = add(store, people["author"], now, DatasetRole.TEST)
    return ran(store, tmp_path, "performance", actor=people["author"], at=now, data_id=data)


@pytest.fixture
def rehearsed(store, people, now, tmp_path):
    opened(store, people, now)
    author = people["author"]
    reference = add(store, author, now, DatasetRole.REFERENCE)
    batch = add(store, author, now, DatasetRole.PRODUCTION, seed=1, rows=150)
    parameters = {"domain_classifier": False, "rehearsals": 50}
    given = {"data_id": batch, "reference_id": reference, "parameters": parameters}
    return ran(store, tmp_path, "drift", actor=author, at=now, **given)


def metric_of(screen, label):
    return next(one.value for one in screen.metric if one.label == label)


def threshold_of(screen):
    return screen.session_state["threshold"]


def test_the_run_leads_to_the_workbench(run, visit):
    assert "Threshold workbench" in links(visit("auditor", RUN, run=str(run.id)))


def test_the_workbench_begins_at_the_threshold_of_the_run(run, visit):
    screen = visit("auditor", WORKBENCH, run=str(run.id))
    assert threshold_of(screen) == 0.5
    assert "It starts at the threshold of the run, 0.5, with the costs of the run." in texts(screen)


def test_predictions_made_with_another_threshold_are_where_the_workbench_begins(run, store):
    with store.reading() as reader:
        result = runs.read_result(store, reader.get(RunRow, run.id, what="run").result)
    counts = ThresholdCounts.read(result)
    place = counts.nearest(0.3)
    selected, _ = counts.rate(SELECTION_RATE, place)
    moved = tuple(
        one.model_copy(update={"value": selected, "interval": None, "level": None})
        if one.metric == "selection_rate" and not one.scope
        else one
        for one in result.measurements
    )
    begun = start(result.model_copy(update={"measurements": moved}), counts, [])
    assert counts.rate(SELECTION_RATE, begun.place)[0] == selected
    assert f"as by the predictions of the run, {percent(selected)}" in begun.words


def test_the_workbench_begins_at_the_saved_threshold_with_its_costs(run, store, people, now, visit):
    given = {"threshold": 0.31, "costs": (0, 1, 7, 0), "capacity": 0.8, "reason": "Agreed."}
    decisions.choose_threshold(store, run.id, actor=people["author"], at=now, **given)
    screen = visit("author", WORKBENCH, run=str(run.id))
    assert threshold_of(screen) == 0.31
    assert field(screen, "Cost of a false negative", "number_input").value == 7
    assert field(screen, "Capacity, % of rows", "number_input").value == 80
    assert "It starts at the threshold 0.31 that was saved on" in texts(screen)


def test_a_saved_threshold_is_where_another_run_of_the_version_begins(run, store, people, now, tmp_path, visit):
    given = {"threshold": 0.31, "costs": (0, 1, 7, 0), "capacity": None, "reason": "Agreed."}
    decisions.choose_threshold(store, run.id, actor=people["author"], at=now, **given)
    again = ran(store, tmp_path, "performance", actor=people["author"], at=now, data_id=run.data_id)
    screen = visit("author", WORKBENCH, run=str(again.id))
    assert threshold_of(screen) == 0.31
    assert f"for run {run.id}, with the costs" in texts(screen)


def test_dear_misses_move_the_cheapest_threshold_down(run, visit):
    screen = visit("author", WORKBENCH, run=str(run.id))
    before = threshold_of(screen)
    field(screen, "Cost of a false negative", "number_input").set_value(20).run()
    screen.button(key="cheapest").click().run()
    assert threshold_of(screen) < before


def test_a_capacity_keeps_the_proposal_within_it(run, visit):
    screen = visit("author", WORKBENCH, run=str(run.id))
    field(screen, "Capacity, % of rows", "number_input").set_value(10).run()
    screen = screen.button(key="cheapest").click().run()
    assert float(metric_of(screen, "Selection rate").rstrip("%")) <= 10


def test_where_the_capacity_decides_it_is_said_and_marked(run, visit):
    screen = visit("author", WORKBENCH, run=str(run.id))
    assert "The capacity of" not in texts(screen)
    field(screen, "Cost of a false negative", "number_input").set_value(20).run()
    field(screen, "Capacity, % of rows", "number_input").set_value(10).run()
    assert screen.button(key="cheapest").label.startswith("Cheapest within capacity")
    assert "The capacity of 10 % decides: within it" in texts(screen)
    drawn = json.loads(screen.get("plotly_chart")[0].proto.spec)
    names = {trace.get("name") for trace in drawn["data"]}
    assert {"within the capacity", "beyond the capacity", "cheapest within the capacity", "chosen"} <= names


def test_a_chosen_threshold_is_saved_with_its_reason_and_shown_on_the_version(run, store, visit):
    screen = visit("author", WORKBENCH, run=str(run.id))
    chosen = threshold_of(screen)
    field(screen, f"Why {chosen:g}?", "text_area").input("Agreed with the desk.")
    screen = press(screen, "Save the decision")
    with store.reading() as reader:
        (one,) = decisions_of_run(reader, run.id)
    assert one.body.threshold == pytest.approx(chosen, abs=1e-5)
    assert "Agreed with the desk." in texts(screen)
    assert f"Threshold {chosen:g}" in texts(visit("auditor", "pages/models/version.py", version="1"))


def test_without_a_reason_nothing_is_saved(run, store, visit):
    screen = press(visit("author", WORKBENCH, run=str(run.id)), "Save the decision")
    assert "reason is empty" in texts(screen)
    with store.reading() as reader:
        assert decisions_of_run(reader, run.id) == []


def test_others_look_and_do_not_decide(run, visit):
    screen = visit("reviewer", WORKBENCH, run=str(run.id))
    assert "Save the decision" not in [button.label for button in screen.button]


def test_a_decision_is_attached_from_the_workbench(run, store, people, now, visit):
    given = {"threshold": 0.5, "costs": (0, 1, 1, 0), "capacity": None, "reason": "Agreed."}
    decisions.choose_threshold(store, run.id, actor=people["author"], at=now, **given)
    screen = press(visit("author", WORKBENCH, run=str(run.id)), "Attach")
    assert "Attached. It is evidence" in texts(screen)


def test_thresholds_are_rehearsed_by_one_click(store, people, now, tmp_path, visit, rehearsed):
    with store.reading() as reader:
        request = reader.get(RunRow, rehearsed.id, what="run")
    given = {"data_id": request.data_id, "reference_id": request.reference_id}
    parameters = {"domain_classifier": False, "margin": 0.3}
    plain = ran(store, tmp_path, "drift", actor=people["author"], at=now, parameters=parameters, **given)
    screen = visit("author", RUN, run=str(plain.id))
    assert "how often would they alarm where nothing has moved" in texts(screen)
    press(screen, "Rehearse")
    with store.reading() as reader:
        again = reader.get(RunRow, plain.id + 1, what="run")
    assert (again.request["parameters"]["rehearsals"], again.request["parameters"]["margin"]) == (200, 0.3)
    assert worked(store, tmp_path, again).state == "finished"


def test_rehearsed_thresholds_are_accepted_beside_their_alarm_rate(rehearsed, store, visit):
    screen = visit("author", RUN, run=str(rehearsed.id))
    assert metric_of(screen, "A run alarms").endswith("%")
    assert "The level promises at most 5 %" in texts(screen)
    field(screen, "Why are these right for this model?", "text_area").input("Few false alarms.")
    screen = press(screen, "Accept these thresholds")
    with store.reading() as reader:
        assert drift_limits(reader, 1).row.reason == "Few false alarms."
    assert "Few false alarms." in texts(screen)


def test_accepted_thresholds_are_those_of_the_next_run(rehearsed, store, people, now, visit):
    given = {"data_id": rehearsed.data_id, "reference_id": rehearsed.reference_id, "version_id": 1}
    limits = {"alpha": 0.01, "margin": 0.25, "domain_classifier": False, "rehearsals": 30}
    run = runs.request_run(store, "drift", actor=people["author"], at=now, parameters=limits, **given)
    run = worked(store, Path(store.sqlite_file).parent, run)
    decisions.accept_drift_limits(store, run.id, actor=people["author"], at=now, reason="Few false alarms.")
    screen = visit("author", "pages/analyses/start.py", analysis="drift", model="1")
    assert field(screen, "Alpha", "number_input").value == 0.01
    assert field(screen, "Margin", "number_input").value == 0.25
