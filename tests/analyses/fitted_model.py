"""A really fitted scikit-learn estimator behind the protocol that analyses reach a model through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from modelops.analyses.base import Contributions, Resources, Staged
from modelops.errors import InvalidInput


@dataclass
class FittedModel:
    """An estimator with the names of its features. ``own`` computes its contributions; ``calls`` counts round trips."""

    estimator: Any
    features: tuple[str, ...]
    own: Callable[[pd.DataFrame], Contributions] | None = None
    calls: list[int] = field(default_factory=list)

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(str(label) for label in getattr(self.estimator, "classes_", ()))

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        self.calls.append(len(rows))
        return self.estimator.predict(rows[list(self.features)])

    def scores(self, rows: pd.DataFrame) -> np.ndarray:
        self.calls.append(len(rows))
        return self.estimator.predict_proba(rows[list(self.features)])

    def answers(self, rows: pd.DataFrame) -> np.ndarray:
        try:
            return self.scores(rows) if self.classes else np.asarray(self.predict(rows), dtype=float)
        except (ValueError, TypeError, KeyError) as error:  # as the sandbox tells what an estimator will not take
            raise InvalidInput(f"The model cannot predict these rows: {error}") from error

    def refit(
        self, train: pd.DataFrame, target: np.ndarray, rows: pd.DataFrame, *, seed: int | None
    ) -> np.ndarray | None:
        fresh = clone(self.estimator)
        seeds = {name: seed for name in fresh.get_params() if name.rpartition("__")[2] == "random_state"}
        fresh.set_params(**(seeds if seed is not None else {})).fit(train[list(self.features)], target)
        again = FittedModel(fresh, self.features).answers(rows)
        if not self.classes:
            return again
        found = np.zeros((len(rows), len(self.classes)))
        found[:, [self.classes.index(str(label)) for label in fresh.classes_]] = again
        return found

    def staged(self, rows: pd.DataFrame, *, stages: int) -> Staged | None:
        if not hasattr(self.estimator, "staged_predict"):
            return None
        staged = self.estimator.staged_predict_proba if self.classes else self.estimator.staged_predict
        every = np.array(list(staged(rows[list(self.features)])))
        rounds = np.unique(np.linspace(1, len(every), min(stages, len(every))).round().astype(int))
        return Staged(rounds, every[rounds - 1])

    def timed(self, rows: pd.DataFrame, *, batch: int, repeats: int, seconds: float) -> np.ndarray:
        """A clock that is always the same: a call costs a millisecond, and a microsecond for each row."""
        assert len(rows)
        assert seconds > 0
        wall = (1e-3 + 1e-6 * batch) * (1 + np.arange(repeats) / 100)
        return np.column_stack([wall, wall / 2])

    def resources(self, *, repeats: int) -> Resources:
        """Sizes that are always the same."""
        return Resources(size=5_000, load_seconds=np.full(repeats, 0.25), resident=100 << 20, peak=120 << 20)

    def contributions(self, rows: pd.DataFrame, *, label: str | None = None) -> Contributions | None:
        return None if self.own is None else self.own(rows[list(self.features)])
