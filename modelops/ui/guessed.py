"""Says on a result, and before one is made, where nobody has looked yet at what columns were guessed to be for."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from modelops.domain.columns import ColumnRoles
from modelops.domain.people import Right
from modelops.store.queries_inventory import guessed_among, settling_entries
from modelops.store.tables import DatasetRow, RunRow
from modelops.ui.frame import Page
from modelops.ui.models import DATASET
from modelops.ui.text import plain, utc

_REQUESTED = {"data_id": "data_roles", "reference_id": "reference_roles", "train_id": "train_roles"}


def show_guessed_of(page: Page, run: RunRow) -> None:
    """Say of a result which uses of columns were guessed and not confirmed, and which are others by now."""
    used = {getattr(run, place): run.request.get(roles) for place, roles in _REQUESTED.items() if getattr(run, place)}
    with page.store.reading() as reader:
        last = {entry.subject: entry for entry in reversed(settling_entries(reader, used))}
        rows = [reader.get(DatasetRow, number, what="dataset") for number in used]
    for row in rows:
        asked, entry = used[row.id], last.get(f"dataset/{row.id}")
        if entry is None:
            _unconfirmed(page, row)
        elif asked is not None and ColumnRoles.model_validate(asked) != ColumnRoles.model_validate(row.roles):
            _line(
                f"This result was made with other uses of the columns of {row.name}: {entry.actor_name} changed them, "
                f"{utc(entry.at)}.",
                row,
                "See the columns",
            )


def show_guessed(page: Page, dataset_ids: Iterable[int]) -> None:
    """Say of some datasets that their columns were guessed and not confirmed, with the way to confirm them."""
    with page.store.reading() as reader:
        found = guessed_among(reader, list(dataset_ids))
        rows = [reader.get(DatasetRow, number, what="dataset") for number in sorted(found)]
    for row in rows:
        _unconfirmed(page, row)


def _unconfirmed(page: Page, row: DatasetRow) -> None:
    label = "Look at them" if Right.REGISTER in page.actor.rights else "See the columns"
    _line(f"What the columns of {row.name} are for was guessed; nobody has confirmed it yet.", row, label)


def _line(text: str, row: DatasetRow, label: str) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":material/auto_awesome: {plain(text)}", width="stretch")
        st.page_link(DATASET, label=label, query_params={"dataset": str(row.id)}, width="content")
