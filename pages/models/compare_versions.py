"""Two versions of one model side by side: what differs in their files, and what the same analyses found of both."""

import streamlit as st

from modelops.domain.people import Right
from modelops.store.queries_runs import runs_of
from modelops.store.tables import ModelRow, VersionRow
from modelops.ui import frame, widgets
from modelops.ui.models import VERSION, crumbs
from modelops.ui.runs import START, names_for
from modelops.ui.text import ago, plain
from modelops.ui.version_pairs import different_facts, pairs, show_pair, unmatched

page = frame.open_page("Compare two versions", needs=Right.READ)
with page.store.reading() as reader:
    first = reader.get(VersionRow, page.wanted("left", what="model version"), what="model version")
    model = reader.get(ModelRow, first.model_id, what="model")
    versions = {version.id: version for version in reader.all(VersionRow, model_id=model.id)}
    finished = [run for run in runs_of(reader, model_id=model.id, limit=1000) if run.result]
    names = names_for(reader, finished)


def label(number: int) -> str:
    """Return what a version is called in a list."""
    return f"{versions[number].label}, {ago(versions[number].created_at, page.at)}"


widgets.breadcrumbs(crumbs(model))
st.title("Compare two versions", anchor=False)
if len(versions) < 2:
    widgets.empty_place(
        "Nothing to compare yet",
        "This model has a single version. Add another one, then run the same analyses on both.",
        page="pages/models/models.py",
        action="Go to the models",
    )
    st.stop()
numbers = list(versions)
asked = page.number("right")
left_column, right_column = st.columns(2)
left_id = left_column.selectbox("One", numbers, index=numbers.index(first.id), format_func=label, key="one")
rest = [number for number in numbers if number != left_id]
right_id = right_column.selectbox(
    "The other", rest, index=rest.index(asked) if asked in rest else len(rest) - 1, format_func=label, key="the other"
)
one, other = versions[left_id], versions[right_id]
for column, version in ((left_column, one), (right_column, other)):
    with column:
        st.page_link(VERSION, label=plain(version.label), query_params={"version": str(version.id)})
        st.caption(plain(version.artifact_name or "predictions only"))

st.subheader("What differs", anchor=False)
differences = different_facts(one, other)
if differences:
    st.dataframe(differences, hide_index=True, width="stretch", height="content" if len(differences) <= 15 else 560)
else:
    st.caption("Nothing: the same file, with the same dependency lock.")

st.subheader("What the analyses found", anchor=False)
mine, others = ([run for run in finished if run.version_id == number] for number in (left_id, right_id))
found = list(pairs(mine, others))
for pair in found:
    show_pair(pair, names, (one.label, other.label), page.store)
if not found:
    st.info("No analysis was finished for both on the same dataset. Run the same one on both versions.")
    if Right.RUN in page.actor.rights:
        st.page_link(
            START, label="Run an analysis", icon=":material/play_arrow:", query_params={"model": str(model.id)}
        )
for version, titles in zip((one, other), unmatched(mine, others, found), strict=True):
    if titles:
        st.caption(plain(f"For {version.label} alone, or on other data: {', '.join(titles)}."))
