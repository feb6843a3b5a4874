"""Models that are trained here, on the features of a table: to compare a model with, or to stand in for it.

Text becomes one column for each of its commonest levels, so that unseen levels and missing values are no obstacle;
numbers of any size are brought to a common scale.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modelops.analyses.base import as_labels
from modelops.analyses.binnable import binnable
from modelops.analyses.statistics.association import ordered_values
from modelops.analyses.threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

_MOST_LEVELS = 30
_CHUNK = 100_000
_FEW_ROWS, _MANY_ROWS = 2_000, 10_000

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class _NumberColumn:
    name: str
    scale: float
    median: float
    mean: float
    spread: float

    def encoded(self, column: pd.Series[Any], *, impute: bool) -> list[Numbers]:
        values = _finite(column) / self.scale
        missing = np.isnan(values)
        values = (np.where(missing, self.median, values) - self.mean) / self.spread
        # A value far outside of what was trained on must not rule a linear sum alone.
        values = np.clip(values, -10.0, 10.0)
        return [values, missing.astype(np.float64)] if impute else [np.where(missing, np.nan, values)]


@dataclass(frozen=True)
class _LevelColumn:
    name: str
    levels: tuple[str, ...]

    def encoded(self, column: pd.Series[Any], *, impute: bool) -> list[Numbers]:  # noqa: ARG002
        codes, names = _level_codes(column)
        return [(codes == names.get(level, -2)).astype(np.float64) for level in self.levels]


def _finite(column: pd.Series[Any]) -> Numbers:
    values = ordered_values(column)
    if values is None:
        values = np.full(len(column), np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _level_codes(column: pd.Series[Any]) -> tuple[NDArray[np.integer], dict[str, int]]:
    """Codes of a column of levels, and the code of each label; -1 is missing and has the label ``(missing)``."""
    category = column.astype("category").cat
    labels = as_labels(category.categories.to_series())
    return category.codes.to_numpy(), {str(label): code for code, label in enumerate(labels)} | {"(missing)": -1}


@dataclass(frozen=True)
class Encoding:
    """How rows become numbers, learned from training rows alone."""

    columns: tuple[_NumberColumn | _LevelColumn, ...]
    impute: bool

    def matrix(self, rows: pd.DataFrame) -> Numbers:
        """Return the rows as float64, shape (n, n_columns)."""
        parts = [part for one in self.columns for part in one.encoded(rows[one.name], impute=self.impute)]
        return np.column_stack(parts) if parts else np.zeros((len(rows), 1))


def encoding(train: pd.DataFrame, *, impute: bool) -> Encoding:
    """Learn how to encode rows.

    Parameters
    ----------
    impute : bool
        Whether missing numbers take the median and are marked in a column of their own (for linear models), or stay
        NaN (for trees).
    """
    columns: list[_NumberColumn | _LevelColumn] = []
    for name in train:
        column = train[name]
        if ordered_values(column) is None:
            codes, labels = _level_codes(column)
            counts = {label: int(np.count_nonzero(codes == code)) for label, code in _commonest(codes, labels)}
            columns.append(_LevelColumn(str(name), tuple(label for label, count in counts.items() if count)))
            continue
        values = _finite(column)
        scale = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
        present = values[~np.isnan(values)] / scale
        median = float(np.median(present)) if present.size else 0.0
        mean = float(present.mean()) if present.size else 0.0
        spread = float(present.std()) if present.size else 0.0
        columns.append(_NumberColumn(str(name), scale, median, mean, spread if spread > 1e-12 else 1.0))
    return Encoding(tuple(columns), impute)


def _commonest(codes: NDArray[np.integer], labels: dict[str, int]) -> list[tuple[str, int]]:
    counts = np.bincount(codes + 1, minlength=len(labels))
    ranked = sorted(labels.items(), key=lambda item: (-int(counts[item[1] + 1]), item[0]))
    return ranked[:_MOST_LEVELS]


@dataclass(frozen=True)
class StandIn:
    """One kind of model: its name in a sentence, and how to make the untrained estimator."""

    name: str
    impute: bool
    classifier: Callable[[int, int], Any]
    regressor: Callable[[int, int], Any]

    def answers(
        self,
        train: pd.DataFrame,
        target: NDArray[Any],
        rows: pd.DataFrame,
        *,
        n_classes: int,
        seed: int,
        sized_for: int | None = None,
    ) -> Numbers:
        """Train on ``train`` and answer for ``rows``.

        Parameters
        ----------
        sized_for : int, optional
            The number of rows that the settings are for, if not that of ``train``: the same for every part of a curve.
        target : ndarray of shape (n_train,)
            Class codes from 0 to ``n_classes`` less one; numbers where ``n_classes`` is 0.

        Returns
        -------
        ndarray of shape (n, n_classes) or (n,)
            Probabilities, or numbers.
        """
        how = encoding(train, impute=self.impute)
        size = sized_for or len(train)
        if not n_classes:
            centre, scale = float(target.mean()), float(np.abs(target - target.mean()).max()) or 1.0
            fitted = _trained(self.regressor(size, seed), how.matrix(train), (target - centre) / scale)
            return _in_chunks(rows, lambda part: fitted.predict(how.matrix(part))) * scale + centre
        present, codes = np.unique(target, return_inverse=True)
        found = np.zeros((len(rows), n_classes))
        if present.size == 1:
            found[:, present[0]] = 1.0
            return found
        fitted = _trained(self.classifier(size, seed), how.matrix(train), codes)
        found[:, present] = _in_chunks(rows, lambda part: fitted.predict_proba(how.matrix(part)))
        return found


def _trained(estimator: Any, rows: Numbers, target: NDArray[Any]) -> Any:
    with one_thread(), warnings.catch_warnings():
        # A linear model that has not quite converged is a slightly weaker one, not a wrong one.
        warnings.simplefilter("ignore")
        return estimator.fit(binnable(rows), target)


def _in_chunks(rows: pd.DataFrame, answer: Callable[[pd.DataFrame], Numbers]) -> Numbers:
    with one_thread():
        parts = [answer(rows.iloc[start : start + _CHUNK]) for start in range(0, max(len(rows), 1), _CHUNK)]
    return np.concatenate(parts)


def _logistic(rows: int, seed: int) -> Any:  # noqa: ARG001
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=300)


def _ridge(rows: int, seed: int) -> Any:  # noqa: ARG001
    from sklearn.linear_model import Ridge

    return Ridge(alpha=1.0)


def _boosting(rows: int, seed: int) -> dict[str, Any]:
    return {
        "max_iter": 40 if rows < _FEW_ROWS else 100,
        "learning_rate": 0.1,
        "max_leaf_nodes": 8 if rows < _FEW_ROWS else 15 if rows < _MANY_ROWS else 31,
        "min_samples_leaf": 5 if rows < _FEW_ROWS else 20,
        "l2_regularization": 1.0,
        "early_stopping": False,
        "random_state": seed % (1 << 32),
    }


def _boosted_classifier(rows: int, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(**_boosting(rows, seed))


def _boosted_regressor(rows: int, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(**_boosting(rows, seed))


LINEAR = StandIn("a linear model", impute=True, classifier=_logistic, regressor=_ridge)
BOOSTED = StandIn("gradient boosting", impute=False, classifier=_boosted_classifier, regressor=_boosted_regressor)
