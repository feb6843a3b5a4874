"""A classifier that tries to tell the current rows from those of the reference: what no single column shows.

If it can, on rows that it has not seen, the joint distribution has changed; which columns it needs says where.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np

from modelops.analyses.binnable import binnable
from modelops.analyses.drift.kolmogorov import POWER
from modelops.analyses.drift.time import combined_effect, design_effect
from modelops.analyses.statistics.intervals import Interval
from modelops.analyses.statistics.ranking import area
from modelops.analyses.threads import one_thread
from modelops.errors import NotMeasured

FEWEST_ROWS = 100
"""Below this many rows a side there is no training and no held-out half worth the name."""

_BLOCKS = 20
_HELD_FOR_DRIVERS = 2_500
_MOST_PREDICTIONS = 100
_MOST_REPEATS = 5
_MANY_ROWS = 10_000
_MOST_UNLIKE = 4


@dataclass(frozen=True)
class Encoded:
    """Both tables as numbers, one column for each feature; NaN is missing, categories are codes.

    ``timed`` says that the rows stand in the order of time.
    """

    names: tuple[str, ...]
    reference: np.ndarray
    current: np.ndarray
    timed: bool = False

    def without(self, name: str) -> Encoded:
        """Return the same rows without one feature."""
        kept = [place for place, other in enumerate(self.names) if other != name]
        return Encoded(
            tuple(self.names[place] for place in kept),
            self.reference[:, kept],
            self.current[:, kept],
            self.timed,
        )


@dataclass(frozen=True)
class Separation:
    """How well held-out rows were told apart. ``p_value`` is one-sided Mann-Whitney: better than tossing a coin."""

    roc_auc: float
    interval: Interval | None
    p_value: float
    held_out: tuple[int, int]
    smallest_detectable: float
    effects: tuple[float, float]


@dataclass(frozen=True)
class Driver:
    """By how much the area falls if one column is shuffled over the held-out rows: mean and spread of the repeats."""

    feature: str
    loss: float
    spread: float | None


@dataclass(frozen=True)
class DomainClassifier:
    """The classifier's outcome, its drivers with the strongest first, and the outcome without the strongest."""

    separation: Separation
    drivers: tuple[Driver, ...]
    without_first: Separation | None
    rows: tuple[int, int] = field(default=(0, 0))


def domain_classifier(
    encoded: Encoded, *, seed: int, alpha: float, progress: Callable[[float], None]
) -> DomainClassifier:
    """Train a classifier to tell the two tables apart and judge it on held-out rows.

    Histogram gradient boosting on one half of each table, the other half is scored. In the order of time the halves are
    made of whole blocks, because the neighbour of a training row would give a held-out one away. p comes from the
    held-out scores alone; scores pooled over folds would depend on each other and give three times the false alarms.

    Parameters
    ----------
    encoded : Encoded
        At least `FEWEST_ROWS` rows a side and one feature. Identifiers and times are left out by the caller.
    alpha : float
        The level of the test that ``smallest_detectable`` is for.

    Raises
    ------
    NotMeasured
        If there are too few rows or no feature.

    References
    ----------
    D. Lopez-Paz, M. Oquab, "Revisiting classifier two-sample tests", ICLR 2017.
    """
    rows = (len(encoded.reference), len(encoded.current))
    if min(rows) < FEWEST_ROWS:
        raise NotMeasured(f"Not enough data: {min(rows)} rows on one side, the domain classifier needs {FEWEST_ROWS}.")
    if not encoded.names:
        raise NotMeasured("There is no feature that a domain classifier could use.")
    with one_thread():
        return _told_apart(encoded, seed=seed, alpha=alpha, progress=progress)


def _told_apart(encoded: Encoded, *, seed: int, alpha: float, progress: Callable[[float], None]) -> DomainClassifier:
    rows = (len(encoded.reference), len(encoded.current))
    held = tuple(
        _held_out(count, np.random.default_rng([seed, side]), timed=encoded.timed) for side, count in enumerate(rows)
    )
    trial = _Trial(encoded, (held[0], held[1]), seed)
    trial.train()
    progress(0.3)
    separation = trial.separation(alpha)
    drivers = trial.drivers(lambda done: progress(0.3 + 0.4 * done))
    without = None
    if len(encoded.names) > 1:
        other = _Trial(encoded.without(drivers[0].feature), trial.held, seed)
        other.train()
        without = other.separation(alpha)
    progress(1.0)
    return DomainClassifier(separation, drivers, without, rows)


