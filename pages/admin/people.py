"""People: everybody who has an account, and the form for a new one."""

from dataclasses import dataclass

import streamlit as st

from modelops.domain.names import listed, printable
from modelops.domain.people import Right, Role
from modelops.services import people
from modelops.services.people import NewPassword
from modelops.store.queries_people import persons
from modelops.ui import frame, widgets
from modelops.ui.accounts import pick_roles, show_new_password
from modelops.ui.frame import Page
from modelops.ui.text import ago, plain

PERSON = "pages/admin/person.py"
_ADDED, _ADDED_SO_FAR = "added just now", "added so far"


@dataclass(frozen=True)
class _Added:
    """Somebody who was added just now, for the one look at their password."""

    name: str
    roles: frozenset[Role]
    password: NewPassword


def add_person(page: Page) -> None:
    """Show the form for a new account, and above it, once, who was added with it just now."""
    # Each person gets fields of their own: what was typed or chosen for the last one is never there for the next.
    form = f"add {st.session_state.get(_ADDED_SO_FAR, 0):d}"
    with st.expander("Add somebody", icon=":material/person_add:"):
        frame.show_kept("add")
        added = st.session_state.pop(_ADDED, None)
        if added is not None:
            st.markdown(plain(f"{added.name} was added as {listed(sorted(added.roles))}."))
            show_new_password(added.password)
        with st.form("add", border=False):
            name, login = st.columns(2)
            name.text_input("Printed name", help="As it stands under signatures.", max_chars=150, key=f"{form} name")
            login.text_input(
                "Login", help="2 to 64 letters a-z, digits or . _ @ + -", max_chars=64, key=f"{form} login"
            )
            pick_roles(f"{form} roles")
            st.form_submit_button("Add", type="primary", on_click=_add, args=(page, form))


def _add(page: Page, form: str) -> None:
    """Add whom the form describes; a refusal leaves in it what was typed."""
    name, login = (st.session_state[f"{form} {field}"] for field in ("name", "login"))
    roles = frozenset(Role(role) for role in st.session_state[f"{form} roles"])
    with frame.refusals_kept("add"):
        new = people.add_person(page.store, login=login, name=name, roles=roles, actor=page.actor, at=page.at)
        st.session_state[_ADDED] = _Added(printable(name), roles, new)
        st.session_state[_ADDED_SO_FAR] = st.session_state.get(_ADDED_SO_FAR, 0) + 1


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
