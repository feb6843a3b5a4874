"""Sign a review: what is signed, by whom, and the password again."""

import streamlit as st

from modelops.domain.people import Authentication, Right
from modelops.domain.review import STATEMENTS, Decision, ReviewState
from modelops.errors import NotAllowed
from modelops.services import reviews, signing
from modelops.services.keyring import open_keys
from modelops.services.sessions import verify_password, verify_single_sign_on
from modelops.services.signing import Signing
from modelops.services.standing import standing
from modelops.ui import frame, widgets
from modelops.ui.reviews import heading, subject
from modelops.ui.signatures import signatures, what_is_signed
from modelops.ui.text import plain

page = frame.open_page("Sign", needs=Right.READ)
with page.store.reading() as reader:
    about = subject(reader, page)
    now = standing(reader, about.review, at=page.at)
heading(about, tab="Sign")
review, actor = about.review, page.actor

content, act = st.columns([3, 2], gap="large")
with content:
    st.subheader("What is signed", anchor=False)
    what_is_signed(now)
with act:
    st.subheader("Signatures", anchor=False)
    signatures(now.sign_offs)
    for rule in now.missing:
        wanted = f"{rule.meaning.capitalize()} by somebody with the role {rule.role}"
        widgets.status_line("requested" if review.state is ReviewState.SUBMITTED else "not yet", wanted)
    if review.state is not ReviewState.SUBMITTED:
        st.info(plain(f"This review is {review.state}. Only a submitted review is signed."))
        st.stop()
    if Right.SIGN not in actor.rights:
        st.info("You can read what is signed. Signing needs the role reviewer or approver.")
        st.stop()
    why_not = signing.why_not(now, actor)
    if why_not:
        st.error(plain(why_not), icon=":material/block:")
        st.stop()

    rules = signing.open_rules(now, actor)
    by_password = actor.authentication is Authentication.PASSWORD
    # New content, new form: a click on an older one signs nothing.
    with st.form(f"sign {now.digest}"):
        st.markdown("**Your signature**")
        rule = st.selectbox("Meaning", rules, format_func=lambda r: f"{r.meaning.capitalize()} (as {r.role})")
        decision = st.radio("Decision", list(Decision), format_func=str.capitalize, horizontal=True)
        for meaning in dict.fromkeys(each.meaning for each in rules):
            for choice in Decision:
                text = STATEMENTS.get((meaning, choice))
                if text:
                    st.caption(plain(f"{choice.capitalize()}: “{text}”"))
        reason = st.text_area("Reason", max_chars=5000, placeholder="What you looked at, and why you decide so")
        st.caption(
            plain(f"Your name is printed as {actor.name}, with the time in UTC, under content {now.digest.short}.")
        )
        password = (
            st.text_input("Your password again", type="password", autocomplete="current-password")
            if by_password
            else ""
        )
        submitted = st.form_submit_button("Sign", type="primary")
    if not by_password:
        widgets.same_tab_link("Confirm at the identity provider first", f"/oidc/confirm?next=/sign?review={review.id}")
    if submitted:
        with frame.refusals_shown():

            def prove() -> Authentication:
                """Prove that the person is at the keyboard now."""
                if by_password:
                    return verify_password(page.store, actor=page.actor, password=password, at=page.at)
                return verify_single_sign_on(page.store, frame.cookie(), actor=page.actor, at=page.at)

            if rule is None:
                raise NotAllowed("No signature of yours is missing.", rule="right:sign")
            signing.sign_off(
                page.store,
                review.id,
                Signing(rule.role, rule.meaning, Decision(str(decision)), reason, now.digest),
                actor=page.actor,
                authenticate=prove,
                keys=open_keys(page.settings.keys, page.store, at=page.at),
                at=page.at,
            )
            st.rerun()
    with st.expander("Ask for changes instead"), st.form("changes", border=False):
        wanted = st.text_area("What has to change", max_chars=5000)
        asked = st.form_submit_button("Give it back to its authors")
    if asked:
        with frame.refusals_shown():
            reviews.request_changes(page.store, review.id, actor=page.actor, at=page.at, reason=wanted)
            st.rerun()
