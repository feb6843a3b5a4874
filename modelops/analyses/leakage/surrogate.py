"""Rows that could have been: the columns' own values with their own correlations, but no row of the table copied.

How many of them stand in the training data says how alike rows are by chance: few and coarse columns, and columns that
go together, make equal rows without any leak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.cores.arrow_numbers import Kind, kind_of, numeric

Numbers = NDArray[np.float64]
Rows = NDArray[np.intp]

_CELLS = 4_000_000
_RIDGE = 1e-6
_LARGEST_ROUNDED = 1e9
_CORRECTIONS = 3


def surrogate_rows(limit: int, columns: int) -> int:
    """Return how many rows can be drawn so that a matrix of them with at least one column stays small."""
    return min(limit, max(200, _CELLS // columns))


@dataclass(frozen=True)
class Surrogate:
    """Rows composed of the values of drawn rows.

    ``index`` of shape (n_columns, m): from which of the drawn rows each value comes, column by column.
    """

    index: NDArray[np.intp]
    seed: int

    def column(self, place: int, drawn: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return the column number ``place`` of the composed rows, given that of the drawn ones.

        Levels and repeated numbers stand as they are. A number that occurs once is moved towards a neighbour, with as
        many decimals as the column has; a text that occurs once in a column of mostly distinct ones becomes another:
        nothing can be equal by chance that hardly ever is.
        """
        index = self.index[place]
        kind = kind_of(drawn)
        if kind is Kind.NUMBER:
            rng = np.random.default_rng([self.seed, 19, place])
            values = np.asarray(numeric(drawn).to_numpy(), dtype=np.float64)
            return pa.chunked_array([pa.array(_moved(values, index, rng), from_pandas=True)])
        taken = drawn.take(pa.array(index))
        if kind is not Kind.CATEGORY or not pa.types.is_dictionary(drawn.type):
            return taken
        codes = _codes(drawn)
        once = np.bincount(codes)[codes] == 1
        if once.sum() * 2 < len(once):
            return taken
        texts = [
            f"{text}\ue000" if single else text for text, single in zip(taken.to_pylist(), once[index], strict=True)
        ]
        return pa.chunked_array([pa.array(texts, pa.string())])

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.index.shape[1])


def surrogate(sample: Sample, names: tuple[str, ...], target: str | None, positions: Rows, *, seed: int) -> Surrogate:
    """Compose rows with the distributions and the rank correlations of the drawn rows (a Gaussian copula).

    Parameters
    ----------
    names : tuple of str
        The columns; the target, where there is one, is the last row of ``index``.
    positions : ndarray of shape (m,)
        The drawn rows, in an order that follows from their content.

    References
    ----------
    R. L. Iman, W. J. Conover, "A distribution-free approach to inducing rank correlation among input variables",
    Communications in Statistics - Simulation and Computation 11, 1982.
    """
    columns = (*names, target) if target is not None else names
    taken = {name: sample.source.column(name).take(pa.array(positions)) for name in columns}
    guide = _guide(taken[target]) if target is not None else None
    values = [_in_order(taken[name], guide) for name in columns]
    scores = np.column_stack([_normal_scores(each) for each in values])
    wanted = _correlation(scores)
    drawn = np.random.default_rng([seed, 17]).standard_normal(scores.shape)
    orders = [np.argsort(own, kind="stable") for own in values]
    latent = wanted
    for _ in range(_CORRECTIONS):
        # Ties weaken correlations: what is drawn is corrected by what they took.
        index = _composed(drawn, latent, orders)
        seen = _correlation(np.take_along_axis(scores, index.T, axis=0))
        latent = _valid(latent + wanted - seen)
    return Surrogate(_composed(drawn, latent, orders), seed)


