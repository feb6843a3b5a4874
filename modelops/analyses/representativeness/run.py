"""One comparison of the data with its population, column by column, group by group."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from modelops.analyses.base import Computed, EvaluationData, Run
from modelops.analyses.measuring import Findings
from modelops.analyses.representativeness import RepresentativenessParameters
from modelops.analyses.representativeness.comparing import (
    ColumnTest,
    Difference,
    column_test,
    difference,
)
from modelops.analyses.representativeness.display import Group, curves, summary, tables
from modelops.analyses.representativeness.groups import Column, Table, column, intersection
from modelops.analyses.representativeness.measurements import (
    column_measurements,
    group_measurements,
    whole_measurements,
)
from modelops.analyses.representativeness.stated import Shares, stated_shares
from modelops.analyses.statistics.multiplicity import benjamini_hochberg
from modelops.analyses.statistics.sample_size import rows_for_precision
from modelops.errors import NotMeasured

_MOST_PAIRED = 6
"""Sensitive columns of which all pairs are looked at; more would be a maze."""


@dataclass
class Comparing:
    """One comparison."""

    data: EvaluationData
    parameters: RepresentativenessParameters
    run: Run

    def __post_init__(self) -> None:
        self.findings = Findings()
        self.needed = rows_for_precision(self.parameters.precision)

    def computed(self) -> Computed:
        """Compare everything and return what was found."""
        sample, reference = self.data.data, self.data.reference
        if not sample.n_rows:
            raise NotMeasured("The table has no rows: it stands for nobody.")
        shares = stated_shares(self.parameters.shares)
        names = self._names(shares)
        if not names:
            raise NotMeasured(
                "No column is sensitive or a feature, and none was named: there are no groups to compare."
            )
        data = Table.of(sample)
        population = Table.of(reference) if reference is not None and reference.n_rows else None
        columns = list(self._columns(names, shares, data, population))
        tests = self._tests(columns)
        differences = [
            [difference(one, place, alpha=self.parameters.alpha) for place in range(len(one.levels))] for one in columns
        ]
        groups = self._groups(columns, differences)
        self.findings.measurements += whole_measurements(
            groups, self.parameters, needed=self.needed, n_rows=sample.n_rows, sensitive=sample.roles.sensitive
        )
        for one, (test, reason, adjusted) in zip(columns, tests, strict=True):
            self.findings.measurements += column_measurements(one, test, reason, adjusted)
        for group in groups:
            self.findings.measurements += group_measurements(group, needed=self.needed)
        self.findings.notes += self._notes(columns, data, population)
        self.findings.curves += curves(groups, self.parameters.margin)
        self.findings.tables += tables(columns, groups, tests, needed=self.needed)
        self.run.progress(1.0, "done")
        text = summary(groups, self.parameters, needed=self.needed)
        return self.findings.computed(text, dropped={})

    def _names(self, shares: Shares) -> tuple[str, ...]:
        roles = self.data.data.roles
        chosen = self.parameters.columns or (*roles.sensitive, *roles.features)
        left_out = {roles.time, roles.weight, *roles.ids} if not self.parameters.columns else set()
        return tuple(name for name in dict.fromkeys((*chosen, *shares)) if name not in left_out)

    def _columns(self, names: Sequence[str], shares: Shares, data: Table, population: Table | None) -> Iterator[Column]:
        sensitive: list[Column] = []
        bins, most = self.parameters.bins, self.parameters.most_levels
        for done, name in enumerate(names, start=1):
            found = column(name, data, population, shares.get(name), bins=bins, most=most)
            if found.levels:
                yield found.without_rows()
            else:
                self.findings.notes.append(f"{name} has no value in any row: it has no groups.")
            if name in self.data.data.roles.sensitive and found.levels:
                sensitive.append(found)
            self.run.progress(0.9 * done / len(names), f"compared {done} of {len(names)} columns")
        if self.parameters.intersections:
            if len(sensitive) > _MOST_PAIRED:
                self.findings.notes.append(f"Of the sensitive columns the first {_MOST_PAIRED} are looked at in pairs.")
            for first, second in combinations(sensitive[:_MOST_PAIRED], 2):
                pair = intersection(first, second, data, population)
                if pair.levels:
                    yield pair.without_rows()

    def _tests(self, columns: Sequence[Column]) -> list[tuple[ColumnTest | None, str, float | None]]:
        found: list[tuple[ColumnTest | None, str]] = []
        for one in columns:
            try:
                found.append((column_test(one, rng=self.run.rng()), ""))
            except NotMeasured as reason:
                found.append((None, str(reason)))
        adjusted = benjamini_hochberg([test.test.p_value if test else math.nan for test, _ in found])
        return [
            (test, reason, None if test is None else float(value))
            for (test, reason), value in zip(found, adjusted, strict=True)
        ]

    def _groups(self, columns: Sequence[Column], differences: Sequence[Sequence[Difference | None]]) -> list[Group]:
        flat = [one for per_column in differences for one in per_column]
        adjusted = iter(benjamini_hochberg([one.p_value if one else math.nan for one in flat]).tolist())
        groups = []
        for one, per_column in zip(columns, differences, strict=True):
            for place, found in enumerate(per_column):
                value = next(adjusted)
                groups.append(Group(one, place, found, None if found is None else value, self._is_real(found, value)))
        return groups

    def _is_real(self, found: Difference | None, adjusted: float) -> bool:
        return found is not None and adjusted < self.parameters.alpha and abs(found.value) >= self.parameters.margin

    def _notes(self, columns: Sequence[Column], data: Table, population: Table | None) -> Iterator[str]:
        yield from (one.note for one in columns if one.note)
        for what, table in (("data", data), ("population", population)):
            if table is not None and table.weights is not None:
                yield f"Shares of the {what} are weighted by {table.sample.roles.weight}."
        if self.parameters.shares and population is not None:
            yield "Where a share of a column is stated, it counts and not the table of the population."
