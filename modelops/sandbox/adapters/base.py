"""What every adapter offers, and the conversions that they share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from modelops.domain.columns import ModelSummary
from modelops.errors import InvalidInput, RefusedFile
from modelops.sandbox.messages import one_line, without_paths

if TYPE_CHECKING:
    import pandas as pd

_ONNX_RUNTIME = re.compile(r"^\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ")
MAX_FEATURES = 20_000
MAX_CLASSES = 1_000
MAX_TREES = 100_000
_SHOWN_PARAMETERS = 60


@dataclass(frozen=True)
class TreeValues:
    """SHAP values of shape (n, n_features) of one class, their base, and what they add up to."""

    values: np.ndarray
    base: float
    unit: str
    method: str


@dataclass(frozen=True)
class Stages:
    """What a boosted model answers after ``rounds`` of its rounds, shape (n_stages,), increasing, the last one whole.

    ``answers`` has shape (n_stages, n) for regression, (n_stages, n, n_classes) for classification.
    """

    rounds: np.ndarray
    answers: np.ndarray


class OpenedModel(Protocol):
    """A model that has been read, judged and built.

    ``is_named`` says whether the file holds the names of its columns; if not, columns are taken in the order given.
    """

    summary: ModelSummary
    is_named: bool

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Return shape (n,): numbers (float64) for regression, positions in ``summary.classes`` (int64) otherwise."""
        ...

    def scores(self, rows: pd.DataFrame) -> np.ndarray:
        """Return shape (n, n_classes), float64."""
        ...

    def contributions(self, rows: pd.DataFrame, *, class_index: int) -> TreeValues | None:
        """Return exact tree SHAP values for one class, ``None`` if this is not a tree model on raw columns."""
        ...

    def staged(self, rows: pd.DataFrame, *, stages: int) -> Stages | None:
        """Return the answers after up to ``stages`` of the boosting rounds, ``None`` if the model is not boosted."""
        ...

    def refit(self, train: pd.DataFrame, target: np.ndarray, *, seed: int | None) -> Answers | None:
        """Train an untrained copy; return what answers for it, ``None`` if the file holds no recipe to train by.

        With ``seed`` ``None`` the copy keeps the random state of the file. ``target`` holds numbers (float64) for
        regression, positions in ``summary.classes`` (int64) otherwise.
        """
        ...


Answers = Callable[["pd.DataFrame"], np.ndarray]
"""Answers rows: shape (n,) for regression, (n, n_classes) with the scores of all classes for classification."""


class WithoutRecipe:
    """A model whose file holds what was learned and not how: it cannot be trained again."""

    def refit(self, train: pd.DataFrame, target: np.ndarray, *, seed: int | None) -> Answers | None:  # noqa: ARG002
        """Return ``None``."""
        return None


def answers(model: OpenedModel) -> Answers:
    """Return the question that gives a model's whole answer: its scores, or its numbers where it has no classes."""
    return model.scores if model.summary.classes else model.predict


def chosen_rounds(total: int, stages: int) -> np.ndarray:
    """Return up to ``stages`` round counts from 1 to ``total``, evenly spread, with both ends.

    Examples
    --------
    >>> chosen_rounds(10, 4).tolist(), chosen_rounds(2, 4).tolist(), chosen_rounds(1, 4).tolist()
    ([1, 4, 7, 10], [1, 2], [1])
    """
    return np.unique(np.linspace(1, total, max(2, min(stages, total))).round().astype(np.int64))


def staged_answers(
    rows: pd.DataFrame, cut_off: Callable[[int], OpenedModel], *, total: int, stages: int
) -> Stages | None:
    """Return the answers of a model of ``total`` rounds when it is cut off after some of them; ``None`` for no rounds.

    ``cut_off`` returns the model that uses only so many rounds.
    """
    if total < 1:
        return None
    rounds = chosen_rounds(total, stages)
    found = [answers(cut_off(int(count)))(rows) for count in rounds]
    return Stages(rounds, np.stack(found).astype(np.float64))


def label(value: object) -> str:
    """Return a class as text: whole numbers without a decimal point, the rest as it prints.

    Examples
    --------
    >>> label(1.0), label(np.int64(1)), label(True), label("yes"), label(0.5)
    ('1', '1', 'True', 'yes', '0.5')
    """
    if isinstance(value, float | np.floating):
        number = float(value)
        return str(int(number)) if number.is_integer() else repr(number)
    return str(value)


def class_labels(values: Any) -> tuple[str, ...]:
    """Return class labels as text.

    Raises
    ------
    RefusedFile
        If there are too many, or two of them read the same.
    """
    labels = tuple(label(value) for value in values)
    if len(labels) > MAX_CLASSES:
        raise RefusedFile(f"The model has {len(labels):,} classes, the limit is {MAX_CLASSES:,}.")
    if len(set(labels)) != len(labels):
        raise RefusedFile("Two classes of the model have the same label. Train it with distinct labels.")
    return labels


def checked_names(names: Any, count: int) -> tuple[str, ...]:
    """Return the names of the features.

    Raises
    ------
    RefusedFile
        If there are not ``count`` of them, too many, or one is there twice.
    """
    found = tuple(str(name) for name in names)
    if len(found) != count or len(set(found)) != len(found):
        raise RefusedFile(
            f"The model names {len(set(found)):,} different features and uses {count:,}. Export it again."
        )
    if count > MAX_FEATURES:
        raise RefusedFile(f"The model has {count:,} features, the limit is {MAX_FEATURES:,}.")
    return found


