"""How far rows lie apart: each column in its own measure, so that no unit outweighs another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.statistics.association import level_codes, ordered_values

if TYPE_CHECKING:
    import pandas as pd

_CHUNK = 2_000_000

Numbers = NDArray[np.float64]


class Scale:
    """Rows of a pool as numbers in which a distance of 1 means the same in every column.

    A number counts in median absolute deviations of its column (in mean absolute deviations where the median one is 0),
    a level 1 if it is another one, a missing value 1 from any other.
    """

    def __init__(self, pool: pd.DataFrame, others: NDArray[np.intp]) -> None:
        scaled, is_level = [], []
        for name in pool:
            values = ordered_values(pool[name])
            is_level.append(values is None)
            scaled.append(
                level_codes(pool[name])[0].astype(np.float64) if values is None else values / _spread(values[others])
            )
        self.points: Numbers = np.column_stack(scaled)
        self._is_level = np.array(is_level)

    def apart(self, one: Numbers, other: Numbers) -> Numbers:
        """Return the distance in each column, shape that of the two broadcast together."""
        with np.errstate(invalid="ignore", over="ignore"):
            numbers = np.abs(one - other)
        missing = np.isnan(one) != np.isnan(other)
        numbers = np.where(missing, 1.0, np.nan_to_num(numbers, nan=0.0, posinf=1e12))
        return np.where(self._is_level, (one != other).astype(np.float64), numbers)

    def between(self, one: Numbers, others: Numbers) -> Numbers:
        """Return the sum of the distances of one row from each of the others, shape (n,)."""
        return np.asarray(self.apart(one[None, :], others).sum(axis=1))

    def nearest(self, rows: Numbers, others: Numbers, *, skip_same: bool = False) -> Numbers:
        """Return how far each row is from the nearest of the others, shape (n,)."""
        found = np.empty(len(rows))
        for place, row in enumerate(rows):
            distances = self.between(row, others)
            if skip_same:
                distances = np.delete(distances, place)
            found[place] = distances.min() if distances.size else np.nan
        return found


def _spread(values: Numbers) -> float:
    known = values[np.isfinite(values)]
    if not known.size:
        return 1.0
    distance = np.abs(known - np.median(known))
    spread = float(np.median(distance)) or float(distance.mean())
    return spread if np.isfinite(spread) and spread > 0 else 1.0
