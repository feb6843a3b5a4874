"""Training rows as the histogram gradient boosting of scikit-learn can take them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def binnable(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return training rows in which every column has a value: one without any becomes 0 throughout.

    The library fails on a column that is missing in all rows it learns from, be it that the table holds none or that
    its few values lie elsewhere. No tree can use a constant, so that nothing else changes.

    Examples
    --------
    >>> binnable(np.array([[1.0, np.nan], [np.nan, np.nan]])).tolist()
    [[1.0, 0.0], [nan, 0.0]]
    """
    without = np.isnan(rows).all(axis=0)
    return np.where(without, 0.0, rows) if without.any() else rows
