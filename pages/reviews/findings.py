"""Findings of independent people, and waivers."""

from datetime import timedelta

import streamlit as st

from modelops.domain.people import Right
from modelops.domain.review import EDITABLE, FindingState, ReviewState, Severity, WaiverState
from modelops.services import catalogue, findings
from modelops.store.queries_people import persons
from modelops.store.tables import AnswerRow, FindingRow, WaiverRow
from modelops.ui import frame, widgets
from modelops.ui.reviews import heading, subject
from modelops.ui.text import day, plain, utc

page = frame.open_page("Findings and waivers", needs=Right.READ)
with page.store.reading() as reader:
    about = subject(reader, page)
    review = about.review
    template = catalogue.template(reader, review.template)
    policy = catalogue.policy(reader, review.policy)
    found = reader.all(FindingRow, review_id=review.id)
    waivers = reader.all(WaiverRow, review_id=review.id)
    everybody = {person.id: person.name for person in persons(reader)}
    active = [person.id for person in persons(reader) if person.is_active]
    asked = [row.question_id for row in reader.all(AnswerRow, review_id=review.id)]
heading(about, tab="Findings and waivers")
actor = page.actor
is_open = review.state in EDITABLE | {ReviewState.SUBMITTED, ReviewState.APPROVED}


def question_label(question_id: str | None) -> str:
    """Return a question in words."""
    return "The whole review" if question_id is None else template.question(question_id).text


st.subheader("Findings", anchor=False)
if not found:
    st.caption("Nothing was found wrong so far. Independent reviewers record here what must be put right.")
for row in found:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(f'{row.id}. {row.title}')}**", width="content")
            widgets.status(row.severity)
            widgets.status(row.state)
        st.caption(
            plain(
                f"{question_label(row.question_id)} Raised by {everybody[row.raised_by]}, {utc(row.raised_at)}. "
                f"Owner {everybody[row.owner_id]}, due {day(row.due)}."
            )
        )
        widgets.said(row.text)
        steps = [state for state in FindingState if state is not row.state]
        if is_open and Right.COMMENT in actor.rights:
            with st.popover("Move it on"), st.form(f"move {row.id} {row.state}", border=False):
                step = st.selectbox("To", steps, format_func=str.capitalize)
                reason = st.text_area("What was done", max_chars=5000)
                moved = st.form_submit_button("Save")
            if moved:
                with frame.refusals_shown():
                    findings.move_finding(page.store, row.id, step, actor=page.actor, at=page.at, reason=reason)
                    st.rerun()
if is_open and Right.REVIEW in actor.rights:
    with st.expander("Raise a finding"), st.form(f"raise {len(found)}", border=False, enter_to_submit=False):
        title = st.text_input("What is wrong, in one line", max_chars=150)
        text = st.text_area("In more words", max_chars=20_000)
        about_question = st.selectbox("About", [None, *asked], format_func=question_label)
        with st.container(horizontal=True):
            severity = st.selectbox("Severity", list(Severity), index=1, format_func=str.capitalize)
            owner = st.selectbox("Owner", active, format_func=everybody.__getitem__)
            due = st.date_input("Due", value=page.at.date() + timedelta(days=14), min_value="today")
        st.caption("Open high and critical findings forbid approval unless they are waived.")
        raised = st.form_submit_button("Raise", type="primary")
    if raised:
        with frame.refusals_shown():
            findings.raise_finding(
                page.store,
                review.id,
                actor=page.actor,
                at=page.at,
                severity=Severity(str(severity)),
                title=title,
                text=text,
                owner_id=owner,
                due=due,
                question_id=about_question,
            )
            st.rerun()

st.subheader("Waivers", anchor=False)
if not waivers:
    st.caption(
        "Nothing is accepted against the rules. A waiver is for a time, with a control and an owner of the risk."
    )
for waiver in waivers:
    subject_text = question_label(waiver.question_id) if waiver.question_id else f"Finding {waiver.finding_id}"
    over = waiver.expires_on < page.at.date()
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(subject_text)}**", width="content")
            widgets.status("expired" if over and waiver.state is WaiverState.ACCEPTED else waiver.state)
        st.caption(
            plain(
                f"Asked for by {everybody[waiver.requested_by]}, risk owner {everybody[waiver.risk_owner_id]}, "
                f"until {day(waiver.expires_on)}."
            )
        )
        widgets.said(f"Reason: {waiver.reason}\nCompensating control: {waiver.compensating_control}")
        if waiver.decided_by:
            st.caption(
                plain(f"Decided by {everybody[waiver.decided_by]}, {utc(waiver.decided_at)}: {waiver.decision_reason}")
            )
        elif is_open and Right.WAIVE in actor.rights:
            with st.form(f"waiver {waiver.id}", border=False):
                why = st.text_input("Reason for the decision", max_chars=5000)
                with st.container(horizontal=True):
                    accepted = st.form_submit_button("Accept", type="primary")
                    refused = st.form_submit_button("Refuse")
            if accepted or refused:
                with frame.refusals_shown():
                    findings.decide_waiver(
                        page.store, waiver.id, accept=accepted, actor=page.actor, at=page.at, reason=why
                    )
                    st.rerun()
if is_open and Right.ANSWER in actor.rights:
    longest = policy.waiver_max_days[about.model.risk_tier]
    subjects: list[tuple[str | None, int | None]] = [
        (None, row.id) for row in found if row.state is not FindingState.CLOSED
    ]
    subjects += [(question_id, None) for question_id in asked]
    with st.expander("Ask for a waiver"), st.form(f"ask {len(waivers)}", border=False, enter_to_submit=False):
        chosen = st.selectbox(
            "For",
            subjects,
            format_func=lambda pair: question_label(pair[0]) if pair[0] else f"Finding {pair[1]}",
        )
        reason = st.text_area("Why can it not be put right now?", max_chars=5000)
        control = st.text_area("Compensating control: what keeps the risk small meanwhile?", max_chars=5000)
        with st.container(horizontal=True):
            others = [person for person in active if person != actor.user_id]
            risk_owner = st.selectbox("Owner of the risk", others, format_func=everybody.__getitem__)
            expires = st.date_input(
                "Until",
                value=page.at.date() + timedelta(days=min(30, longest)),
                min_value=page.at.date() + timedelta(days=1),
                max_value=page.at.date() + timedelta(days=longest),
            )
        requested = st.form_submit_button("Ask", type="primary")
    if requested:
        with frame.refusals_shown():
            findings.request_waiver(
                page.store,
                review.id,
                actor=page.actor,
                at=page.at,
                reason=reason,
                compensating_control=control,
                risk_owner_id=risk_owner,
                expires_on=expires,
                question_id=chosen[0],
                finding_id=chosen[1],
            )
            st.rerun()
