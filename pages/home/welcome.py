"""The start page: what the app is for, and the next step of whoever looks at it."""

import streamlit as st

from modelops.domain.people import Right, Role
from modelops.services.waiting import waiting_for
from modelops.store.queries_people import persons
from modelops.store.tables import ModelRow
from modelops.ui import example, frame, widgets
from modelops.ui.text import day, plain

MODELS, REVIEWS, ANALYSES = "pages/models/models.py", "pages/reviews/reviews.py", "pages/analyses/analyses.py"
AUDIT, PEOPLE = "pages/governance/audit.py", "pages/admin/people.py"
Step = tuple[str, str, str | None, str]
MOST_WAITING = 10
STEPS: dict[Role, tuple[Step, ...]] = {
    Role.AUTHOR: (
        ("Register a model", "Its name, its purpose, its owner, and how much depends on it.", MODELS, "Models"),
        ("Bring a version and its data", "A model file, or only a table with its predictions.", None, ""),
        ("Open a review", "Answer the questions; analyses you run become evidence.", REVIEWS, "Reviews"),
        ("Submit", "Somebody who had no part in it reviews and signs.", None, ""),
    ),
    Role.REVIEWER: (
        ("Read what was submitted", "Every answer with its evidence, and what changed.", REVIEWS, "Reviews"),
        (
            "Run an analysis again",
            "See whether the result holds: reproduced, drifted, or not possible.",
            ANALYSES,
            "Analyses",
        ),
        ("Write findings, or sign", "Your signature holds for exactly what was on the screen.", None, ""),
    ),
    Role.APPROVER: (
        (
            "See why a review is not ready",
            "The shortest list of things to do, each with its owner.",
            REVIEWS,
            "Reviews",
        ),
        ("Decide on waivers", "Each ends on a date and names who carries the risk.", None, ""),
        ("Sign", "With your password, a meaning and a reason. The last one seals the record.", None, ""),
    ),
    Role.AUDITOR: (
        ("Read the audit trail", "Who did what, when, with the old and the new value.", AUDIT, "Audit trail"),
        ("Verify it", "The chain, and the signed checkpoints that were kept elsewhere.", None, ""),
        ("Export a record", "One zip that anybody can verify without this app.", REVIEWS, "Reviews"),
    ),
    Role.ADMINISTRATOR: (
        ("Add people", "Each with the roles they need. Nobody reviews what they contributed to.", PEOPLE, "People"),
        ("Keep the two apart", "You administer; others review and sign.", AUDIT, "Audit trail"),
    ),
}


def show_steps(role: Role) -> None:
    """Show what a role does here, in its order."""
    columns = st.columns(len(STEPS[role]))
    for number, (column, (title, text, path, action)) in enumerate(zip(columns, STEPS[role], strict=True), start=1):
        with column, st.container(border=True, height="stretch", gap="xsmall"):
            st.caption(f"Step {number:d}")
            st.markdown(f"**{plain(title)}**")
            st.caption(plain(text))
            if path is not None:
                st.page_link(path, label=plain(action), icon=":material/arrow_forward:")


page = frame.open_page("Start")
actor = page.actor
widgets.heading(f"Welcome, {actor.name}", lead="Ship a model only when you can show that it is ready.")

with page.store.reading() as reader:
    is_alone = len(persons(reader)) == 1
    has_models = reader.first(ModelRow) is not None
    waiting = waiting_for(reader, actor, at=page.at)

if waiting:
    st.subheader("Waiting for you", anchor=False)
    for item in waiting[:MOST_WAITING]:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            # The text stands beside its link, not in it: a link does not wrap.
            st.markdown(plain(f"{item.about}: {item.what}"), width="stretch")
            if item.due:
                is_late = item.due < page.at.date()
                widgets.badge(f"due {day(item.due)}", widgets.Tone.BAD if is_late else widgets.Tone.QUIET)
            st.page_link(
                f"pages/reviews/{item.page}.py",
                label="Open",
                icon=":material/arrow_forward:",
                query_params={"review": str(item.review_id)},
                width="content",
            )
    if len(waiting) > MOST_WAITING:
        st.caption(f"{len(waiting) - MOST_WAITING:d} more.")

if is_alone and Right.ADMINISTER in actor.rights:
    widgets.empty_place(
        "You are the first one here",
        "Add an author, a reviewer and an approver: a review takes at least three people.",
        page=PEOPLE,
        action="Add people",
    )
if Right.ADMINISTER in actor.rights and (not has_models or example.is_shown()):
    example.offer(page)

for role in Role:
    if role in actor.roles:
        st.subheader(plain("As " + role), anchor=False)
        show_steps(role)

if Right.ADMINISTER in actor.rights and has_models and not example.is_shown():
    example.where()
