"""What can be analysed, and what was run lately."""

import streamlit as st

from modelops.analyses.base import Analysis
from modelops.analyses.needs import NEEDS
from modelops.analyses.registry import FAMILIES
from modelops.domain.people import Right
from modelops.services import catalogue
from modelops.store.queries_runs import runs_of
from modelops.store.tables import ModelRow, RunState
from modelops.ui import frame, widgets
from modelops.ui.runs import COMPARE, START, names_for, run_line
from modelops.ui.text import plain

MOST = 60
RUNS, CATALOGUE = "Latest runs", "What can be analysed"
STATES = {
    "All": frozenset(RunState),
    "At work": frozenset({RunState.QUEUED, RunState.RUNNING}),
    "Finished": frozenset({RunState.FINISHED}),
    "Failed or cancelled": frozenset({RunState.FAILED, RunState.CANCELLED}),
}

page = frame.open_page("Analyses", needs=Right.READ)
widgets.heading(
    "Analyses",
    lead="Each answers one question about a model and its data. Its result becomes evidence under an answer.",
)
may_run = Right.RUN in page.actor.rights
with page.store.reading() as reader:
    template = catalogue.template(reader, catalogue.latest(reader)[0].digest)
    models = {model.id or 0: model.name for model in reader.all(ModelRow)}
    questions = {question.id: question.text for area in template.areas for question in area.questions}


def entry(one: Analysis) -> None:
    """Show one analysis of the catalogue: what it asks, what it needs, what it is evidence for."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if may_run and models:
            query = {"analysis": one.key}
            st.page_link(
                START,
                label=f"**{plain(one.title)}**",
                icon=":material/play_arrow:",
                query_params=query,
                width="content",
            )
        else:
            st.markdown(f"**{plain(one.title)}**", width="content")
        st.space("stretch")
        with st.popover("About", type="tertiary"):
            wanted = [words.name for need, words in NEEDS.items() if need in one.needs]
            st.markdown(plain(f"Needs {', '.join(wanted)}." if wanted else "Needs nothing beside the table."))
            for text in (questions[number] for number in one.serves if number in questions):
                st.markdown(f"- {plain(text)}")
            st.caption(plain(f"Method: {one.source}."))
    st.caption(plain(one.question))


def whole_catalogue() -> None:
    """Show every analysis, by what one wants to know."""
    titles = list(FAMILIES)
    for place in range(0, len(titles), 2):
        # One row at a time: boxes beside each other have the same height.
        for column, title in zip(st.columns(2), titles[place : place + 2], strict=False):
            with column.container(border=True, height="stretch", gap="small"):
                st.markdown(f"##### {plain(title)}")
                for one in FAMILIES[title]:
                    with st.container(gap=None):
                        entry(one)


def latest_runs() -> None:
    """Show what was run lately, by model and state."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = page.number("model")
        model_id = st.selectbox(
            "Model",
            list(models),
            index=list(models).index(asked) if asked in models else None,
            format_func=lambda number: models[number],
            placeholder="every model",
        )
        state = st.segmented_control(
            "State", list(STATES), default="All", key="state", bind="query-params", required=True
        )
    with page.store.reading() as reader:
        rows = [row for row in runs_of(reader, model_id=model_id, limit=500) if row.state in STATES[state or "All"]]
        names = names_for(reader, rows[:MOST])
    if not rows:
        st.caption("No run fits. Choose another filter, or start an analysis.")
    elif len({row.analysis for row in rows if row.result}) < sum(row.result is not None for row in rows):
        st.page_link(COMPARE, label="Compare two runs", icon=":material/compare:")
    for row in rows[:MOST]:
        run_line(row, names, at=page.at)
    if len(rows) > MOST:
        st.caption(f"{len(rows) - MOST:d} more: choose a model to see them.")


if not models:
    st.info("An analysis runs on the data of a model. Register a model and add a dataset first.")
    st.page_link("pages/models/models.py", label="Go to the models", icon=":material/arrow_forward:")
    whole_catalogue()
    st.stop()
with page.store.reading() as reader:
    has_runs = bool(runs_of(reader, limit=1))
SHOW = {RUNS: latest_runs, CATALOGUE: whole_catalogue}
tab = st.segmented_control(
    "Show",
    list(SHOW),
    default=RUNS if has_runs else CATALOGUE,
    key="tab",
    bind="query-params",
    required=True,
    label_visibility="collapsed",
)
SHOW[tab or RUNS]()
