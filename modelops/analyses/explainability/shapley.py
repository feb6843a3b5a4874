"""Shapley values of a model's output, sampled by permutations, on the columns as they are before any pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from modelops.analyses.composed import ComposedModel
from modelops.domain.number_words import percent

FIRST_ROWS = 32


@dataclass(frozen=True)
class ShapleyValues:
    """Contributions of players to single predictions.

    ``phi`` has shape (n, n_players); ``rows`` are the positions of the explained rows in the pool; ``base`` is the
    output that the contributions start from, ``output`` of shape (n,) the one that they lead to, ``unit`` what they
    are counted in. ``noise`` is the standard error that sampling permutations adds to one value, root mean square per
    player; 0 where the values are exact. ``additivity_error`` is the largest gap between contributions plus base and
    the model's own output, as a share of the largest output where that is above 1.
    """

    phi: np.ndarray
    rows: np.ndarray
    base: float
    output: np.ndarray
    unit: str
    method: str
    noise: np.ndarray
    additivity_error: float

    @property
    def importance(self) -> np.ndarray:
        """The mean absolute contribution of each player, shape (n_players,)."""
        return np.asarray(np.abs(self.phi).mean(axis=0))

    @property
    def importance_error(self) -> np.ndarray:
        """The standard error of `importance` over rows, shape (n_players,); NaN for a single row."""
        n = len(self.phi)
        if n < 2:
            return np.full(self.phi.shape[1], np.nan)
        return np.asarray(np.abs(self.phi).std(axis=0, ddof=1) / np.sqrt(n))


def permutation_shapley(
    model: ComposedModel,
    rows: np.ndarray,
    *,
    background: np.ndarray,
    players: np.ndarray,
    rounds: int,
    rng: np.random.Generator,
) -> ShapleyValues:
    """Return the Shapley values of ``rows`` against ``background`` (interventional: columns are exchanged freely).

    For each explained row and each background row, a random order of the players is drawn; the players' columns pass
    from the background row to the explained row in this order and in the reverse order, and each player is credited
    with the changes that it makes. Every background row is used equally often, so contributions plus base equal the
    output exactly. The pair of orders is exact where at most two players interact. What more sampling would change is
    estimated from ``rounds`` independent draws; with one round, from the two directions, which overstates it.

    Parameters
    ----------
    model : ComposedModel
        The model with its pool.
    rows, background : ndarray of int, shape (n,), (b,)
        Positions in the pool.
    players : ndarray of int, shape (n_features,)
        The player, counted from 0, that each column belongs to: several columns may form one player.
    rounds : int
        Pairs of orders for each background row.
    rng : Generator
        Draws the orders.

    Returns
    -------
    ShapleyValues
        The explained rows in the order of ``rows``.

    References
    ----------
    E. Strumbelj, I. Kononenko, "Explaining prediction models and individual predictions with feature contributions",
    2014; R. Mitchell et al., "Sampling permutations for Shapley value estimation", JMLR 2022 (antithetic orders).
    """
    n_players = int(players.max()) + 1
    start = model.output(background)
    end = model.output(rows)
    orders = [np.argsort(rng.random((rounds * len(background), n_players)), axis=1) for _ in range(len(rows))]
    sources = np.tile(background, rounds)
    blocks = (_walks(order, row, sources, players) for order, row in zip(orders, rows, strict=True))
    values = np.empty((len(rows), n_players))
    spread = np.zeros((len(rows), n_players))
    answers: Iterator[np.ndarray] = model.outputs(blocks) if n_players > 1 else iter([np.zeros(0)] * len(rows))
    for i, answer in enumerate(answers):
        forth, back = _credited(answer, orders[i], np.tile(start, rounds), end[i])
        by_round = ((forth + back) / 2).reshape(rounds, len(background), n_players).mean(axis=1)
        values[i] = by_round.mean(axis=0)
        apart = (forth - back).mean(axis=0) / 2
        spread[i] = by_round.var(axis=0, ddof=1) / rounds if rounds > 1 else apart**2
    base = float(start.mean())
    return ShapleyValues(
        phi=values,
        rows=np.asarray(rows),
        base=base,
        output=end,
        unit="output",
        method="permutation",
        noise=np.sqrt(spread.mean(axis=0)),
        additivity_error=additivity_gap(values.sum(axis=1) + base, end),
    )


def _walks(order: np.ndarray, row: int, sources: np.ndarray, players: np.ndarray) -> np.ndarray:
    """Return the rows on the way from background to explained row, forth and back, without both ends.

    Shape (2 * n_orders * (n_players - 1), n_features).
    """
    n_players = order.shape[1]
    rank = np.argsort(order, axis=1)[:, players][:, None, :]
    steps = np.arange(1, n_players)[None, :, None]
    from_background = sources.astype(np.int32)[:, None, None]
    forth = np.where(rank < steps, np.int32(row), from_background)
    back = np.where(rank >= n_players - steps, np.int32(row), from_background)
    return np.concatenate([forth.reshape(-1, len(players)), back.reshape(-1, len(players))])


def _credited(answer: np.ndarray, order: np.ndarray, start: np.ndarray, end: float) -> tuple[np.ndarray, np.ndarray]:
    """Return what each player changed on the way forth and on the way back, shape (n_orders, n_players) each."""
    n_orders, n_players = order.shape
    paths = answer.reshape(2, n_orders, n_players - 1)
    credited = np.empty((2, n_orders, n_players))
    for changes, path, passed in ((credited[0], paths[0], order), (credited[1], paths[1], order[:, ::-1])):
        whole = np.column_stack([start, path, np.full(n_orders, end)])
        np.put_along_axis(changes, passed, np.diff(whole, axis=1), axis=1)
    return credited[0], credited[1]


def grown_shapley(
    model: ComposedModel,
    rows: np.ndarray,
    *,
    background: np.ndarray,
    players: np.ndarray,
    rounds: int,
    precision: float,
    budget: int,
    rng: np.random.Generator,
    progress: Callable[[float], None],
) -> tuple[ShapleyValues, str]:
    """Explain more and more of ``rows`` until the mean absolute values are precise enough or the budget is used.

    Parameters
    ----------
    precision : float
        Enough is when no standard error of a mean absolute value exceeds this share of the largest mean.
    budget : int
        Composed rows that the model may be asked about. One row is explained whatever it is.

    Returns
    -------
    ShapleyValues, str
        And why no more rows were explained, as a sentence.
    """
    cost = max(1, 2 * rounds * len(background) * int(players.max()))
    allowed = max(1, min(len(rows), budget // cost))
    parts: list[ShapleyValues] = []
    done, step = 0, min(FIRST_ROWS, allowed)
    while True:
        part = permutation_shapley(
            model, rows[done : done + step], background=background, players=players, rounds=rounds, rng=rng
        )
        parts.append(part)
        done += len(part.rows)
        so_far = _joined(parts)
        progress(done / allowed)
        error = _relative_error(so_far)
        if error <= precision:
            return (
                so_far,
                f"{done:,} rows explained: enough, the largest standard error is {percent(error)} of the top value.",
            )
        if done >= allowed:
            limit = "all rows of the sample" if allowed == len(rows) else f"the budget of {budget:,} scored rows"
            return (
                so_far,
                f"{done:,} rows explained, {limit}; the largest standard error is {_shown(error)} of the top value.",
            )
        step = min(done, allowed - done)


def _relative_error(values: ShapleyValues) -> float:
    if len(values.rows) < 2:
        return np.inf
    top = values.importance.max()
    return float(values.importance_error.max() / top) if top > 0 else 0.0


def _shown(error: float) -> str:
    return percent(error) if np.isfinite(error) else "unknown, as a share"


def _joined(parts: list[ShapleyValues]) -> ShapleyValues:
    first = parts[0]
    sizes = np.array([len(part.rows) for part in parts])
    return ShapleyValues(
        phi=np.concatenate([part.phi for part in parts]),
        rows=np.concatenate([part.rows for part in parts]),
        base=first.base,
        output=np.concatenate([part.output for part in parts]),
        unit=first.unit,
        method=first.method,
        noise=np.sqrt(np.average([part.noise**2 for part in parts], axis=0, weights=sizes)),
        additivity_error=max(part.additivity_error for part in parts),
    )


def additivity_gap(total: np.ndarray, output: np.ndarray) -> float:
    """Return the largest difference, as a share of the largest output where that is above 1."""
    return float(np.abs(total - output).max() / max(1.0, float(np.abs(output).max())))
