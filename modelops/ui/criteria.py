"""Acceptance criteria on the screen: the list, where the bar moved after a result, how one is added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import streamlit as st

from modelops.analyses.metrics import FAMILIES, METRICS, is_better_low
from modelops.analyses.registry import ANALYSES
from modelops.domain.columns import Task
from modelops.domain.content import MovedBar
from modelops.domain.criteria import Criteria, Criterion
from modelops.domain.inventory import DatasetRole
from modelops.domain.metric_words import metric_name
from modelops.domain.result import Scope
from modelops.store import Store
from modelops.store.queries_criteria import Frozen
from modelops.store.tables import DatasetRow, RunRow
from modelops.ui import widgets
from modelops.ui.results import stored
from modelops.ui.text import plain, utc

CRITERIA = "pages/models/criteria.py"
_TITLES = {one.key: one.title for one in ANALYSES}
_ALL, _EACH_GROUP, _EACH_FEATURE, _EACH_CLASS = "All rows", "Each group", "Each feature", "Each class"
_ONE_GROUP, _ONE_FEATURE, _ONE_CLASS, _OTHER = "One group", "One feature", "One class", "Another slice"
_SLICES = {
    _ALL: "The whole table.",
    _EACH_GROUP: "Every group of the sensitive columns must keep the bound.",
    _EACH_FEATURE: "Every column must keep the bound.",
    _EACH_CLASS: "Every class must keep the bound.",
    _ONE_GROUP: "The rows with one value in one column.",
    _ONE_FEATURE: "What is measured for one column.",
    _ONE_CLASS: "One class of the target.",
    _OTHER: "As in the result file: a split (train), a baseline (majority), a model (champion) ...",
}
_FIRST_OF_QUANTITIES = "mean_absolute_error"
_FOR_EACH = {_EACH_GROUP: ("group",), _EACH_FEATURE: ("feature",), _EACH_CLASS: ("class",)}


def criterion_line(one: Criterion, *, is_primary: bool = False) -> None:
    """Show one criterion with its reason."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(one.words)}**", width="content")
        if is_primary:
            widgets.tag("primary metric")
    st.caption(plain(f"{one.why}\nJudged by {_TITLES.get(one.analysis, one.analysis).lower()}, as {one.name}"))


def criteria_list(body: Criteria) -> None:
    """Show criteria for reading."""
    for one in body.criteria:
        criterion_line(one, is_primary=one.name == body.primary)
    if body.business:
        st.caption("Business metric")
        widgets.said(body.business)


def frozen_line(frozen: Frozen, people: dict[int, str]) -> str:
    """Say which set it is, and who froze it when and why."""
    who = people.get(frozen.row.frozen_by, "ModelOps")
    why = f", because “{frozen.row.reason}”" if frozen.row.reason else ""
    return f"Number {frozen.number}, frozen {utc(frozen.row.frozen_at)} by {who}{why}"


def moved_bar(moved: MovedBar, *, link: bool = False) -> None:
    """Say that the bar of a result moved after it, with old and new."""
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            widgets.badge(moved.title.lower(), widgets.Tone.CARE)
            st.markdown(plain(moved.told), width="stretch")
            if link:
                query = {"run": str(moved.run)}
                st.page_link("pages/analyses/run.py", label=f"Run {moved.run:d}", query_params=query, width="content")
        for change in moved.changes:
            st.markdown(f"**{plain(change.criterion.replace('_', ' '))}**")
            old, new = st.columns(2)
            old.caption("When it was judged")
            old.markdown(plain(change.old))
            new.caption("Now")
            new.markdown(plain(change.new))


def noise_margins(runs: Iterable[RunRow], store: Store) -> dict[str, tuple[float, int]]:
    """Return, by metric, what training again with other seeds moves it by, and the newest run that measured it."""
    newest = next((run for run in runs if run.analysis == "reproducibility" and run.result), None)
    if newest is None or newest.result is None:
        return {}
    found = stored(newest.result, store).measurements
    margins = {str(one.scope.get("metric")): one.value for one in found if one.metric == "noise_margin"}
    # Nothing random in the training, nothing to be told.
    return {metric: (value, newest.id) for metric, value in margins.items() if value}


