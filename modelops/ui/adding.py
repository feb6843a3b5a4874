"""Bringing something to a model: a version with or without a file, a dataset, a review."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from modelops.domain.checklist import Gate
from modelops.domain.inventory import DatasetRole
from modelops.services import inventory, reviews
from modelops.store.tables import DatasetRow, VersionRow
from modelops.ui import frame
from modelops.ui.frame import Page
from modelops.ui.models import DATASET, DATASET_ROLES, VERSION, suggested_label
from modelops.ui.reviews import GATES
from modelops.ui.text import plain
from modelops.ui.upload import upload

_WITH_FILE, _WITHOUT = "A model file", "Only its predictions"
_KINDS = {
    _WITH_FILE: "skops, ONNX, XGBoost (JSON, UBJ), LightGBM (text) or CatBoost. It is opened in a sandbox.",
    _WITHOUT: "The table with the data holds what the model said. Every analysis that does not call the model works.",
}
_FEW = 8
_NEEDED = frozenset({DatasetRole.TEST, DatasetRole.REFERENCE, DatasetRole.TRAIN})
_GATES = {
    Gate.INCEPTION: "Before building: is it worth it, is it allowed, can it work?",
    Gate.PRE_DEPLOYMENT: "Before going live: everything that must be shown.",
    Gate.PERIODIC: "While it is live: does it still hold?",
}


def add_version(page: Page, model_id: int, versions: Sequence[VersionRow]) -> None:
    """Show how to add a version; afterwards its page is shown. ``versions`` has the oldest first.

    The fields keep their keys when a version comes to be: that happens while a file is under way, whose answer must
    still find its field.
    """
    kind = st.radio(
        "What is there of it?", list(_KINDS), key="version kind", captions=[plain(text) for text in _KINDS.values()]
    )
    suggestion = suggested_label([version.label for version in versions])
    left, right = st.columns(2)
    label = left.text_input("Version label", value=suggestion, max_chars=150, key=f"label {model_id}")
    parents = {version.id: version.label for version in reversed(versions)}
    parent = right.selectbox(
        "Made from (optional)",
        list(parents),
        index=None,
        format_func=lambda number: parents[number],
        placeholder="no earlier version",
        disabled=not parents,
        key=f"parent {model_id}",
    )
    notes = st.text_area("Notes (optional)", max_chars=2_000, height=80, key=f"notes {model_id}")
    # The field for the file keeps its place and stays: what is chosen may change while a file is under way.
    place = st.container()
    classes = _class_names(place, model_id) if kind == _WITH_FILE else ""
    query = {"label": label, "notes": notes} | ({"parent": str(parent)} if parent else {})
    query |= {"classes": classes} if classes.strip() else {}
    sent = upload(
        "Model file",
        f"/api/v1/models/{model_id}/versions",
        key="version file",
        query=query,
        limit=page.settings.max_upload,
        blocked="" if label.strip() else "Give the version a label, then upload its file.",
        away=kind != _WITH_FILE,
    )
    if sent:
        st.switch_page(VERSION, query_params={"version": str(sent.id)})
    if kind == _WITH_FILE:
        return
    if st.button("Add the version", type="primary"):
        with frame.refusals_shown():
            row = inventory.register_version(
                page.store, model_id, actor=page.actor, at=page.at, label=label, notes=notes, parent_id=parent
            )
            st.switch_page(VERSION, query_params={"version": str(row.id)})


def _class_names(place: DeltaGenerator, model_id: int) -> str:
    return place.text_input(
        "Names of the classes 0, 1, ... (optional)",
        max_chars=2_000,
        placeholder="no, yes",
        key=f"classes {model_id}",
        help=(
            "Only for a file that numbers its classes, as those of XGBoost and LightGBM do: what 0 stands for, "
            "then what 1 stands for, separated by commas. Left empty, the labels of the target are taken in sorted "
            "order, and every result says so."
        ),
    )


def add_dataset(page: Page, model_id: int) -> None:
    """Show how to add a dataset; afterwards its page is shown, to say what its columns are for."""
    role = st.selectbox(
        "What is it for?", list(DATASET_ROLES), format_func=str.capitalize, key="dataset role", filter_mode=None
    )
    st.caption(plain(DATASET_ROLES[DatasetRole(role)]))
    title = st.text_input(
        "Name (optional)", max_chars=150, placeholder="the name of the file, if this is empty", key="dataset title"
    )
    sent = upload(
        "Table: CSV, Parquet, XLSX or JSON lines",
        f"/api/v1/models/{model_id}/datasets",
        key="dataset file",
        query={"title": title, "role": str(role)},
        limit=page.settings.max_upload,
    )
    if sent:
        st.switch_page(DATASET, query_params={"dataset": str(sent.id)})


def _data_of_a_review(datasets: Sequence[DatasetRow]) -> list[int]:
    """Return what a review is offered to rest on: few datasets all, of many the newest of each role it needs."""
    if len(datasets) <= _FEW:
        return [row.id for row in datasets]
    newest: dict[DatasetRole, int] = {}
    for row in datasets:
        if row.role in _NEEDED:
            newest.setdefault(row.role, row.id)
    return list(newest.values())


def open_review(page: Page, versions: Sequence[VersionRow], datasets: Sequence[DatasetRow]) -> None:
    """Show the form that opens a review; afterwards the review is shown.

    ``versions`` has the oldest first, ``datasets`` the newest.
    """
    labels = {version.id: version.label for version in reversed(versions)}
    titles = {row.id: f"{row.name} ({row.role})" for row in datasets}
    default = _data_of_a_review(datasets)
    with st.form("open review", border=False):
        version = st.selectbox("Version", list(labels), format_func=lambda number: labels[number])
        gate = st.radio(
            "Gate",
            list(Gate),
            index=1,
            format_func=lambda each: GATES[each],
            captions=[plain(text) for text in _GATES.values()],
        )
        chosen = st.multiselect(
            "Data it rests on",
            list(titles),
            default=default,
            format_func=lambda number: titles[number],
            placeholder="none yet; it can be added later",
            help="Analyses under the questions run on these. More can be added while the review is open.",
        )
        if len(default) < len(titles):
            st.caption(
                f"This model has {len(titles):d} datasets: chosen is the newest for test, reference and train. "
                "Add others that the review rests on."
            )
        st.caption("This fixes the checklist and the policy as they are published now.")
        submitted = st.form_submit_button("Open the review", type="primary")
    if submitted:
        with frame.refusals_shown():
            review = reviews.open_review(
                page.store,
                version or 0,
                actor=page.actor,
                at=page.at,
                gate=gate or Gate.PRE_DEPLOYMENT,
                dataset_ids=[number for number in chosen if number],
            )
            st.switch_page("pages/reviews/review.py", query_params={"review": str(review.id)})
