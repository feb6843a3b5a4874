"""A tree model's own exact contributions, believed where they add up to what the model says."""

from __future__ import annotations

import numpy as np

from modelops.analyses.base import Contributions
from modelops.analyses.composed import ComposedModel
from modelops.analyses.explainability.shapley import ShapleyValues, additivity_gap

_ADDITIVE_WITHIN = 1e-4
_MOST_CLASSES = 50
_NOT_ADDITIVE = "The model's own contributions do not add up to its output, so they were sampled instead."


def own_shapley(model: ComposedModel, rows: np.ndarray) -> tuple[ShapleyValues | None, tuple[str, ...]]:
    """Return a model's own contributions to the explained output of some rows, ``None`` if it has none; and notes.

    Boosted trees of more than two classes add up to one raw score for each; the softmax of all is held against the
    probability.

    Parameters
    ----------
    model : ComposedModel
        The model with its pool.
    rows : ndarray of int, shape (n,)
        Positions in the pool.
    """
    classes = model.model.classes
    frame = model.rows(rows)
    label = None if model.explained is None else classes[model.explained]
    found = model.model.contributions(frame, label=label)
    if found is None:
        return None, ()
    reached = None
    if found.unit == "raw score" and 2 < len(classes) <= _MOST_CLASSES:
        every = [model.model.contributions(frame, label=each) for each in classes]
        if all(each is not None and each.values.shape == found.values.shape for each in every):
            totals = np.stack([each.values.sum(axis=1) + each.base for each in every if each is not None], axis=1)
            powers = np.exp(totals - totals.max(axis=1, keepdims=True))
            reached = (powers / powers.sum(axis=1, keepdims=True))[:, model.explained]
    exact = exact_shapley(found, rows, model.output(rows), two_classes=len(classes) == 2, reached=reached)
    if exact is None or len(exact.noise) != frame.shape[1]:
        return None, (_NOT_ADDITIVE,)
    return exact, ()


def exact_shapley(
    contributions: Contributions,
    rows: np.ndarray,
    output: np.ndarray,
    *,
    two_classes: bool,
    reached: np.ndarray | None = None,
) -> ShapleyValues | None:
    """Return a model's own contributions as Shapley values if they add up to its own output, else ``None``.

    Contributions come from the model's process and are believed only as far as they can be checked.

    Parameters
    ----------
    contributions : Contributions
        As the model handed them over.
    rows, output : ndarray of shape (n,)
        The explained rows and the model's output for them: a probability, or the prediction of a regression.
    two_classes : bool
        Whether they may be for the other class, and then are turned round.
    reached : ndarray of shape (n,), optional
        What contributions and base come to in the unit of ``output``, where that needs more than themselves.
    """
    if contributions.values.ndim != 2 or len(contributions.values) != len(rows):
        return None
    candidates = [(contributions.values, contributions.base)]
    if two_classes:
        turned = -contributions.base if contributions.unit == "log odds" else 1 - contributions.base
        candidates.append((-contributions.values, turned))
    for values, base in candidates:
        total = values.sum(axis=1) + base
        error = additivity_gap(_output(total, contributions.unit) if reached is None else reached, output)
        if error <= _ADDITIVE_WITHIN:
            return ShapleyValues(
                phi=np.asarray(values, dtype=np.float64),
                rows=np.asarray(rows),
                base=float(base),
                output=output,
                unit=contributions.unit,
                method=contributions.method,
                noise=np.zeros(values.shape[1]),
                additivity_error=error,
            )
    return None


def _output(total: np.ndarray, unit: str) -> np.ndarray:
    if unit == "log of the prediction":
        return np.asarray(np.exp(total), dtype=np.float64)
    if unit != "log odds":
        return total
    from scipy.special import expit

    return np.asarray(expit(total), dtype=np.float64)
