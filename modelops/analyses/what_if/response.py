"""What the model says of the case when one feature moves and all others stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.explainability.partial_dependence import Grid, grid_of
from modelops.analyses.what_if.case import Case


@dataclass(frozen=True)
class Response:
    """The outputs of shape (g,) over the grid of one feature."""

    grid: Grid
    outputs: NDArray[np.float64]

    @property
    def reach(self) -> float:
        """How far the output moves; NaN where it is not finite anywhere."""
        known = self.outputs[np.isfinite(self.outputs)]
        return float(np.ptp(known)) if known.size else np.nan


def responses(case: Case, features: Sequence[int], *, points: int) -> list[Response]:
    """Return the response to each of ``features``, asked for in one batch."""
    model = case.model
    base = model.unchanged(np.array([case.edited]))
    grids = [
        grid_of(model.pool.iloc[case.others, feature].reset_index(drop=True), feature, n_points=points)
        for feature in features
    ]
    grids = [grid for grid in grids if len(grid.sources)]
    blocks = []
    for grid in grids:
        block = np.repeat(base, len(grid.sources), axis=0)
        block[:, grid.feature] = grid.sources
        blocks.append(block)
    return [
        Response(grid, np.asarray(answer, dtype=np.float64))
        for grid, answer in zip(grids, model.outputs(blocks), strict=True)
    ]
