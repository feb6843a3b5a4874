"""Slope and intercept of calibration: what a logistic or a linear correction of the predictions would have to do.

A slope under 1 says that predictions are too extreme, one over 1 that they are too timid; an intercept that they are
too low (above 0) or too high.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.statistics.intervals import Interval, normal_quantile
from modelops.analyses.statistics.weighting import Weighting

EDGE = 1e-6
"""Scores nearer to 0 or 1 than this are moved there: their logit would be infinite."""

_STEPS = 50
_STEEPEST = 1e3
_SAME = 1e-12
_ALIKE = 1e-150

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A fitted correction ``intercept + slope * prediction`` with the errors of both."""

    intercept: float
    slope: float
    intercept_error: float
    slope_error: float

    def interval(self, name: str, *, level: float) -> Interval:
        """Return the Wald interval of ``"intercept"`` or ``"slope"``."""
        half = normal_quantile(level) * float(getattr(self, f"{name}_error"))
        value = float(getattr(self, name))
        return value - half, value + half


@dataclass(frozen=True)
class Recalibration:
    """What correction scores need. ``line`` is ``None`` for the reason ``no_line``.

    ``shift`` is the intercept where the slope is held at 1 (calibration in the large on the scale of logits), with its
    error; ``p_value`` says how often scores that need no correction would look as if they did.
    """

    line: Line | None
    no_line: str
    shift: tuple[float, float] | None
    p_value: float | None


def logits(scores: Numbers) -> Numbers:
    """Return the log odds of probabilities, kept finite."""
    inside = np.clip(scores, EDGE, 1 - EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def logistic_recalibration(scores: Numbers, positive: NDArray[np.bool_], how: Weighting) -> Recalibration:
    """Fit ``logit P(positive) = intercept + slope * logit(score)`` and test that it is the identity.

    The fit is maximum likelihood by Newton's method, with the standard errors of the information matrix. The test is
    the score test of intercept 0 and slope 1: it needs no fit, so it answers for separated classes and few rows too.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Probabilities.
    positive : ndarray of bool, shape (n,)

    References
    ----------
    D. R. Cox, "Two further applications of a model for binary regression", Biometrika 45, 1958; E. W. Steyerberg,
    "Clinical Prediction Models", 2019, chapter 15.

    Examples
    --------
    >>> from modelops.analyses.statistics.weighting import weighting
    >>> scores, positive = np.repeat([0.2, 0.8], 100), np.tile(np.arange(100) < 30, 2) ^ (np.arange(200) >= 100)
    >>> found = logistic_recalibration(scores, positive, weighting(None, None, scores))
    >>> round(found.line.slope, 3)
    0.611
    """
    weights = np.ones(scores.size) if how.weights is None else how.weights
    counted = weights > 0
    x, y, weights = logits(scores[counted]), positive[counted].astype(np.float64), weights[counted]
    if x.size < 2 or y.min() == y.max():
        return Recalibration(
            None, "Positive and negative labels are both needed.", None, _score_test(x, y, weights, how)
        )
    p_value = _score_test(x, y, weights, how)
    shift = _shift(x, y, weights, how)
    if np.ptp(x) < _SAME:
        return Recalibration(None, "All scores are alike, so they have no slope.", shift, p_value)
    line = _logistic_line(x, y, weights, how)
    reason = "" if line else "The scores separate the labels without a single mistake, so the slope has no bound."
    return Recalibration(line, reason, shift, p_value)


def _probability(logit: Numbers) -> Numbers:
    return np.asarray(0.5 * (1 + np.tanh(logit / 2)))


def _design(x: Numbers) -> Numbers:
    return np.column_stack([np.ones(x.size), x])


def _logistic_line(x: Numbers, y: Numbers, weights: Numbers, how: Weighting) -> Line | None:
    centre, scale = float(x.mean()), float(x.std())
    design = _design((x - centre) / scale)
    found = np.zeros(2)
    for _ in range(_STEPS):
        fitted = _probability(design @ found)
        variance = np.maximum(weights * fitted * (1 - fitted), 1e-300)
        information = design.T @ (design * variance[:, None])
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, design.T @ (weights * (y - fitted)))
        found = found + step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        if np.abs(step).max() < 1e-10:
            break
    else:
        return None
    if abs(found[1] / scale) > _STEEPEST:
        return None
    bread = np.linalg.inv(information)
    meat = design.T @ (design * (variance * weights)[:, None])
    covariance = bread @ meat @ bread * how.repeats_effect
    # Back from the standardised logit to the logit itself.
    back = np.array([[1.0, -centre / scale], [0.0, 1 / scale]])
    intercept, slope = back @ found
    errors = np.sqrt(np.diag(back @ covariance @ back.T))
    return Line(float(intercept), float(slope), float(errors[0]), float(errors[1]))


