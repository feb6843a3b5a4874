"""How far groups are from the population, and whether that is more than chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.drift.distances import smallest_detectable_share_change
from modelops.analyses.drift.homogeneity import Homogeneity, cramers_v, cramers_v_interval, homogeneity
from modelops.analyses.representativeness.groups import Column, Counted
from modelops.analyses.statistics.intervals import (
    Interval,
    newcombe,
    ratio_of_proportions,
    two_proportions_p_value,
    two_sided_p_value,
    wilson,
)
from modelops.errors import NotMeasured

Numbers = NDArray[np.float64]

_EXACT = 10.0
"""Expected rows, on either side, below which the exact binomial test is used."""


@dataclass(frozen=True)
class Difference:
    """One group against the population; ``detectable`` is what would have been found with 80 % power."""

    value: float
    interval: Interval
    ratio: float | None
    ratio_interval: Interval | None
    p_value: float
    detectable: float | None


def difference(column: Column, place: int, *, alpha: float) -> Difference | None:
    """Compare a group's share with that of the population; ``None`` where there are no rows, or no share is known.

    Against a table: Newcombe's interval, the test of two proportions, Koopman's interval of the ratio. Against a stated
    share: Wilson's interval less the share, the binomial test (exact where few rows are expected).
    """
    expected = column.expected
    ours = column.data
    if expected is None or not ours.present or not ours.effective[place] > 0:
        return None
    n, share, wanted = float(ours.effective[place]), float(ours.share[place]), float(expected[place])
    count = _count(share, n, int(ours.rows[place]), ours)
    theirs = column.population
    if theirs is None:
        low, high = wilson(count, n)
        found = low - wanted, high - wanted
        ratio = (low / wanted, high / wanted) if wanted > 0 else None
        p_value = _against(count, n, wanted)
        m = math.inf
    else:
        m = float(theirs.effective[place])
        other = _count(wanted, m, int(theirs.rows[place]), theirs)
        found = newcombe(count, n, other, m)
        below, above = ratio_of_proportions(count, n, other, m)
        ratio = (below, above) if above is not None and wanted > 0 else None
        p_value = two_proportions_p_value(count, n, other, m)
    value = share - wanted
    return Difference(
        value=value,
        interval=(min(found[0], value), max(found[1], value)),
        ratio=share / wanted if wanted > 0 else None,
        ratio_interval=_holding(ratio, share / wanted) if ratio and wanted > 0 else None,
        p_value=p_value,
        detectable=smallest_detectable_share_change(wanted, n, m, alpha=alpha) if wanted < 1 else None,
    )


def _holding(interval: Interval, value: float) -> Interval:
    return min(interval[0], value), max(interval[1], value)


def _count(share: float, total: float, rows: int, counted: Counted) -> float:
    """Return the rows of a group among ``total`` independent ones; the rows themselves where all count alike."""
    return float(rows) if total == counted.present else min(share * total, total)


def _against(count: float, total: float, share: float) -> float:
    """Return the two-sided p-value of the hypothesis that the share is ``share``."""
    if share <= 0 or share >= 1:
        return 1.0 if count == share * total else 0.0
    if total * min(share, 1 - share) < _EXACT:
        from scipy.stats import binomtest

        return float(binomtest(round(count), max(round(total), 1), share).pvalue)
    return two_sided_p_value((count / total - share) / math.sqrt(share * (1 - share) / total))


@dataclass(frozen=True)
class ColumnTest:
    """All groups of a column together: against a table (Cramer's V), else stated shares (Cohen's w)."""

    test: Homogeneity
    is_of_table: bool
    effect: float
    interval: Interval
    note: str | None


def column_test(column: Column, *, rng: np.random.Generator) -> ColumnTest:
    """Test all groups of a column at once: homogeneity against a table, goodness of fit against stated shares.

    Counts are divided by the mean design effect where rows are weighted or repeat (Rao and Scott's first correction).

    Raises
    ------
    NotMeasured
        With the reason.
    """
    if column.expected is None:
        raise NotMeasured(column.reason or "Nothing is known of the population.")
    if not column.data.present:
        raise NotMeasured("No row of the data has a value in this column.")
    ours, ours_effect = _independent(column.data)
    if column.population is not None:
        theirs, theirs_effect = _independent(column.population)
        test = homogeneity(np.stack([theirs, ours]), rng=rng)
        effect = max(ours_effect, theirs_effect)
    else:
        test, effect = _goodness(ours, column.expected), ours_effect
    note = None
    if effect > 1 + 1e-9:
        note = f"Rows are weighted or repeat: counts are divided by the design effect ({effect:.2f})."
    if test.permuted or test.pooled:
        what = "p is from random tables" if test.permuted else f"the {test.pooled} rarest groups count as one"
        note = f"{note} " if note else ""
        note += f"Some groups are small: {what}."
    return ColumnTest(test, column.population is not None, cramers_v(test), cramers_v_interval(test), note)


def _independent(counted: Counted) -> tuple[NDArray[np.int64], float]:
    """Return the rows of each group as if they were independent and of equal weight, and the mean design effect."""
    spread = 1 - counted.share
    effects = counted.present / np.maximum(counted.effective, 1e-12)
    effect = float(np.average(effects, weights=spread)) if spread.sum() > 0 else 1.0
    if effect <= 1 + 1e-9 and np.array_equal(counted.rows / max(counted.present, 1), counted.share):
        return counted.rows.astype(np.int64), 1.0
    return np.rint(counted.share * counted.present / effect).astype(np.int64), effect


def _goodness(counts: NDArray[np.int64], shares: Numbers) -> Homogeneity:
    """Return chi-squared of counts against known shares; groups of which under 5 rows are expected count as one."""
    from scipy.special import chdtrc

    total = int(counts.sum())
    if not total:
        raise NotMeasured("No row of the data has a value in this column.")
    if counts[shares <= 0].sum():
        # What the population does not have at all makes the distance infinite; it is a finding of its own.
        counts, shares = counts[shares > 0], shares[shares > 0]
        total = int(counts.sum())
        if not total:
            raise NotMeasured("No row of the data belongs to a group that the population has.")
        shares = shares / shares.sum()
    rare = shares * total < 5
    pooled = int(np.count_nonzero(rare))
    if pooled > 1:
        counts = np.append(counts[~rare], counts[rare].sum())
        shares = np.append(shares[~rare], shares[rare].sum())
    expected = shares * total
    plain = float(np.sum((counts - expected) ** 2 / expected))
    freedom = counts.size - 1
    p_value = float(chdtrc(freedom, plain)) if freedom else 1.0
    return Homogeneity(plain, plain, freedom, p_value, (total, 0), pooled=pooled if pooled > 1 else 0, permuted=False)
