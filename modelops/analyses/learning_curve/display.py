"""Numbers, sentence, table and chart of a learning curve."""

from __future__ import annotations

import numpy as np

from modelops.analyses.learning_curve.curve import FEWEST_SIZES, LearningCurve
from modelops.analyses.measuring import Findings, finite, measured, shown
from modelops.domain.metric_words import metric_name, metric_phrase
from modelops.domain.number_words import quantity
from modelops.domain.result import Curve, ResultTable, Series, Shape

_FURTHER = (2, 4)
_POINTS = 60
_DECADE = 10
_FEW_SIZES = f"Not enough data: a power law needs {FEWEST_SIZES} numbers of rows, each twice the one before."
_NEVER = "By the fitted power law there is no such number of rows, or it is beyond all bounds."
_MOST_ROWS = 1e12


def findings(curve: LearningCurve, metric: str, *, margin: float) -> Findings:
    """Return measurements, table and chart."""
    found = Findings()
    rows = []
    n_repeats = curve.scores.values.shape[1]
    for place, size in enumerate(curve.scores.sizes):
        interval = curve.interval(place)
        spread = float(curve.scores.values[place].std(ddof=1)) if n_repeats > 1 else None
        note = None if spread is None else f"Standard deviation over {n_repeats} repeats: {spread:.3g}."
        found.measurements.append(
            measured(
                metric,
                float(curve.means[place]),
                size=curve.scores.influences.shape[2],
                scope={"training_rows": int(size)},
                interval=_holding(interval, float(curve.means[place])),
                level=curve.level,
                note=note,
            )
        )
        low, high = interval or (None, None)
        rows.append((int(size), "measured", float(curve.means[place]), low, high, shown(spread)))
    rows += _extrapolated(found, curve, metric)
    _doublings(found, curve, margin)
    found.tables.append(
        ResultTable(
            name="learning_curve",
            title=f"{metric_name(metric)} by number of training rows",
            columns=("training rows", "how", "score", "low", "high", "spread over repeats"),
            rows=tuple(rows),
        )
    )
    found.curves.append(_chart(curve, metric))
    return found


def _holding(interval: tuple[float, float] | None, value: float) -> tuple[float, float] | None:
    return interval and (min(interval[0], value), max(interval[1], value))


def _extrapolated(
    found: Findings, curve: LearningCurve, metric: str
) -> list[tuple[int, str, float, float | None, float | None, None]]:
    rows: list[tuple[int, str, float, float | None, float | None, None]] = []
    for factor in _FURTHER:
        size = factor * curve.n_rows
        value, interval = curve.expected(size)
        if curve.law is not None:
            low, high = interval or (None, None)
            rows.append((size, "extrapolated", value, low, high, None))
        found.measurements.append(
            measured(
                f"extrapolated_{metric}",
                value,
                size=curve.n_rows,
                scope={"training_rows": size},
                interval=interval,
                level=curve.level,
                otherwise=_FEW_SIZES,
            )
        )
    return rows


def _doublings(found: Findings, curve: LearningCurve, margin: float) -> None:
    n_rows, level = curve.n_rows, curve.level
    value, interval = curve.last_doubling()
    found.measurements.append(
        measured(
            "gain_from_last_doubling",
            value,
            size=n_rows,
            interval=_holding(interval, value),
            level=level,
            otherwise="Not enough data: there are too few rows to halve them.",
        )
    )
    law, laws = curve.law, curve.laws
    if law is None or laws is None:
        for name in ("gain_from_next_doubling", "asymptotic_score", "learning_curve_exponent", "rows_enough"):
            found.measurements.append(measured(name, None, size=n_rows, otherwise=_FEW_SIZES))
        return
    numbers = {
        "gain_from_next_doubling": (law.gain(n_rows, factor=2), laws.gain(n_rows, factor=2)),
        "learning_curve_exponent": (law.exponent, laws.exponent),
    }
    values = {name: curve.of_law(one, many) for name, (one, many) in numbers.items()}
    for name, (value, interval) in (values | {"asymptotic_score": curve.expected(np.inf)}).items():
        found.measurements.append(measured(name, value, size=n_rows, interval=interval, level=level))
    enough, many = (np.minimum(one.rows_until(margin), 2 * _MOST_ROWS) for one in (law, laws))
    value, interval = curve.of_law(enough, many)
    bounded = interval if interval is not None and interval[1] < _MOST_ROWS else None
    found.measurements.append(
        measured(
            "rows_enough",
            value if value < _MOST_ROWS else None,
            size=n_rows,
            interval=bounded,
            level=level,
            note=f"The margin is {margin:g}." + ("" if bounded else " The data sets no upper bound."),
            otherwise=_NEVER,
        )
    )