def _shift(x: Numbers, y: Numbers, weights: Numbers, how: Weighting) -> tuple[float, float] | None:
    shift = 0.0
    for _ in range(_STEPS):
        fitted = _probability(x + shift)
        variance = weights * fitted * (1 - fitted)
        information = float(variance.sum())
        if information <= 0:
            return None
        step = float(np.sum(weights * (y - fitted))) / information
        shift += float(np.clip(step, -5, 5))
        if abs(step) < 1e-10:
            error = math.sqrt(float(np.sum(variance * weights)) * how.repeats_effect) / information
            return shift, error
    return None


def _score_test(x: Numbers, y: Numbers, weights: Numbers, how: Weighting) -> float | None:
    if not x.size:
        return None
    design = _design(x)
    expected = _probability(x)
    score = design.T @ (weights * (y - expected))
    spread = design.T @ (design * (weights**2 * expected * (1 - expected))[:, None]) * how.repeats_effect
    return _wald_p_value(score, spread)


def _wald_p_value(distance: Numbers, spread: Numbers) -> float | None:
    """Chi-squared with as many degrees of freedom as ``spread`` has dimensions."""
    from scipy.special import chdtrc

    rank = int(np.linalg.matrix_rank(spread, hermitian=True))
    if not rank:
        return None
    return float(chdtrc(rank, float(distance @ np.linalg.pinv(spread, hermitian=True) @ distance)))


def linear_recalibration(predicted: Numbers, truth: Numbers, how: Weighting) -> Recalibration:
    """Fit ``target = intercept + slope * prediction`` and test that it is the identity.

    Least squares with errors that hold where the scatter is uneven (HC1); the test is Wald's with two degrees of
    freedom.

    References
    ----------
    J. Mincer, V. Zarnowitz, "The evaluation of economic forecasts", 1969.
    """
    weights = np.ones(truth.size) if how.weights is None else how.weights
    scale = float(predicted.std())
    rounding = _SAME * float(np.abs(predicted).max(initial=0.0))
    if np.count_nonzero(weights) < 3 or scale < _ALIKE or np.ptp(predicted) <= rounding:
        return Recalibration(None, "All predictions are alike, or there are fewer than three rows.", None, None)
    centre = float(np.average(predicted, weights=weights))
    unit = float(truth.std()) or 1.0
    design = _design((predicted - centre) / scale)
    bread = np.linalg.inv(design.T @ (design * weights[:, None]))
    found = bread @ (design.T @ (weights * (truth - predicted) / unit))
    residual = (truth - predicted) / unit - design @ found
    meat = design.T @ (design * ((weights * residual) ** 2)[:, None])
    covariance = bread @ meat @ bread * how.repeats_effect * truth.size / (truth.size - 2)
    back = np.array([[1.0, -centre / scale], [0.0, 1 / scale]]) * unit
    intercept, slope = back @ found
    errors = np.sqrt(np.diag(back @ covariance @ back.T))
    line = Line(float(intercept), float(slope + 1), float(errors[0]), float(errors[1]))
    return Recalibration(line, "", None, _wald_p_value(found, covariance))
