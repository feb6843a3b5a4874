"""Decisions on the screen: what was decided, by whom and why; accepting drift limits; making one evidence."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from modelops.domain.number_words import percent
from modelops.domain.people import Right
from modelops.domain.result import AnalysisResult
from modelops.domain.review import EDITABLE, ReviewState
from modelops.services import catalogue, decisions
from modelops.services.decisions import rehearsed_limits
from modelops.store.queries_decisions import Decided, decisions_of_run
from modelops.store.queries_inventory import reviews_of
from modelops.store.queries_review import names
from modelops.store.tables import RunRow
from modelops.ui import frame, widgets
from modelops.ui.frame import Page
from modelops.ui.reviews import GATES
from modelops.ui.runs import RUN
from modelops.ui.text import plain, utc

WORKBENCH = "pages/analyses/workbench.py"
_OPEN = EDITABLE | {ReviewState.APPROVED}


def decision_box(page: Page, one: Decided, people: Mapping[int, str], *, link: bool = False) -> None:
    """Show one decision with its reason; an author can make it evidence."""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(one.body.title)}**", width="content")
            who = people.get(one.row.decided_by, "ModelOps")
            st.caption(plain(f"{who}, {utc(one.row.decided_at)}  ·  {one.row.digest.short}"), width="content")
            if link:
                query = {"run": str(one.row.run_id)}
                st.page_link(RUN, label=f"Run {one.row.run_id:d}", query_params=query, width="content")
        widgets.said(one.row.reason)
        with st.expander("What was in view"):
            widgets.said(one.body.words)
        if Right.ANSWER in page.actor.rights:
            with st.popover("Attach to answer", icon=":material/attach_file:"), st.container(width=560):
                _attach(page, one)


def _attach(page: Page, one: Decided) -> None:
    with page.store.reading() as reader:
        found = [
            (review, version, catalogue.template(reader, review.template).at(review.gate))
            for review, version in reviews_of(reader, one.row.model_id)
            if review.state in _OPEN and (one.row.version_id or version.id) == version.id
        ]
    if not found:
        st.caption("There is no open review of this version.")
        return
    place = st.selectbox(
        "Review",
        range(len(found)),
        format_func=lambda each: f"{GATES[found[each][0].gate]} of {found[each][1].label}",
        key=f"decision review {one.row.id}",
    )
    review, _, asked = found[place]
    texts = {question.id: question.text for question in asked}
    with st.form(f"attach decision {one.row.id} {review.id}", border=False):
        question = st.selectbox("Question", list(texts), format_func=lambda each: texts[each])
        reason = st.text_input("Why is it added now?", max_chars=2000) if review.submission else ""
        submitted = st.form_submit_button("Attach", type="primary")
    if submitted and question:
        with frame.refusals_shown():
            decisions.attach_decision(
                page.store, one.row.id, review.id, question, actor=page.actor, at=page.at, reason=reason
            )
            st.success("Attached. It is evidence under the answer now.")


def drift_thresholds(page: Page, run: RunRow, result: AnalysisResult) -> None:
    """Show the thresholds of a drift run with the alarm rate that was rehearsed: rehearse them, then accept them."""
    with page.store.reading() as reader:
        made = decisions_of_run(reader, run.id)
        people = names(reader, [one.row.decided_by for one in made])
    limits = rehearsed_limits(result)
    st.subheader("These thresholds", anchor=False)
    frame.show_kept("rehearse")
    if limits is None:
        st.markdown(
            "Before you rely on them: how often would they alarm where nothing has moved? A rehearsal runs them on "
            f"{decisions.REHEARSALS} random splits of the reference data."
        )
        if Right.RUN in page.actor.rights:
            st.button("Rehearse", icon=":material/theater_comedy:", on_click=_rehearse, args=(page, run.id))
        return
    _rates(result)
    for one in made:
        decision_box(page, one, people)
    if Right.ANSWER in page.actor.rights:
        _accept(page, run, len(made))


def _rates(result: AnalysisResult) -> None:
    """Show the rehearsed rates beside the level."""
    level = float(str(result.parameters["alpha"]))
    told = (
        ("rehearsed_alarm_rate", "A run alarms", "Any column is reported: real, and beyond the margin."),
        ("rehearsed_significance_rate", "By the tests alone", f"The level promises at most {percent(level)}."),
    )
    with st.container(horizontal=True):
        for metric, label, note in told:
            rate = result.find(metric)
            if rate is None or rate.value is None or rate.interval is None:
                continue
            low, high = rate.interval
            with st.container(width=260, gap="xsmall"):
                st.metric(plain(label), percent(rate.value), help=note)
                st.caption(plain(f"{percent(low)} to {percent(high)}, of {rate.sample_size:,} splits. {note}"))


def _rehearse(page: Page, run_id: int) -> None:
    with frame.refusals_kept("rehearse"):
        again = decisions.rehearse(page.store, run_id, actor=page.actor, at=page.at)
        st.query_params["run"] = str(again.id)


def _accept(page: Page, run: RunRow, made: int) -> None:
    with st.form(f"accept {run.id} {made}"):
        reason = st.text_area(
            "Why are these right for this model?",
            max_chars=5000,
            height=80,
            placeholder="How many false alarms the people on call can bear, and which change must not be missed.",
        )
        submitted = st.form_submit_button("Accept these thresholds", type="primary", icon=":material/gavel:")
    if submitted:
        with frame.refusals_shown():
            decisions.accept_drift_limits(page.store, run.id, actor=page.actor, at=page.at, reason=reason)
            st.rerun()
