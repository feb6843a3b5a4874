"""Two versions of one model, held against each other on a page: what they are, and what their analyses found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import streamlit as st

from modelops.domain.columns import ModelSummary
from modelops.domain.metric_words import metric_name
from modelops.domain.result import AnalysisResult, Measurement
from modelops.store import Store
from modelops.store.tables import RunRow, VersionRow
from modelops.ui.bars import show_different_bars
from modelops.ui.comparing import INTERVALS_HELP, intervals_apart
from modelops.ui.numbers import is_p_value, legible
from modelops.ui.results import stored
from modelops.ui.runs import COMPARE, RUN, TITLES, Names, outcome
from modelops.ui.text import plain

_MOST_NUMBERS = 12
_MANY_NAMES = 12


@dataclass(frozen=True)
class Pair:
    """The latest finished run of one analysis on one dataset, of each of two versions."""

    analysis: str
    data_id: int
    one: RunRow
    other: RunRow


def pairs(one: Iterable[RunRow], other: Iterable[RunRow]) -> Iterator[Pair]:
    """Yield a pair for each analysis that both versions have on the same dataset, the dataset that was used last.

    Parameters
    ----------
    one, other : iterable of RunRow
        The finished runs of each version.
    """
    left, right = _latest(one), _latest(other)
    for key in TITLES:
        shared = [place for place in left if place[0] == key and place in right]
        if shared:
            newest = max(shared, key=lambda place: (max(left[place].id or 0, right[place].id or 0), place[1]))
            yield Pair(key, newest[1], left[newest], right[newest])


def _latest(found: Iterable[RunRow]) -> dict[tuple[str, int], RunRow]:
    latest: dict[tuple[str, int], RunRow] = {}
    for run in found:
        place = (run.analysis, run.data_id)
        if run.result is not None and (place not in latest or (run.id or 0) > (latest[place].id or 0)):
            latest[place] = run
    return latest


def unmatched(one: Iterable[RunRow], other: Iterable[RunRow], matched: Sequence[Pair]) -> tuple[list[str], list[str]]:
    """Return the titles of the analyses that only one of the versions has, or that they have on other data."""
    done = {pair.analysis for pair in matched}
    sides = [{run.analysis for run in runs if run.result is not None} - done for runs in (one, other)]
    return [TITLES[key] for key in TITLES if key in sides[0]], [TITLES[key] for key in TITLES if key in sides[1]]


def different_facts(one: VersionRow, other: VersionRow) -> list[dict[str, str]]:
    """Return in what two versions are not the same: file, format, features, parameters, dependencies."""
    left, right = _facts(one), _facts(other)
    found = [
        {"What": name, one.label: left.get(name, "none"), other.label: right.get(name, "none")}
        for name in dict.fromkeys([*left, *right])
        if left.get(name) != right.get(name)
    ]
    features = [_summary(version).features if version.summary else () for version in (one, other)]
    only = [[name for name in mine if name not in set(others)] for mine, others in (features, features[::-1])]
    if any(only):
        found.append({"What": "Features of one only", one.label: _listed(only[0]), other.label: _listed(only[1])})
    elif features[0] != features[1]:
        found.append({"What": "Features", one.label: "the same", other.label: "in another order"})
    return found


def _summary(version: VersionRow) -> ModelSummary:
    return ModelSummary.model_validate(version.summary)


def _facts(version: VersionRow) -> dict[str, str]:
    found = {
        "File digest": version.artifact.short if version.artifact else "predictions only",
        "Dependency lock": version.dependencies.short if version.dependencies else "none",
    }
    if not version.summary:
        return found
    summary = _summary(version)
    found |= {
        "Format": summary.format,
        "Framework": summary.framework,
        "Task": summary.task or "not said",
        "Classes": ", ".join(summary.labels) or "none",
        "Number of features": str(len(summary.features)),
        "Steps": " > ".join(summary.steps) or "none",
    }
    return found | {f"Parameter {name}": value for name, value in sorted(summary.parameters.items())}


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MANY_NAMES} more" if len(names) > _MANY_NAMES else ""
    return (", ".join(names[:_MANY_NAMES]) or "none") + more


def show_pair(pair: Pair, names: Names, labels: tuple[str, str], store: Store) -> None:
    """Show one analysis of both: sentence and verdict side by side, then the key numbers with their difference."""
    results = tuple(stored(run.result, store) for run in (pair.one, pair.other) if run.result is not None)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(TITLES[pair.analysis])}**", width="content")
            st.caption(plain(f"on {names.datasets.get(pair.data_id, '')}"), width="content")
            st.space("stretch")
            query = {"left": str(pair.one.id), "right": str(pair.other.id)}
            st.page_link(COMPARE, label="Compare everything", query_params=query, width="content")
        show_different_bars(pair.one, pair.other, labels, store)
        for column, run, label, result in zip(st.columns(2), (pair.one, pair.other), labels, results, strict=True):
            with column:
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    query = {"run": str(run.id)}
                    st.page_link(RUN, label=plain(f"{label}: run {run.id}"), query_params=query, width="content")
                    outcome(run)
                st.markdown(plain(result.summary))
        if results[0].parameters != results[1].parameters:
            st.caption("The two had other settings: part of a difference may come from that.")
        rows = key_numbers(results[0], results[1], labels)
        if rows:
            _table(rows, labels)


def key_numbers(one: AnalysisResult, other: AnalysisResult, labels: tuple[str, str]) -> list[dict[str, object]]:
    """Return the numbers about all rows that both have, the first ones, with their difference."""
    left, right = _overall(one), _overall(other)
    rows: list[dict[str, object]] = []
    # The same metric in another unit, as contributions to a score and to its log-odds, cannot be compared.
    shared = [metric for metric in left if metric in right and left[metric].unit == right[metric].unit]
    for metric in shared[:_MOST_NUMBERS]:
        a, b = left[metric], right[metric]
        if a.value is None and b.value is None:
            continue
        change = None if a.value is None or b.value is None else b.value - a.value
        rows.append(
            {
                "Measurement": metric_name(metric),
                labels[0]: a.value,
                labels[1]: b.value,
                "Difference": change,
                "Intervals": intervals_apart(a, b),
            }
        )
    return rows


def _overall(result: AnalysisResult) -> dict[str, Measurement]:
    return {one.metric: one for one in result.measurements if not one.scope}


def _table(rows: Sequence[dict[str, object]], labels: tuple[str, str]) -> None:
    import pandas as pd

    numbers = (*labels, "Difference")
    p_rows = [place for place, row in enumerate(rows) if is_p_value(str(row["Measurement"]))]
    st.dataframe(
        legible(pd.DataFrame(rows).astype(dict.fromkeys(numbers, "float64")), p_rows=p_rows),
        hide_index=True,
        width="stretch",
        placeholder="",
        column_config={
            "Measurement": st.column_config.TextColumn(pinned=True),
            "Intervals": st.column_config.TextColumn(help=INTERVALS_HELP),
        },
    )
