"""How often checks alarm without cause: good rows, cut into batches, that nothing was learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modelops.analyses.base import Sample
from modelops.analyses.composed import drawn
from modelops.analyses.data_contract.checking import held
from modelops.analyses.data_contract.values import Mask, Values, values_of
from modelops.domain.contract import Check, FalseAlarms, columns_of


@dataclass(frozen=True)
class Rehearsal:
    """False alarms of each check by its id, and of the contract as a whole; ``None`` where no batch could be made."""

    by_check: Mapping[str, FalseAlarms]
    whole: FalseAlarms | None


def good_rows(sample: Sample, names: Iterable[str], *, limit: int, seed: int) -> dict[str, Values]:
    """Read columns of the reference: up to ``limit`` rows, in the order of time where it has one, else in random order.

    The draw goes by the content of the rows, so the order of the file makes no difference.
    """
    there = [name for name in names if name in sample.source.names]
    rows = drawn(sample, there, limit=limit, seed=seed).astype(np.intp)
    time = values_of(sample, sample.roles.time) if sample.roles.time is not None else None
    if time is not None and time.numbers is not None:
        rows = rows[np.argsort(time.numbers[rows], kind="stable")]
    return {name: column.take(rows) for name in there if (column := values_of(sample, name)) is not None}


def rehearse(
    checks: Sequence[Check], table: Mapping[str, Values], *, batch_rows: int, progress: Callable[[float], None]
) -> Rehearsal:
    """Hold checks against batches of the rows of ``table``, which are good ones.

    Uniqueness is judged within a batch. A check that cannot judge a batch (no row has a value) is quiet there; one that
    looks at a column which ``table`` does not have is left out.
    """
    n_rows = max((column.missing.size for column in table.values()), default=0)
    n_batches = n_rows // batch_rows
    held_here = [check for check in checks if all(name in table for name in columns_of(check.rule))]
    if not n_batches or not held_here:
        return Rehearsal({}, None)
    alarms = np.zeros((len(held_here), n_batches), dtype=np.bool_)
    for batch in range(n_batches):
        part = np.arange(batch * batch_rows, (batch + 1) * batch_rows)
        taken: dict[str, Values | None] = {name: column.take(part) for name, column in table.items()}
        for place, check in enumerate(held_here):
            alarms[place, batch] = held(check.rule, taken, part.size).alarms(check.rule)
        progress((batch + 1) / n_batches)
    by_check = {check.id: _counted(alarms[place], batch_rows) for place, check in enumerate(held_here)}
    return Rehearsal(by_check, _counted(np.asarray(alarms.any(axis=0)), batch_rows))


def _counted(alarms: Mask, batch_rows: int) -> FalseAlarms:
    return FalseAlarms(alarms=int(np.count_nonzero(alarms)), batches=alarms.size, batch_rows=batch_rows)
