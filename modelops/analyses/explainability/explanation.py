"""What an explanation is about and what it found, before it becomes measurements, curves and tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modelops.analyses.composed import ComposedModel
from modelops.analyses.explainability.agreement import Agreement
from modelops.analyses.explainability.lime import LocalFit
from modelops.analyses.explainability.partial_dependence import Dependence
from modelops.analyses.explainability.permutation_importance import Importance
from modelops.analyses.explainability.shapley import ShapleyValues


@dataclass(frozen=True)
class Subject:
    """What is explained: the model on its pool of rows, and how to speak of it."""

    model: ComposedModel
    names: tuple[str, ...]
    explained: str | None
    unit: str
    withheld: frozenset[str]
    explained_rows: np.ndarray
    background: np.ndarray
    notes: tuple[str, ...]

    @property
    def output_name(self) -> str:
        """How the output is called in titles."""
        return "prediction" if self.explained is None else f"score of class {self.explained}"


@dataclass(frozen=True)
class Contributed:
    """Shapley values, the names of their columns, and the features that are looked at one by one from there on."""

    shapley: ShapleyValues
    players: tuple[str, ...]
    kept: tuple[int, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Scored:
    """Permutation importances, or the reason why there are none."""

    metric: str
    before: float | None
    single: tuple[Importance, ...]
    grouped: tuple[Importance, ...]
    rows: int
    reason: str | None = None


@dataclass(frozen=True)
class Explanation:
    """Everything that was found, before it is put into measurements, curves and tables.

    ``kept`` are the features that were looked at one by one; ``players`` names the columns of the Shapley values.
    """

    subject: Subject
    shapley: ShapleyValues
    players: tuple[str, ...]
    kept: tuple[int, ...]
    association: np.ndarray
    groups: tuple[tuple[int, ...], ...]
    dependences: tuple[Dependence, ...]
    curve_rows: int
    scored: Scored
    local: tuple[LocalFit, ...]
    shown: tuple[tuple[str, int], ...]
    agreements: tuple[Agreement, ...]
    notes: tuple[str, ...]
