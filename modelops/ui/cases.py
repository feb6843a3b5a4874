"""Reading cases on the screen: one at a time, by the keyboard; where two readers differ; what came of it."""

from __future__ import annotations

import streamlit as st

from modelops.charts.arrangement import number
from modelops.domain.case_reading import CaseVerdict, Reading
from modelops.services import cases
from modelops.services.cases import CaseReview
from modelops.ui import frame
from modelops.ui.case_findings import MEANS, Shown, differences, found, may_read, told
from modelops.ui.text import plain

CASES = "pages/analyses/cases.py"
_ICONS = {
    CaseVerdict.MODEL_ERROR: ":material/psychology_alt:",
    CaseVerdict.LABEL_ERROR: ":material/label_off:",
    CaseVerdict.AMBIGUOUS: ":material/help:",
    CaseVerdict.DATA_ERROR: ":material/database_off:",
}
# The cursor goes to the note as soon as a verdict is chosen, so that nobody needs the mouse.
_FOCUS = """
export default function ({ data }) {
  const note = () => document.querySelector(`input[aria-label="${data.label}"]`);
  let tries = 0;
  const focus = () => { const field = note(); if (field) field.focus(); else if (tries++ < 20) setTimeout(focus, 50); };
  if (data.chosen) focus();
}
"""


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
    differences(shown, review)
    found(shown, review)


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
        st.metric("Label", plain(value_words(known.get("true"))), width="content")
        st.metric("The model says", plain(value_words(known.get("predicted"))), width="content")
        for name in ("score of predicted", "error"):
            if isinstance(value := known.get(name), float | int):
                st.metric(plain(name.capitalize()), number(value), width="content")
    about = {"cost", "times the usual error", "score of true"}
    # That the model doubts the label would sway whoever is to judge it.
    head = {"row", "true", "predicted", "score of predicted", "error", "label suspected"} | about
    told = [f"{name}: {value_words(known[name])}" for name in known if name in about and known[name] is not None]
    if told:
        st.caption(plain("  ·  ".join(told)))
    values = {name: value for name, value in known.items() if name not in head}
    if not values:
        st.info("The values of this case were not kept. Run the analysis again to read it here.")
        return
    rows = pd.DataFrame({"Column": list(values), "Value": [_words(value) for value in values.values()]})
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        height="content" if len(rows) <= 20 else 500,
        # What is long are values: levels with many words.
        column_config={
            "Column": st.column_config.TextColumn(width=130),
            "Value": st.column_config.TextColumn(width=320),
        },
    )


def value_words(value: object) -> str:
    """Return what the model or the label says, a number with four digits that count.

    Examples
    --------
    >>> value_words(-83124.9), value_words(0.00322207), value_words("Other enquiry")
    ('-83,125', '0.003222', 'Other enquiry')
    """
    return number(value) if isinstance(value, float) else _words(value)


def _words(value: object) -> str:
    if value is None:
        return "(missing)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1_000_000 else f"{value:.0f}"
    return str(value).removesuffix(" 00:00:00")


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
    others = row in review.touched and mine is None
    if others:
        st.caption("Somebody has read this case. You see their verdict once you have given yours.")
    draft = f"verdict {shown.run.id} {row}"
    chosen = st.session_state.get(draft, mine.verdict if mine else None)
    for place, verdict in enumerate(CaseVerdict, start=1):
        st.button(
            verdict.value.capitalize(),
            key=f"{draft} {place}",
            icon=_ICONS[verdict],
            shortcut=str(place),
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
    key = f"why {shown.run.id} {row}"
    with st.form(f"note {shown.run.id} {row}", border=False):
        st.text_input(label, value=mine.note if mine else "", max_chars=2000, key=key)
        if chosen is CaseVerdict.LABEL_ERROR and shown.result.task == "classification":
            said = str(shown.case(row).get("predicted"))
            known = shown.labels
            place = known.index(said) if said in known else None
            st.selectbox("What is right", known, index=place, key=f"{key} right")
        st.form_submit_button(
            "Save and next",
            type="primary",
            icon=":material/keyboard_return:",
            on_click=_save,
            args=(shown, row, chosen, key),
        )
    focus = st.components.v2.component("modelops_focus", html="<span></span>", js=_FOCUS)
    focus(key="focus the note", data={"label": label, "chosen": f"{row} {chosen}"}, height=1)


def _save(shown: Shown, row: int, chosen: CaseVerdict, key: str) -> None:
    page, run_id = shown.page, shown.run.id
    right = st.session_state.get(f"{key} right") if chosen is CaseVerdict.LABEL_ERROR else None
    with frame.refusals_kept("case"):
        cases.read_case(
            page.store,
            run_id,
            row,
            actor=page.actor,
            at=page.at,
            verdict=chosen,
            note=st.session_state.get(key, ""),
            right_label=right,
        )
        review = cases.case_review(page.store, run_id, actor=page.actor)
        after = review.queue.rows[review.queue.rows.index(row) + 1 :]
        _go(run_id, next((each for each in after if each in review.open_rows), None))


def _both(shown: Shown, both: tuple[Reading, Reading], review: CaseReview) -> None:
    row = both[0].row
    for one in both:
        whose = "You" if one.reader_id == shown.page.actor.user_id else "The other reader"
        told(one, whose)
    stands = review.stands.get(row)
    if stands is not None and row in review.settlements:
        told(review.settlements[row], "Settled")
    elif stands is None:
        st.warning("Both differ. Settle the case below.")
