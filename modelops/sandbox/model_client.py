"""The model under test, as the analysis process sees it: questions over a connection, answers that are checked.

The model process may be under the control of a hostile file. It can lie in its numbers; it cannot hand over anything
but numbers of the right count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from pydantic import ValidationError

from modelops.domain.columns import ModelSummary
from modelops.errors import InvalidInput, NotMeasured, WorkerFailed
from modelops.sandbox import tables
from modelops.sandbox.adapters.base import TreeValues
from modelops.sandbox.detect import FileKind
from modelops.sandbox.messages import one_line, shown_name, without_paths
from modelops.sandbox.wire import BadFrame, Frame, Json

if TYPE_CHECKING:
    import pandas as pd

    from modelops.sandbox.launch import Worker

_CELLS_AT_ONCE = 4_000_000


class Connection(Protocol):
    """A `Stream` inside a sandboxed process, or a `Worker` outside."""

    def send(self, header: dict[str, Json], buffers: Iterable[object] = ()) -> None:
        """Send one frame."""
        ...

    def receive(self) -> Frame:
        """Wait for one."""
        ...


def open_model(worker: Worker, path: Path, kind: FileKind, *, name: str = "model") -> ModelSummary:
    """Have a worker of `modelops.sandbox.model_process` open a file; return what it turned out to be.

    Parameters
    ----------
    worker : Worker
        A fresh worker of that entry.
    path : Path
        The file, as `detect` has judged it.
    kind : FileKind
        What `detect` returned.
    name : str
        What the uploader calls it, for messages.

    Raises
    ------
    RefusedFile
        If the file is damaged, made to do harm, or no model.
    WorkerFailed
        If it crashed its loader or ran over a limit.
    """
    worker.subject = shown_name(name)
    worker.put(path, "model")
    worker.send({"kind": "open", "file": "model", "format": str(kind)})
    return _summary(worker.receive())


class ModelClient:
    """A model in another process.

    Parameters
    ----------
    connection : Connection
        To a model process that has opened its file.
    columns : tuple of str
        Feature columns of the table, in the order of the training data: used where the file holds no names.
    positive : str or None
        The class whose contributions are asked for; the last one if ``None``.
    """

    def __init__(self, connection: Connection, *, columns: tuple[str, ...] = (), positive: str | None = None) -> None:
        self._connection = connection
        connection.send({"kind": "describe"})
        frame = connection.receive()
        self.summary = _summary(frame)
        self.is_named = frame.header.get("named") is True
        self._features = self.summary.features
        if not self.is_named and len(columns) == len(self._features):
            self._features = columns
        classes = self.summary.classes
        if positive is not None and classes and positive not in classes:
            raise InvalidInput(f"The model has no class {positive!r}; it has {', '.join(map(repr, classes[:10]))}.")
        self._class_index = classes.index(positive) if positive is not None and classes else max(len(classes) - 1, 0)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns that the model takes, in its order."""
        return self._features

    @property
    def classes(self) -> tuple[str, ...]:
        """Class labels in the order of the score columns; empty for regression."""
        return self.summary.classes

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Return shape (n,): numbers for regression, class labels as text for classification.

        Raises
        ------
        InvalidInput
            If the model cannot use these rows.
        NotMeasured
            If it gives a number that is not finite.
        WorkerFailed
            If it answers nonsense.
        """
        answers = self._ask("predict", "predictions", rows, lambda size: (size,))
        if not self.classes:
            return _finite(answers)
        codes = answers.astype(np.int64)
        if len(codes) and (codes.min() < 0 or codes.max() >= len(self.classes)):
            raise WorkerFailed("The model process predicted a class that the model does not have.")
        return np.array(self.classes, dtype=object)[codes]

    def scores(self, rows: pd.DataFrame) -> np.ndarray:
        """Return shape (n, n_classes). Raises as `predict` does, and `NotMeasured` for regression."""
        if not self.classes:
            raise NotMeasured("The model predicts numbers: it has no classes to give scores for.")
        return _finite(self._ask("scores", "scores", rows, lambda size: (size, len(self.classes))))

    def contributions(self, rows: pd.DataFrame) -> TreeValues | None:
        """Return exact tree SHAP values of the positive class, ``None`` if this is not a tree model on raw columns."""
        pieces: list[np.ndarray] = []
        said: tuple[float, str, str] | None = None
        for part in self._parts(rows):
            frame = self._question("contributions", part, {"class": self._class_index})
            if frame.kind == "no contributions":
                return None
            pieces.append(_checked(frame, "contributions", (len(part), len(self._features))))
            said = said or _said(frame)
        if said is None:
            return None
        base, unit, method = said
        return TreeValues(_finite(np.concatenate(pieces)), base, unit, method)

    def _ask(
        self, question: str, answer: str, rows: pd.DataFrame, shape: Callable[[int], tuple[int, ...]]
    ) -> np.ndarray:
        parts = [_checked(self._question(question, part, {}), answer, shape(len(part))) for part in self._parts(rows)]
        return np.concatenate(parts) if parts else np.zeros(shape(0))

    def _parts(self, rows: pd.DataFrame) -> Iterable[pd.DataFrame]:
        chosen = rows[list(self._features)] if set(self._features) <= set(rows.columns) else rows
        step = max(1, _CELLS_AT_ONCE // max(1, chosen.shape[1]))
        for start in range(0, len(chosen), step):
            yield chosen.iloc[start : start + step]

    def _question(self, kind: str, rows: pd.DataFrame, more: dict[str, Json]) -> Frame:
        header, buffers = tables.encode(rows)
        self._connection.send({"kind": kind, **header, **more}, buffers)
        frame = self._connection.receive()
        if frame.kind == "refused":
            raise InvalidInput(without_paths(frame.text("message")) or "The model cannot use these rows.")
        return frame


def _checked(frame: Frame, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    if frame.kind != kind or len(frame.buffers) != 1 or frame.buffers[0].shape != shape:
        raise WorkerFailed(
            f"The model process answered {one_line(frame.kind, limit=40)!r} of another size than asked for."
        )
    return frame.buffers[0]


def _finite(values: np.ndarray) -> np.ndarray:
    bad = int(values.size - np.isfinite(values).sum())
    if bad:
        raise NotMeasured(f"The model gave {bad:,} values that are not numbers (NaN or infinite).")
    return values


def _said(frame: Frame) -> tuple[float, str, str]:
    base = frame.header.get("base")
    if isinstance(base, bool) or not isinstance(base, int | float):
        raise BadFrame("The model process gave no base value for its contributions.")
    return float(base), one_line(frame.text("unit"), limit=60), one_line(frame.text("method"), limit=120)


def _summary(frame: Frame) -> ModelSummary:
    if frame.kind != "summary":
        raise BadFrame(f"Got the answer {one_line(frame.kind, limit=40)!r}, expected a summary of the model.")
    try:
        found = ModelSummary.model_validate_json(frame.content())
    except ValidationError as error:
        raise BadFrame("The model process gave a summary that is none.") from error
    return found.model_copy(
        update={
            "framework": one_line(found.framework, limit=100),
            "steps": tuple(one_line(step, limit=150) for step in found.steps),
            "parameters": {
                one_line(key, limit=80): one_line(value, limit=150) for key, value in found.parameters.items()
            },
            "notes": tuple(one_line(note) for note in found.notes),
        }
    )
