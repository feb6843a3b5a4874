"""The audit trail: read, filter, export and verify."""

from datetime import UTC, datetime, time, timedelta

import streamlit as st

from modelops.domain.audit import read_entry
from modelops.domain.people import Right
from modelops.errors import VerificationFailed
from modelops.services import trail
from modelops.services.keyring import open_keys
from modelops.store.queries_audit import AuditFilter, actions, last_checkpoint, length
from modelops.store.queries_audit import page as entries
from modelops.ui import frame, widgets
from modelops.ui.text import plain, utc

SHOWN = 100
page = frame.open_page("Audit trail", needs=Right.READ_AUDIT)
widgets.heading(
    "Audit trail", lead="Who did what, when, with the old and the new value. Entries are chained and never changed."
)
with page.store.reading() as reader:
    known = list(actions(reader))
    size = length(reader)
    checkpoint = last_checkpoint(reader)

with st.container(border=True):
    facts, act = st.columns([3, 2], vertical_alignment="center")
    with facts:
        held = f"last signed checkpoint {utc(checkpoint.at)}" if checkpoint else "no signed checkpoint yet"
        st.markdown(plain(f"{size:,} entries, {held}"))
    with act, st.container(horizontal=True):
        verify = st.button("Verify all", icon=":material/verified:")
        keys = open_keys(page.settings.keys, page.store, at=page.at)
        if st.button(
            "Sign a checkpoint", icon=":material/anchor:", help="A file to keep where this app cannot reach it."
        ):
            with frame.refusals_shown():
                st.session_state["anchor"] = trail.anchor(page.store, keys, actor=page.actor, at=page.at)
    if verify:
        with frame.refusals_shown():
            try:
                report = trail.verify_trail(page.store, keys)
            except VerificationFailed as error:
                st.error(plain(error), icon=":material/report:")
            else:
                st.success(
                    f"All {report.entries:d} entries are unbroken, and fit {report.checkpoints:d} signed checkpoints.",
                    icon=":material/check_circle:",
                )
    if "anchor" in st.session_state:
        st.download_button(
            "Save the checkpoint", st.session_state["anchor"], file_name="checkpoint.txt", on_click="ignore"
        )

with st.container(horizontal=True):
    text = st.text_input("Contains", key="text", bind="query-params", placeholder="Any text")
    action = st.selectbox("Act", ["", *known], key="action", format_func=lambda name: name or "All")
    about = st.text_input("About", key="about", bind="query-params", placeholder="review/3")
    days = st.selectbox(
        "Time",
        [1, 7, 30, 0],
        index=3,
        format_func={1: "Today", 7: "7 days", 30: "30 days", 0: "All"}.__getitem__,
        key="days",
    )
since = datetime.combine(page.at.date() - timedelta(days=days - 1), time(), UTC) if days else None
wanted = AuditFilter(text=text, action=action or "", subject=about.strip(), since=since)
with page.store.reading() as reader:
    rows = list(entries(reader, wanted, limit=SHOWN))
if not rows:
    widgets.empty_place("Nothing fits", "No entry has all of this. Clear a filter.")
    st.stop()


def shown(values: object) -> str:
    """Return what an entry says of old or new values, in one line."""
    if not isinstance(values, dict):
        return "" if values is None else str(values)
    return ", ".join(f"{name}: {'nothing' if value is None else value}" for name, value in values.items())


lines = []
for row in rows:
    entry = read_entry(row.body.encode())
    lines.append(
        {
            "No.": row.sequence,
            "When": utc(row.at),
            "Who": row.actor_name,
            "Act": row.action,
            "About": row.subject,
            "Reason": entry.reason or "",
            "Old": shown(entry.old),
            "New": shown(entry.new),
            "From": entry.origin,
            "Hash": row.hash[:12],
        }
    )
st.dataframe(lines, hide_index=True, width="stretch", height=min(38 * len(lines) + 40, 700))
st.caption(f"The newest {len(rows):d} entries that fit." if len(rows) == SHOWN else f"{len(rows):d} entries.")
if st.button("Make a CSV of everything that fits", icon=":material/download:"):
    with frame.refusals_shown():
        st.session_state["csv"] = trail.export_csv(page.store, wanted, actor=page.actor, at=page.at)
if "csv" in st.session_state:
    st.download_button(
        "Save the CSV", st.session_state["csv"], file_name="audit.csv", mime="text/csv", on_click="ignore"
    )
