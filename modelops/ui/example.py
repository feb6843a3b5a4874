"""Loading the example workspace from a page: it goes on while people look elsewhere, and survives a reload."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

import streamlit as st

from modelops.demo.workspace import load
from modelops.domain.people import Actor
from modelops.errors import ModelOpsError
from modelops.services.keyring import open_keys
from modelops.services.people import NewPassword
from modelops.ui import frame
from modelops.ui.frame import Page
from modelops.ui.text import plain

_SECOND_APP = "MODELOPS_HOME=/tmp/example .venv/bin/python -m modelops serve --port 8600"
_log = logging.getLogger(__name__)


@dataclass
class Loading:
    """How far the loading of the example is; one for each process."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    is_busy: bool = False
    fraction: float = 0.0
    text: str = ""
    error: str = ""
    accounts: list[NewPassword] = field(default_factory=list)


@st.cache_resource
def _loading() -> Loading:
    return Loading()


def is_shown() -> bool:
    """Whether the example is being loaded, or its accounts have not been written down yet."""
    now = _loading()
    return now.is_busy or bool(now.accounts or now.error)


def offer(page: Page) -> None:
    """Offer the example to an administrator of an empty store; show its progress, and its accounts once it is there."""
    now = _loading()
    if now.accounts:
        _accounts(now)
        return
    with st.container(border=True):
        st.subheader("Look around with an example", anchor=False)
        st.caption(
            "Three models with 18 months of credit decisions: one signed and in production, one in review, one just "
            "begun. It is made and trained on this machine, which takes a minute or two."
        )
        if now.error:
            st.error(plain(now.error), icon=":material/error:")
        if now.is_busy:
            st.fragment(run_every=1.0)(_progress)(now)
        elif st.button("Load the example workspace", icon=":material/download:"):
            with frame.refusals_shown():
                _start(page, page.actor, now)
                st.rerun()


def where() -> None:
    """Say how the example is looked at when the store has models of its own: it is never mixed with them."""
    with st.expander("Load the example", icon=":material/download:"):
        st.caption(
            "Three models with 18 months of made-up credit decisions. Nothing can be deleted here later, so the "
            "example goes into a place of its own, never among your models. On the machine that runs this app, start "
            "a second one with an empty folder, and load the example from its start page:"
        )
        st.code(_SECOND_APP, language="bash")


def _progress(now: Loading) -> None:
    if not now.is_busy:
        st.rerun()
    st.progress(now.fraction, text=plain(now.text or "Starting"))


def _start(page: Page, actor: Actor, now: Loading) -> None:
    store, at = page.store, datetime.now(UTC)
    keys = open_keys(page.settings.keys, store, at=at)
    with now.lock:
        if now.is_busy:
            return
        now.is_busy, now.error, now.fraction, now.text = True, "", 0.0, ""

    def tell(fraction: float, text: str) -> None:
        now.fraction, now.text = min(max(fraction, 0.0), 1.0), text

    def work() -> None:
        try:
            now.accounts = load(store, keys, actor=actor, at=at, progress=tell)
        except ModelOpsError as error:
            now.error = str(error)
        except Exception:  # noqa: BLE001 - logged and shown; nobody else would see it
            _log.exception("The example could not be loaded")
            now.error = "The example could not be loaded; the log has the reason."
        finally:
            now.is_busy = False

    threading.Thread(target=work, name="example", daemon=True).start()


def _accounts(now: Loading) -> None:
    with st.container(border=True):
        st.subheader("The example is there", anchor=False)
        st.caption("Log in as one of these people. The passwords are shown only here, and changed at the first log-in.")
        width = max(len(account.login) for account in now.accounts)
        st.code("\n".join(f"{account.login:{width}}  {account.password}" for account in now.accounts), language=None)
        if st.button("I have written them down"):
            now.accounts = []
            st.rerun()
