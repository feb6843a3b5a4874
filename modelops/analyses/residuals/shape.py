"""How residuals are spread: quantiles and form as a description, and whether the spread is even."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.bars import equal_bins
from modelops.analyses.measuring import finite, measured, thinned
from modelops.analyses.residuals.values import Residuals
from modelops.analyses.statistics.bootstrap import Uncertainty, draws_of_means, percentile_interval
from modelops.analyses.statistics.intervals import normal_quantile
from modelops.analyses.statistics.quantiles import quantile
from modelops.domain.result import Curve, Measurement, Series, Shape

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
NOT_FOR_CLASSES = "The spread of a label is given by its probability, so it is uneven by nature."
_BARS = 40
_POINTS = 200
_PARTS = 5

Numbers = NDArray[np.float64]


def spread_measurements(found: Residuals, uncertainty: Uncertainty) -> Iterator[Measurement]:
    """Measure mean, deviation and quantiles of the residuals, and the form of their distribution."""
    size, level = found.values.size, uncertainty.level
    how = found.how
    half = normal_quantile(level) * found.deviation * float(np.sqrt(how.design_effect / max(size - 1, 1)))
    yield measured(
        "mean_residual",
        found.mean,
        size=size,
        scope=found.scope,
        interval=(found.mean - half, found.mean + half) if size > 1 else None,
        level=level,
        note="Target less prediction: above 0 where the model says too little.",
    )
    yield measured("residual_standard_deviation", found.deviation, size=size, scope=found.scope)
    order = np.argsort(found.values)
    ordered = found.values[order]
    weights = None if how.weights is None else how.weights[order]
    for share in QUANTILES:
        value, interval = quantile(ordered, weights, share, effect=how.design_effect, level=level)
        yield measured(
            "residual_quantile",
            value,
            size=size,
            scope={**found.scope, "quantile": share},
            interval=interval,
            level=level,
        )
    yield from _form(found)


def _form(found: Residuals) -> Iterator[Measurement]:
    names = ("residual_skewness", "residual_excess_kurtosis")
    values = found.shape
    if values is None or values.size < 4 or values.std() == 0:
        reason = found.no_shape or "There are fewer than four rows, or all residuals are alike."
        for name in names:
            yield measured(name, None, size=found.values.size, scope=found.scope, otherwise=reason)
        return
    standard = (values - values.mean()) / values.std()
    note = None if found.is_quantity else "Of the randomised quantile residuals."
    for name, value in zip(names, (np.mean(standard**3), np.mean(standard**4) - 3), strict=True):
        yield measured(name, float(value), size=values.size, scope=found.scope, note=note)


@dataclass(frozen=True)
class Uneven:
    """A test of uneven spread: ``statistic`` is n times R2 of squared residuals on the columns."""

    statistic: float
    degrees_of_freedom: int
    p_value: float


def breusch_pagan(values: Numbers, columns: Numbers) -> Uneven | None:
    """Test whether the squared residuals depend on ``columns`` (an intercept is added).

    The studentised form, which holds without normal residuals. Columns that repeat others do not count.

    Parameters
    ----------
    values : ndarray of shape (n,)
    columns : ndarray of shape (n, k)

    Returns
    -------
    Uneven or None
        ``None`` where there is nothing to test: constant residuals, or no column that varies.

    References
    ----------
    T. S. Breusch, A. R. Pagan, Econometrica 47, 1979; R. Koenker, Journal of Econometrics 17, 1981. With a column and
    its square: H. White, Econometrica 48, 1980.
    """
    from scipy.special import chdtrc

    size = values.size
    scale = float(np.abs(values).max(initial=0.0))
    if not scale > 0 or not columns.size:
        return None
    squares = (values / scale) ** 2
    squares = squares - squares.mean()
    centred = columns - columns.mean(axis=0)
    spread = centred.std(axis=0)
    centred = centred[:, spread > 1e-9 * np.maximum(np.abs(columns).max(axis=0), 1e-300)]
    centred = centred / centred.std(axis=0)
    total = float(squares @ squares)
    if not centred.size or total <= 1e-24 * size:
        return None
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    kept = left[:, sizes > sizes[0] * 1e-8]
    rank = kept.shape[1]
    if size <= rank + 1:
        return None
    explained = float(np.sum((kept.T @ squares) ** 2)) / total
    statistic = size * min(explained, 1.0)
    return Uneven(statistic, rank, float(chdtrc(rank, statistic)))


def unevenness_measurements(found: Residuals, columns: Numbers, chosen: NDArray[np.intp]) -> Iterator[Measurement]:
    """Measure Breusch-Pagan over prediction and features, and White over the prediction, on the chosen rows."""
    names = ("breusch_pagan_statistic", "breusch_pagan_degrees_of_freedom", "breusch_pagan_p_value")
    white_names = ("white_statistic", "white_p_value")
    if not found.is_quantity:
        for name in (*names, *white_names):
            yield measured(name, None, size=found.values.size, scope=found.scope, otherwise=NOT_FOR_CLASSES)
        return
    values = found.values[chosen]
    predicted = found.predicted[chosen]
    scale = float(predicted.std()) or 1.0
    standard = (predicted - predicted.mean()) / scale
    reason = "Residuals or predictions are all alike, or there are too few rows."
    tested = breusch_pagan(values, np.column_stack([standard, columns]))
    for name, attribute in zip(names, ("statistic", "degrees_of_freedom", "p_value"), strict=True):
        value = None if tested is None else float(getattr(tested, attribute))
        yield measured(name, value, size=values.size, scope=found.scope, otherwise=reason)
    white = breusch_pagan(values, np.column_stack([standard, standard**2]))
    for name, attribute in zip(white_names, ("statistic", "p_value"), strict=True):
        value = None if white is None else float(getattr(white, attribute))
        yield measured(name, value, size=values.size, scope=found.scope, otherwise=reason)


def spread_ratio(found: Residuals, uncertainty: Uncertainty) -> Measurement:
    """Measure how much wider residuals are where predictions are largest than where they are smallest."""
    name = "residual_spread_ratio"
    if not found.is_quantity:
        return measured(name, None, size=found.values.size, scope=found.scope, otherwise=NOT_FOR_CLASSES)
    low, high = np.quantile(found.predicted, [1 / _PARTS, 1 - 1 / _PARTS])
    parts = [found.values[found.predicted <= low], found.values[found.predicted >= high]]
    if low >= high or min(part.size for part in parts) < 10:
        reason = "There are fewer than ten rows at an end of the predictions."
        return measured(name, None, size=found.values.size, scope=found.scope, otherwise=reason)
    drawn = []
    for part in parts:
        scale = float(np.abs(part).max()) or 1.0
        means = draws_of_means(
            np.column_stack([part / scale, (part / scale) ** 2]), uncertainty, design_effect=found.how.repeats_effect
        )
        drawn.append(np.sqrt(np.maximum(means[:, 1] - means[:, 0] ** 2, 0)) * scale)
    spreads = [float(part.std()) for part in parts]
    if spreads[0] <= 0:
        reason = "All residuals are alike where predictions are smallest."
        return measured(name, None, size=found.values.size, scope=found.scope, otherwise=reason)
    value = spreads[1] / spreads[0]
    ratios = np.divide(drawn[1], drawn[0], out=np.full(drawn[0].size, np.nan), where=drawn[0] > 0)
    interval = percentile_interval(ratios, level=uncertainty.level)
    return measured(
        name,
        value,
        size=min(part.size for part in parts),
        scope=found.scope,
        interval=interval and (min(interval[0], value), max(interval[1], value)),
        level=uncertainty.level,
        note="The fifth of the rows with the largest predictions over the fifth with the smallest.",
    )


def shape_curves(found: Residuals, titled: str) -> Sequence[Curve]:
    """Return the histogram of the residuals and their quantiles against those of a normal distribution."""
    low, high = np.quantile(found.values, [0.005, 0.995])
    counts, edges = equal_bins(found.values, float(low), float(high), bins=_BARS)
    curves = [
        Curve(
            name="residual_distribution",
            title=f"How the residuals are spread{titled}",
            shape=Shape.BARS,
            x_title="Target less prediction",
            y_title="Rows",
            series=(Series(name="rows", x=finite((edges[:-1] + edges[1:]) / 2), y=tuple(int(n) for n in counts)),),
            scope=found.scope,
            note="The outermost 0.5 % on each side are counted in the outermost bars.",
        )
    ]
    if found.shape is not None and found.shape.size > 3 and found.shape.std() > 0:
        curves.append(_normal_quantiles(found, titled))
    return curves


def _normal_quantiles(found: Residuals, titled: str) -> Curve:
    from scipy.special import ndtri

    values = np.sort(found.shape) if found.shape is not None else np.zeros(1)
    kept = thinned(np.arange(values.size, dtype=np.float64), most=_POINTS)
    standard = (values - values.mean()) / values.std() if found.is_quantity else values
    return Curve(
        name="residual_normal_quantiles",
        title=f"Residuals against a normal distribution{titled}",
        shape=Shape.SCATTER,
        x_title="Quantile of a normal distribution",
        y_title="Quantile of the residuals, in standard deviations",
        series=(Series(name="rows", x=finite(ndtri((kept + 0.5) / values.size)), y=finite(standard[kept])),),
        scope=found.scope,
        reference="diagonal",
        note="A description, not a demand: few models need normal residuals."
        if found.is_quantity
        else "Randomised quantile residuals: on the diagonal if the scores are right.",
    )
