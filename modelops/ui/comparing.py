"""Two results of one analysis, held against each other on a page."""

from __future__ import annotations

import json

import streamlit as st

from modelops.domain.metric_words import metric_name
from modelops.domain.result import AnalysisResult, Measurement, Verdict
from modelops.evaluation import compare
from modelops.ui.numbers import is_p_value, legible
from modelops.ui.results import NAME_WIDTH, chart
from modelops.ui.text import scope_name

_ALL_UP_TO, _MOST_HEIGHT = 15, 560
_MOST_DIFFERENCES = 1000
_UNITS_DIFFER = "other units"
INTERVALS_HELP = "Apart: the change is larger than chance explains. Overlapping intervals say little by themselves."
Key = tuple[str, str]


def asked_differences(left: AnalysisResult, right: AnalysisResult) -> list[dict[str, str]]:
    """Return what the two were asked that is not the same: inputs, settings, seed, class."""
    found = []
    for part in dict.fromkeys([*left.inputs, *right.inputs]):
        one, two = (_input(result, part) for result in (left, right))
        if one != two:
            found.append({"What": part.capitalize(), "One": one, "The other": two})
    pairs = {"Seed": (left.seed, right.seed), "Positive class": (left.positive, right.positive)}
    for name in dict.fromkeys([*left.parameters, *right.parameters]):
        pairs[name.replace("_", " ").capitalize()] = (left.parameters.get(name), right.parameters.get(name))  # type: ignore[assignment]
    for name in dict.fromkeys([*left.environment, *right.environment]):
        pairs[f"Library {name}"] = (left.environment.get(name), right.environment.get(name))
    return found + [
        {"What": name, "One": _shown(one), "The other": _shown(two)} for name, (one, two) in pairs.items() if one != two
    ]


def _input(result: AnalysisResult, part: str) -> str:
    record = result.inputs.get(part)
    if record is None:
        return "none"
    rows = f", {record.rows:,} rows" if record.rows is not None else ""
    return f"{record.digest.short}{rows}"


def _shown(value: object) -> str:
    return "not set" if value is None else str(value)


def verdict_pairs(left: AnalysisResult, right: AnalysisResult) -> list[dict[str, str]]:
    """Return the rules on which the two do not have the same verdict."""
    one, two = _verdicts(left), _verdicts(right)
    return [
        {
            "Rule": key[0],
            "About": (one.get(key) or two[key])[1],
            "One": one[key][0] if key in one else "-",
            "The other": two[key][0] if key in two else "-",
        }
        for key in dict.fromkeys([*one, *two])
        if one.get(key) != two.get(key)
    ]


def drifted_numbers(old: AnalysisResult, new: AnalysisResult) -> None:
    """Show which numbers a repetition did not reproduce, and by how much; nothing where it reproduced all of them."""
    import pandas as pd

    found = compare(old, new).differences
    if not found:
        return
    with st.expander(f"{len(found):,} values that are not the same", icon=":material/difference:"):
        rows = [
            {
                "Measurement": metric_name(one.metric),
                "About": scope_name(one.scope),
                "Which part": one.part,
                "Then": one.old,
                "Now": one.new,
                "Change": one.change,
            }
            for one in found[:_MOST_DIFFERENCES]
        ]
        st.dataframe(
            legible(
                pd.DataFrame(rows).astype(dict.fromkeys(("Then", "Now", "Change"), "float64")),
                p_rows=[place for place, one in enumerate(found[:_MOST_DIFFERENCES]) if is_p_value(one.metric)],
            ),
            hide_index=True,
            width="stretch",
            height="content" if len(found) <= _ALL_UP_TO else _MOST_HEIGHT,
            placeholder="",
        )
        if len(found) > _MOST_DIFFERENCES:
            st.caption(f"The first {_MOST_DIFFERENCES:,}; comparing the two runs shows all of them.")


def _verdicts(result: AnalysisResult) -> dict[Key, tuple[str, str]]:
    return {_verdict_key(each): (str(each.verdict), scope_name(each.scope)) for each in result.verdicts}


def _verdict_key(each: Verdict) -> Key:
    return each.rule, json.dumps(each.scope, sort_keys=True)


@st.fragment
def number_pairs(left: AnalysisResult, right: AnalysisResult, *, key: str) -> None:
    """Show the numbers of both with the change; those whose intervals do not touch stand out."""
    import pandas as pd

    one, two = _numbers(left), _numbers(right)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Find a number", key=f"find {key}", placeholder="Part of its name or of what it is about")
        only = st.toggle("Only what differs", value=True, key=f"only {key}")
    rows: list[dict[str, object]] = []
    p_rows: list[int] = []
    for place in dict.fromkeys([*one, *two]):
        a, b = one.get(place), two.get(place)
        was, now = (each.value if each else None for each in (a, b))
        if only and was == now:
            continue
        known = a or b
        if (
            known is None
            or (text or "").casefold() not in f"{metric_name(known.metric)} {scope_name(known.scope)}".casefold()
        ):
            continue
        if is_p_value(known.metric):
            p_rows.append(len(rows))
        apart = a is not None and b is not None and a.unit != b.unit
        rows.append(
            {
                "Measurement": metric_name(known.metric),
                "One": was,
                "The other": now,
                "Change": None if was is None or now is None or apart else now - was,
                "About": scope_name(known.scope),
                "Intervals": _UNITS_DIFFER if apart else intervals_apart(a, b),
            }
        )
    if not rows:
        st.caption("No number differs." if only else "No number fits.")
        return
    st.dataframe(
        legible(pd.DataFrame(rows).astype(dict.fromkeys(("One", "The other", "Change"), "float64")), p_rows=p_rows),
        hide_index=True,
        width="stretch",
        height="content" if len(rows) <= _ALL_UP_TO else _MOST_HEIGHT,
        placeholder="",
        column_config={
            "Measurement": st.column_config.TextColumn(pinned=True, width=NAME_WIDTH),
            "Intervals": st.column_config.TextColumn(help=INTERVALS_HELP),
        },
    )
    st.caption(f"{len(rows):,} of {len({**one, **two}):,} numbers.")


def _numbers(result: AnalysisResult) -> dict[Key, Measurement]:
    return {(one.metric, json.dumps(one.scope, sort_keys=True)): one for one in result.measurements}


def intervals_apart(one: Measurement | None, two: Measurement | None) -> str:
    """Say whether the intervals of two measurements touch; nothing where one has none."""
    if one is None or two is None or one.interval is None or two.interval is None:
        return ""
    apart = one.interval[1] < two.interval[0] or two.interval[1] < one.interval[0]
    return "apart" if apart else "overlap"


@st.fragment
def chart_pairs(left: AnalysisResult, right: AnalysisResult, *, key: str) -> None:
    """Show one chart of both side by side."""
    one, two = ({curve.title: curve for curve in result.curves} for result in (left, right))
    titles = [title for title in one if title in two]
    if not titles:
        return
    st.subheader("Charts", anchor=False)
    title = st.selectbox("Chart", titles, key=f"chart of {key}", label_visibility="collapsed")
    columns = st.columns(2)
    for column, curve, side in zip(columns, (one[title], two[title]), ("left", "right"), strict=True):
        with column:
            chart(curve, key=f"{side} {key}")
