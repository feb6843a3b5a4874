"""How well the process that opened a file was walled in, in words."""

from __future__ import annotations

import streamlit as st

from modelops.domain.result import Protection
from modelops.ui import widgets
from modelops.ui.text import plain
from modelops.ui.widgets import Tone

_LEVELS = {
    "A": (Tone.GOOD, "Isolated: it had no network, no files but its own, no programs."),
    "B": (Tone.CARE, "Partly isolated: files that the server can read could be read."),
    "C": (Tone.BAD, "Not isolated, only limited in time and memory. Open only files that you trust."),
}


def protection_note(found: Protection) -> None:
    """Show the level of protection under which a file was opened."""
    tone, text = _LEVELS[found.level]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        widgets.badge(f"protection {found.level}", tone, note=", ".join(found.layers) or "no layer")
        st.caption(plain(text), width="content")
