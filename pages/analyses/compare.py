"""Two runs of the same analysis side by side."""

import streamlit as st

from modelops.domain.people import Right
from modelops.store.queries_runs import runs_of
from modelops.store.tables import RunRow
from modelops.ui import frame, results, widgets
from modelops.ui.bars import show_different_bars
from modelops.ui.comparing import asked_differences, chart_pairs, number_pairs, verdict_pairs
from modelops.ui.runs import RUN, TITLES, names_for, outcome
from modelops.ui.text import ago, plain
from modelops.ui.widgets import Crumb

page = frame.open_page("Compare two runs", needs=Right.READ)
widgets.breadcrumbs((Crumb("Analyses", "pages/analyses/analyses.py"),))
st.title("Compare two runs", anchor=False)
with page.store.reading() as reader:
    asked = page.number("left")
    first = reader.get(RunRow, asked, what="analysis run") if asked else None
    finished = [run for run in runs_of(reader, model_id=first.model_id if first else None, limit=500) if run.result]
    keys = [key for key in TITLES if sum(run.analysis == key for run in finished) > 1]
    names = names_for(reader, finished)


def label(number: int) -> str:
    """Return what a run is called in a list."""
    run = runs[number]
    return f"Run {number}: {names.subject(run, with_model=first is None)}, {ago(run.requested_at, page.at)}"


if not keys or (first and first.analysis not in keys):
    widgets.empty_place(
        "Nothing to compare yet",
        "Two finished runs of the same analysis are needed: of two versions, of two months, or with two settings.",
        page="pages/analyses/analyses.py",
        action="Go to the analyses",
    )
    st.stop()
key = first.analysis if first else st.selectbox("Analysis", keys, format_func=lambda each: TITLES[each])
runs = {run.id or 0: run for run in finished if run.analysis == key}
numbers = list(runs)
one, two = st.columns(2)
before = numbers.index(asked) if asked in runs else min(1, len(numbers) - 1)
left_id = one.selectbox("One", numbers, index=before, format_func=label, key=f"left of {key}")
other = page.number("right")
rest = [number for number in numbers if number != left_id]
right_id = two.selectbox(
    "The other", rest, index=rest.index(other) if other in rest else 0, format_func=label, key=f"right of {key}"
)
left, right = (results.stored(runs[number].result, page.store) for number in (left_id, right_id))  # type: ignore[arg-type]

for column, number, result in ((one, left_id, left), (two, right_id, right)):
    with column, st.container(border=True, height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.page_link(RUN, label=f"**Run {number:d}**", query_params={"run": str(number)}, width="content")
            outcome(runs[number])
        st.markdown(plain(result.summary))
show_different_bars(runs[left_id], runs[right_id], (f"Run {left_id}", f"Run {right_id}"), page.store)
differences = asked_differences(left, right)
st.subheader("What was asked differently", anchor=False)
if differences:
    st.dataframe(differences, hide_index=True, width="stretch")
else:
    st.caption("Nothing: same bytes, settings and seed.")
verdicts = verdict_pairs(left, right)
if verdicts:
    st.subheader("Verdicts that differ", anchor=False)
    st.dataframe(verdicts, hide_index=True, width="stretch")
st.subheader("Numbers", anchor=False)
number_pairs(left, right, key=f"{left_id} {right_id}")
chart_pairs(left, right, key=f"{left_id} {right_id}")
