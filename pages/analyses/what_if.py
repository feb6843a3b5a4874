"""What if: one case, what the model says of it, and what it says when the case is edited."""

import streamlit as st

from modelops.domain.people import Right
from modelops.services import cases
from modelops.store.queries_inventory import datasets_of
from modelops.store.tables import TERMINAL, DatasetRow, ModelRow, RunRow, VersionRow
from modelops.ui import frame, results, widgets
from modelops.ui.models import crumbs
from modelops.ui.runs import RUN, names_for, progress
from modelops.ui.text import plain
from modelops.ui.what_if import KEY, WHAT_IF, case_of, choose, columns_of, editor
from modelops.ui.what_if_answers import answers, charts, elsewhere

page = frame.open_page("What if", needs=Right.READ)


def show_choice() -> None:
    """Show what can be looked at: a version with a model file, a dataset, a row."""
    with page.store.reading() as reader:
        version = reader.find(VersionRow, page.number("version") or 0)
        data = reader.find(DatasetRow, page.number("data") or 0)
        models = {row.id: row.name for row in reader.all(ModelRow)}
        start = version.model_id if version else data.model_id if data else page.number("model")
    order = [start, *(number for number in models if number != start)] if start in models else list(models)
    widgets.heading(
        "What if",
        lead="One case: what the model says of it and why, what it would say if the case were different.",
        crumbs=(widgets.Crumb("Analyses", "pages/analyses/analyses.py"),),
    )
    model_id = order[0] if order else 0
    if len(models) > 1:
        model_id = st.selectbox("Model", order, format_func=lambda number: models[number or 0])
    with page.store.reading() as reader:
        versions = [one for one in reader.all(VersionRow, model_id=model_id or 0) if one.artifact]
        datasets = list(datasets_of(reader, model_id or 0))
    if not versions or not datasets:
        widgets.empty_place(
            "Nobody to ask yet",
            "A version with a model file and a dataset are needed: only a model can be asked what it would say.",
            page="pages/models/models.py",
            action="Go to the models",
        )
        return
    if Right.RUN not in page.actor.rights:
        st.info("Asking a model is for authors and reviewers. Open a finished case from the analyses.")
        return
    choose(page, versions, datasets)


def show_case(run_id: int) -> None:
    """Show one case that was asked about, or how far the asking is."""
    with page.store.reading() as reader:
        run = reader.get(RunRow, run_id, what="analysis run")
        model = reader.get(ModelRow, run.model_id, what="model")
        names = names_for(reader, [run])
    widgets.breadcrumbs(
        (
            widgets.Crumb("Analyses", "pages/analyses/analyses.py"),
            crumbs(model)[1],
            widgets.Crumb("Another case", WHAT_IF, case_of(run)),
        )
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("What if", anchor=False, width="content")
        st.page_link(RUN, label=f"Run {run_id:d}", query_params={"run": str(run_id)}, width="content")
    st.caption(plain(names.subject(run, with_model=True)))
    frame.show_kept(KEY)
    if run.state not in TERMINAL:
        progress(page, run_id)
        return
    if run.result is None:
        st.error(plain(run.message or "The model was not asked."), icon=":material/error:")
        return
    result = results.stored(run.result, page.store)
    columns = columns_of(cases.case_values(page.store, run.cases)) if run.cases else []
    st.markdown("#### " + plain(result.summary))
    answers(result)
    left, right = st.columns([2, 3], gap="large")
    with left:
        if columns and Right.RUN in page.actor.rights:
            editor(page, run, result, columns)
        elif not columns:
            st.info("The values of this case were not kept. Ask again to edit it here.")
        elsewhere(page, run, result, columns)
    with right:
        charts(result, key=f"what if {run_id}")
    for note in result.notes:
        st.caption(plain(note))


asked = page.number("run")
if asked is None:
    show_choice()
else:
    show_case(asked)
