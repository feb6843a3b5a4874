"""Exact tree SHAP values of scikit-learn's tree models, by the shap package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelops.sandbox.adapters.base import TreeValues, as_matrix

if TYPE_CHECKING:
    import pandas as pd

METHOD = "tree SHAP, path dependent (shap TreeExplainer)"
_ADDITIVE = 1e-6


def tree_values(model: Any, rows: pd.DataFrame, *, class_index: int, is_classifier: bool) -> TreeValues | None:
    """Return SHAP values for one class.

    Forests and single trees add up to the probability; boosted trees to the log odds (two classes), the raw score
    (more), or the prediction (regression).

    Returns
    -------
    TreeValues or None
        ``None`` where shap does not know the model, or its values do not add up to what the model gives.
    """
    import shap

    matrix = as_matrix(rows)
    try:
        explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
        values = np.asarray(explainer.shap_values(matrix, check_additivity=False), dtype=np.float64)
    except (TypeError, NotImplementedError, AttributeError, ValueError, AssertionError):
        return None
    base = np.asarray(explainer.expected_value, dtype=np.float64).ravel()
    is_boosted = hasattr(model, "decision_function") or not hasattr(model, "predict_proba")
    if values.ndim == 3:
        chosen, own_base = values[:, :, class_index], float(base[class_index])
        unit = "raw score" if is_boosted else "probability"
    else:
        sign = -1.0 if is_classifier and class_index == 0 else 1.0
        chosen, own_base = sign * values, sign * float(base[-1])
        unit = "log odds" if is_classifier else "prediction"
    if not is_classifier and _log_link(model):
        unit = "log of the prediction"
    found = TreeValues(chosen, own_base, unit, METHOD)
    return (
        found if _adds_up(model, rows if hasattr(model, "feature_names_in_") else matrix, found, class_index) else None
    )


def _log_link(model: Any) -> bool:
    return getattr(model, "loss", "") in ("poisson", "gamma")


def _adds_up(model: Any, rows: pd.DataFrame | np.ndarray, found: TreeValues, class_index: int) -> bool:
    sums = found.values.sum(axis=1) + found.base  # noqa: PD011 - not pandas
    if found.unit == "probability":
        wanted = model.predict_proba(rows)[:, class_index]
    elif found.unit in ("log odds", "raw score"):
        raw = model.decision_function(rows)
        wanted = raw[:, class_index] if raw.ndim == 2 else (-raw if class_index == 0 else raw)
    else:
        wanted = model.predict(rows)
        wanted = np.log(wanted) if found.unit == "log of the prediction" else wanted
    scale = max(1.0, float(np.abs(wanted).max(initial=0.0)))
    return bool(np.abs(sums - wanted).max(initial=0.0) <= 1e-5 * scale + _ADDITIVE)
