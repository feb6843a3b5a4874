"""What was found of columns, of groups and of the data as a whole, as measurements."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from modelops.analyses.measuring import measured
from modelops.analyses.representativeness import RepresentativenessParameters
from modelops.analyses.representativeness.comparing import ColumnTest
from modelops.analyses.representativeness.display import Group
from modelops.analyses.representativeness.groups import Column
from modelops.analyses.statistics.intervals import newcombe, wilson
from modelops.analyses.statistics.sample_size import margin_of_error
from modelops.domain.result import Measurement, Scope

NO_POPULATION = "No population is given: neither a table of it nor stated shares."


def column_measurements(
    one: Column, test: ColumnTest | None, reason: str, adjusted: float | None
) -> Iterator[Measurement]:
    """Yield what was found of one column as a whole; ``reason`` says why it could not be tested."""
    scope: Scope = {"feature": one.title}
    size = one.data.present
    figures = test.test if test else None
    note = test.note if test else None
    yield measured(
        "chi_squared_statistic",
        figures.statistic if figures else None,
        size=size,
        scope=scope,
        note=note,
        otherwise=reason,
    )
    freedom = float(figures.degrees_of_freedom) if figures else None
    yield measured("chi_squared_degrees_of_freedom", freedom, size=size, scope=scope, otherwise=reason)
    p_value = figures.p_value if figures else None
    yield measured("chi_squared_p_value", p_value, size=size, scope=scope, otherwise=reason)
    yield measured("adjusted_p_value", adjusted, size=size, scope=scope, otherwise=reason)
    yield measured(
        "cohens_w" if test and not test.is_of_table else "cramers_v",
        test.effect if test else None,
        size=size,
        scope=scope,
        interval=test.interval if test else None,
        otherwise=reason,
    )
    yield from _missing(one, scope)
    yield from _coverage(one, scope, reason)


def _missing(one: Column, scope: Scope) -> Iterator[Measurement]:
    if len(one.names) > 1:
        return
    ours, theirs = one.data, one.population
    for where, table in ((scope, ours), ({**scope, "table": "reference"}, theirs)):
        if table is not None:
            share = table.missing / table.n_rows
            interval = wilson(table.missing, table.n_rows)
            yield measured("missing_rate", share, size=table.n_rows, scope=where, interval=interval)
    if theirs is not None:
        yield measured(
            "missing_rate_difference",
            ours.missing / ours.n_rows - theirs.missing / theirs.n_rows,
            size=min(ours.n_rows, theirs.n_rows),
            scope=scope,
            interval=newcombe(ours.missing, ours.n_rows, theirs.missing, theirs.n_rows),
            note="data minus population",
        )


def _coverage(one: Column, scope: Scope, reason: str) -> Iterator[Measurement]:
    expected = one.expected
    why = one.reason or reason
    if expected is None:
        for metric in ("population_coverage", "absent_group_count", "unknown_group_share"):
            yield measured(metric, None, size=one.data.present, scope=scope, otherwise=why)
        return
    absent = (expected > 0) & (one.data.rows == 0)
    unknown = expected <= 0
    names = ", ".join(one.label(place) for place in np.flatnonzero(absent)[:5])
    more = f" and {int(absent.sum()) - 5} more" if absent.sum() > 5 else ""
    size = one.population.present if one.population else one.data.present
    covered = float(min(1.0, max(0.0, 1 - expected[absent].sum())))
    yield measured(
        "population_coverage", covered, size=size, scope=scope, note=f"absent: {names}{more}" if names else None
    )
    yield measured("absent_group_count", float(absent.sum()), size=len(one.levels), scope=scope)
    share = float(one.data.share[unknown].sum()) if one.data.present else None
    rows = int(one.data.rows[unknown].sum())
    yield measured(
        "unknown_group_share",
        share,
        size=one.data.present,
        scope=scope,
        interval=_share_interval(share, float(one.data.effective.min())) if share is not None else None,
        note=f"{rows} rows" if rows else None,
        otherwise="No row of the data has a value in this column.",
    )


def group_measurements(group: Group, *, needed: int) -> Iterator[Measurement]:
    """Yield what was found of one group; ``needed`` rows are what it should have."""
    one, place, found = group.column, group.place, group.difference
    scope: Scope = {"group": one.group(place)}
    rows, size = int(one.data.rows[place]), one.data.present
    empty = "No row of the data has a value in this column."
    share = float(one.data.share[place]) if size else None
    interval = _share_interval(share, float(one.data.effective[place])) if share is not None else None
    yield measured("group_share", share, size=size, scope=scope, interval=interval, otherwise=empty)
    expected = one.expected
    reason = one.reason or empty
    other = {**scope, "table": "reference"}
    if one.population is not None and expected is not None:
        theirs = float(expected[place])
        ends = _share_interval(theirs, float(one.population.effective[place]))
        yield measured("group_share", theirs, size=one.population.present, scope=other, interval=ends)
    elif expected is not None:
        yield measured("group_share", float(expected[place]), size=0, scope=other, note="as stated")
    yield measured(
        "group_share_difference",
        found.value if found else None,
        size=size,
        scope=scope,
        interval=found.interval if found else None,
        note="data minus population",
        otherwise=reason,
    )
    yield measured(
        "representation_ratio",
        found.ratio if found else None,
        size=size,
        scope=scope,
        interval=found.ratio_interval if found else None,
        otherwise="The population does not have this group." if found else reason,
    )
    p_value = found.p_value if found else None
    yield measured("group_share_p_value", p_value, size=size, scope=scope, otherwise=reason)
    yield measured("group_share_adjusted_p_value", group.adjusted, size=size, scope=scope, otherwise=reason)
    yield measured(
        "smallest_detectable_share_difference",
        found.detectable if found else None,
        size=size,
        scope=scope,
        note="a rise that would be found with 80 % power",
        otherwise=reason,
    )
    if expected is None or expected[place] > 0:
        # How many rows of a group that the population does not have is too few, nobody can say.
        yield measured("group_rows", float(rows), size=one.data.n_rows, scope=scope, unit="rows")
    worth = rows * (float(one.data.effective[place]) / size if size else 0.0)
    yield measured(
        "group_margin_of_error",
        margin_of_error(worth),
        size=rows,
        scope=scope,
        otherwise="The group has no rows.",
    )
    yield measured(
        "rows_needed",
        group.rows_needed(needed),
        size=size,
        scope=scope,
        unit="rows",
        note=f"so that {needed} of them belong to the group",
        otherwise="The group has no share of the population, or none of the data where no population is known.",
    )


def whole_measurements(
    groups: Sequence[Group],
    parameters: RepresentativenessParameters,
    *,
    needed: int,
    n_rows: int,
    sensitive: Collection[str],
) -> Iterator[Measurement]:
    """Yield what holds for all groups together."""
    known = [group for group in groups if group.expected is None or group.expected > 0]
    protected = [group for group in known if len(group.column.names) == 1 and group.column.names[0] in sensitive]
    for metric, members in (("smallest_group_rows", known), ("smallest_sensitive_group_rows", protected)):
        smallest = min(members, key=lambda group: (group.rows, group.label), default=None)
        yield measured(
            metric,
            float(smallest.rows) if smallest else None,
            size=n_rows,
            unit="rows",
            note=smallest.label if smallest else None,
            otherwise="There are no such groups.",
        )
    yield measured(
        "rows_needed_in_group",
        float(needed),
        size=n_rows,
        unit="rows",
        note=f"for a rate that is known to within {parameters.precision:g}",
    )
    single = [group for group in known if len(group.column.names) == 1]
    wanted = [(need, group.label) for group in single if (need := group.rows_needed(needed)) is not None]
    most = max(wanted, default=None)
    yield measured(
        "rows_needed",
        most[0] if most else None,
        size=n_rows,
        unit="rows",
        note=f"decided by {most[1]}; fewer if small groups are sampled more often" if most else None,
        otherwise="No group has a share.",
    )
    judged = [group for group in groups if group.difference is not None]
    yield measured(
        "misrepresented_group_share",
        sum(group.is_off for group in judged) / len(judged) if judged else None,
        size=len(judged),
        note=f"adjusted p below {parameters.alpha:g}, and by at least {parameters.margin:g}",
        otherwise=NO_POPULATION,
    )


def _share_interval(share: float, effective: float) -> tuple[float, float] | None:
    return wilson(min(share * effective, effective), effective) if effective > 0 else None
