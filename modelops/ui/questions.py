"""One question of a review on the screen: a row that opens into answer, evidence, comments and help.

Each question is a fragment: answering it draws itself again and nothing else.
"""

from __future__ import annotations

from datetime import date
from itertools import islice
from typing import Any

import streamlit as st

from modelops.domain.checklist import Question, Result, Weight, WorkStatus
from modelops.domain.people import Right
from modelops.domain.readiness import Standing
from modelops.domain.review import EDITABLE, ReviewState
from modelops.services import answers
from modelops.services.answers import Answer
from modelops.services.asking import Asked, asked
from modelops.store.queries_audit import history
from modelops.store.queries_people import names_to_choose
from modelops.store.tables import AnswerRow, ReviewRow
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
_FIELDS = ("result", "text", "work", "owner", "due", "reason")


def key_of(question_id: str) -> str:
    """Return the name under which the screen remembers whether a question is open."""
    return f"open {question_id}"


@st.fragment
def question_row(page: Page, review_id: int, question_id: str) -> None:
    """Show one question; open, it can be answered."""
    rights = page.actor.rights
    with page.store.reading() as reader:
        review = reader.get(ReviewRow, review_id, what="review")
        now = asked(reader, review, question_id, at=page.at)
    is_open = st.session_state.get(key_of(question_id), False)
    with st.container(border=True, gap="small"):
        _head(now, is_open=is_open)
        frame.show_kept(question_id)
        if is_open:
            _body(page, rights, review, now)


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


def _body(page: Page, rights: frozenset[Right], review: ReviewRow, now: Asked) -> None:
    may_answer = Right.ANSWER in rights and review.state in EDITABLE | {ReviewState.APPROVED}
    main, side = st.columns([3, 2], gap="large")
    with main:
        if now.earlier is not None and now.earlier.result is not Result.NOT_ASSESSED:
            _earlier(page, rights, review, now)
        if may_answer:
            _form(page, review, now)
        else:
            _reading(now)
        evidence.under(page, rights, review, now)
        _comments(page, rights, review, now)
    with side:
        _help(now.question)
        with st.expander("History", key=f"history {now.question.id}", on_change="rerun") as shown:
            if shown.open:
                _history(page, review, now.question.id)


def _help(question: Question) -> None:
    st.markdown(
        f"{plain(question.help)}\n\n**Good evidence**\n\n{plain(question.good_evidence)}\n\n"
        f"**What goes wrong without it**\n\n{plain(question.what_goes_wrong)}"
    )
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
        people = names_to_choose(reader, also=row.owner_id)
    # A new revision is a new form: what was typed over an older answer is not saved over a newer one.
    form = _form_of(row)
    with st.form(form, border=False):
        st.segmented_control(
            "Result",
            list(Result),
            default=row.result,
            format_func=str.capitalize,
            required=True,
            key=f"{form} result",
        )
        st.text_area(
            "Answer",
            value=row.text,
            max_chars=20_000,
            height=140,
            placeholder="In your own words.",
            key=f"{form} text",
        )
        with st.container(horizontal=True):
            st.selectbox(
                "Work",
                list(WorkStatus),
                index=list(WorkStatus).index(row.work_status),
                format_func=str.capitalize,
                help="An answer that is given for the first time counts as done unless you choose otherwise.",
                key=f"{form} work",
            )
            st.selectbox(
                "Owner",
                [None, *people],
                index=[None, *people].index(row.owner_id),
                format_func=lambda person: "Nobody yet" if person is None else people[person],
                key=f"{form} owner",
            )
            st.date_input("Due", value=row.due, min_value=date(2000, 1, 1), key=f"{form} due")
        if review.submission:
            st.text_input("Why does it change?", max_chars=2000, key=f"{form} reason")
        if review.state is ReviewState.APPROVED:
            st.warning(
                "This review is approved. A change shows it as approved for an earlier state and closes the gate."
            )
        st.form_submit_button("Save", type="primary", key=f"{form} save", on_click=_save, args=(page, row))
    if st.session_state.pop(f"saved {row.question_id}", False):
        st.toast("Saved.", icon=":material/check:")


def _form_of(row: AnswerRow) -> str:
    return f"answer {row.review_id} {row.question_id} {row.revision}"


def _save(page: Page, row: AnswerRow) -> None:
    """Save what stands in the form over ``row``: a callback, so that the question is drawn once, as it is then."""
    typed: dict[str, Any] = {name: st.session_state.get(f"{_form_of(row)} {name}") for name in _FIELDS}
    with frame.refusals_kept(row.question_id):
        result, work = Result(typed["result"] or row.result), WorkStatus(typed["work"])
        if row.revision == 0 and result is not Result.NOT_ASSESSED and work is WorkStatus.TO_DO:
            work = WorkStatus.DONE
        answers.answer(
            page.store,
            row.review_id,
            row.question_id,
            Answer(result, typed["text"], work, typed["owner"], typed["due"]),
            actor=page.actor,
            at=page.at,
            seen_revision=row.revision,
            reason=typed["reason"] or "",
        )
        st.session_state[f"saved {row.question_id}"] = True


def _earlier(page: Page, rights: frozenset[Right], review: ReviewRow, now: Asked) -> None:
    earlier = now.earlier
    assert earlier is not None
    with st.container(border=True, gap="small"):
        st.caption(f"Earlier answer, review {earlier.review_id:d}")
        widgets.status(earlier.result)
        widgets.said(earlier.text)
        may = Right.ANSWER in rights and review.state in EDITABLE
        if may and now.answer.revision == 0:
            st.button(
                "Still true: keep this answer",
                key=f"keep {now.question.id}",
                on_click=_keep,
                args=(page, review.id, now.question.id),
            )


def _keep(page: Page, review_id: int, question_id: str) -> None:
    with frame.refusals_kept(question_id):
        answers.keep_earlier(page.store, review_id, question_id, actor=page.actor, at=page.at, seen_revision=0)


def _comments(page: Page, rights: frozenset[Right], review: ReviewRow, now: Asked) -> None:
    for row in now.comments:
        with st.chat_message(now.people[row.author_id], avatar=":material/person:"):
            st.caption(plain(f"{now.people[row.author_id]}, {ago(row.at, page.at)}"))
            widgets.said(row.text)
    if Right.COMMENT in rights:
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
        return
    lines = (f"{utc(row.at)}  {row.actor_name}: {row.action.replace(':', ' ')} (entry {row.sequence})" for row in rows)
    st.caption(plain("\n".join(lines)))