def _held_out(rows: int, rng: np.random.Generator, *, timed: bool) -> np.ndarray:
    """Return which rows are held out: half of them, at random, or half of the blocks of time."""
    chosen = np.zeros(_BLOCKS if timed else rows, dtype=np.bool_)
    chosen[rng.permutation(len(chosen))[: len(chosen) // 2]] = True
    return chosen[np.arange(rows) * _BLOCKS // rows] if timed else chosen


class _Trial:
    """One classifier on one split."""

    def __init__(self, encoded: Encoded, held: tuple[np.ndarray, np.ndarray], seed: int) -> None:
        self.encoded, self.held, self.seed = encoded, held, seed
        self.model: Any = None
        self.rows = np.concatenate([encoded.reference[held[0]], encoded.current[held[1]]])
        self.is_current = np.repeat([False, True], [int(held[0].sum()), int(held[1].sum())])

    def train(self) -> None:
        from sklearn.ensemble import HistGradientBoostingClassifier

        kept = self._training_rows()
        rows = sum(map(len, kept))
        # Small trees on few rows: deep ones learn the noise, and weak changes are then lost on the held-out half.
        self.model = HistGradientBoostingClassifier(
            max_iter=60 if rows < _MANY_ROWS else 100,
            learning_rate=0.1,
            max_leaf_nodes=8 if rows < _MANY_ROWS else 16,
            min_samples_leaf=min(40, max(5, rows // 20)),
            l2_regularization=10.0,
            early_stopping=rows >= _MANY_ROWS,
            random_state=self.seed % (1 << 32),
        )
        self.model.fit(binnable(np.concatenate(kept)), np.repeat([0, 1], [len(part) for part in kept]))

    def _training_rows(self) -> list[np.ndarray]:
        """Return what is not held out; of a much larger side only some, or the trees would ignore the small one."""
        sides = [self.encoded.reference[~self.held[0]], self.encoded.current[~self.held[1]]]
        most = _MOST_UNLIKE * min(map(len, sides))
        rng = np.random.default_rng([self.seed, 3])
        return [side if len(side) <= most else side[np.sort(rng.permutation(len(side))[:most])] for side in sides]

    def scores(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict_proba(rows)[:, 1])

    def separation(self, alpha: float) -> Separation:
        from scipy.stats import mannwhitneyu

        scores = self.scores(self.rows)
        sides = (scores[~self.is_current], scores[self.is_current])
        counts = (len(sides[0]), len(sides[1]))
        effects = (1.0, 1.0)
        if self.encoded.timed:
            ranks = [np.unique(side, return_inverse=True)[1] for side in sides]
            effects = (design_effect(ranks[0], ordered=True), design_effect(ranks[1], ordered=True))
        inflation = combined_effect(effects, counts)
        found = area(scores, self.is_current, design_effect=inflation)
        p_value = float(mannwhitneyu(sides[1], sides[0], alternative="greater", method="asymptotic").pvalue)
        if inflation > 1:
            p_value = NormalDist().cdf(
                NormalDist().inv_cdf(min(max(p_value, 1e-300), 1 - 1e-16)) / math.sqrt(inflation)
            )
        effective = (counts[0] / effects[0], counts[1] / effects[1])
        smallest = smallest_detectable_area(*effective, alpha=alpha)
        return Separation(found.value, found.interval(), p_value, counts, smallest, effects)

    def drivers(self, progress: Callable[[float], None]) -> tuple[Driver, ...]:
        """Shuffle one column after the other over some held-out rows of both tables together."""
        rng = np.random.default_rng([self.seed, 2])
        some = np.concatenate(
            [rng.permutation(np.flatnonzero(self.is_current == side))[:_HELD_FOR_DRIVERS] for side in (False, True)]
        )
        rows, is_current = self.rows[some], self.is_current[some]
        whole = _area_of(self.scores(rows), is_current)
        repeats = max(1, min(_MOST_REPEATS, _MOST_PREDICTIONS // len(self.encoded.names)))
        found = []
        for place, name in enumerate(self.encoded.names):
            losses = []
            for _ in range(repeats):
                shuffled = rows.copy()
                shuffled[:, place] = rng.permutation(rows[:, place])
                losses.append(whole - _area_of(self.scores(shuffled), is_current))
            spread = float(np.std(losses, ddof=1)) if repeats > 1 else None
            found.append(Driver(name, float(np.mean(losses)), spread))
            progress((place + 1) / len(self.encoded.names))
        return tuple(sorted(found, key=lambda driver: (-driver.loss, driver.feature)))


def _area_of(scores: np.ndarray, is_current: np.ndarray) -> float:
    from scipy.stats import rankdata

    high, low = int(is_current.sum()), int((~is_current).sum())
    return float((rankdata(scores)[is_current].sum() - high * (high + 1) / 2) / (high * low))


def smallest_detectable_area(n: float, m: float, *, alpha: float, power: float = POWER) -> float:
    """Return the area under the ROC curve that the one-sided Mann-Whitney test finds with ``power``. At most 1.

    References
    ----------
    G. E. Noether, "Sample size determination for some common nonparametric tests", JASA 82, 1987.

    Examples
    --------
    >>> round(smallest_detectable_area(1000, 1000, alpha=0.05), 4)
    0.5321
    """
    normal = NormalDist()
    reach = normal.inv_cdf(1 - alpha) + normal.inv_cdf(power)
    return min(1.0, 0.5 + reach * math.sqrt((n + m + 1) / (12 * n * m)))


def encode_categories(counts: np.ndarray, codes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return category codes as numbers for the classifier: by falling frequency in both tables, NaN for missing.

    Similarly frequent categories share a bin of the boosting if there are more than 255.

    Parameters
    ----------
    counts : ndarray of shape (2, k)
        Rows of each category in both tables.
    codes : sequence of ndarray
        The category of each row, -1 for missing.
    """
    order = np.argsort(-counts.sum(axis=0), kind="stable")
    rank = np.empty(len(order) + 1)
    rank[order] = np.arange(len(order))
    rank[-1] = np.nan
    return [rank[each] for each in codes]
