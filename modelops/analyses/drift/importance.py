"""How much each feature matters to the model, so that drift can be ranked by what it may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modelops.analyses.base import Model, Sample
from modelops.domain.columns import Task
from modelops.errors import InvalidInput

_CONTRIBUTION_ROWS = 2_000
_SHUFFLED_ROWS = 500


@dataclass(frozen=True)
class Importance:
    """The share of each feature in the model's behaviour, adding up to 1, and where it comes from."""

    shares: Mapping[str, float]
    source: str


def given_importance(entries: Sequence[str], features: Sequence[str]) -> Importance | None:
    """Return importance from ``column=weight`` entries, or ``None`` if there are none.

    Raises
    ------
    InvalidInput
        If an entry has another form, a weight is negative or all are 0, or a column is no feature.

    Examples
    --------
    >>> given_importance(["income=3", "age=1"], ["age", "income"]).shares
    {'income': 0.75, 'age': 0.25}
    """
    if not entries:
        return None
    weights: dict[str, float] = {}
    for entry in entries:
        column, _, text = entry.rpartition("=")
        if not column:
            raise InvalidInput(f"Got {entry!r} as an importance, expected column=weight such as income=0.4.")
        if column not in features:
            raise InvalidInput(f"Got an importance for {column!r}, which is not among the features.")
        weights[column] = _weight(entry, text)
    return _shares(weights, "as given")


def _weight(entry: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        raise InvalidInput(f"Got {entry!r} as an importance: {text!r} is not a number.") from None
    if not 0 <= weight < float("inf"):
        raise InvalidInput(f"Got {entry!r} as an importance, expected a weight of 0 or more.")
    return weight


def _shares(weights: Mapping[str, float], source: str) -> Importance:
    total = sum(weights.values())
    if total <= 0:
        raise InvalidInput("Every importance is 0: give at least one feature a weight above 0.")
    return Importance({name: weight / total for name, weight in weights.items()}, source)


def model_importance(model: Model, reference: Sample, task: Task, *, seed: int) -> Importance | None:
    """Return importance by what moves the model's output on reference rows; no labels are needed.

    The mean absolute SHAP value over 2,000 random rows for tree models; for others the mean absolute change of the
    output when one column is shuffled over 500 rows. ``None`` if the reference lacks a column of the model, or the
    output does not move at all, or by more than a number can hold.

    Raises
    ------
    InvalidInput, NotMeasured
        If the model refuses the rows, or answers with what is no number.
    """
    names = model.features
    if not names or not reference.n_rows or any(name not in reference.source.names for name in names):
        return None
    rng = np.random.default_rng([seed, 20])
    rows = rng.permutation(reference.n_rows)[:_CONTRIBUTION_ROWS]
    contributions = model.contributions(_frame(reference, names, rows))
    if contributions is not None:
        weights = np.abs(contributions.values).mean(axis=0)
        source = f"mean absolute SHAP value over {len(rows)} reference rows"
    else:
        rows = rows[:_SHUFFLED_ROWS]
        weights = _shuffled(model, reference, task, rows, rng)
        source = f"mean change of the output when a column is shuffled over {len(rows)} reference rows"
    largest = float(weights.max())
    if not 0 < largest < np.inf:
        return None
    weights = weights / largest
    return _shares(dict(zip(names, weights.tolist(), strict=True)), source)


def _frame(sample: Sample, names: Sequence[str], rows: np.ndarray):  # type: ignore[no-untyped-def]  # noqa: ANN202
    import pandas as pd

    return pd.DataFrame({name: sample.source.column(name).take(rows).to_pandas() for name in names})


def _shuffled(model: Model, reference: Sample, task: Task, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    import pandas as pd

    names = model.features
    plain = _frame(reference, names, rows)
    frames = [plain]
    for name in names:
        shuffled = plain.copy()
        shuffled[name] = plain[name].iloc[rng.permutation(len(plain))].array
        frames.append(shuffled)
    asked = pd.concat(frames, ignore_index=True)
    outputs = model.predict(asked)[:, None] if task is Task.REGRESSION else model.scores(asked)
    blocks = np.asarray(outputs, dtype=np.float64).reshape(len(frames), len(plain), -1)
    with np.errstate(over="ignore"):
        return np.asarray(np.abs(blocks[1:] - blocks[0]).mean(axis=(1, 2)))
