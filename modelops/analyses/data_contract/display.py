"""What people see of a contract held against a table. Rows are named by number: values stay where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelops.analyses.data_contract import DEFINITIONS
from modelops.analyses.data_contract.checking import Held
from modelops.analyses.statistics.intervals import wilson
from modelops.domain.canonical import canonical_bytes
from modelops.domain.contract import Check, Contract, columns_of, demand
from modelops.domain.number_words import percent
from modelops.domain.result import Curve, ResultTable, Series, Shape

_ROWS_NAMED = 10
_DRAWN = 40


@dataclass(frozen=True)
class Line:
    """One check and what came of it; ``first`` are the first rows that break it, counted from 1."""

    check: Check
    count: int
    judged: int
    is_broken: bool
    reason: str | None
    note: str | None
    first: tuple[int, ...]

    @classmethod
    def of(cls, check: Check, held: Held) -> Line:
        """Return what is kept of a check that was held against a table: the rows themselves are not."""
        first = np.flatnonzero(held.broken)[:_ROWS_NAMED] + 1 if held.note is None else ()
        return cls(
            check=check,
            count=held.count,
            judged=held.judged,
            is_broken=held.alarms(check.rule),
            reason=held.reason,
            note=held.note,
            first=tuple(int(row) for row in first),
        )

    @property
    def share(self) -> float:
        """The share of the judged rows that break it; 0 where none was judged."""
        return self.count / self.judged if self.judged else 0.0


def summary(contract: Contract, lines: Sequence[Line], *, is_given: bool) -> str:
    """Return the result in a sentence."""
    broken = sorted((line for line in lines if line.is_broken), key=lambda line: (-line.share, line.check.id))
    unheld = sum(not line.judged for line in lines)
    held = len(lines) - unheld
    whose = f"of the contract {contract.name!r}" if is_given else "that were learned from the reference"
    rest = f" {unheld} could not be held against this table." if unheld else ""
    if not lines:
        return "The contract has no checks, so nothing was looked at."
    if not held:
        return f"None of the {len(lines)} checks {whose} could be held against this table."
    if not broken:
        return f"The data keeps all {held} checks {whose}.{rest}"
    worst = broken[0]
    name = f"{', '.join(columns_of(worst.check.rule))} ({demand(worst.check.rule)})"
    return (
        f"{len(broken)} of {held} checks {whose} {'is' if len(broken) == 1 else 'are'} broken: most of all {name}, by"
        f" {worst.count:,} of {worst.judged:,} rows ({percent(worst.share)}).{rest}"
    )


def lines_table(lines: Sequence[Line]) -> ResultTable:
    """Return every check with what came of it, those that are broken first."""
    ordered = sorted(lines, key=lambda line: (not line.is_broken, -line.share, line.check.id))
    return ResultTable(
        name="checks",
        title="Checks",
        columns=(
            "check",
            "demands",
            "outcome",
            "rows that break it",
            "rows judged",
            "first rows",
            "false alarms",
            "accepted by",
            "why",
        ),
        rows=tuple(
            (
                line.check.id,
                demand(line.check.rule),
                _outcome(line),
                line.count if line.judged else None,
                line.judged,
                _first_rows(line),
                _alarm_words(line.check),
                line.check.accepted_by,
                line.check.why,
            )
            for line in ordered
        ),
        note="Rows are counted from 1 without the heading. False alarms: batches of good rows that break the check.",
    )


def _outcome(line: Line) -> str:
    if not line.judged:
        return f"not held: {line.reason or 'no row has the values that it judges'}"
    if line.is_broken:
        return line.note or "broken"
    return "kept, within what it tolerates" if line.count else "kept"


def _first_rows(line: Line) -> str:
    return ", ".join(map(str, line.first)) + (" ..." if line.count > len(line.first) > 0 else "")


def _alarm_words(check: Check) -> str | None:
    found = check.false_alarms
    return None if found is None else f"{found.alarms} of {found.batches} batches"


def definitions(checks: Sequence[Check], contract: Contract, *, is_given: bool) -> ResultTable:
    """Return the checks in the form in which a contract takes them over."""
    return ResultTable(
        name=DEFINITIONS,
        title="The contract as it was held" if is_given else "What was learned, to be taken over into a contract",
        columns=("check", "definition"),
        rows=tuple((check.id, canonical_bytes(check).decode()) for check in checks),
        note=f"{contract.name}; each definition is a check of a data contract, as JSON.",
    )


def curves(lines: Sequence[Line]) -> list[Curve]:
    """Return the checks that rows break, with intervals; and the checks that alarm without cause most often."""
    found = []
    broken = sorted((line for line in lines if line.count), key=lambda line: (-line.share, line.check.id))[:_DRAWN]
    if broken:
        intervals = [wilson(line.count, line.judged) for line in broken]
        series = Series(
            name="rows that break it",
            x=tuple(line.check.id for line in broken),
            y=tuple(line.share for line in broken),
            low=tuple(low for low, _ in intervals),
            high=tuple(high for _, high in intervals),
            size=tuple(line.judged for line in broken),
        )
        found.append(
            Curve(
                name="violations",
                title="Checks that rows break",
                shape=Shape.FOREST,
                x_title="check",
                y_title="share of the rows that break the check",
                series=(series,),
                reference=0.0,
                note="Before what the check tolerates is taken off.",
            )
        )
    loud = [(each, alarms) for line in lines if (alarms := (each := line.check).false_alarms) and alarms.alarms]
    loud.sort(key=lambda pair: (-pair[1].rate, pair[0].id))
    if loud:
        bars = Series(
            name="false alarms",
            x=tuple(check.id for check, _ in loud[:_DRAWN]),
            y=tuple(alarms.rate for _, alarms in loud[:_DRAWN]),
        )
        found.append(
            Curve(
                name="false_alarms",
                title="Checks that alarm without cause",
                shape=Shape.BARS,
                x_title="check",
                y_title="share of good batches with an alarm",
                series=(bars,),
            )
        )
    return found
