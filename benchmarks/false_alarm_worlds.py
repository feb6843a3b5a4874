"""Worlds to be alarmed in, or not: tables in which nothing has moved, and the same with planted changes.

Only numpy, so that every suite in the comparison gets the same tables in an environment of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SIZES = (100, 1_000, 10_000)
FEATURES = ("number", "counts", "category", "rare", "holes", "town")
_RARE = np.array([0.6, 0.3, 0.05, 0.02, 0.01, 0.01, 0.005, 0.005])
_RARE_MOVED = np.array([0.4, 0.45, 0.07, 0.04, 0.02, 0.01, 0.005, 0.005])


def drift_tables(rng: np.random.Generator, rows: int, *, moved: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a reference and a current table of as many rows each."""
    return _drift_table(rng, rows, moved=False), _drift_table(rng, rows, moved=moved)


def _drift_table(rng: np.random.Generator, rows: int, *, moved: bool) -> dict[str, Any]:
    equal, other = [0.2] * 5, [0.35, 0.2, 0.15, 0.15, 0.15]
    towns = rng.choice(["north", "south"], rows).astype(object)
    if moved:
        towns[rng.random(rows) < 0.15] = "overseas"
    return {
        "number": rng.normal(0.5 if moved else 0.0, 1.0, rows),
        "counts": rng.binomial(4, 0.65 if moved else 0.5, rows),
        "category": rng.choice(list("abcde"), rows, p=other if moved else equal),
        "rare": rng.choice(list("abcdefgh"), rows, p=_RARE_MOVED if moved else _RARE),
        "holes": np.where(rng.random(rows) < (0.25 if moved else 0.1), np.nan, rng.normal(size=rows)),
        "town": towns,
        "score": rng.beta(2.0, 3.0 if moved else 5.0, rows),
        "decision": np.where(rng.random(rows) < (0.5 if moved else 0.3), "yes", "no"),
    }


def correlated(rng: np.random.Generator, rows: int, *, moved: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return two tables of three columns; what may move is the correlation of two of them, and no column alone."""
    rho = 0.8 if moved else 0.0
    reference, current = rng.normal(size=(rows, 3)), rng.normal(size=(rows, 3))
    current[:, 1] = rho * current[:, 0] + np.sqrt(1 - rho**2) * current[:, 1]
    return reference, current


def loans(rng: np.random.Generator, rows: int, *, moved: bool) -> dict[str, Any]:
    """Return decisions on two groups with calibrated scores; moved, one group is scored too high and judged worse."""
    group = np.where(rng.random(rows) < 0.3, "b", "a")
    score = rng.beta(2.0, 2.0, rows)
    truth = rng.random(rows) < score
    if moved:
        score = np.where(group == "b", np.clip(score + 0.2, 0, 1), score)
    return {
        "target": truth.astype(int).astype(str),
        "score": score,
        "decision": (score >= 0.5).astype(int).astype(str),
        "group": group,
    }


def prices(rng: np.random.Generator, rows: int, *, moved: bool) -> dict[str, Any]:
    """Return predictions of a number for two groups; moved, they are too high for one."""
    group = np.where(rng.random(rows) < 0.3, "b", "a")
    target = rng.normal(100.0, 20.0, rows)
    error = rng.normal(0.0, 8.0, rows) + (6.0 if moved else 0.0) * (group == "b")
    return {"target": target, "decision": target + error, "group": group}
