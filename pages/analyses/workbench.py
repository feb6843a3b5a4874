"""The threshold workbench: costs, capacity and groups on one screen; the threshold is saved with its reason."""

import streamlit as st

from modelops.analyses.performance.threshold_counts import ThresholdCounts
from modelops.analyses.registry import analysis
from modelops.domain.metric_words import metric_name
from modelops.domain.number_words import percent
from modelops.domain.people import Right
from modelops.errors import NotFound
from modelops.services import decisions
from modelops.services.decisions import RATES
from modelops.store.queries_decisions import decisions_of_run, decisions_of_version
from modelops.store.queries_review import names as people_named
from modelops.store.tables import ModelRow, RunRow
from modelops.ui import frame, results, widgets
from modelops.ui.decisions import decision_box
from modelops.ui.models import crumbs
from modelops.ui.runs import RUN, names_for
from modelops.ui.text import plain
from modelops.ui.workbench import (
    as_matrix,
    capacity_words,
    cost_curve,
    group_curve,
    group_table,
    overall_figures,
    stakes,
    start,
    threshold_options,
)

page = frame.open_page("Threshold workbench", needs=Right.READ)
with page.store.reading() as reader:
    run = reader.get(RunRow, page.wanted("run", what="analysis run"), what="analysis run")
    run_id = run.id
    model = reader.get(ModelRow, run.model_id, what="model")
    names = names_for(reader, [run])
    made = decisions_of_run(reader, run_id)
    saved = decisions_of_version(reader, model.id, run.version_id) if run.version_id else made
    people = people_named(reader, [one.row.decided_by for one in made])
widgets.breadcrumbs(
    (
        widgets.Crumb("Analyses", "pages/analyses/analyses.py"),
        crumbs(model)[1],
        widgets.Crumb(f"{analysis(run.analysis).title}, run {run_id}", RUN, {"run": str(run_id)}),
    )
)
st.title("Threshold workbench", anchor=False)
if run.result is None:
    raise NotFound(f"Run {run_id} is {run.state}: the workbench works on a finished run of performance.")
result = results.stored(run.result, page.store)
counts = ThresholdCounts.read(result)
options = threshold_options(counts)


def choose_cheapest() -> None:
    """Move the threshold to where the cost is lowest within the capacity."""
    best = counts.cheapest(as_matrix(costs), capacity=capacity)
    if best is not None:
        st.session_state["threshold"] = options[best]


st.caption(
    plain(
        f"From which score on does a row count as {result.positive or 'positive'}? "
        f"{names.subject(run, with_model=True)}: everything here is computed from the counts in the result."
    )
)
beginning = start(result, counts, saved)
costs, capacity = stakes(beginning.given, key=f"stakes {run_id}")
matrix = as_matrix(costs)
best = counts.cheapest(matrix, capacity=capacity)
if "threshold" not in st.session_state:
    st.session_state["threshold"] = options[beginning.place]
st.caption(plain(beginning.words))
slider, button = st.columns([5, 2], gap="medium", vertical_alignment="bottom")
threshold = slider.select_slider("Threshold", options, key="threshold", format_func=lambda each: f"{each:g}")
place = counts.nearest(threshold)
limited = capacity_words(counts, matrix, capacity)
proposal = (
    "None keeps the capacity" if best is None else f"Cheapest{' within capacity' * bool(limited)}: {options[best]:g}"
)
button.button(
    plain(proposal),
    key="cheapest",
    icon=":material/savings:",
    on_click=choose_cheapest,
    disabled=best is None,
    width="stretch",
    help="The threshold with the lowest cost among those that the capacity allows.",
)
if limited:
    st.info(plain(limited), icon=":material/groups:")
selected = counts.rate(RATES[0], place)[0] or 0.0
if capacity is not None and selected > capacity:
    text = f"This threshold selects {percent(selected)} of the rows, more than the capacity of {percent(capacity)}."
    st.warning(plain(text))
overall_figures(counts, matrix, place)
left, right = st.columns(2, gap="medium")
with left:
    results.chart(cost_curve(counts, matrix, place, capacity=capacity), key=f"cost {run_id}")
with right:
    if len(counts.groups) > 1:
        rate = st.selectbox(
            "By group", RATES, format_func=lambda each: metric_name(each.metric), key="rate", filter_mode=None
        )
        results.chart(group_curve(counts, rate, place), key=f"groups {run_id}")
    else:
        st.caption("The data has no sensitive column: what the threshold does to groups is not known.")
if len(counts.groups) > 1:
    group_table(counts, matrix, place)

st.subheader("The decision", anchor=False)
for one in made:
    decision_box(page, one, people)
if Right.ANSWER in page.actor.rights:
    with st.form(f"decide {run_id} {len(made)}"):
        reason = st.text_area(
            f"Why {threshold:g}?",
            max_chars=5000,
            height=90,
            placeholder="What it costs whom, who agreed, and what was given up for it.",
        )
        st.caption("Saved with the costs, the capacity, every rate above, your name and the time. It is never changed.")
        submitted = st.form_submit_button("Save the decision", type="primary", icon=":material/gavel:")
    if submitted:
        with frame.refusals_shown():
            decisions.choose_threshold(
                page.store,
                run_id,
                actor=page.actor,
                at=page.at,
                threshold=float(counts.thresholds[place]),
                costs=costs,
                capacity=capacity,
                reason=reason,
            )
            st.rerun()
