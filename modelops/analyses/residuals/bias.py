"""Error bias: how the rows with the worst errors of each side differ from all the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.cores.arrow_numbers import Kind, kind_of
from modelops.analyses.drift.homogeneity import cramers_v, homogeneity
from modelops.analyses.drift.kolmogorov import kolmogorov_smirnov_p_value
from modelops.analyses.measuring import measured, shown
from modelops.analyses.residuals.columns import Cells
from modelops.analyses.residuals.values import Residuals
from modelops.domain.record import Scalar
from modelops.domain.result import Measurement, ResultTable, Scope
from modelops.errors import NotMeasured

FEWEST = 10
_DISTINCT = 20

Side = Literal["overestimated", "underestimated"]
SIDES: tuple[Side, Side] = ("overestimated", "underestimated")
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Tails:
    """The rows with the worst errors, as masks of shape (n,)."""

    overestimated: NDArray[np.bool_]
    underestimated: NDArray[np.bool_]


def tails(values: Numbers, *, share: float) -> Tails:
    """Return the ``share`` of the rows with the lowest and with the highest residuals, if these err on that side.

    Examples
    --------
    >>> found = tails(np.array([-9.0, -1, 0, 1, 2, 3, 4, 5, 6, 30]), share=0.1)
    >>> found.overestimated.nonzero()[0].tolist(), found.underestimated.nonzero()[0].tolist()
    ([0], [9])
    """
    low = float(np.quantile(values, share, method="inverted_cdf"))
    high = float(-np.quantile(-values, share, method="inverted_cdf"))
    return Tails((values <= low) & (values < 0), (values >= high) & (values > 0))


@dataclass(frozen=True)
class Bias:
    """How one column differs between the worst errors of one side and all other rows.

    ``effect`` is the Kolmogorov-Smirnov statistic of numbers, Cramer's V of levels; ``typical`` the mean or the
    commonest level in the tail and elsewhere.
    """

    column: str
    side: Side
    effect: float | None
    p_value: float | None
    size: int
    typical: tuple[Scalar, Scalar]
    reason: str = ""


def error_bias(sample: Sample, column: Cells, found: Residuals, worst: Tails, *, seed: int) -> list[Bias]:
    """Compare one column between each tail and all other rows."""
    numbers = _numbers(sample, column, found.rows)
    result = []
    for side in SIDES:
        tail: NDArray[np.bool_] = getattr(worst, side)
        size = int(np.count_nonzero(tail))
        if size < FEWEST or tail.size - size < FEWEST:
            reason = f"Only {size} rows are {side} that much; {FEWEST} are the least to compare."
            result.append(Bias(column.name, side, None, None, size, (None, None), reason))
        elif numbers is not None:
            result.append(_of_numbers(column.name, side, numbers[tail], numbers[~tail], found.how.repeats_effect))
        else:
            result.append(_of_levels(column, side, tail, found.how.repeats_effect, seed=seed))
    return result


def _numbers(sample: Sample, column: Cells, rows: NDArray[np.intp]) -> Numbers | None:
    if kind_of(sample.source.column(column.name)) is not Kind.NUMBER:
        return None
    numbers = sample.numbers(column.name)[rows]
    some = numbers[np.isfinite(numbers)]
    # Ties make the Kolmogorov-Smirnov test too cautious; few distinct values are compared as levels.
    return None if np.unique(some[:10_000]).size < _DISTINCT else numbers


def _of_numbers(name: str, side: Side, tail: Numbers, rest: Numbers, effect: float) -> Bias:
    """Compare numbers; ``effect`` rows are worth one independent row, where rows of one entity repeat."""
    size = tail.size
    tail, rest = np.sort(tail[np.isfinite(tail)]), np.sort(rest[np.isfinite(rest)])
    if min(tail.size, rest.size) < FEWEST:
        reason = f"The column has fewer than {FEWEST} values among the {side} rows or among the others."
        return Bias(name, side, None, None, size, (None, None), reason)
    points = np.concatenate([tail, rest])
    below = np.searchsorted(tail, points, side="right") / tail.size
    other = np.searchsorted(rest, points, side="right") / rest.size
    statistic = float(np.abs(below - other).max())
    p_value = kolmogorov_smirnov_p_value(statistic, _worth(tail.size, effect), _worth(rest.size, effect))
    means = (shown(_mean(tail)), shown(_mean(rest)))
    return Bias(name, side, statistic, p_value, size, means)


def _mean(values: Numbers) -> float:
    scale = float(np.abs(values).max()) or 1.0
    return float(np.mean(values / scale)) * scale


def _worth(rows: int, effect: float) -> float:
    return float(max(1, round(rows / effect)))


def _of_levels(column: Cells, side: Side, tail: NDArray[np.bool_], effect: float, *, seed: int) -> Bias:
    size = int(np.count_nonzero(tail))
    counts = np.stack([np.bincount(column.codes[mask], minlength=len(column.levels)) for mask in (tail, ~tail)]).astype(
        np.int64
    )
    counts = counts[:, counts.sum(axis=0) > 0]
    levels = [level for level, total in zip(column.levels, np.bincount(column.codes), strict=False) if total]
    typical = (levels[int(np.argmax(counts[0]))], levels[int(np.argmax(counts[1]))])
    try:
        test = homogeneity(_independent(counts, effect), rng=np.random.default_rng(seed))
    except NotMeasured as reason:
        return Bias(column.name, side, None, None, size, typical, str(reason))
    return Bias(column.name, side, cramers_v(test), test.p_value, size, typical)


def _independent(counts: NDArray[np.int64], effect: float) -> NDArray[np.int64]:
    """Return counts as if of independent rows: divided by the design effect (Rao and Scott's first correction)."""
    if effect <= 1:
        return counts
    fewer = np.rint(counts / effect).astype(np.int64)
    return fewer[:, fewer.sum(axis=0) > 0]


def bias_measurements(each: Bias, adjusted: float | None, scope: Scope) -> list[Measurement]:
    """Return the effect and the p-values of one column on one side."""
    where: Scope = {"feature": each.column, "side": each.side, **scope}
    return [
        measured(name, value, size=each.size, scope=where, otherwise=each.reason)
        for name, value in (
            ("error_bias", each.effect),
            ("error_bias_p_value", each.p_value),
            ("error_bias_adjusted_p_value", adjusted),
        )
    ]


def bias_table(each: Sequence[Bias], adjusted: Sequence[float | None], scope: Scope, titled: str) -> ResultTable:
    """Return how columns differ among the worst errors, the largest differences first."""
    order = sorted(range(len(each)), key=lambda place: (-(each[place].effect or 0.0), each[place].column))
    return ResultTable(
        name="error_bias" + "".join(f":{value}" for value in scope.values()),
        title=f"How the worst errors differ from all other rows{titled}",
        columns=("column", "side", "rows", "difference", "adjusted p", "mean or commonest there", "elsewhere"),
        rows=tuple(
            (
                each[place].column,
                each[place].side,
                each[place].size,
                each[place].effect,
                adjusted[place],
                *each[place].typical,
            )
            for place in order
        ),
        note="Difference: Kolmogorov-Smirnov statistic for numbers, Cramér's V for levels; 0 alike, 1 wholly apart.",
    )
