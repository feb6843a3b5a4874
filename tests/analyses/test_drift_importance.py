"""Ranking by what matters to the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from modelops.analyses.base import Contributions, Run
from modelops.analyses.drift import DRIFT, DriftParameters
from modelops.analyses.drift.importance import given_importance, model_importance
from modelops.domain.columns import Task
from modelops.errors import InvalidInput
from tests.analyses.samples import evaluation, sample


@dataclass(frozen=True)
class Linear:
    """A linear model of ``a`` and ``b``, as the sandbox would answer for it."""

    explains: bool
    features: tuple[str, ...] = ("a", "b")
    classes: tuple[str, ...] = ()

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return 3 * rows["a"].to_numpy() + rows["b"].to_numpy()

    def scores(self, rows: pd.DataFrame) -> np.ndarray:
        raise AssertionError("a regression model has no scores")

    def contributions(self, rows: pd.DataFrame, *, label: str | None = None) -> Contributions | None:
        if not self.explains:
            return None
        values = rows[["a", "b"]].to_numpy() * [3, 1]
        return Contributions(values=values, base=0.0, unit="prediction", method="linear")


def normal_columns(seed: int, **shift: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(shift.get(name, 0.0), 1, 2000) for name in ("a", "b")}


@pytest.mark.parametrize("explains", [True, False], ids=["contributions", "shuffled columns"])
def test_importance_is_asked_of_the_model(explains):
    found = model_importance(Linear(explains), sample(normal_columns(1)), Task.REGRESSION, seed=0)
    assert found.shares["a"] == pytest.approx(0.75, abs=0.05)


def test_a_reference_without_the_models_columns_gives_no_importance():
    assert model_importance(Linear(explains=True), sample({"a": [1.0]}), Task.REGRESSION, seed=0) is None


@pytest.mark.parametrize("entry", ["a", "=1", "a=x", "a=-1", "a=inf", "c=1"])
def test_an_unusable_entry_is_refused(entry):
    with pytest.raises(InvalidInput):
        given_importance([entry], ["a", "b"])


def test_weights_that_are_all_zero_are_refused():
    with pytest.raises(InvalidInput, match="Every importance is 0"):
        given_importance(["a=0"], ["a"])


def test_a_column_name_may_hold_an_equals_sign():
    assert given_importance(["a=b=2"], ["a=b"]).shares == {"a=b": 1.0}


def ranking(model: Linear | None, *entries: str) -> list[str]:
    current = normal_columns(3, a=0.3, b=0.6)
    data = evaluation(current, reference=normal_columns(2), task=Task.REGRESSION, features=("a", "b"), model=model)
    found = DRIFT.compute(data, DriftParameters(domain_classifier=False, importance=entries), Run())
    return [row[0] for row in found.tables[0].rows]


def test_columns_are_ranked_by_effect_without_importance():
    assert ranking(None) == ["b", "a"]


def test_columns_are_ranked_by_what_matters_to_the_model():
    assert ranking(Linear(explains=True)) == ["a", "b"]


def test_given_importance_comes_before_the_models():
    assert ranking(Linear(explains=True), "b=1") == ["b", "a"]
