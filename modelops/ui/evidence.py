"""Evidence under a question: what is there, adding to it, running the analyses that serve it."""

from __future__ import annotations

import streamlit as st

from modelops.analyses.registry import ANALYSES
from modelops.domain.checklist import EvidenceNeed
from modelops.domain.people import Right
from modelops.domain.review import EDITABLE, EvidenceKind, ReviewState
from modelops.services import evidence as acts
from modelops.services import runs
from modelops.services.asking import Asked
from modelops.store.tables import TERMINAL, EvidenceRow, ReviewRow, RunRow, RunState
from modelops.ui import frame, records, widgets
from modelops.ui.criteria import moved_bar
from modelops.ui.frame import Page
from modelops.ui.text import ago, day, plain
from modelops.ui.upload import upload

_SIGNS = {
    EvidenceKind.FILE: ":material/description:",
    EvidenceKind.LINK: ":material/link:",
    EvidenceKind.TEXT: ":material/notes:",
    EvidenceKind.RECORD: ":material/inventory_2:",
    EvidenceKind.RUN: ":material/monitoring:",
}
_TITLES = {one.key: one.title for one in ANALYSES}


def under(page: Page, rights: frozenset[Right], review: ReviewRow, now: Asked) -> None:
    """Show the evidence of a question and the ways to add to it."""
    st.markdown("**Evidence**")
    may_add = Right.ANSWER in rights and review.state in EDITABLE | {ReviewState.APPROVED}
    for row in now.evidence:
        _piece(page, now, row, may_remove=may_add)
    if not now.evidence:
        wanted = ", or ".join(_wanted(need) for need in now.question.evidence)
        st.caption(plain(f"None yet. Wanted: {wanted}."))
    _analyses(page, rights, review, now, may_attach=may_add)
    records.offer(page, review, now, may_add=may_add)
    if may_add:
        # No popover: a click on a link closes it, and its late message would empty the page that the link leads to.
        key = f"add evidence {now.question.id}"
        with st.expander("Add evidence", icon=":material/add:", key=key, on_change="rerun") as shown:
            if shown.open:
                _add(page, review, now)


def _wanted(need: EvidenceNeed) -> str:
    if need.kind is EvidenceKind.RUN:
        return f"a run of {need.name}".replace("_", " ")
    return need.name.replace("_", " ") if need.name else f"a {need.kind}"


def _piece(page: Page, now: Asked, row: EvidenceRow, *, may_remove: bool) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(_SIGNS[row.kind], width="content")
            if row.kind is EvidenceKind.RUN and row.run_id:
                query = {"run": str(row.run_id)}
                st.page_link("pages/analyses/run.py", label=plain(row.title), query_params=query, width="content")
            elif row.kind is EvidenceKind.FILE:
                widgets.same_tab_link(row.title, f"/api/v1/evidence/{row.id}/file")
            else:
                st.markdown(plain(row.title), width="content")
            st.space("stretch")
            if may_remove:
                with st.popover("Remove", type="tertiary"):
                    _remove(page, row)
        if row.kind in {EvidenceKind.TEXT, EvidenceKind.LINK, EvidenceKind.RECORD} and row.text:
            widgets.said(row.text)
        if row.run_id in now.moved:
            moved_bar(now.moved[row.run_id])
        expiry = f", until {day(row.expires_on)}" if row.expires_on else ""
        known = f"{now.people.get(row.added_by, '')}, {ago(row.added_at, page.at)}{expiry}  ·  {row.digest.short}"
        st.caption(plain(known), help=plain(row.digest))


def _remove(page: Page, row: EvidenceRow) -> None:
    with st.form(f"remove {row.id}", border=False):
        reason = st.text_input("Reason", max_chars=2000)
        removed = st.form_submit_button("Remove")
    if removed:
        with frame.refusals_shown():
            acts.detach(page.store, row.id, actor=page.actor, at=page.at, reason=reason)
            st.rerun(scope="fragment")


