"""What analyses need, in words for people, and what is still missing."""

from __future__ import annotations

import streamlit as st

from modelops.analyses.base import Analysis, Need
from modelops.services.runs import HOW_TO_GIVE, lacking_needs
from modelops.store.tables import DatasetRow, VersionRow
from modelops.ui import widgets
from modelops.ui.text import plain

NEEDS = {
    Need.TARGET: "what came true",
    Need.PREDICTION: "predictions",
    Need.SCORE: "scores",
    Need.SENSITIVE: "a sensitive column",
    Need.FEATURES: "features",
    Need.REFERENCE: "data to compare with",
    Need.TRAIN: "the training data",
    Need.TIME: "a time column",
    Need.MODEL: "a model file",
    Need.CHAMPION: "the model in use today",
}
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
                widgets.badge(words, tone, note="It is there." if is_there else f"Missing: {HOW_TO_GIVE[need]}.")
    if missing:
        wanted = "; ".join(HOW_TO_GIVE[need] for need in missing)
        st.warning(plain(f"{chosen.title} cannot run yet. It needs {wanted}."), icon=":material/warning:")
    if _OF_COLUMNS & set(missing):
        st.page_link(
            "pages/models/dataset.py",
            label="Say what the columns of this dataset are for",
            icon=":material/arrow_forward:",
            query_params={"dataset": str(data.id)},
        )
    return bool(missing)
