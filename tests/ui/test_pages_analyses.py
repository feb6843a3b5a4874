"""The pages of analyses, through Streamlit's own test of whole apps; the runs are real ones."""

from __future__ import annotations

import json
import sqlite3

import pytest
from streamlit.testing.v1 import AppTest

from modelops.analyses.base import Parameters
from modelops.analyses.registry import ANALYSES
from modelops.domain.canonical import canonical_bytes
from modelops.domain.columns import ColumnRoles
from modelops.domain.criteria import Criteria
from modelops.domain.digest import Digest
from modelops.domain.inventory import DatasetRole
from modelops.domain.review import EvidenceKind
from modelops.services import criteria, datasets, files, inventory, reviews, runs
from modelops.store.tables import DatasetRow, EvidenceRow, PolicyRow, RunRow, RunState
from modelops.ui import result_files, results
from modelops.ui.comparing import asked_differences, verdict_pairs
from modelops.ui.parameters import fields_of
from modelops.ui.run_record import command_line
from tests.ui.ui_inventory import MADE_AT, Made, make

CATALOGUE = "What can be analysed"
ANALYSES_PAGE, START = "pages/analyses/analyses.py", "pages/analyses/start.py"
RUN, COMPARE = "pages/analyses/run.py", "pages/analyses/compare.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory, peopled_database) -> Made:
    return make(tmp_path_factory.mktemp("analysed"), peopled_database, MADE_AT, with_runs=True)


@pytest.fixture
def home(made, store, tmp_path):
    """The store of the test, with the inventory and two runs in it: 2 computes 1 again."""
    made.hand_files_to(tmp_path)
    source, target = sqlite3.connect(made.database), sqlite3.connect(tmp_path / "modelops.sqlite3")
    source.backup(target)
    source.close()
    target.close()
    return store


@pytest.fixture
def result(home):
    with home.reading() as reader:
        return runs.result(home, reader.get(RunRow, 1, what="run"))


def texts(screen):
    kinds = ("title", "header", "subheader", "markdown", "caption", "text", "error", "info", "success", "warning")
    shown = "\n".join(str(element.value) for kind in kinds for element in getattr(screen, kind))
    return shown.replace("\\", "")


def links(screen):
    return [element.proto.label.replace("\\", "") for element in screen.get("page_link")]


def field(screen, label, kind="text_input"):
    return next(found for found in getattr(screen, kind) if found.label == label)


def press(screen, label):
    return next(found for found in screen.button if found.label == label).click().run()


def newest(store):
    with store.reading() as reader:
        return reader.all(RunRow)[-1]


def test_the_catalogue_shows_every_analysis_with_its_question(visit, home):
    screen = visit("author", ANALYSES_PAGE, tab=CATALOGUE)
    shown = texts(screen)
    for one in ANALYSES:
        assert f"**{one.title}**" in links(screen)
        assert one.question in shown


def test_only_who_may_run_is_offered_to_run(visit, home):
    titles = {f"**{one.title}**" for one in ANALYSES}
    assert titles <= set(links(visit("reviewer", ANALYSES_PAGE, tab=CATALOGUE)))
    assert not titles & set(links(visit("auditor", ANALYSES_PAGE, tab=CATALOGUE)))


def test_the_latest_runs_come_first_and_are_filtered(visit, home):
    screen = visit("reviewer", ANALYSES_PAGE)
    assert links(screen).count("**Performance**") == 2
    field(screen, "State", "button_group").set_value("Failed or cancelled").run()
    assert "No run fits" in texts(screen)


def test_starting_puts_a_run_with_its_settings_into_the_queue(visit, home):
    screen = visit("author", START, analysis="performance", model="1")
    field(screen, "Threshold", "number_input").set_value(0.4)
    field(screen, "Seed", "number_input").set_value(11)
    press(screen, "Run performance")
    run = newest(home)
    assert (run.state, run.request["seed"], run.request["parameters"]["threshold"]) == (RunState.QUEUED, 11, 0.4)
    assert screen.title[0].value == "Performance"


def test_what_an_analysis_lacks_is_said_before_one_can_start_it(visit, home):
    screen = visit("author", START, analysis="explainability", model="1")
    assert "It needs a version with a model file" in texts(screen)
    assert next(found for found in screen.button if found.label == "Run explainability").disabled


