"""Records that the app itself keeps and that a question wants as evidence: attached by one click, as they are now."""

from __future__ import annotations

import streamlit as st

from modelops.domain.review import EvidenceKind
from modelops.services import contracts, criteria
from modelops.services.asking import Asked
from modelops.services.criteria import CriteriaRecord
from modelops.store.queries_contracts import published
from modelops.store.tables import ReviewRow, VersionRow
from modelops.ui import frame
from modelops.ui.criteria import CRITERIA
from modelops.ui.frame import Page
from modelops.ui.models import CONTRACT
from modelops.ui.text import plain

_WHY = "A record of the app, as it is now."


def offer(page: Page, review: ReviewRow, now: Asked, *, may_add: bool) -> None:
    """Offer the records that the question wants, where they are there; otherwise the page where they are made."""
    wanted = {need.name for need in now.question.evidence if need.kind is EvidenceKind.RECORD}
    of_criteria = [record for record in CriteriaRecord if record in wanted]
    if of_criteria:
        _criteria(page, review, now, of_criteria, may_add=may_add)
    if contracts.RECORD in wanted:
        _contract(page, review, now, may_add=may_add)


def _criteria(page: Page, review: ReviewRow, now: Asked, wanted: list[CriteriaRecord], *, may_add: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for record in wanted if may_add and now.frozen else ():
            st.button(
                plain(f"Attach the {record.replace('_', ' ')}"),
                key=f"record {record} {now.question.id}",
                icon=":material/attach_file:",
                on_click=_attach,
                args=(page, review.id, now.question.id, record),
            )
        st.page_link(
            CRITERIA,
            label=f"Criteria number {now.frozen.number:d}" if now.frozen else "Write and freeze the criteria",
            icon=":material/rule:",
            query_params={"version": str(review.version_id)},
            width="content",
        )


def _attach(page: Page, review_id: int, question_id: str, record: CriteriaRecord) -> None:
    with frame.refusals_kept(question_id):
        criteria.attach_criteria(page.store, review_id, question_id, record, actor=page.actor, at=page.at, reason=_WHY)


def _contract(page: Page, review: ReviewRow, now: Asked, *, may_add: bool) -> None:
    with page.store.reading() as reader:
        model_id = reader.get(VersionRow, review.version_id, what="model version").model_id
        row = published(reader, model_id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if row and may_add:
            st.button(
                "Attach the data contract",
                key=f"record contract {now.question.id}",
                icon=":material/attach_file:",
                on_click=_attach_contract,
                args=(page, review.id, now.question.id),
            )
        st.page_link(
            CONTRACT,
            label=f"Data contract, version {row.version or 0:d}" if row else "Write and publish the data contract",
            icon=":material/contract:",
            query_params={"model": str(model_id)},
            width="content",
        )


def _attach_contract(page: Page, review_id: int, question_id: str) -> None:
    with frame.refusals_kept(question_id):
        contracts.attach_contract(page.store, review_id, question_id, actor=page.actor, at=page.at, reason=_WHY)
