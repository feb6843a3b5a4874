"""Small tables in memory for the tests of the analyses: a `Source` on pyarrow, and seeded examples of each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from modelops.analyses.base import EvaluationData, Sample
from modelops.domain.columns import ColumnRoles, Task

Columns = Mapping[str, Any]


@dataclass(frozen=True)
class TableInMemory:
    """A `Source` over columns that are already there; text is dictionary-encoded as a reader would hand it over."""

    columns: dict[str, pa.ChunkedArray]

    @property
    def n_rows(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def column(self, name: str) -> pa.ChunkedArray:
        return self.columns[name]


def arrow(values: Any) -> pa.ChunkedArray:
    """Return one column as a reader would: ``None`` is missing, NaN becomes missing, text is dictionary-encoded."""
    if isinstance(values, pa.ChunkedArray):
        array = values
    elif isinstance(values, np.ndarray) and values.dtype != object:
        array = pa.chunked_array([pa.array(values, from_pandas=True)])
    else:
        array = pa.chunked_array([pa.array(list(values), from_pandas=True)])
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = array.dictionary_encode()
    return array


def table(columns: Columns) -> TableInMemory:
    """Return columns (lists, arrays or pyarrow) as a `Source`."""
    return TableInMemory({name: arrow(values) for name, values in columns.items()})


def sample(columns: Columns, **roles: Any) -> Sample:
    """Return columns with roles: ``sample({"age": [1, 2]}, features=("age",))``."""
    return Sample(table(columns), ColumnRoles(**roles))


def evaluation(
    columns: Columns,
    *,
    task: Task = Task.CLASSIFICATION,
    positive: str | None = None,
    reference: Columns | None = None,
    train: Columns | None = None,
    model: Any = None,
    champion: Any = None,
    **roles: Any,
) -> EvaluationData:
    """Return what an analysis gets; ``reference`` and ``train`` have the same roles where they hold the columns."""

    def other(its: Columns | None) -> Sample | None:
        return None if its is None else Sample(table(its), _held(ColumnRoles(**roles), set(its)))

    return EvaluationData(
        data=sample(columns, **roles),
        task=task,
        positive=positive,
        reference=other(reference),
        train=other(train),
        model=model,
        champion=champion,
    )


def _held(roles: ColumnRoles, names: set[str]) -> ColumnRoles:
    kept: dict[str, Any] = {}
    for field, value in roles.model_dump().items():
        if isinstance(value, tuple | list):
            kept[field] = tuple(value) if field == "score_classes" else tuple(name for name in value if name in names)
        else:
            kept[field] = value if value in names else None
    if len(kept["scores"]) != len(roles.scores):
        kept["scores"], kept["score_classes"] = (), ()
    return ColumnRoles(**kept)


def permuted(columns: Columns, order: Sequence[int] | np.ndarray) -> dict[str, Any]:
    """Return the same rows in another order."""
    positions = pa.array(np.asarray(order))
    return {name: arrow(values).take(positions) for name, values in columns.items()}


def renamed(columns: Columns, column: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the same rows with other names for the levels of one text column."""
    values = [None if v is None else names.get(v, v) for v in arrow(columns[column]).to_pylist()]
    return {**columns, column: values}


BINARY_ROLES: dict[str, Any] = {
    "features": ("income", "age", "employment"),
    "target": "default",
    "prediction": "decision",
    "scores": ("probability",),
    "sensitive": ("sex", "region"),
}