def _moved(values: Numbers, index: NDArray[np.intp], rng: np.random.Generator) -> Numbers:
    known = np.isfinite(values)
    ordered = np.sort(values[known])
    composed = values[index]
    if ordered.size < 2:
        return composed
    usable = np.isfinite(composed)
    own = composed[usable]
    place = np.searchsorted(ordered, own, side="left")
    once = np.searchsorted(ordered, own, side="right") - place == 1
    side = np.where(rng.random(own.size) < 0.5, -1, 1)
    other = ordered[np.clip(place + side, 0, ordered.size - 1)]
    share = rng.random(own.size)
    moved = np.where(once, own * (1 - share) + other * share, own)
    composed[usable] = np.round(moved, decimals) if (decimals := _decimals(ordered)) is not None else moved
    return composed


def _decimals(values: Numbers) -> int | None:
    """Return how many decimals all values have; ``None`` for more than six."""
    if float(np.abs(values).max()) > _LARGEST_ROUNDED:
        return None
    return next((count for count in range(7) if np.array_equal(values, np.round(values, count))), None)


def _composed(drawn: Numbers, latent: Numbers, orders: list[NDArray[np.intp]]) -> NDArray[np.intp]:
    """Give each column its own values in the order of correlated normal numbers."""
    root = np.linalg.cholesky((latent + _RIDGE * np.eye(len(latent))) / (1 + _RIDGE))
    ranks = np.argsort(np.argsort(drawn @ root.T, axis=0, kind="stable"), axis=0, kind="stable")
    return np.array([order[ranks[:, place]] for place, order in enumerate(orders)], dtype=np.intp)


def _correlation(scores: Numbers) -> Numbers:
    """Return the correlations of columns with mean 0; 0 where one does not vary."""
    products = scores.T @ scores / max(1, len(scores))
    spread = np.sqrt(np.maximum(np.diagonal(products), 1e-12))
    found: Numbers = products / np.outer(spread, spread)
    np.fill_diagonal(found, 1.0)
    return found


def _valid(matrix: Numbers) -> Numbers:
    """Return the correlation matrix nearest to a symmetric one: without its negative eigenvalues."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    positive = (vectors * np.maximum(values, _RIDGE)) @ vectors.T
    spread = np.sqrt(np.diagonal(positive))
    found: Numbers = positive / np.outer(spread, spread)
    return found


def _guide(target: pa.ChunkedArray) -> Numbers:
    """Return the label as numbers, by which levels of texts are put in order: larger where it is the commoner class."""
    if kind_of(target) is Kind.CATEGORY:
        codes = _codes(target)
        return np.bincount(codes)[codes].astype(np.float64)
    values = _numbers(target)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0) / (float(np.nanmax(np.abs(values))) or 1.0)


def _in_order(column: pa.ChunkedArray, guide: Numbers | None) -> Numbers:
    """Return values whose order is that of the column; levels by their mean label, or else by their frequency."""
    if kind_of(column) is not Kind.CATEGORY:
        return _numbers(column)
    codes = _codes(column)
    counts = np.bincount(codes)
    if guide is None:
        return counts[codes] + codes / (counts.size + 1)
    means = np.bincount(codes, weights=guide) / np.maximum(counts, 1)
    ranks = np.argsort(np.lexsort((np.arange(means.size), means)))
    return ranks[codes].astype(np.float64)


def _numbers(column: pa.ChunkedArray) -> Numbers:
    if kind_of(column) in (Kind.EMPTY, Kind.OTHER):
        return np.zeros(len(column))
    values = np.asarray(numeric(column).to_numpy(), dtype=np.float64)
    # Missing values take part as the smallest.
    return np.where(np.isnan(values), -np.inf, values)


def _codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    texts = column.cast(pa.string()).to_pandas().fillna("").to_numpy(dtype=str)
    return np.unique(texts, return_inverse=True)[1].astype(np.int64)


def _normal_scores(values: Numbers) -> Numbers:
    from scipy.special import ndtri
    from scipy.stats import rankdata

    scores = ndtri((rankdata(values) - 0.5) / len(values))
    return np.asarray(scores - scores.mean())
