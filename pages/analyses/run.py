"""One analysis run: how far it is, or what came out and how to use it."""

from functools import partial

import streamlit as st

from modelops.analyses.data_contract import DATA_CONTRACT
from modelops.analyses.drift import DRIFT
from modelops.analyses.explainability import EXPLAINABILITY
from modelops.analyses.misclassified import MISCLASSIFIED
from modelops.analyses.performance.threshold_counts import TABLE
from modelops.analyses.registry import analysis
from modelops.domain.judging import not_run
from modelops.domain.people import Right
from modelops.reports.result import method_of
from modelops.services import catalogue, runs
from modelops.store.queries_criteria import bar
from modelops.store.queries_history import runs_repeating
from modelops.store.queries_review import names as people_named
from modelops.store.tables import TERMINAL, ModelRow, RunRow, RunState
from modelops.ui import frame, result_files, results, widgets
from modelops.ui.attaching import attach
from modelops.ui.cases import CASES
from modelops.ui.comparing import drifted_numbers
from modelops.ui.criteria import moved_bar
from modelops.ui.decisions import WORKBENCH, drift_thresholds
from modelops.ui.guessed import show_guessed_of
from modelops.ui.learned_rows import show_learned_rows
from modelops.ui.models import CONTRACT, crumbs
from modelops.ui.run_record import inputs, method
from modelops.ui.runs import COMPARE, RUN, START, TITLES, names_for, outcome, progress
from modelops.ui.text import plain, utc
from modelops.ui.what_if import KEY as WHAT_IF_KEY
from modelops.ui.what_if import WHAT_IF, case_of

FILES = (
    ("Result file (JSON)", result_files.json_file, "json", "application/json"),
    ("Numbers (CSV)", result_files.numbers_file, "csv", "text/csv"),
    ("Points of the charts (CSV)", result_files.points_file, "points.csv", "text/csv"),
)

page = frame.open_page("Analysis run", needs=Right.READ)
with page.store.reading() as reader:
    run = reader.get(RunRow, page.wanted("run", what="analysis run"), what="analysis run")
    run_id = run.id
    model = reader.get(ModelRow, run.model_id, what="model")
    names = names_for(reader, [run])
    asker = people_named(reader, [run.requested_by]).get(run.requested_by, "ModelOps")
    repeats = runs_repeating(reader, run_id)
    repeated = reader.find(RunRow, run.repeats_id) if run.repeats_id else None
    moved = bar(reader, run).moved(run)
    policy = catalogue.policy(reader, run.policy)
may_run = Right.RUN in page.actor.rights


def show_heading() -> None:
    """Show what ran on what, and where it stands."""
    widgets.breadcrumbs((widgets.Crumb("Analyses", "pages/analyses/analyses.py"), crumbs(model)[1]))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(plain(TITLES.get(run.analysis, run.analysis)), anchor=False, width="content")
        if run.state in TERMINAL:
            outcome(run)
    st.caption(plain(origin()))


def origin() -> str:
    """Return what ran on what, and for whom."""
    compared = names.datasets.get(run.reference_id or 0)
    parts = [
        f"Run {run_id}",
        f"version {names.versions[run.version_id]}" if run.version_id else "",
        f"data {names.datasets[run.data_id]}",
        f"compared with {compared}" if compared else "",
        f"asked for by {asker}, {utc(run.requested_at)}",
    ]
    return "  ·  ".join(part for part in parts if part)


def show_end() -> None:
    """Say why there is no result, and what to do."""
    if run.state is RunState.CANCELLED:
        st.info(plain(f"{run.message or 'Cancelled'}. Nothing was kept of it."), icon=":material/stop_circle:")
    else:
        st.error(plain(run.message or "It failed without a reason."), icon=":material/error:")
        results.no_result(not_run(policy, run.analysis, reason=run.message or None))
        st.caption(
            "Put right what the message says: the columns of the dataset, the data that is compared with, or the "
            "settings. If it ran out of time or memory, lower the number of rows in the settings."
        )
    with st.container(horizontal=True):
        if may_run:
            st.page_link(
                START,
                label="Try again with the same settings",
                icon=":material/replay:",
                query_params={"from": str(run_id)}
                | ({"review": str(run.review_id), "question": run.question_id or ""} if run.review_id else {}),
                width="content",
            )
        st.page_link(
            "pages/models/dataset.py",
            label="See the columns of the dataset",
            icon=":material/table:",
            query_params={"dataset": str(run.data_id)},
            width="content",
        )


