"""Making a result the evidence under an answer."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from modelops.domain.checklist import Question
from modelops.domain.people import Right
from modelops.domain.review import EDITABLE, ReviewState
from modelops.services import catalogue, evidence
from modelops.store import Reader
from modelops.store.queries_inventory import reviews_of
from modelops.store.queries_review import evidence as evidence_of
from modelops.store.tables import ReviewRow, RunRow, VersionRow
from modelops.ui import frame
from modelops.ui.frame import Page
from modelops.ui.reviews import GATES
from modelops.ui.text import plain

_WIDTH = 560
_OPEN = EDITABLE | {ReviewState.APPROVED}


@dataclass(frozen=True)
class Place:
    """A review in which a result can be evidence, and under which questions; those that it serves come first."""

    review: ReviewRow
    version: VersionRow
    questions: tuple[Question, ...]
    already: frozenset[str]

    @property
    def title(self) -> str:
        """What the review is called."""
        return f"{GATES[self.review.gate]} of {self.version.label} ({self.review.state})"


def places(reader: Reader, run: RunRow) -> list[Place]:
    """Return where a run can be attached: open and approved reviews of the version that it looked at."""
    found = []
    for review, version in reviews_of(reader, run.model_id):
        if review.state not in _OPEN or (run.version_id or version.id) != version.id:
            continue
        asked = catalogue.template(reader, review.template).at(review.gate)
        serving = [question for question in asked if run.analysis in question.analyses]
        others = [question for question in asked if run.analysis not in question.analyses]
        rows = evidence_of(reader, review.id)
        already = frozenset(row.question_id for row in rows if row.run_id == run.id)
        found.append(Place(review, version, (*serving, *others), already))
    return found


def attach(page: Page, run: RunRow) -> None:
    """Show where the result of a run can be evidence, and attach it there."""
    if Right.ANSWER not in page.actor.rights:
        return
    with st.popover("Attach to answer", icon=":material/attach_file:"), st.container(width=_WIDTH):
        with page.store.reading() as reader:
            found = places(reader, run)
        if not found:
            st.caption("There is no open review of this version. Open one on the page of the model.")
            return
        _form(page, run, found)


def _form(page: Page, run: RunRow, found: list[Place]) -> None:
    numbers = [place.review.id for place in found]
    chosen = st.selectbox(
        "Review",
        range(len(found)),
        index=numbers.index(run.review_id) if run.review_id in numbers else 0,
        format_func=lambda place: found[place].title,
        key=f"attach review {run.id}",
    )
    place = found[chosen]
    texts = {question.id: question.text for question in place.questions if question.id not in place.already}
    if place.already:
        st.caption(f"It stands under {len(place.already):d} of its answers already.")
    options = list(texts)
    with st.form(f"attach {run.id} {place.review.id}", border=False):
        question = st.selectbox(
            "Question",
            options,
            index=options.index(run.question_id) if run.question_id in options else 0,
            format_func=lambda each: texts[each],
            help="Those that this analysis serves come first.",
        )
        reason = st.text_input("Why is it added now?", max_chars=2000) if place.review.submission else ""
        submitted = st.form_submit_button("Attach", type="primary")
    if submitted and question:
        with frame.refusals_shown():
            evidence.attach_run(
                page.store,
                run.id,
                place.review.id,
                question,
                actor=page.actor,
                at=page.at,
                reason=reason,
            )
            st.success(plain("Attached. It is evidence under the answer now."))
            st.page_link(
                "pages/reviews/checklist.py",
                label="Go to the answer",
                query_params={
                    "review": str(place.review.id),
                    "question": question,
                    "area": question.partition(".")[0],
                },
            )
