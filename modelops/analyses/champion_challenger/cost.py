"""What the decisions of both cost, by a matrix that a person sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.champion_challenger.match import Match
from modelops.analyses.performance.value import matrix_from_text
from modelops.analyses.statistics.bootstrap import Uncertainty
from modelops.analyses.statistics.paired import Pair, paired_losses
from modelops.errors import InvalidInput

if TYPE_CHECKING:
    from modelops.analyses.champion_challenger import ChampionChallengerParameters

COST = "cost_per_row"
_NO_MATRIX = "No cost matrix is set; with more than two classes set 'cost_matrix'."

Numbers = NDArray[np.float64]


def cost_pair(match: Match, parameters: ChampionChallengerParameters, uncertainty: Uncertainty) -> Pair:
    """Compare the mean cost of a decision.

    Of two classes by the four costs, of any number by ``cost_matrix``; of a quantity by what one unit too high and one
    too low cost.

    Raises
    ------
    InvalidInput
        If the matrix cannot be read.
    """
    costs = _of_classes(match, parameters) if match.rows.classes else _of_numbers(match, parameters)
    if costs is None:
        return Pair(COST, 0, reason=_NO_MATRIX)
    if not all(np.isfinite(column).all() for column in costs):
        return Pair(COST, 0, reason="The costs are too large to be added.")
    return paired_losses({COST: costs}, uncertainty=uncertainty, how=match.how)[0]


def _of_classes(match: Match, parameters: ChampionChallengerParameters) -> tuple[Numbers, Numbers] | None:
    if parameters.cost_matrix.strip():
        matrix = matrix_from_text(parameters.cost_matrix, match.rows.classes)
    elif len(match.rows.classes) == 2:
        matrix = np.array(
            [
                [parameters.cost_true_negative, parameters.cost_false_positive],
                [parameters.cost_false_negative, parameters.cost_true_positive],
            ]
        )
    else:
        return None
    if matrix is None:
        raise InvalidInput("The cost matrix names no pair of label and prediction.")
    # An answer that is none of the classes costs as much as the dearest mistake.
    wide = np.column_stack([matrix, matrix.max(axis=1)])
    truth = match.rows.truth
    return wide[truth, match.challenger.predicted], wide[truth, match.champion.predicted]


def _of_numbers(match: Match, parameters: ChampionChallengerParameters) -> tuple[Numbers, Numbers]:
    def cost(predicted: np.ndarray) -> Numbers:
        off = predicted - match.rows.truth
        return np.asarray(np.where(off > 0, off * parameters.cost_too_high, -off * parameters.cost_too_low))

    return cost(match.challenger.predicted), cost(match.champion.predicted)
