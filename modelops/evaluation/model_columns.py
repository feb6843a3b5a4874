"""A table with the model's answers as further columns. The model is asked when a column is first read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa

from modelops.analyses.base import Model
from modelops.datasets.table import Table

_BATCH = 50_000


class WithModel:
    """A table whose model columns are computed on first use, in batches; structurally an ``analyses.base.Source``.

    The model gets its features and nothing else: never a label, a group or an identifier that it does not use.
    """

    def __init__(self, table: Table, model: Model) -> None:
        self._table = table
        self._model = model
        self._makers: dict[str, Callable[[], pa.ChunkedArray]] = {}
        self._made: dict[str, pa.ChunkedArray] = {}
        self._scores: np.ndarray | None = None
        self._lock = threading.Lock()

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self._table.n_rows

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the table, then those of the model."""
        return (*self._table.names, *self._makers)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column, asking the model if it is one of its own."""
        if name not in self._makers:
            return self._table.column(name)
        # Analyses read columns from several threads; each column is asked for once.
        with self._lock:
            if name not in self._made:
                self._made[name] = self._makers[name]()
            return self._made[name]

    def add_prediction(self, name: str, *, numbers: bool) -> str:
        """Add a column of predictions: numbers for a regression, class labels otherwise. Returns its name."""
        self._makers[name] = lambda: self._predictions(numbers=numbers)
        return name

    def add_score(self, name: str, label: str) -> str:
        """Add the column of scores of class ``label``. Returns its name."""
        position = self._model.classes.index(label)
        self._makers[name] = lambda: pa.chunked_array([pa.array(np.ascontiguousarray(self._all_scores()[:, position]))])
        return name

    def _predictions(self, *, numbers: bool) -> pa.ChunkedArray:
        chunks = []
        for batch in self._table.batches(tuple(self._model.features), _BATCH):
            answers = self._model.predict(batch.to_pandas())
            if numbers:
                chunks.append(pa.array(np.asarray(answers, dtype=np.float64)))
            else:
                chunks.append(pa.array([str(label) for label in answers], pa.string()).dictionary_encode())
        column = pa.chunked_array(chunks)
        return column if numbers else column.unify_dictionaries()

    def _all_scores(self) -> np.ndarray:
        if self._scores is None:
            batches = self._table.batches(tuple(self._model.features), _BATCH)
            self._scores = np.concatenate([self._model.scores(batch.to_pandas()) for batch in batches])
        return self._scores


def free_name(taken: Iterable[str], wanted: str) -> str:
    """Return ``wanted``, or the first variation of it that no column has.

    Examples
    --------
    >>> free_name(["prediction"], "prediction")
    'model prediction'
    """
    names = set(taken)
    if wanted not in names:
        return wanted
    candidate, number = f"model {wanted}", 2
    while candidate in names:
        candidate, number = f"model {wanted} {number}", number + 1
    return candidate
