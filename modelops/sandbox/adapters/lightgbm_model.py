"""LightGBM models in their text format."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelops.domain.columns import ModelSummary, Task
from modelops.errors import InvalidInput, ModelOpsError, NotMeasured, RefusedFile
from modelops.sandbox.adapters import lightgbm_text
from modelops.sandbox.adapters.base import (
    Stages,
    TreeValues,
    WithoutRecipe,
    as_codes,
    as_number,
    checked_names,
    failed,
    is_text,
    one_number_each,
    selected,
    staged_answers,
)
from modelops.sandbox.adapters.tree_values import tree_values, turned
from modelops.sandbox.messages import one_line
from modelops.treeshap import from_lightgbm

if TYPE_CHECKING:
    import pandas as pd

    from modelops.treeshap.ensemble import Ensemble

_NO_PARAMETERS = "end of trees\n\nparameters:\nend of parameters\n\npandas_categorical:null\n"
_LOG_LINK = ("poisson", "gamma", "tweedie")


def open_lightgbm(path: Path) -> LightGBMModel:
    """Read, judge and build.

    Raises
    ------
    RefusedFile
        If the file is damaged, made to do harm, or gives several numbers for a row without being a classifier.
    """
    content = path.read_bytes()
    try:
        text = content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise RefusedFile("This LightGBM file is not valid text. Export it again.") from error
    outline = lightgbm_text.check(text)
    kind = outline.objective.split(" ", 1)[0]
    if outline.n_classes > 1 and kind not in ("multiclass", "multiclassova"):
        raise RefusedFile(
            f"The model gives {outline.n_classes} numbers for each row with the objective {one_line(kind)!r}. Train it "
            "with the objective 'multiclass'."
        )
    import lightgbm

    # Of what follows the trees, LightGBM's own reader gets nothing: predicting needs none of it.
    booster = lightgbm.Booster(model_str=text[: outline.end] + _NO_PARAMETERS)
    return LightGBMModel(booster, outline, size=len(content))


class LightGBMModel(WithoutRecipe):
    """A LightGBM booster as `OpenedModel`."""

    def __init__(self, booster: Any, outline: lightgbm_text.Outline, *, size: int) -> None:
        self._booster = booster
        self._outline = outline
        self._rounds: int | None = None
        self._ensembles: dict[tuple[int, int | None], Ensemble] = {}
        self._kind = outline.objective.split(" ", 1)[0]
        n_features = len(outline.features)
        names = checked_names(outline.features, n_features)
        self.is_named = names != tuple(f"Column_{index}" for index in range(n_features))
        classes: tuple[str, ...] = ()
        if self._kind == "binary":
            classes = ("0", "1")
        elif outline.n_classes > 1:
            classes = tuple(str(index) for index in range(outline.n_classes))
        self.summary = ModelSummary(
            format="lightgbm",
            framework="LightGBM",
            task=Task.CLASSIFICATION if classes else Task.REGRESSION,
            features=names,
            classes=classes,
            steps=("linear trees" if outline.is_linear else "trees",),
            parameters={"objective": one_line(outline.objective, limit=80), "trees": str(outline.n_trees)},
            size=size,
            notes=self._notes(bool(classes)),
        )

    def _notes(self, is_classifier: bool) -> tuple[str, ...]:
        notes = []
        if is_classifier:
            notes.append("LightGBM files hold no class labels: the classes are numbered from 0.")
        if not self.is_named:
            notes.append("The file holds no column names: columns are taken in the order given.")
        if not self._kind:
            notes.append("The objective was the user's own: predictions are raw scores.")
        return tuple(notes)

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Return numbers, or positions of classes."""
        if not self.summary.classes:
            return one_number_each(self._raw(rows), len(rows))
        scores = self.scores(rows)
        if len(self.summary.classes) > 2 or scores.shape[1] > 2:
            return np.asarray(scores.argmax(axis=1), dtype=np.int64)
        return (scores[:, 1] > 0.5).astype(np.int64)

    def scores(self, rows: pd.DataFrame) -> np.ndarray:
        """Return probabilities of shape (n, n_classes)."""
        raw = self._raw(rows)
        if raw.ndim == 2:
            return raw
        return np.column_stack([1.0 - raw, raw])

    def contributions(self, rows: pd.DataFrame, *, class_index: int) -> TreeValues | None:
        """Return exact tree SHAP values, LightGBM's own where trees are too deep; ``None`` for linear trees."""
        if self._outline.is_linear:
            return None
        found = self._own_trees(rows, class_index)
        if found is None and not self._outline.is_average:
            found = self._pred_contrib(rows, class_index)
        if found is not None and len(self.summary.classes) == 2 and class_index == 0:
            return turned(found)
        return found

    def _own_trees(self, rows: pd.DataFrame, class_index: int) -> TreeValues | None:
        raw = self._raw(rows, raw_score=True)
        n_outputs = raw.shape[1] if raw.ndim == 2 else 1
        output = class_index if n_outputs > 1 else 0
        key = (output, self._rounds)
        if key not in self._ensembles:
            trees = lightgbm_text.trees(self._booster.model_to_string(num_iteration=self._rounds))
            try:
                self._ensembles[key] = from_lightgbm.boosted(
                    trees[output::n_outputs],
                    n_features=len(self.summary.features),
                    is_average=self._outline.is_average,
                )
            except NotMeasured:
                return None
        ensemble = self._ensembles[key]
        matrix = self._matrix(selected(rows, self.summary.features, is_named=self.is_named))
        # The raw score of a random forest is the sum of its trees, and its prediction comes from their mean.
        n_summed = max(1, len(ensemble.roots)) if self._outline.is_average else 1
        return tree_values(ensemble, matrix, raw.reshape(len(raw), -1)[:, output] / n_summed, unit=self._unit())

    def _pred_contrib(self, rows: pd.DataFrame, class_index: int) -> TreeValues:
        raw = self._raw(rows, pred_contrib=True)
        width = len(self.summary.features) + 1
        if len(self.summary.classes) > 2:
            raw = raw[:, class_index * width : (class_index + 1) * width]
        base = float(raw[0, -1]) if len(raw) else 0.0
        return TreeValues(raw[:, :-1], base, self._unit(), "tree SHAP, path dependent (LightGBM pred_contrib)")

    def staged(self, rows: pd.DataFrame, *, stages: int) -> Stages | None:
        """Return the answers after part of the rounds; ``None`` for random forests: their trees stand side by side."""
        if self._outline.is_average:
            return None
        return staged_answers(rows, self._cut_off, total=int(self._booster.current_iteration()), stages=stages)

    def _cut_off(self, rounds: int) -> LightGBMModel:
        shorter = copy.copy(self)
        shorter._rounds = rounds  # noqa: SLF001 - a copy of its own
        return shorter

    def _unit(self) -> str:
        if self._kind == "binary":
            # sigmoid:1 is the default; another factor makes the raw score a multiple of the log odds.
            return "log odds" if "sigmoid:1" in self._outline.objective.split(" ") else "raw score"
        if self._kind in _LOG_LINK:
            return "log of the prediction"
        return "raw score" if self.summary.classes or "sqrt" in self._outline.objective else "prediction"

    def _raw(self, rows: pd.DataFrame, **options: bool) -> np.ndarray:
        import lightgbm

        matrix = self._matrix(selected(rows, self.summary.features, is_named=self.is_named))
        try:
            raw = self._booster.predict(matrix, num_threads=1, num_iteration=self._rounds, **options)
            return np.asarray(raw, dtype=np.float64)
        except ModelOpsError:
            raise
        except (lightgbm.basic.LightGBMError, ValueError, TypeError) as error:
            raise failed("predict", error) from error

    def _matrix(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the numbers that LightGBM computes with: categories as their positions in the stored lists."""
        stored = self._stored_for(rows)
        matrix = np.empty((len(rows), rows.shape[1]), dtype=np.float64)
        for position, name in enumerate(rows.columns):
            column = rows.iloc[:, position]
            if position in stored:
                matrix[:, position] = as_codes(column, stored[position])
            else:
                matrix[:, position] = as_number(column, str(name))
        return matrix

    def _stored_for(self, rows: pd.DataFrame) -> dict[int, list[Any]]:
        """Say which column each stored list of categories belongs to; the file has only their order."""
        lists = self._outline.categories
        if not lists:
            return {}
        declared = self._outline.categorical
        text = tuple(position for position in range(rows.shape[1]) if is_text(rows.iloc[:, position]))
        for positions in (declared, tuple(sorted({*declared, *text})), text):
            if len(positions) == len(lists):
                return dict(zip(positions, lists, strict=True))
        raise InvalidInput(
            f"The model was trained on {len(lists)} categorical columns, and it cannot be told which of the table's "
            "are meant. Give those columns as text."
        )
