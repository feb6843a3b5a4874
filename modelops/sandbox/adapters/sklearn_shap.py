"""Exact tree SHAP values of scikit-learn's tree models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelops.sandbox.adapters.base import TreeValues
from modelops.sandbox.adapters.tree_values import tree_values, turned
from modelops.treeshap import from_scikit_learn

if TYPE_CHECKING:
    import pandas as pd

    from modelops.treeshap.ensemble import Ensemble


def contributions(model: Any, rows: pd.DataFrame | np.ndarray, *, class_index: int) -> TreeValues | None:
    """Return SHAP values for one class.

    Forests and single trees add up to the probability; boosted trees to the log odds (two classes), the raw score
    (more), or the prediction (regression), or its logarithm where the loss has that link.

    Returns
    -------
    TreeValues or None
        ``None`` for a model without trees, or one that starts from another model.
    """
    if hasattr(model, "_predictors"):
        return _histogram_boosting(model, rows, class_index)
    if hasattr(model, "n_trees_per_iteration_"):
        return _gradient_boosting(model, rows, class_index)
    members = [member.tree_ for member in model.estimators_] if hasattr(model, "estimators_") else [model.tree_]
    is_classifier = hasattr(model, "predict_proba")
    ensemble = from_scikit_learn.forest(
        members, n_features=int(model.n_features_in_), output=class_index if is_classifier else None
    )
    output = model.predict_proba(rows)[:, class_index] if is_classifier else model.predict(rows)
    return tree_values(ensemble, _rounded(rows), output, unit="probability" if is_classifier else "prediction")


def _gradient_boosting(model: Any, rows: pd.DataFrame | np.ndarray, class_index: int) -> TreeValues | None:
    column = _column(model, class_index)
    matrix = _rounded(rows)
    # Where it starts from another model than a constant, the sums will not fit.
    start = model._raw_predict_init(matrix[:1].astype(np.float32))  # noqa: SLF001 - its constant is kept nowhere else
    ensemble = from_scikit_learn.boosted(
        [member.tree_ for member in model.estimators_[:, column]],
        n_features=int(model.n_features_in_),
        rate=float(model.learning_rate),
        offset=float(start[0, column]) if len(start) else 0.0,
    )
    return _of_raw(model, rows, ensemble, matrix, class_index)


def _histogram_boosting(model: Any, rows: pd.DataFrame | np.ndarray, class_index: int) -> TreeValues | None:
    column = _column(model, class_index)
    known, place = model._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001 - as its own predict does
    ensemble = from_scikit_learn.histogram_boosting(
        [stage[column] for stage in model._predictors],  # noqa: SLF001
        n_features=int(model.n_features_in_),
        offset=float(np.ravel(model._baseline_prediction)[column]),  # noqa: SLF001
        known=np.asarray(known),
        place=np.asarray(place),
    )
    matrix = np.asarray(model._preprocess_X(rows, reset=False), dtype=np.float64)  # noqa: SLF001
    found = _of_raw(model, rows, ensemble, matrix, class_index)
    is_categorical = model.is_categorical_
    if found is None or is_categorical is None:
        return found
    # It puts the columns of categories first.
    order = np.concatenate([np.flatnonzero(is_categorical), np.flatnonzero(~np.asarray(is_categorical))])
    values = np.empty_like(found.values)
    values[:, order] = found.values  # noqa: PD011 - not pandas
    return TreeValues(values, found.base, found.unit, found.method)


def _column(model: Any, class_index: int) -> int:
    return class_index if model.n_trees_per_iteration_ > 1 else 0


def _of_raw(
    model: Any, rows: pd.DataFrame | np.ndarray, ensemble: Ensemble, matrix: np.ndarray, class_index: int
) -> TreeValues | None:
    """Return the contributions to what the trees of one output add up to before any link."""
    if hasattr(model, "predict_proba"):
        raw = np.asarray(model.decision_function(rows))
        if raw.ndim == 2:
            return tree_values(ensemble, matrix, raw[:, class_index], unit="raw score")
        found = tree_values(ensemble, matrix, raw, unit="log odds")
        return turned(found) if found is not None and class_index == 0 else found
    predicted = np.asarray(model.predict(rows), dtype=np.float64)
    if model.loss in ("poisson", "gamma"):
        return tree_values(ensemble, matrix, np.log(predicted), unit="log of the prediction")
    return tree_values(ensemble, matrix, predicted, unit="prediction")


def _rounded(rows: pd.DataFrame | np.ndarray) -> np.ndarray:
    """Return the numbers as the trees of scikit-learn compare them."""
    return np.asarray(rows, dtype=np.float32).astype(np.float64)
