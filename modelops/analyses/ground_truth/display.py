"""What `ground_truth` shows: the metric over time with its band, coverage of labels, the periods as a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.ground_truth.comparing import Band, Losses
from modelops.analyses.ground_truth.estimates import Estimated
from modelops.analyses.ground_truth.metrics_over_time import OverTime, possible
from modelops.analyses.ground_truth.periods import Periods
from modelops.analyses.measuring import finite, shown
from modelops.domain.metric_words import metric_name
from modelops.domain.number_words import percent, quantity
from modelops.domain.record import Scalar
from modelops.domain.result import Curve, ResultTable, Series, Shape

Numbers = NDArray[np.float64]


def metric_curve(
    over: OverTime | None,
    estimate: tuple[Estimated, Numbers] | None,
    band: Band | str,
    periods: Periods,
    *,
    name: str,
    sizes: NDArray[np.int64],
    level: float,
) -> Curve | None:
    """Return one metric over time: measured, estimated, and the band of the reference; ``None`` if nothing is known."""
    series = []
    if over is not None and np.isfinite(over.values).any():
        ends = [over.interval(place, level=level) for place in range(periods.count)]
        series.append(
            Series(
                name="measured",
                x=periods.labels,
                y=finite(over.values),
                low=tuple(end[0] if end else None for end in ends),
                high=tuple(end[1] if end else None for end in ends),
                size=tuple(int(size) for size in over.sizes),
            )
        )
    if estimate is not None and np.isfinite(estimate[0].values).any():
        values, half = estimate[0].values, estimate[1]
        series.append(
            Series(
                name="estimated without labels",
                x=periods.labels,
                y=finite(values),
                low=finite(np.array([possible(name, end) for end in values - half])),
                high=finite(np.array([possible(name, end) for end in values + half])),
                size=tuple(int(size) for size in sizes),
            )
        )
    if not series:
        return None
    note = None
    if isinstance(band, Band) and over is not None:
        low, high = band.ends(over, level=level, looks=periods.count)
        series += [
            Series(name=f"{end} end of the band", x=periods.labels, y=finite(values), part="backdrop")
            for end, values in (("lower", low), ("upper", high))
        ]
        note = (
            f"The reference is at {quantity(band.value)}. If nothing had changed, all periods together would stay in "
            f"its band (thin lines) in {percent(level)} of all cases."
        )
    return Curve(
        name="metric_over_time",
        title=f"{metric_name(name)} over time",
        shape=Shape.LINE,
        x_title="Period",
        y_title=metric_name(name),
        series=tuple(series),
        scope={"metric": name},
        reference=band.value if isinstance(band, Band) else None,
        note=note,
    )


def coverage_curve(labelled: NDArray[np.bool_], periods: Periods) -> Curve:
    """Return the share of labelled rows by period."""
    total = np.bincount(periods.codes[periods.codes >= 0], minlength=periods.count)
    with_label = np.bincount(periods.codes[(periods.codes >= 0) & labelled], minlength=periods.count)
    return Curve(
        name="label_coverage",
        title="Which share of the rows has a label by now",
        shape=Shape.BARS,
        x_title="Period",
        y_title="Share of rows with a label",
        series=(
            Series(
                name="labelled",
                x=periods.labels,
                y=finite(np.divide(with_label, total, out=np.full(periods.count, np.nan), where=total > 0)),
                size=tuple(int(size) for size in total),
            ),
        ),
    )


def value_curve(means: Numbers, low: Numbers, high: Numbers, sizes: NDArray[np.int64], periods: Periods) -> Curve:
    """Return the mean business value of a row by period."""
    return Curve(
        name="business_value_over_time",
        title="Business value of a row over time",
        shape=Shape.LINE,
        x_title="Period",
        y_title="Mean value",
        series=(
            Series(
                name="value",
                x=periods.labels,
                y=finite(means),
                low=finite(low),
                high=finite(high),
                size=tuple(int(size) for size in sizes),
            ),
        ),
    )


def periods_table(
    overs: Sequence[OverTime],
    losses: Losses | str,
    estimated: Sequence[Estimated],
    labelled: NDArray[np.bool_],
    periods: Periods,
) -> ResultTable:
    """Return every period in a line: rows, labels, metrics, loss against the reference, estimates."""
    rows: list[tuple[Scalar, ...]] = []
    for place, label in enumerate(periods.labels):
        mine = periods.codes == place
        told = None if isinstance(losses, str) else losses
        rows.append(
            (
                label,
                int(mine.sum()),
                int((mine & labelled).sum()),
                *(shown(float(over.values[place])) for over in overs),
                None if told is None else shown(float(told.loss[place])),
                None if told is None else shown(float(told.adjusted[place])),
                *(shown(float(one.values[place])) for one in estimated),
            )
        )
    return ResultTable(
        name="periods",
        title="Period by period",
        columns=(
            *("period", "rows", "labels"),
            *(metric_name(over.metric) for over in overs),
            *("loss against the reference", "adjusted p"),
            *(f"estimated {metric_name(one.metric)}" for one in estimated),
        ),
        rows=tuple(rows),
    )
