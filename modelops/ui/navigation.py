"""Every page of the app in one tuple, and the frame in which each is shown.

A new page is one file in ``pages/`` and one line here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from modelops.domain.people import Actor, Right
from modelops.errors import NotAllowed
from modelops.settings import ROOT
from modelops.ui import frame, sidebar, widgets
from modelops.ui.text import plain

SECTIONS = ("Home", "Models", "Reviews", "Analyses", "Monitoring", "Governance", "Admin")
_UNKNOWN = "unknown address"
_LONGEST_SHOWN = 100
_LOGO = str(Path(__file__).parent / "logo.svg")


@dataclass(frozen=True)
class Entry:
    """One page: where it stands in the menu, its file below ``pages/``, its title, its address, who may see it.

    ``listed=False`` keeps a page out of the menu that is opened from another one, with an id in its address.
    """

    section: str
    file: str
    title: str
    icon: str
    address: str
    needs: Right = Right.READ
    listed: bool = True

    @property
    def path(self) -> str:
        """The file as `st.page_link` and `st.switch_page` want it."""
        return f"pages/{self.file}"


PAGES: tuple[Entry, ...] = (
    Entry("Home", "home/welcome.py", "Start", ":material/home:", "start"),
    Entry("Home", "home/account.py", "My account", ":material/person:", "account"),
    Entry("Models", "models/models.py", "Models", ":material/deployed_code:", "models"),
    Entry("Models", "models/model.py", "Model", ":material/deployed_code:", "model", listed=False),
    Entry("Models", "models/version.py", "Version", ":material/deployed_code:", "version", listed=False),
    Entry(
        "Models",
        "models/compare_versions.py",
        "Compare two versions",
        ":material/compare:",
        "compare-versions",
        listed=False,
    ),
    Entry("Models", "models/criteria.py", "Acceptance criteria", ":material/rule:", "criteria", listed=False),
    Entry("Models", "models/contract.py", "Data contract", ":material/contract:", "contract", listed=False),
    Entry("Models", "models/dataset.py", "Dataset", ":material/table:", "dataset", listed=False),
    Entry("Analyses", "analyses/analyses.py", "Analyses", ":material/monitoring:", "analyses"),
    Entry(
        "Analyses",
        "analyses/start.py",
        "Run an analysis",
        ":material/monitoring:",
        "start-analysis",
        needs=Right.RUN,
        listed=False,
    ),
    Entry("Analyses", "analyses/run.py", "Analysis run", ":material/monitoring:", "run", listed=False),
    Entry("Analyses", "analyses/workbench.py", "Threshold workbench", ":material/tune:", "workbench", listed=False),
    Entry("Analyses", "analyses/cases.py", "Read the cases", ":material/rule:", "cases", listed=False),
    Entry("Analyses", "analyses/what_if.py", "What if", ":material/alt_route:", "what-if", listed=False),
    Entry("Analyses", "analyses/compare.py", "Compare two runs", ":material/compare:", "compare", listed=False),
    Entry("Reviews", "reviews/reviews.py", "Reviews", ":material/fact_check:", "reviews"),
    Entry("Reviews", "reviews/review.py", "Review", ":material/fact_check:", "review", listed=False),
    Entry("Reviews", "reviews/checklist.py", "Checklist", ":material/checklist:", "checklist", listed=False),
    Entry("Reviews", "reviews/findings.py", "Findings and waivers", ":material/flag:", "findings", listed=False),
    Entry("Reviews", "reviews/sign.py", "Sign", ":material/draw:", "sign", listed=False),
    Entry("Reviews", "reviews/record.py", "Record", ":material/verified:", "record", listed=False),
    Entry("Governance", "governance/gate.py", "Gate", ":material/door_front:", "gate", needs=Right.GATE),
    Entry("Governance", "governance/audit.py", "Audit trail", ":material/history:", "audit", needs=Right.READ_AUDIT),
    Entry("Governance", "governance/frameworks.py", "Frameworks", ":material/gavel:", "frameworks"),
    Entry("Governance", "governance/policy.py", "Policy and template", ":material/rule:", "policy"),
    Entry("Admin", "admin/people.py", "People", ":material/group:", "people", needs=Right.ADMINISTER),
    Entry("Admin", "admin/person.py", "Person", ":material/person:", "person", needs=Right.ADMINISTER, listed=False),
)


def show() -> None:
    """Show the page that the address names, to whoever may see it."""
    st.set_page_config(page_title="ModelOps", page_icon=frame.ICON, layout="wide")
    try:
        actor = frame.session().actor
    except NotAllowed as refusal:
        _show_ended(str(refusal))
        return
    st.logo(_LOGO, size="large")
    pages = allowed_pages(actor)
    pages[SECTIONS[0]] += _unknown_address()
    chosen = st.navigation({name: entries for name, entries in pages.items() if entries}, expanded=True)
    sidebar.show(actor)
    with frame.refusals_shown():
        chosen.run()


def allowed_pages(actor: Actor) -> dict[str, list[st.Page]]:
    """Return the pages by section; one that ``actor`` may not see is not listed, and says why if it is opened.

    The first page of all is where everybody starts.
    """
    allowed = allowed_entries(actor)
    found: dict[str, list[st.Page]] = {name: [] for name in SECTIONS}
    for entry in PAGES:
        found[entry.section].append(_page(entry) if entry in allowed else _refusal(entry, actor))
    return found


def allowed_entries(actor: Actor) -> tuple[Entry, ...]:
    """Return what of `PAGES` somebody may see."""
    return tuple(entry for entry in PAGES if entry.needs in actor.rights)


def _page(entry: Entry) -> st.Page:
    is_first = entry is PAGES[0]
    return st.Page(
        ROOT / entry.path,
        title=entry.title,
        icon=entry.icon,
        url_path=None if is_first else entry.address,
        default=is_first,
        visibility="visible" if entry.listed else "hidden",
    )


def _refusal(entry: Entry, actor: Actor) -> st.Page:
    """Without a page at this address, Streamlit would say that it does not exist, which is no help."""

    def refuse() -> None:
        actor.require(entry.needs)

    return st.Page(refuse, title=entry.title, url_path=entry.address, visibility="hidden")


def _unknown_address() -> list[st.Page]:
    """Return a page at the address that was opened if there is none: Streamlit would show the first page there.

    The browser names an address once; afterwards it asks for the page by its hash, so the address is kept.
    """
    context = get_script_run_ctx()
    opened = "" if context is None else context.pages_manager.intended_page_name
    if opened and "/" not in opened and opened not in {entry.address for entry in PAGES}:
        st.session_state[_UNKNOWN] = opened
    kept = st.session_state.get(_UNKNOWN)
    return [st.Page(_no_such_page, title="No such page", url_path=kept, visibility="hidden")] if kept else []


def _no_such_page() -> None:
    frame.open_page("No such page")
    address = "/" + st.session_state[_UNKNOWN][:_LONGEST_SHOWN]
    widgets.empty_place(
        "There is no such page",
        f"Nothing is at the address {address}. It may be mistyped, or from another version of this app.",
        page=PAGES[0].path,
        action="Go to the start page",
    )


def _show_ended(reason: str) -> None:
    """Streamlit learns its pages also where nobody may see one: otherwise it would go on offering the last list."""
    st.navigation([st.Page(lambda: None, title="Log in", default=True)], position="hidden").run()
    st.title("Log in again", anchor=False)
    st.info(plain(reason))
    sidebar.log_in_link()
