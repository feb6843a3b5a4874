"""Rows composed of values that other rows really hold, and the model's answers to them in big batches.

Shapley values, partial dependence, permutation importance and LIME all ask the model about rows in which some columns
were exchanged. Here such a row is a row of numbers: for each column, which row of the pool its value comes from. So no
value is ever asked about that the data does not hold, text and numbers are treated alike, the columns keep their types,
and blocks of any size are joined to batches that are worth a round trip to the model's process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from modelops.analyses.base import Model, Sample
from modelops.analyses.cores.row_hashes import mixed
from modelops.errors import NotMeasured

if TYPE_CHECKING:
    import pandas as pd

BATCH_CELLS = 4_000_000
_LARGEST = 1e120
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def drawn(sample: Sample, names: Sequence[str], *, limit: int, seed: int) -> np.ndarray:
    """Return the positions of up to ``limit`` rows, drawn at random without replacement, in random order.

    Each row gets a key from its content and the seed, and the smallest keys are taken: the same table in another row
    order gives the same rows. Equal rows get different keys by counting them.

    Parameters
    ----------
    sample : Sample
        The table.
    names : sequence of str
        The columns that make up a row's content.
    limit : int
        The most rows to return.
    seed : int
        Another seed, another draw.

    Returns
    -------
    ndarray of int64, shape (min(limit, n_rows),)
    """
    keys = content_keys([hashed(sample.series(name)) for name in names], sample.n_rows, seed=seed)
    if limit < len(keys):
        smallest = np.argpartition(keys, limit)[:limit]
        return smallest[np.argsort(keys[smallest], kind="stable")]
    return np.argsort(keys, kind="stable")


def content_keys(columns: Iterable[np.ndarray], n_rows: int, *, seed: int) -> np.ndarray:
    """Return a random-looking key for each row that follows from its content and the seed, not from its place.

    Parameters
    ----------
    columns : iterable of ndarray of uint64 or float64, shape (n_rows,)
        What makes up a row's content. Missing numbers are alike.

    Returns
    -------
    ndarray of uint64, shape (n_rows,)
        All different, but for accidents of one in 2**64: equal rows get different keys by counting them.
    """
    content = np.zeros(n_rows, dtype=np.uint64)
    for column in columns:
        if column.dtype.kind == "f":
            # Adding zero makes the two zeros alike; so are all the ways to write a missing number.
            numbers = np.where(np.isnan(column), np.nan, column.astype(np.float64) + 0.0)
            content = content * _GOLDEN + mixed(numbers.view(np.uint64))
        else:
            content = content * _GOLDEN + column
    seeded = content + _occurrence(content) * _GOLDEN + mixed(np.array([seed], dtype=np.uint64))
    return mixed(seeded.astype(np.uint64, copy=False))


def hashed(column: pd.Series[Any]) -> np.ndarray:
    """Return the content of each value as a number, shape (n,), uint64."""
    import pandas as pd

    return np.asarray(pd.util.hash_pandas_object(column, index=False), dtype=np.uint64)


def _occurrence(content: np.ndarray) -> np.ndarray:
    """Count equal values: 0 for the first, 1 for the second, and so on."""
    order = np.argsort(content, kind="stable")
    ordered = content[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, dtype=np.int64)
    counts = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.r_[starts, len(ordered)]))
    occurrence = np.empty(len(content), dtype=np.uint64)
    occurrence[order] = counts.astype(np.uint64)
    return occurrence


class ComposedModel:
    """A model and a pool of rows; it answers for rows composed of the pool's values.

    Parameters
    ----------
    model : Model
        The model under test.
    pool : DataFrame of shape (n_pool, n_features)
        Real rows with the model's features, in the model's order.
    explained : int or None
        The position of the class whose score is explained; ``None`` for the prediction of a regression.
    """

    def __init__(self, model: Model, pool: pd.DataFrame, *, explained: int | None) -> None:
        self.model = model
        self.pool = pool
        self.explained = explained
        self.n_pool, self.n_features = pool.shape
        self.asked = 0
        self._columns = [pool[name].array for name in pool.columns]
        self._batch = int(np.clip(BATCH_CELLS // max(self.n_features, 1), 1_000, 200_000))

    def rows(self, positions: np.ndarray) -> pd.DataFrame:
        """Return rows of the pool as they are."""
        return self.pool.iloc[positions].reset_index(drop=True)

    def unchanged(self, positions: np.ndarray) -> np.ndarray:
        """Return the index block that stands for rows of the pool as they are, shape (n, n_features)."""
        return np.repeat(np.asarray(positions, dtype=np.int32)[:, None], self.n_features, axis=1)

    def output(self, positions: np.ndarray) -> np.ndarray:
        """Return the explained output of rows of the pool, shape (n,)."""
        return next(self.outputs([self.unchanged(positions)]))

    def outputs(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the explained output of each block of composed rows, in order.

        Parameters
        ----------
        blocks : iterable of ndarray of int, shape (n, n_features)
            For each composed row and column, the row of the pool that gives the value. Read only as fast as the
            answers are taken, plus one batch.

        Yields
        ------
        ndarray of float64, shape (n,)
        """
        return self._answers(blocks, self._explained_output)

    def class_scores(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the scores of all classes for each block, shape (n, n_classes)."""
        return self._answers(blocks, self.model.scores)

    def _explained_output(self, rows: pd.DataFrame) -> np.ndarray:
        if self.explained is None:
            output = np.asarray(self.model.predict(rows), dtype=np.float64)
        else:
            output = np.asarray(self.model.scores(rows), dtype=np.float64)[:, self.explained]
        largest = float(np.abs(output).max(initial=0.0))
        if largest > _LARGEST:
            raise NotMeasured(
                f"The model answers {largest:.3g}: differences of outputs beyond {_LARGEST:g} cannot be explained."
            )
        return output

    def _answers(
        self, blocks: Iterable[np.ndarray], answer: Callable[[pd.DataFrame], np.ndarray]
    ) -> Iterator[np.ndarray]:
        waiting: list[np.ndarray] = []
        size = 0
        for block in blocks:
            waiting.append(block)
            size += len(block)
            if size >= self._batch:
                yield from self._answered(waiting, answer)
                waiting, size = [], 0
        if waiting:
            yield from self._answered(waiting, answer)

    def _answered(self, blocks: list[np.ndarray], answer: Callable[[pd.DataFrame], np.ndarray]) -> list[np.ndarray]:
        index = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        self.asked += len(index)
        parts = [answer(self.frame(index[start : start + self._batch])) for start in range(0, len(index), self._batch)]
        ends = np.cumsum([len(block) for block in blocks])[:-1]
        return np.split(np.concatenate(parts) if parts else np.zeros(0), ends)

    def frame(self, index: np.ndarray) -> pd.DataFrame:
        """Return composed rows: for each row and column of ``index``, the row of the pool that gives the value."""
        import pandas as pd

        return pd.DataFrame(
            {
                name: column.take(index[:, j])
                for j, (name, column) in enumerate(zip(self.pool, self._columns, strict=True))
            }
        )
