"""Performance of a model that predicts a quantity: how far off it is, in which direction, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.bars import equal_bins
from modelops.analyses.base import Sample
from modelops.analyses.measuring import Findings, finite, measured, shown, thinned
from modelops.analyses.statistics.bootstrap import Uncertainty, draws_of_means, percentile_interval
from modelops.analyses.statistics.intervals import LEVEL
from modelops.analyses.statistics.quantiles import quantile
from modelops.analyses.statistics.weighting import Weighting, row_entities, row_weights, weighting
from modelops.domain.result import Curve, Measurement, ResultTable, Series, Shape
from modelops.errors import NotMeasured

_SCATTER = 400
_BARS = 30
_PARTS = 10
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
LARGEST = 1e120
"""Numbers beyond this count as infinite: their squares no longer fit into a float."""

_CONSTANT = "The target is the same in every row."

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Quantities:
    """The rows that have a target and a prediction, with how they count."""

    truth: Numbers
    predicted: Numbers
    rows: NDArray[np.intp]
    how: Weighting
    dropped: dict[str, int]
    entities: NDArray[np.int64] | None = None

    @property
    def errors(self) -> Numbers:
        """Prediction minus target: positive where the model says too much."""
        return self.predicted - self.truth

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.truth.size


def quantities(sample: Sample) -> Quantities:
    """Read target, prediction and weights; rows where one is missing or infinite are dropped and counted.

    Raises
    ------
    NotMeasured
        If a column is missing or not numeric, or no row is left.
    """
    roles = sample.roles
    if roles.target is None or roles.prediction is None:
        raise NotMeasured("Measuring errors needs a target and a prediction column.")
    truth, predicted = sample.numbers(roles.target), sample.numbers(roles.prediction)
    weights, entities = row_weights(sample), row_entities(sample)
    kept = np.ones(truth.size, dtype=bool)
    dropped: dict[str, int] = {}
    reasons = {"the prediction is missing or infinite": predicted, "the target is missing or infinite": truth}
    if weights is not None:
        reasons["the weight is missing, negative or infinite"] = weights
    for reason, column in reasons.items():
        usable = np.abs(column) < LARGEST
        if lost := int(np.count_nonzero(kept & ~usable)):
            dropped[reason] = lost
        kept &= usable
    if not kept.any() or (weights is not None and not weights[kept].any()):
        raise NotMeasured("No row has a target, a prediction and a weight above zero.")
    mine = None if entities is None else np.unique(entities[kept], return_inverse=True)[1]
    truth, predicted = truth[kept], predicted[kept]
    how = weighting(None if weights is None else weights[kept], mine, np.abs(predicted - truth))
    return Quantities(truth, predicted, np.flatnonzero(kept), how, dropped, mine)


def regression_performance(data: Quantities, *, uncertainty: Uncertainty) -> Findings:
    """Measure the errors of predictions of a quantity."""
    found = Findings(notes=[data.how.note] if data.how.note else [])
    found.measurements += _mean_measurements(data, uncertainty)
    found.measurements += _order_measurements(data, uncertainty)
    found.tables += [_quantile_table(data), _parts_table(data, uncertainty)]
    found.curves += [_scatter(data), _histogram(data), _error_by_prediction(data, uncertainty)]
    return found


def _mean_measurements(data: Quantities, uncertainty: Uncertainty) -> list[Measurement]:
    """What is a function of means: bootstrapped together from the columns below."""
    # Centred, so that the variance of large targets does not drown in rounding.
    centre = float(np.average(data.truth, weights=data.how.weights))
    truth, predicted = data.truth - centre, data.predicted - centre
    errors = data.errors
    # The quotient is taken only where it stays below LARGEST.
    nonzero = np.abs(errors) / LARGEST < np.abs(data.truth)
    relative = np.abs(np.divide(errors, data.truth, out=np.zeros_like(errors), where=nonzero))
    columns = np.column_stack(
        [errors, np.abs(errors), errors**2, truth, truth**2, predicted, predicted**2, truth * predicted, relative]
    )

    def statistic(means: Numbers) -> dict[str, Numbers]:
        error, absolute, squared, true, true2, pred, pred2, product, share = np.moveaxis(means, -1, 0)
        variance = true2 - true**2
        spread = np.sqrt(np.maximum(variance, 0)) * np.sqrt(np.maximum(pred2 - pred**2, 0))
        return {
            "mean_absolute_error": absolute,
            "root_mean_squared_error": np.sqrt(np.maximum(squared, 0)),
            "mean_squared_error": squared,
            "mean_error": error,
            "r2": _less_share(squared, variance),
            "explained_variance": _less_share(squared - error**2, variance),
            "pearson_correlation": 1 - _less_share(product - true * pred, spread),
            "mean_absolute_percentage_error": share,
            "mean_prediction": pred + centre,
            "mean_target": true + centre,
        }

    values = statistic(np.average(columns, axis=0, weights=data.how.weights))
    drawn = statistic(
        draws_of_means(columns, uncertainty, weights=data.how.weights, design_effect=data.how.design_effect)
    )
    if np.ptp(data.truth) == 0:
        values |= dict.fromkeys(("r2", "explained_variance", "pearson_correlation"), np.array(np.nan))
    if not nonzero.all():
        values["mean_absolute_percentage_error"] = np.array(np.nan)
    reasons = {"mean_absolute_percentage_error": "A target is 0 or next to it, so a relative error is not defined."}
    reasons["pearson_correlation"] = "Targets or predictions are the same in every row."
    notes = {"mean_error": "Positive: predictions are too high on average."}
    return [
        measured(
            name,
            float(value),
            size=data.n_rows,
            interval=percentile_interval(drawn[name], level=uncertainty.level),
            level=uncertainty.level,
            note=notes.get(name),
            otherwise=reasons.get(name, _CONSTANT),
        )
        for name, value in values.items()
    ]


def _less_share(part: Numbers, whole: Numbers) -> Numbers:
    share = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return np.asarray(1 - share)


def _order_measurements(data: Quantities, uncertainty: Uncertainty) -> list[Measurement]:
    """What depends on the order of the errors; intervals from the binomial law of order statistics."""
    absolute = np.abs(data.errors)
    order = np.argsort(absolute)
    ordered = absolute[order]
    weights = None if data.how.weights is None else data.how.weights[order]
    found = []
    for name, share, note in (
        ("median_absolute_error", 0.5, None),
        ("absolute_error_quantile_90", 0.9, "Nine in ten predictions are at most this far off."),
    ):
        value, interval = quantile(ordered, weights, share, effect=data.how.design_effect, level=uncertainty.level)
        found.append(measured(name, value, size=data.n_rows, interval=interval, level=uncertainty.level, note=note))
    found.append(measured("max_error", float(ordered[-1]), size=data.n_rows, note="The largest error of these rows."))
    return found


def _quantile_table(data: Quantities) -> ResultTable:
    order = np.argsort(data.errors)
    weights = None if data.how.weights is None else data.how.weights[order]
    ordered, effect = data.errors[order], data.how.design_effect
    values = [quantile(ordered, weights, share, effect=effect, level=LEVEL)[0] for share in _QUANTILES]
    return ResultTable(
        name="error_quantiles",
        title="How the errors are spread (prediction minus target)",
        columns=("share of rows with a smaller error", "error"),
        rows=tuple(zip(_QUANTILES, values, strict=True)),
    )


def _parts(data: Quantities) -> list[NDArray[np.intp]]:
    """Rows by tenths of the prediction; rows with the same prediction stay together."""
    edges = np.unique(np.quantile(data.predicted, np.arange(1, _PARTS) / _PARTS))
    place = np.searchsorted(edges, data.predicted, side="left")
    return [found for part in range(edges.size + 1) if (found := np.flatnonzero(place == part)).size]


def _weights_in(data: Quantities, part: NDArray[np.intp]) -> Numbers | None:
    """Return the weights of some rows; ``None`` where all are alike, be it that none of them counts."""
    weights = None if data.how.weights is None else data.how.weights[part]
    return weights if weights is not None and weights.any() else None


def _parts_table(data: Quantities, uncertainty: Uncertainty) -> ResultTable:
    rows = []
    for part in _parts(data):
        mean, low, high = _mean_with_interval(data, part, uncertainty.level)
        absolute = float(np.average(np.abs(data.errors[part]), weights=_weights_in(data, part)))
        bounds = float(data.predicted[part].min()), float(data.predicted[part].max())
        rows.append((*bounds, part.size, mean, shown(low), shown(high), absolute))
    return ResultTable(
        name="errors_by_prediction",
        title="Errors by size of the prediction",
        columns=("prediction from", "to", "rows", "mean error", "low", "high", "mean absolute error"),
        rows=tuple(rows),
    )


def _mean_with_interval(data: Quantities, part: NDArray[np.intp], level: float) -> tuple[float, float, float]:
    from scipy.special import stdtrit

    errors = data.errors[part]
    weights = _weights_in(data, part)
    mean = float(np.average(errors, weights=weights))
    if part.size < 2 or (weights is None and data.how.weights is not None):
        return mean, np.nan, np.nan
    variance = float(np.average((errors - mean) ** 2, weights=weights)) * part.size / (part.size - 1)
    half = float(stdtrit(part.size - 1, (1 + level) / 2)) * np.sqrt(variance * data.how.design_effect / part.size)
    return mean, mean - half, mean + half


def _error_by_prediction(data: Quantities, uncertainty: Uncertainty) -> Curve:
    parts = _parts(data)
    means = [_mean_with_interval(data, part, uncertainty.level) for part in parts]
    centres = np.array([float(np.median(data.predicted[part])) for part in parts])
    values, low, high = (finite(np.array(column)) for column in zip(*means, strict=True))
    return Curve(
        name="error_by_prediction",
        title="Mean error by size of the prediction",
        shape=Shape.LINE,
        x_title="Prediction (middle of each tenth)",
        y_title="Prediction minus target",
        series=(
            Series(
                name="mean error",
                x=finite(centres),
                y=values,
                low=low,
                high=high,
                size=tuple(part.size for part in parts),
            ),
        ),
        reference=0.0,
    )


def _scatter(data: Quantities) -> Curve:
    order = np.lexsort((data.truth, data.predicted))
    kept = order[thinned(np.arange(data.n_rows, dtype=np.float64), most=_SCATTER)]
    few = kept.size < data.n_rows
    return Curve(
        name="predicted_against_target",
        title="Prediction against target",
        shape=Shape.SCATTER,
        x_title="Prediction",
        y_title="Target",
        series=(Series(name="rows", x=finite(data.predicted[kept]), y=finite(data.truth[kept])),),
        reference="diagonal",
        note=f"{kept.size} of {data.n_rows:,} rows, evenly spread over the predictions." if few else None,
    )


def _histogram(data: Quantities) -> Curve:
    low, high = np.quantile(data.errors, [0.005, 0.995])
    counts, edges = equal_bins(data.errors, float(low), float(high), bins=_BARS)
    return Curve(
        name="error_distribution",
        title="How the errors are spread",
        shape=Shape.BARS,
        x_title="Prediction minus target",
        y_title="Rows",
        series=(
            Series(name="rows", x=finite((edges[:-1] + edges[1:]) / 2), y=tuple(float(count) for count in counts)),
        ),
        note="The outermost 0.5 % on each side are counted in the outermost bars.",
    )
