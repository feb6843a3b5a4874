"""The policy and the checklist that new reviews are held to."""

import streamlit as st

from modelops.domain.inventory import RiskTier
from modelops.domain.people import Right
from modelops.services import catalogue
from modelops.ui import frame, widgets
from modelops.ui.text import plain, utc

page = frame.open_page("Policy and template", needs=Right.READ)
widgets.heading(
    "Policy and template", lead="What is demanded of a review, who must sign, and which questions are asked."
)
with page.store.reading() as reader:
    template_row, policy_row = catalogue.latest(reader)
    template, policy = catalogue.template(reader, template_row.digest), catalogue.policy(reader, policy_row.digest)
st.caption("A review keeps the versions that were published when it was opened.")
st.subheader("Who signs", anchor=False)
st.dataframe(
    [
        {
            "Risk tier": tier.value,
            "Signatures": ", ".join(f"{rule.meaning} by {rule.role}" for rule in policy.signatures_for(tier)),
            "Approval holds": f"{policy.approval_valid_days[tier]} days",
            "Waivers hold at most": f"{policy.waiver_max_days[tier]} days",
        }
        for tier in RiskTier
    ],
    hide_index=True,
    width="stretch",
)
st.subheader("Rules for results", anchor=False)
st.caption(plain(f"Policy {policy.name} {policy.version}, published {utc(policy_row.published_at)}"))
st.dataframe(
    [
        {
            "Analysis": rule.analysis,
            "Measurement": rule.metric,
            "For each": ", ".join(rule.for_each) or ("whole data, or class" if rule.by_class else "whole data"),
            "Limit": f"at most {rule.at_most}" if rule.at_most is not None else f"at least {rule.at_least}",
            "Margin": rule.margin,
            "Why": rule.why,
        }
        for rule in policy.rules
    ],
    hide_index=True,
    width="stretch",
)
st.subheader("Questions", anchor=False)
st.caption(plain(f"{template.title} {template.version}, published {utc(template_row.published_at)}"))
for area in template.areas:
    with st.expander(plain(f"{area.title}  ({len(area.questions)})")):
        for question in area.questions:
            st.markdown(f"**{plain(question.text)}**")
            st.caption(plain(f"{question.id}: {question.weight}, from {question.gate} on"))
if Right.ADMINISTER in page.actor.rights:
    st.subheader("Publish", anchor=False)
    with st.form("publish"):
        kind = st.segmented_control("What", ["Checklist template", "Policy"], default="Policy", required=True)
        body = st.text_area("YAML", height=200, help="Start from the file of the published one; give it a new version.")
        published = st.form_submit_button("Publish")
    if published:
        with frame.refusals_shown():
            act = catalogue.publish_policy if kind == "Policy" else catalogue.publish_template
            act(page.store, body, actor=page.actor, at=page.at)
            st.rerun()
    with st.container(horizontal=True):
        st.download_button("Save the policy", policy_row.body, file_name="policy.yaml", on_click="ignore")
        st.download_button("Save the template", template_row.body, file_name="template.yaml", on_click="ignore")
