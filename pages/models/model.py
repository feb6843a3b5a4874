"""One model: what is known of it, its versions, data, reviews, analyses, and what happened to it."""

import streamlit as st

from modelops.domain.inventory import RiskTier
from modelops.domain.people import Right
from modelops.services import catalogue, inventory
from modelops.store.queries_history import history_of_model
from modelops.store.queries_inventory import datasets_of, guessed_among, reviews_of
from modelops.store.queries_people import persons
from modelops.store.queries_runs import runs_of
from modelops.store.tables import DatasetRow, ModelRow, UserRow, VersionRow
from modelops.ui import frame, widgets
from modelops.ui.adding import add_dataset, add_version, open_review
from modelops.ui.models import (
    COMPARE_VERSIONS,
    CONTRACT,
    DATASET,
    MODEL,
    OPENED,
    VERSION,
    fact,
    history,
    next_step,
    tier_badge,
    tier_note,
)
from modelops.ui.reviews import GATES
from modelops.ui.runs import START, names_for, run_line
from modelops.ui.text import ago, plain, utc
from modelops.ui.widgets import Crumb

TABS = ["Versions", "Data", "Reviews", "Analyses", "About", "History"]
MOST = 100

page = frame.open_page("Model", needs=Right.READ)
actor = page.actor
may_register = Right.REGISTER in actor.rights
with page.store.reading() as reader:
    model = reader.get(ModelRow, page.wanted("model", what="model"), what="model")
    model_id = model.id
    versions = list(reader.all(VersionRow, model_id=model_id))
    every_dataset = datasets_of(reader, model_id, with_archived=True)
    datasets = [row for row in every_dataset if row.archived_at is None]
    reviews = reviews_of(reader, model_id)
    owner = reader.get(UserRow, model.owner_id, what="person").name


def show_versions() -> None:
    """List the versions, the newest first, and add one."""
    if not versions:
        st.caption("No version yet. A version is one model file, or the predictions of one; it never changes.")
    if may_register:
        with st.expander("Add a version", icon=":material/add:", expanded=not versions):
            add_version(page, model_id, versions)
    if len(versions) > 1:
        st.page_link(
            COMPARE_VERSIONS,
            label="Compare two versions",
            icon=":material/compare:",
            query_params={"left": str(versions[-2].id), "right": str(versions[-1].id)},
        )
    for version in reversed(versions[-MOST:]):
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            st.page_link(
                VERSION, label=f"**{plain(version.label)}**", query_params={"version": str(version.id)}, width="content"
            )
            if version.summary:
                widgets.tag(str(version.summary.get("framework", "")))
            st.caption(plain(version.artifact_name or "predictions only"), width="content")
            newest = next((review for review, of in reviews if of.id == version.id), None)
            if newest:
                widgets.status(newest.state, note=f"{GATES[newest.gate]}, round {newest.round}")
            st.space("stretch")
            if version.artifact:
                st.caption(plain(version.artifact.short), width="content", help=plain(version.artifact))
            st.caption(plain(ago(version.created_at, page.at)), width="content")


def show_datasets() -> None:
    """List the datasets, the newest first, and add one."""
    if not datasets:
        st.caption(
            "No data yet. Start with a table of rows that the model did not see: its features, what the model said, "
            "and what came true."
        )
    if may_register:
        with st.expander("Add a dataset", icon=":material/add:", expanded=not datasets):
            add_dataset(page, model_id)
    st.page_link(CONTRACT, label="Data contract", icon=":material/contract:", query_params={"model": str(model_id)})
    archived = len(every_dataset) - len(datasets)
    are_archived_shown = bool(archived) and st.toggle(
        f"Show archived ({archived:d})",
        key="archived",
        bind="query-params",
        help="Datasets that were put out of the way.",
    )
    shown = list(every_dataset if are_archived_shown else datasets)[:MOST]
    with page.store.reading() as reader:
        guessed = guessed_among(reader, [row.id for row in shown])
    for row in shown:
        dataset_line(row, is_guessed=row.id in guessed)


