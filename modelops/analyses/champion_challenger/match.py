"""Champion and challenger on the same rows: what one analysis of them works on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.side_by_side import Answers, Rows
from modelops.analyses.statistics.weighting import Weighting

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Match:
    """The rows of which both have an answer, both answers, and how rows count."""

    rows: Rows
    challenger: Answers
    champion: Answers
    how: Weighting

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, and one more for answers that are none of them."""
        return (*self.rows.classes, "(another class)")

    @property
    def effective_rows(self) -> float:
        """How many independent rows these are worth."""
        return self.rows.n_rows / self.how.design_effect

    def mean(self, values: NDArray[np.generic]) -> float:
        """Return the weighted mean of one value a row."""
        return float(np.average(np.asarray(values, dtype=np.float64), weights=self.how.weights))


def errors(match: Match) -> tuple[Numbers, Numbers]:
    """Return the absolute errors of challenger and champion."""
    truth = match.rows.truth
    return np.abs(match.challenger.predicted - truth), np.abs(match.champion.predicted - truth)
