"""Residuals of each task: target less prediction, above 0 where the model says too little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import EvaluationData, Sample
from modelops.analyses.composed import drawn
from modelops.analyses.outcomes import Outcomes, outcomes
from modelops.analyses.performance.regression import quantities
from modelops.analyses.statistics.weighting import Weighting, weighting
from modelops.domain.columns import Task
from modelops.domain.result import Scope
from modelops.errors import NotMeasured

_MOST_CLASSES = 5

Numbers = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Residuals:
    """The residuals of one quantity, or of one class against the rest.

    ``values`` and ``predicted`` have shape (n,); ``rows`` are positions in the table. ``shape`` are the residuals by
    which their distribution is judged (quantile residuals for a class, standard normal if the scores are right), or
    ``None`` for the reason ``no_shape``. ``is_quantity`` tells a regression from a class.
    """

    title: str
    scope: Scope
    values: Numbers
    predicted: Numbers
    rows: Rows
    how: Weighting
    shape: Numbers | None
    no_shape: str
    is_quantity: bool

    @property
    def deviation(self) -> float:
        """The standard deviation of the residuals."""
        return float(np.sqrt(np.average((self.values - self.mean) ** 2, weights=self.how.weights)))

    @property
    def mean(self) -> float:
        """The mean of the residuals."""
        return float(np.average(self.values, weights=self.how.weights))


def residuals(data: EvaluationData, *, seed: int) -> tuple[list[Residuals], dict[str, int], list[str]]:
    """Return the residuals, how many rows were dropped for which reason, and notes.

    For classes: label (0 or 1) less score, of two classes for the positive one, of more for the named one or the five
    commonest; without scores label less prediction.

    Raises
    ------
    NotMeasured
        If no row has a target and a prediction.
    """
    if data.task is Task.REGRESSION:
        found = quantities(data.data)
        mine = Residuals(
            "the target", {}, -found.errors, found.predicted, found.rows, found.how, -found.errors, "", is_quantity=True
        )
        return [mine], found.dropped, [found.how.note] if found.how.note else []
    labelled = outcomes(data, threshold=0.5).labelled()
    if not labelled.n_rows or (labelled.weights is not None and not labelled.weights.any()):
        raise NotMeasured("No row has a label, a prediction and a weight above zero.")
    notes = list(labelled.notes)
    uniform = _uniform(data.data, labelled.rows, seed=seed)
    codes, about = _classes(labelled)
    found_classes = [_of_class(labelled.one_against_rest(code), labelled.classes[code], uniform) for code in codes]
    kept = [one for one in found_classes if one is not None]
    if not kept:
        raise NotMeasured("No row has both a score and a label.")
    if labelled.positive is not None:
        kept = [Residuals(**{**vars(kept[0]), "scope": {}})]
    return kept, labelled.dropped, notes + about


def _classes(rows: Outcomes) -> tuple[Sequence[int], list[str]]:
    if rows.positive is not None:
        return [rows.positive], []
    if rows.named is not None:
        return [rows.named], []
    commonest = np.argsort(-np.bincount(rows.truth, minlength=len(rows.classes)), kind="stable")[:_MOST_CLASSES]
    few = len(rows.classes) > _MOST_CLASSES
    return np.sort(commonest).tolist(), [f"The {_MOST_CLASSES} commonest classes are looked at."] if few else []


def _of_class(rows: Outcomes, name: str, uniform: Numbers) -> Residuals | None:
    truth = (rows.truth == 1).astype(np.float64)
    predicted = (rows.predicted == 1).astype(np.float64)
    scores, no_shape = rows.positive_scores, rows.no_scores
    known = np.ones(rows.n_rows, dtype=bool)
    if scores is not None and not np.isnan(scores).all():
        known = ~np.isnan(scores)
        if scores[known].min() >= 0 and scores[known].max() <= 1:
            predicted, no_shape = np.nan_to_num(scores), ""
        else:
            known = np.ones(rows.n_rows, dtype=bool)
            no_shape = "The scores lie outside 0 to 1, so residuals are label less predicted label."
    if not known.any() or (rows.weights is not None and not rows.weights[known].any()):
        return None
    values = (truth - predicted)[known]
    entities = None if rows.entities is None else np.unique(rows.entities[known], return_inverse=True)[1]
    how = weighting(None if rows.weights is None else rows.weights[known], entities, values)
    shape = None if no_shape else quantile_residuals(truth[known], predicted[known], uniform[known])
    return Residuals(
        name, {"class": name}, values, predicted[known], rows.rows[known], how, shape, no_shape, is_quantity=False
    )


def quantile_residuals(truth: Numbers, scores: Numbers, uniform: Numbers) -> Numbers:
    """Return randomised quantile residuals of labels 0 and 1: standard normal if the scores are right.

    A label is one of two values, so its residual can never look normal. Each label is therefore spread at random over
    the part of the distribution that it stands for: 0 over the lowest ``1 - score``, 1 over the rest.

    Parameters
    ----------
    truth, scores, uniform : ndarray of shape (n,)
        Labels 0 or 1, probabilities of 1, and random numbers between 0 and 1.

    References
    ----------
    P. K. Dunn, G. K. Smyth, "Randomized quantile residuals", Journal of Computational and Graphical Statistics 5, 1996.

    Examples
    --------
    >>> quantile_residuals(np.array([0.0, 1.0]), np.array([0.5, 0.5]), np.array([0.5, 0.5])).round(3).tolist()
    [-0.674, 0.674]
    """
    from scipy.special import ndtri

    low = np.where(truth > 0, 1 - scores, 0.0)
    high = np.where(truth > 0, 1.0, 1 - scores)
    inside = np.clip(low + uniform * (high - low), 1e-12, 1 - 1e-12)
    return np.asarray(ndtri(inside))


def _uniform(sample: Sample, rows: Rows, *, seed: int) -> Numbers:
    """Return a random number for each row that depends on its content, not on its place."""
    roles = sample.roles
    names = [name for name in (roles.target, roles.prediction, *roles.scores, roles.time, *roles.ids) if name]
    order = drawn(sample, names, limit=sample.n_rows, seed=seed)
    numbers = np.empty(sample.n_rows)
    numbers[order] = np.random.default_rng(seed).random(sample.n_rows)
    return numbers[rows]
