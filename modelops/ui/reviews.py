"""What the pages of one review share: its heading, its tabs, and how its parts are called."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from modelops.domain.checklist import Gate
from modelops.domain.review import ReviewState
from modelops.store import Reader
from modelops.store.tables import ModelRow, ReviewRow, VersionRow
from modelops.ui import widgets
from modelops.ui.frame import Page
from modelops.ui.text import plain
from modelops.ui.widgets import Crumb

GATES = {
    Gate.INCEPTION: "Inception review",
    Gate.PRE_DEPLOYMENT: "Pre-deployment review",
    Gate.PERIODIC: "Periodic review",
}
STATES = {
    ReviewState.DRAFT: "Being prepared.",
    ReviewState.IN_PROGRESS: "Its authors answer the questions.",
    ReviewState.SUBMITTED: "Independent people look at it. Its answers stand still.",
    ReviewState.CHANGES_REQUESTED: "Its authors were asked for changes.",
    ReviewState.APPROVED: "Signed and sealed.",
    ReviewState.REJECTED: "Decided against. A correction is a new round.",
    ReviewState.WITHDRAWN: "Ended without a decision.",
    ReviewState.REVOKED: "The approval was taken back.",
    ReviewState.EXPIRED: "The approval has ended.",
    ReviewState.SUPERSEDED: "A newer approval has taken its place.",
}
_TABS = {
    "Overview": "pages/reviews/review.py",
    "Checklist": "pages/reviews/checklist.py",
    "Findings and waivers": "pages/reviews/findings.py",
    "Sign": "pages/reviews/sign.py",
    "Record": "pages/reviews/record.py",
}


@dataclass(frozen=True)
class Subject:
    """A review with the version and the model that it is about."""

    review: ReviewRow
    version: VersionRow
    model: ModelRow

    @property
    def title(self) -> str:
        """Model and version, as in headings."""
        return f"{self.model.name} {self.version.label}"


def subject(reader: Reader, page: Page) -> Subject:
    """Return the review that the page's address names.

    Raises
    ------
    NotFound
        If it names none, or one that does not exist.
    """
    review = reader.get(ReviewRow, page.wanted("review", what="review"), what="review")
    version = reader.get(VersionRow, review.version_id, what="model version")
    return Subject(review, version, reader.get(ModelRow, version.model_id, what="model"))


def heading(about: Subject, *, tab: str) -> None:
    """Show which review this is, where it stands, and the way to its other pages."""
    review = about.review
    query = {"review": str(review.id)}
    widgets.breadcrumbs(
        (
            Crumb("Reviews", "pages/reviews/reviews.py"),
            Crumb(about.model.name, "pages/models/model.py", {"model": str(about.model.id)}),
        )
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(plain(about.title), anchor=False, width="content")
        widgets.status(review.state, note=STATES[review.state])
        st.caption(f"{GATES[review.gate]}, round {review.round:d}", width="content")
    with st.container(horizontal=True, gap="small", key="tabs"):
        for name, path in _TABS.items():
            label = f"**{name}**" if name == tab else name
            st.page_link(path, label=label, query_params=query, width="content")
    st.space("xsmall")