def dataset_line(row: DatasetRow, *, is_guessed: bool) -> None:
    """Show one dataset of the list."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.page_link(DATASET, label=f"**{plain(row.name)}**", query_params={"dataset": str(row.id)}, width="content")
        widgets.tag(row.role)
        if row.archived_at is not None:
            widgets.tag("archived")
        elif is_guessed:
            widgets.badge("columns guessed", widgets.Tone.CARE, note="Nobody has said yet that they are right.")
        count = len(row.summary.get("columns", ()))
        st.caption(plain(f"{row.rows:,} rows, {count:,} columns"), width="content")
        target = row.roles.get("target")
        st.caption(plain(f"target {target}" if target else "no target"), width="content")
        st.space("stretch")
        st.caption(plain(row.digest.short), width="content", help=plain(row.digest))
        st.caption(plain(ago(row.created_at, page.at)), width="content")


def show_reviews() -> None:
    """List the reviews, the newest first, and open one."""
    if not versions:
        st.info("A review is about one version. Add a version first.")
        return
    if not reviews:
        st.caption("No review yet. A review leads through the checklist and ends with signatures, or without.")
    if Right.ANSWER in actor.rights:
        with st.expander("Open a review", icon=":material/add:", expanded=not reviews):
            open_review(page, versions, datasets)
    for review, of in reviews[:MOST]:
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            st.page_link(
                "pages/reviews/review.py",
                label=f"**{plain(f'{GATES[review.gate]} of {of.label}')}**",
                query_params={"review": str(review.id)},
                width="content",
            )
            widgets.status(review.state)
            st.caption(f"round {review.round:d}", width="content")
            st.space("stretch")
            st.caption(plain(f"opened {ago(review.opened_at, page.at)}"), width="content")


def show_runs() -> None:
    """List the analysis runs, the newest first."""
    with page.store.reading() as reader:
        rows = runs_of(reader, model_id=model_id, limit=MOST)
        names = names_for(reader, rows)
    if Right.RUN in actor.rights:
        if datasets:
            st.page_link(
                START, label="Run an analysis", icon=":material/play_arrow:", query_params={"model": str(model_id)}
            )
        else:
            st.info("An analysis looks at a table. Add a dataset first.")
    if not rows:
        st.caption("No analysis was run on this model yet.")
    for row in rows:
        run_line(row, names, at=page.at, with_model=False)


def show_facts() -> None:
    """Show what is said of the model, and correct it with a reason."""
    with page.store.reading() as reader:
        policy = catalogue.policy(reader, catalogue.latest(reader)[1].digest)
        owners = {person.id: person.name for person in persons(reader) if person.is_active}
    fact("Purpose", model.purpose)
    left, right = st.columns(2)
    with left:
        fact("Owner", owner)
        fact("Business unit", model.business_unit or "not given")
    with right:
        fact("Risk tier", f"{model.risk_tier.capitalize()}. {tier_note(policy, model.risk_tier)}")
        fact("Registered", utc(model.created_at))
    if not may_register:
        return
    with st.expander("Correct this", icon=":material/edit:"), st.form("facts", border=False):
        st.caption("What was approved before then shows as approved for an earlier state.")
        purpose = st.text_area("Purpose", value=model.purpose, max_chars=20_000)
        one, two = st.columns(2)
        options = list(owners if model.owner_id in owners else {model.owner_id: owner, **owners})
        new_owner = one.selectbox(
            "Owner",
            options,
            index=options.index(model.owner_id),
            format_func=lambda number: owners.get(number, owner),
        )
        unit = two.text_input("Business unit", value=model.business_unit, max_chars=150)
        tier = st.radio(
            "Risk tier",
            list(RiskTier),
            index=list(RiskTier).index(model.risk_tier),
            format_func=str.capitalize,
            captions=[plain(tier_note(policy, each)) for each in RiskTier],
        )
        reason = st.text_input("Reason for the change", max_chars=2000)
        submitted = st.form_submit_button("Save", type="primary")
    if submitted:
        with frame.refusals_shown():
            inventory.change_model(
                page.store,
                model_id,
                actor=page.actor,
                at=page.at,
                purpose=purpose,
                owner_id=new_owner,
                risk_tier=tier or RiskTier.MEDIUM,
                business_unit=unit,
                reason=reason,
            )
            st.rerun()


def show_history() -> None:
    """Show the entries of the audit trail about the model and what belongs to it."""
    with page.store.reading() as reader:
        rows = history_of_model(reader, model_id, limit=MOST)
    called = {f"version/{version.id}": version.label for version in versions}
    called |= {f"dataset/{row.id}": row.name for row in every_dataset}
    called |= {f"review/{review.id}": f"{review.id} ({of.label}, {review.gate})" for review, of in reviews}
    history(rows, called)
    if len(rows) == MOST:
        st.caption(f"The newest {MOST:d} entries. The audit trail has all of them.")


latest, review = versions[-1] if versions else None, reviews[0][0] if reviews else None
widgets.breadcrumbs((Crumb("Models", "pages/models/models.py"),))
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    st.title(plain(model.name), anchor=False, width="content")
    tier_badge(model.risk_tier)
    if review:
        widgets.status(review.state, note="The latest review")
st.caption(plain("  ·  ".join(part for part in (f"Owner {owner}", model.business_unit) if part)))
widgets.said(model.purpose if len(model.purpose) < 400 else model.purpose[:399] + "…")
with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
    st.markdown("**Next**", width="content")
    next_step(model_id, latest, review, has_data=bool(datasets)).link(from_page=MODEL)
tab = st.segmented_control(
    "Part",
    TABS,
    # What was opened by a button stands in the state already; Streamlit warns of a default beside it.
    default=None if st.session_state.pop(OPENED, False) else "Versions",
    key="tab",
    bind="query-params",
    required=True,
    label_visibility="collapsed",
)
SHOW = {
    "Versions": show_versions,
    "Data": show_datasets,
    "Reviews": show_reviews,
    "Analyses": show_runs,
    "About": show_facts,
    "History": show_history,
}
SHOW[tab or "Versions"]()
