"""Analysis runs in lists, and one while it works."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from modelops.analyses.registry import ANALYSES
from modelops.domain.people import Right
from modelops.services import runs
from modelops.store import Reader
from modelops.store.tables import TERMINAL, DatasetRow, ModelRow, RunRow, RunState, VersionRow
from modelops.ui import frame, widgets
from modelops.ui.frame import Page
from modelops.ui.text import ago, plain

RUN = "pages/analyses/run.py"
START = "pages/analyses/start.py"
COMPARE = "pages/analyses/compare.py"
TITLES = {one.key: one.title for one in ANALYSES}
_EVERY_SECONDS = 1.0
_LONGEST = 220


@dataclass(frozen=True)
class Names:
    """What people call the things that runs are about."""

    models: Mapping[int, str]
    versions: Mapping[int, str]
    datasets: Mapping[int, str]

    def subject(self, run: RunRow, *, with_model: bool) -> str:
        """Return on what a run was made."""
        model = self.models.get(run.model_id, "")
        version = self.versions.get(run.version_id or 0, "")
        about = f"{model} {version}" if with_model else version
        return ", ".join(part for part in (about.strip(), self.datasets.get(run.data_id, "")) if part)


def names_for(reader: Reader, rows: Iterable[RunRow]) -> Names:
    """Look up the names of everything that some runs are about."""
    rows = list(rows)
    models = {row.model_id for row in rows}
    versions = {row.version_id for row in rows if row.version_id}
    datasets = {number for row in rows for number in (row.data_id, row.reference_id, row.train_id) if number}
    return Names(
        {number: row.name for number in models if (row := reader.find(ModelRow, number))},
        {number: of.label for number in versions if (of := reader.find(VersionRow, number))},
        {number: table.name for number in datasets if (table := reader.find(DatasetRow, number))},
    )


def run_line(run: RunRow, names: Names, *, at: datetime, with_model: bool = True) -> None:
    """Show one run of a list."""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            title = TITLES.get(run.analysis, run.analysis)
            st.page_link(RUN, label=f"**{plain(title)}**", query_params={"run": str(run.id)}, width="content")
            outcome(run)
            st.caption(plain(names.subject(run, with_model=with_model)), width="content")
            st.space("stretch")
            st.caption(plain(f"run {run.id}, {ago(run.requested_at, at)}"), width="content")
        text = run.summary or run.message
        if text:
            st.caption(plain(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"))


def outcome(run: RunRow) -> None:
    """Show where a run is and, once it has finished, what the policy says of it."""
    if run.state is not RunState.FINISHED:
        widgets.status(run.state)
    elif run.verdict == "not run":
        widgets.badge("no rule applies", widgets.Tone.QUIET, note="It has finished; the policy has no rule for it.")
    else:
        widgets.status(run.verdict, note="It has finished; this is the gravest verdict of the policy.")
    if run.repeats_id and run.state is RunState.FINISHED:
        repeated(run)


def repeated(run: RunRow) -> None:
    """Show what came of computing a result again."""
    found = run.message.removeprefix("Run again: ")
    word = next((word for word in ("reproduced", "drifted", "cannot be compared") if found.startswith(word)), "")
    if word:
        widgets.status(word, note=found)


def progress(page: Page, run_id: int) -> None:
    """Show a run that waits or works, once a second, until it has ended; then the page is shown anew."""
    st.fragment(_progress, run_every=_EVERY_SECONDS)(page, run_id)


def _progress(page: Page, run_id: int) -> None:
    with page.store.reading() as reader:
        run = reader.get(RunRow, run_id, what="analysis run")
    if run.state in TERMINAL:
        st.rerun()
    with st.container(border=True, gap="small"):
        waits = run.state is RunState.QUEUED
        began = run.requested_at if waits else run.started_at or run.requested_at
        elapsed = max(0, int((page.at - began).total_seconds()))
        word = "Waiting for a free worker" if waits else run.message or "Working"
        widgets.status(run.state)
        st.progress(run.progress, text=plain(f"{word}  ({_clock(elapsed)})"))
        st.caption("You may leave this page: the run goes on, and its result stands under Analyses.")
        if run.cancel_requested:
            st.caption("It has been asked to stop.")
        elif Right.RUN in page.actor.rights:
            st.button("Cancel", icon=":material/stop_circle:", on_click=_cancel, args=(page, run_id))
        frame.show_kept("cancel")


def _cancel(page: Page, run_id: int) -> None:
    with frame.refusals_kept("cancel"):
        runs.cancel_run(page.store, run_id, actor=page.actor, at=page.at)


def _clock(seconds: int) -> str:
    """Return a duration in words.

    Examples
    --------
    >>> _clock(5), _clock(125)
    ('5 s', '2 min 5 s')
    """
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60} s"
