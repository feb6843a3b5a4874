"""XGBoost models in JSON or UBJSON."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelops.domain.columns import ModelSummary, Task
from modelops.errors import InvalidInput, ModelOpsError, NotMeasured, RefusedFile
from modelops.sandbox.adapters import ubjson, xgboost_trees
from modelops.sandbox.adapters.base import (
    Stages,
    TreeValues,
    WithoutRecipe,
    as_codes,
    as_number,
    as_texts,
    checked_names,
    failed,
    is_text,
    numbered,
    one_number_each,
    selected,
    staged_answers,
)
from modelops.sandbox.adapters.tree_values import tree_values, turned
from modelops.sandbox.messages import one_line
from modelops.treeshap import from_xgboost

if TYPE_CHECKING:
    import pandas as pd

    from modelops.treeshap.ensemble import Ensemble

_LOG_LINK = ("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox")


def open_xgboost(path: Path, *, kind: str) -> XGBoostModel:
    """Read, judge and build.

    Raises
    ------
    RefusedFile
        If the file is damaged, made to do harm, or of a kind without one prediction for each row.
    """
    content = path.read_bytes()
    document = ubjson.loads(content) if kind == "xgboost_ubj" else _parse(content)
    outline = xgboost_trees.check(document)
    if outline.n_targets > 1:
        raise RefusedFile(f"The model predicts {outline.n_targets} targets at once; one is needed. Train one for each.")
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(content))
    booster.set_param({"nthread": 1, "device": "cpu"})
    return XGBoostModel(booster, outline, size=len(content), kind=kind)


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RefusedFile("This XGBoost file is not valid JSON: it is cut off or damaged. Upload it again.") from error


class XGBoostModel(WithoutRecipe):
    """An XGBoost booster as `OpenedModel`."""

    def __init__(self, booster: Any, outline: xgboost_trees.Outline, *, size: int, kind: str) -> None:
        self._booster = booster
        self._outline = outline
        self.is_named = bool(booster.feature_names)
        n_features = outline.n_features
        names = checked_names(booster.feature_names, n_features) if self.is_named else numbered(n_features)
        self._types = list(booster.feature_types or [])
        self._objective = outline.objective
        self._rounds = (0, 0)
        self._names_of_categories: dict[int, list[Any]] = {}
        self._ensembles: dict[tuple[int, tuple[int, int]], Ensemble] = {}
        if outline.is_from_scikit_learn and outline.best_iteration is not None:
            self._rounds = (0, outline.best_iteration + 1)
        classes = self._classes()
        self.summary = ModelSummary(
            format=kind,
            framework="XGBoost",
            task=Task.CLASSIFICATION if classes else Task.REGRESSION,
            features=names,
            classes=classes,
            steps=(one_line(outline.booster),),
            parameters={"objective": one_line(outline.objective), "rounds": str(booster.num_boosted_rounds())},
            size=size,
            notes=self._notes(bool(classes)),
        )

    def _classes(self) -> tuple[str, ...]:
        if self._objective.startswith("multi:"):
            return tuple(str(index) for index in range(self._outline.n_groups))
        return ("0", "1") if self._objective.startswith("binary:") else ()

    def _notes(self, is_classifier: bool) -> tuple[str, ...]:
        notes = []
        if is_classifier:
            notes.append("XGBoost files hold no class labels: the classes are numbered from 0.")
        if not self.is_named:
            notes.append("The file holds no column names: columns are taken in the order given.")
        if self._rounds != (0, 0):
            notes.append(
                f"Early stopping: the first {self._rounds[1]} rounds are used, as scikit-learn's wrapper does."
            )
        if self._objective in ("binary:logitraw", "binary:hinge"):
            notes.append(f"The objective {self._objective} gives scores that are no probabilities.")
        return tuple(notes)

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Return numbers, or positions of classes."""
        if not self.summary.classes:
            return one_number_each(self._raw(rows), len(rows))
        scores = self.scores(rows)
        if len(self.summary.classes) > 2:
            return np.asarray(scores.argmax(axis=1), dtype=np.int64)
        return (scores[:, 1] > (0.0 if self._objective == "binary:logitraw" else 0.5)).astype(np.int64)

    def scores(self, rows: pd.DataFrame) -> np.ndarray:
        """Return probabilities (or margins, see the notes) of shape (n, n_classes)."""
        if self._objective == "multi:softmax":
            margins = self._raw(rows, output_margin=True).astype(np.float64)
            powers = np.exp(margins - margins.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True))
        raw = self._raw(rows)
        if raw.ndim == 2:
            return raw.astype(np.float64)
        first = -raw if self._objective == "binary:logitraw" else np.float32(1.0) - raw
        return np.column_stack([first, raw]).astype(np.float64)

    def contributions(self, rows: pd.DataFrame, *, class_index: int) -> TreeValues | None:
        """Return exact tree SHAP values; XGBoost's own where the trees are too deep for ours."""
        if self._outline.booster == "gblinear":
            return None
        found = self._own_trees(rows, class_index)
        if found is None:
            try:
                found = self._pred_contribs(rows, class_index)
            except InvalidInput:  # it predicts these rows, so this kind of tree is what it cannot explain
                return None
        return turned(found) if len(self.summary.classes) == 2 and class_index == 0 else found

    def _own_trees(self, rows: pd.DataFrame, class_index: int) -> TreeValues | None:
        margin = self._raw(rows, output_margin=True).astype(np.float64)
        output = class_index if margin.ndim == 2 else 0
        key = (output, self._rounds)
        if key not in self._ensembles:
            learner = ubjson.loads(bytes(self._booster.save_raw(raw_format="ubj")))["learner"]
            self._names_of_categories.update(from_xgboost.category_names(learner))
            try:
                self._ensembles[key] = from_xgboost.boosted(learner, output=output, rounds=self._rounds[1] or None)
            except NotMeasured:
                return None
        unit = self._unit() if margin.ndim == 1 else "raw score"
        chosen = margin.reshape(len(margin), -1)[:, output]
        return tree_values(self._ensembles[key], self._matrix(rows), chosen, unit=unit)

    def _matrix(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the numbers that XGBoost compares: rounded to float32, categories as their codes."""
        frame = selected(rows, self.summary.features, is_named=self.is_named)
        matrix = np.empty(frame.shape, dtype=np.float64)
        for position, name in enumerate(frame.columns):
            column, known = frame.iloc[:, position], self._names_of_categories.get(position)
            matrix[:, position] = as_codes(column, known) if known else as_number(column, str(name))
        return matrix.astype(np.float32).astype(np.float64)

    def _pred_contribs(self, rows: pd.DataFrame, class_index: int) -> TreeValues:
        raw = self._raw(rows, pred_contribs=True).astype(np.float64)
        chosen, unit = (raw[:, class_index], "raw score") if raw.ndim == 3 else (raw, self._unit())
        base = float(chosen[0, -1]) if len(chosen) else 0.0
        return TreeValues(chosen[:, :-1], base, unit, "tree SHAP, path dependent (XGBoost pred_contribs)")

    def staged(self, rows: pd.DataFrame, *, stages: int) -> Stages | None:
        """Return the answers after part of the rounds; ``None`` for a linear booster."""
        if self._outline.booster == "gblinear":
            return None
        total = self._rounds[1] or int(self._booster.num_boosted_rounds())
        return staged_answers(rows, self._cut_off, total=total, stages=stages)

    def _cut_off(self, rounds: int) -> XGBoostModel:
        shorter = copy.copy(self)
        shorter._rounds = (0, rounds)  # noqa: SLF001 - a copy of its own
        return shorter

    def _unit(self) -> str:
        if self._objective in ("binary:logistic", "binary:logitraw", "reg:logistic"):
            return "log odds"
        if self._objective == "binary:hinge":
            return "raw score"
        return "log of the prediction" if self._objective in _LOG_LINK else "prediction"

    def _raw(self, rows: pd.DataFrame, **options: bool) -> np.ndarray:
        import xgboost

        frame = self._frame(selected(rows, self.summary.features, is_named=self.is_named))
        try:
            # A model without names checks none; one with names and categories wants the frame as in training.
            matrix = xgboost.DMatrix(
                frame if self.is_named or self._types else frame.to_numpy(), enable_categorical=True, nthread=1
            )
            return np.asarray(self._booster.predict(matrix, iteration_range=self._rounds, **options))
        except ModelOpsError:
            raise
        except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
            raise failed("predict", error) from error

    def _frame(self, rows: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        columns = {}
        for position, name in enumerate(rows.columns):
            column = rows.iloc[:, position]
            is_category = position < len(self._types) and self._types[position] == "c"
            columns[name] = self._category(column, position, name) if is_category else as_number(column, name)
        return pd.DataFrame(columns, index=rows.index)

    def _category(self, column: pd.Series[Any], position: int, name: str) -> Any:
        import pandas as pd

        stored, are_numbers = self._outline.categories[position]
        if stored and not are_numbers:
            return pd.Categorical(pd.Series(as_texts(column, missing=None), dtype="str"))
        if is_text(column):
            raise InvalidInput(
                f"Column {one_line(name, limit=60)!r} holds text, and the model knows its categories by number. Save "
                "the model again with XGBoost 3.1 or newer, or give the column as numbers."
            )
        values = as_number(column, name)
        present = values[~np.isnan(values)]
        if (present != np.floor(present)).any() or (present < 0).any():
            raise InvalidInput(
                f"Column {one_line(name, limit=60)!r} must hold the numbers of categories (0, 1, 2, ...)."
            )
        codes, found = pd.factorize(values, use_na_sentinel=True)
        if stored:
            return pd.Categorical.from_codes(codes, pd.Index(found.astype(np.int64)))
        top = int(np.max(present, initial=0))
        return pd.Categorical.from_codes(
            np.where(np.isnan(values), -1, values).astype(np.int64), pd.RangeIndex(top + 1)
        )
