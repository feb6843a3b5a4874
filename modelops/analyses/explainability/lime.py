"""Local surrogate models (LIME): a weighted ridge regression around one row, over several seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from modelops.analyses.composed import ComposedModel
from modelops.analyses.statistics.association import level_codes, ordered_values

# As in the authors' package: kernel width 0.75 * sqrt(number of features), in standard deviations.
_WIDTH = 0.75
# Share of the total weight; keeps the fit solvable when two columns say the same, and changes nothing that is shown.
_RIDGE = 1e-5
_KEPT = 0.5


class Stability(StrEnum):
    """How far a local explanation can be relied on."""

    STABLE = "stable"
    FAIR = "fair"
    UNSTABLE = "unstable"
    POOR_FIT = "poor local fit"


@dataclass(frozen=True)
class LocalFit:
    """The local surrogate of one row.

    ``slopes`` and ``effects`` have shape (n_seeds, n_features). A slope is the change of the output for one unit of an
    ordered feature, or for having this row's level instead of another one. An effect is the slope times what sets the
    row apart from the average row, which compares with a Shapley value. ``fit`` of shape (n_seeds,) is the weighted R2.
    """

    row: int
    slopes: np.ndarray
    effects: np.ndarray
    fit: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """The mean effect over seeds, shape (n_features,)."""
        return np.asarray(self.effects.mean(axis=0))

    @property
    def spread(self) -> np.ndarray:
        """The standard deviation of each effect over seeds, shape (n_features,)."""
        return np.asarray(self.effects.std(axis=0, ddof=1))

    @property
    def stability(self) -> float:
        """1 minus the spread over seeds as a share of the effects' size. 1: all seeds agree; 0: nothing holds."""
        size = float(np.abs(self.mean).sum())
        return max(0.0, 1 - float(self.spread.sum()) / size) if size > 0 else 1.0

    @property
    def badge(self) -> Stability:
        """A word for `stability` and `fit`: R2 under 0.5 is a poor fit; from 0.9 on stable, from 0.75 on fair."""
        if self.fit.mean() < 0.5:
            return Stability.POOR_FIT
        if self.stability >= 0.9:
            return Stability.STABLE
        return Stability.FAIR if self.stability >= 0.75 else Stability.UNSTABLE


def local_fits(
    model: ComposedModel, rows: np.ndarray, *, features: Sequence[int], samples: int, seeds: Sequence[int]
) -> Iterator[LocalFit]:
    """Yield the local surrogate of each row.

    Around a row, ``samples`` rows are made: each feature keeps the row's value with probability one half and else takes
    one that occurs in the pool. Their nearness (Gaussian kernel on the distance in standard deviations, 1 for
    another level) is the weight of a ridge regression of the output on the features: ordered ones in standard
    deviations from the mean, missing as the mean; others as "has the row's level". The whole is done for every seed.

    Parameters
    ----------
    rows : ndarray of int, shape (n,)
        Positions in the pool.
    features : sequence of int
        The columns that are varied; the others keep the row's value.
    samples : int
        Perturbed rows for each row and seed; raised to ten for each feature if it is less.
    seeds : sequence of int
        At least two.

    References
    ----------
    M. Ribeiro, S. Singh, C. Guestrin, "Why should I trust you?", KDD 2016; G. Visani et al., "Statistical stability
    indices for LIME", Journal of the Operational Research Society, 2022.
    """
    columns = list(features)
    samples = max(samples, 10 * len(columns))
    space = _Space.of(model, columns)
    generators = [[np.random.default_rng([seed, i]) for seed in seeds] for i in range(len(rows))]
    draws = (
        _draw(model, int(row), columns, samples, rng) for row, own in zip(rows, generators, strict=True) for rng in own
    )
    waiting: list[np.ndarray] = []

    def kept() -> Iterator[np.ndarray]:
        for draw in draws:
            waiting.append(draw[:, columns])
            yield draw

    answers = model.outputs(kept())
    for row in rows:
        fits = [_fitted(space, int(row), next(answers), waiting.pop(0)) for _ in seeds]
        slopes, effects, fit = (np.array(part) for part in zip(*fits, strict=True))
        yield LocalFit(int(row), slopes, effects, fit)


def _draw(model: ComposedModel, row: int, columns: list[int], samples: int, rng: np.random.Generator) -> np.ndarray:
    block = np.full((samples, model.n_features), row, dtype=np.int32)
    drawn = rng.integers(model.n_pool, size=(samples, len(columns)), dtype=np.int32)
    block[:, columns] = np.where(rng.random(drawn.shape) < _KEPT, np.int32(row), drawn)
    block[0] = row
    return block


@dataclass(frozen=True)
class _Space:
    """The pool in the surrogate's terms: standard scores of ordered features, codes of levels."""

    values: np.ndarray
    scale: np.ndarray
    is_level: np.ndarray

    @classmethod
    def of(cls, model: ComposedModel, columns: list[int]) -> _Space:
        values = np.zeros((model.n_pool, len(columns)))
        scale = np.ones(len(columns))
        is_level = np.zeros(len(columns), dtype=bool)
        for k, j in enumerate(columns):
            column = model.pool.iloc[:, j]
            numbers = ordered_values(column)
            if numbers is None:
                is_level[k] = True
                values[:, k] = level_codes(column)[0]
                continue
            present = np.isfinite(numbers)
            if present.any() and (spread := float(numbers[present].std())) > 0:
                scale[k] = spread
                values[present, k] = (numbers[present] - numbers[present].mean()) / spread
        return cls(values, scale, is_level)


def _fitted(space: _Space, row: int, output: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    n_features = drawn.shape[1]
    here = space.values[row]
    values = space.values[drawn, np.arange(n_features)]
    design = np.where(space.is_level, values == here, values)
    distance = np.where(space.is_level, values != here, values - here)
    weight = np.exp(-(distance**2).sum(axis=1) / (2 * _WIDTH**2 * n_features))
    total = weight.sum()
    centre, level = weight @ design / total, weight @ output / total
    x, y = design - centre, output - level
    gram = x.T @ (x * weight[:, None]) + _RIDGE * total * np.eye(n_features)
    slopes = np.linalg.solve(gram, x.T @ (weight * y))
    unexplained = float(weight @ (y - x @ slopes) ** 2)
    spread = float(weight @ y**2)
    fit = 1 - unexplained / spread if spread > 1e-24 * total else 1.0
    share = (space.values == here).mean(axis=0)
    effects = slopes * np.where(space.is_level, 1 - share, here)
    return slopes / space.scale, effects, fit
