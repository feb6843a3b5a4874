"""The metric in every level of every column, and in every combination of levels of two columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from modelops.analyses.measuring import Findings, measured, shown
from modelops.analyses.statistics.multiplicity import benjamini_hochberg
from modelops.analyses.subpopulations.columns import Column
from modelops.analyses.subpopulations.contrast import Contrast, Law, Moments, moments, tally
from modelops.analyses.subpopulations.losses import Losses
from modelops.domain.record import Scalar
from modelops.domain.result import Curve, Measurement, ResultTable, Scope, Series, Shape

_DRAWN = 30
_LISTED = 200
_PAIRS_MEASURED = 40
_COMPARISON = (
    "from",
    "to",
    "worse than the rest by",
    "at least",
    "at most",
    "p",
    "adjusted p",
    "smallest difference that would show",
)


@dataclass(frozen=True)
class Compared:
    """One group of rows; ``contrast`` is ``None`` where it has too few of them."""

    name: str
    scope: Scope
    moments: Moments
    contrast: Contrast | None
    adjusted: float = np.nan


def single_columns(found: Losses, columns: Sequence[Column], law: Law, *, minimum_rows: int) -> Findings:
    """Compare the levels of each column with all other rows."""
    whole = moments(found.values, found.weights)
    compared = []
    for column in columns:
        cells = tally(column.codes, len(column.levels), found.values, found.weights)
        compared += [
            _compared({column.name: level}, cells.at(code), whole, law, minimum_rows)
            for code, level in enumerate(column.levels)
        ]
    compared = adjusted(compared)
    sheet = Findings()
    for one in compared:
        sheet.measurements += group_measurements(found, one, law, minimum_rows=minimum_rows)
    worst = worst_first(compared)
    sheet.curves += forest(
        found, worst[:_DRAWN], law, whole, name="groups", title=f"{_title(found)} by group, the worst first"
    )
    sheet.tables.append(
        group_table(
            found, worst[:_LISTED], name="groups", title="Groups by one column, the worst first", all_of=len(worst)
        )
    )
    return sheet


def pairs(
    found: Losses,
    columns: Sequence[Column],
    law: Law,
    *,
    minimum_rows: int,
    progress: Callable[[float], None],
) -> Findings:
    """Compare every combination of levels of two columns with all other rows; measure and list the worst."""
    whole = moments(found.values, found.weights)
    compared = []
    combined = list(combinations(columns, 2))
    n_empty = 0
    for done, (one, other) in enumerate(combined):
        codes = one.codes.astype(np.int64) * len(other.levels) + other.codes
        cells = tally(codes, len(one.levels) * len(other.levels), found.values, found.weights)
        for place in range(len(cells.cells)):
            i, j = divmod(place, len(other.levels))
            group = cells.at(place)
            if group.rows:
                names = {one.name: one.levels[i], other.name: other.levels[j]}
                compared.append(_compared(names, group, whole, law, minimum_rows))
            else:
                n_empty += 1
        progress((done + 1) / len(combined))
    compared = adjusted(compared)
    tested = worst_first(compared)
    sheet = Findings()
    if not combined:
        return sheet
    for one_group in tested[:_PAIRS_MEASURED]:
        sheet.measurements += group_measurements(found, one_group, law, minimum_rows=minimum_rows)
    small = len(compared) - len(tested)
    sheet.notes.append(
        f"{len(tested):,} combinations of levels of two columns were compared, with p-values adjusted for all of "
        f"them; {small:,} have under {minimum_rows} rows and could not be, {n_empty:,} have none."
    )
    if tested:
        sheet.curves += forest(
            found,
            tested[:_DRAWN],
            law,
            whole,
            name="pairs",
            title=f"{_title(found)} by two columns together, the worst first",
        )
        sheet.tables.append(
            group_table(
                found,
                tested[:_LISTED],
                name="pairs",
                title="Groups by two columns together, the worst first",
                all_of=len(tested),
            )
        )
    return sheet


def _compared(names: dict[str, str], group: Moments, whole: Moments, law: Law, minimum_rows: int) -> Compared:
    enough = group.rows >= minimum_rows and whole.rows - group.rows >= minimum_rows and group.weight > 0
    name = " & ".join(f"{column}: {level}" for column, level in names.items())
    return Compared(name, {"group": names}, group, law.contrast(group, whole) if enough else None)


def adjusted(compared: Sequence[Compared]) -> list[Compared]:
    """Return the groups with their p-values adjusted for how many were tested."""
    values = [np.nan if one.contrast is None else one.contrast.p_value for one in compared]
    after = benjamini_hochberg(values)
    return [replace(one, adjusted=float(value)) for one, value in zip(compared, after, strict=True)]


def worst_first(compared: Sequence[Compared]) -> list[Compared]:
    """Return the groups that could be compared, those that are surest to be worse before others."""

    def rank(one: Compared) -> tuple[bool, float, float, str]:
        contrast = one.contrast
        if contrast is None or not np.isfinite(contrast.difference):
            return True, 1.0, 0.0, one.name
        is_worse = contrast.difference > 0
        p_value = contrast.p_value if np.isfinite(contrast.p_value) else 1.0
        return not is_worse, p_value if is_worse else -p_value, -contrast.difference, one.name

    return sorted((one for one in compared if one.contrast is not None), key=rank)


def group_measurements(found: Losses, one: Compared, law: Law, *, minimum_rows: int) -> list[Measurement]:
    """Return metric, difference, ratio, p-values and what could have been seen, for one group of rows."""
    if one.contrast is None:
        other = "The group has" if one.moments.rows < minimum_rows else "All other rows together are fewer than"
        few = f"{other} {min(minimum_rows, one.moments.rows)} rows"
        reason = f"{few}; at least {minimum_rows} are needed on both sides."
        names = (found.metric, "subgroup_loss_difference", "subgroup_loss_ratio", "subgroup_adjusted_p_value")
        return [measured(name, None, size=one.moments.rows, scope=one.scope, otherwise=reason) for name in names]
    contrast, scope, rows = one.contrast, one.scope, one.moments.rows
    same = "All losses are the same, or there are no other rows."
    listed = [
        measured(
            found.metric,
            found.shown(contrast.group.mean),
            size=rows,
            scope=scope,
            interval=found.interval_shown(contrast.mean_interval),
            level=law.level,
        ),
        measured(
            "subgroup_loss_difference",
            contrast.difference,
            size=rows,
            scope=scope,
            interval=contrast.interval,
            level=law.level,
        ),
        measured(
            "subgroup_loss_ratio",
            contrast.ratio,
            size=rows,
            scope=scope,
            otherwise="All other rows together lose nothing, so there is no ratio.",
        ),
    ]
    for name, value in (
        ("subgroup_p_value", contrast.p_value),
        ("subgroup_adjusted_p_value", one.adjusted),
        ("smallest_detectable_loss_difference", contrast.detectable),
    ):
        listed.append(measured(name, value, size=rows, scope=scope, otherwise=same))
    return listed


def group_table(found: Losses, compared: Sequence[Compared], *, name: str, title: str, all_of: int) -> ResultTable:
    """Return groups as a table."""
    return ResultTable(
        name=name,
        title=title,
        columns=("group", "rows", *comparison_titles(found)),
        rows=tuple((one.name, one.moments.rows, *contrast_cells(found, one)) for one in compared),
        note=f"The first {len(compared)} of {all_of:,} groups." if len(compared) < all_of else None,
    )


def comparison_titles(found: Losses) -> tuple[str, ...]:
    """Return the titles of the columns that `contrast_cells` fills."""
    return (found.metric.replace("_", " "), *_COMPARISON)


def contrast_cells(found: Losses, one: Compared) -> tuple[Scalar, ...]:
    """Return the cells of a table that say how a group compares."""
    contrast = one.contrast
    if contrast is None:
        return (None,) * (1 + len(_COMPARISON))
    low, high = found.interval_shown(contrast.mean_interval) or (None, None)
    below, above = contrast.interval or (None, None)
    numbers = (
        found.shown(contrast.group.mean),
        low,
        high,
        contrast.difference,
        below,
        above,
        contrast.p_value,
        one.adjusted,
        contrast.detectable,
    )
    return tuple(shown(number) for number in numbers)


def forest(
    found: Losses, compared: Sequence[Compared], law: Law, whole: Moments, *, name: str, title: str
) -> list[Curve]:
    """Return the metric of groups with intervals, beside that of all rows."""
    drawn = [one for one in compared if one.contrast is not None]
    if not drawn:
        return []
    intervals = [found.interval_shown(one.contrast.mean_interval) if one.contrast else None for one in drawn]
    return [
        Curve(
            name=name,
            title=title,
            shape=Shape.FOREST,
            x_title="Group",
            y_title=_title(found),
            series=(
                Series(
                    name=_title(found).lower(),
                    x=tuple(one.name for one in drawn),
                    y=tuple(shown(found.shown(one.moments.mean)) for one in drawn),
                    low=tuple(shown(interval[0]) if interval else None for interval in intervals),
                    high=tuple(shown(interval[1]) if interval else None for interval in intervals),
                    size=tuple(one.moments.rows for one in drawn),
                ),
            ),
            reference=found.shown(whole.mean),
            note=f"Line: all rows. Bars: {law.level * 100:g} % interval.",
        )
    ]


def _title(found: Losses) -> str:
    return found.metric.replace("_", " ").capitalize()