def show_repetition() -> None:
    """Say whether this run reproduces an earlier one, or was reproduced by later ones."""
    if run.repeats_id:
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(plain(run.message or "This run computes an earlier one again."), width="stretch")
            query = {"left": str(run.repeats_id), "right": str(run_id)}
            st.page_link(COMPARE, label=f"Compare with run {run.repeats_id:d}", query_params=query, width="content")
        if repeated is not None and repeated.result is not None:
            drifted_numbers(results.stored(repeated.result, page.store), result)
    for again in repeats:
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            st.page_link(RUN, label=f"Run {again.id:d}", query_params={"run": str(again.id)}, width="content")
            outcome(again)
            st.caption(plain(again.message or "computes this run again"), width="stretch")


def show_actions() -> None:
    """Offer what can be done with the result."""
    frame.show_kept("run again")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        attach(page, run)
        if may_run:
            st.button("Run again", icon=":material/replay:", on_click=run_again, help="Same bytes, settings and seed.")
            st.page_link(
                START,
                label="With other settings",
                icon=":material/tune:",
                query_params={"from": str(run_id)},
                width="content",
            )
        if result.analysis == MISCLASSIFIED.key:
            st.page_link(
                CASES,
                label="Read the cases",
                icon=":material/rule:",
                query_params={"run": str(run_id)},
                width="content",
            )
        if run.version_id and result.analysis in {WHAT_IF_KEY, EXPLAINABILITY.key}:
            of_case = {"run": str(run_id)} if result.analysis == WHAT_IF_KEY else case_of(run)
            st.page_link(WHAT_IF, label="What if", icon=":material/alt_route:", query_params=of_case, width="content")
        if result.analysis == DATA_CONTRACT.key:
            of_model = {"model": str(run.model_id)}
            st.page_link(
                CONTRACT,
                label="To the data contract",
                icon=":material/contract:",
                query_params=of_model,
                width="content",
            )
        if any(table.name == TABLE for table in result.tables):
            query = {"run": str(run_id)}
            st.page_link(
                WORKBENCH, label="Threshold workbench", icon=":material/tune:", query_params=query, width="content"
            )
        st.page_link(
            COMPARE, label="Compare", icon=":material/compare:", query_params={"left": str(run_id)}, width="content"
        )
        with st.popover("Download", icon=":material/download:"):
            report = partial(result_files.report_file, origin=f"{model.name}  ·  {origin()}")
            for label, make, ending, kind in (("Report (HTML)", report, "html", "text/html"), *FILES):
                st.download_button(
                    label,
                    partial(make, result),
                    file_name=f"{run.analysis}-run-{run_id}.{ending}",
                    mime=kind,
                    on_click="ignore",
                    type="tertiary",
                    icon=":material/download:",
                )


def run_again() -> None:
    """Compute the result once more."""
    with frame.refusals_kept("run again"):
        again = runs.run_again(page.store, run_id, actor=page.actor, at=page.at)
        st.query_params["run"] = str(again.id)


show_heading()
if run.state not in TERMINAL:
    progress(page, run_id)
    st.stop()
if run.result is None:
    show_end()
    st.stop()
result = results.stored(run.result, page.store)
about = method_of(result.analysis)
st.markdown("#### " + plain(result.summary))
show_repetition()
if moved:
    moved_bar(moved)
show_learned_rows(page, analysis(run.analysis), data_id=run.data_id, reference_id=run.reference_id)
show_guessed_of(page, run)
results.verdicts(result)
show_actions()
if result.analysis == DRIFT.key:
    drift_thresholds(page, run, result)
for note in result.notes[:3]:
    st.caption(plain(note))
if len(result.notes) > 3:
    more = len(result.notes) - 3
    with st.expander(f"{more:d} more remarks" if more > 1 else "1 more remark"):
        for note in result.notes[3:]:
            st.caption(plain(note))
if result.curves:
    st.subheader("Charts", anchor=False)
    results.charts(result.curves, key=f"chart {run_id}")
if result.tables:
    st.subheader("Tables", anchor=False)
    results.tables(result.tables, key=f"table {run_id}")
st.subheader("Numbers", anchor=False)
results.measurements(result.measurements, key=f"numbers {run_id}")
method(result, about)
inputs(result, run, names)
