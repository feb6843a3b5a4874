"""Residuals by column: what a feature, the prediction or the time still says about the error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.cores.arrow_numbers import Kind, kind_of
from modelops.analyses.drift.time import instants
from modelops.analyses.levels import Coded, groups
from modelops.analyses.measuring import measured, shown
from modelops.analyses.residuals.values import Residuals
from modelops.analyses.statistics.means import GroupMeans, group_means
from modelops.domain.record import Scalar
from modelops.domain.result import Curve, Measurement, ResultTable, Scope, Series, Shape

MISSING = "(missing)"

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Cells:
    """A column cut into cells: ranges of numbers or times, or levels. ``ordered``: the cells follow each other."""

    name: str
    codes: NDArray[np.int64]
    levels: tuple[str, ...]
    ordered: bool


def cells(sample: Sample, name: str, rows: NDArray[np.intp], *, most: int, parts: int) -> Cells:
    """Return some rows of a column in cells; missing values are a cell of their own.

    Numbers are cut into up to ``parts`` ranges, times into as many of equally many rows, of levels the ``most``
    largest are kept.
    """
    kind = kind_of(sample.source.column(name))
    if kind is Kind.TIME:
        return _times(sample, name, rows, parts)
    column, _ = groups(sample, name, most=most, count=parts)
    return _with_missing(name, column.take(rows), ordered=kind is Kind.NUMBER)


def _times(sample: Sample, name: str, rows: NDArray[np.intp], parts: int) -> Cells:
    values = instants(sample.source.column(name), name)[rows]
    known = np.isfinite(values)
    edges = np.unique(np.quantile(values[known], np.arange(1, parts) / parts)) if known.any() else np.zeros(0)
    codes = np.where(known, np.searchsorted(edges, values, side="left"), -1)
    dates = sample.series(name).iloc[rows].reset_index(drop=True)
    present = np.flatnonzero(np.bincount(codes[known], minlength=edges.size + 1)) if known.any() else np.zeros(0, int)
    place = np.full(edges.size + 2, -1)
    place[present] = np.arange(present.size)
    levels = tuple(f"from {dates[codes == code].min():%Y-%m-%d %H:%M}".removesuffix(" 00:00") for code in present)
    return _with_missing(name, Coded(place[codes].astype(np.int32), _distinct(levels)), ordered=True)


def _distinct(levels: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{level} ({place})" if level in levels[:place] else level for place, level in enumerate(levels))


def _with_missing(name: str, column: Coded, *, ordered: bool) -> Cells:
    codes = column.codes.astype(np.int64)
    if not column.missing:
        return Cells(name, codes, column.levels, ordered)
    return Cells(name, np.where(codes < 0, len(column.levels), codes), (*column.levels, MISSING), ordered)


@dataclass(frozen=True)
class ByColumn:
    """Mean residuals by the cells of one column, the share of variance that they explain, and the p-value."""

    cells: Cells
    means: GroupMeans
    explained: float | None
    p_value: float | None
    reason: str

    @property
    def rank_key(self) -> tuple[float, str]:
        """The more a column explains, the earlier it is shown."""
        return (-(self.explained or 0.0), self.cells.name)


def by_column(found: Residuals, column: Cells) -> ByColumn:
    """Compare the mean residuals of the cells of one column.

    The share of variance is omega squared: what the cells explain less what as many explain by chance, at least 0.
    """
    means = group_means(found.values, column.codes, found.how, n_groups=len(column.levels))
    p_value = means.p_value()
    if p_value is None:
        return ByColumn(column, means, None, None, "Fewer than two cells of the column have at least two rows.")
    return ByColumn(column, means, _omega_squared(means, found), p_value, "")


def _omega_squared(means: GroupMeans, found: Residuals) -> float:
    known = np.isfinite(means.error)
    effective, mean = means.effective[known], means.mean[known]
    total = float(effective.sum())
    inside = float(np.sum((effective - 1) * effective * means.error[known] ** 2)) / max(total - mean.size, 1e-9)
    centre = float(np.sum(effective * mean)) / total
    between = float(np.sum(effective * (mean - centre) ** 2))
    whole = between + float(np.sum((effective - 1) * effective * means.error[known] ** 2)) + inside
    return max(0.0, (between - (mean.size - 1) * inside) / whole) if whole > 0 and found.deviation > 0 else 0.0


def column_measurements(each: ByColumn, adjusted: float | None, scope: Scope) -> list[Measurement]:
    """Return what one column explains and its p-values."""
    size = int(each.means.size.sum())
    return [
        measured("residual_variance_explained", each.explained, size=size, scope=scope, otherwise=each.reason),
        measured("residual_p_value", each.p_value, size=size, scope=scope, otherwise=each.reason),
        measured("residual_adjusted_p_value", adjusted, size=size, scope=scope, otherwise=each.reason),
    ]


def column_curve(each: ByColumn, found: Residuals, titled: str, *, level: float, most: int) -> Curve:
    """Return the mean residual of each cell with its t interval."""
    low, high = each.means.ends(level=level)
    filled = np.flatnonzero(each.means.size > 0)
    few = filled.size > most
    if few:
        filled = np.sort(filled[np.argsort(-each.means.size[filled], kind="stable")[:most]])
    return Curve(
        name="residual_by_column",
        title=f"Mean residual by {each.cells.name.strip('()')}{titled}",
        shape=Shape.FOREST,
        x_title=each.cells.name.strip("()"),
        y_title="Target less prediction (above 0: the model says too little)",
        series=(
            Series(
                name="mean residual",
                x=tuple(each.cells.levels[place] for place in filled),
                y=tuple(shown(float(each.means.mean[place])) for place in filled),
                low=tuple(shown(float(low[place])) for place in filled),
                high=tuple(shown(float(high[place])) for place in filled),
                size=tuple(int(each.means.size[place]) for place in filled),
            ),
        ),
        scope={"feature": each.cells.name, **found.scope},
        reference=0.0,
        note=f"The {most} largest cells." if few else None,
    )


def columns_table(
    each: Sequence[ByColumn], adjusted: Sequence[float | None], found: Residuals, titled: str
) -> ResultTable:
    """Return all columns, those that explain most first, with the cells that are furthest off."""
    rows = []
    for one, value in zip(each, adjusted, strict=True):
        usable = np.flatnonzero(np.isfinite(one.means.error))
        ends: tuple[Scalar, ...] = (None,) * 4
        if usable.size:
            low, high = usable[np.argmin(one.means.mean[usable])], usable[np.argmax(one.means.mean[usable])]
            ends = (
                *(one.cells.levels[low], float(one.means.mean[low])),
                *(one.cells.levels[high], float(one.means.mean[high])),
            )
        rows.append((one.cells.name, one.explained, one.p_value, value, *ends))
    return ResultTable(
        name="residuals_by_column" + "".join(f":{value}" for value in found.scope.values()),
        title=f"What each column still says about the residuals{titled}",
        columns=(
            *("column", "variance explained", "p", "adjusted p"),
            *("most overestimated", "mean residual", "most underestimated", "mean residual there"),
        ),
        rows=tuple(rows),
        note="Mean residual: target less prediction.",
    )
