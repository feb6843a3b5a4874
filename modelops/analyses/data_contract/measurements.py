"""What holding a contract against a table came to, as measurements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelops.analyses.data_contract.alarms import Rehearsal
from modelops.analyses.data_contract.display import Line
from modelops.analyses.measuring import inapplicable, measured
from modelops.analyses.statistics.intervals import wilson
from modelops.domain.contract import FalseAlarms, columns_of, tolerated_share
from modelops.domain.result import Measurement, Scope

NO_BATCH = (
    "Not enough data: the held-out reference rows are too few for ten batches, or one part of the reference alone"
    " does not teach this check."
)


def scope_of(line: Line) -> Scope:
    """Return the scope of a check's measurements: with its feature where it looks at one column alone."""
    columns = columns_of(line.check.rule)
    return {"feature": columns[0], "check": line.check.id} if len(columns) == 1 else {"check": line.check.id}


def check_measurements(line: Line, *, rehearsed: bool) -> Iterator[Measurement]:
    """Yield what came of one check; ``rehearsed`` says whether there was a reference to count false alarms on."""
    scope = scope_of(line)
    size, tolerated = line.judged, tolerated_share(line.check.rule)
    reason = line.reason or "No row has the values that this check judges."
    share = line.count / size if size else None
    interval = wilson(line.count, size) if size else None
    yield measured(
        "contract_violation_share", share, size=size, scope=scope, interval=interval, note=line.note, otherwise=reason
    )
    count = float(line.count) if size else None
    yield measured("contract_violation_count", count, size=size, scope=scope, unit="rows", otherwise=reason)
    yield measured(
        "contract_excess_violation_share",
        share - tolerated if share is not None else None,
        size=size,
        scope=scope,
        interval=(interval[0] - tolerated, interval[1] - tolerated) if interval else None,
        note=f"{tolerated:g} is tolerated",
        otherwise=reason,
    )
    alarms = line.check.false_alarms
    otherwise = NO_BATCH if rehearsed else "The contract does not record it, and there is no reference to count it on."
    yield _rate("contract_false_alarm_rate", alarms, scope, otherwise)


def missing_kinds(lines: Sequence[Line]) -> Iterator[Measurement]:
    """Yield that the contract has no checks of single columns, or none between columns, where that is so."""
    alone = {len(columns_of(line.check.rule)) == 1 for line in lines}
    if alone == {True}:
        yield inapplicable("contract_excess_violation_share", "The contract has no check between columns.")
    elif alone == {False}:
        yield inapplicable("contract_excess_violation_share", "The contract has no check of a single column.")


def _rate(metric: str, alarms: FalseAlarms | None, scope: Scope, otherwise: str) -> Measurement:
    return measured(
        metric,
        alarms.rate if alarms else None,
        size=alarms.batches if alarms else 0,
        scope=scope,
        interval=wilson(alarms.alarms, alarms.batches) if alarms else None,
        note=f"in batches of {alarms.batch_rows:,} rows" if alarms else None,
        otherwise=otherwise,
    )


def whole_measurements(lines: Sequence[Line], rehearsal: Rehearsal, *, is_given: bool) -> Iterator[Measurement]:
    """Yield how the contract as a whole was kept."""
    judged = [line for line in lines if line.judged]
    broken = sum(line.is_broken for line in judged)
    yield measured(
        "contract_broken_check_share",
        broken / len(judged) if judged else None,
        size=len(judged),
        note=f"{broken} of {len(judged)} checks",
        otherwise="No check could be held against this table.",
    )
    nothing = "The contract has no checks."
    held = len(judged) / len(lines) if lines else None
    yield measured("contract_held_check_share", held, size=len(lines), otherwise=nothing)
    accepted = sum(line.check.is_accepted for line in lines) / len(lines) if lines and is_given else None
    new = nothing if is_given else "The checks were learned in this run: nobody has accepted them yet."
    yield measured("contract_accepted_check_share", accepted, size=len(lines), otherwise=new)
    yield _rate(
        "contract_any_false_alarm_rate", rehearsal.whole, {}, "There are no reference batches to count false alarms on."
    )
