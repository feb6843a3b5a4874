"""A result on a page, in the order in which a person reads it: the sentence, the verdicts, charts, tables, numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Literal

import streamlit as st

from modelops.analyses.metrics import METRICS
from modelops.charts import figure_and_note
from modelops.charts.arrangement import number
from modelops.domain.digest import Digest
from modelops.domain.judging import UNMEASURED
from modelops.domain.metric_words import metric_name
from modelops.domain.result import AnalysisResult, Curve, Measurement, Outcome, ResultTable, Verdict
from modelops.services import runs
from modelops.store import Store
from modelops.ui import widgets
from modelops.ui.chart_files import CHART_FILES, file_name
from modelops.ui.numbers import is_p_value, legible
from modelops.ui.text import plain, scope_name

WORST_FIRST = (
    *(Outcome.FAILED, Outcome.NOT_ENOUGH_DATA, Outcome.NOT_RUN, Outcome.WAIVED),
    *(Outcome.IMMATERIAL, Outcome.PASSED, Outcome.NOT_APPLICABLE),
)
NOT_MEASURED = "not measured"
_GRAVE = frozenset({Outcome.FAILED, Outcome.NOT_ENOUGH_DATA, NOT_MEASURED, Outcome.IMMATERIAL})
# More rows may not bring what could not be measured: one class only, a score that is no probability.
_NO_PASS = f"The result file calls it “{Outcome.NOT_ENOUGH_DATA}”. It is never a pass."
_FIRST_REASONS = 4
# What passed is no news: a few reasons show what was looked at.
_FEW_REASONS = 2
_NAMED = 4
_FIRST_CHARTS = 2
_FIRST_TABLES = 1
_MOST_FOLDED = 9
_ALL_UP_TO, _MOST_HEIGHT = 12, 460
# Wider, a chart only gets emptier.
_CHART_WIDTH = 1040
# On a telephone the name and the value of a number stand side by side without being moved.
NAME_WIDTH, _VALUE_WIDTH = 210, 96
_LONGEST_NAME, _LONGEST_INTERVAL, _LONGEST_SCOPE, _LONGEST_NOTE = 255, 210, 420, 320
_LONGEST_UNIT = 150
_SHORTEST, _SHORTEST_UNIT, _LETTER = 110, 56, 7
# Plotly's own bar of buttons stays out of the way; zooming by dragging is left.
_CHART = {"displaylogo": False, "displayModeBar": False}


@st.cache_resource(max_entries=24, show_spinner="Reading the result")
def stored(digest: Digest, _store: Store) -> AnalysisResult:
    """Return a stored result; kept by its digest, since its bytes can never be others."""
    return runs.read_result(_store, digest)


def is_dark() -> bool:
    """Whether the page is shown on a dark background."""
    return st.context.theme.type == "dark"


def verdicts(result: AnalysisResult) -> None:
    """Show what the policy says, the gravest first, each with its reason and its rule."""
    found = by_word(result)
    if not found:
        st.caption("The policy has no rule for this analysis: read the numbers below.")
        return
    counts = {outcome: len(told) for outcome, told in found.items()}
    for told in found.values():
        told[:] = gathered(told)
    open_ones = [outcome for outcome in found if outcome in _GRAVE] or list(found)[:1]
    for outcome in open_ones:
        told = found.pop(outcome)
        first = _FIRST_REASONS if outcome in _GRAVE else _FEW_REASONS
        with st.container(border=True, gap="small"):
            is_unmeasured = outcome == NOT_MEASURED
            tone = widgets.tone_of(Outcome.NOT_ENOUGH_DATA if is_unmeasured else outcome)
            widgets.badge(f"{counts[outcome]} {outcome}", tone, note=_NO_PASS if is_unmeasured else None)
            _reasons(told[:first])
            if len(told) > first:
                with st.expander(f"{len(told) - first:d} more"):
                    _reasons(told[first:])
    if found:
        with st.expander(plain(", ".join(f"{counts[outcome]} {outcome}" for outcome in found))):
            for outcome, told in found.items():
                widgets.status(outcome)
                _reasons(told)


def by_word(result: AnalysisResult) -> dict[str, list[Verdict]]:
    """Return the verdicts by the word that the page has for them, the gravest first.

    The word is the outcome, but for what has no value at all: the reason for that is seldom that rows are few.
    """
    without = {(one.metric, scope_name(one.scope)) for one in result.measurements if one.value is None}
    found: dict[str, list[Verdict]] = {}
    for outcome in WORST_FIRST:
        for each in result.verdicts:
            if each.verdict is not outcome:
                continue
            is_unmeasured = outcome is Outcome.NOT_ENOUGH_DATA and (each.metric, scope_name(each.scope)) in without
            found.setdefault(NOT_MEASURED if is_unmeasured else outcome.value, []).append(each)
    return found


def gathered(found: Sequence[Verdict]) -> list[Verdict]:
    """Return verdicts with one for all that a rule could not give for the same reason, in the place of the first."""
    alike: dict[tuple[str, str], list[Verdict]] = {}
    for each in found:
        _, parted, reason = each.because.partition(UNMEASURED)
        alike.setdefault((each.rule, reason if parted and each.metric else each.model_dump_json()), []).append(each)
    return [_one_of(group, reason) if len(group) > 1 else group[0] for (_, reason), group in alike.items()]


def _one_of(group: Sequence[Verdict], reason: str) -> Verdict:
    names = [scope_name(each.scope) for each in group]
    about = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:d} more" if len(names) > _NAMED else "")
    because = f"{metric_name(group[0].metric or '')}{UNMEASURED}{reason} This is so for {about}."
    return group[0].model_copy(update={"because": because, "scope": {}})


def no_result(found: Sequence[Verdict]) -> None:
    """Show which rules of the policy have no verdict because there is no result: that is not a pass."""
    if found:
        rules = ", ".join(each.rule for each in found)
        widgets.status_line("not run", f"No verdict of {len(found)} rules of the policy, and so no pass: {rules}")


def _reasons(found: Sequence[Verdict]) -> None:
    for each in found:
        st.markdown(f"- {plain(each.because)} :gray[:small[{plain(each.rule)}]]")


def charts(curves: Sequence[Curve], *, key: str) -> None:
    """Show the first charts; the others are drawn when they are asked for. One without any point is left out."""
    curves = [curve for curve in curves if has_points(curve)]
    for place, curve in enumerate(curves[:_FIRST_CHARTS]):
        chart(curve, key=f"{key} {place}")
    rest = list(curves[_FIRST_CHARTS:])
    if rest:
        _more_charts(rest, key)


def has_points(curve: Curve) -> bool:
    """Whether there is anything to draw: without it a chart has axes from nowhere to nowhere."""
    return any(value is not None for series in curve.series for value in series.y)


@st.fragment
def _more_charts(rest: list[Curve], key: str) -> None:
    with st.expander(
        f"{len(rest):d} more charts" if len(rest) > 1 else "1 more chart", key=f"{key} more", on_change="rerun"
    ) as more:
        if not more.open:
            return
        chosen = st.selectbox(
            "Chart", range(len(rest)), format_func=lambda place: rest[place].title, key=f"{key} which"
        )
        chart(rest[chosen or 0], key=f"{key} chosen")


def chart(curve: Curve, *, key: str) -> None:
    """Show one chart, and offer it as a file: made when it is asked for, without a browser engine."""
    drawn, note = figure_and_note(curve, dark=is_dark())
    with st.container(gap=None):
        st.markdown(f"**{plain(curve.title)}**")
        if note:
            st.caption(plain(note))
        st.plotly_chart(
            drawn,
            width=_CHART_WIDTH,
            theme=None,
            key=key,
            config=_CHART,
            alt=f"{curve.title}. {curve.note or ''}"[:500],
        )
        with st.popover("Download chart", icon=":material/download:", type="tertiary", key=f"{key} files"):
            for label, make, ending, kind in CHART_FILES:
                st.download_button(
                    label,
                    partial(make, curve),
                    file_name=file_name(curve, ending),
                    mime=kind,
                    on_click="ignore",
                    type="tertiary",
                    icon=":material/download:",
                    key=f"{key} {ending}",
                )


def tables(found: Sequence[ResultTable], *, key: str) -> None:
    """Show the first tables of a result; the others are folded, and many of them to be chosen from by their title."""
    for table in found[:_FIRST_TABLES]:
        st.markdown(f"**{plain(table.title)}**")
        _table(table, key)
    rest = list(found[_FIRST_TABLES:])
    if len(rest) > _MOST_FOLDED:
        _more_tables(rest, key)
        return
    for table in rest:
        with st.expander(plain(table.title)):
            _table(table, key)


@st.fragment
def _more_tables(rest: list[ResultTable], key: str) -> None:
    with st.expander(f"{len(rest):d} more tables", key=f"{key} more", on_change="rerun") as more:
        if not more.open:
            return
        chosen = st.selectbox(
            "Table", range(len(rest)), format_func=lambda place: rest[place].title, key=f"{key} which"
        )
        _table(rest[chosen or 0], key)


def _table(table: ResultTable, key: str) -> None:
    import pandas as pd

    table = table.filled
    rows = pd.DataFrame([list(row) for row in table.rows], columns=_told_apart(table.headings))
    st.dataframe(
        legible(rows),
        hide_index=True,
        width="stretch",
        height=_height(len(rows)),
        key=f"{key} {table.name}",
        placeholder="",
    )
    if table.note:
        st.caption(plain(table.note))


def _told_apart(names: Sequence[str]) -> list[str]:
    """Two columns of a table may have one name; on the screen they cannot."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def _height(rows: int) -> int | Literal["content"]:
    return "content" if rows <= _ALL_UP_TO else _MOST_HEIGHT


