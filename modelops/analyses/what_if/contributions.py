"""What each feature adds to what the model says of the case, before and after the edits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modelops.analyses.explainability.own_shapley import own_shapley
from modelops.analyses.explainability.shapley import ShapleyValues, permutation_shapley
from modelops.analyses.what_if.case import Case

_SCREENED_WITH = 16


@dataclass(frozen=True)
class CaseContributions:
    """Shapley values of the case, original first, edited second; the names of their columns; the features looked at."""

    values: ShapleyValues
    players: tuple[str, ...]
    kept: tuple[int, ...]
    notes: tuple[str, ...]


def case_contributions(
    case: Case, *, background: int, rounds: int, features: int, rng: np.random.Generator
) -> CaseContributions:
    """Return the model's own contributions where they add up, else permutation Shapley values.

    Of more than ``features`` columns, those that move the edited case most when they take other rows' values are looked
    at one by one; the rest is one player.
    """
    model, names = case.model, case.names
    rows = np.array([case.original, case.edited])
    exact, notes = own_shapley(model, rows)
    kept = _screened(case, features)
    if exact is not None:
        return CaseContributions(exact, names, kept, notes)
    players = np.full(len(names), len(kept), dtype=np.int64)
    players[list(kept)] = np.arange(len(kept))
    labels = tuple(names[k] for k in kept)
    if len(kept) < len(names):
        labels += (f"({len(names) - len(kept):,} other features)",)
    values = permutation_shapley(
        model, rows, background=case.others[:background], players=players, rounds=rounds, rng=rng
    )
    return CaseContributions(values, labels, kept, notes)


def _screened(case: Case, limit: int) -> tuple[int, ...]:
    names = case.names
    if len(names) <= limit:
        return tuple(range(len(names)))
    model, others = case.model, case.others[:_SCREENED_WITH]
    base = model.unchanged(np.array([case.edited]))
    blocks = []
    for feature in range(len(names)):
        block = np.repeat(base, len(others), axis=0)
        block[:, feature] = others
        blocks.append(block)
    now = model.output(np.array([case.edited]))[0]
    moves = np.array([float(np.abs(answer - now).mean()) for answer in model.outputs(blocks)])
    edited = np.isin(names, case.changed)
    return tuple(sorted(np.lexsort((-moves, ~edited))[:limit].tolist()))
