"""Putting a dataset out of the way, and bringing it back: always with a reason."""

from __future__ import annotations

import streamlit as st

from modelops.domain.audit import read_entry
from modelops.domain.people import Right
from modelops.services import datasets
from modelops.store.queries_inventory import last_archiving
from modelops.store.tables import DatasetRow
from modelops.ui import frame
from modelops.ui.frame import Page
from modelops.ui.text import plain, utc

NOTE = "No list offers it and nothing new is made with it. What was made with it stands and can be computed again."


def show_archived(page: Page, row: DatasetRow) -> None:
    """Say of an archived dataset who archived it, when and why, and let it be restored."""
    with page.store.reading() as reader:
        entry = last_archiving(reader, row.id)
    if entry is None:
        st.warning(NOTE, icon=":material/archive:")
    else:
        why = read_entry(entry.body.encode()).reason
        done = f"Archived by {entry.actor_name}, {utc(entry.at)}: {why}"
        st.warning(f"**{plain(done)}**  \n{plain(NOTE)}", icon=":material/archive:")
    if Right.REGISTER not in page.actor.rights:
        return
    reason = _asked("Restore", ":material/unarchive:", key=f"restore {row.id}")
    if reason is not None:
        with frame.refusals_shown():
            datasets.restore_dataset(page.store, row.id, actor=page.actor, at=page.at, reason=reason)
            st.rerun()


def offer_to_archive(page: Page, row: DatasetRow) -> None:
    """Let a dataset be put out of the way."""
    reason = _asked("Archive", ":material/archive:", key=f"archive {row.id}", note=NOTE)
    if reason is not None:
        with frame.refusals_shown():
            datasets.archive_dataset(page.store, row.id, actor=page.actor, at=page.at, reason=reason)
            st.rerun()


def _asked(act: str, icon: str, *, key: str, note: str = "") -> str | None:
    """Return the reason that was given when the button was pressed."""
    with st.expander(f"{act} this dataset", icon=icon), st.form(key, border=False):
        if note:
            st.caption(plain(note))
        reason = st.text_input("Reason", max_chars=2_000, key=f"reason to {key}")
        return reason if st.form_submit_button(act) else None
