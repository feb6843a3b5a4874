"""Learned checks made to hold on the table that they were learned from: loosened as far as it breaks them, or left out.

Bounds follow the law of a batch, and large tables are learned from a draw of their rows: neither says that every row of
this one table keeps them.
"""

from __future__ import annotations

import numpy as np

from modelops.analyses.data_contract.checking import Held, Table, held
from modelops.domain.contract import AllowedRule, Check, MissingRule, RangeRule

_HERE = " Loosened so that the whole reference keeps it."


def settled(check: Check, table: Table, n_rows: int) -> Check | None:
    """Return a learned check that ``table`` keeps: as it is, loosened, or ``None`` where nothing would be left of it.

    Parameters
    ----------
    check : Check
        Without bounds of people: those are not for us to move.
    table : mapping of str to Values or None
        Every row of the reference, of the columns that the check looks at.
    n_rows : int
        Rows of the table.
    """
    found = held(check.rule, table, n_rows)
    if not found.alarms(check.rule):
        return check
    if isinstance(check.rule, RangeRule):
        check = _widened(check, check.rule, table)
        found = held(check.rule, table, n_rows)
    return _tolerant(check, found) if found.alarms(check.rule) else check


def _widened(check: Check, rule: RangeRule, table: Table) -> Check:
    column = table[rule.column]
    values = column.as_numbers if column is not None else np.empty(0)
    ends = [float(end) for end in (rule.low, rule.high) if end is not None]
    reached = np.append(values[np.isfinite(values)], ends)
    return _changed(check, low=float(reached.min()), high=float(reached.max()))


def _tolerant(check: Check, found: Held) -> Check | None:
    share = found.count / found.judged
    if share == 1 or not isinstance(check.rule, MissingRule | RangeRule | AllowedRule):
        return None
    return _changed(check, **{"at_most" if isinstance(check.rule, MissingRule) else "tolerated": share})


def _changed(check: Check, **fields: float) -> Check:
    rule = check.rule.model_copy(update=fields)
    return check.model_copy(update={"rule": rule, "why": check.why.removesuffix(_HERE) + _HERE})
