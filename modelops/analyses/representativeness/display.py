"""What people see of a comparison with a population: a sentence, the groups that differ, those that are small."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelops.analyses.measuring import shown
from modelops.analyses.representativeness.comparing import ColumnTest, Difference
from modelops.analyses.representativeness.groups import Column
from modelops.domain.number_words import percent
from modelops.domain.result import Curve, ResultTable, Series, Shape

if TYPE_CHECKING:
    from modelops.analyses.representativeness import RepresentativenessParameters

_DRAWN = 40


@dataclass(frozen=True)
class Group:
    """One group with what was found; ``is_off``: it differs from the population really, and by enough to matter."""

    column: Column
    place: int
    difference: Difference | None
    adjusted: float | None
    is_off: bool

    @property
    def label(self) -> str:
        """What the group is called."""
        return self.column.label(self.place)

    @property
    def rows(self) -> int:
        """Rows of the data."""
        return int(self.column.data.rows[self.place])

    @property
    def share(self) -> float:
        """Its share of the data."""
        return float(self.column.data.share[self.place])

    @property
    def expected(self) -> float | None:
        """Its share of the population, if that is known."""
        shares = self.column.expected
        return None if shares is None else float(shares[self.place])

    def rows_needed(self, needed: int) -> float | None:
        """Return how many rows of the whole hold ``needed`` of the group, drawn as the population is."""
        share = self.share if self.expected is None else self.expected
        return float(math.ceil(needed / share - 1e-9)) if share > 0 else None


def summary(groups: Sequence[Group], parameters: RepresentativenessParameters, *, needed: int) -> str:
    """Return the result in a sentence or two."""
    known = [group for group in groups if group.expected is None or group.expected > 0]
    judged = [group for group in groups if group.difference is not None]
    if not judged:
        first = "No population is given, so nothing can be said of whether the data stands for it."
    else:
        first = _standing(judged, parameters)
    small = sorted((group for group in known if group.rows < needed), key=lambda group: (group.rows, group.label))
    if not known:
        return first
    if not small:
        return f"{first} Every group has the {needed} rows that a rate known to within {parameters.precision:g} needs."
    smallest = small[0]
    return (
        f"{first} {len(small)} of {len(known)} groups have fewer than the {needed} rows that a rate known to within"
        f" {parameters.precision:g} needs; the smallest is {smallest.label} with {smallest.rows:,}."
    )


def _standing(judged: Sequence[Group], parameters: RepresentativenessParameters) -> str:
    off = [group for group in judged if group.is_off]
    if not off:
        real = sum(group.adjusted is not None and group.adjusted < parameters.alpha for group in judged)
        minor = f" {real} differ by more than chance, but by less than matters." if real else ""
        return f"None of {len(judged)} groups differs from the population by more than chance and margin.{minor}"
    worst = max(off, key=lambda group: (abs(group.share - (group.expected or 0.0)), group.label))
    return (
        f"{len(off)} of {len(judged)} groups are over- or under-represented: most of all {worst.label}, with"
        f" {percent(worst.share)} of the data and {percent(worst.expected or 0.0)} of the population."
    )


def curves(groups: Sequence[Group], margin: float) -> list[Curve]:
    """Return the differences of the groups, the largest first."""
    found = [(group, each) for group in groups if (each := group.difference) is not None]
    found.sort(key=lambda pair: (-abs(pair[1].value), pair[0].label))
    if not found:
        return []
    drawn = found[:_DRAWN]
    series = Series(
        name="data minus population",
        x=tuple(group.label for group, _ in drawn),
        y=tuple(each.value for _, each in drawn),
        low=tuple(each.interval[0] for _, each in drawn),
        high=tuple(each.interval[1] for _, each in drawn),
        size=tuple(group.rows for group, _ in drawn),
    )
    return [
        Curve(
            name="differences",
            title="Share of the data less share of the population",
            shape=Shape.FOREST,
            x_title="group",
            y_title="difference of the shares",
            series=(series,),
            reference=0.0,
            note=f"Differences under {margin:g} do not matter here. The largest {len(drawn)} of {len(found)} groups.",
        )
    ]


def tables(
    columns: Sequence[Column],
    groups: Sequence[Group],
    tests: Sequence[tuple[ColumnTest | None, str, float | None]],
    *,
    needed: int,
) -> list[ResultTable]:
    """Return the columns as a whole, and all groups."""
    return [
        ResultTable(
            name="groups",
            title="Groups",
            columns=(
                "group",
                "rows",
                "share of the data",
                "share of the population",
                "difference",
                "low",
                "high",
                "adjusted p",
                "differs and matters",
                f"rows for {needed} in the group",
            ),
            rows=tuple(_line(group, needed) for group in sorted(groups, key=lambda group: (not group.is_off,))),
            note="The groups that differ from the population by more than chance and margin come first.",
        ),
        ResultTable(
            name="columns",
            title="Columns",
            columns=("column", "groups", "without a value", "effect", "adjusted p", "note"),
            rows=tuple(
                (
                    one.title,
                    len(one.levels),
                    one.data.missing,
                    test.effect if test else None,
                    adjusted,
                    (test.note if test else reason) or None,
                )
                for one, (test, reason, adjusted) in zip(columns, tests, strict=True)
            ),
            note="Effect: Cramér's V against a table, Cohen's w against stated shares; 0.1 is small, 0.3 medium.",
        ),
    ]


def _line(group: Group, needed: int) -> tuple[str | int | float | bool | None, ...]:
    found = group.difference
    return (
        group.label,
        group.rows,
        shown(group.share),
        group.expected,
        found.value if found else None,
        found.interval[0] if found else None,
        found.interval[1] if found else None,
        group.adjusted,
        group.is_off if found else None,
        group.rows_needed(needed),
    )
