"""The acceptance criteria of a version: writing them, freezing them before the result, and where the bar moved."""

import streamlit as st

from modelops.domain.columns import ModelSummary, Task
from modelops.domain.criteria import Criteria, bar_changes
from modelops.domain.people import Right
from modelops.services import criteria
from modelops.store.queries_criteria import bar_among, draft, frozen_sets
from modelops.store.queries_inventory import datasets_of
from modelops.store.queries_review import names
from modelops.store.queries_runs import runs_of
from modelops.store.tables import ModelRow, VersionRow
from modelops.ui import frame, widgets
from modelops.ui.criteria import criteria_list, criterion_line, frozen_line, moved_bar, new_criterion, noise_margins
from modelops.ui.models import VERSION, crumbs
from modelops.ui.text import plain, utc

page = frame.open_page("Acceptance criteria", needs=Right.READ)
with page.store.reading() as reader:
    version = reader.get(VersionRow, page.wanted("version", what="model version"), what="model version")
    version_id = version.id
    model = reader.get(ModelRow, version.model_id, what="model")
    now, sets = draft(reader, version_id), frozen_sets(reader, version_id)
    datasets = list(datasets_of(reader, model.id))
    of_version = [run for run in runs_of(reader, model_id=model.id) if run.version_id == version_id]
    moved = [one for run in of_version if (one := bar_among(reader, run, sets).moved(run))]
    people = names(reader, [*(one.row.frozen_by for one in sets), now.row.updated_by if now.row else None])
about = ModelSummary.model_validate(version.summary) if version.summary else None
task = (about.task if about else None) or next((row.task for row in datasets if row.task), None) or Task.CLASSIFICATION
classes = about.labels if about else ()
frozen = sets[-1] if sets else None
may_write = Right.ANSWER in page.actor.rights
is_changed = now.body != (frozen.body if frozen else Criteria())


def write(body: Criteria) -> None:
    """Write the draft."""
    criteria.write_criteria(page.store, version_id, body, actor=page.actor, at=page.at, seen_revision=now.revision)


def remove(name: str) -> None:
    """Take one criterion out of the draft."""
    with frame.refusals_kept("criteria"):
        left = tuple(one for one in now.body.criteria if one.name != name)
        primary = now.body.primary if now.body.primary != name else None
        write(now.body.model_copy(update={"criteria": left, "primary": primary}))


def show_criteria() -> None:
    """Show the criteria as they stand in the draft; an author can take one out."""
    for one in now.body.criteria:
        with st.container(border=True, gap="small"):
            criterion_line(one, is_primary=one.name == now.body.primary)
            if may_write:
                st.button("Remove", key=f"remove {one.name}", type="tertiary", on_click=remove, args=(one.name,))
    if not now.body.criteria and frozen:
        st.caption("None is left in this draft. Add another, or freeze it as it is to take the bar away.")
    elif not now.body.criteria:
        st.caption(
            "None yet. Two to six are usual: each with a metric, a bound, the data it is measured on, and a reason for "
            "the bound."
        )
    if now.body.business:
        with st.container(border=True, gap="small"):
            st.caption("Business metric")
            widgets.said(now.body.business)


def show_adding() -> None:
    """Ask for one more criterion."""
    with st.expander("Add a criterion", icon=":material/add:", expanded=not now.body.criteria):
        noise = noise_margins(of_version, page.store)
        said = new_criterion(datasets, task=task, classes=classes, noise=noise, key=f"criterion {now.revision}")
        submitted = st.button("Add", type="primary", key="add criterion")
    if submitted:
        with frame.refusals_shown():
            one = criteria.as_criterion(said, among=now.body.criteria)
            write(now.body.model_copy(update={"criteria": (*now.body.criteria, one)}))
            st.rerun()


def show_indicators() -> None:
    """Ask which metric decides, and which number of the business should move."""
    options = {one.name: one.words for one in now.body.criteria}
    with st.expander("Primary and business metric", icon=":material/flag:"), st.form("indicators", border=False):
        primary = st.selectbox(
            "Primary metric",
            [None, *options],
            index=[None, *options].index(now.body.primary),
            format_func=lambda each: "not said yet" if each is None else options[each],
            help="The one metric of the model that is optimised and compared.",
        )
        business = st.text_area(
            "Business metric",
            value=now.body.business,
            max_chars=2000,
            height=100,
            help="The one number of the business that should move: how it is measured, where it stands, and how the "
            "primary metric is expected to move it.",
        )
        submitted = st.form_submit_button("Save")
    if submitted:
        with frame.refusals_shown():
            write(now.body.model_copy(update={"primary": primary, "business": business.strip()}))
            st.rerun()


def show_freezing() -> None:
    """Say what freezing means, and freeze."""
    st.subheader("Freeze", anchor=False)
    st.markdown(
        "Results of runs that are asked for from then on are judged by these criteria. Earlier results stay as they "
        "were judged. A later change is possible: every result that was judged before then says that the bar moved, "
        "with old and new, wherever it is shown and in the sealed record."
    )
    if frozen and is_changed:
        for change in bar_changes(frozen.body, now.body):
            st.caption(plain(f"{change.criterion.replace('_', ' ')}: {change.old} → {change.new}"))
    with st.form(f"freeze {now.revision}", border=False):
        reason = st.text_input("Why does the bar move?", max_chars=2000) if frozen else ""
        submitted = st.form_submit_button("Freeze", type="primary", icon=":material/lock:")
    if submitted:
        with frame.refusals_shown():
            criteria.freeze_criteria(
                page.store, version_id, actor=page.actor, at=page.at, seen_revision=now.revision, reason=reason
            )
            st.rerun()


def show_history() -> None:
    """Show everything that was frozen, the newest first."""
    st.subheader("What was frozen", anchor=False)
    if not sets:
        st.caption("Nothing yet. A run that is asked for now is judged by the policy alone.")
    for place, one in reversed(list(enumerate(sets))):
        with st.container(border=True, gap="small"):
            st.markdown(f"**{plain(frozen_line(one, people))}**")
            widgets.digest(one.row.digest, whole=True)
            if one is not frozen or is_changed:
                with st.expander(f"The {len(one.body.criteria):d} criteria"):
                    criteria_list(one.body)
            if place:
                for change in bar_changes(sets[place - 1].body, one.body):
                    st.caption(plain(f"{change.criterion.replace('_', ' ')}: {change.old} → {change.new}"))


widgets.breadcrumbs((*crumbs(model), widgets.Crumb(version.label, VERSION, {"version": str(version_id)})))
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    st.title("Acceptance criteria", anchor=False, width="content")
    if frozen and not is_changed:
        widgets.badge(f"frozen, number {frozen.number}", widgets.Tone.GOOD)
    elif is_changed:
        widgets.badge("draft, judges nothing yet", widgets.Tone.CARE)
st.caption(
    plain(
        f"What {model.name} {version.label} must show before it counts as finished, set down before there is a result."
        + (f" Last changed {utc(now.row.updated_at)} by {people[now.row.updated_by]}." if now.row else "")
    )
)
frame.show_kept("criteria")
if frozen and is_changed:
    st.info(f"Frozen number {frozen.number:d} judges until you freeze again.", icon=":material/lock:")
left, right = st.columns([3, 2], gap="large")
with left:
    show_criteria()
    if may_write:
        show_adding()
        show_indicators()
with right:
    if may_write and is_changed and (now.body.criteria or frozen):
        show_freezing()
    show_history()
if moved:
    st.subheader("Results for which the bar moved", anchor=False)
    for each in moved:
        moved_bar(each, link=True)
