"""The rows that a model is asked about, and what its answers say: which class, how far apart, which are numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import EvaluationData, Model, Sample
from modelops.analyses.composed import drawn
from modelops.errors import InvalidInput, NotMeasured

if TYPE_CHECKING:
    import pandas as pd

ROUNDING = 1e-6
"""Relative difference of two answers that is rounding: models compute in 32-bit numbers."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """Rows with a model's features, in the model's order; text as plain objects with ``None`` for missing.

    ``positions`` says where they stand in the table.
    """

    model: Model
    rows: pd.DataFrame
    positions: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return len(self.positions)

    def taken(self, order: NDArray[Any]) -> Asked:
        """Return some of the rows."""
        return Asked(self.model, self.rows.iloc[order].reset_index(drop=True), self.positions[order], self.notes)


def asked(data: EvaluationData, *, limit: int, seed: int) -> Asked:
    """Draw up to ``limit`` rows at random, by content, so that the order of the table changes nothing.

    Raises
    ------
    NotMeasured
        If there is no model, or no row.
    InvalidInput
        If the table lacks a column of the model.
    """
    model, sample = data.model, data.data
    if model is None:
        raise NotMeasured("No model is given: this needs a model file that can be asked for predictions.")
    names = features_in(sample, model)
    if not names or not sample.n_rows:
        raise NotMeasured(f"{sample.n_rows} rows with {len(names)} features: there is nothing to ask the model about.")
    positions = drawn(sample, names, limit=limit, seed=seed)
    notes: tuple[str, ...] = ()
    if len(positions) < sample.n_rows:
        notes = (f"{len(positions):,} of {sample.n_rows:,} rows were drawn at random with seed {seed}.",)
    return Asked(model, plain_rows(data, names, positions), positions, notes)


def features_in(sample: Sample, model: Model) -> tuple[str, ...]:
    """Return the columns that the model wants.

    Raises
    ------
    InvalidInput
        If the table lacks one.
    """
    names = model.features
    if absent := [name for name in names if name not in sample.source.names]:
        listed = ", ".join(absent[:5]) + (", ..." if len(absent) > 5 else "")
        raise InvalidInput(
            f"The table lacks {len(absent)} of the model's {len(names)} features: {listed}. Give a table with these "
            "columns."
        )
    return names


def plain_rows(data: EvaluationData, names: tuple[str, ...], positions: NDArray[np.int64]) -> pd.DataFrame:
    """Return some rows; text as plain objects, which take any value."""
    import pandas as pd

    columns = {}
    for name in names:
        column = data.data.series(name).iloc[positions].reset_index(drop=True)
        if column.dtype.kind not in "iufb" and not pd.api.types.is_datetime64_any_dtype(column.dtype):
            column = column.astype(object).where(column.notna(), None)
        columns[name] = column
    return pd.DataFrame(columns)


def truth_of(sample: Sample, target: str, classes: tuple[str, ...]) -> Numbers:
    """Return a target as numbers, or as positions of the model's classes; NaN where it is missing or another class."""
    if not classes:
        return sample.numbers(target)
    place = {label: float(position) for position, label in enumerate(classes)}
    return np.array([place.get(label, np.nan) for label in sample.labels(target)], dtype=np.float64)


def finite_rows(answers: Numbers) -> NDArray[np.bool_]:
    """Say for each row whether its whole answer is a number, shape (n,)."""
    known = np.isfinite(answers)
    return np.asarray(known if known.ndim == 1 else known.all(axis=1))


def decided(answers: Numbers) -> NDArray[np.intp]:
    """Return the position of the class with the largest score, shape (n,)."""
    return np.asarray(np.where(np.isnan(answers), -np.inf, answers).argmax(axis=1))


def distance(first: Numbers, second: Numbers) -> Numbers:
    """Return how far two answers to each row lie apart: in the number, or in the score of the class that moved most."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(first - second)
    return apart if apart.ndim == 1 else apart.max(axis=1)


def differ(first: Numbers, second: Numbers) -> NDArray[np.bool_]:
    """Say for each row whether two answers differ by more than rounding; NaN equals NaN."""
    same = np.isclose(first, second, rtol=ROUNDING, atol=ROUNDING * _scale(first), equal_nan=True)
    return np.asarray(~same if same.ndim == 1 else ~same.all(axis=1))


def _scale(answers: Numbers) -> float:
    known = np.abs(answers[np.isfinite(answers)])
    return float(known.mean()) if known.size else 1.0
