"""Our own exact tree SHAP values for a model's rows, believed only where they add up to what the library gives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from modelops.errors import NotMeasured
from modelops.sandbox.adapters.base import TreeValues
from modelops.treeshap.values import METHOD, base, shapley_values

if TYPE_CHECKING:
    from modelops.treeshap.ensemble import Ensemble

# Libraries add float32 numbers over thousands of trees; ours are added as float64.
_RELATIVE = 2e-5


def tree_values(ensemble: Ensemble, matrix: np.ndarray, output: np.ndarray, *, unit: str) -> TreeValues | None:
    """Return the contributions to one output.

    Parameters
    ----------
    ensemble : Ensemble
        The trees of the output.
    matrix : ndarray of shape (n, n_features)
        The rows as the trees look at them.
    output : ndarray of shape (n,)
        What the library itself gives for the rows, in the unit of the leaves.
    unit : str
        What that is, in words.

    Returns
    -------
    TreeValues or None
        ``None`` if the trees are too deep, or contributions and base do not add up to ``output``: then the trees were
        not read as the library reads them.
    """
    try:
        values = shapley_values(ensemble, matrix)
    except NotMeasured:
        return None
    start = base(ensemble)
    gap = np.abs(values.sum(axis=1) + start - output).max(initial=0.0)
    scale = max(1.0, float(np.abs(output).max(initial=0.0)))
    return TreeValues(values, start, unit, METHOD) if np.isfinite(scale) and gap <= _RELATIVE * scale else None


def turned(found: TreeValues) -> TreeValues:
    """Return the contributions to the other one of two classes."""
    return replace(found, values=-found.values, base=-found.base)
