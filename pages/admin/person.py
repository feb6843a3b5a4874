"""One person: their roles, their name, their password, and whether they may log in."""

import streamlit as st

from modelops.domain.people import Right
from modelops.services import people
from modelops.store.queries_people import Person, person
from modelops.ui import frame, widgets
from modelops.ui.accounts import pick_roles, show_new_password
from modelops.ui.frame import Page
from modelops.ui.text import plain, utc

PEOPLE = "pages/admin/people.py"


def show_person(page: Page, found: Person) -> None:
    """Show one account and what can be done with it."""
    widgets.heading(found.name, crumbs=[widgets.Crumb("People", PEOPLE)])
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        widgets.status("active" if found.is_active else "disabled")
        st.text(found.login)
        st.caption(plain(f"since {utc(found.created_at)}, last seen {utc(found.last_seen)}"), width="content")
    if found.must_change_password:
        st.info("Has a password that was given out and not changed yet.", icon=":material/key:")
    if found.uses_single_sign_on:
        st.info("Logs in by single sign-on; the roles come from the groups there.", icon=":material/login:")
    if found.id == page.actor.user_id:
        st.info("This is you. Another administrator changes your roles and your account.", icon=":material/groups:")
        return
    change_roles(page, found)
    left, middle, right = st.columns(3)
    with left:
        rename(page, found)
    with middle:
        reset(page, found)
    with right:
        switch(page, found)


def change_roles(page: Page, found: Person) -> None:
    """Show the form for other roles."""
    with st.form("roles"):
        st.subheader("Roles", anchor=False)
        roles = pick_roles("roles of " + str(found.id), chosen=found.roles)
        reason = st.text_input("Reason", key="why roles", max_chars=500)
        submitted = st.form_submit_button("Change roles", disabled=found.uses_single_sign_on)
    if submitted:
        with frame.refusals_shown():
            people.set_roles(page.store, found.id, roles, reason=reason, actor=page.actor, at=page.at)
            st.rerun()


def rename(page: Page, found: Person) -> None:
    """Show the form for another printed name."""
    with st.form("name", height="stretch"):
        st.subheader("Printed name", anchor=False)
        name = st.text_input("Name", value=found.name, max_chars=150)
        reason = st.text_input("Reason", key="why name", max_chars=500)
        submitted = st.form_submit_button("Change name")
    if submitted:
        with frame.refusals_shown():
            people.set_name(page.store, found.id, name, reason=reason, actor=page.actor, at=page.at)
            st.rerun()


def reset(page: Page, found: Person) -> None:
    """Show the form for a new one-time password."""
    with st.form("reset", height="stretch"):
        st.subheader("Password", anchor=False)
        st.caption("Gives a new one-time password and ends every session.")
        reason = st.text_input("Reason", key="why reset", max_chars=500)
        submitted = st.form_submit_button("Reset password", disabled=found.uses_single_sign_on)
    if submitted:
        with frame.refusals_shown():
            show_new_password(people.reset_password(page.store, found.id, reason=reason, actor=page.actor, at=page.at))


def switch(page: Page, found: Person) -> None:
    """Show the form to disable or enable the account."""
    act = people.disable_person if found.is_active else people.enable_person
    word = "Disable" if found.is_active else "Enable"
    with st.form("switch", height="stretch"):
        st.subheader(plain(word), anchor=False)
        st.caption("A disabled account keeps its name in the audit trail; nobody is ever deleted.")
        reason = st.text_input("Reason", key="why switch", max_chars=500)
        submitted = st.form_submit_button(plain(word + " account"))
    if submitted:
        with frame.refusals_shown():
            act(page.store, found.id, reason=reason, actor=page.actor, at=page.at)
            st.rerun()


page = frame.open_page("Person", needs=Right.ADMINISTER)
with page.store.reading() as reader:
    shown = person(reader, page.wanted("id", what="person"))
show_person(page, shown)
