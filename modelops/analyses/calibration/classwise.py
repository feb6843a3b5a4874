"""Calibration of all classes at once: the classwise error, what chance alone would show, and how surprising that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.measuring import inapplicable, measured
from modelops.analyses.outcomes import NOT_PROBABILITIES, Outcomes
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.intervals import Interval
from modelops.analyses.statistics.weighting import Weighting
from modelops.domain.result import Measurement

METRICS = (
    "classwise_calibration_error",
    "classwise_calibration_error_by_chance",
    "classwise_calibration_error_debiased",
    "classwise_calibration_p_value",
)
TWO_CLASSES = "With two classes the score of the positive one says everything; its own calibration is judged."

_ROUNDING = 0.02
_FEWEST_DRAWS = 199
_CELLS = 100_000_000

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Binned:
    """Scores of every class in bins of equal mass of their own, and the labels.

    ``places`` of shape (n, k) are the bins of each row, numbered through over all classes, ``n_bins`` in all for each
    class. ``scores`` (n, k) sum to 1 in each row; ``truth`` (n,) are the codes of the labels; ``weights`` (n,).
    """

    scores: Numbers
    truth: Codes
    weights: Numbers
    places: Codes
    n_bins: int

    def expected(self) -> Numbers:
        """Return the weight of the positive rows that the scores announce, shape (k, n_bins)."""
        return self._sums(self.scores * self.weights[:, None])

    def observed(self, labels: Codes) -> Numbers:
        """Return the weight of the rows with each label in the bins of that class, shape (k, n_bins)."""
        mine = self.places[np.arange(labels.size), labels]
        size = self.scores.shape[1] * self.n_bins
        return np.bincount(mine, weights=self.weights, minlength=size).astype(np.float64).reshape(-1, self.n_bins)

    @cached_property
    def residuals(self) -> Numbers:
        """By how much each row weighs for or against each class, shape (n, k): label less score, times the weight."""
        came = np.zeros_like(self.scores)
        came[np.arange(self.truth.size), self.truth] = 1.0
        return np.asarray((came - self.scores) * self.weights[:, None])

    def deviations(self, counts: NDArray[np.int64]) -> Numbers:
        """Return observed less expected weight with each row taken ``counts`` times, shape (k, n_bins)."""
        return self._sums(self.residuals * counts[:, None])

    def _sums(self, values: Numbers) -> Numbers:
        size = self.scores.shape[1] * self.n_bins
        sums = np.bincount(self.places.ravel(), weights=values.ravel(), minlength=size).astype(np.float64)
        return sums.reshape(-1, self.n_bins)


@dataclass(frozen=True)
class ClasswiseError:
    """The classwise calibration error, its interval, what scores without any would show, and p."""

    value: float
    interval: Interval
    by_chance: float
    p_value: float
    draws: int


def binned(scores: Numbers, truth: Codes, weights: Numbers, *, bins: int) -> Binned:
    """Put the scores of each class into up to ``bins`` bins of equal mass; equal scores stay together."""
    n_rows, k = scores.shape
    places = np.empty((n_rows, k), dtype=np.int64)
    for code in range(k):
        ordered = np.sort(scores[:, code])
        edges = np.unique(ordered[(np.arange(1, bins) * n_rows) // bins])
        places[:, code] = code * bins + np.searchsorted(edges, scores[:, code], side="right")
    return Binned(scores, truth, weights, places, bins)


def classwise_error(data: Binned, uncertainty: Uncertainty, *, repeats_effect: float = 1.0) -> ClasswiseError:
    """Measure the mean over the classes of the calibration error of each against the rest.

    The error of a class is the mean over its bins, by weight, of the distance between the mean score and the share of
    rows that have the class. Scores without any error show one too: how large is found by drawing labels from the
    scores themselves, and p is the share of these draws that show at least as large an error, (1 + b) / (1 + B). The
    interval resamples rows and is reflected, since resampling adds what sampling has added once already.

    References
    ----------
    M. Kull et al., "Beyond temperature scaling", NeurIPS 2019 (classwise error); J. Bröcker, L. A. Smith, Weather and
    Forecasting 22, 2007, and J. Vaicenavicius et al., AISTATS 2019 (labels drawn from the scores).

    Examples
    --------
    >>> from modelops.analyses.statistics.bootstrap import Uncertainty
    >>> scores = np.tile([[0.8, 0.1, 0.1]], (1000, 1))
    >>> truth = np.repeat([0, 1, 2], [600, 200, 200])
    >>> found = classwise_error(binned(scores, truth, np.ones(1000), bins=10), Uncertainty(np.random.default_rng(1)))
    >>> round(found.value, 4), found.p_value < 0.01
    (0.1333, True)
    """
    n_rows, k = data.scores.shape
    draws = int(np.clip(_CELLS // max(1, n_rows * k), _FEWEST_DRAWS, uncertainty.draws))
    total, stretch = float(data.weights.sum()), float(np.sqrt(repeats_effect))
    expected = data.expected()

    def error(deviation: Numbers) -> float:
        return float(np.abs(deviation).sum(axis=1).mean() / total)

    whole = data.observed(data.truth) - expected
    value = error(whole)
    edges = np.ascontiguousarray(np.cumsum(data.scores, axis=1)[:, :-1].T)
    by_chance, resampled = np.empty(draws), np.empty(draws)
    for draw in range(draws):
        chance, labels = uncertainty.rng.random(n_rows), np.zeros(n_rows, dtype=np.int64)
        for edge in edges:
            labels += chance >= edge
        by_chance[draw] = error((data.observed(labels) - expected) * stretch)
        counts = np.bincount(uncertainty.rng.integers(0, n_rows, n_rows), minlength=n_rows)
        again = data.deviations(counts)
        resampled[draw] = error(whole + (again - whole) * stretch)
    tails = np.array([(1 + uncertainty.level) / 2, (1 - uncertainty.level) / 2])
    low, high = (2 * value - np.quantile(resampled, tails)).tolist()
    return ClasswiseError(
        value,
        (max(0.0, min(float(low), value)), max(float(high), value)),
        float(by_chance.mean()),
        float((1 + np.count_nonzero(by_chance >= value - 1e-12)) / (1 + draws)),
        draws,
    )


def classwise_measurements(
    rows: Outcomes, how: Weighting, uncertainty: Uncertainty, *, bins: int
) -> Iterator[Measurement]:
    """Yield the classwise error of labelled rows, or why there is none."""
    if rows.positive is not None:
        yield from (inapplicable(name, TWO_CLASSES, size=rows.n_rows) for name in METRICS)
        return
    usable = _usable(rows, how)
    if isinstance(usable, str):
        yield from (measured(name, None, size=0, otherwise=usable) for name in METRICS)
        return
    scores, truth, weights = usable
    size = truth.size
    found = classwise_error(binned(scores, truth, weights, bins=bins), uncertainty, repeats_effect=how.repeats_effect)
    low, high = found.interval
    level = uncertainty.level
    yield measured(METRICS[0], found.value, size=size, interval=found.interval, level=level)
    note = f"Mean of {found.draws:,} draws of labels from the scores themselves."
    yield measured(METRICS[1], found.by_chance, size=size, note=note)
    yield measured(
        METRICS[2],
        found.value - found.by_chance,
        size=size,
        interval=(low - found.by_chance, high - found.by_chance),
        level=level,
        note="Below 0 where there is less error than chance explains.",
    )
    yield measured(METRICS[3], found.p_value, size=size)


def _usable(rows: Outcomes, how: Weighting) -> tuple[Numbers, Codes, Numbers] | str:
    if rows.scores is None:
        return rows.no_scores
    known = ~np.isnan(rows.scores).any(axis=1)
    weights = np.ones(rows.n_rows) if how.weights is None else how.weights
    known &= weights > 0
    if not known.any():
        return "No row has a score for every class."
    scores = rows.scores[known]
    if scores.min() < 0 or scores.max() > 1:
        return NOT_PROBABILITIES
    totals = scores.sum(axis=1)
    if float(np.abs(totals - 1).max()) > _ROUNDING:
        return "The scores of a row do not add up to 1, so they are no distribution over the classes."
    order = np.lexsort((rows.truth[known], *scores.T))  # the draws follow from the content, not from the place of rows
    return (
        (scores / totals[:, None])[order],
        rows.truth[known][order].astype(np.int64),
        weights[known][order],
    )
