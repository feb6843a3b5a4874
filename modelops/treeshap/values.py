"""Exact path-dependent tree SHAP by patterns of met conditions."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from modelops.errors import NotMeasured
from modelops.treeshap.ensemble import Ensemble

METHOD = "exact tree SHAP (path-dependent)"

_CHUNK = 2048
_CHUNK_BYTES = 1 << 26
_TABLE_BITS = 9
_BLOCK_SPLITS = 3
_MAX_POINTS = 256
_MAX_WAY = 1 << 22


def shapley_values(ensemble: Ensemble, matrix: np.ndarray) -> np.ndarray:
    """Return the contribution of each feature to the output of each row.

    The game is the one of path-dependent tree SHAP: a feature that is not in the coalition is averaged over by going
    down both sides of its splits in the proportion of the training data. A leaf with value v, different features on
    its way j = 1..d, shares z_j and conditions that hold or not o_j gives feature i exactly

        v (o_i - z_i) * integral over t from 0 to 1 of prod over j other than i of (t o_j + (1 - t) z_j),

    which depends on the row by the pattern o alone. So each leaf is tabulated by pattern, with a Gauss-Legendre rule
    of as many points as make it exact, and rows look their patterns up. Small parts of a tree share one table. Where
    there are more patterns than rows, only those that occur are computed.

    Parameters
    ----------
    ensemble : Ensemble
        The trees of one output.
    matrix : ndarray of float64, shape (n, n_features)
        Values as the library compares them (rounded to float32 where it does that); NaN for missing.

    Returns
    -------
    ndarray of float64, shape (n, n_features)
        In the unit of the leaves. Each row's sum plus `base` is the output for it.

    Raises
    ------
    NotMeasured
        If a tree is so deep that following it takes too much memory.

    References
    ----------
    S. Lundberg et al., "From local explanations to global understanding with explainable AI for trees", Nature Machine
    Intelligence 2020 (the game, and an algorithm of polynomial time); P. Yu et al., "Linear TreeShap", NeurIPS 2022
    (the polynomial of a leaf).
    """
    depth, longest = ensemble.depth, ensemble.longest
    if (depth + 2) * longest > _MAX_WAY:
        raise NotMeasured(f"A tree of the model is {depth:,} levels deep, too deep for exact contributions.")
    from modelops.treeshap import kernels

    n_rows, n_features = matrix.shape
    values = np.zeros((n_rows, n_features))
    row_bytes = 8 * (2 * n_features + (depth + 2 + _TABLE_BITS) * -(-longest // 64) + longest)
    size = max(1, min(_CHUNK, _CHUNK_BYTES // row_bytes))
    quadrature = _quadrature(longest)
    for start in range(0, n_rows, size):
        columns = np.ascontiguousarray(matrix[start : start + size].T, dtype=np.float64)
        found = np.zeros(columns.shape)
        # As many patterns as a quarter of the rows: more would cost more to tabulate than to look up.
        bits = max(0, min(_TABLE_BITS, columns.shape[1].bit_length() - 3))
        kernels.explain(
            columns,
            ensemble.roots,
            ensemble.nodes,
            ensemble.words,
            *quadrature,
            depth,
            longest,
            bits,
            _BLOCK_SPLITS,
            found,
        )
        values[start : start + size] = found.T
    return values


def base(ensemble: Ensemble) -> float:
    """Return the mean output over the training data as the shares of the nodes tell it."""
    nodes = ensemble.nodes
    reach = np.zeros(len(nodes))
    level = ensemble.roots
    reach[level] = 1.0
    while level.size:
        level = level[nodes["left"][level] >= 0]
        for side in ("left", "right"):
            below = nodes[side][level]
            reach[below] = reach[level] * nodes["share"][below]
        level = np.concatenate([nodes["left"][level], nodes["right"][level]])
    is_leaf = nodes["left"] < 0
    return float(reach[is_leaf] @ nodes["value"][is_leaf]) + ensemble.offset


@lru_cache(maxsize=8)
def _quadrature(longest: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Gauss-Legendre points and weights on (0, 1) for leaves of 0 to ``longest`` features, behind each other.

    (n + 1) // 2 points are exact for n features. Beyond 512 features the number stays: what is missing then is far
    below rounding, because the integrand is a product of functions without poles near the interval.
    """
    rules = [np.polynomial.legendre.leggauss(min(max(1, (n + 1) // 2), _MAX_POINTS)) for n in range(longest + 1)]
    first = np.cumsum([0] + [len(points) for points, _ in rules]).astype(np.int64)
    points = np.concatenate([(points + 1) / 2 for points, _ in rules])
    weights = np.concatenate([weights / 2 for _, weights in rules])
    for array in (first, points, weights):
        array.flags.writeable = False
    return first, points, weights
