"""One review at a glance: how ready, what is in the way, what to do next."""

import streamlit as st

from modelops.domain.number_words import percent
from modelops.domain.people import Right
from modelops.domain.review import EDITABLE, ReviewState
from modelops.services import reviews
from modelops.services.exporting import changes_since_approval
from modelops.services.standing import standing
from modelops.store.queries_review import datasets
from modelops.ui import frame, widgets
from modelops.ui.criteria import CRITERIA, moved_bar
from modelops.ui.models import fact
from modelops.ui.readiness import area_bars, blocker_list, title_of
from modelops.ui.reviews import STATES, heading, subject
from modelops.ui.text import plain, utc

page = frame.open_page("Review", needs=Right.READ)
with page.store.reading() as reader:
    about = subject(reader, page)
    now = standing(reader, about.review, at=page.at)
    differences = changes_since_approval(page.store, reader, about.review)
    tables = datasets(reader, about.review.id)
heading(about, tab="Overview")
review, actor = about.review, page.actor

if differences:
    st.warning(
        "**Approved for an earlier state.** What was signed is not what stands here now. The gate is closed until a "
        "new round is signed.",
        icon=":material/history:",
    )
    with st.expander(f"What differs ({len(differences):d})", expanded=len(differences) < 6):
        for difference in differences:
            st.markdown(f"**{plain(difference.what)}**")
            signed, current = st.columns(2)
            with signed:
                fact("As it was signed", difference.signed or "nothing")
            with current:
                fact("Now", difference.now or "nothing")

for moved in now.content.moved_bars:
    moved_bar(moved, link=True)

ready = now.readiness
summary, steps = st.columns([2, 3], gap="large")
with summary:
    score = "-" if ready.score is None else percent(ready.score)
    weakest = title_of(now, ready.weakest.area_id).title if ready.weakest else ""
    st.metric(
        "Readiness", score, help="The score of the weakest area, never the average: a chain and its weakest link."
    )
    if weakest and ready.score != 1:
        st.caption(plain(f"Weakest area: {weakest}"))
    st.progress(ready.progress, text=f"{ready.settled:d} of {ready.asked:d} questions settled")
    area_bars(now)
with steps:
    if now.review.state in EDITABLE:
        blocker_list(now)
    elif review.state is ReviewState.SUBMITTED:
        st.subheader("Waiting for signatures", anchor=False)
        for rule in now.missing:
            st.markdown(plain(f"{rule.meaning.capitalize()} by somebody with the role {rule.role}"))
        if now.blockers:
            blocker_list(now)
        st.page_link("pages/reviews/sign.py", label="Read what is signed", query_params={"review": str(review.id)})
    else:
        st.subheader(plain(str(review.state).capitalize()), anchor=False)
        st.markdown(STATES[review.state])
        if review.valid_until:
            st.markdown(f"Valid until {utc(review.valid_until)}.")
        st.page_link("pages/reviews/record.py", label="See the record", query_params={"review": str(review.id)})

st.subheader("What it rests on", anchor=False)
with st.container(border=True):
    st.caption("Model file")
    if about.version.artifact:
        widgets.digest(about.version.artifact, whole=True)
    else:
        st.markdown("None: predictions only.")
    st.caption("Acceptance criteria")
    acceptance = now.content.acceptance
    st.page_link(
        CRITERIA,
        label=plain(f"Number {acceptance.number}, frozen {acceptance.frozen_at[:10]} by {acceptance.frozen_by}")
        if acceptance
        else "None are frozen",
        query_params={"version": str(about.version.id)},
    )
    st.caption("Data")
    for table in tables:
        st.page_link(
            "pages/models/dataset.py",
            label=plain(f"{table.name} ({table.role}, {table.rows:,} rows{', archived' if table.archived_at else ''})"),
            query_params={"dataset": str(table.id)},
        )
    if not tables:
        st.caption("No dataset yet.")
    st.caption(
        plain(
            f"Checklist {now.content.template.version}, policy {now.content.policy.version}: fixed when it was opened."
        )
    )

if Right.SUBMIT in actor.rights and review.state in EDITABLE:
    st.subheader("Hand it over", anchor=False)
    with st.form("submit"):
        note = st.text_area("Note for the reviewers (optional)", max_chars=2000)
        left = len(now.blockers)
        label = "Submit for review" if not left else f"Submit for review ({left:d} things block it)"
        submitted = st.form_submit_button(label, type="primary")
    if submitted:
        with frame.refusals_shown():
            reviews.submit(page.store, review.id, actor=page.actor, at=page.at, note=note)
            st.rerun()
ENDABLE = EDITABLE | {ReviewState.SUBMITTED}
if Right.SUBMIT in actor.rights and review.state in ENDABLE:
    with st.expander("Withdraw this review"), st.form("withdraw"):
        reason = st.text_input("Reason", max_chars=2000)
        withdrawn = st.form_submit_button("Withdraw")
    if withdrawn:
        with frame.refusals_shown():
            reviews.withdraw(page.store, review.id, actor=page.actor, at=page.at, reason=reason)
            st.rerun()