def summary_of(curve: LearningCurve, metric: str, *, margin: float) -> str:
    """Return one sentence: the score now, what more labels would bring, and whether that is worth it."""
    called, reached = metric_phrase(metric), quantity(curve.means[-1], digits=3)
    article = "an" if called.startswith("R2") else "a"
    text = f"Trained on {curve.n_rows:,} rows, {curve.scores.learner.called} reaches {article} {called} of {reached}"
    last, _ = curve.last_doubling()
    if np.isfinite(last):
        text += f"; the last doubling of the rows brought {_gain(last)}"
    if curve.law is None or curve.laws is None:
        return f"{text}. There are too few rows to say what more labels would bring."
    gain, interval = curve.of_law(curve.law.gain(curve.n_rows, factor=2), curve.laws.gain(curve.n_rows, factor=2))
    text += f". Twice as many labels can be expected to bring {_gain(gain)}"
    if interval is None:
        return f"{text}."
    low, high = interval
    text += f" ({_gain(low)} to {_gain(high)})"
    if high < margin:
        return f"{text}, less than the margin of {margin:g}: the sample is large enough for this model."
    if low >= margin:
        return f"{text}, at least the margin of {margin:g}: more labels are worth it."
    return f"{text}: whether that reaches the margin of {margin:g} is open."


def _gain(value: float) -> str:
    """Write a gain without powers of ten: what is under a ten-thousandth of a score matters to nobody."""
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value + 0.0:.4f}".rstrip("0").rstrip(".").replace("-0", "0")


def _chart(curve: LearningCurve, metric: str) -> Curve:
    sizes = tuple(float(size) for size in curve.scores.sizes)
    series = [
        Series(name=f"repeat {repeat + 1}", x=sizes, y=finite(column), part="backdrop")
        for repeat, column in enumerate(curve.scores.values.T)
    ]
    ends = [curve.interval(place) for place in range(len(sizes))]
    series.append(
        Series(
            name="measured",
            x=sizes,
            y=finite(curve.means),
            low=tuple(end[0] if end else None for end in ends),
            high=tuple(end[1] if end else None for end in ends),
        )
    )
    if curve.law is not None:
        further = np.geomspace(curve.n_rows, _FURTHER[-1] * curve.n_rows, _POINTS)
        numbers = [curve.expected(rows) for rows in further]
        series.append(
            Series(
                name="expected with more rows",
                x=finite(further),
                y=tuple(value for value, _ in numbers),
                low=tuple(end[0] if end else None for _, end in numbers),
                high=tuple(end[1] if end else None for _, end in numbers),
            )
        )
    reached = [x for one in series for x in one.x if isinstance(x, float)]
    return Curve(
        name="learning_curve",
        title=f"{metric_name(metric)} by number of training rows",
        shape=Shape.LINE,
        x_title="Training rows",
        y_title=f"{metric_name(metric)} on the test rows",
        series=tuple(series),
        note="Thin lines: one order of the rows each. Beyond the rows that there are: a power law.",
        # Sizes that grow by ratios would crowd at the left of a linear axis.
        x_scale="log" if max(reached) > _DECADE * min(reached) > 0 else "linear",
    )
