"""What is done to the rows: one column at a time, and all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

UNSEEN = "never seen before"
NOT_A_NUMBER = "text"
FACTORS = {"10": 10.0, "1000": 1e3, "1e6": 1e6}
NOISE_PERCENT = (1, 5, 10)
MISSING_PERCENT = (5, 10, 20, 50)
SHUFFLED, NAMELESS, SINGLE = "shuffled columns", "shuffled columns without names", "single row"


@dataclass(frozen=True)
class Trial:
    """One scenario on one column, or on all of them (``feature`` is ``None``).

    ``is_alone``: it is asked by itself, for a refusal is likely, or joined rows would lose what it is about.
    """

    scenario: str
    feature: str | None
    rows: pd.DataFrame
    is_alone: bool = False


def noise(percent: int) -> str:
    """Return the name of the scenario."""
    return f"noise {percent} %"


def missing(percent: int) -> str:
    """Return the name of the scenario."""
    return f"missing {percent} %"


def trials(rows: pd.DataFrame, features: tuple[str, ...], rng: np.random.Generator) -> Iterator[Trial]:
    """Yield every trial: for each of ``features`` what fits its kind, then what is done to all columns at once."""
    kinds = {str(name): kind_of(rows[name]) for name in rows.columns}
    generators = dict(zip([*features, ""], rng.spawn(len(features) + 1), strict=True))
    for name in features:
        for scenario, changed, is_alone in _of_column(rows[name], kinds[name], generators[name]):
            yield Trial(scenario, name, rows.assign(**{name: changed}), is_alone)
        partner = _partner(name, kinds)
        if partner is not None:
            exchanged = {name: rows[partner].array, partner: rows[name].array}
            yield Trial("swapped", name, rows.assign(**exchanged))
    yield from _of_all(rows, kinds, generators[""])


def kind_of(column: pd.Series[Any]) -> str:
    """Return ``"number"``, ``"truth"`` or ``"text"``."""
    return {"i": "number", "u": "number", "f": "number", "b": "truth"}.get(column.dtype.kind, "text")


def is_whole(column: pd.Series[Any]) -> bool:
    """Say whether a column of numbers holds whole ones only: then what is put there is whole as well."""
    known = column.to_numpy(dtype=np.float64)
    known = known[np.isfinite(known)]
    return bool((known == np.floor(known)).all())


def _of_column(column: pd.Series[Any], kind: str, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray, bool]]:
    size = len(column)
    if kind == "number":
        yield from _of_numbers(column, rng)
        yield "wrong type", np.full(size, NOT_A_NUMBER, dtype=object), True
    elif kind == "text":
        yield "unseen category", np.full(size, UNSEEN, dtype=object), False
        yield "empty text", np.full(size, "", dtype=object), False
        yield "wrong type", np.full(size, 12345.0), True
    else:
        yield "wrong type", np.full(size, NOT_A_NUMBER, dtype=object), True
    yield "missing", _without(column, kind, np.ones(size, dtype=bool)), False
    order = rng.random(size)
    for percent in MISSING_PERCENT:
        yield missing(percent), _without(column, kind, _first(order, percent)), False


def _of_numbers(column: pd.Series[Any], rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray, bool]]:
    values = column.to_numpy(dtype=np.float64)
    known = values[np.isfinite(values)]
    yield "zero", np.zeros(len(values)), False
    if known.size:
        low, high = _ends(float(known.min()), float(known.max()))
        with np.errstate(over="ignore"):
            for times, factor in FACTORS.items():
                yield f"min x {times}", np.full(len(values), low * factor), False
                yield f"max x {times}", np.full(len(values), high * factor), False
        for percent in NOISE_PERCENT:
            yield noise(percent), _noisy(column, percent, rng), False
    yield "infinity", np.full(len(values), np.inf), True
    yield "-infinity", np.full(len(values), -np.inf), True


def _ends(low: float, high: float) -> tuple[float, float]:
    """Return what is multiplied: the extremes, or the other one with its sign turned where that stays inside them."""
    return (low if low < 0 else -high or -1.0), (high if high > 0 else -low or 1.0)


def _noisy(column: pd.Series[Any], percent: int, rng: np.random.Generator) -> np.ndarray:
    values = column.to_numpy(dtype=np.float64)
    known = values[np.isfinite(values)]
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = float(known.std()) if known.size else 0.0
        added = values + rng.standard_normal(len(values)) * deviation * percent / 100
    return np.round(added) if is_whole(column) else added


def _without(column: pd.Series[Any], kind: str, gone: np.ndarray) -> np.ndarray:
    if kind == "text":
        values = column.to_numpy(dtype=object, copy=True)
        values[gone] = None
        return values
    return np.where(gone, np.nan, column.to_numpy(dtype=np.float64))


def _first(order: np.ndarray, percent: int) -> np.ndarray:
    """Say which rows a share takes: the rows of a smaller share are among those of a larger one."""
    chosen = np.zeros(len(order), dtype=bool)
    chosen[np.argsort(order, kind="stable")[: round(len(order) * percent / 100)]] = True
    return chosen


def _partner(name: str, kinds: dict[str, str]) -> str | None:
    """Return the next column of the same kind, from the start again after the last."""
    alike = [other for other, kind in kinds.items() if kind == kinds[name]]
    return alike[(alike.index(name) + 1) % len(alike)] if len(alike) > 1 else None


def _of_all(rows: pd.DataFrame, kinds: dict[str, str], rng: np.random.Generator) -> Iterator[Trial]:
    numbers = [name for name, kind in kinds.items() if kind == "number"]

    def emptied(gone: dict[str, np.ndarray]) -> pd.DataFrame:
        return rows.assign(**{name: _without(rows[name], kinds[name], gone[name]) for name in kinds})

    if numbers:
        yield Trial("zero", None, rows.assign(**{name: np.zeros(len(rows)) for name in numbers}))
        for percent in NOISE_PERCENT:
            noisy = {name: _noisy(rows[name], percent, rng) for name in numbers}
            yield Trial(noise(percent), None, rows.assign(**noisy))
    yield Trial("missing", None, emptied({name: np.ones(len(rows), dtype=bool) for name in kinds}))
    orders = {name: rng.random(len(rows)) for name in kinds}
    for percent in MISSING_PERCENT:
        yield Trial(missing(percent), None, emptied({name: _first(order, percent) for name, order in orders.items()}))
    if len(kinds) > 1:
        turned = rows[list(reversed(rows.columns))]
        yield Trial(SHUFFLED, None, turned, True)
        yield Trial(NAMELESS, None, turned.set_axis([f"column {k}" for k in range(len(kinds))], axis=1), True)
