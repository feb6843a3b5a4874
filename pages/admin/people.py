"""People: everybody who has an account, and the form for a new one."""

import streamlit as st

from modelops.domain.people import Right
from modelops.services import people
from modelops.store.queries_people import persons
from modelops.ui import frame, widgets
from modelops.ui.accounts import pick_roles, show_new_password
from modelops.ui.frame import Page
from modelops.ui.text import ago, plain

PERSON = "pages/admin/person.py"


def add_person(page: Page) -> None:
    """Show the form for a new account."""
    with st.expander("Add somebody", icon=":material/person_add:"), st.form("add", border=False):
        name, login = st.columns(2)
        printed = name.text_input("Printed name", help="As it stands under signatures.", max_chars=150)
        typed = login.text_input("Login", help="2 to 64 letters a-z, digits or . _ @ + -", max_chars=64)
        roles = pick_roles("new roles")
        if not st.form_submit_button("Add", type="primary"):
            return
        with frame.refusals_shown():
            new = people.add_person(page.store, login=typed, name=printed, roles=roles, actor=page.actor, at=page.at)
            show_new_password(new)


def show_everybody(page: Page) -> None:
    """List everybody, each with a link to their account."""
    with page.store.reading() as reader:
        everybody = persons(reader)
    at = page.at
    for found in everybody:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.page_link(PERSON, label=plain(found.name), query_params={"id": str(found.id)}, width=220)
            st.text(found.login, width=160)
            with st.container(horizontal=True, gap="small", width="stretch"):
                for role in sorted(found.roles):
                    widgets.tag(role)
            st.caption(plain(f"seen {ago(found.last_seen, at)}"), width=130)
            widgets.status("active" if found.is_active else "disabled")


page = frame.open_page("People", needs=Right.ADMINISTER)
widgets.heading("People", lead="Who may do what here. A review takes an author, a reviewer and an approver.")
add_person(page)
show_everybody(page)
