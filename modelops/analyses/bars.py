"""Values counted in bins of equal width, for histograms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LARGEST = 1e300
_STEPS = 4

Numbers = NDArray[np.float64]


def equal_bins(values: Numbers, low: float, high: float, *, bins: int) -> tuple[NDArray[np.int64], Numbers]:
    """Count values in bins of equal width from ``low`` to ``high``; those outside are counted in the outermost bins.

    Where the ends are the same but for rounding, no bins fit between them: they are then moved apart around the middle.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Not NaN.

    Returns
    -------
    tuple of ndarray
        The counts of shape (bins,), and the edges of shape (bins + 1,), increasing.

    Examples
    --------
    >>> counts, edges = equal_bins(np.array([0.3, 0.1 + 0.2]), 0.3, 0.1 + 0.2, bins=3)
    >>> counts.tolist(), edges.round(1).tolist()
    ([0, 2, 0], [-0.2, 0.1, 0.5, 0.8])
    """
    low, high = max(low, -_LARGEST), min(high, _LARGEST)
    narrowest = _STEPS * bins * float(np.spacing(max(abs(low), abs(high))))
    if high - low < narrowest:
        middle, half = low / 2 + high / 2, max(0.5, narrowest)
        low, high = middle - half, middle + half
    counts, edges = np.histogram(np.clip(values, low, high), bins=bins, range=(low, high))
    return counts, edges
