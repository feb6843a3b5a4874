"""Entries of the audit trail on a page: who did what to which named thing, and one entry with its exact bytes."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from modelops.services.named_trail import NamedEntry, spoken
from modelops.ui.acts import act_words
from modelops.ui.models import DATASET, MODEL, VERSION
from modelops.ui.runs import RUN
from modelops.ui.text import plain

_WIDTHS = [2, 3, 8]
_LONGEST, _MOST = 160, 8
_PAGES = {
    "model": MODEL,
    "version": VERSION,
    "dataset": DATASET,
    "run": RUN,
    "review": "pages/reviews/review.py",
}


def show_entries(entries: Iterable[NamedEntry]) -> None:
    """Show entries one below the other; on a narrow screen their parts stand below one another, and nothing is cut."""
    for one in entries:
        with st.container(border=True, gap=None):
            when, who, what = st.columns(_WIDTHS, gap="small")
            with when, st.container(gap=None):
                _when(one)
            with who:
                _who(one)
            with what, st.container(gap=None):
                _what(one)


def _when(one: NamedEntry) -> None:
    at = one.entry.at
    st.markdown(plain(f"{at[:10]}\n{at[11:19]} UTC"))
    thing = one.thing
    if thing.is_known and thing.kind in _PAGES:
        st.page_link(_PAGES[thing.kind], label="Open", query_params={thing.kind: thing.key}, width="content")


def _who(one: NamedEntry) -> None:
    now = f" (now {one.actor_now})" if one.actor_now else ""
    st.markdown(f"**{plain(one.entry.actor_name)}**{plain(now)}  \n{plain(act_words(one.entry.action))}")


def _what(one: NamedEntry) -> None:
    is_own = one.thing.kind == "user" and one.thing.key == str(one.entry.actor_id)
    words = "their own account" if is_own else one.thing.words
    # A text, not a link: that would be cut on a narrow screen.
    st.markdown(f"**{plain(words[:1].upper())}{plain(words[1:])}**")
    if one.entry.reason:
        st.markdown(plain(f"“{' '.join(one.entry.reason.split())}”"))
    said = [_brief(text) for text in spoken(one.changes)]
    more = f"and {len(said) - _MOST} more" if len(said) > _MOST else ""
    origin = f"from {one.entry.origin}" if one.entry.origin else ""
    digest = f"content {one.entry.digest.short}" if one.entry.digest else ""
    number = f"entry {one.entry.sequence}, hash {one.hash[:12]}"
    st.caption(plain("  ·  ".join(filter(None, [*said[:_MOST], more, origin, digest, number]))))


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def show_entry(one: NamedEntry, body: str) -> None:
    """Show one entry with everything in it, its names, and the bytes that are hashed."""
    show_entries([one])
    if one.changes:
        st.text("\n".join(spoken(one.changes)))
    st.caption("The exact bytes that are hashed. Names are looked up when the page is shown and are not part of them.")
    st.code(body, language="json", wrap_lines=True)
    st.caption("The hash of this entry, and that of the entry before it")
    st.code(f"{one.hash}\n{one.previous}", language=None, wrap_lines=True)
