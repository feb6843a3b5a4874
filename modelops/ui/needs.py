"""What an analysis needs, on its page: what is there and what is still missing."""

from __future__ import annotations

import streamlit as st

from modelops.analyses.base import Analysis, Need
from modelops.analyses.needs import NEEDS, wanted_on_screen
from modelops.services.runs import lacking_needs
from modelops.store.tables import DatasetRow, VersionRow
from modelops.ui import widgets
from modelops.ui.text import plain

_OF_COLUMNS = frozenset({Need.TARGET, Need.PREDICTION, Need.SCORE, Need.SENSITIVE, Need.FEATURES, Need.TIME})


def lacking(
    chosen: Analysis,
    data: DatasetRow,
    version: VersionRow | None,
    champion: VersionRow | None = None,
    *,
    has_reference: bool,
    has_train: bool,
) -> bool:
    """Show what an analysis needs, what of it is there and how to give the rest; return whether something lacks."""
    missing = lacking_needs(chosen, data, version, champion, has_reference=has_reference, has_train=has_train)
    with st.container(horizontal=True, gap="small"):
        for need, words in NEEDS.items():
            if need in chosen.needs:
                is_there = need not in missing
                tone = widgets.Tone.GOOD if is_there else widgets.Tone.BAD
                note = "It is there." if is_there else f"Missing: {wanted_on_screen([need])}."
                widgets.badge(words.name, tone, note=note)
    if missing:
        text = f"{chosen.title} cannot run yet. It needs {wanted_on_screen(missing)}."
        st.warning(plain(text), icon=":material/warning:")
    if _OF_COLUMNS & set(missing):
        st.page_link(
            "pages/models/dataset.py",
            label="Say what the columns of this dataset are for",
            icon=":material/arrow_forward:",
            query_params={"dataset": str(data.id)},
        )
    return bool(missing)
