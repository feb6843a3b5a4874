"""One question of a review on the screen: a row that opens into answer, evidence, comments and help.

Each question is a fragment: answering it draws itself again and nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import islice

import streamlit as st

from modelops.domain.checklist import Question, Result, Weight, WorkStatus
from modelops.domain.people import Right
from modelops.domain.readiness import Standing
from modelops.domain.review import EDITABLE, ReviewState
from modelops.services import answers
from modelops.services.answers import Answer
from modelops.services.asking import Asked, asked
from modelops.store.queries_audit import history
from modelops.store.queries_people import persons
from modelops.store.tables import ReviewRow
from modelops.ui import evidence, frame, widgets
from modelops.ui.frame import Page
from modelops.ui.text import ago, day, plain, utc

_SIGNS = {
    Standing.SETTLED: ":green[:material/check_circle:]",
    Standing.WAIVED: ":orange[:material/verified_user:]",
    Standing.OPEN: ":gray[:material/radio_button_unchecked:]",
    Standing.FAILED: ":red[:material/cancel:]",
}
_HISTORY = 20


def key_of(question_id: str) -> str:
    """Return the name under which the screen remembers whether a question is open."""
    return f"open {question_id}"


@st.fragment
def question_row(page: Page, review_id: int, question_id: str) -> None:
    """Show one question; open, it can be answered."""
    with page.store.reading() as reader:
        review = reader.get(ReviewRow, review_id, what="review")
        now = asked(reader, review, question_id, at=page.at)
    is_open = st.session_state.get(key_of(question_id), False)
    with st.container(border=True, gap="small"):
        _head(now, is_open=is_open)
        if is_open:
            _body(page, review, now)


def _head(now: Asked, *, is_open: bool) -> None:
    question, answer = now.question, now.answer
    text, button = st.columns([14, 1], vertical_alignment="center")
    with text:
        st.markdown(
            f"{_SIGNS[now.standing]} &nbsp;**{plain(question.text)}**", help=f"This question is {now.standing}."
        )
        with st.container(horizontal=True, gap="small"):
            if question.weight is Weight.BLOCKING:
                st.badge("blocking", color="violet", help="Open or failed, it forbids approval unless it is waived.")
            else:
                st.caption(plain(question.weight), width="content")
            if answer.result is not Result.NOT_ASSESSED:
                widgets.status(answer.result)
            counts = (
                (len(now.evidence), "piece of evidence", "pieces of evidence"),
                (len(now.comments), "comment", "comments"),
            )
            said = [f"{count:d} {one if count == 1 else many}" for count, one, many in counts if count]
            if answer.owner_id:
                said.append(f"owner {now.people[answer.owner_id]}")
            if answer.due:
                said.append(f"due {day(answer.due)}")
            if said:
                st.caption(plain(", ".join(said)), width="content")
    with button:
        st.button(
            ":material/expand_less:" if is_open else ":material/expand_more:",
            key=f"toggle {question.id}",
            help="Close" if is_open else "Open to read and answer",
            type="tertiary",
            on_click=_toggle,
            args=(question.id,),
        )


def _toggle(question_id: str) -> None:
    key = key_of(question_id)
    st.session_state[key] = not st.session_state.get(key, False)


def _body(page: Page, review: ReviewRow, now: Asked) -> None:
    main, side = st.columns([3, 2], gap="large")
    with main:
        if now.earlier is not None and now.earlier.result is not Result.NOT_ASSESSED:
            _earlier(page, review, now)
        if Right.ANSWER in page.actor.rights and review.state in EDITABLE | {ReviewState.APPROVED}:
            _form(page, review, now)
        else:
            _reading(now)
        evidence.under(page, review, now)
        _comments(page, review, now)
    with side:
        _help(now.question)
        with st.expander("History"):
            _history(page, review, now.question.id)


def _help(question: Question) -> None:
    st.markdown(plain(question.help))
    st.markdown("**Good evidence**")
    st.markdown(plain(question.good_evidence))
    st.markdown("**What goes wrong without it**")
    st.markdown(plain(question.what_goes_wrong))
    st.caption(plain(f"Asked from {question.gate} on. Its id is {question.id}."))


def _reading(now: Asked) -> None:
    answer = now.answer
    if answer.result is Result.NOT_ASSESSED:
        st.caption("Not answered yet.")
        return
    widgets.status(answer.result)
    widgets.said(answer.text)
    if answer.updated_at:
        who = now.people.get(answer.updated_by or 0, "")
        st.caption(plain(f"{who}, {utc(answer.updated_at)}"))


def _form(page: Page, review: ReviewRow, now: Asked) -> None:
    row = now.answer
    with page.store.reading() as reader:
        people = {person.id: person.name for person in persons(reader) if person.is_active or person.id == row.owner_id}
    # A new revision is a new form: what was typed over an older answer is not saved over a newer one.
    with st.form(f"answer {review.id} {row.question_id} {row.revision}", border=False):
        result = st.segmented_control(
            "Result", list(Result), default=row.result, format_func=str.capitalize, required=True
        )
        text = st.text_area("Answer", value=row.text, max_chars=20_000, height=140, placeholder="In your own words.")
        with st.container(horizontal=True):
            status = st.selectbox(
                "Work",
                list(WorkStatus),
                index=list(WorkStatus).index(row.work_status),
                format_func=str.capitalize,
                help="An answer that is given for the first time counts as done unless you choose otherwise.",
            )
            owner = st.selectbox(
                "Owner",
                [None, *people],
                index=[None, *people].index(row.owner_id),
                format_func=lambda person: "Nobody yet" if person is None else people[person],
            )
            due = st.date_input("Due", value=row.due, min_value=date(2000, 1, 1))
        reason = st.text_input("Why does it change?", max_chars=2000) if review.submission else ""
        if review.state is ReviewState.APPROVED:
            st.warning(
                "This review is approved. A change shows it as approved for an earlier state and closes the gate."
            )
        saved = st.form_submit_button("Save", type="primary")
    if saved:
        with frame.refusals_shown():
            given = Answer(Result(result or row.result), text, WorkStatus(str(status)), owner, due)
            if row.revision == 0 and given.result is not Result.NOT_ASSESSED and given.work_status is WorkStatus.TO_DO:
                given = replace(given, work_status=WorkStatus.DONE)
            answers.answer(
                page.store,
                review.id,
                row.question_id,
                given,
                actor=page.actor,
                at=page.at,
                seen_revision=row.revision,
                reason=reason,
            )
            st.toast("Saved.", icon=":material/check:")
            st.rerun(scope="fragment")


def _earlier(page: Page, review: ReviewRow, now: Asked) -> None:
    earlier = now.earlier
    assert earlier is not None
    with st.container(border=True, gap="small"):
        st.caption(f"Earlier answer, review {earlier.review_id:d}")
        widgets.status(earlier.result)
        widgets.said(earlier.text)
        may = Right.ANSWER in page.actor.rights and review.state in EDITABLE
        if may and now.answer.revision == 0:
            st.button(
                "Still true: keep this answer",
                key=f"keep {now.question.id}",
                on_click=_keep,
                args=(page, review.id, now.question.id),
            )


def _keep(page: Page, review_id: int, question_id: str) -> None:
    with frame.refusals_shown():
        answers.keep_earlier(page.store, review_id, question_id, actor=page.actor, at=page.at, seen_revision=0)


def _comments(page: Page, review: ReviewRow, now: Asked) -> None:
    for row in now.comments:
        with st.chat_message(now.people[row.author_id], avatar=":material/person:"):
            st.caption(plain(f"{now.people[row.author_id]}, {ago(row.at, page.at)}"))
            widgets.said(row.text)
    if Right.COMMENT in page.actor.rights:
        with st.form(f"comment {review.id} {now.question.id} {len(now.comments)}", border=False):
            text = st.text_input("Comment", max_chars=5000, placeholder="Ask or say something about this question")
            sent = st.form_submit_button("Comment")
        if sent:
            with frame.refusals_shown():
                answers.comment(page.store, review.id, text, actor=page.actor, at=page.at, question_id=now.question.id)
                st.rerun(scope="fragment")


def _history(page: Page, review: ReviewRow, question_id: str) -> None:
    with page.store.reading() as reader:
        rows = list(islice(history(reader, f"review/{review.id}/question/{question_id}"), _HISTORY))
    if not rows:
        st.caption("Nothing has happened here yet.")
    for row in rows:
        st.caption(plain(f"{utc(row.at)}  {row.actor_name}: {row.action.replace(':', ' ')} (entry {row.sequence})"))
