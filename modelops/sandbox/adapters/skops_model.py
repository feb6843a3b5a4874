"""scikit-learn models saved with skops."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelops.domain.columns import ModelSummary, Task
from modelops.errors import ModelOpsError, NotMeasured, RefusedFile
from modelops.sandbox.adapters import skops_checks, skops_training
from modelops.sandbox.adapters.base import (
    Answers,
    Stages,
    TreeValues,
    checked_names,
    chosen_rounds,
    class_labels,
    failed,
    is_text_type,
    numbered,
    one_number_each,
    positions_of,
    selected,
    shown_parameters,
)
from modelops.sandbox.messages import one_line

if TYPE_CHECKING:
    import pandas as pd

_TREES = (
    "sklearn.tree.",
    "sklearn.ensemble._forest",
    "sklearn.ensemble._gb",
    "sklearn.ensemble._hist_gradient_boosting.",
)


def open_skops(path: Path) -> ScikitLearnModel:
    """Read, judge and build; then judge what was built.

    Raises
    ------
    RefusedFile
        If a type in the file is not on the list, an object asks for what is not given, or it predicts nothing.
    """
    import skops.io

    skops_checks.check_types(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = skops.io.load(path, trusted=sorted(skops_checks.TRUSTED))
    skops_checks.check_objects(model)
    notes = tuple(dict.fromkeys(_version_note(warning.message) for warning in caught))
    return ScikitLearnModel(model, size=path.stat().st_size, notes=tuple(note for note in notes if note))


def _version_note(warning: Warning | str) -> str:
    from sklearn.exceptions import InconsistentVersionWarning

    if not isinstance(warning, InconsistentVersionWarning):
        return ""
    return (
        f"Saved with scikit-learn {one_line(str(warning.original_sklearn_version), limit=20)}, opened with "
        f"{warning.current_sklearn_version}: predictions may differ."
    )


class ScikitLearnModel:
    """A scikit-learn estimator as `OpenedModel`."""

    def __init__(self, model: Any, *, size: int, notes: tuple[str, ...] = ()) -> None:
        from sklearn.base import BaseEstimator, is_classifier, is_regressor

        if not isinstance(model, BaseEstimator) or not (is_classifier(model) or is_regressor(model)):
            raise RefusedFile(
                f"The file holds a {type(model).__name__}, which is neither a classifier nor a regressor. Save the "
                "whole model (the pipeline with its last step)."
            )
        self._model = model
        self._last = _last_step(model)
        self._takes_texts = _takes_texts(model)
        names = getattr(model, "feature_names_in_", None)
        self.is_named = names is not None
        features = self._features(names)
        classes = self._classes() if is_classifier(model) else ()
        self._has_probabilities = hasattr(model, "predict_proba")
        self.summary = ModelSummary(
            format="skops",
            framework="scikit-learn",
            task=Task.CLASSIFICATION if classes else Task.REGRESSION,
            features=features,
            classes=classes,
            steps=_steps(model),
            parameters=shown_parameters(self._last.get_params(deep=False)),
            size=size,
            notes=notes + self._notes(bool(classes)),
        )

    def _features(self, names: Any) -> tuple[str, ...]:
        if names is not None:
            return checked_names(names, len(names))
        if self._takes_texts:
            return ("text",)
        count = getattr(self._model, "n_features_in_", None)
        if not isinstance(count, int | np.integer):
            raise RefusedFile(
                "The model has not been trained: it does not know its features. Train it and save it again."
            )
        return numbered(int(count))

    def _classes(self) -> tuple[str, ...]:
        classes = getattr(self._model, "classes_", None)
        if classes is None:
            raise RefusedFile("The model has not been trained: it has no classes. Train it and save it again.")
        if isinstance(classes, list) or np.ndim(classes) != 1:
            raise RefusedFile("The model predicts several targets at once; one is needed. Train one for each.")
        return class_labels(classes)

    def _notes(self, is_classifier: bool) -> tuple[str, ...]:
        notes = []
        if not self.is_named and not self._takes_texts:
            notes.append("The file holds no column names: columns are taken in the order given.")
        if is_classifier and not self._has_probabilities:
            notes.append("The model gives decision values, not probabilities.")
        return tuple(notes)

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Return numbers, or positions of classes."""
        found = self._ask(rows, self._model.predict)
        if not self.summary.classes:
            return one_number_each(found, len(rows))
        return positions_of(found, self.summary.classes)

    def scores(self, rows: pd.DataFrame) -> np.ndarray:
        """Return probabilities, or decision values where there are none, of shape (n, n_classes)."""
        if self._has_probabilities:
            return np.asarray(self._ask(rows, self._model.predict_proba), dtype=np.float64)
        if not hasattr(self._model, "decision_function"):
            chosen = self.predict(rows)
            return np.asarray(np.eye(len(self.summary.classes))[chosen])
        values = np.asarray(self._ask(rows, self._model.decision_function), dtype=np.float64)
        return np.column_stack([-values, values]) if values.ndim == 1 else values

    def contributions(self, rows: pd.DataFrame, *, class_index: int) -> TreeValues | None:
        """Return exact tree SHAP values; ``None`` for anything but a bare tree model on its own columns."""
        tree = self._model if self._last is self._model else None
        steps = getattr(self._model, "steps", None)
        if steps is not None and len(steps) == 1:
            tree = self._last
        if tree is None or not type(tree).__module__.startswith(_TREES):
            return None
        frame = selected(rows, self.summary.features, is_named=self.is_named)
        takes_categories = getattr(tree, "is_categorical_", None) is not None
        if not takes_categories and any(map(is_text_type, frame.dtypes)):
            return None
        from modelops.sandbox.adapters import sklearn_shap

        found: TreeValues | None
        try:
            found = self._ask(rows, lambda taken: sklearn_shap.contributions(tree, taken, class_index=class_index))
        except NotMeasured:
            return None
        return found

    def staged(self, rows: pd.DataFrame, *, stages: int) -> Stages | None:
        """Return the answers after part of the rounds of the last step; ``None`` if that is not boosted."""
        question = getattr(self._last, "staged_predict_proba" if self.summary.classes else "staged_predict", None)
        if question is None:
            return None
        steps = self._model[:-1] if self._last is not self._model and len(self._model.steps) > 1 else None
        found = self._ask(rows, lambda frame: list(question(frame if steps is None else steps.transform(frame))))
        rounds = chosen_rounds(len(found), stages)
        return Stages(rounds, np.stack([found[count - 1] for count in rounds]).astype(np.float64))

    def refit(self, train: pd.DataFrame, target: np.ndarray, *, seed: int | None) -> Answers | None:
        """Train an untrained copy, see `skops_training`."""
        labels = np.asarray(self._model.classes_)[target] if self.summary.classes else target
        keeps = skops_training.keeps_categories(self._model)
        fresh = skops_training.trained(self._model, self._frame(train, keeps_categories=keeps), labels, seed=seed)
        opened = ScikitLearnModel(fresh, size=0)
        if not self.summary.classes:
            return opened.predict
        return lambda rows: skops_training.in_classes(opened.scores(rows), opened.summary.classes, self.summary.classes)

    def _ask(self, rows: pd.DataFrame, question: Any) -> Any:
        frame = self._frame(rows)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return question(frame)
        except (ModelOpsError, MemoryError):
            raise
        except Exception as error:  # estimators raise anything on rows that they cannot use
            raise failed("predict", error) from error

    def _frame(self, rows: pd.DataFrame, *, keeps_categories: bool = False) -> Any:
        chosen = selected(rows, self.summary.features, is_named=self.is_named)
        if keeps_categories:
            return chosen
        text = {name: "str" for name, kind in chosen.dtypes.items() if is_text_type(kind)}
        plain = chosen.astype(text) if text else chosen
        if self._takes_texts:
            return plain.iloc[:, 0].fillna("").astype(str)
        return plain if self.is_named else plain.to_numpy(dtype=object if text else np.float64, na_value=np.nan)


def _last_step(model: Any) -> Any:
    steps = getattr(model, "steps", None)
    return steps[-1][1] if steps else model


def _takes_texts(model: Any) -> bool:
    """Say whether the first step is a vectoriser of texts, which takes one column and keeps no count of features."""
    steps = getattr(model, "steps", None)
    first = steps[0][1] if steps else model
    return hasattr(first, "decode_error") and not hasattr(first, "n_features_in_")


def _steps(model: Any) -> tuple[str, ...]:
    steps = getattr(model, "steps", None)
    if not steps:
        return (type(model).__name__,)
    return tuple(one_line(f"{name}: {type(step).__name__}", limit=120) for name, step in steps[:100])
