"""How often checks alarm without cause: good rows, cut into batches, that nothing was learned from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.composed import drawn
from modelops.analyses.data_contract.checking import held
from modelops.analyses.data_contract.values import Values
from modelops.domain.contract import Check, FalseAlarms, columns_of

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Rehearsal:
    """False alarms of each check by its id, and of the contract as a whole; ``None`` where no batch could be made."""

    by_check: Mapping[str, FalseAlarms]
    whole: FalseAlarms | None


def in_order(sample: Sample, table: Mapping[str, Values | None], *, limit: int, seed: int) -> Rows:
    """Return rows of the reference: in the order of time where it has one, else in random order.

    The draw goes by the content of the rows, so the order of the file makes no difference.
    """
    names = [name for name, column in table.items() if column is not None]
    rows = drawn(sample, names, limit=limit, seed=seed).astype(np.intp)
    time = sample.roles.time
    moments = table.get(time) if time is not None else None
    if moments is None or moments.numbers is None:
        return rows
    return rows[np.argsort(moments.numbers[rows], kind="stable")]


def rehearse(
    checks: Sequence[Check],
    table: Mapping[str, Values],
    rows: Rows,
    *,
    batch_rows: int,
    progress: Callable[[float], None],
) -> Rehearsal:
    """Hold checks against batches of ``rows``, which are good ones.

    Uniqueness is judged within a batch. A check that cannot judge a batch (no row has a value) is quiet there; one that
    looks at a column which ``table`` does not have is left out.
    """
    n_batches = rows.size // batch_rows
    held_here = [check for check in checks if all(name in table for name in columns_of(check.rule))]
    if not n_batches or not held_here:
        return Rehearsal({}, None)
    alarms = np.zeros((len(held_here), n_batches), dtype=np.bool_)
    for batch in range(n_batches):
        part = rows[batch * batch_rows : (batch + 1) * batch_rows]
        taken: dict[str, Values | None] = {name: column.take(part) for name, column in table.items()}
        for place, check in enumerate(held_here):
            alarms[place, batch] = held(check.rule, taken, part.size).alarms(check.rule)
        progress((batch + 1) / n_batches)
    by_check = {check.id: _counted(alarms[place], batch_rows) for place, check in enumerate(held_here)}
    return Rehearsal(by_check, _counted(alarms.any(axis=0), batch_rows))


def _counted(alarms: NDArray[np.bool_], batch_rows: int) -> FalseAlarms:
    return FalseAlarms(alarms=int(np.count_nonzero(alarms)), batches=alarms.size, batch_rows=batch_rows)
