"""The table in which a person says what the columns of a dataset are for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from modelops.domain.columns import ColumnRoles, ColumnSummary, ModelSummary, TableSummary, Task
from modelops.domain.people import Right
from modelops.services import datasets, inventory
from modelops.store.tables import DatasetRow, VersionRow
from modelops.ui import columns, frame
from modelops.ui.columns import Chosen, Draft, Use
from modelops.ui.frame import Page
from modelops.ui.text import plain

_TASKS = {Task.CLASSIFICATION: "Classes", Task.REGRESSION: "A quantity"}
_FILTERS = ("All", "Features", "Other uses", "Sensitive", "Not used")
_ALL_UP_TO, _MOST_HEIGHT = 15, 560
_QUICK: dict[str, tuple[Callable[[Mapping[str, Chosen]], Draft], str]] = {
    "Make the rest features": (columns.all_features, "Every column without a use becomes a feature."),
    "No features": (columns.no_features, "For a table of predictions without the inputs of the model."),
    "Sensitive only for the audit": (columns.sensitive_apart, "The model does not get them; fairness looks at them."),
}


@st.fragment
def editor(
    page: Page, row: DatasetRow, *, needs_reason: bool, is_guessed: bool, versions: Sequence[VersionRow] = ()
) -> None:
    """Show the columns with their uses, correct them, save them, or agree with them where they ``is_guessed``.

    The newest of ``versions`` whose file asks for columns of this table says which ones are features.
    """
    summary = TableSummary.model_validate(row.summary)
    saved = ColumnRoles.model_validate(row.roles)
    key = f"columns of {row.id} {hashlib.sha256(saved.model_dump_json().encode()).hexdigest()[:12]}"
    draft: Draft = st.session_state.setdefault(key, columns.draft_of([c.name for c in summary.columns], saved))
    may_change = Right.REGISTER in page.actor.rights
    if may_change:
        _quick_actions(key, summary, versions)
    shown = _filtered(key, draft) if len(summary.columns) > 12 else list(draft)
    draft |= _table(key, summary, draft, shown, disabled=not may_change)
    st.markdown(plain(columns.told(draft)))
    wrong = columns.problems(draft)
    for problem in wrong:
        st.warning(plain(problem), icon=":material/warning:")
    if may_change:
        _save(page, row, summary, draft, needs_reason=needs_reason, is_guessed=is_guessed, blocked=bool(wrong), key=key)


def _quick_actions(key: str, summary: TableSummary, versions: Sequence[VersionRow]) -> None:
    quick = _QUICK
    if wanted := _wanted_by_a_file({column.name for column in summary.columns}, versions):
        label, names = wanted
        note = "Exactly the columns that its file asks for become features."
        quick = {
            plain(f"Features of version {label}"): (lambda draft: columns.exactly_features(draft, names), note),
            "No features": _QUICK["No features"],
        }
    with st.container(horizontal=True, gap="small"):
        for label, (change, note) in quick.items():
            st.button(label, key=f"{key} {label}", help=note, on_click=_replace, args=(key, change))
        guess = columns.draft_of([column.name for column in summary.columns], summary.roles)
        note = "What the names and values of the columns suggest."
        st.button("Back to the guess", key=f"{key} guess", help=note, on_click=_replace, args=(key, lambda _: guess))


def _wanted_by_a_file(there: set[str], versions: Sequence[VersionRow]) -> tuple[str, tuple[str, ...]] | None:
    """Return the newest version whose file asks for columns that are there, and these columns."""
    for version in reversed(versions):
        features = ModelSummary.model_validate(version.summary).features if version.summary else ()
        if features and there.issuperset(features):
            return version.label, features
    return None


def _replace(key: str, change: Callable[[Mapping[str, Chosen]], Draft]) -> None:
    """A new draft needs a new table on the screen: the old one would lay its edits over it."""
    st.session_state[key] = change(st.session_state[key])
    st.session_state[f"{key} epoch"] = st.session_state.get(f"{key} epoch", 0) + 1


def _filtered(key: str, draft: Draft) -> list[str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Find a column", key="find column", placeholder="Part of its name") or ""
        kind = st.segmented_control("Show", _FILTERS, default="All", key="show columns", required=True)
    fits: dict[str, Callable[[Chosen], bool]] = {
        "All": lambda _: True,
        "Features": lambda chosen: chosen.use is Use.FEATURE,
        "Other uses": lambda chosen: chosen.use not in {Use.FEATURE, Use.NONE},
        "Sensitive": lambda chosen: chosen.is_sensitive,
        "Not used": lambda chosen: chosen.use is Use.NONE,
    }
    # A column that is being edited stays where it is until something else is asked for.
    asked = (key, text, kind, st.session_state.get(f"{key} epoch"))
    held = st.session_state.get("columns shown")
    if held is None or held[0] != asked:
        names = [name for name, chosen in draft.items() if text.casefold() in name.casefold() and fits[kind](chosen)]
        held = (asked, names)
        st.session_state["columns shown"] = held
    return list(held[1])


def _table(key: str, summary: TableSummary, draft: Draft, shown: list[str], *, disabled: bool) -> Draft:
    """Show some columns for editing and return what stands there now."""
    import pandas as pd

    if not shown:
        st.info("No column fits. Clear the search or show all.")
        return {}
    facts = {column.name: column for column in summary.columns}
    mark = hashlib.sha256("\n".join(shown).encode()).hexdigest()[:8]
    table_key = f"{key} table {st.session_state.get(f'{key} epoch', 0)} {mark}"
    # The table keeps its edits beside what it was given; given something else, it would begin anew at every click.
    given_key = f"{key} given"
    if st.session_state.get(given_key, ("", []))[0] != table_key:
        st.session_state[given_key] = (table_key, [_line(facts[name], draft[name], summary.rows) for name in shown])
    several = sum(chosen.use is Use.SCORE for chosen in draft.values()) > 1
    edited = st.data_editor(
        pd.DataFrame(st.session_state[given_key][1]),
        key=table_key,
        hide_index=True,
        width="stretch",
        height="content" if len(shown) <= _ALL_UP_TO else _MOST_HEIGHT,
        disabled=True if disabled else ["Column", "Kind", "Missing", "Distinct", "Spread", "Examples"],
        column_order=[
            name
            for name in ("Column", "Use", "Sensitive", "Class", "Kind", "Missing", "Distinct", "Spread", "Examples")
            if several or name != "Class"
        ],
        column_config={
            "Column": st.column_config.TextColumn(pinned=True, width="medium"),
            "Use": st.column_config.SelectboxColumn(
                options=[use.value for use in Use], required=True, width="medium", help="What the column is for."
            ),
            "Sensitive": st.column_config.CheckboxColumn(
                width=105, help="Groups of people are told apart by it: fairness looks at it."
            ),
            "Class": st.column_config.TextColumn(
                width="small", max_chars=150, help="Of which class this column is the score."
            ),
            "Missing": st.column_config.NumberColumn(format="percent", width="small"),
            "Distinct": st.column_config.NumberColumn(format="localized", width="small"),
            "Spread": st.column_config.BarChartColumn(
                width="small", help="How many rows there are from the smallest value to the largest."
            ),
            "Examples": st.column_config.TextColumn(help="The most frequent values, or the smallest and the largest."),
        },
    )
    now = {}
    for name, line in zip(shown, edited.to_dict("records"), strict=True):
        now[name] = Chosen(Use(line["Use"] or Use.NONE), bool(line["Sensitive"]), str(line["Class"] or ""))
    return now


def _line(column: ColumnSummary, chosen: Chosen, n_rows: int) -> dict[str, Any]:
    return {
        "Column": column.name,
        "Use": chosen.use.value,
        "Sensitive": chosen.is_sensitive,
        "Class": chosen.of_class,
        "Kind": column.kind,
        "Missing": column.missing / n_rows if n_rows else None,
        "Distinct": column.distinct,
        "Spread": list(column.histogram),
        "Examples": examples(column),
    }


def examples(column: ColumnSummary) -> str:
    """Return the most frequent values of a column, or its ends."""
    if column.top:
        return ", ".join(label for label, _ in column.top)
    if column.minimum is None or column.maximum is None:
        return ""
    return " to ".join(_end(end, column.kind) for end in (column.minimum, column.maximum))


def _end(value: float | str, kind: str) -> str:
    if isinstance(value, str):
        return value[:19]
    return f"{value:,.0f}" if "whole" in kind or abs(value) >= 10_000 else f"{value:,.4g}"


def _save(
    page: Page,
    row: DatasetRow,
    summary: TableSummary,
    draft: Draft,
    *,
    needs_reason: bool,
    is_guessed: bool,
    blocked: bool,
    key: str,
) -> None:
    roles = columns.roles_of(draft)
    deciding = roles["target"] or roles["prediction"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        task = st.segmented_control(
            "What is predicted",
            list(Task),
            default=row.task or Task.CLASSIFICATION,
            format_func=lambda each: _TASKS[each],
            key=f"{key} task",
            required=True,
        )
        positive = None
        if task is Task.CLASSIFICATION:
            known = columns.likely_classes(summary, str(deciding) if deciding else None)
            known += [row.positive] if row.positive and row.positive not in known else []
            positive = st.selectbox(
                "Positive class",
                known,
                index=known.index(row.positive) if row.positive in known else None,
                accept_new_options=True,
                placeholder="the class that matters: default, fraud, ...",
                key=f"{key} positive",
                help="With two classes: the one that rates and scores are about. Leave it empty for more.",
            )
    reason = ""
    if needs_reason:
        reason = st.text_input(
            "Reason for the change",
            max_chars=2000,
            key=f"{key} reason",
            help="A finished review rests on this dataset. Its approval will show as one of an earlier state.",
        )
    changed = (
        inventory.as_roles(roles).model_dump(mode="json") != row.roles or task != row.task or positive != row.positive
        if not blocked
        else False
    )
    with st.container(horizontal=True, gap="small"):
        save = st.button("Save the columns", type="primary", disabled=not changed, key=f"{key} save")
        agree = is_guessed and st.button(
            "These are right",
            icon=":material/check:",
            key=f"{key} right",
            disabled=changed or blocked,
            help="You looked at every use above and agree with the guess. It stands in the audit trail.",
        )
    if save:
        with frame.refusals_shown():
            inventory.correct_columns(
                page.store,
                row.id,
                actor=page.actor,
                at=page.at,
                roles=inventory.as_roles(roles),
                task=Task(task) if task else None,
                positive=positive or None,
                reason=reason,
            )
            st.toast("Saved.", icon=":material/check:")
            st.rerun()
    if agree:
        with frame.refusals_shown():
            datasets.confirm_columns(
                page.store,
                row.id,
                actor=page.actor,
                at=page.at,
                roles=ColumnRoles.model_validate(row.roles),
                task=row.task,
                positive=row.positive,
            )
            st.toast("Confirmed.", icon=":material/check:")
            st.rerun()