def binary_columns(rows: int = 600, *, seed: int = 1, shift: float = 0.0) -> dict[str, Any]:
    """Return credit decisions: labels ``yes``/``no``, a score, two sensitive columns with a real disparity by sex.

    ``shift`` moves the incomes (in standard deviations), for drift.
    """
    rng = np.random.default_rng(seed)
    sex = rng.choice(["female", "male"], rows, p=[0.45, 0.55])
    region = rng.choice(["north", "south", "west"], rows, p=[0.5, 0.3, 0.2])
    income = rng.normal(50 - 4 * (sex == "female") + 12 * shift, 12, rows)
    age = rng.integers(18, 80, rows)
    employment = rng.choice(["salaried", "self-employed", "none"], rows, p=[0.7, 0.2, 0.1])
    logit = -0.6 - (income - 50) / 10 + 1.2 * (employment == "none") + rng.normal(0, 0.5, rows)
    truth = rng.random(rows) < 1 / (1 + np.exp(-logit))
    score = 1 / (1 + np.exp(-(logit + rng.normal(0, 0.7, rows))))
    return {
        "income": np.where(rng.random(rows) < 0.02, np.nan, income),
        "age": age,
        "employment": list(employment),
        "sex": list(sex),
        "region": list(region),
        "default": ["yes" if t else "no" for t in truth],
        "decision": ["yes" if s >= 0.5 else "no" for s in score],
        "probability": score,
    }


def binary(rows: int = 600, *, seed: int = 1, **changes: Any) -> EvaluationData:
    """Return the credit decisions with all their roles and ``yes`` as the positive class."""
    return evaluation({**binary_columns(rows, seed=seed), **changes}, positive="yes", **BINARY_ROLES)


MULTICLASS_ROLES: dict[str, Any] = {
    "features": ("length", "width"),
    "target": "kind",
    "prediction": "guess",
    "scores": ("p_a", "p_b", "p_c"),
    "score_classes": ("a", "b", "c"),
    "sensitive": ("farm",),
}


def multiclass_columns(rows: int = 600, *, seed: int = 2) -> dict[str, Any]:
    """Return three classes ``a``, ``b``, ``c`` of unlike size, with one score for each and a farm as the group."""
    rng = np.random.default_rng(seed)
    classes = np.array(["a", "b", "c"])
    truth = rng.choice(3, rows, p=[0.5, 0.3, 0.2])
    logits = rng.normal(0, 1, (rows, 3))
    logits[np.arange(rows), truth] += 1.3
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return {
        "length": truth + rng.normal(0, 1, rows),
        "width": rng.normal(0, 1, rows),
        "farm": list(rng.choice(["hill", "valley"], rows)),
        "kind": list(classes[truth]),
        "guess": list(classes[scores.argmax(axis=1)]),
        "p_a": scores[:, 0],
        "p_b": scores[:, 1],
        "p_c": scores[:, 2],
    }


def multiclass(rows: int = 600, *, seed: int = 2, **changes: Any) -> EvaluationData:
    """Return the three classes with all their roles."""
    return evaluation({**multiclass_columns(rows, seed=seed), **changes}, **MULTICLASS_ROLES)


REGRESSION_ROLES: dict[str, Any] = {
    "features": ("area", "rooms", "district"),
    "target": "price",
    "prediction": "estimate",
    "sensitive": ("district",),
}


def regression_columns(rows: int = 600, *, seed: int = 3) -> dict[str, Any]:
    """Return house prices with estimates that are too low in one district."""
    rng = np.random.default_rng(seed)
    district = rng.choice(["centre", "edge"], rows, p=[0.6, 0.4])
    area = rng.gamma(8, 12, rows)
    rooms = np.maximum(1, (area / 25 + rng.normal(0, 0.6, rows)).round()).astype(int)
    price = 3 * area + 20 * rooms + 40 * (district == "centre") + rng.normal(0, 25, rows)
    return {
        "area": area,
        "rooms": rooms,
        "district": list(district),
        "price": price,
        "estimate": price + rng.normal(0, 30, rows) - 10 * (district == "edge"),
    }


def regression(rows: int = 600, *, seed: int = 3, **changes: Any) -> EvaluationData:
    """Return the house prices with all their roles."""
    columns = {**regression_columns(rows, seed=seed), **changes}
    return evaluation(columns, task=Task.REGRESSION, **REGRESSION_ROLES)
