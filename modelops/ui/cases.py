"""Reading cases on the screen: one at a time, by the keyboard; where two readers differ; what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from modelops.domain.case_reading import CaseVerdict, Reading
from modelops.domain.people import Right
from modelops.domain.result import AnalysisResult, ResultTable
from modelops.domain.review import EDITABLE, ReviewState
from modelops.services import cases, catalogue
from modelops.services.cases import CaseReview, adjusted_words, agreement_words
from modelops.store.queries_inventory import reviews_of
from modelops.store.queries_review import names
from modelops.store.tables import RunRow
from modelops.ui import frame, widgets
from modelops.ui.frame import Page
from modelops.ui.reviews import GATES
from modelops.ui.text import plain

CASES = "pages/analyses/cases.py"
MEANS: dict[CaseVerdict, str] = {
    CaseVerdict.MODEL_ERROR: "The label is right; the model should have known.",
    CaseVerdict.LABEL_ERROR: "The label is wrong.",
    CaseVerdict.AMBIGUOUS: "Experts could say either.",
    CaseVerdict.DATA_ERROR: "A value is wrong or missing, so nobody could know.",
}
_ICONS = {
    CaseVerdict.MODEL_ERROR: ":material/psychology_alt:",
    CaseVerdict.LABEL_ERROR: ":material/label_off:",
    CaseVerdict.AMBIGUOUS: ":material/help:",
    CaseVerdict.DATA_ERROR: ":material/database_off:",
}
_OPEN = EDITABLE | {ReviewState.APPROVED}
_MOST_LISTED = 200
# The cursor goes to the note as soon as a verdict is chosen, so that nobody needs the mouse.
_FOCUS = """
export default function ({ data }) {
  const note = () => document.querySelector(`input[aria-label="${data.label}"]`);
  let tries = 0;
  const focus = () => { const field = note(); if (field) field.focus(); else if (tries++ < 20) setTimeout(focus, 50); };
  if (data.chosen) focus();
}
"""


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


@st.fragment
def board(shown: Shown) -> None:
    """Show one case with its verdict and note, and what came of all; drawn anew by itself when a case is done."""
    page, run_id = shown.page, shown.run.id
    review = cases.case_review(page.store, run_id, actor=page.actor)
    _progress(review)
    row = _current(review, run_id)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _case(shown, review, row)
    with right:
        _moves(review, row, run_id)
        if may_read(page):
            _verdict(shown, review, row)
        else:
            st.caption("Authors, reviewers and approvers give verdicts; you may look.")
    _differences(shown, review)
    _found(shown, review)


def _progress(review: CaseReview) -> None:
    count = len(review.queue.rows)
    mine = len(review.mine)
    text = f"You have read {mine} of {count}; somebody {review.read}, two people {review.read_twice}."
    st.progress(mine / count if count else 0.0, text=plain(text))


def _current(review: CaseReview, run_id: int) -> int:
    """Return the case to show: the one last moved to, else the first that is open to whoever looks."""
    place = st.session_state.get(f"case of {run_id}")
    if place in review.queue.rows:
        return int(place)
    return review.open_rows[0] if review.open_rows else review.queue.rows[0]


def _case(shown: Shown, review: CaseReview, row: int) -> None:
    import pandas as pd

    known = shown.case(row)
    place = review.queue.rows.index(row) + 1
    st.subheader(f"Case {place:d} of {len(review.queue.rows):d}", anchor=False)
    st.caption(f"Row {row:d} of the table")
    with st.container(horizontal=True, gap="medium"):
        st.metric("Label", plain(_words(known.get("true"))), width="content")
        st.metric("The model says", plain(_words(known.get("predicted"))), width="content")
        for name in ("score of predicted", "error"):
            if isinstance(number := known.get(name), float | int):
                st.metric(name.capitalize(), f"{number:.4g}", width="content")
    about = {"label suspected", "cost", "times the usual error", "score of true"}
    head = {"row", "true", "predicted", "score of predicted", "error"} | about
    told = [f"{name}: {_words(known[name])}" for name in known if name in about and known[name] is not None]
    if told:
        st.caption(plain("  ·  ".join(told)))
    values = {name: value for name, value in known.items() if name not in head}
    if not values:
        st.info("The values of this case were not kept. Run the analysis again to read it here.")
        return
    rows = pd.DataFrame({"Column": list(values), "Value": [_words(value) for value in values.values()]})
    st.dataframe(rows, hide_index=True, width="stretch", height="content" if len(rows) <= 20 else 500)


def _words(value: object) -> str:
    if value is None:
        return "(missing)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _moves(review: CaseReview, row: int, run_id: int) -> None:
    rows = review.queue.rows
    place = rows.index(row)
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Previous",
            icon=":material/arrow_back:",
            shortcut="Left",
            disabled=place == 0,
            on_click=_go,
            args=(run_id, rows[max(0, place - 1)]),
        )
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            shortcut="Right",
            disabled=place == len(rows) - 1,
            on_click=_go,
            args=(run_id, rows[min(len(rows) - 1, place + 1)]),
        )
        st.button(
            "First unread",
            icon=":material/skip_next:",
            shortcut="U",
            disabled=not review.open_rows,
            on_click=_go,
            args=(run_id, None),
        )


def _go(run_id: int, row: int | None) -> None:
    if row is None:
        st.session_state.pop(f"case of {run_id}", None)
    else:
        st.session_state[f"case of {run_id}"] = row


def _verdict(shown: Shown, review: CaseReview, row: int) -> None:
    mine, both = review.mine.get(row), review.revealed.get(row)
    frame.show_kept("case")
    if both:
        _both(shown, both, review)
        return
    if mine is None and row not in review.open_rows:
        st.info("Two other people have read this case.")
        return
    others = any(one.row == row for one in review.readings) and mine is None
    if others:
        st.caption("Somebody has read this case. You see their verdict once you have given yours.")
    draft = f"verdict {shown.run.id} {row}"
    chosen = st.session_state.get(draft, mine.verdict if mine else None)
    for number, verdict in enumerate(CaseVerdict, start=1):
        st.button(
            verdict.value.capitalize(),
            key=f"{draft} {number}",
            icon=_ICONS[verdict],
            shortcut=str(number),
            type="primary" if chosen == verdict else "secondary",
            help=plain(MEANS[verdict]),
            width="stretch",
            on_click=st.session_state.__setitem__,
            args=(draft, verdict),
        )
    if chosen is None:
        st.caption("Press 1 to 4, type a note, press Enter. Arrow keys move between cases.")
        return
    st.caption(plain(MEANS[CaseVerdict(chosen)]))
    _note(shown, row, CaseVerdict(chosen), mine)


def _note(shown: Shown, row: int, chosen: CaseVerdict, mine: Reading | None) -> None:
    label = "Why? One line that others can learn from"
    with st.form(f"note {shown.run.id} {row}", border=False):
        note = st.text_input(label, value=mine.note if mine else "", max_chars=2000, key=f"why {shown.run.id} {row}")
        right = None
        if chosen is CaseVerdict.LABEL_ERROR and shown.result.task == "classification":
            said = str(shown.case(row).get("predicted"))
            known = shown.labels
            right = st.selectbox("What is right", known, index=known.index(said) if said in known else None)
        submitted = st.form_submit_button("Save and next", type="primary", icon=":material/keyboard_return:")
    focus = st.components.v2.component("modelops_focus", html="<span></span>", js=_FOCUS)
    focus(key="focus the note", data={"label": label, "chosen": f"{row} {chosen}"}, height=1)
    if submitted:
        _save(shown, row, chosen, note, right)


def _save(shown: Shown, row: int, chosen: CaseVerdict, note: str, right: str | None) -> None:
    page, run_id = shown.page, shown.run.id
    with frame.refusals_shown():
        cases.read_case(
            page.store, run_id, row, actor=page.actor, at=page.at, verdict=chosen, note=note, right_label=right
        )
        review = cases.case_review(page.store, run_id, actor=page.actor)
        after = review.queue.rows[review.queue.rows.index(row) + 1 :]
        _go(run_id, next((each for each in after if each in review.open_rows), None))
        st.rerun(scope="fragment")


def _both(shown: Shown, both: tuple[Reading, Reading], review: CaseReview) -> None:
    row = both[0].row
    for one in both:
        whose = "You" if one.reader_id == shown.page.actor.user_id else "The other reader"
        _told(one, whose)
    stands = review.stands.get(row)
    if stands is not None and row in review.settlements:
        _told(review.settlements[row], "Settled")
    elif stands is None:
        st.warning("Both differ. Settle the case below.")


def _told(one: Reading, whose: str) -> None:
    with st.container(border=True, gap="small"):
        st.markdown(f"**{plain(whose)}: {plain(one.verdict.value)}**")
        if one.right_label:
            st.caption(plain(f"The right label is {one.right_label}."))
        widgets.said(one.note)


def _differences(shown: Shown, review: CaseReview) -> None:
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
            _told(one, whose)
    if not may_read(page):
        return
    with st.form(f"settle {shown.run.id} {row}"):
        verdict = st.radio(
            "Which verdict stands?", list(CaseVerdict), horizontal=True, format_func=lambda each: each.value
        )
        right = st.selectbox("If the label is wrong: what is right", shown.labels, index=None, placeholder="not named")
        note = st.text_input("Why?", max_chars=2000)
        submitted = st.form_submit_button("Settle", icon=":material/gavel:")
    if submitted:
        with frame.refusals_shown():
            cases.settle_case(
                page.store,
                shown.run.id,
                row,
                actor=page.actor,
                at=page.at,
                verdict=verdict or CaseVerdict.AMBIGUOUS,
                note=note,
                right_label=right if verdict is CaseVerdict.LABEL_ERROR else None,
            )
            st.rerun(scope="fragment")


def _found(shown: Shown, review: CaseReview) -> None:
    """Show what came of the reading: counts of verdicts, agreement, accuracy as adjusted, and who said what."""
    st.subheader("What was found", anchor=False)
    if not review.readings:
        st.caption("Nothing yet: read the first case above.")
        return
    with shown.page.store.reading() as reader:
        people = names(reader, {one.reader_id for one in review.readings})
    with st.container(horizontal=True, gap="large"):
        for verdict, count in review.counts.items():
            st.metric(verdict.value.capitalize(), f"{count:,}", help=plain(MEANS[verdict]), width="content")
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
                cases.attach_readings(
                    page.store, run.id, place.id, question, actor=page.actor, at=page.at, reason=reason
                )
                st.success("Attached, as it is now. Attach it again when more was read.")
