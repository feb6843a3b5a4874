"""What came of reading cases: where two readers differ, what was found, and making it evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from modelops.domain.case_reading import CaseVerdict, Reading
from modelops.domain.people import Right
from modelops.domain.result import AnalysisResult, ResultTable
from modelops.domain.review import EDITABLE, ReviewState
from modelops.errors import InvalidInput
from modelops.services import case_records, cases, catalogue
from modelops.services.case_records import adjusted_words, agreement_words
from modelops.services.cases import CaseReview
from modelops.store.queries_inventory import reviews_of
from modelops.store.queries_review import names
from modelops.store.tables import RunRow
from modelops.ui import frame, widgets
from modelops.ui.frame import Page
from modelops.ui.reviews import GATES
from modelops.ui.text import plain

MEANS: dict[CaseVerdict, str] = {
    CaseVerdict.MODEL_ERROR: "The label is right; the model should have known.",
    CaseVerdict.LABEL_ERROR: "The label is wrong.",
    CaseVerdict.AMBIGUOUS: "Experts could say either.",
    CaseVerdict.DATA_ERROR: "A value is wrong or missing, so nobody could know.",
}
_OPEN = EDITABLE | {ReviewState.APPROVED}
_MOST_LISTED = 200


@dataclass(frozen=True)
class Shown:
    """What the page shows: the run, its result and the values of its cases."""

    page: Page
    run: RunRow
    result: AnalysisResult
    values: ResultTable | None

    @property
    def labels(self) -> list[str]:
        """The class labels that occur in the queue."""
        queue = next(table for table in self.result.tables if table.name == cases.QUEUE)
        return sorted({str(cell) for row in queue.rows for cell in row[1:3]})

    def case(self, row: int) -> dict[str, object]:
        """Return what is known of a case by name: first what the queue says, then its values."""
        table = self.values or next(table for table in self.result.tables if table.name == cases.QUEUE)
        found = next((cells for cells in table.rows if cells[0] == row), ())
        return dict(zip(table.columns, found, strict=False))


def may_read(page: Page) -> bool:
    """Whether whoever looks may give verdicts."""
    return bool({Right.ANSWER, Right.REVIEW} & page.actor.rights)


def told(one: Reading, whose: str) -> None:
    """Show one verdict with its note."""
    with st.container(border=True, gap="small"):
        st.markdown(f"**{plain(whose)}: {plain(one.verdict.value)}**")
        if one.right_label:
            st.caption(plain(f"The right label is {one.right_label}."))
        widgets.said(one.note)


def differences(shown: Shown, review: CaseReview) -> None:
    """Show the cases on which two readers differ, each to be settled with a reason."""
    page = shown.page
    if not review.differing:
        return
    st.subheader("Where two readers differ", anchor=False)
    row = st.selectbox(
        "Case",
        review.differing,
        format_func=lambda each: f"Row {each}: {' or '.join(one.verdict.value for one in review.revealed[each])}",
    )
    columns = st.columns(2)
    for column, one, whose in zip(columns, review.revealed[row], ("First reader", "Second reader"), strict=True):
        with column:
            told(one, whose)
    if not may_read(page):
        return
    key = f"settle {shown.run.id} {row}"
    frame.show_kept("settle")
    with st.form(key):
        st.radio(
            "Which verdict stands?",
            list(CaseVerdict),
            index=None,
            horizontal=True,
            format_func=lambda each: each.value,
            key=f"{key} verdict",
        )
        st.selectbox(
            "If the label is wrong: what is right",
            shown.labels,
            index=None,
            placeholder="not named",
            key=f"{key} right",
        )
        st.text_input("Why?", max_chars=2000, key=f"{key} why")
        st.form_submit_button("Settle", icon=":material/gavel:", on_click=_settle, args=(shown, row, key))


def _settle(shown: Shown, row: int, key: str) -> None:
    page, given = shown.page, st.session_state
    verdict = given[f"{key} verdict"]
    with frame.refusals_kept("settle"):
        if verdict is None:
            raise InvalidInput("Choose which verdict stands.")
        cases.settle_case(
            page.store,
            shown.run.id,
            row,
            actor=page.actor,
            at=page.at,
            verdict=verdict,
            note=given[f"{key} why"],
            right_label=given[f"{key} right"] if verdict == CaseVerdict.LABEL_ERROR else None,
        )


def found(shown: Shown, review: CaseReview) -> None:
    """Show what came of the reading: counts of verdicts, agreement, accuracy as adjusted, and who said what."""
    st.subheader("What was found", anchor=False)
    if not review.touched:
        st.caption("Nothing yet: read the first case above.")
        return
    if len(review.touched) > len({one.row for one in review.readings}):
        st.caption("Cases that one other person has read count here once two people have read them.")
    with shown.page.store.reading() as reader:
        people = names(reader, {one.reader_id for one in review.readings})
    with st.container(horizontal=True, gap="large"):
        for verdict, count in review.counts.items():
            st.metric(plain(verdict.value.capitalize()), f"{count:,}", help=plain(MEANS[verdict]), width="content")
    st.markdown(plain(agreement_words(review.kappa)))
    for one in review.adjusted:
        st.markdown(plain(adjusted_words(one)))
    if review.adjusted:
        st.caption("Labels that the model agrees with were not read: some of those may be wrong too.")
    _listed(review, people, shown.page.actor.user_id)
    _attach(shown)


def _listed(review: CaseReview, people: Mapping[int, str], person: int) -> None:
    import pandas as pd

    seen = [one for one in review.readings if one.row in review.revealed or one.reader_id == person]
    if not seen:
        return
    rows = [
        {
            "Row": one.row,
            "Reader": people.get(one.reader_id, "somebody"),
            "Verdict": one.verdict.value,
            "Right label": one.right_label or "",
            "Note": one.note,
        }
        for one in seen[-_MOST_LISTED:]
    ]
    with st.expander(f"{len(seen):d} verdicts with their notes"):
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
        st.caption("Yours, and those of cases that two people have read.")


def _attach(shown: Shown) -> None:
    """Offer to make what was read evidence under an answer."""
    page, run = shown.page, shown.run
    if Right.ANSWER not in page.actor.rights:
        return
    with st.popover("Attach to answer", icon=":material/attach_file:"), st.container(width=560):
        with page.store.reading() as reader:
            places = [
                (one, version, catalogue.template(reader, one.template).at(one.gate))
                for one, version in reviews_of(reader, run.model_id)
                if one.state in _OPEN and (run.version_id or version.id) == version.id
            ]
        if not places:
            st.caption("There is no open review of this version.")
            return
        chosen = st.selectbox(
            "Review",
            range(len(places)),
            format_func=lambda each: f"{GATES[places[each][0].gate]} of {places[each][1].label}",
            key=f"cases review {run.id}",
        )
        place, _, asked = places[chosen]
        texts = {one.id: one.text for one in sorted(asked, key=lambda one: run.analysis not in one.analyses)}
        with st.form(f"attach cases {run.id} {place.id}", border=False):
            question = st.selectbox("Question", list(texts), format_func=lambda each: texts[each])
            reason = st.text_input("Why is it added now?", max_chars=2000) if place.submission else ""
            submitted = st.form_submit_button("Attach", type="primary")
        if submitted and question:
            with frame.refusals_shown():
                case_records.attach_readings(
                    page.store, run.id, place.id, question, actor=page.actor, at=page.at, reason=reason
                )
                st.success("Attached, as it is now. Attach it again when more was read.")
