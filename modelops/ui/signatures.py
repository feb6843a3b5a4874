"""Signatures on the screen, and what they are put to."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from modelops.domain.checklist import Result
from modelops.services.standing import Standing
from modelops.store.tables import SignOffRow
from modelops.ui import widgets
from modelops.ui.criteria import criteria_list, moved_bar
from modelops.ui.models import fact
from modelops.ui.text import plain, utc


def signatures(rows: Iterable[SignOffRow]) -> None:
    """Show who signed, in which meaning, when, and why."""
    for row in rows:
        with st.container(border=True, gap="small"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{plain(row.printed_name)}**", width="content")
                widgets.status(row.decision)
            st.caption(plain(f"{row.meaning.capitalize()} as {row.role}, {utc(row.at)}, by {row.authentication}"))
            st.markdown(plain(f"“{row.statement}”"))
            widgets.said(row.reason)
            st.caption(plain(f"On content {row.content_digest.short}"), help=plain(row.content_digest))


def what_is_signed(now: Standing) -> None:
    """Show exactly the content that the digest stands for."""
    content = now.content
    st.caption("The digest of everything below. It changes if anything does.")
    widgets.digest(now.digest, whole=True)
    facts = {
        "Model": f"{content.model} {content.version}",
        "Risk tier": content.risk_tier,
        "Gate": f"{content.gate}, round {content.round}",
        "Checklist": f"{content.template.name} {content.template.version}",
        "Policy": f"{content.policy.name} {content.policy.version}",
        "Dependency lock": content.dependencies or "none",
    }
    halves = st.columns(2)
    for place, (name, value) in enumerate(facts.items()):
        with halves[place % 2]:
            fact(name, value)
    fact("Purpose", content.purpose)
    fact("Model file", content.artifact or "none, predictions only")
    if content.datasets:
        st.dataframe(
            [
                {"Dataset": d.name, "Role": d.role, "Rows": d.rows, "Digest": d.digest.short, "Target": d.roles.target}
                for d in content.datasets
            ],
            hide_index=True,
            width="stretch",
        )
    if content.acceptance:
        frozen = content.acceptance
        st.markdown("**Acceptance criteria**")
        st.caption(plain(f"Number {frozen.number}, frozen {frozen.frozen_at[:10]} by {frozen.frozen_by}"))
        criteria_list(frozen.body)
    for moved in content.moved_bars:
        moved_bar(moved, link=True)
    for area in now.template.areas:
        _area(now, area.id)
    for finding in content.findings:
        st.markdown(f"**{plain(f'Finding {finding.number}: {finding.title}')}**")
        st.caption(plain(f"{finding.severity}, {finding.state}, owner {finding.owner}, due {finding.due}"))
        widgets.said(finding.text)
    for waiver in content.waivers:
        about = waiver.question or f"finding {waiver.finding}"
        st.markdown(f"**{plain(f'Waiver {waiver.number} on {about}')}**")
        decided = f", decided by {waiver.decided_by}" if waiver.decided_by else ""
        who = f"risk owner {waiver.risk_owner}, asked for by {waiver.requested_by}{decided}"
        st.caption(plain(f"{waiver.state}, until {waiver.expires_on}, {who}"))
        widgets.said(f"Reason: {waiver.reason}\nCompensating control: {waiver.compensating_control}")


def _area(now: Standing, area_id: str) -> None:
    area = next(each for each in now.template.areas if each.id == area_id)
    inside = {question.id: question for question in area.questions}
    answers = [answer for answer in now.content.answers if answer.question in inside]
    if not answers:
        return
    met = sum(answer.result is Result.MET for answer in answers)
    with st.expander(plain(f"{area.title}  ({met} of {len(answers)} met)")):
        for answer in answers:
            st.markdown(f"**{plain(inside[answer.question].text)}**")
            widgets.status(answer.result)
            widgets.said(answer.text)
            for proof in answer.evidence:
                until = f", until {proof.expires_on}" if proof.expires_on else ""
                st.caption(plain(f"{proof.kind}: {proof.title} ({proof.digest.short}{until})"))
                if proof.text:
                    widgets.said(proof.text)
