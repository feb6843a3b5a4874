"""Predicted distributions: quantile columns, or a predicted standard deviation, against what came."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.measuring import Findings, measured
from modelops.analyses.pending_tests import PendingTest, adjusted
from modelops.analyses.performance.regression import Quantities
from modelops.analyses.statistics.intervals import two_sided_p_value, wilson
from modelops.domain.result import Curve, Scope, Series, Shape
from modelops.errors import InvalidInput

_BARS = 20
NO_DISTRIBUTION = (
    "The predictions are single numbers: name a column with their standard deviation, or quantile columns, to have "
    "their distributions judged."
)

Numbers = NDArray[np.float64]


def quantile_columns(entries: Sequence[str], sample: Sample) -> dict[str, float]:
    """Read ``column=share`` entries.

    Raises
    ------
    InvalidInput
        If an entry cannot be read, or names a column that is not there.

    Examples
    --------
    >>> from modelops.analyses.base import Sample
    >>> quantile_columns(["high=95%"], None)
    Traceback (most recent call last):
    ...
    modelops.errors.InvalidInput: Got 'high=95%' as a quantile, expected a column and a share, such as 'high=0.95'.
    """
    found: dict[str, float] = {}
    for entry in entries:
        name, _, text = entry.rpartition("=")
        try:
            share = float(text)
        except ValueError:
            share = float("nan")
        if not name or not 0 < share < 1:
            raise InvalidInput(
                f"Got {entry!r} as a quantile, expected a column and a share, such as 'high=0.95'."
            ) from None
        if name.strip() not in sample.source.names:
            raise InvalidInput(f"The table has no column {name.strip()!r} to take quantiles from.")
        found[name.strip()] = share
    return found


def quantile_findings(columns: dict[str, float], sample: Sample, data: Quantities, *, level: float) -> Findings:
    """Measure how often the target lies at or below each predicted quantile."""
    found = Findings()
    tests: list[PendingTest] = []
    points = []
    for name, share in sorted(columns.items(), key=lambda item: (item[1], item[0])):
        scope: Scope = {"feature": name}
        predicted = sample.numbers(name)[data.rows]
        known = ~np.isnan(predicted)
        below = (data.truth <= predicted)[known]
        weights = None if data.how.weights is None else data.how.weights[known]
        reason = "The column has no value, or only in rows without weight."
        if not below.size or (weights is not None and not weights.any()):
            for metric in ("quantile_coverage", "quantile_coverage_error"):
                found.measurements.append(measured(metric, None, size=0, scope=scope, otherwise=reason))
            tests.append(PendingTest("quantile_coverage", scope, None, 0, reason))
            continue
        seen = float(np.average(below, weights=weights))
        effective = (below.size if weights is None else float(weights.sum())) / data.how.design_effect
        low, high = wilson(seen * effective, effective, level=level)
        for metric, shift in (("quantile_coverage", 0.0), ("quantile_coverage_error", share)):
            found.measurements.append(
                measured(
                    metric,
                    seen - shift,
                    size=below.size,
                    scope=scope,
                    interval=(low - shift, high - shift),
                    level=level,
                    note=f"Predicted as the {share:g} quantile.",
                )
            )
        z = (seen - share) / np.sqrt(share * (1 - share) / effective)
        tests.append(PendingTest("quantile_coverage", scope, two_sided_p_value(float(z)), below.size))
        points.append((share, seen, low, high, below.size))
    found.measurements += adjusted(tests)
    if points:
        found.curves.append(_quantile_curve(points))
    return found


def _quantile_curve(points: Sequence[tuple[float, float, float, float, int]]) -> Curve:
    return Curve(
        name="quantile_coverage",
        title="Predicted quantiles and how often the target lies below",
        shape=Shape.SCATTER if len(points) == 1 else Shape.LINE,
        x_title="Share that the quantile is for",
        y_title="Share of targets at or below",
        series=(
            Series(
                name="observed",
                x=tuple(point[0] for point in points),
                y=tuple(point[1] for point in points),
                low=tuple(point[2] for point in points),
                high=tuple(point[3] for point in points),
                size=tuple(point[4] for point in points),
            ),
        ),
        reference="diagonal",
    )


def pit_findings(deviation: Numbers, data: Quantities, *, level: float) -> Findings:
    """Measure whether the targets fall evenly over the predicted normal distributions (PIT).

    The probability integral transform of a target is the share of its predicted distribution below it: uniform from 0
    to 1 if the distributions are right, heaped in the middle where they are too wide, at both ends where too narrow.

    References
    ----------
    A. P. Dawid, "Statistical theory: the prequential approach", JRSS A 147, 1984; T. Gneiting, F. Balabdaoui,
    A. E. Raftery, "Probabilistic forecasts, calibration and sharpness", JRSS B 69, 2007.
    """
    from scipy.special import ndtr

    known = deviation > 0
    values = np.asarray(ndtr((data.truth[known] - data.predicted[known]) / deviation[known]))
    how = data.how.of_rows(np.flatnonzero(known))
    weights = np.ones(values.size) if how.weights is None else how.weights
    if not values.size or not weights.any():
        reason = "No row has a standard deviation above 0."
        return Findings([measured(name, None, size=0, otherwise=reason) for name in ("pit_distance", "pit_p_value")])
    distance = _distance_from_uniform(values, weights)
    effective = max(1, round(float(weights.sum()) / how.design_effect))
    size = values.size
    found = Findings(
        [
            measured("pit_distance", distance, size=size),
            measured("pit_p_value", _kolmogorov_p_value(distance, effective), size=size),
        ]
    )
    shares = np.histogram(values, bins=_BARS, range=(0, 1), weights=weights)[0] / weights.sum()
    ends = [wilson(min(share, 1.0) * effective, effective, level=level) for share in shares.tolist()]
    found.curves.append(
        Curve(
            name="pit",
            title="Where the targets fall in their predicted distributions",
            shape=Shape.BARS,
            x_title="Share of the predicted distribution below the target (PIT)",
            y_title="Share of rows",
            series=(
                Series(
                    name="rows",
                    x=tuple((bar + 0.5) / _BARS for bar in range(_BARS)),
                    y=tuple(float(share) for share in shares),
                    low=tuple(low for low, _ in ends),
                    high=tuple(high for _, high in ends),
                ),
            ),
            reference=1 / _BARS,
            note="Even if the distributions are right; heaped in the middle if too wide, at both ends if too narrow.",
        )
    )
    return found


def _distance_from_uniform(values: Numbers, weights: Numbers) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) / weights.sum()
    before = np.append(0.0, reached[:-1])
    return float(max(np.max(reached - values[order]), np.max(values[order] - before)))


def _kolmogorov_p_value(distance: float, size: int) -> float:
    from scipy.stats import kstwo

    return float(kstwo.sf(distance, size))