def test_a_missing_column_leads_to_the_columns_of_the_dataset(visit, home, people, now):
    with home.reading() as reader:
        roles = ColumnRoles.model_validate(reader.get(DatasetRow, 1, what="dataset").roles)
    blind = {**roles.model_dump(), "sensitive": ()}
    inventory.correct_columns(
        home,
        1,
        actor=people["author"],
        at=now,
        roles=inventory.as_roles(blind),
        task="classification",
        positive="1",
    )
    screen = visit("author", START, analysis="fairness", model="1", data="1")
    assert "Say what the columns of this dataset are for" in links(screen)


GUESSED = "What the columns of cases are for was guessed; nobody has confirmed it yet."


def as_they_are(store):
    with store.reading() as reader:
        row = reader.get(DatasetRow, 1, what="dataset")
        return {"roles": ColumnRoles.model_validate(row.roles), "task": row.task, "positive": row.positive}


@pytest.mark.parametrize(("path", "query"), [(RUN, {"run": "1"}), (START, {"analysis": "performance", "model": "1"})])
def test_a_guess_that_nobody_confirmed_is_said_until_somebody_does(visit, home, people, now, path, query):
    screen = visit("author", path, **query)
    assert GUESSED in texts(screen)
    assert "Look at them" in links(screen)
    datasets.confirm_columns(home, 1, actor=people["author"], at=now, **as_they_are(home))
    assert GUESSED not in texts(visit("author", path, **query))


def test_a_result_that_was_made_with_other_columns_says_so(visit, home, people, now):
    roles = as_they_are(home)["roles"].model_copy(update={"sensitive": ()})
    inventory.correct_columns(home, 1, actor=people["author"], at=now, **as_they_are(home) | {"roles": roles})
    shown = texts(visit("auditor", RUN, run="1"))
    assert GUESSED not in shown
    assert "This result was made with other uses of the columns of cases: Author changed them" in shown


LEARNED = "The model learned from"


def add_table(store, actor, at, content, role):
    with store.blobs.stage(limit=1 << 20) as staged:
        staged.add(content)
        given = {"name": "again", "role": role, "file_name": "again.csv"}
        return inventory.add_dataset(store, 1, actor=actor, at=at, staged=staged, **given).id


@pytest.mark.parametrize("role", [DatasetRole.TRAIN, DatasetRole.TEST])
def test_rows_that_the_model_learned_from_are_told_by_their_role_or_their_bytes(visit, home, people, now, role):
    assert LEARNED not in texts(visit("author", RUN, run="1"))
    with home.reading() as reader:
        content = home.blobs.read(reader.get(DatasetRow, 1, what="dataset").digest)
    # Bytes of a table to train on are uploaded a second time for another use.
    trained = add_table(home, people["author"], now, content, DatasetRole.TRAIN)
    data = trained if role is DatasetRole.TRAIN else add_table(home, people["author"], now, content, role)
    shown = texts(visit("author", START, analysis="performance", model="1", data=str(data)))
    assert f"{LEARNED} again" in shown
    assert ("its bytes were also added to train on" in shown) is (role is DatasetRole.TEST)
    assert LEARNED in texts(visit("auditor", RUN, run="1"))
    assert LEARNED not in texts(visit("author", START, analysis="data_quality", model="1", data=str(data)))


def test_drift_compares_the_test_data_with_the_reference_if_nobody_chooses(visit, home):
    screen = visit("author", START, analysis="drift", model="1")
    assert field(screen, "Data", "selectbox").value == 1
    assert field(screen, "Compare with", "selectbox").value == 2


@pytest.mark.parametrize("one", ANALYSES, ids=lambda one: one.key)
def test_the_settings_of_every_analysis_are_a_form_that_fits_its_parameters(visit, home, one):
    fields = {found.label for found in fields_of(one.parameters)}
    screen = visit("author", START, analysis=one.key, model="1")
    kinds = ("number_input", "text_input", "text_area", "toggle", "selectbox", "multiselect")
    shown = {found.label for kind in kinds for found in getattr(screen, kind)}
    assert fields <= shown
    assert not screen.exception


@pytest.mark.parametrize("one", ANALYSES, ids=lambda one: one.key)
def test_the_form_knows_the_defaults_of_every_setting(one):
    start = {found.name: found.default for found in fields_of(one.parameters)}
    assert one.parameters.model_validate(start) == one.parameters()


