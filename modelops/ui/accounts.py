"""What the pages about people share: choosing roles, and a password that is shown once."""

from __future__ import annotations

import streamlit as st

from modelops.domain.people import Role
from modelops.services.people import NewPassword
from modelops.ui.text import plain

ROLE_HELP = {
    Role.AUTHOR: "registers models, answers questions, submits",
    Role.REVIEWER: "reviews what others submitted, and signs",
    Role.APPROVER: "approves, decides on waivers, and signs",
    Role.AUDITOR: "reads everything, verifies, exports",
    Role.ADMINISTRATOR: "administers people; never reviews or signs",
}


def show_new_password(new: NewPassword) -> None:
    """Show a given-out password, this once."""
    st.success("Hand this over now: it is shown only this once, and must be changed at the first log-in.")
    login, password = st.columns(2)
    with login:
        st.caption("Login")
        st.code(new.login, language=None)
    with password:
        st.caption("One-time password")
        st.code(new.password, language=None)


def pick_roles(key: str, *, chosen: frozenset[Role] = frozenset()) -> frozenset[Role]:
    """Let somebody choose roles."""
    picked = st.pills(
        "Roles", list(Role), selection_mode="multi", default=sorted(chosen), format_func=str.capitalize, key=key
    )
    lines = [role.capitalize() + ": " + text for role, text in ROLE_HELP.items()]
    st.caption(plain(". ".join(lines) + "."))
    return frozenset(Role(role) for role in picked)
