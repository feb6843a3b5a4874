"""Who is logged in, at the foot of the menu, with the way out."""

from __future__ import annotations

import streamlit as st

from modelops.domain.people import Actor
from modelops.ui.text import plain

# A plain form: the server answers it with a new page, so that the screen and its connection end with the session.
_LOG_OUT = """
<form method="post" action="/logout"><button type="submit">Log out</button></form>
"""
_LOG_IN = """
<a href="/login" target="_self">Go to the log-in page</a>
"""
_STYLE = """
form { margin: 0; }
button, a {
  display: block; width: 100%; box-sizing: border-box; padding: .45rem .75rem; cursor: pointer; text-align: center;
  font: inherit; font-size: .93rem; text-decoration: none;
  color: var(--st-text-color); background: transparent;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
button:hover, a:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:focus-visible, a:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
"""


def show(actor: Actor) -> None:
    """Show name and roles, and the button to log out."""
    with st.sidebar, st.container(border=True, gap="xsmall"):
        st.markdown(f"**{plain(actor.name)}**")
        st.caption(plain(", ".join(sorted(actor.roles)) or "no role"))
        st.components.v2.component("modelops_log_out", html=_LOG_OUT, css=_STYLE)(key="log out")


def log_in_link() -> None:
    """Show the way to the log-in page, in the same tab."""
    st.components.v2.component("modelops_log_in", html=_LOG_IN, css=_STYLE)(key="log in", width=260)