def _analyses(page: Page, rights: frozenset[Right], review: ReviewRow, now: Asked, *, may_attach: bool) -> None:
    """Offer the analyses that serve the question, and show its latest runs."""
    keys = [key for key in now.question.analyses if key in _TITLES]
    with page.store.reading() as reader:
        lacking = {key: why for key in keys if (why := runs.why_not_for(reader, key, review))}
    for key, why in lacking.items():
        widgets.status_line("not run", f"{_TITLES[key]}: {why}")
    if keys and Right.RUN in rights:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            for key in keys:
                st.button(
                    plain(f"Run {_TITLES[key].lower()}"),
                    key=f"run {key} {now.question.id}",
                    icon=":material/play_arrow:",
                    disabled=key in lacking,
                    on_click=_run,
                    args=(page, review.id, now.question.id, key),
                )
                st.page_link(
                    "pages/analyses/start.py",
                    label="with other settings",
                    query_params={"analysis": key, "review": str(review.id), "question": now.question.id},
                    width="content",
                )
    attached = {row.run_id for row in now.evidence}
    waiting = [run for run in now.runs if run.id not in attached]
    if waiting:
        is_busy = any(run.state not in TERMINAL for run in waiting)
        # Only what moves is a fragment of its own: a click inside one would not draw the question again.
        shown = st.fragment(run_every=1.5)(_runs) if is_busy else _runs
        shown(page, review.id, now.question.id, [run.id for run in waiting], may_attach and not is_busy, is_busy)


def _runs(page: Page, review_id: int, question_id: str, run_ids: list[int], may_attach: bool, was_busy: bool) -> None:
    with page.store.reading() as reader:
        rows = [reader.get(RunRow, run_id, what="analysis run") for run_id in run_ids]
    if was_busy and all(row.state in TERMINAL for row in rows):
        st.rerun()
    for row in rows:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", border=True):
            st.page_link(
                "pages/analyses/run.py",
                label=plain(f"{_TITLES.get(row.analysis, row.analysis)}, run {row.id}"),
                query_params={"run": str(row.id)},
                width="content",
            )
            widgets.status(row.state)
            if row.state is RunState.RUNNING:
                st.progress(row.progress, text=plain(row.message))
            else:
                st.caption(plain(row.summary or row.message), width="stretch")
            if may_attach and row.state is RunState.FINISHED:
                st.button(
                    "Attach to answer",
                    key=f"attach {row.id} {question_id}",
                    on_click=_attach,
                    args=(page, row.id, review_id, question_id),
                )


def _run(page: Page, review_id: int, question_id: str, key: str) -> None:
    with frame.refusals_kept(question_id):
        runs.run_for_question(page.store, key, review_id, question_id, actor=page.actor, at=page.at)


def _attach(page: Page, run_id: int, review_id: int, question_id: str) -> None:
    with frame.refusals_kept(question_id):
        acts.attach_run(
            page.store, run_id, review_id, question_id, actor=page.actor, at=page.at, reason="Result of a new run."
        )


def _add(page: Page, review: ReviewRow, now: Asked) -> None:
    kind = st.segmented_control(
        "Kind", ["Text", "Link", "File"], default="Text", key=f"kind {now.question.id}", required=True
    )
    # Once there, the field for a file stays: another kind may be chosen while a file is under way.
    began = f"file begun {now.question.id}"
    if kind == "File" or began in st.session_state:
        st.session_state[began] = True
        path = f"/api/v1/reviews/{review.id}/questions/{now.question.id}/evidence"
        reason = {"reason": "A file was added."} if review.submission else {}
        key = f"file {now.question.id}"
        if upload("File to attach", path, key=key, query=reason, away=kind != "File"):
            st.rerun(scope="fragment")
    if kind == "File":
        return
    with st.form(f"add {kind} {now.question.id} {len(now.evidence)}", border=False):
        title = st.text_input("Title", max_chars=150)
        text = st.text_area("Text", max_chars=20_000) if kind == "Text" else st.text_input("Address", max_chars=2000)
        expires = st.date_input("Good until (optional)", value=None, min_value="today")
        why = st.text_input("Why is it added now?", max_chars=2000) if review.submission else ""
        added = st.form_submit_button("Attach", type="primary")
    if added:
        with frame.refusals_shown():
            if kind == "Text":
                acts.attach_text(
                    page.store,
                    review.id,
                    now.question.id,
                    actor=page.actor,
                    at=page.at,
                    title=title,
                    text=text,
                    expires_on=expires,
                    reason=why,
                )
            else:
                acts.attach_link(
                    page.store,
                    review.id,
                    now.question.id,
                    actor=page.actor,
                    at=page.at,
                    title=title,
                    url=text,
                    expires_on=expires,
                    reason=why,
                )
            st.rerun(scope="fragment")
