"""How strongly columns of any kind go together, and which of them form groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def ordered_values(column: pd.Series[Any]) -> np.ndarray | None:
    """Return a column whose values have an order as float64 (missing as NaN), or ``None`` for levels.

    Times count as nanoseconds. True and false are levels, as text is.
    """
    if column.dtype.kind in "iuf":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if column.dtype.kind == "M":
        present = column.notna().to_numpy()
        values = np.full(len(column), np.nan)
        values[present] = column[present].astype("int64").to_numpy(dtype=np.float64)
        return values
    return None


def level_codes(column: pd.Series[Any]) -> tuple[np.ndarray, list[str]]:
    """Return a column as codes of its levels that occur, and the levels as text, sorted; missing is a level.

    Examples
    --------
    >>> import pandas as pd
    >>> codes, levels = level_codes(pd.Series(["b", None, "a", "b"]))
    >>> codes.tolist(), levels
    ([2, 0, 1, 2], ['(missing)', 'a', 'b'])
    """
    text = np.full(len(column), "(missing)", dtype=object)
    present = column.notna().to_numpy()
    text[present] = [str(value) for value in column[present]]
    levels, codes = np.unique(text.astype(str), return_inverse=True)
    return codes, [str(level) for level in levels]


def associations(frame: pd.DataFrame) -> np.ndarray:
    """Measure how strongly each pair of columns goes together.

    Two ordered columns: absolute rank correlation. Two columns of levels: Cramer's V, corrected for bias. One of each:
    the correlation ratio of the ranks, corrected for the number of levels. Missing numbers take the middle rank.

    Returns
    -------
    ndarray of float64, shape (n_columns, n_columns)
        0: no association, 1: one tells the other. Symmetric, the diagonal is 1.

    References
    ----------
    W. Bergsma, "A bias-correction for Cramer's V and Tschuprow's T", Journal of the Korean Statistical Society, 2013.
    """
    ordered = {
        j: _standard_ranks(values) for j, c in enumerate(frame) if (values := ordered_values(frame[c])) is not None
    }
    levels = {j: level_codes(frame[c])[0] for j, c in enumerate(frame) if j not in ordered}
    result = np.eye(frame.shape[1])
    if ordered and len(frame):
        where = np.array(list(ordered))
        ranks = np.column_stack(list(ordered.values()))
        result[np.ix_(where, where)] = np.abs(ranks.T @ ranks) / len(ranks)
    for j, codes in levels.items():
        for k, other in levels.items():
            if k < j:
                result[j, k] = result[k, j] = _cramers_v(codes, other)
        for k, ranks in ordered.items():
            result[j, k] = result[k, j] = _correlation_ratio(codes, ranks)
    np.fill_diagonal(result, 1.0)
    return np.clip(result, 0.0, 1.0)


def groups(association: np.ndarray, *, at_least: float) -> list[list[int]]:
    """Return the groups of two and more columns in which every pair is associated with ``at_least`` this strength.

    Complete linkage, so that a chain of neighbours is not one group.
    """
    if len(association) < 2:
        return []
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = squareform(1 - (association + association.T) / 2, checks=False)
    numbers = fcluster(linkage(distance, "complete"), 1 - at_least + 1e-12, "distance")
    found = [np.flatnonzero(numbers == number).tolist() for number in np.unique(numbers)]
    return [group for group in found if len(group) > 1]


def _standard_ranks(values: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    present = np.isfinite(values)
    ranks = np.zeros(len(values))
    if not present.any():
        return ranks
    ranked = rankdata(values[present])
    ranks[present] = ranked - ranked.mean()
    spread = ranks.std()
    return ranks / spread if spread > 0 else ranks


def _correlation_ratio(codes: np.ndarray, ranks: np.ndarray) -> float:
    counts = np.bincount(codes)
    n, k = len(codes), len(counts)
    total = float(ranks @ ranks)
    if n <= k or total == 0:
        return 0.0
    between = float((np.bincount(codes, ranks) ** 2 / counts).sum())
    return float(np.sqrt(max(0.0, 1 - (1 - between / total) * (n - 1) / (n - k))))


def _cramers_v(first: np.ndarray, second: np.ndarray) -> float:
    rows, columns, n = int(first.max()) + 1, int(second.max()) + 1, len(first)
    if n < 2 or min(rows, columns) < 2:
        return 0.0
    counts = np.bincount(first * columns + second, minlength=rows * columns).reshape(rows, columns)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    phi = float(((counts - expected) ** 2 / expected).sum()) / n
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    size = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(phi / size)) if size > 0 else 0.0
