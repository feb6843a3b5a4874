"""My account: who I am to this app, my log-ins, my API tokens."""

import streamlit as st

from modelops.domain.people import Authentication
from modelops.services import sessions, tokens
from modelops.store.queries_people import sessions_of
from modelops.store.tables import TokenRow
from modelops.ui import frame, widgets
from modelops.ui.frame import Page
from modelops.ui.text import ago, plain, utc


def show_person(page: Page) -> None:
    """Show name, login, roles and rights."""
    actor = page.actor
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch", gap="xsmall"):
        st.caption("Printed name")
        widgets.said(actor.name)
        st.caption("Login")
        widgets.said(actor.login)
        st.caption("Logged in with")
        widgets.said(actor.authentication)
    with right, st.container(border=True, height="stretch", gap="xsmall"):
        st.caption("Roles")
        with st.container(horizontal=True, gap="small"):
            for role in sorted(actor.roles):
                widgets.tag(role)
        st.caption("What they allow")
        widgets.said(", ".join(sorted(actor.rights)))
    if actor.authentication is Authentication.PASSWORD:
        widgets.same_tab_link("Change password", "/password?next=/account")


def show_sessions(page: Page) -> None:
    """List where I am logged in, and end the others."""
    mine, at = page.session, page.at
    with page.store.reading() as reader:
        rows = sessions_of(reader, mine.actor.user_id)
    for row in rows:
        with st.container(horizontal=True, vertical_alignment="center"):
            is_this = row.token_hash == mine.token_hash
            widgets.badge("this one" if is_this else "another", widgets.Tone.GOOD if is_this else widgets.Tone.QUIET)
            widgets.said(f"from {row.origin or 'an unknown address'}, since {utc(row.created_at)}")
            st.caption(plain(f"last click {ago(row.seen_at, at)}"), width="content")
    if len(rows) > 1 and st.button("Log out everywhere else", icon=":material/logout:"):
        with frame.refusals_shown():
            sessions.end_other_sessions(page.store, keep=mine.token_hash, actor=page.actor, at=page.at)
            st.rerun()


def show_tokens(page: Page) -> None:
    """List my API tokens, make one, revoke one."""
    made = make_token(page)
    with page.store.reading() as reader:
        rows = tokens.tokens_of(reader, page.actor.user_id)
    if not rows:
        st.caption("You have no token.")
    for row in rows:
        show_token(page, row, is_new=row.id == made)


def make_token(page: Page) -> int | None:
    """Show the form for a new token; return its number after it was made and shown."""
    with st.form("new token", clear_on_submit=True), st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("What it is for", placeholder="Release pipeline", max_chars=150)
        days = st.number_input("Days until it ends", min_value=1, max_value=tokens.LONGEST_DAYS, value=90)
        submitted = st.form_submit_button("Make a token", icon=":material/key:")
    if not submitted:
        return None
    with frame.refusals_shown():
        new = tokens.create_token(page.store, name=name, days=int(days), actor=page.actor, at=page.at)
        st.success("Copy it now: it is shown only this once.", icon=":material/key:")
        st.code(new.secret, language=None)
        return new.token_id
    return None


def show_token(page: Page, row: TokenRow, *, is_new: bool) -> None:
    """Show one token with its state and the button to revoke it."""
    at = page.at
    is_over = row.revoked_at is not None or row.expires_at <= at
    with st.container(horizontal=True, vertical_alignment="center"):
        state = "revoked" if row.revoked_at else "expired" if is_over else "new" if is_new else "active"
        widgets.status("active" if state == "new" else state)
        widgets.said(row.name)
        st.caption(plain(f"ends {utc(row.expires_at)}, last used {ago(row.used_at, at)}"), width="content")
        if not is_over and st.button("Revoke", key=f"revoke {row.id}", type="tertiary"):
            with frame.refusals_shown():
                tokens.revoke_token(page.store, row.id, actor=page.actor, at=page.at)
                st.rerun()


page = frame.open_page("My account")
widgets.heading("My account")
show_person(page)
st.header("Where I am logged in", anchor=False)
show_sessions(page)
st.header("API tokens", anchor=False)
st.caption("A token acts as you, with the roles that you have at that time. It cannot administer people or sign.")
show_tokens(page)
