"""How well the process that opened a file was walled in, in words."""

from __future__ import annotations

import streamlit as st

from modelops.domain.result import Protection
from modelops.ui import widgets
from modelops.ui.text import plain
from modelops.ui.widgets import Tone

_LEVELS = {
    "A": (Tone.GOOD, "isolated", "enforced by the kernel", "It had no network, no files but its own, no programs."),
    "B": (
        Tone.CARE,
        "partly isolated",
        "enforced by the kernel in part",
        "Files that the server can read could be read.",
    ),
    "C": (
        Tone.BAD,
        "not isolated",
        "not enforced by the kernel",
        "It was only limited in time and memory. Open only files that you trust.",
    ),
}


def protection_note(found: Protection) -> None:
    """Show the level of protection under which a file was opened."""
    tone, word, how, text = _LEVELS[found.level]
    layers = ", ".join(found.layers) or "no layer"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        widgets.badge(word, tone, note=f"Sandbox level {found.level}: {how} ({layers}).")
        st.caption(plain(text), width="content")