def numbered(count: int) -> tuple[str, ...]:
    """Return names for the features of a model that has none."""
    if count > MAX_FEATURES:
        raise RefusedFile(f"The model has {count:,} features, the limit is {MAX_FEATURES:,}.")
    return tuple(f"f{index}" for index in range(count))


def selected(rows: pd.DataFrame, features: tuple[str, ...], *, is_named: bool) -> pd.DataFrame:
    """Return the model's columns in its order, by name, or by position where the model has no names.

    Raises
    ------
    InvalidInput
        If a column is missing, or the number is another one.
    """
    missing = [name for name in features if name not in rows.columns]
    if not missing:
        return rows[list(features)]
    if is_named:
        shown = ", ".join(repr(one_line(name, limit=60)) for name in missing[:5])
        raise InvalidInput(
            f"The model needs {len(missing)} column(s) that the table does not have: {shown}. Rename or add them."
        )
    if rows.shape[1] != len(features):
        raise InvalidInput(
            f"The model takes {len(features)} columns and holds no names for them; got {rows.shape[1]}. Choose as many "
            "feature columns, in the order of the training data."
        )
    return rows.set_axis(list(features), axis=1)


def is_text(column: pd.Series[Any]) -> bool:
    """Say whether a column holds text."""
    return is_text_type(column.dtype)


def is_text_type(kind: Any) -> bool:
    """Say whether columns of this type hold text."""
    import pandas as pd

    return isinstance(kind, pd.CategoricalDtype) or pd.api.types.is_string_dtype(kind)


def as_number(column: pd.Series[Any], name: str) -> np.ndarray:
    """Return a column as float64, NaN for missing.

    Raises
    ------
    InvalidInput
        If it holds text.
    """
    if is_text(column):
        raise InvalidInput(
            f"Column {one_line(name, limit=60)!r} holds text, and the model wants numbers there. Give it the column as "
            "it was in training."
        )
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def as_matrix(rows: pd.DataFrame) -> np.ndarray:
    """Return all columns as one float64 matrix; see `as_number`."""
    matrix = np.empty((len(rows), rows.shape[1]), dtype=np.float64)
    for position, name in enumerate(rows.columns):
        matrix[:, position] = as_number(rows.iloc[:, position], str(name))
    return matrix


def as_texts(column: pd.Series[Any], *, missing: object) -> np.ndarray:
    """Return a column as text objects, whole numbers without a decimal point, ``missing`` where there is no value."""
    import pandas as pd

    codes, values = pd.factorize(column, use_na_sentinel=True)
    texts = np.array([*(label(value) for value in values), missing], dtype=object)
    return texts[codes]


def as_codes(column: pd.Series[Any], categories: list[Any]) -> np.ndarray:
    """Return positions in ``categories`` as float64, NaN for a missing or unknown value."""
    import pandas as pd

    codes, values = pd.factorize(column, use_na_sentinel=True)
    place = {label(category): position for position, category in reversed(list(enumerate(categories)))}
    positions = np.array([*(place.get(label(value), np.nan) for value in values), np.nan], dtype=np.float64)
    return positions[codes]


def positions_of(labels: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Return predicted labels as positions in ``classes``.

    Raises
    ------
    InvalidInput
        If the model predicts a class that it does not have.
    """
    values, inverse = np.unique(np.asarray(labels).ravel(), return_inverse=True)
    place = {name: position for position, name in enumerate(classes)}
    try:
        return np.array([place[label(value)] for value in values], dtype=np.int64)[inverse]
    except KeyError as error:
        raise InvalidInput(f"The model predicts a class {label(error.args[0])!r} that it does not declare.") from error


def one_number_each(values: Any, count: int) -> np.ndarray:
    """Return predictions as shape (n,), float64.

    Raises
    ------
    InvalidInput
        If the model gives several numbers for a row.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.size != count:
        raise InvalidInput(f"The model gives {numbers.shape} numbers for {count} rows, one for each row is needed.")
    return numbers.reshape(count)


def shown_parameters(parameters: dict[str, Any]) -> dict[str, str]:
    """Return simple parameters as short text, for people."""
    shown = {}
    for name, value in list(parameters.items())[:_SHOWN_PARAMETERS]:
        if value is None or isinstance(value, bool | int | float | str):
            shown[one_line(str(name), limit=60)] = one_line(str(value), limit=80)
    return shown


def failed(action: str, error: Exception) -> InvalidInput:
    """Return the error for a library that would not do something with the rows that it got."""
    return InvalidInput(f"The model cannot {action} these rows: {without_paths(str(error), limit=300)}")


def unreadable(kind: str, error: Exception) -> RefusedFile:
    """Return the error for a library that would not build the model."""
    told = _ONNX_RUNTIME.sub("", str(error)).split(" /", 1)[0]
    reason = without_paths(told, limit=200).rstrip(".: ") or type(error).__name__
    return RefusedFile(f"This {kind} file cannot be read: {reason}. Export it again with the library that made it.")
