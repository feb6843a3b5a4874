"""Small things that many pages show: heading, breadcrumbs, badges, digests, an empty place."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import streamlit as st

from modelops.ui.text import plain, short

Colour = Literal["green", "red", "orange", "blue", "gray", "violet"]


class Tone(StrEnum):
    """What a badge says before its word is read. Each has a colour and a sign of its own; the word stands always."""

    GOOD = "good"
    BAD = "bad"
    CARE = "care"
    BUSY = "busy"
    QUIET = "quiet"


_LOOKS: dict[Tone, tuple[Colour, str]] = {
    Tone.GOOD: ("green", ":material/check_circle:"),
    Tone.BAD: ("red", ":material/cancel:"),
    Tone.CARE: ("orange", ":material/warning:"),
    Tone.BUSY: ("blue", ":material/pending:"),
    Tone.QUIET: ("gray", ":material/radio_button_unchecked:"),
}
_BADGES = {tone: f":{colour}-badge[{sign}" for tone, (colour, sign) in _LOOKS.items()}
_TONES: dict[str, Tone] = {
    **dict.fromkeys(("approved", "met", "passed", "finished", "closed", "done", "active", "reproduced"), Tone.GOOD),
    **dict.fromkeys(("approve", "granted", "low", "allowed", "remediated", "verified"), Tone.GOOD),
    **dict.fromkeys(("rejected", "not met", "failed", "revoked", "critical", "high", "disabled", "reject"), Tone.BAD),
    **dict.fromkeys(("refused", "not allowed", "cancelled", "open"), Tone.BAD),
    **dict.fromkeys(("partially", "changes requested", "expired", "waived", "medium", "immaterial"), Tone.CARE),
    **dict.fromkeys(("not enough data", "moderate", "drifted", "superseded"), Tone.CARE),
    **dict.fromkeys(("submitted", "in progress", "in review", "running", "queued", "requested"), Tone.BUSY),
}


@dataclass(frozen=True)
class Crumb:
    """One step of the way to a page: its label, the file of its page, and what stands in its address."""

    label: str
    page: str
    query: dict[str, str] = field(default_factory=dict)


def tone_of(value: StrEnum | str) -> Tone:
    """Return how a status looks; one that is neither good nor bad looks quiet."""
    return _TONES.get(str(value), Tone.QUIET)


def badge(word: str, tone: Tone, *, note: str | None = None) -> None:
    """Show a status: its word, with colour and sign; ``note`` appears when the pointer rests on it."""
    colour, sign = _LOOKS[tone]
    st.badge(plain(word), icon=sign, color=colour, help=None if note is None else plain(note))


def tag(word: str) -> None:
    """Show a word that is no status: a role, a kind."""
    st.badge(plain(word), color="gray")


def status(value: StrEnum | str, *, note: str | None = None) -> None:
    """Show one of the states that the domain knows."""
    badge(str(value), tone_of(value), note=note)


def status_line(value: StrEnum | str, text: str) -> None:
    """Show one of the states that the domain knows with a sentence after it, which wraps as a text does."""
    st.markdown(f"{_BADGES[tone_of(value)]} {plain(value)}] {plain(text)}")


def heading(title: str, *, lead: str | None = None, crumbs: Sequence[Crumb] = ()) -> None:
    """Show where one is, the name of the page, and one line on what it is for."""
    if crumbs:
        breadcrumbs(crumbs)
    st.title(plain(title), anchor=False)
    if lead is not None:
        st.caption(plain(lead))


def breadcrumbs(crumbs: Sequence[Crumb]) -> None:
    """Show the way to this page as links."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for place, crumb in enumerate(crumbs):
            if place:
                st.caption("/", width="content")
            st.page_link(crumb.page, label=plain(crumb.label), query_params=crumb.query or None, width="content")


def digest(value: str, *, whole: bool = False) -> None:
    """Show a digest in full with a button to copy it, or its beginning with the rest under the pointer."""
    if whole:
        st.code(value, language=None, wrap_lines=True)
    else:
        st.text(short(value), help=plain(value))


def empty_place(
    title: str, text: str, *, page: str | None = None, action: str = "", query: dict[str, str] | None = None
) -> None:
    """Say why there is nothing here, and what to do about it: never an empty table."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.subheader(plain(title), anchor=False, width="content")
        st.markdown(plain(text), width="content", text_alignment="center")
        if page is not None:
            st.page_link(
                page, label=plain(action), icon=":material/arrow_forward:", query_params=query, width="content"
            )


def said(text: str) -> None:
    """Show a text that a person wrote, letter by letter, with its line breaks."""
    st.text(text)


_LINK_STYLE = """
a {
  display: inline-block; box-sizing: border-box; padding: .45rem .85rem; font: inherit; text-decoration: none;
  color: var(--st-text-color); border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
a:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
a:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
"""


def same_tab_link(label: str, path: str) -> None:
    """Show a link to a page of the door, which Streamlit's own links would open in another tab.

    ``label`` and ``path`` are written by us; a path is one of this server.
    """
    address = path if path.startswith("/") and not path.startswith("//") else "/"
    link = f'<a href="{html.escape(address)}" target="_self">{html.escape(label)}</a>'
    name = "modelops_link" + re.sub("[^a-z]+", "_", address)
    st.components.v2.component(name, html=link, css=_LINK_STYLE)(key=name, width="content")