def kind_of(one: Measurement) -> str:
    """Return what kind of thing a measurement is about: all rows, a group, a feature."""
    return " and ".join(name.replace("_", " ") for name in one.scope) or "all rows"


@st.fragment
def measurements(found: Sequence[Measurement], *, key: str) -> None:
    """Show every number with its interval, to be searched."""
    import pandas as pd

    kinds = list(dict.fromkeys(map(kind_of, found)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Find a number", key=f"{key} find", placeholder="Part of its name or of what it is about")
        kind = st.selectbox("About", ["everything", *kinds], key=f"{key} kind", width=260)
    fitting = [
        one
        for one in found
        if kind in {"everything", kind_of(one)}
        and (text or "").casefold() in f"{metric_name(one.metric)} {one.metric} {scope_name(one.scope)}".casefold()
    ]
    if not fitting:
        st.info("No number fits. Clear the search or choose everything.")
        return
    level = next((one.level for one in found if one.level is not None), None)
    interval = f"{level * 100:g} % interval" if level else "Interval"
    rows = pd.DataFrame(
        {
            "Measurement": [metric_name(one.metric) for one in fitting],
            "Value": [one.value for one in fitting],
            "Unit": [one.unit or "" for one in fitting],
            "About": [scope_name(one.scope) for one in fitting],
            interval: [_interval(one) for one in fitting],
            "Rows": [one.sample_size for one in fitting],
            "Note": [one.note or "" for one in fitting],
            "What it says": [METRICS.get(one.metric, "") for one in fitting],
        }
    ).astype({"Value": "float64"})
    rows = rows.drop(columns=[name for name in ("Unit", "Note") if not any(rows[name])])
    st.dataframe(
        legible(rows, p_rows=[place for place, one in enumerate(fitting) if is_p_value(one.metric)]),
        hide_index=True,
        width="stretch",
        height=_height(len(rows)),
        key=f"{key} numbers",
        placeholder="",
        column_config={
            "Measurement": st.column_config.TextColumn(pinned=True, width=_width(rows["Measurement"], _LONGEST_NAME)),
            "About": st.column_config.TextColumn(width=_width(rows["About"], _LONGEST_SCOPE)),
            "Value": st.column_config.NumberColumn(
                width=_VALUE_WIDTH, help="Empty: it could not be measured; the note says why."
            ),
            interval: st.column_config.TextColumn(
                width=_width(rows[interval], _LONGEST_INTERVAL), help="From its lower to its upper end."
            ),
            "Rows": st.column_config.NumberColumn(
                width=_VALUE_WIDTH, help="How many rows, or other things counted, stand behind it."
            ),
            **(
                {"Unit": st.column_config.TextColumn(width=_width(rows["Unit"], _LONGEST_UNIT, least=_SHORTEST_UNIT))}
                if "Unit" in rows
                else {}
            ),
            **(
                {"Note": st.column_config.TextColumn(width=_width(rows["Note"], _LONGEST_NOTE))}
                if "Note" in rows
                else {}
            ),
            "What it says": st.column_config.TextColumn(width="large"),
        },
    )
    st.caption(f"{len(fitting):,} of {len(found):,} numbers.")


def _width(texts: Iterable[str], most: int, *, least: int = _SHORTEST) -> int:
    """Return how wide a column is for its longest text, up to ``most``: the browser measures the first rows alone."""
    return min(most, max(least, _LETTER * max(map(len, texts), default=0) + 20))


def _interval(one: Measurement) -> str:
    return f"{number(one.interval[0])} to {number(one.interval[1])}" if one.interval else ""
