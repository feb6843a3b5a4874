"""Many tests in one run: what each p-value is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modelops.errors import InvalidInput


def benjamini_hochberg(p_values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values adjusted so that cutting them at q keeps the share of false alarms among the alarms at q.

    Each sorted p is multiplied by m over its rank, then made monotone from the largest down.

    Parameters
    ----------
    p_values : array of shape (m,)
        Between 0 and 1. NaN stands for a test that could not be made; it stays NaN and does not count in m.

    Returns
    -------
    ndarray of shape (m,)
        In the order of the input.

    Raises
    ------
    InvalidInput
        If a value lies outside 0 to 1.

    References
    ----------
    Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society
    B 57, 1995.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5]).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    given = np.asarray(p_values, dtype=np.float64)
    made = ~np.isnan(given)
    tested = given[made]
    if tested.size and not (tested.min() >= 0 and tested.max() <= 1):
        raise InvalidInput("Got a p-value outside 0 to 1.")
    order = np.argsort(tested, kind="stable")[::-1]
    ranks = np.arange(tested.size, 0, -1)
    adjusted = np.empty_like(tested)
    adjusted[order] = np.minimum(np.minimum.accumulate(tested[order] * tested.size / ranks), 1.0) if tested.size else []
    result = np.full_like(given, np.nan)
    result[made] = adjusted
    return result


def holm(p_values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values adjusted so that cutting them at q keeps the chance of any false alarm at q.

    For looks at the same thing over and over, where one alarm is one too many. The smallest p is multiplied by m, the
    next by m - 1, and so on, then made monotone from the smallest up.

    Parameters
    ----------
    p_values : array of shape (m,)
        Between 0 and 1. NaN stands for a test that could not be made; it stays NaN and does not count in m.

    References
    ----------
    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, dtype=np.float64)
    made = ~np.isnan(given)
    tested = given[made]
    order = np.argsort(tested, kind="stable")
    adjusted = np.empty_like(tested)
    adjusted[order] = np.minimum(np.maximum.accumulate(tested[order] * np.arange(tested.size, 0, -1)), 1.0)
    result = np.full_like(given, np.nan)
    result[made] = adjusted
    return result
