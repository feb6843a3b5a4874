"""Proxies: which features give a sensitive column away, whether or not the model sees that column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.cores.confusion_counts import cell_counts
from modelops.analyses.fairness.data import Grouping
from modelops.analyses.levels import Coded, coded
from modelops.analyses.measuring import Findings, measured, shown
from modelops.analyses.statistics.bootstrap import Uncertainty, counts_intervals
from modelops.analyses.statistics.ranking import Area, area
from modelops.domain.result import Measurement, ResultTable, Scope
from modelops.errors import NotMeasured

_BINS = 10
_MOST_LEVELS = 50

Numbers = NDArray[np.float64]


def proxy_findings(
    sample: Sample, rows: NDArray[np.intp], groupings: list[Grouping], *, uncertainty: Uncertainty
) -> Findings:
    """Measure how well each feature alone tells the groups of each sensitive column.

    Parameters
    ----------
    rows : ndarray of shape (m,)
        Which rows of the table to look at.
    groupings : list of Grouping
        Of single columns, with codes for these rows.
    """
    found = Findings()
    lines: list[tuple[str, str, float | None, float | None, int]] = []
    for name in sample.roles.features:
        numbers, codes = _feature(sample, name, rows)
        for grouping in groupings:
            if name in grouping.features:
                continue
            scope: Scope = {"feature": name, "sensitive": grouping.title}
            association = _association(codes, grouping, scope, uncertainty)
            ranking = _best_area(numbers, grouping, scope, level=uncertainty.level)
            found.measurements += [association, ranking]
            lines.append((grouping.title, name, association.value, shown(ranking.value), association.sample_size))
    lines.sort(key=lambda line: (line[0], -(line[2] or 0.0), line[1]))
    if lines:
        found.tables.append(
            ResultTable(
                name="proxies",
                title="Features that give a sensitive column away",
                columns=("sensitive column", "feature", "Cramer's V", "area under the ROC curve", "rows"),
                rows=tuple(lines),
                note="0 and 0.5: tells nothing; 1: tells everything. Each feature for itself.",
            )
        )
    return found


def _feature(sample: Sample, name: str, rows: NDArray[np.intp]) -> tuple[Numbers | None, Coded]:
    """One feature as numbers (``None`` if it has none) and as codes: tenths of the numbers, or the commonest levels."""
    try:
        numbers = sample.numbers(name)[rows]
    except NotMeasured:
        column = coded(sample, name).take(rows)
        counts = column.counts()
        if counts.size <= _MOST_LEVELS:
            return None, column
        kept = np.argsort(-counts, kind="stable")[: _MOST_LEVELS - 1]
        table = np.full(counts.size + 1, _MOST_LEVELS - 1, dtype=np.int32)
        table[kept], table[-1] = np.arange(kept.size), -1
        return None, Coded(table[column.codes], tuple(str(place) for place in range(_MOST_LEVELS)))
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return numbers, Coded(np.full(rows.size, -1, dtype=np.int32), ())
    values = np.unique(finite)
    edges = values[1:] if values.size <= _BINS else np.unique(np.quantile(finite, np.arange(1, _BINS) / _BINS))
    codes = np.searchsorted(edges, numbers, side="right").astype(np.int32)
    codes[np.isnan(numbers)] = -1
    return numbers, Coded(codes, tuple(str(place) for place in range(edges.size + 1)))


def cramers_v(counts: Numbers) -> Numbers:
    """Return Cramer's V with Bergsma's correction for bias, from tables of shape (..., r, c).

    Empty rows and columns do not count. 0: independent, 1: one determines the other; NaN for one row or one column.

    References
    ----------
    W. Bergsma, "A bias-correction for Cramer's V and Tschuprow's T", Journal of the Korean Statistical Society 42,
    2013.

    Examples
    --------
    >>> cramers_v(np.array([[50.0, 0.0], [0.0, 50.0]])).round(3).item()
    1.0
    """
    total = counts.sum(axis=(-2, -1))
    rows, columns = counts.sum(axis=-1), counts.sum(axis=-2)
    expected = rows[..., :, None] * columns[..., None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        phi = np.sum(np.where(expected > 0, counts**2 / expected, 0.0), axis=(-2, -1)) - 1
        r, c = (rows > 0).sum(axis=-1), (columns > 0).sum(axis=-1)
        phi = np.maximum(0.0, phi - (r - 1) * (c - 1) / (total - 1))
        least = np.minimum(r - (r - 1) ** 2 / (total - 1), c - (c - 1) ** 2 / (total - 1)) - 1
        return np.where((r > 1) & (c > 1) & (least > 0), np.minimum(np.sqrt(phi / least), 1.0), np.nan)


def _association(codes: Coded, grouping: Grouping, scope: Scope, uncertainty: Uncertainty) -> Measurement:
    known = (codes.codes >= 0) & (grouping.codes >= 0)
    size = int(np.count_nonzero(known))
    if not size:
        reason = "No row has both the feature and the group."
        return measured("proxy_cramers_v", None, size=0, scope=scope, otherwise=reason)
    table = cell_counts((codes.codes[known], grouping.codes[known]), (len(codes.levels), len(grouping.names)))
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    (interval,) = counts_intervals(table, lambda drawn: cramers_v(drawn)[..., None], uncertainty)
    return measured(
        "proxy_cramers_v",
        float(cramers_v(table)),
        size=size,
        scope=scope,
        interval=interval,
        level=uncertainty.level,
        otherwise="The feature or the group is the same in every row.",
    )


def _best_area(numbers: Numbers | None, grouping: Grouping, scope: Scope, *, level: float) -> Measurement:
    """The area of the group that the numbers tell best from the others; below one half counts as above."""
    name = "proxy_roc_auc"
    if numbers is None:
        return measured(name, None, size=0, scope=scope, otherwise="The feature is not a number.")
    known = np.isfinite(numbers) & (grouping.codes >= 0)
    values, codes = numbers[known], grouping.codes[known]
    best: tuple[Area, int, float] | None = None
    for group in range(len(grouping.names)):
        try:
            found = area(values, codes == group)
        except NotMeasured:
            continue
        if best is None or abs(found.value - 0.5) > abs(best[0].value - 0.5):
            best = found, group, 1.0 if found.value >= 0.5 else -1.0
        if np.count_nonzero(np.bincount(codes)) == 2:
            break
    if best is None:
        reason = "Fewer than two groups have rows with this feature."
        return measured(name, None, size=values.size, scope=scope, otherwise=reason)
    found, group, sign = best
    ends = found.interval(level=level) or (np.nan, np.nan)
    low, high = sorted(0.5 + sign * (end - 0.5) for end in ends)
    return measured(
        name,
        0.5 + sign * (found.value - 0.5),
        size=values.size,
        scope=scope,
        interval=(low, high),
        level=level,
        note=f"{grouping.label(group)} against everybody else.",
    )
