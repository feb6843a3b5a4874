"""How well one column alone predicts the label, against the same with permuted labels.

The column is cut into bins; what a bin predicts is learned on one half of the rows and judged on the other, and the
other way round. Permuting the labels and doing all of it again says what chance gives: on few rows a lot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.leakage.labels import Labels
from modelops.analyses.statistics.bootstrap import percentile_interval
from modelops.analyses.statistics.intervals import Interval, normal_quantile
from modelops.analyses.statistics.multiplicity import benjamini_hochberg

MOST_BINS = 40
"""At most so many ranges of a number or levels of a text; missing values and rare levels have one of their own."""

_ROWS_PER_BIN = 20
_PRIOR_ROWS = 1.0
_DRAWS = 200
_AT_ONCE = 50

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Predictor:
    """One column ready to be judged: the bin of each labelled row, and its numbers where it has an order."""

    name: str
    bins: Codes
    numbers: Numbers | None = None


@dataclass(frozen=True)
class Strength:
    """How well a column predicts: area under the ROC curve (mean over classes), or share of explained variance.

    ``by_chance`` is the mean with permuted labels, ``p_value`` how often they would do as well, ``adjusted`` the same
    for all columns of the family.
    """

    name: str
    value: float
    interval: Interval | None
    by_chance: float
    p_value: float
    adjusted: float
    rows: int


def number_bins(values: Numbers, *, rows: int) -> Codes:
    """Cut numbers into bins of about equal mass; few distinct values are bins themselves, and so is missing.

    Examples
    --------
    >>> number_bins(np.array([1.0, 2.0, 2.0, np.nan]), rows=4).tolist()
    [0, 1, 1, 2]
    """
    known = values[~np.isnan(values)]
    most = min(MOST_BINS, max(2, rows // _ROWS_PER_BIN))
    distinct = np.unique(known)
    if distinct.size > most:
        distinct = np.unique(np.quantile(known, np.arange(most) / most, method="inverted_cdf"))
    codes = np.searchsorted(distinct, values, side="right") - 1
    codes = np.maximum(codes, 0)
    codes[np.isnan(values)] = distinct.size
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def level_bins(codes: Codes, *, rows: int) -> Codes:
    """Return codes (-1: missing) with all but the most frequent levels joined."""
    most = min(MOST_BINS, max(2, rows // _ROWS_PER_BIN))
    counts = np.bincount(codes + 1)
    ranked = np.argsort(-counts, kind="stable")
    place = np.full(counts.size, most, dtype=np.int64)
    place[ranked[:most]] = np.arange(min(most, ranked.size))
    return np.unique(place[codes + 1], return_inverse=True)[1].astype(np.int64)


def strengths(
    predictors: Sequence[Predictor], labels: Labels, *, rng: np.random.Generator, progress: Callable[[float], None]
) -> list[Strength]:
    """Judge a family of columns.

    Each column's values with permuted labels are brought to mean 0 and deviation 1; all columns' together are what a
    column's own is compared with, so that p can be small without thousands of permutations: (1 + b) / (1 + B).

    References
    ----------
    B. Phipson, G. K. Smyth, "Permutation p-values should never be zero", Statistical Applications in Genetics and
    Molecular Biology 9, 2010.
    """
    judged: list[tuple[Predictor, float, Numbers, Interval | None]] = []
    for done, predictor in enumerate(predictors, start=1):
        value, random, interval = _judged(predictor, labels, rng)
        if math.isfinite(value) and np.isfinite(random).all():
            judged.append((predictor, value, random, interval))
        progress(done / len(predictors))
    centres = [float(random.mean()) for _, _, random, _ in judged]
    spreads = [float(random.std(ddof=1)) or 1e-12 for _, _, random, _ in judged]
    pooled = np.sort(np.concatenate([np.empty(0), *(
        (random - centre) / spread for (_, _, random, _), centre, spread in zip(judged, centres, spreads, strict=True)
    )]))  # fmt: skip
    p_values = []
    for (_, value, _, _), centre, spread in zip(judged, centres, spreads, strict=True):
        as_good = pooled.size - np.searchsorted(pooled, (value - centre) / spread - 1e-9, side="left")
        p_values.append((1 + as_good) / (1 + pooled.size))
    adjusted = benjamini_hochberg(p_values)
    return [
        Strength(predictor.name, value, interval, centre, p, float(q), labels.n_rows)
        for (predictor, value, _, interval), centre, p, q in zip(judged, centres, p_values, adjusted, strict=True)
    ]


def _judged(predictor: Predictor, labels: Labels, rng: np.random.Generator) -> tuple[float, Numbers, Interval | None]:
    if labels.codes is not None:
        return _of_classes(predictor, labels, labels.codes, rng)
    value = float(_explained(predictor, labels, None)[0])
    random = np.concatenate(
        [
            _explained(predictor, labels, labels.permuted[start : start + _AT_ONCE])
            for start in range(0, labels.n_permutations, _AT_ONCE)
        ]
    )
    share = min(max(value, 0.0), 1.0)
    # The large-sample error of a share of explained variance (Olkin and Finn 1995).
    half = normal_quantile() * math.sqrt(4 * share * (1 - share) ** 2 / labels.n_rows)
    return value, random, (value - half, min(1.0, value + half))


def _of_classes(
    predictor: Predictor, labels: Labels, codes: Codes, rng: np.random.Generator
) -> tuple[float, Numbers, Interval | None]:
    n_bins, n_classes = int(predictor.bins.max()) + 1, labels.n_classes
    cell = (labels.half * n_bins + predictor.bins) * n_classes
    shape = (2, n_bins, n_classes)

    def counted(order: NDArray[np.int32] | None) -> Numbers:
        of = codes if order is None else codes[order]
        return np.bincount(cell + of, minlength=math.prod(shape)).reshape(shape).astype(np.float64)

    seen = counted(None)
    value = float(mean_area(seen[None])[0])
    random = np.concatenate(
        [
            mean_area(np.stack([counted(order) for order in labels.permuted[start : start + _AT_ONCE]]))
            for start in range(0, labels.n_permutations, _AT_ONCE)
        ]
    )
    shares = (seen / seen.sum()).ravel()
    drawn = rng.multinomial(labels.n_rows, shares, size=_DRAWS).reshape(_DRAWS, *shape).astype(np.float64)
    areas = [mean_area(drawn[start : start + _AT_ONCE]) for start in range(0, _DRAWS, _AT_ONCE)]
    interval = percentile_interval(np.concatenate(areas))
    return value, random, interval and (min(interval[0], value), max(interval[1], value))


def mean_area(counts: Numbers) -> Numbers:
    """Return the area under the ROC curve of what bins predict, learned on one half and judged on the other.

    Parameters
    ----------
    counts : ndarray of shape (..., 2, n_bins, n_classes)
        Rows by half, bin and class.

    Returns
    -------
    ndarray of shape (...)
        The mean over halves and classes (each against the rest), 0.5 by chance; NaN where no class is in both halves.

    Examples
    --------
    >>> mean_area(np.array([[[8.0, 0.0], [0.0, 8.0]], [[8.0, 0.0], [0.0, 8.0]]])).tolist()
    1.0
    """
    shares = counts.sum(axis=(-3, -2), keepdims=True) / counts.sum(axis=(-3, -2, -1), keepdims=True)
    learned = (counts + _PRIOR_ROWS * shares) / (counts.sum(axis=-1, keepdims=True) + _PRIOR_ROWS)
    scores, judged = learned[..., ::-1, :, :], counts
    two = counts.shape[-1] == 2
    areas = []
    for code in range(1 if two else 0, counts.shape[-1]):
        score = scores[..., code]
        positive, total = judged[..., code], judged.sum(axis=-1)
        negative = total - positive
        beats = np.sign(score[..., :, None] - score[..., None, :])
        pairs = np.einsum("...i,...ij,...j->...", positive, beats, negative)
        with np.errstate(divide="ignore", invalid="ignore"):
            areas.append(0.5 + 0.5 * pairs / (positive.sum(axis=-1) * negative.sum(axis=-1)))
    stacked = np.stack(areas, axis=-1)
    known = np.isfinite(stacked)
    count = known.sum(axis=(-2, -1))
    total_area = np.where(known, stacked, 0.0).sum(axis=(-2, -1))
    mean: Numbers = np.divide(total_area, count, out=np.full(np.shape(count), np.nan), where=count > 0)
    return mean


def _explained(predictor: Predictor, labels: Labels, orders: NDArray[np.int32] | None) -> Numbers:
    """Return the share of variance that bins or a straight line explain on the other half, the larger; (n_orders,)."""
    values = labels.values
    if values is None:
        raise ValueError("only for numbers")
    targets = values[None] if orders is None else values[orders]
    n_bins = int(predictor.bins.max()) + 1
    cell = labels.half * n_bins + predictor.bins
    rows = np.bincount(cell, minlength=2 * n_bins).reshape(2, n_bins).astype(np.float64)
    sums = np.stack([np.bincount(cell, weights=each, minlength=2 * n_bins) for each in targets])
    sums = sums.reshape(-1, 2, n_bins)
    errors = np.zeros(len(targets))
    for learn, judge in ((0, 1), (1, 0)):
        means = sums[:, learn] / (rows[learn] + _PRIOR_ROWS)
        errors += (means**2 * rows[judge] - 2 * means * sums[:, judge]).sum(axis=1)
    best: Numbers = -errors / (targets**2).sum(axis=1)
    if predictor.numbers is not None:
        best = np.maximum(best, _by_line(predictor.numbers, labels, targets))
    return best


def _by_line(numbers: Numbers, labels: Labels, targets: Numbers) -> Numbers:
    known = np.isfinite(numbers)
    size = float(np.abs(numbers[known]).max(initial=0.0))
    line = np.where(known, numbers / size if size > 0 else 0.0, 0.0)
    line = np.where(known, line - line[known].mean(), 0.0) if known.any() else line
    errors = np.zeros(len(targets))
    for learn, judge in ((0, 1), (1, 0)):
        first, second = labels.half == learn, labels.half == judge
        spread = float((line[first] ** 2).sum())
        slopes = targets[:, first] @ line[first] / spread if spread > 0 else np.zeros(len(targets))
        errors += slopes**2 * float((line[second] ** 2).sum()) - 2 * slopes * (targets[:, second] @ line[second])
    return np.asarray(-errors / (targets**2).sum(axis=1))
