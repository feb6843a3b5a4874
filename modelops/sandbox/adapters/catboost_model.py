"""CatBoost models in their cbm format."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelops.domain.columns import ModelSummary, Task
from modelops.errors import InvalidInput, ModelOpsError, RefusedFile
from modelops.sandbox.adapters import catboost_file
from modelops.sandbox.adapters.base import (
    Stages,
    TreeValues,
    WithoutRecipe,
    as_number,
    as_texts,
    checked_names,
    class_labels,
    failed,
    is_text,
    one_number_each,
    positions_of,
    selected,
    shown_parameters,
    staged_answers,
)
from modelops.sandbox.messages import one_line

if TYPE_CHECKING:
    import pandas as pd

_SEVERAL_AT_ONCE = (
    "MultiLogloss",
    "MultiCrossEntropy",
    "MultiRMSE",
    "MultiRMSEWithMissingValues",
    "RMSEWithUncertainty",
)
_LOG_LINK = ("Poisson", "Tweedie")
_MISSING = "nan"  # what astype(str), CatBoost's own advice, makes of a missing category


def open_catboost(path: Path) -> CatBoostModel:
    """Read, judge and build.

    Raises
    ------
    RefusedFile
        If the file is damaged, made to do harm, or gives several predictions for a row.
    """
    content = path.read_bytes()
    catboost_file.check(content)
    import catboost

    model = catboost.CatBoost()
    model.load_model(blob=content)
    loss = str(model.get_all_params().get("loss_function", ""))
    if loss.split(":", maxsplit=1)[0] in _SEVERAL_AT_ONCE:
        raise RefusedFile(f"The model ({one_line(loss)}) predicts several numbers at once; one is needed.")
    return CatBoostModel(model, loss, size=len(content))


class CatBoostModel(WithoutRecipe):
    """A CatBoost model as `OpenedModel`."""

    def __init__(self, model: Any, loss: str, *, size: int) -> None:
        self._model = model
        self._rounds = 0
        self._loss = loss.split(":", maxsplit=1)[0]
        found = list(model.feature_names_)
        names = checked_names(found, len(found))
        self._categorical = frozenset(int(position) for position in model.get_cat_feature_indices())
        self.is_named = names != tuple(str(index) for index in range(len(names)))
        classes = class_labels(np.asarray(model.classes_).ravel())
        self.summary = ModelSummary(
            format="catboost",
            framework="CatBoost",
            task=Task.CLASSIFICATION if classes else Task.REGRESSION,
            features=names,
            classes=classes,
            steps=("trees",),
            parameters={"trees": str(model.tree_count_)} | shown_parameters(model.get_all_params()),
            size=size,
            notes=self._notes(),
        )

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if not self.is_named:
            notes.append("The file holds no column names: columns are taken in the order given.")
        if self._categorical:
            notes.append(f"A missing category is given to the model as the text {_MISSING!r}.")
        return tuple(notes)

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Return numbers, or positions of classes."""
        if not self.summary.classes:
            return one_number_each(
                self._raw(rows, "Exponent" if self._loss in _LOG_LINK else "RawFormulaVal"), len(rows)
            )
        return positions_of(self._raw(rows, "Class"), self.summary.classes)

    def scores(self, rows: pd.DataFrame) -> np.ndarray:
        """Return probabilities of shape (n, n_classes)."""
        return np.asarray(self._raw(rows, "Probability"), dtype=np.float64)

    def contributions(self, rows: pd.DataFrame, *, class_index: int) -> TreeValues | None:
        """Return CatBoost's own tree SHAP values."""
        values = np.asarray(self._ask(rows, self._shap), dtype=np.float64)
        unit = self._unit()
        if values.ndim == 3:
            values, unit = values[:, class_index], "raw score"
        elif self.summary.classes and class_index == 0:
            values = -values
        base = float(values[0, -1]) if len(values) else 0.0
        return TreeValues(values[:, :-1], base, unit, "tree SHAP, path dependent (CatBoost ShapValues)")

    def _shap(self, pool: Any) -> Any:
        return self._model.get_feature_importance(pool, type="ShapValues", thread_count=1)

    def staged(self, rows: pd.DataFrame, *, stages: int) -> Stages | None:
        """Return the answers after part of the rounds."""
        return staged_answers(rows, self._cut_off, total=int(self._model.tree_count_), stages=stages)

    def _cut_off(self, rounds: int) -> CatBoostModel:
        shorter = copy.copy(self)
        shorter._rounds = rounds  # noqa: SLF001 - a copy of its own
        return shorter

    def _unit(self) -> str:
        if self.summary.classes:
            return "log odds"
        return "log of the prediction" if self._loss in _LOG_LINK else "prediction"

    def _raw(self, rows: pd.DataFrame, kind: str) -> Any:
        return self._ask(
            rows,
            lambda pool: self._model.predict(pool, prediction_type=kind, ntree_end=self._rounds, thread_count=1),
        )

    def _ask(self, rows: pd.DataFrame, question: Any) -> Any:
        import catboost

        frame = self._frame(selected(rows, self.summary.features, is_named=self.is_named))
        try:
            pool = catboost.Pool(frame, cat_features=sorted(self._categorical), thread_count=1)
            return question(pool)
        except ModelOpsError:
            raise
        except (catboost.CatBoostError, ValueError, TypeError) as error:
            raise failed("predict", error) from error

    def _frame(self, rows: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        columns: dict[str, Any] = {}
        for position, name in enumerate(rows.columns):
            column = rows.iloc[:, position]
            if position in self._categorical:
                columns[name] = self._category(column, str(name))
            else:
                columns[name] = as_number(column, str(name))
        return pd.DataFrame(columns)

    def _category(self, column: pd.Series[Any], name: str) -> Any:
        import pandas as pd

        if not is_text(column) and column.dtype.kind == "f":
            present = column.dropna()
            if (present != np.floor(present)).any():
                raise InvalidInput(
                    f"Column {one_line(name, limit=60)!r} is categorical in the model and holds numbers with decimals."
                )
        return pd.Series(as_texts(column, missing=_MISSING), dtype=object)
