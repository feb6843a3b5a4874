"""What makes a result one that can be computed again: method, inputs with digests, settings, versions."""

from __future__ import annotations

import streamlit as st

from modelops.domain.result import AnalysisResult
from modelops.reports.command import command_line
from modelops.reports.result import Method
from modelops.store.tables import RunRow
from modelops.ui import widgets
from modelops.ui.models import DATASET, VERSION, fact
from modelops.ui.protection import protection_note
from modelops.ui.runs import Names
from modelops.ui.text import plain, utc


def method(result: AnalysisResult, about: Method) -> None:
    """Show which question was answered, how, and with which settings."""
    with st.expander("How it was computed", icon=":material/functions:"):
        st.markdown(plain(about.question))
        if about.source:
            fact("Source of the method", about.source)
        positive = f", positive class {result.positive}" if result.positive is not None else ""
        fact("Task", f"{result.task}{positive}")
        fact("Seed", str(result.seed))
        st.caption("Settings")
        st.dataframe(
            [{"Setting": name.replace("_", " "), "Value": _value(value)} for name, value in result.parameters.items()],
            hide_index=True,
            width="stretch",
        )


def inputs(result: AnalysisResult, run: RunRow, names: Names) -> None:
    """Show on exactly which bytes it ran, how they were opened, with which libraries, and how to repeat it."""
    with st.expander("What it was computed from", icon=":material/fingerprint:"):
        numbers = {"data": run.data_id, "reference": run.reference_id, "train": run.train_id}
        for part, record in result.inputs.items():
            with st.container(border=True, gap="small"):
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    st.markdown(f"**{plain(part.capitalize())}**", width="content")
                    _link(part, numbers.get(part), run, names)
                    st.caption(plain(_rows(record.rows, record.rows_used)), width="content")
                widgets.digest(record.digest, whole=True)
                for why, count in record.dropped.items():
                    st.caption(plain(f"{count:,} rows left out: {why}"))
        protection_note(result.protection)
        started = f"Started {utc(run.started_at)}, finished {utc(run.finished_at)}, try {run.attempt}."
        st.caption(plain(started))
        versions = ", ".join(f"{name} {version}" for name, version in result.environment.items())
        fact("Libraries", versions)
        st.caption("The same on the command line, with the files that have these digests")
        st.code(command_line(result), language="shell", wrap_lines=True)


def _link(part: str, number: int | None, run: RunRow, names: Names) -> None:
    if part == "model" and run.version_id:
        label = names.versions.get(run.version_id, "")
        st.page_link(VERSION, label=plain(label), query_params={"version": str(run.version_id)}, width="content")
    elif number:
        label = names.datasets.get(number, "")
        st.page_link(DATASET, label=plain(label), query_params={"dataset": str(number)}, width="content")


def _rows(rows: int | None, used: int | None) -> str:
    if rows is None:
        return ""
    return f"{rows:,} rows" if used in {None, rows} else f"{used:,} of {rows:,} rows used"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", []):
        return "not set"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
