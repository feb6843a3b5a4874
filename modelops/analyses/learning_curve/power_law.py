"""The error as a power law of the training rows, fitted to many resampled curves at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_EXPONENTS = np.concatenate([np.arange(0.05, 1.0, 0.05), np.arange(1.0, 2.01, 0.1)])

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class PowerLaw:
    """``error(n) = limit + scale * n ** -exponent``, one of each for each curve, shape (n_curves,)."""

    limit: Numbers
    scale: Numbers
    exponent: Numbers

    def error(self, rows: float) -> Numbers:
        """Return the error with so many training rows, shape (n_curves,)."""
        return np.asarray(self.limit + self.scale * rows**-self.exponent)

    def gain(self, rows: float, *, factor: float) -> Numbers:
        """Return by how much ``factor`` times as many rows lower the error."""
        return self.error(rows) - self.error(rows * factor)

    def rows_until(self, margin: float) -> Numbers:
        """Return from how many rows on twice as many lower the error by less than ``margin``."""
        first = self.scale * (1 - 2.0**-self.exponent) / margin
        with np.errstate(over="ignore"):
            return np.asarray(first ** (1 / self.exponent))


def fitted(rows: Numbers, errors: Numbers, variances: Numbers) -> PowerLaw:
    """Fit a power law to each curve by weighted least squares, with limit and scale not negative.

    For each exponent of a grid from 0.05 to 2 the other two follow in closed form; the best exponent is kept.

    Parameters
    ----------
    rows : ndarray of shape (n_sizes,)
    errors : ndarray of shape (n_curves, n_sizes)
    variances : ndarray of shape (n_sizes,)
        How uncertain the error is at each size.

    References
    ----------
    C. Cortes et al., "Learning curves: asymptotic values and rate of convergence", NIPS 1993; T. Viering, M. Loog, "The
    shape of learning curves: a review", IEEE TPAMI 45, 2023.

    Examples
    --------
    >>> rows = np.array([50.0, 100, 200, 400, 800])
    >>> law = fitted(rows, (0.1 + 2 * rows**-0.5)[None], np.ones(5))
    >>> law.limit.round(3).tolist(), law.scale.round(3).tolist(), law.exponent.round(3).tolist()
    ([0.1], [2.0], [0.5])
    """
    floor = max(float(variances.max(initial=0.0)) * 1e-3, 1e-12)
    weights = 1 / np.maximum(variances, floor)
    weights = weights / weights.sum()
    unit = float(rows.max())
    best = np.full(len(errors), np.inf)
    limit, scale, exponent = (np.zeros(len(errors)) for _ in range(3))
    mean_error = errors @ weights
    for power in _EXPONENTS:
        x = (rows / unit) ** -power
        mean = float(weights @ x)
        slope = (errors @ (weights * (x - mean))) / float(weights @ (x - mean) ** 2)
        slope = np.maximum(slope, 0.0)
        level = mean_error - slope * mean
        through_zero = np.maximum((errors @ (weights * x)) / float(weights @ x**2), 0.0)
        slope, level = np.where(level < 0, through_zero, slope), np.maximum(level, 0.0)
        misfit = ((errors - level[:, None] - slope[:, None] * x) ** 2) @ weights
        better = misfit < best - 1e-15
        best = np.where(better, misfit, best)
        limit = np.where(better, level, limit)
        scale = np.where(better, slope * unit**power, scale)
        exponent = np.where(better, power, exponent)
    return PowerLaw(limit, scale, exponent)
