"""Every review, the ones that wait for somebody first."""

import streamlit as st

from modelops.domain.people import Right
from modelops.domain.review import EDITABLE, ReviewState
from modelops.store.queries_inventory import all_reviews
from modelops.ui import frame, widgets
from modelops.ui.reviews import GATES
from modelops.ui.text import plain, utc

page = frame.open_page("Reviews", needs=Right.READ)
widgets.heading("Reviews", lead="One model version, one gate: answered by its authors, judged by independent people.")
SHOWN = {
    "Open": EDITABLE | {ReviewState.SUBMITTED},
    "Approved": {ReviewState.APPROVED},
    "Ended": set(ReviewState) - EDITABLE - {ReviewState.SUBMITTED, ReviewState.APPROVED},
    "All": set(ReviewState),
}
with page.store.reading() as reader:
    lines = all_reviews(reader)
if not lines:
    widgets.empty_place(
        "No review yet",
        "A review is opened for a version of a model. Register a model, add a version, then open its first review.",
        page="pages/models/models.py",
        action="Go to the models",
    )
    st.stop()
chosen = st.segmented_control("Show", list(SHOWN), default="Open", key="show", bind="query-params", required=True)
text = st.text_input("Find by model or version", key="find", bind="query-params", placeholder="Part of a name")
fitting = [
    line
    for line in lines
    if line.review.state in SHOWN[chosen or "All"] and text.lower() in f"{line.model} {line.version}".lower()
]
if not fitting:
    st.info("No review fits. Choose another state or clear the search.")
for line in fitting[:100]:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.page_link(
            "pages/reviews/review.py",
            label=plain(f"{line.model} {line.version}"),
            query_params={"review": str(line.review.id)},
            width="content",
        )
        widgets.status(line.review.state)
        st.caption(f"{GATES[line.review.gate]}, round {line.review.round:d}", width="content")
        st.space("stretch")
        st.caption(plain(f"opened {utc(line.review.opened_at)}"), width="content")
if len(fitting) > 100:
    st.caption(f"{len(fitting) - 100:d} more: narrow the search to see them.")
