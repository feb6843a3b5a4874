"""Split-conformal prediction: sets of classes, or intervals, that hold the truth as often as was asked for.

The rows are split at random. On one half it is found how large the error may be that is exceeded only as often as is
permitted; on the other half it is counted how often the truth lies inside, over all rows and in every group.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.composed import drawn
from modelops.analyses.statistics.intervals import Interval, wilson
from modelops.errors import NotMeasured

Numbers = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """Positions of the rows that find the limit, and of those that are counted."""

    calibration: Rows
    test: Rows


def split(sample: Sample, rows: Rows, entities: NDArray[np.integer] | None, *, seed: int) -> Split:
    """Deal ``rows`` to two halves at random; rows of one entity stay together.

    Parameters
    ----------
    sample : Sample
        The table; rows are told by their content, so that their order does not matter.
    rows : ndarray of shape (n,)
        Positions in the table, rising.
    entities : ndarray of shape (n,), optional
        A code for the entity of each of these rows.

    Returns
    -------
    Split
        Positions in ``rows``.
    """
    roles = sample.roles
    names = [roles.target, roles.prediction, *roles.scores, *roles.sensitive, *roles.ids]
    order = drawn(sample, [name for name in names if name], limit=sample.n_rows, seed=seed)
    place = np.full(sample.n_rows, -1, dtype=np.intp)
    place[rows] = np.arange(rows.size)
    order = place[order]
    order = order[order >= 0]
    if entities is None:
        return Split(order[: rows.size // 2], order[rows.size // 2 :])
    first = np.unique(entities[order], return_index=True)[1]
    rank = np.empty(first.size, dtype=np.intp)
    rank[np.argsort(first, kind="stable")] = np.arange(first.size)
    early = rank[np.unique(entities, return_inverse=True)[1]] < first.size // 2
    return Split(np.flatnonzero(early), np.flatnonzero(~early))


@dataclass(frozen=True)
class Limit:
    """The largest error that is allowed: the ``rank``-th smallest of ``n_rows`` calibration rows."""

    value: float
    rank: int
    n_rows: int


def limit(errors: Numbers, *, coverage: float) -> Limit:
    """Return the conformal quantile of the errors of the calibration rows.

    The ``ceil((n + 1) * coverage)``-th smallest: with it a new row, exchangeable with these, is covered with at least
    the probability ``coverage``, whatever the model.

    Raises
    ------
    NotMeasured
        If there are too few rows for such a coverage.

    References
    ----------
    V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", 2005; J. Lei et al.,
    "Distribution-free predictive inference for regression", JASA 113, 2018.

    Examples
    --------
    >>> limit(np.arange(1.0, 20.0), coverage=0.9).value
    18.0
    """
    rank = math.ceil((errors.size + 1) * coverage - 1e-9)
    if rank > errors.size:
        fewest = math.ceil(coverage / (1 - coverage) - 1e-9)
        raise NotMeasured(
            f"A coverage of {coverage:g} needs at least {fewest} rows to calibrate on; there are {errors.size}."
        )
    return Limit(float(np.partition(errors, rank - 1)[rank - 1]), rank, errors.size)


def class_errors(scores: Numbers, *, cumulative: bool) -> Numbers:
    """Return how badly each class fits, shape (n, n_classes): a class is in the set where this is within the limit.

    Either 1 less its score (the smallest sets), or the sum of the scores of the classes that are at least as likely
    (sets that adapt: larger where the model is unsure).

    References
    ----------
    M. Sadinle, J. Lei, L. Wasserman, "Least ambiguous set-valued classifiers", JASA 114, 2019; Y. Romano, M. Sesia,
    E. Candes, "Classification with valid and adaptive coverage", NeurIPS 2020.

    Examples
    --------
    >>> class_errors(np.array([[0.5, 0.3, 0.2]]), cumulative=True).round(3).tolist()
    [[0.5, 0.8, 1.0]]
    """
    if not cumulative:
        return np.asarray(1 - scores)
    order = np.argsort(-scores, axis=1, kind="stable")
    sums = np.cumsum(np.take_along_axis(scores, order, axis=1), axis=1)
    errors = np.empty_like(scores)
    np.put_along_axis(errors, order, sums, axis=1)
    return errors


@dataclass(frozen=True)
class Coverage:
    """How often the truth lay inside, in some test rows.

    ``p_value`` is one-sided: how often coverage would come out as low, if rows were as covered as was asked for.
    """

    share: float
    interval: Interval
    n_rows: int
    p_value: float


def covered(
    inside: NDArray[np.bool_],
    found: Limit,
    *,
    weights: Numbers | None = None,
    design_effect: float = 1.0,
    coverage: float,
    level: float,
) -> Coverage | None:
    """Return the coverage of some test rows with Wilson's interval; ``None`` without rows that count.

    The p-value is that of the beta-binomial law, which also knows that the limit was found on finitely many rows; with
    weights or repeated entities, of its normal approximation.
    """
    mass = float(inside.size if weights is None else weights.sum())
    if not mass > 0:
        return None
    hits = float(np.count_nonzero(inside) if weights is None else weights[inside].sum())
    effective = mass / design_effect
    share = min(hits / mass, 1.0)
    interval = wilson(share * effective, effective, level=level)
    return Coverage(share, interval, inside.size, _as_low(share, effective, found, coverage, exact=effective == mass))


def _as_low(share: float, effective: float, found: Limit, coverage: float, *, exact: bool) -> float:
    if exact and effective.is_integer():
        from scipy.stats import betabinom

        law = betabinom(int(effective), found.rank, found.n_rows + 1 - found.rank)
        return float(min(1.0, law.cdf(round(share * effective))))
    from scipy.special import ndtr

    spread = coverage * (1 - coverage) * (1 / effective + 1 / (found.n_rows + 2))
    return float(ndtr((share - coverage) / math.sqrt(spread)))


def parts_by_size(values: Numbers, *, parts: int) -> Sequence[Rows]:
    """Return the positions of rows by equal parts of ``values``; rows with the same value stay together."""
    edges = np.unique(np.quantile(values, np.arange(1, parts) / parts)) if values.size else np.zeros(0)
    place = np.searchsorted(edges, values, side="left")
    return [found for part in range(edges.size + 1) if (found := np.flatnonzero(place == part)).size]
