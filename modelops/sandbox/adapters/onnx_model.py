"""ONNX models, run by ONNX Runtime on the CPU in one thread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelops.domain.columns import ModelSummary, Task
from modelops.errors import InvalidInput, RefusedFile
from modelops.sandbox.adapters import onnx_graph
from modelops.sandbox.adapters.base import (
    MAX_FEATURES,
    Stages,
    TreeValues,
    WithoutRecipe,
    as_number,
    as_texts,
    checked_names,
    class_labels,
    failed,
    label,
    numbered,
    one_number_each,
    positions_of,
    selected,
)
from modelops.sandbox.messages import one_line

if TYPE_CHECKING:
    import pandas as pd

_NUMERIC: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}
_TEXT = "tensor(string)"
_LABELS = ("tensor(string)", "tensor(int64)", "tensor(int32)", "tensor(bool)")
_SCORES = ("tensor(float)", "tensor(double)")


def open_onnx(path: Path) -> ONNXModel:
    """Read, judge and build.

    Raises
    ------
    RefusedFile
        If the checks refuse it, ONNX Runtime does, or its inputs and outputs are not those of a table model.
    """
    content = path.read_bytes()
    graph = onnx_graph.check(content)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return ONNXModel(session, graph, size=len(content))


class ONNXModel(WithoutRecipe):
    """An ONNX session as `OpenedModel`.

    Inputs are one matrix (columns by position), or one column each (by name). Outputs are one number for each row, or a
    label and scores, or scores alone.
    """

    def __init__(self, session: Any, graph: onnx_graph.Graph, *, size: int) -> None:
        self._session = session
        self._graph = graph
        self._inputs = list(session.get_inputs())
        self._batch = _batch(self._inputs)
        self.is_named = len(self._inputs) > 1
        features = self._features()
        self._label, self._score = self._outputs()
        classes = self._classes(len(features))
        self.summary = ModelSummary(
            format="onnx",
            framework=f"ONNX ({graph.producer})" if graph.producer else "ONNX",
            task=Task.CLASSIFICATION if classes else Task.REGRESSION,
            features=features,
            classes=classes,
            steps=tuple(one_line(f"{name} x {count}", limit=60) for name, count in list(graph.operators.items())[:50]),
            parameters={"operators": str(graph.nodes)},
            size=size,
            notes=() if self.is_named else ("The file holds no column names: columns are taken in the order given.",),
        )

    def _features(self) -> tuple[str, ...]:
        for item in self._inputs:
            if item.type != _TEXT and item.type not in _NUMERIC:
                raise RefusedFile(f"The ONNX model takes {one_line(item.type)}; numbers and text are supported.")
        if self.is_named:
            widths = {item.shape[1] if len(item.shape) == 2 else 1 for item in self._inputs if len(item.shape) <= 2}
            if widths != {1} or any(len(item.shape) > 2 for item in self._inputs):
                raise RefusedFile(
                    "The ONNX model takes several inputs that are not one column each. Export it for a table."
                )
            return checked_names([item.name for item in self._inputs], len(self._inputs))
        shape = self._inputs[0].shape if self._inputs else []
        if len(shape) != 2 or not isinstance(shape[1], int) or not 1 <= shape[1] <= MAX_FEATURES:
            raise RefusedFile(
                f"The ONNX model takes an input of shape {shape}, expected [rows, number of columns]. Export it with "
                "the number of columns given."
            )
        return numbered(shape[1])

    def _outputs(self) -> tuple[str | None, str]:
        """Return the names of the outputs with labels and with scores or predictions."""
        outputs = list(self._session.get_outputs())
        labels = [item.name for item in outputs if item.type in _LABELS]
        scores = [item.name for item in outputs if item.type in _SCORES or item.type.startswith("seq(map(")]
        if labels and len(outputs) > 1 and scores:
            return labels[0], scores[0]
        if scores:
            return None, scores[0]
        raise RefusedFile(
            "The ONNX model gives no probabilities and no numbers. Export a classifier with its probabilities as "
            "second output."
        )

    def _classes(self, n_features: int) -> tuple[str, ...]:
        """Run one row of zeros: nothing else says how many scores there are and what their labels are."""
        import pandas as pd

        row: dict[str, Any] = {f"f{index}": [0.0] for index in range(n_features)}
        if self.is_named:
            row = {item.name: [""] if item.type == _TEXT else [0.0] for item in self._inputs}
        elif self._inputs[0].type == _TEXT:
            row = {name: [""] for name in row}
        try:
            found = self._run(pd.DataFrame(row), self._score)
        except InvalidInput as error:
            raise RefusedFile(f"The ONNX model does not run: {error}") from error
        if isinstance(found, list):
            return class_labels(found[0])
        width = found.size
        if self._label is None:
            maker = self._graph.makers.get(self._score, "")
            if maker in ("Softmax", "LogSoftmax") and width > 1:
                return tuple(str(index) for index in range(width))
            if maker == "Sigmoid" and width == 1:
                return "0", "1"
            if width > 1:
                raise RefusedFile(
                    f"The ONNX model gives {width} numbers for each row, one is needed, or probabilities."
                )
            return ()
        fitting = [labels for labels in self._graph.labels if len(labels) == max(width, 2)]
        return class_labels(fitting[-1] if fitting else range(max(width, 2)))

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Return numbers, or positions of classes."""
        if not self.summary.classes:
            return one_number_each(self._run(rows, self._score), len(rows))
        if self._label is None:
            scores = self.scores(rows)
            return np.asarray(scores.argmax(axis=1), dtype=np.int64)
        return positions_of(np.asarray(self._run(rows, self._label)), self.summary.classes)

    def scores(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the model's scores of shape (n, n_classes)."""
        found = self._run(rows, self._score)
        classes = self.summary.classes
        if isinstance(found, list):
            keyed = [{label(key): value for key, value in row.items()} for row in found]
            return np.array([[row[name] for name in classes] for row in keyed], dtype=np.float64).reshape(
                -1, len(classes)
            )
        values = np.asarray(found, dtype=np.float64).reshape(len(rows), -1)
        return np.column_stack([1.0 - values[:, 0], values[:, 0]]) if values.shape[1] == 1 else values

    def contributions(self, rows: pd.DataFrame, *, class_index: int) -> TreeValues | None:  # noqa: ARG002
        """Return ``None``: an ONNX file does not hold what tree SHAP needs (how many rows went where)."""
        return None

    def staged(self, rows: pd.DataFrame, *, stages: int) -> Stages | None:  # noqa: ARG002
        """Return ``None``: an ONNX graph is run as a whole."""
        return None

    def _run(self, rows: pd.DataFrame, output: str) -> Any:
        chosen = selected(rows, self._names(), is_named=self.is_named)
        size = self._batch or max(len(chosen), 1)
        if len(chosen) % size:
            raise InvalidInput(
                f"The ONNX model takes {size} rows at a time, got {len(chosen)}. Export it for any number."
            )
        pieces = [
            self._run_once(chosen.iloc[start : start + size], output) for start in range(0, max(len(chosen), 1), size)
        ]
        if isinstance(pieces[0], list):
            return [row for piece in pieces for row in piece]
        return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]

    def _names(self) -> tuple[str, ...]:
        return tuple(item.name for item in self._inputs) if self.is_named else numbered(self._inputs[0].shape[1])

    def _run_once(self, rows: pd.DataFrame, output: str) -> Any:
        try:
            return self._session.run([output], self._feed(rows))[0]
        except InvalidInput:
            raise
        except Exception as error:  # ONNX Runtime's errors have no common base
            raise failed("predict", error) from error

    def _feed(self, rows: pd.DataFrame) -> dict[str, np.ndarray]:
        if not self.is_named:
            item = self._inputs[0]
            columns = [_typed(rows.iloc[:, position], item.type) for position in range(rows.shape[1])]
            return {item.name: np.column_stack(columns)}
        feed = {}
        for position, item in enumerate(self._inputs):
            column = _typed(rows.iloc[:, position], item.type)
            feed[item.name] = column.reshape(-1, 1) if len(item.shape) == 2 else column
        return feed


def _batch(inputs: list[Any]) -> int | None:
    """Return how many rows the model takes at a time, ``None`` for any number."""
    sizes = {item.shape[0] for item in inputs if item.shape and isinstance(item.shape[0], int) and item.shape[0] > 0}
    return max(sizes) if sizes else None


def _typed(column: pd.Series[Any], kind: str) -> np.ndarray:
    if kind == _TEXT:
        return as_texts(column, missing="")
    values = as_number(column, str(column.name))
    wanted = _NUMERIC[kind]
    if np.issubdtype(wanted, np.floating):
        return values.astype(wanted)
    if np.isnan(values).any():
        raise InvalidInput(
            f"Column {one_line(str(column.name), limit=60)!r} misses values, and the model takes whole numbers."
        )
    return values.astype(wanted)
