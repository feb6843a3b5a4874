"""What the model says of one case, what would lead elsewhere, and the nearest real case."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from modelops.charts.arrangement import number
from modelops.domain.number_words import title_case
from modelops.domain.people import Right
from modelops.domain.record import Scalar
from modelops.domain.result import AnalysisResult, Curve
from modelops.store.tables import RunRow
from modelops.ui import results
from modelops.ui.frame import Page
from modelops.ui.numbers import legible
from modelops.ui.text import plain
from modelops.ui.what_if import Column, ask, changes, is_same, words

_ALL = 12


def answers(result: AnalysisResult) -> None:
    """Show what the model says of the case, before and after."""
    table = next(one for one in result.tables if one.name == "answer")
    change = result.find("case_output_change")
    with st.container(horizontal=True, gap="large"):
        for name, output, label in table.rows:
            value = "no number" if output is None else number(output)
            delta = change.value if change is not None and name != table.rows[0][0] else None
            with st.container(width="content", gap="small"):
                st.metric(
                    plain(title_case(f"{table.columns[1]}, {name}")),
                    value,
                    delta=None if delta is None else f"{'+' if delta > 0 else ''}{number(delta)}",
                    delta_color="off",
                )
                if label is not None:
                    st.markdown(plain(f"Class {label}"))
    _class_scores(result)


def _class_scores(result: AnalysisResult) -> None:
    """Show the score of each class, where there are more than two: that of one does not tell those of the others."""
    import pandas as pd

    table = next((one for one in result.tables if one.name == "class_scores"), None)
    if table is None:
        return
    with st.expander("The score of each class"):
        rows = pd.DataFrame([list(row) for row in table.rows], columns=[title_case(name) for name in table.columns])
        st.dataframe(legible(rows), hide_index=True, width="content", height="content" if len(rows) <= _ALL else 400)
        if table.note:
            st.caption(plain(table.note))


def elsewhere(page: Page, run: RunRow, result: AnalysisResult, columns: Sequence[Column]) -> None:
    """Show the sets of changes that lead to another outcome, each to be tried, and the nearest real case."""
    st.subheader("What would lead elsewhere", anchor=False)
    _sets(page, run, result, columns)
    nearest = next((one for one in result.tables if one.name == "nearest"), None)
    if nearest is None:
        missing = result.find("nearest_other_outcome_distance")
        st.caption(plain(missing.note if missing and missing.note else "No real case has another outcome."))
        return
    row, output, label, distance, _ = nearest.rows[0]
    st.markdown(f"**{plain(nearest.title)}**")
    said = f", class {label}" if label is not None else ""
    st.caption(plain(f"Row {row}: {nearest.columns[1]} {_short(output)}{said}; distance {_short(distance)}."))
    _beside(columns)


def _sets(page: Page, run: RunRow, result: AnalysisResult, columns: Sequence[Column]) -> None:
    table = next((one for one in result.tables if one.name == "counterfactuals"), None)
    if table is None:
        count = result.find("counterfactual_count")
        told = count.note if count and count.note else "No permitted set of changes was found."
        st.caption(plain(told))
        return
    st.caption(plain(table.title))
    by_set: dict[int, list[tuple[Scalar, ...]]] = {}
    for row in table.rows:
        by_set.setdefault(int(row[0] or 0), []).append(row)
    now = {one.name: one.edited for one in columns}
    for place, rows in by_set.items():
        with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(width="stretch", gap="small"):
                for _, name, start, end, *_ in rows:
                    st.markdown(plain(f"{name}: {words(start)} → {words(end)}"))
                output, label, size, rarity = rows[0][4:8]
                said = f", class {label}" if label is not None else ""
                rare = "; unlike any real case" if isinstance(rarity, float | int) and rarity >= 0.99 else ""
                st.caption(plain(f"then {_short(output)}{said}; size {_short(size)}{rare}"))
            if Right.RUN in page.actor.rights and all(row[3] != "withheld" for row in rows):
                tried = now | {str(row[1]): row[3] for row in rows}
                st.button(
                    "Try",
                    key=f"try {run.id} {place}",
                    icon=":material/play_arrow:",
                    on_click=ask,
                    args=(page, run),
                    kwargs={"changes": changes(columns, tried)},
                )


def _short(value: Scalar) -> str:
    return number(value) if isinstance(value, float) else words(value)


def _beside(columns: Sequence[Column]) -> None:
    import pandas as pd

    differing = [one for one in columns if not is_same(one.edited, one.other)]
    if not differing:
        return
    rows = pd.DataFrame(
        {
            "Column": [one.name for one in differing],
            "This case": [words(one.edited) for one in differing],
            "The other": [words(one.other) for one in differing],
        }
    )
    st.dataframe(rows, hide_index=True, width="stretch", height="content" if len(rows) <= 15 else 420)


def charts(result: AnalysisResult, *, key: str) -> None:
    """Show contributions and reach at once, curves of single features when they are asked for."""
    results.charts(result.curves[:2], key=key)
    single = [curve for curve in result.curves if curve.name == "response"]
    if single:
        _single(single, key)


@st.fragment
def _single(single: list[Curve], key: str) -> None:
    chosen = st.selectbox(
        "The answer along one column",
        range(len(single)),
        format_func=_name_of(single),
        key=f"{key} along",
    )
    results.chart(single[chosen or 0], key=f"{key} single")


def _name_of(single: Sequence[Curve]) -> Callable[[int], str]:
    return lambda place: str(single[place].scope.get("feature", ""))
