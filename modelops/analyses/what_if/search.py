"""The search for few, small, permitted changes of a case that lead to the wanted outcome.

Every value that is tried is one that a real row holds. Two ways lead to candidates: changing one column after the
other from the case on, keeping the most promising (a beam); and going back from real cases with the wanted outcome,
undoing every change that is not needed. What is found is drawn towards the case, then looked up again: the model is
asked once more, and limits and rules are checked on the values themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.what_if.distances import Scale
from modelops.analyses.what_if.permitted import Permitted
from modelops.analyses.what_if.wanted import Wanted

_VALUES = 15
_BEAM = 16
_REAL_CASES = 8
_REFINED = 24

Row = NDArray[np.int32]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Counterfactual:
    """One set of changes: for each column the row of the pool that its value comes from; and how large they are."""

    sources: Row
    features: tuple[int, ...]
    distance: float


@dataclass
class Search:
    """One search.

    ``gap`` is how far the case is from the wanted outcome; ``dropped`` counts the candidates that had the outcome and
    left what is permitted or broke a rule.
    """

    permitted: Permitted
    wanted: Wanted
    scale: Scale
    features: Sequence[int]
    most_changes: int
    gap: float
    dropped: int = 0
    _kept: dict[bytes, Counterfactual] = field(default_factory=dict)
    _seen_broken: set[bytes] = field(default_factory=set)

    def found(self, *, most: int, real: NDArray[np.intp], progress: Callable[[float], None]) -> list[Counterfactual]:
        """Return up to ``most`` different sets of changes, the smallest first.

        Parameters
        ----------
        real : ndarray of int
            Places of real rows with the wanted outcome, the nearest first.
        """
        self._beam(most, lambda share: progress(0.5 * share))
        self._back_from(real[:_REAL_CASES])
        progress(0.75)
        self._draw_near(self._smallest()[:_REFINED])
        progress(0.95)
        return self._verified(self._smallest()[:most])

    def _smallest(self) -> list[Counterfactual]:
        """Return the smallest changes for each set of columns of which no part is enough."""
        by_features: dict[tuple[int, ...], Counterfactual] = {}
        for one in sorted(self._kept.values(), key=_order):
            by_features.setdefault(one.features, one)
        sets = [set(features) for features in by_features]
        return [one for one in by_features.values() if not any(other < set(one.features) for other in sets)]

    @property
    def _case(self) -> Row:
        return np.asarray(self.permitted.case.model.unchanged(np.array([self.permitted.case.edited]))[0])

    def _gaps(self, rows: NDArray[np.integer]) -> Numbers:
        return self.wanted.gaps(self.permitted.case.model, [rows])[0]

    def _beam(self, most: int, progress: Callable[[float], None]) -> None:
        values = {feature: self.permitted.sources(feature, values=_VALUES) for feature in self.features}
        front = self._case[None, :]
        for depth in range(self.most_changes):
            rows = self._not_more_than_needed(_extended(front, self._case, values))
            if not len(rows):
                return
            gaps = self._gaps(rows)
            distances = self._distances(rows)
            reached = gaps <= 0
            kept = self._keep(rows[reached])
            progress((depth + 1) / self.most_changes)
            if len(self._smallest()) >= most:
                return
            front = np.concatenate(
                [
                    _best(rows[~reached], self._promise(gaps[~reached], distances[~reached])),
                    # What has the outcome and breaks a rule may keep it with one more change.
                    _best(rows[reached][~kept], -distances[reached][~kept]),
                ]
            )

    def _not_more_than_needed(self, rows: NDArray[np.integer]) -> NDArray[np.integer]:
        """Leave out rows that change all columns of a set that is enough by itself, and more."""
        changed = rows != self._case
        more = np.zeros(len(rows), dtype=bool)
        for one in self._smallest():
            more |= changed[:, list(one.features)].all(axis=1)
        return rows[~more]

    def _promise(self, gaps: Numbers, distances: Numbers) -> Numbers:
        """Return how much of the gap was closed, less a little for long ways."""
        closed = 1 - gaps / self.gap if self.gap > 0 else -gaps
        usual = float(np.median(distances)) if distances.size else 1.0
        return np.where(np.isfinite(gaps), closed - 0.05 * distances / (usual or 1.0), -np.inf)

    def _distances(self, rows: NDArray[np.integer]) -> Numbers:
        columns = np.arange(rows.shape[1])
        here = self.scale.points[self.permitted.case.edited]
        return np.asarray(self.scale.apart(here[None, :], self.scale.points[rows, columns]).sum(axis=1))

    def _keep(self, rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Remember the rows that are permitted; return which they are. All of them have the wanted outcome."""
        if not len(rows):
            return np.zeros(0, dtype=bool)
        broken = self.permitted.broken(rows)
        distances = self._distances(rows)
        changed = self.scale.apart(
            self.scale.points[self.permitted.case.edited][None, :], self.scale.points[rows, np.arange(rows.shape[1])]
        )
        for row, is_broken, distance, moved in zip(rows, broken, distances, changed > 0, strict=True):
            key = self.scale.points[row, np.arange(len(row))].tobytes()
            if is_broken:
                self._seen_broken.add(key)
                continue
            features = tuple(np.flatnonzero(moved).tolist())
            self._kept.setdefault(key, Counterfactual(row.astype(np.int32), features, float(distance)))
        self.dropped = len(self._seen_broken)
        return ~broken

    def _back_from(self, places: NDArray[np.intp]) -> None:
        """Take over permitted values of real rows, then undo what is not needed, the largest changes first."""
        case = self._case
        here = self.scale.points[self.permitted.case.edited]
        rows = np.repeat(case[None, :], len(places), axis=0)
        for k, place in enumerate(places.tolist()):
            for feature in np.flatnonzero(self.scale.apart(here, self.scale.points[place]) > 0):
                if feature in self.features and self.permitted.allows(int(feature), place):
                    rows[k, feature] = place
        rows = rows[(rows != case).any(axis=1)]
        rows = rows[self._gaps(rows) <= 0] if len(rows) else rows
        is_open = np.ones(len(rows), dtype=bool)
        while is_open.any():
            owner, changed = np.nonzero((rows != case) & is_open[:, None])
            without = rows[owner]
            without[np.arange(len(owner)), changed] = case[changed]
            fits = (self._gaps(without) <= 0) & (without != case).any(axis=1)
            distances = np.where(fits, self._distances(without), np.inf)
            for k in np.flatnonzero(is_open).tolist():
                mine = np.flatnonzero(owner == k)
                best = int(mine[np.argmin(distances[mine])])
                is_open[k] = bool(fits[best])
                rows[k] = without[best] if fits[best] else rows[k]
        self._keep(rows[(rows != case).sum(axis=1) <= self.most_changes])

    def _draw_near(self, found: Sequence[Counterfactual]) -> None:
        """Draw each change towards the case as far as the outcome holds, by halving; all candidates side by side."""
        rows = np.stack([one.sources for one in found]) if found else np.zeros((0, len(self._case)), dtype=np.int32)
        for turn in range(max((len(one.features) for one in found), default=0)):
            mine = [k for k, one in enumerate(found) if turn < len(one.features)]
            places = [found[k].features[turn] for k in mine]
            ladders = [self.permitted.between(j, int(rows[k, j])) for k, j in zip(mine, places, strict=True)]
            low = np.zeros(len(mine), dtype=np.int64)
            high = np.array([len(ladder) - 1 for ladder in ladders])
            while (low < high).any():
                middle = (low + high) // 2
                trial = rows[mine]
                trial[np.arange(len(mine)), places] = [ladder[k] for ladder, k in zip(ladders, middle, strict=True)]
                holds = self._gaps(trial) <= 0
                holds[holds] = ~self.permitted.broken(trial[holds])
                is_open = low < high
                high = np.where(is_open & holds, middle, high)
                low = np.where(is_open & ~holds, middle + 1, low)
            rows[mine, places] = [ladder[k] for ladder, k in zip(ladders, high, strict=True)]
        self._keep(rows)

    def _verified(self, chosen: list[Counterfactual]) -> list[Counterfactual]:
        if not chosen:
            return []
        rows = np.stack([one.sources for one in chosen])
        holds = (self._gaps(rows) <= 0) & ~self.permitted.broken(rows)
        return [one for one, is_sound in zip(chosen, holds, strict=True) if is_sound]


def _order(one: Counterfactual) -> tuple[int, float, tuple[int, ...]]:
    return len(one.features), one.distance, one.features


def _extended(front: NDArray[np.integer], case: Row, values: dict[int, NDArray[np.intp]]) -> NDArray[np.integer]:
    """Return every row of the front with one more column changed to each of its values, each row once."""
    parts = []
    for row in front:
        for feature, sources in values.items():
            if row[feature] == case[feature] and len(sources):
                block = np.repeat(row[None, :], len(sources), axis=0)
                block[:, feature] = sources
                parts.append(block)
    return np.unique(np.concatenate(parts), axis=0) if parts else front[:0]


def _best(rows: NDArray[np.integer], worth: Numbers) -> NDArray[np.integer]:
    return rows[np.argsort(-worth, kind="stable")[:_BEAM]]