def new_criterion(
    datasets: Sequence[DatasetRow],
    *,
    task: Task,
    classes: Sequence[str],
    noise: Mapping[str, tuple[float, int]],
    key: str,
) -> dict[str, object]:
    """Ask for one criterion; return what was said, in the form of `services.criteria.as_criterion`.

    ``classes`` are those that are known of the model; ``noise`` is what `noise_margins` found.
    """
    left, right = st.columns(2)
    analysis = left.selectbox(
        "Analysis that measures it",
        list(_TITLES),
        index=list(_TITLES).index("performance"),
        format_func=lambda each: _TITLES[each],
        key=f"{key} analysis",
    )
    own = FAMILIES.get(analysis, {})
    options = [*own, *(name for name in METRICS if name not in own)]
    usual = _FIRST_OF_QUANTITIES if task is Task.REGRESSION and _FIRST_OF_QUANTITIES in own else options[0]
    metric = right.selectbox(
        "Metric",
        options,
        index=options.index(usual),
        format_func=metric_name,
        help="Those that are named for this analysis come first.",
        key=f"{key} metric {analysis}",
    )
    st.caption(plain(METRICS.get(metric, "")))
    left, right = st.columns(2)
    rows = left.selectbox("Slice", list(_SLICES), key=f"{key} slice", filter_mode=None)
    left.caption(plain(_SLICES[rows]))
    with right:
        scope = _scope(rows, datasets, classes, key)
    with st.container(horizontal=True):
        low = is_better_low(metric)
        side = st.selectbox(
            "Bound", ["at least", "at most"], index=int(low), key=f"{key} side {metric}", filter_mode=None
        )
        bound = st.number_input(
            "Value", value=None if low else 0.8, step=0.01, format="%g", placeholder="?", key=f"{key} bound {metric}"
        )
        margin = st.number_input(
            "Margin",
            min_value=0.0,
            value=0.0,
            step=0.01,
            format="%g",
            key=f"{key} margin",
            help="How far beyond the bound a value may lie without mattering.",
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        fewest = st.number_input(
            "Fewest rows",
            min_value=0,
            value=100,
            step=50,
            key=f"{key} rows",
            help="From fewer rows than this nothing is accepted: on ten rows a perfect score can be chance.",
        )
        certain = st.checkbox(
            "The whole interval must keep the bound",
            key=f"{key} certain",
            help="Stricter: it is not enough that the value keeps the bound while chance could explain it.",
        )
    if metric in noise:
        spread, run = noise[metric]
        st.caption(
            plain(f"Trained again with other seeds, this metric moves by up to {spread:.3g} (run {run:d}): noise.")
        )
    tables = {str(row.digest): row for row in datasets}
    data = st.selectbox(
        "Measured on",
        ["", *DatasetRole, *tables],
        format_func=lambda each: _data_name(each, tables),
        key=f"{key} data",
        help="Results on other data are not judged by it.",
    )
    why = st.text_area(
        "Why this bound?",
        max_chars=2000,
        height=80,
        placeholder="Below it the manual check that we have now is better.",
        key=f"{key} why",
    )
    said: dict[str, object] = {"analysis": analysis, "metric": metric, "scope": scope, "margin": margin, "why": why}
    said |= {"for_each": _FOR_EACH.get(rows, ()), side.replace(" ", "_"): bound}
    said |= {"minimum_sample": fewest, "certain": certain}
    if data in tables:
        return said | {"dataset": data, "dataset_name": tables[data].name}
    return said | {"role": data or None}


def _scope(rows: str, datasets: Sequence[DatasetRow], classes: Sequence[str], key: str) -> Scope:
    columns = list(dict.fromkeys(column["name"] for row in datasets for column in row.summary["columns"]))
    if rows == _ONE_GROUP:
        column = _column("Column", columns, f"{key} group column")
        value = st.text_input("Value", max_chars=150, key=f"{key} group value")
        return {"group": {column or "": value}}
    if rows == _ONE_FEATURE:
        return {"feature": _column("Column", columns, f"{key} feature") or ""}
    if rows == _ONE_CLASS:
        return {"class": _column("Class", classes, f"{key} class") or ""}
    if rows == _OTHER:
        kind = st.text_input("Kind", value="split", max_chars=40, key=f"{key} kind")
        return {kind: st.text_input("Name", value="train", max_chars=150, key=f"{key} kind name")}
    return {}


def _column(label: str, columns: Sequence[str], key: str) -> str | None:
    return st.selectbox(label, list(columns), index=None, accept_new_options=True, key=key)


def _data_name(each: str, tables: dict[str, DatasetRow]) -> str:
    if each in tables:
        row = tables[each]
        return f"exactly {row.name} ({row.role}, {row.rows:,} rows)"
    return f"any {DatasetRole(each)} data" if each else "any data"
