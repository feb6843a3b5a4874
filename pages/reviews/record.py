"""The sealed record of a review: what proves it, how to take it along, how to verify it without us."""

import streamlit as st

from modelops.attest.keys import fingerprint
from modelops.domain.digest import Digest
from modelops.domain.people import Right
from modelops.domain.review import ReviewState
from modelops.services import gating, reviews
from modelops.services.exporting import changes_since_approval
from modelops.services.keyring import open_keys
from modelops.store.tables import AttestationRow, SignOffRow
from modelops.ui import frame, widgets
from modelops.ui.reviews import heading, subject
from modelops.ui.signatures import signatures
from modelops.ui.text import plain, utc

page = frame.open_page("Record", needs=Right.READ)
with page.store.reading() as reader:
    about = subject(reader, page)
    review = about.review
    sealed = reader.find(AttestationRow, review.id)
    signed = [row for row in reader.all(SignOffRow, review_id=review.id) if row.submission == review.submission]
    differences = changes_since_approval(page.store, reader, review)
heading(about, tab="Record")
actor = page.actor
with st.container(horizontal=True):
    widgets.same_tab_link("Report (HTML)", f"/api/v1/reviews/{review.id}/report")
    widgets.same_tab_link("Model card (HTML)", f"/api/v1/reviews/{review.id}/model-card")
    if sealed and Right.EXPORT in actor.rights:
        widgets.same_tab_link("Sealed record (zip)", f"/api/v1/reviews/{review.id}/bundle")
if sealed is None:
    st.info("There is no sealed record yet: it is made with the last signature that the policy asks for.")
    signatures(signed)
    st.stop()

left, right = st.columns(2, gap="large")
with left:
    st.subheader("Sealed", anchor=False)
    st.markdown(f"{utc(sealed.sealed_at)}, entry {sealed.audit_sequence:d} of the audit trail.")
    if review.valid_until:
        st.markdown(f"Valid until {utc(review.valid_until)}.")
    if differences:
        st.warning(f"Approved for an earlier state. What differs now stands in the overview ({len(differences):d}).")
    if about.version.artifact:
        st.caption(plain(f"Digest of the model file that was approved: {about.version.artifact_name}"))
        widgets.digest(about.version.artifact, whole=True)
    else:
        st.caption("The version has no model file: what was approved is known by its predictions alone.")
    st.caption("Digest of the content that was signed")
    widgets.digest(review.content_digest or "", whole=True)
    st.caption("Digest of the sealed statement")
    widgets.digest(Digest.of(sealed.envelope.encode()), whole=True)
    signatures(signed)
with right:
    st.subheader("Verify it without this app", anchor=False)
    keys = open_keys(page.settings.keys, page.store, at=page.at)
    st.markdown("The zip holds everything, and the program that checks it. Ask for this fingerprint by another way:")
    st.code(fingerprint(keys.ring.keys[0].id), language=None, wrap_lines=True)
    st.code(
        f"python verify.py review-{review.id}.zip --key {keys.ring.current.id}\n"
        f"modelops verify review-{review.id}.zip --trust {keys.ring.current.id}",
        language="shell",
        wrap_lines=True,
    )
    if about.version.artifact:
        st.subheader("The gate", anchor=False)
        if st.button("Ask the gate now"):
            with frame.refusals_shown():
                decision = gating.ask(page.store, about.version.artifact, keys=keys, actor=page.actor, at=page.at)
                widgets.status("allowed" if decision.allowed else "not allowed")
                for check in decision.checks:
                    widgets.status_line(check.outcome, check.because)
    if review.state is ReviewState.APPROVED and Right.SIGN in actor.rights:
        with st.expander("Take the approval back"), st.form("revoke", border=False):
            reason = st.text_area("Reason", max_chars=5000)
            revoked = st.form_submit_button("Revoke")
        if revoked:
            with frame.refusals_shown():
                reviews.revoke(page.store, review.id, actor=page.actor, at=page.at, reason=reason)
                st.rerun()
