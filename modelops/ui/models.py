"""What the pages of the inventory share: how its words are explained, what comes next for a model, its history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from modelops.domain.audit import read_entry
from modelops.domain.inventory import DatasetRole, RiskTier
from modelops.domain.policy import Policy
from modelops.domain.review import EDITABLE, ReviewState
from modelops.store.tables import AuditRow, ModelRow, ReviewRow, VersionRow
from modelops.ui import widgets
from modelops.ui.acts import act_words
from modelops.ui.text import plain, utc
from modelops.ui.widgets import Crumb, Tone

MODEL = "pages/models/model.py"
VERSION = "pages/models/version.py"
COMPARE_VERSIONS = "pages/models/compare_versions.py"
DATASET = "pages/models/dataset.py"
CONTRACT = "pages/models/contract.py"

HARM = {
    RiskTier.LOW: "A wrong answer is a nuisance and easily put right.",
    RiskTier.MEDIUM: "A wrong answer costs money or time, or treats somebody unfairly.",
    RiskTier.HIGH: "A wrong answer can harm people, their rights or the whole organisation.",
}
DATASET_ROLES = {
    DatasetRole.TEST: "Rows that the model never saw, with what came true: most analyses look at these.",
    DatasetRole.TRAIN: "What the model learned from.",
    DatasetRole.REFERENCE: "How the data looked when the model was approved: drift is measured against it.",
    DatasetRole.PRODUCTION: "What the model decided lately, with or without the outcomes.",
    DatasetRole.POPULATION: "Whom or what the model is meant for, to see whether the data stands for them.",
}
_TIER_TONES = {RiskTier.LOW: Tone.QUIET, RiskTier.MEDIUM: Tone.QUIET, RiskTier.HIGH: Tone.CARE}
_OPEN = EDITABLE | {ReviewState.SUBMITTED}
_STEPS = {
    **dict.fromkeys(EDITABLE, ("Answer the checklist", "pages/reviews/checklist.py")),
    ReviewState.SUBMITTED: ("Review and sign", "pages/reviews/sign.py"),
    ReviewState.APPROVED: ("See the sealed record", "pages/reviews/record.py"),
}
OPENED = "a part of the page was opened"
_SHOWN_VALUE = 80
_LINES = 16


@dataclass(frozen=True)
class Step:
    """What a model waits for, and the page on which it is done."""

    label: str
    page: str
    query: dict[str, str]

    def link(self, *, from_page: str = "") -> None:
        """Show it as a link, or on the page itself, which is ``from_page``, as a button that opens the part."""
        if self.page == from_page:
            st.button(self.label, icon=":material/arrow_forward:", on_click=_open_part, args=(self.query["tab"],))
            return
        st.page_link(
            self.page, label=self.label, icon=":material/arrow_forward:", query_params=self.query, width="content"
        )


def _open_part(tab: str) -> None:
    st.session_state["tab"] = tab
    st.session_state[OPENED] = True


def next_step(model_id: int, latest: VersionRow | None, review: ReviewRow | None, *, has_data: bool = True) -> Step:
    """Return what a model waits for; ``review`` is the newest of all its versions."""
    here = {"model": str(model_id)}
    if latest is None:
        return Step("Add a version", MODEL, {**here, "tab": "Versions"})
    if not has_data and review is None:
        return Step("Add its data", MODEL, {**here, "tab": "Data"})
    if review is None or (review.version_id != latest.id and review.state not in _OPEN):
        return Step(f"Open a review of {plain(latest.label)}", MODEL, {**here, "tab": "Reviews"})
    label, page = _STEPS.get(review.state, ("Open a new review", MODEL))
    return Step(label, page, {**here, "tab": "Reviews"} if page == MODEL else {"review": str(review.id)})


def tier_badge(tier: RiskTier) -> None:
    """Show a risk tier."""
    widgets.badge(f"{tier} risk", _TIER_TONES[tier], note=HARM[tier])


def tier_note(policy: Policy, tier: RiskTier) -> str:
    """Return what a risk tier means: how much harm, whose signatures, how long an approval holds."""
    rules = policy.signatures_for(tier)
    count = {1: "One signature", 2: "Two signatures", 3: "Three signatures"}.get(len(rules), f"{len(rules)} signatures")
    who = ", ".join(rule.role for rule in rules)
    return f"{HARM[tier]} {count} ({who}); an approval holds {policy.approval_valid_days[tier]} days."


def crumbs(model: ModelRow) -> tuple[Crumb, ...]:
    """Return the way to a page below a model."""
    return Crumb("Models", "pages/models/models.py"), Crumb(model.name, MODEL, {"model": str(model.id)})


def fact(name: str, value: str) -> None:
    """Show one fact: its name small, its value under it, letter by letter."""
    with st.container(gap=None, width="stretch"):
        st.caption(plain(name))
        widgets.said(value)


def suggested_label(labels: Iterable[str]) -> str:
    """Return a label for the next version: the newest with its last number counted up.

    Examples
    --------
    >>> suggested_label(["1.0", "1.9"]), suggested_label([]), suggested_label(["spring"])
    ('1.10', '1.0', '')
    """
    known = list(labels)
    if not known:
        return "1.0"
    front, _, last = known[-1].rpartition(".")
    if not (last.isascii() and last.isdigit() and len(last) < 9):
        return ""
    number = int(last)
    while (label := f"{front}.{number}" if front else str(number)) in known:
        number += 1
    return label


def history(rows: Iterable[AuditRow], names: dict[str, str]) -> None:
    """Show entries of the audit trail in words; ``names`` says what subjects are called."""
    lines = []
    for row in rows:
        entry = read_entry(row.body.encode())
        act = act_words(row.action)
        called = "" if row.subject.startswith("model/") else f" {names.get(row.subject, row.subject.partition('/')[2])}"
        what = f"{act[0].upper()}{act[1:]}{called}"
        if row.action == "model:change":
            what = f"{what}: {'; '.join(_changes(entry.old, entry.new))}"
        line = {"When": utc(row.at), "Who": row.actor_name, "What": what, "Reason": entry.reason or ""}
        lines.append({**line, "Entry": row.sequence})
    st.dataframe(
        lines,
        hide_index=True,
        width="stretch",
        height="content" if len(lines) <= _LINES else 560,
        column_config={
            "When": st.column_config.TextColumn(width=160),
            "Who": st.column_config.TextColumn(width=120),
            "What": st.column_config.TextColumn(width=300),
            "Reason": st.column_config.TextColumn(width=190),
            "Entry": st.column_config.NumberColumn(width="small", help="Its number in the audit trail."),
        },
    )


def _changes(old: object, new: object) -> list[str]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return []
    return [f"{name.replace('_', ' ')}: {_brief(old.get(name))} → {_brief(value)}" for name, value in new.items()]


def _brief(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN_VALUE else text[: _SHOWN_VALUE - 1] + "…"
