"""The threshold workbench on the screen: what the counts of a result say under the costs and the threshold of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from modelops.analyses.measuring import finite
from modelops.analyses.performance.threshold_counts import ThresholdCounts
from modelops.analyses.statistics.rates import Rate
from modelops.domain.decision import ThresholdDecision
from modelops.domain.metric_words import metric_name
from modelops.domain.number_words import percent
from modelops.domain.result import AnalysisResult, Curve, Series, Shape
from modelops.services.decisions import RATES
from modelops.store.queries_decisions import Decided
from modelops.ui.text import plain, utc

COSTS = (
    ("cost_true_positive", "true positive", 0.0),
    ("cost_false_positive", "false positive", 1.0),
    ("cost_false_negative", "false negative", 1.0),
    ("cost_true_negative", "true negative", 0.0),
)


_USUAL_THRESHOLD = 0.5
# Rows without a score count in the rates of the run and not here.
_SAME_SELECTION = 0.002


@dataclass(frozen=True)
class Start:
    """Where the workbench begins: the place of the threshold, costs and capacity by name, and where they come from."""

    place: int
    given: Mapping[str, object]
    words: str


def start(result: AnalysisResult, counts: ThresholdCounts, saved: Sequence[Decided]) -> Start:
    """Begin at the newest saved threshold for the same class, with its costs; else at what the run itself did.

    Parameters
    ----------
    saved : sequence of Decided
        Decisions for the version, the newest first.
    """
    for one in saved:
        if isinstance(one.body, ThresholdDecision) and one.body.positive == result.positive:
            return _saved_start(counts, one, one.body)
    near = result.parameters.get("threshold")
    near = float(near) if isinstance(near, int | float) else _USUAL_THRESHOLD
    place, selected = counts.nearest(near), result.find("selection_rate")
    words = f"It starts at the threshold of the run, {near:g}, with the costs of the run."
    if selected is not None and selected.value is not None:
        here = counts.rate(RATES[0], place)[0] or 0.0
        if abs(here - selected.value) > _SAME_SELECTION:
            place = counts.selecting(selected.value, near=near)
            words = (
                "It starts where about as many rows are selected as by the predictions of the run, "
                f"{percent(selected.value)}, with the costs of the run."
            )
    return Start(place, result.parameters, words)


def _saved_start(counts: ThresholdCounts, one: Decided, body: ThresholdDecision) -> Start:
    place = counts.nearest(body.threshold)
    options = threshold_options(counts)
    closest = "" if f"{body.threshold:.6g}" == f"{options[place]:.6g}" else f" (the closest here is {options[place]:g})"
    words = (
        f"It starts at the threshold {body.threshold:g}{closest} that was saved on {utc(one.row.decided_at)} for run "
        f"{one.row.run_id}, with the costs and the capacity of that decision."
    )
    return Start(place, {name: getattr(body, name) for name in (*(name for name, _, _ in COSTS), "capacity")}, words)


def capacity_words(counts: ThresholdCounts, costs: np.ndarray, capacity: float | None) -> str:
    """Say what the capacity changes: nothing, no threshold is left, or another one would be cheaper without it."""
    best, free = counts.cheapest(costs, capacity=capacity), counts.cheapest(costs)
    if capacity is None or free is None or best == free:
        return ""
    options, spent = threshold_options(counts), counts.cost(costs)
    without = f"without it {options[free]:g} would be ({spent[free]:.4g} per row, "
    without += f"{percent(counts.rate(RATES[0], free)[0] or 0.0)} of the rows selected)"
    if best is None:
        return f"No threshold keeps the capacity of {percent(capacity)}. None is cheapest within it; {without}."
    return (
        f"The capacity of {percent(capacity)} decides: within it {options[best]:g} is cheapest ({spent[best]:.4g} per"
        f" row); {without}."
    )


def stakes(parameters: Mapping[str, object], *, key: str) -> tuple[tuple[float, float, float, float], float | None]:
    """Ask what each of the four outcomes costs and how many rows can be acted on; at first as ``parameters`` say.

    Returns
    -------
    tuple
        The costs of a true positive, false positive, false negative and true negative; the capacity as a share, or
        ``None``.
    """
    *columns, last = st.columns(5, vertical_alignment="bottom")
    given = []
    for column, (name, label, usual) in zip(columns, COSTS, strict=True):
        start = parameters.get(name, usual)
        given.append(
            column.number_input(
                f"Cost of a {label}",
                value=float(start) if isinstance(start, int | float) else usual,
                step=1.0,
                format="%g",
                key=f"{key} {name}",
                help="In any unit; a negative number is a gain.",
            )
        )
    known = parameters.get("capacity")
    percent = last.number_input(
        "Capacity, % of rows",
        min_value=0.1,
        max_value=100.0,
        value=100.0 * float(known) if isinstance(known, int | float) else None,
        step=1.0,
        format="%g",
        placeholder="no limit",
        key=f"{key} capacity",
        help="How many can be acted on. Thresholds that select more are not proposed, and are not saved.",
    )
    return (given[0], given[1], given[2], given[3]), percent / 100 if percent else None


def as_matrix(costs: tuple[float, float, float, float]) -> np.ndarray:
    """Return costs by label and prediction."""
    hit, alarm, miss, rest = costs
    return np.array([[rest, alarm], [miss, hit]])


def cost_curve(counts: ThresholdCounts, costs: np.ndarray, place: int, *, capacity: float | None = None) -> Curve:
    """Return what each threshold costs, with the chosen and the cheapest; apart what the capacity does not allow."""
    spent, allowed = counts.cost(costs), counts.allowed(capacity)
    best = counts.cheapest(costs, capacity=capacity)
    if allowed.all():
        parts = {"cost per row": allowed}
    else:
        # The first threshold within the capacity belongs to both, so that the line does not break.
        beyond = ~allowed
        beyond[1:] |= ~allowed[:-1]
        parts = {"within the capacity": allowed, "beyond the capacity": beyond}
    series = [
        Series(name=name, x=finite(counts.thresholds[part]), y=finite(spent[part]))
        for name, part in parts.items()
        if part.any()
    ]
    if best is not None and best != place:
        name = "cheapest" if allowed.all() else "cheapest within the capacity"
        series.append(Series(name=name, x=(float(counts.thresholds[best]),), y=(float(spent[best]),)))
    series.append(Series(name="chosen", x=(float(counts.thresholds[place]),), y=(float(spent[place]),)))
    return Curve(
        name="workbench_cost",
        title="Cost per row at each threshold",
        shape=Shape.LINE,
        x_title="Threshold",
        y_title="Cost per row",
        series=tuple(series),
    )


def group_curve(counts: ThresholdCounts, rate: Rate, place: int) -> Curve:
    """Return one rate of all rows and each group at the chosen threshold, with intervals."""
    figures = [counts.rate(rate, place, group) for group in range(len(counts.groups))]
    known = [(group, value, ends) for group, (value, ends) in enumerate(figures) if value is not None and ends]
    overall = figures[0][0]
    return Curve(
        name=f"workbench_{rate.metric}",
        title=f"{metric_name(rate.metric)} at the chosen threshold",
        shape=Shape.FOREST,
        x_title="Group",
        y_title=metric_name(rate.metric),
        series=(
            Series(
                name=metric_name(rate.metric),
                x=tuple(counts.groups[group].name for group, _, _ in known),
                y=tuple(value for _, value, _ in known),
                low=tuple(ends[0] for _, _, ends in known),
                high=tuple(ends[1] for _, _, ends in known),
                size=tuple(counts.denominator(rate, place, group) for group, _, _ in known),
            ),
        ),
        reference=overall,
        note="The line is the rate of all rows.",
    )


def overall_figures(counts: ThresholdCounts, costs: np.ndarray, place: int) -> None:
    """Show the rates of all rows and the cost, each with its interval."""
    *columns, last = st.columns(len(RATES) + 1)
    for column, rate in zip(columns, RATES, strict=True):
        value, ends = counts.rate(rate, place)
        note = f"{_between(ends)}, of {counts.denominator(rate, place):,} rows" if ends else None
        column.metric(plain(metric_name(rate.metric)), "-" if value is None else percent(value))
        column.caption(plain(note or rate.denominator))
    spent, rows = counts.cost(costs)[place], counts.counts[0, place].sum()
    last.metric("Cost per row", f"{spent:.4g}")
    last.caption(plain(f"{spent * rows:,.4g} on these {rows:,.0f} rows"))


def group_table(counts: ThresholdCounts, costs: np.ndarray, place: int) -> None:
    """Show each group in a line: its rates with intervals, its cost."""
    st.dataframe(
        [_line(counts, costs, place, group) for group in range(len(counts.groups))],
        hide_index=True,
        width="stretch",
        height="content" if len(counts.groups) <= 14 else 460,
        column_config={"Group": st.column_config.TextColumn(pinned=True)},
    )
    st.caption(
        "In brackets the 95 % interval. It is short where many rows count: for precision those selected, for recall "
        "the positives, for the false positive rate the negatives of the group."
    )


def _between(ends: tuple[float, float]) -> str:
    return f"{percent(ends[0])} to {percent(ends[1])}"


def _line(counts: ThresholdCounts, costs: np.ndarray, place: int, group: int) -> dict[str, str | float]:
    line: dict[str, str | float] = {"Group": counts.groups[group].name}
    line["Rows"] = counts.denominator(RATES[0], place, group)
    for rate in RATES:
        value, ends = counts.rate(rate, place, group)
        shown = f"{percent(value)} ({_between(ends)})" if value is not None and ends else "not measured"
        line[metric_name(rate.metric)] = shown
    line["Cost per row"] = float(f"{counts.cost(costs, group)[place]:.4g}")
    return line


def threshold_options(counts: ThresholdCounts) -> Sequence[float]:
    """Return the thresholds that can be chosen, from low to high."""
    return [float(f"{value:.6g}") for value in counts.thresholds]
