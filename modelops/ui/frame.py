"""The frame around every page: who looks at it, what may be shown, and what happens when something is refused.

Identity comes from the session cookie alone and is looked up at every run of a page and of a fragment. Streamlit's own
state of a screen is never believed: it may have been begun by somebody else, and is emptied then.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from modelops.domain.people import Actor, Right
from modelops.errors import InvalidInput, ModelOpsError, NotAllowed, NotFound
from modelops.services.screens import claim_screen
from modelops.services.sessions import Found, SessionLimits, cookie_name, find_session
from modelops.settings import Settings
from modelops.settings import settings as read_settings
from modelops.store import Store
from modelops.store.opened import opened
from modelops.ui.text import plain

ICON = str(Path(__file__).parent / "icon.png")
_ACCOUNT = "modelops account"
_ADDRESS = "modelops address"
_REFUSED = "modelops refused "
_LOG = logging.getLogger("modelops.ui")


@dataclass(frozen=True)
class Page:
    """One page while it is shown. Every look at ``actor`` asks the database, also inside a fragment."""

    title: str
    needs: Right | None

    @property
    def actor(self) -> Actor:
        """Who looks at the page, with the rights of this moment.

        Raises
        ------
        NotAllowed
            If the session has ended, or the right that the page needs was taken away.
        """
        actor = session().actor
        if self.needs is not None:
            actor.require(self.needs)
        return actor

    @property
    def session(self) -> Found:
        """The log-in behind the page."""
        return session()

    @property
    def store(self) -> Store:
        """The store."""
        return opened(read_settings())

    @property
    def settings(self) -> Settings:
        """The settings."""
        return read_settings()

    @property
    def at(self) -> datetime:
        """The time now."""
        return datetime.now(UTC)

    def query(self, name: str) -> str | None:
        """Return a text from the page's address, or ``None``."""
        return st.query_params.get(name)

    def number(self, name: str) -> int | None:
        """Return a whole number from the page's address, or ``None`` if it is not there.

        Raises
        ------
        InvalidInput
            If it is something else.
        """
        text = st.query_params.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise InvalidInput(f"The address of this page has {text[:40]!r} as {name}; a number is wanted.")
        return int(text)

    def wanted(self, name: str, *, what: str) -> int:
        """Return a whole number that this page cannot do without.

        Raises
        ------
        NotFound
            If the address does not have it; ``what`` names the thing for people.
        """
        number = self.number(name)
        if number is None:
            raise NotFound(f"The address of this page names no {what}. Open it from a list.")
        return number


def open_page(title: str, *, needs: Right | None = None) -> Page:
    """Begin a page: check who looks at it, name the browser's tab.

    Raises
    ------
    NotAllowed
        If nobody is logged in, or they lack the right that the page needs. `modelops.ui.navigation` shows it.
    """
    st.set_page_config(page_title=title + " · ModelOps", page_icon=ICON, layout="wide")
    page = Page(title, needs)
    _ = page.actor
    _keep_address(title)
    return page


def _keep_address(title: str) -> None:
    """After a link from a page to itself, the browser's address lacks the ids (seen on 1.67): write them back."""
    ids = st.query_params.to_dict()
    earlier_title, earlier_ids = st.session_state.get(_ADDRESS, (None, {}))
    if ids and title == earlier_title and ids != earlier_ids:
        for name, value in ids.items():
            # A part of the address that a widget keeps is written by the widget.
            with contextlib.suppress(StreamlitAPIException):
                st.query_params[name] = value
    st.session_state[_ADDRESS] = (title, ids)


def session() -> Found:
    """Return the log-in whose cookie this screen's connection brought.

    Raises
    ------
    NotAllowed
        If it has ended.
    """
    found = _look_up()
    if found is None or found.must_change_password:
        st.session_state.clear()
        raise NotAllowed("Your session has ended. Log in again.", rule="session")
    context = get_script_run_ctx()
    if context is not None:
        claim_screen(context.session_id, found.token_hash)
    owner = st.session_state.get(_ACCOUNT)
    if owner != found.actor.user_id:
        st.session_state.clear()
        st.session_state[_ACCOUNT] = found.actor.user_id
        if owner is not None:
            # What this screen's earlier owner began, a fragment or a click, must not go on in another name.
            st.rerun()
    return found


def cookie() -> str | None:
    """Return the session cookie's token, for services that end, renew or confirm a session."""
    return st.context.cookies.to_dict().get(cookie_name(read_settings()))


def _look_up() -> Found | None:
    chosen = read_settings()
    origin = st.context.ip_address or "127.0.0.1"
    return find_session(opened(chosen), cookie(), datetime.now(UTC), origin=origin, limits=SessionLimits.of(chosen))


@contextlib.contextmanager
def refusals_shown() -> Iterator[None]:
    """Show what is refused inside the block, with its reason; anything unexpected with a number for the log."""
    try:
        yield
    except ModelOpsError as refusal:
        st.error(plain(refusal), icon=":material/block:")
    except Exception as error:  # noqa: BLE001 - the last resort: logged, and shown without a trace of the program
        show_unexpected(error)


@contextlib.contextmanager
def refusals_kept(place: str) -> Iterator[None]:
    """Keep what is refused inside the block until `show_kept` is called for the same ``place``.

    For callbacks of a fragment: what they draw themselves would replace what stands first on the page.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the last resort, as above
        st.session_state[_REFUSED + place] = error


def show_kept(place: str) -> None:
    """Show what a callback was refused, once."""
    refused = st.session_state.pop(_REFUSED + place, None)
    if refused is not None:
        show_unexpected(refused)


def show_unexpected(error: Exception) -> bool:
    """Log an error under a number and show the number. Streamlit calls it for what no page caught."""
    if isinstance(error, ModelOpsError):
        st.error(plain(error), icon=":material/block:")
        return True
    number = secrets.token_hex(6)
    _LOG.error("Error %s on a page", number, exc_info=error)
    st.error(
        f"Something went wrong here, and nothing was changed by it. The log has the reason under {plain(number)}.",
        icon=":material/error:",
    )
    return True