def test_a_field_knows_limits_options_and_lists():
    from typing import Literal

    from pydantic import Field

    class Example(Parameters):
        share: float = Field(default=0.5, gt=0, le=1, description="A share.")
        method: Literal["fast", "exact"] = "fast"
        names: tuple[str, ...] = ()
        column: str | None = Field(default=None, json_schema_extra={"choose": "column"})

    share, method, names, column = fields_of(Example)
    assert (share.low, share.high, share.kind) == (0.0, 1.0, float)
    assert method.options == ("fast", "exact")
    assert names.is_list
    assert (column.is_optional, column.choose) == (True, "column")


def test_a_run_that_waits_is_cancelled_from_its_page(visit, home, people, now):
    run = runs.request_run(home, "performance", actor=people["author"], at=now, data_id=1)
    screen = visit("author", RUN, run=str(run.id))
    assert "Waiting for a free worker" in "".join(found.proto.text for found in screen.get("progress"))
    press(screen, "Cancel")
    assert newest(home).state is RunState.CANCELLED
    shown = visit("author", RUN, run=str(run.id))
    assert "Cancelled by Author" in texts(shown)
    assert "Try again with the same settings" in links(shown)


def test_an_auditor_cannot_cancel(visit, home, people, now):
    run = runs.request_run(home, "performance", actor=people["author"], at=now, data_id=1)
    screen = visit("auditor", RUN, run=str(run.id))
    assert not [found for found in screen.button if found.label == "Cancel"]


def test_a_failed_run_says_why_and_what_to_do(visit, home):
    with home.transaction() as t:
        asked = t.get(RunRow, 1, what="run").model_dump(exclude={"id", "result", "state", "message", "cases"})
        run = t.add(RunRow(**asked, state=RunState.FAILED, message="The process ran out of memory."))
    screen = visit("author", RUN, run=str(run.id))
    assert "ran out of memory" in screen.error[0].value
    assert "lower the number of rows" in texts(screen)


def test_a_finished_run_is_read_from_the_sentence_to_the_numbers(visit, home, result):
    screen = visit("reviewer", RUN, run="1")
    shown = texts(screen)
    assert result.summary in shown
    assert all(verdict.because in shown for verdict in result.verdicts[:3])
    assert shown.index(result.summary) < shown.index(result.verdicts[0].because)
    assert not screen.exception
    assert not screen.error


@pytest.mark.parametrize("who", ["author", "reviewer", "approver", "auditor", "administrator"])
@pytest.mark.parametrize(("path", "query"), [(RUN, {"run": "1"}), (ANALYSES_PAGE, {}), (COMPARE, {"left": "2"})])
def test_everybody_may_read_results(visit, home, who, path, query):
    screen = visit(who, path, **query)
    assert not screen.exception
    assert not screen.error


def test_the_numbers_are_searched(visit, home, result):
    screen = visit("reviewer", RUN, run="1")
    field(screen, "Find a number").input("roc auc").run()
    table = next(found.value for found in screen.dataframe if "Measurement" in found.value.columns)
    assert set(table["Measurement"]) == {"ROC AUC"}


def test_a_repeated_run_says_that_it_reproduces_the_first(visit, home):
    shown = texts(visit("reviewer", RUN, run="2"))
    assert "Run again: reproduced" in shown
    assert "Run 2" in links(visit("reviewer", RUN, run="1"))


def test_a_result_is_computed_again_from_its_page(visit, home):
    screen = visit("reviewer", RUN, run="1")
    press(screen, "Run again")
    assert newest(home).repeats_id == 1


def test_a_run_whose_file_is_gone_says_that_it_cannot_be_computed_again(visit, home, result):
    home.blobs.remove(result.inputs["data"].digest)
    screen = visit("reviewer", RUN, run="1")
    press(screen, "Run again")
    assert newest(home).id == 2
    assert "cannot be computed again. The file of 'data' is no longer kept" in texts(screen)


