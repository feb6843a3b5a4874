"""Which outcome is wanted, and how near the model's answer is to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.composed import ComposedModel

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Wanted:
    """An outcome other than the case's.

    For classification ``classes`` are the model's, ``present`` the class that the case gets, ``label`` the wanted one
    (``None``: any other), ``threshold`` the score from which the class ``positive`` is given where there are two. For
    quantities the prediction is wanted between ``low`` and ``high``.
    """

    classes: tuple[str, ...] = ()
    present: int = -1
    label: int | None = None
    positive: int | None = None
    threshold: float = 0.5
    low: float = -np.inf
    high: float = np.inf

    def gaps(self, model: ComposedModel, blocks: Sequence[NDArray[np.integer]]) -> list[Numbers]:
        """Ask the model about composed rows; return how far each is from the outcome: 0 or less has it."""
        if not self.classes:
            return [self._of_quantities(answer) for answer in model.outputs(blocks)]
        return [self._of_scores(answer) for answer in model.class_scores(blocks)]

    def _of_quantities(self, predictions: Numbers) -> Numbers:
        gap = np.maximum(self.low - predictions, predictions - self.high)
        return np.where(np.isfinite(predictions), gap, np.inf)

    def _of_scores(self, scores: Numbers) -> Numbers:
        if self.positive is not None and len(self.classes) == 2:
            mine = scores[:, self.positive]
            # The positive class is given from the threshold on, the other one strictly below it.
            gap = (
                self.threshold - mine if self.present != self.positive else mine - np.nextafter(self.threshold, -np.inf)
            )
        elif self.label is not None:
            gap = np.delete(scores, self.label, axis=1).max(axis=1) - scores[:, self.label]
            gap = np.where(gap == 0, np.finfo(float).tiny, gap)
        else:
            gap = scores[:, self.present] - np.delete(scores, self.present, axis=1).max(axis=1)
            gap = np.where(gap == 0, np.finfo(float).tiny, gap)
        return np.where(np.isfinite(scores).all(axis=1), gap, np.inf)

    @property
    def text(self) -> str:
        """The wanted outcome in words."""
        if not self.classes:
            if np.isinf(self.low):
                return f"a prediction of at most {bound(self.high)}"
            upper = "" if np.isinf(self.high) else f" and at most {bound(self.high)}"
            return f"a prediction of at least {bound(self.low)}{upper}"
        if self.label is not None:
            return f"the class {self.classes[self.label]}"
        return f"any class but {self.classes[self.present]}"


def bound(value: float) -> str:
    """Return the end of a range of predictions with its thousands apart, no coarser than somebody types it.

    Examples
    --------
    >>> bound(1320.78), bound(1234567.5), bound(0.25)
    ('1,320.78', '1,234,568', '0.25')
    """
    return f"{value:,.6g}" if abs(value) < 1_000_000 else f"{value:,.0f}"


def decided(scores: Numbers, positive: int | None, threshold: float) -> NDArray[np.intp]:
    """Return the class of each row: by the threshold where one of two is positive, else by the largest score."""
    if positive is not None and scores.shape[1] == 2:
        return np.where(scores[:, positive] >= threshold, positive, 1 - positive)
    return np.asarray(np.argmax(scores, axis=1))
