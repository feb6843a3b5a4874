"""Reading the cases that a model got wrong: a verdict and a note on each, by two people, and what comes of it."""

import streamlit as st

from modelops.domain.people import Right
from modelops.errors import NotFound
from modelops.services import cases
from modelops.store.tables import ModelRow, RunRow
from modelops.ui import frame, results, widgets
from modelops.ui.case_findings import Shown
from modelops.ui.cases import board
from modelops.ui.models import crumbs
from modelops.ui.runs import RUN, names_for
from modelops.ui.text import plain

page = frame.open_page("Read the cases", needs=Right.READ)
with page.store.reading() as reader:
    run = reader.get(RunRow, page.wanted("run", what="analysis run"), what="analysis run")
    model = reader.get(ModelRow, run.model_id, what="model")
    names = names_for(reader, [run])
if run.result is None:
    raise NotFound(f"Run {run.id} is {run.state}: cases are read from a finished run.")
result = results.stored(run.result, page.store)
shown = Shown(page, run, result, cases.case_values(page.store, run.cases) if run.cases else None)

widgets.breadcrumbs(
    (
        widgets.Crumb("Analyses", "pages/analyses/analyses.py"),
        crumbs(model)[1],
        widgets.Crumb(f"Misclassified cases, run {run.id}", RUN, {"run": str(run.id)}),
    )
)
st.title("Read the cases", anchor=False)
st.caption(
    plain(
        f"{names.subject(run, with_model=True)}: who was wrong in each of these, the model, the label, the data, or "
        "nobody? Two people read a case; neither sees the other's verdict before giving one."
    )
)
if cases.queue_of(result).rows:
    board(shown)
else:
    st.info("The queue is empty: no prediction is wrong.")