def test_a_repetition_that_drifted_lists_the_numbers_and_by_how_much(visit, home, result, now):
    first = next(one for one in result.measurements if one.value is not None)
    others = tuple(one for one in result.measurements if one is not first)
    moved = first.model_copy(update={"value": first.value + 0.25})
    drifted = result.model_copy(update={"measurements": (moved, *others)})
    with home.transaction() as t:
        kept = t.get(RunRow, 2, what="run").model_dump(exclude={"id", "result"})
        row = t.add(RunRow(**kept, result=files.keep(home, t, canonical_bytes(drifted), at=now)))
    screen = visit("reviewer", RUN, run=str(row.id))
    table = next(found.value for found in screen.dataframe if "Which part" in found.value.columns)
    assert table[["Which part", "Change"]].to_numpy().tolist() == [["value", 0.25]]


def test_a_result_becomes_evidence_under_an_answer(visit, home, people, now):
    review = reviews.open_review(home, 1, actor=people["author"], at=now, gate="pre-deployment", dataset_ids=[1])
    screen = visit("author", RUN, run="1")
    press(screen, "Attach")
    assert "Attached" in texts(screen)
    with home.reading() as reader:
        row = reader.first(EvidenceRow, review_id=review.id)
    assert (row.run_id, row.kind) == (1, EvidenceKind.RUN)


def test_without_an_open_review_attaching_says_what_to_do(visit, home):
    assert "no open review" in texts(visit("author", RUN, run="1"))


def test_a_reviewer_attaches_nothing(visit, home):
    assert "no open review" not in texts(visit("reviewer", RUN, run="1"))


def test_the_same_settings_are_offered_again(visit, home):
    screen = visit("author", START, **{"from": "1"})
    assert field(screen, "Analysis", "selectbox").value == "performance"
    assert field(screen, "Threshold", "number_input").value == 0.5


def test_two_runs_stand_side_by_side(visit, home):
    screen = visit("auditor", COMPARE, left="1", right="2")
    shown = texts(screen)
    assert "same bytes, settings and seed" in shown
    assert "No number differs" in shown
    assert not screen.exception


def warnings_between(visit, left, right):
    return [one.value.replace("\\", "") for one in visit("auditor", COMPARE, left=str(left), right=str(right)).warning]


def judged_otherwise(store, **changes):
    """Add the first run once more, as one that was judged by another bar."""
    with store.transaction() as t:
        kept = t.get(RunRow, 1, what="run").model_dump(exclude={"id"})
        return t.add(RunRow(**kept | changes)).id


def test_two_runs_by_the_same_bar_are_compared_without_a_warning(visit, home):
    assert warnings_between(visit, 1, 2) == []


def test_two_runs_by_different_criteria_are_said_to_be_so(visit, home, people, now):
    author = {"actor": people["author"], "at": now}
    demand = {"analysis": "performance", "metric": "recall", "at_least": 0.8, "why": "As good as by hand."}
    body = Criteria(criteria=(criteria.as_criterion(demand, among=[]),))
    criteria.write_criteria(home, 1, body, seen_revision=0, **author)
    frozen = criteria.freeze_criteria(home, 1, seen_revision=1, **author)
    other = judged_otherwise(home, criteria=frozen.digest)
    assert warnings_between(visit, 1, other) == [
        f"Judged by different criteria: Run 1 by none. Run {other} by Recall, all rows: at least 0.8, on any data. "
        "So the verdicts tell nothing of which is better."
    ]


def test_two_runs_by_different_versions_of_the_policy_are_said_to_be_so(visit, home, now):
    with home.transaction() as t:
        known = t.all(PolicyRow)[0]
        body = known.body.replace("version:", "# another\nversion:", 1)
        older = PolicyRow(digest=Digest.of(body.encode()), name=known.name, version="0", body=body, published_at=now)
        digest = t.add(older).digest
    other = judged_otherwise(home, policy=digest)
    assert warnings_between(visit, 1, other) == [
        f"Judged by different versions of the policy: Run 1 by {known.name} {known.version}, "
        f"Run {other} by {known.name} 0."
    ]


def test_one_run_alone_cannot_be_compared(visit, home):
    with home.transaction() as t:
        asked = t.get(RunRow, 1, what="run").model_dump(exclude={"id", "analysis", "cases"})
        alone = t.add(RunRow(**asked, analysis="fairness"))
    assert "Nothing to compare yet" in texts(visit("auditor", COMPARE, left=str(alone.id)))


def test_a_comparison_names_what_was_asked_differently(result):
    other = result.model_copy(update={"seed": 7, "parameters": {**result.parameters, "threshold": 0.4}})
    found = {line["What"]: (line["One"], line["The other"]) for line in asked_differences(result, other)}
    assert found == {"Seed": ("0", "7"), "Threshold": ("0.5", "0.4")}


