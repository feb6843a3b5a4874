"""Whether methods of explanation tell the same story: rank correlation and overlap at the top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np


@dataclass(frozen=True)
class Agreement:
    """How far two methods agree on which features matter.

    ``rank_correlation`` is Spearman's; ``None`` where it is not defined, ``overlap`` the share of the ``top`` most
    important features that both name. ``n_features`` are those that both methods measured.
    """

    first: str
    second: str
    rank_correlation: float | None
    overlap: float | None
    top: int
    n_features: int


def agreements(importances: Mapping[str, np.ndarray], *, top: int) -> tuple[Agreement, ...]:
    """Compare every two methods on the features that both have measured.

    Parameters
    ----------
    importances : mapping of str to ndarray of shape (n_features,)
        For each method, the importance of each feature; NaN where it was not measured.
    top : int
        How many of the most important features to compare. With no more features than this, every overlap would be 1
        and is not measured.

    Examples
    --------
    >>> found, = agreements({"a": np.array([3.0, 2.0, 1.0]), "b": np.array([9.0, 1.0, 4.0])}, top=2)
    >>> found.rank_correlation, found.overlap
    (0.5, 0.5)
    """
    return tuple(
        _agreement(first, second, importances[first], importances[second], top)
        for first, second in combinations(importances, 2)
    )


def _agreement(first: str, second: str, a: np.ndarray, b: np.ndarray, top: int) -> Agreement:
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    overlap = None
    if len(a) > top:
        overlap = len(_top(a, top) & _top(b, top)) / top
    return Agreement(first, second, rank_correlation(a, b), overlap, top, len(a))


def _top(values: np.ndarray, top: int) -> set[int]:
    return set(np.argsort(-values, kind="stable")[:top].tolist())


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return Spearman's rank correlation, ``None`` for fewer than three values or where one of both does not vary."""
    from scipy.stats import rankdata

    if len(a) < 3:
        return None
    x, y = rankdata(a), rankdata(b)
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(np.round(x @ y / size, 12)) if size > 0 else None
