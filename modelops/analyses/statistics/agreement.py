"""How far two people agree who judged the same things."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from modelops.analyses.statistics.intervals import LEVEL, Interval, normal_quantile


@dataclass(frozen=True)
class Kappa:
    """Agreement of two readers beyond chance: 1 full, 0 none; ``None`` where it is not defined, and why."""

    value: float | None
    interval: Interval | None
    cases: int
    agreed: int
    reason: str = ""


def cohen_kappa(first: Sequence[str], second: Sequence[str], *, level: float = LEVEL) -> Kappa:
    """Return Cohen's kappa of two readers of the same cases, with its large-sample interval.

    Parameters
    ----------
    first, second : sequence of str
        Their verdicts on the same cases, in the same order.

    References
    ----------
    J. Cohen, 1960; J. L. Fleiss, J. Cohen, B. S. Everitt, "Large sample standard errors of kappa and weighted kappa",
    Psychological Bulletin 72, 1969.

    Examples
    --------
    >>> found = cohen_kappa(["a"] * 25 + ["b"] * 25, ["a"] * 20 + ["b"] * 5 + ["a"] * 10 + ["b"] * 15)
    >>> round(found.value, 3), tuple(round(end, 3) for end in found.interval)
    (0.4, (0.151, 0.649))
    """
    n = len(first)
    agreed = sum(one == other for one, other in zip(first, second, strict=True))
    if not n:
        return Kappa(None, None, 0, 0, "Nothing was judged by two people.")
    levels = sorted({*first, *second})
    cells = {(one, other): 0.0 for one in levels for other in levels}
    for one, other in zip(first, second, strict=True):
        cells[one, other] += 1 / n
    rows = {level: sum(cells[level, other] for other in levels) for level in levels}
    columns = {level: sum(cells[other, level] for other in levels) for level in levels}
    seen = agreed / n
    chance = sum(rows[each] * columns[each] for each in levels)
    if chance >= 1 - 1e-12:
        reason = "Both readers gave the same verdict on every case, so chance agrees fully too."
        return Kappa(None, None, n, agreed, reason)
    kappa = (seen - chance) / (1 - chance)
    on = sum(cells[each, each] * (1 - (rows[each] + columns[each]) * (1 - kappa)) ** 2 for each in levels)
    off = (1 - kappa) ** 2 * sum(
        cells[one, other] * (columns[one] + rows[other]) ** 2 for one in levels for other in levels if one != other
    )
    variance = (on + off - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2)
    half = normal_quantile(level) * math.sqrt(max(0.0, variance))
    return Kappa(kappa, (max(-1.0, kappa - half), min(1.0, kappa + half)), n, agreed)