def test_a_comparison_names_the_verdicts_that_differ(result):
    changed = result.verdicts[0].model_copy(update={"verdict": "failed"})
    other = result.model_copy(update={"verdicts": (changed, *result.verdicts[1:])})
    assert [line["The other"] for line in verdict_pairs(result, other)] == ["failed"]


def test_the_result_file_is_the_stored_one_byte_for_byte(home, result):
    with home.reading() as reader:
        digest = reader.get(RunRow, 1, what="run").result
    assert result_files.json_file(result) == home.blobs.read(digest)


def test_the_tables_to_take_away_hold_every_number_and_every_point(result):
    numbers = result_files.numbers_file(result).decode("utf-8-sig").splitlines()
    points = result_files.points_file(result).decode("utf-8-sig").splitlines()
    assert len(numbers) == 1 + len(result.measurements)
    assert len(points) == 1 + sum(len(series.x) for curve in result.curves for series in curve.series)


def test_the_report_is_one_page_without_scripts(result):
    page = result_files.report_file(result, origin="Credit default  ·  Run 1")
    assert b"<script" not in page
    assert "Credit default  ·  Run 1".encode() in page
    assert len(page) < 1_000_000


def test_the_record_of_a_run_can_be_given_to_the_command_line(result):
    assert f"analyze {result.analysis}" in command_line(result)
    assert json.loads(result_files.json_file(result))["schema"] == "modelops.result/1"


def test_metrics_and_scopes_read_as_words():
    assert results.metric_name("matthews_corrcoef") == "Matthews correlation"
    assert results.scope_name({"scenario": "missing", "feature": "income"}) == "scenario missing, feature income"


@pytest.mark.parametrize(("path", "query"), [(RUN, {"run": "999"}), (RUN, {}), (COMPARE, {"left": "x"})])
def test_an_address_that_leads_nowhere_says_so(visit, home, path, query):
    screen = visit("author", path, **query)
    assert screen.error
    assert not screen.exception


def tables_of_a_result(count):
    from modelops.domain.result import ResultTable
    from modelops.ui import results

    found = [ResultTable(name=f"t{k}", title=f"Table {k}", columns=("a",), rows=((k,),)) for k in range(count)]
    results.tables(found, key="t")


@pytest.mark.parametrize(("count", "folded"), [(3, ["Table 1", "Table 2"]), (25, ["24 more tables"])])
def test_many_tables_are_folded_into_one_list_of_their_titles(count, folded):
    screen = AppTest.from_function(tables_of_a_result, args=(count,), default_timeout=60).run()
    assert not screen.exception
    assert [part.label for part in screen.expander] == folded


def a_table_with_a_unit():
    from modelops.domain.result import ResultTable
    from modelops.ui import results

    units = {"median": "ms"}
    results.tables(
        [ResultTable(name="t", title="T", columns=("calls", "median"), rows=((3, 1.5),), units=units)], key="t"
    )


def test_a_unit_stands_in_the_heading_of_its_column():
    screen = AppTest.from_function(a_table_with_a_unit, default_timeout=60).run()
    # The browser saves the table as CSV with these headings.
    assert list(screen.dataframe[0].value.columns) == ["calls", "median (ms)"]


def numbers_of_two_runs():
    from modelops.domain.result import Measurement
    from modelops.ui.comparing import number_pairs
    from tests.reports.report_samples import sample_result

    one, other = (
        sample_result(
            measurements=(
                Measurement(metric="shap_base_value", value=value, unit=unit, scope={}, sample_size=50),
                Measurement(metric="log_loss", value=value, scope={}, sample_size=50),
            )
        )
        for value, unit in ((0.4, "score"), (-0.8, "log-odds"))
    )
    number_pairs(one, other, key="k")


def test_two_runs_with_a_metric_in_other_units_say_so_instead_of_a_change():
    screen = AppTest.from_function(numbers_of_two_runs, default_timeout=60).run()
    rows = screen.dataframe[0].value.set_index("Measurement")
    assert rows.loc["Log loss", "Change"] == pytest.approx(-1.2)
    assert rows.loc["SHAP base value", "Intervals"] == "other units"
    assert rows["Change"].isna().loc["SHAP base value"]
