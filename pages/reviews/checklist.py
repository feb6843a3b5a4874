"""The questions of a review, one area at a time, or those that a filter leaves."""

import streamlit as st

from modelops.domain.checklist import Question
from modelops.domain.people import Right
from modelops.domain.readiness import Standing
from modelops.services import catalogue
from modelops.services.asking import standings
from modelops.store.tables import AnswerRow
from modelops.ui import frame
from modelops.ui.questions import key_of, question_row
from modelops.ui.reviews import heading, subject
from modelops.ui.text import plain

page = frame.open_page("Checklist", needs=Right.READ)
with page.store.reading() as reader:
    about = subject(reader, page)
    review = about.review
    template = catalogue.template(reader, review.template)
    rows = {row.question_id: row for row in reader.all(AnswerRow, review_id=review.id)}
    found = standings(reader, review, template, at=page.at)
heading(about, tab="Checklist")

UNSETTLED = {Standing.OPEN, Standing.FAILED}


def fits(question: Question, chosen: str) -> bool:
    """Say whether a question is left by a filter."""
    standing = found[question.id]
    match chosen:
        case "Mine":
            return rows[question.id].owner_id == page.actor.user_id
        case "Open":
            return standing in UNSETTLED
        case "Blocking":
            return question.is_blocking and standing in UNSETTLED
        case "Failed":
            return standing is Standing.FAILED
    return True


asked = template.at(review.gate)
linked = page.query("question")
if linked in rows and st.session_state.get("linked question") != linked:
    st.session_state["linked question"] = linked
    st.session_state[key_of(linked)] = True

areas = {area.id: area for area in template.areas if any(question.id in rows for question in area.questions)}
labels = {}
for number, area in enumerate(template.areas, start=1):
    inside = [question for question in area.questions if question.id in rows]
    settled = sum(found[question.id] in {Standing.SETTLED, Standing.WAIVED} for question in inside)
    short_name = area.id.capitalize()
    labels[area.id] = plain(f"{number} {short_name}  {settled}/{len(inside)}")

chosen = st.segmented_control(
    "Show",
    ["All", "Mine", "Open", "Blocking", "Failed"],
    default="All",
    key="filter",
    bind="query-params",
    required=True,
)
if chosen == "All":
    # The address may name an area, or a question in one; what is chosen goes back into the address for a reload.
    named = template.area_of(linked).id if linked in rows else page.query("area")
    if "area" not in st.session_state:
        st.session_state["area"] = named if named in areas else next(iter(areas))
    area_id = st.segmented_control(
        "Area", list(areas), default=None, format_func=labels.__getitem__, key="area", required=True
    ) or next(iter(areas))
    st.query_params["area"] = area_id
    area = areas[area_id]
    st.subheader(plain(area.title), anchor=False)
    first = linked if linked in rows and template.area_of(linked).id == area_id else None
    if first is not None:
        # A link leads here, and a page begins at its top: the question stands there, and not a second time below.
        question_row(page, review.id, first)
        st.caption("The question that the link asked for. The others of this area follow.")
    sections = [
        (section, [q for q in section.questions if q.id in rows and q.id != first]) for section in area.sections
    ]
    for section, questions in sections:
        if not questions:
            continue
        if len(sections) > 1:
            st.markdown(f"**{plain(template.numbers.get(section.id, ''))} {plain(section.title)}**")
        for question in questions:
            question_row(page, review.id, question.id)
else:
    fitting = [question for question in asked if fits(question, chosen)]
    if not fitting:
        st.success("No question fits this filter.", icon=":material/check_circle:")
    for question in fitting[:40]:
        question_row(page, review.id, question.id)
    if len(fitting) > 40:
        st.caption(f"{len(fitting) - 40:d} more: choose an area to see them.")
