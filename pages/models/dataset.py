"""One dataset: what its columns are for, what they hold, its first rows."""

import streamlit as st

from modelops.domain.columns import TableSummary
from modelops.domain.people import Right
from modelops.domain.review import EDITABLE, ReviewState
from modelops.store.queries_history import runs_on
from modelops.store.queries_inventory import CONFIRMED, reviews_using, settling_entries
from modelops.store.queries_review import names as people_named
from modelops.store.tables import BlobRow, DatasetRow, ModelRow, VersionRow
from modelops.ui import frame, widgets
from modelops.ui.archiving import offer_to_archive, show_archived
from modelops.ui.column_editor import editor
from modelops.ui.models import DATASET_ROLES, crumbs, fact
from modelops.ui.reviews import GATES
from modelops.ui.runs import START, names_for, run_line
from modelops.ui.text import plain, size, utc
from modelops.ui.widgets import Tone

MOST_RUNS = 10
FORMATS = {"csv": "CSV", "parquet": "Parquet", "xlsx": "XLSX", "jsonl": "JSON lines"}

page = frame.open_page("Dataset", needs=Right.READ)
with page.store.reading() as reader:
    row = reader.get(DatasetRow, page.wanted("dataset", what="dataset"), what="dataset")
    model = reader.get(ModelRow, row.model_id, what="model")
    maker = people_named(reader, [row.created_by]).get(row.created_by, "ModelOps")
    settled = settling_entries(reader, [row.id])
    using = reviews_using(reader, row.id)
    runs = runs_on(reader, row.id, limit=MOST_RUNS)
    names = names_for(reader, runs)
    blob = reader.find(BlobRow, row.digest)
    versions = reader.all(VersionRow, model_id=model.id)
summary = TableSummary.model_validate(row.summary)


def show_columns() -> None:
    """Say what the columns are for, and let it be corrected."""
    if settled:
        last = settled[0]
        done = "Guessed, and confirmed" if last.action == CONFIRMED else "Last corrected"
        st.caption(plain(f"{done} by {last.actor_name}, {utc(last.at)}."))
    else:
        st.info(
            "These uses were guessed from names and values. Look at target, prediction, score and the sensitive "
            "columns before you run anything, then correct them, or say below that they are right."
            if Right.REGISTER in page.actor.rights
            else "These uses were guessed from names and values. Nobody has confirmed them yet.",
            icon=":material/auto_awesome:",
        )
    if any(review.state is ReviewState.SUBMITTED for review in using):
        st.warning("A submitted review rests on this dataset: its columns stand still until it is decided.")
    needs_reason = any(review.state not in EDITABLE for review in using)
    editor(page, row, needs_reason=needs_reason, is_guessed=not settled, versions=versions)


def show_statistics() -> None:
    """Show what each column holds."""
    st.caption("Mean and deviation leave missing values out.")
    st.dataframe(
        [
            {
                "Column": column.name,
                "Kind": column.kind,
                "Missing": column.missing,
                "Distinct": column.distinct,
                "Smallest": column.minimum if isinstance(column.minimum, float) else None,
                "Mean": column.mean,
                "Largest": column.maximum if isinstance(column.maximum, float) else None,
                "Deviation": column.standard_deviation,
                "Spread": list(column.histogram) or None,
                "Most frequent, or first and last": (
                    ", ".join(f"{label} ({count:,})" for label, count in column.top)
                    if column.top
                    else " to ".join(str(end) for end in (column.minimum, column.maximum) if isinstance(end, str))
                ),
            }
            for column in summary.columns
        ],
        hide_index=True,
        width="stretch",
        height="content" if len(summary.columns) <= 18 else 640,
        column_config={
            "Column": st.column_config.TextColumn(pinned=True),
            "Missing": st.column_config.NumberColumn(format="localized"),
            "Distinct": st.column_config.NumberColumn(format="localized"),
            "Spread": st.column_config.BarChartColumn(width="small"),
        },
        placeholder="",
    )


def show_rows() -> None:
    """Show the first rows as they were read."""
    names = [column.name for column in summary.columns]
    st.caption(f"The first {len(summary.preview):d} of {row.rows:,} rows, as they were read. Long texts are cut.")
    st.dataframe(
        {name: [line[place] for line in summary.preview] for place, name in enumerate(names)},
        hide_index=True,
        width="stretch",
        placeholder="missing",
    )


def show_file() -> None:
    """Show the file and where it comes from."""
    one, two = st.columns(2)
    n_bytes = size(blob.size) if blob else "size unknown"
    with one:
        fact("File", ", ".join((row.file_name, FORMATS.get(summary.format, summary.format), n_bytes)))
        fact("Added", f"{utc(row.created_at)} by {maker}")
    with two:
        fact("Role", f"{row.role.capitalize()}. {DATASET_ROLES[row.role]}")
        st.caption("Reviews that rest on it")
        for review in using:
            st.page_link(
                "pages/reviews/review.py",
                label=plain(f"{GATES[review.gate]}, round {review.round} ({review.state})"),
                query_params={"review": str(review.id)},
            )
        if not using:
            st.text("none")
    st.caption("The digest names exactly these bytes.")
    widgets.digest(row.digest, whole=True)
    if row.archived_at is None and Right.REGISTER in page.actor.rights:
        offer_to_archive(page, row)


def show_runs() -> None:
    """List the analyses that looked at it."""
    if not runs:
        st.caption("No analysis has looked at it yet.")
    for run in runs:
        run_line(run, names, at=page.at, with_model=False)


SHOW = {
    "Columns": show_columns,
    "Statistics": show_statistics,
    "First rows": show_rows,
    "Analyses": show_runs,
    "File": show_file,
}
widgets.breadcrumbs(crumbs(model))
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    st.title(plain(row.name), anchor=False, width="content")
    widgets.badge(row.role, Tone.QUIET, note=DATASET_ROLES[row.role])
    if row.archived_at is not None:
        widgets.tag("archived")
    st.caption(f"{row.rows:,} rows, {len(summary.columns):d} columns", width="content")
    st.space("stretch")
    if Right.RUN in page.actor.rights and row.archived_at is None:
        st.page_link(
            START,
            label="Run an analysis",
            icon=":material/play_arrow:",
            query_params={"model": str(model.id), "data": str(row.id)},
            width="content",
        )
if row.archived_at is not None:
    show_archived(page, row)
for note in summary.notes:
    st.caption(plain(note))
tab = st.segmented_control(
    "Part",
    list(SHOW),
    default="Columns",
    key="part",
    bind="query-params",
    required=True,
    label_visibility="collapsed",
)
SHOW[tab or "Columns"]()
