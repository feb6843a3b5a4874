"""A really fitted scikit-learn estimator behind the protocol that analyses reach a model through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from modelops.analyses.base import Contributions


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

    def contributions(self, rows: pd.DataFrame) -> Contributions | None:
        return None if self.own is None else self.own(rows[list(self.features)])
