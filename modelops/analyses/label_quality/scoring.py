"""Scores that labels are held against where none are given: those of a model of our own that did not see the row."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from modelops.analyses.base import Sample
from modelops.analyses.binnable import binnable
from modelops.analyses.cores.arrow_numbers import Kind, kind_of, numeric
from modelops.analyses.threads import threads_for
from modelops.errors import NotMeasured

Numbers = NDArray[np.float64]
Rows = NDArray[np.intp]

FOLDS = 5
FEWEST_ROWS = 50
_MOST_LEVELS = 254
_MANY_ROWS = 5_000


@dataclass(frozen=True)
class Encoded:
    """Feature values as numbers, shape (n, d); ``categorical`` says which columns are codes. NaN is missing."""

    values: Numbers
    categorical: NDArray[np.bool_]


def encoded(sample: Sample, rows: Rows) -> Encoded:
    """Return the features of some rows.

    Raises
    ------
    NotMeasured
        If no feature holds numbers, times or texts.
    """
    columns, categorical = [], []
    for name in sample.roles.features:
        column = sample.source.column(name)
        kind = kind_of(column)
        if kind in (Kind.EMPTY, Kind.OTHER):
            continue
        taken = column.take(pa.array(rows))
        if kind is Kind.CATEGORY:
            columns.append(_codes(taken))
        else:
            values = np.asarray(numeric(taken).to_numpy(), dtype=np.float64)
            columns.append(np.where(np.isinf(values), np.sign(values) * 1e300, values))
        categorical.append(kind is Kind.CATEGORY)
    if not columns:
        raise NotMeasured("There are no features to learn from.")
    return Encoded(np.clip(np.column_stack(columns), -1e300, 1e300), np.array(categorical))


def _codes(column: pa.ChunkedArray) -> Numbers:
    """Return levels by falling frequency, the rarest together; NaN where missing."""
    texts = column.cast(pa.string()).to_pandas()
    known = texts.notna().to_numpy()
    levels, codes, counts = np.unique(texts[known].to_numpy(dtype=str), return_inverse=True, return_counts=True)
    rank = np.empty(levels.size)
    rank[np.argsort(-counts, kind="stable")] = np.arange(levels.size)
    result = np.full(len(texts), np.nan)
    result[known] = np.minimum(rank[codes], _MOST_LEVELS - 1)
    return result


def cross_fitted(
    table: Encoded,
    target: NDArray[np.generic],
    owners: NDArray[np.int64],
    *,
    n_classes: int,
    seed: int,
    progress: Callable[[float], None],
) -> Numbers:
    """Return scores (n, n_classes), or predictions (n,) where ``n_classes`` is 0, of models that did not see the row.

    Histogram gradient boosting, five folds. The rows stand in an order that follows from their content, so the folds
    do as well; rows of one entity (``owners``, numbered as they come) are in the same one, or a wrong label that all of
    them share would be learned from one and not seen in the others.

    Raises
    ------
    NotMeasured
        If there are too few rows.
    """
    n = len(target)
    if n < FEWEST_ROWS:
        raise NotMeasured(f"Not enough data: {n} labelled rows, a classifier of our own needs {FEWEST_ROWS}.")
    with threads_for(n):
        return _cross_fitted(table, target, owners % FOLDS, n_classes=n_classes, seed=seed, progress=progress)


def _cross_fitted(
    table: Encoded,
    target: NDArray[np.generic],
    folds: NDArray[np.int64],
    *,
    n_classes: int,
    seed: int,
    progress: Callable[[float], None],
) -> Numbers:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    n = len(target)
    result = np.zeros((n, n_classes)) if n_classes else np.full(n, math.nan)
    for fold in range(FOLDS):
        learn, judge = folds != fold, folds == fold
        # Small trees on few rows: deep ones would be surer of themselves than they are right.
        settings = {
            "max_iter": 40 if n < _MANY_ROWS else 100,
            "max_leaf_nodes": 6 if n < _MANY_ROWS else 16,
            "min_samples_leaf": min(40, max(5, n // 20)),
            "l2_regularization": 10.0,
            "categorical_features": table.categorical,
            "early_stopping": False,
            "random_state": seed % (1 << 32),
        }
        if n_classes:
            labels = target[learn]
            classes = np.unique(labels)
            if classes.size < 2:
                result[np.ix_(judge, classes)] = 1.0
                continue
            model = HistGradientBoostingClassifier(**settings).fit(binnable(table.values[learn]), labels)
            result[np.ix_(judge, model.classes_)] = model.predict_proba(table.values[judge])
        else:
            regressor = HistGradientBoostingRegressor(**settings).fit(binnable(table.values[learn]), target[learn])
            result[judge] = regressor.predict(table.values[judge])
        progress((fold + 1) / FOLDS)
    return result
