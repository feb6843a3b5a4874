"""Says on a result, and before one is made, where a model is measured on rows that it learned from."""

from __future__ import annotations

import streamlit as st

from modelops.analyses.base import Analysis
from modelops.domain.inventory import DatasetRole
from modelops.domain.names import listed
from modelops.store.queries_inventory import learned_among
from modelops.ui.frame import Page
from modelops.ui.text import plain


def show_learned_rows(page: Page, chosen: Analysis, *, data_id: int | None, reference_id: int | None) -> None:
    """Warn where what must be new to the model is a table that it learned from."""
    given = {"data": data_id, "reference": reference_id}
    with page.store.reading() as reader:
        found = learned_among(reader, [number for place in chosen.unseen if (number := given[place])])
    if found:
        told = {True: "", False: " (its bytes were also added to train on)"}
        names = [f"{row.name}{told[row.role is DatasetRole.TRAIN]}" for row in found]
        st.warning(
            plain(
                f"The model learned from {listed(names)}. On rows that it knows a model looks better than it is: "
                f"for {chosen.title.lower()}, choose rows that it never saw."
            ),
            icon=":material/school:",
        )
