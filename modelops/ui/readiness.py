"""Readiness on a page: one bar for each area, and the shortest list of what is left to do."""

from __future__ import annotations

import streamlit as st

from modelops.domain.checklist import Area
from modelops.services.standing import Standing
from modelops.ui.text import plain

MOST_TO_DO = 8


def area_bars(now: Standing) -> None:
    """Show how far each area is; the link leads to its questions."""
    numbers = {area.id: number for number, area in enumerate(now.template.areas, start=1)}
    for area in now.readiness.areas:
        title = title_of(now, area.area_id).title
        blocking = len(area.blockers)
        note = f", {blocking:d} blocking" if blocking else ""
        st.progress(
            area.progress,
            text=f"{numbers[area.area_id]:d}. {plain(title)}  \n:small[{area.settled:d} of {area.asked:d}{note}]",
        )


def title_of(now: Standing, area_id: str) -> Area:
    """Return an area of the review's template."""
    return next(area for area in now.template.areas if area.id == area_id)


def blocker_list(now: Standing) -> None:
    """Show why the review is not ready: the fewest acts that would change it, with who is to act."""
    if not now.blockers:
        st.success("Nothing blocks this review.", icon=":material/check_circle:")
        return
    st.subheader(f"Why not ready? {len(now.blockers):d} blocking", anchor=False)
    query = {"review": str(now.review.id)}
    findings = [blocker for blocker in now.blockers if blocker.subject.startswith("finding ")]
    for blocker in findings:
        with st.container(border=True, gap="small"):
            st.markdown(f"**{plain(blocker.why)}**")
            st.caption(plain(_with_owner(blocker.what_to_do, (blocker.owner,) if blocker.owner else ())))
            st.page_link("pages/reviews/findings.py", label="Open the finding", query_params=query)
    for step in now.readiness.to_do[:MOST_TO_DO]:
        first = step.question_ids[0]
        with st.container(border=True, gap="small"):
            text = now.template.question(first).text
            others = len(step.question_ids) - 1
            about = f"And {others:d} more question{'s' if others > 1 else ''}." if others else ""
            # The question stands beside its link, not in it: a link does not wrap, and would be cut on a narrow screen.
            st.markdown(f"**{plain(step.what)}**  \n{plain(text)}")
            if about or step.owners:
                st.caption(plain(_with_owner(about, step.owners).strip()))
            st.page_link(
                "pages/reviews/checklist.py",
                label="Go to the question",
                icon=":material/arrow_forward:",
                query_params={**query, "question": first, "area": now.template.area_of(first).id},
            )
    left = len(now.readiness.to_do) - MOST_TO_DO
    if left > 0:
        st.page_link(
            "pages/reviews/checklist.py",
            label=f"{left:d} more steps: see the blocking questions",
            query_params={**query, "filter": "Blocking"},
        )


def _with_owner(text: str, owners: tuple[str, ...]) -> str:
    return f"{text} Owner: {', '.join(owners)}." if owners else text
