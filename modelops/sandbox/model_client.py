"""The model under test, as the analysis process sees it: questions over a connection, answers that are checked.

The model process may be under the control of a hostile file. It can lie in its numbers; it cannot hand over anything
but numbers of the right count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from pydantic import ValidationError

from modelops.domain.columns import ModelSummary
from modelops.errors import InvalidInput, NotMeasured, WorkerFailed
from modelops.sandbox import tables
from modelops.sandbox.adapters.base import Stages, TreeValues, label
from modelops.sandbox.detect import FileKind
from modelops.sandbox.messages import one_line, shown_name, without_paths
from modelops.sandbox.wire import BadFrame, Frame, Json

if TYPE_CHECKING:
    import pandas as pd

    from modelops.sandbox.launch import Worker

_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Resources:
    """Bytes of the model's file, seconds of shape (n_repeats,) to open it, bytes of its process now and at most."""

    size: int
    load_seconds: np.ndarray
    resident: int | None
    peak: int | None


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
    classes : tuple of str
        What to call the classes, where the file only numbers them.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        columns: tuple[str, ...] = (),
        positive: str | None = None,
        classes: tuple[str, ...] = (),
    ) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        connection.send({"kind": "describe"})
        frame = connection.receive()
        self.summary = _summary(frame)
        self.is_named = frame.header.get("named") is True
        self._features = self.summary.features
        if not self.is_named and len(columns) == len(self._features):
            self._features = columns
        if classes and len(classes) != len(self.summary.classes):
            raise InvalidInput(f"The model has {len(self.summary.classes)} classes; {len(classes)} were named.")
        self._classes = classes or self.summary.classes
        classes = self._classes
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
        return self._classes

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

    def contributions(self, rows: pd.DataFrame, *, label: str | None = None) -> TreeValues | None:
        """Return exact tree SHAP values of one class, ``None`` if this is not a tree model on raw columns."""
        class_index = self._class_index if label is None else self.classes.index(label)
        pieces: list[np.ndarray] = []
        said: tuple[float, str, str] | None = None
        for part in self._parts(rows):
            frame = self._question("contributions", part, {"class": class_index})
            if frame.kind == "no contributions":
                return None
            pieces.append(_checked(frame, "contributions", (len(part), len(self._features))))
            said = said or _said(frame)
        if said is None:
            return None
        base, unit, method = said
        return TreeValues(_finite(np.concatenate(pieces)), base, unit, method)

    def answers(self, rows: pd.DataFrame) -> np.ndarray:
        """Return scores of shape (n, n_classes), or numbers of shape (n,) for regression; NaN and infinity included.

        Raises
        ------
        InvalidInput
            If the model refuses these rows.
        WorkerFailed
            If its process answers nonsense, or has ended.
        """
        question, answer = ("scores", "scores") if self.classes else ("predict", "predictions")
        return self._ask(question, answer, rows, self._answer_shape)

    def refit(
        self, train: pd.DataFrame, target: np.ndarray, rows: pd.DataFrame, *, seed: int | None
    ) -> np.ndarray | None:
        """Train an untrained copy and return its `answers` for ``rows``; ``None`` if the file holds no recipe.

        With ``seed`` ``None`` the copy keeps the random state that the file holds.

        Raises
        ------
        InvalidInput
            If the target has missing values or a class that the model does not know, or the copy cannot be trained.
        """
        header, buffers = tables.encode(self._chosen(train))
        ready = self._told({"kind": "refit", **header, "seed": seed}, [*buffers, self._coded(target)])
        if ready.kind == "no recipe":
            return None
        if ready.kind != "ready":
            raise WorkerFailed(f"The model process answered {one_line(ready.kind, limit=40)!r} to training rows.")
        return self._ask("refitted", "refitted", rows, self._answer_shape)

    def staged(self, rows: pd.DataFrame, *, stages: int) -> Stages | None:
        """Return the answers after up to ``stages`` of the boosting rounds; ``None`` where the model is not boosted."""
        pieces: list[np.ndarray] = []
        rounds: np.ndarray | None = None
        for part in self._parts(rows, width=stages * max(len(self.classes), 1)):
            frame = self._question("staged", part, {"stages": stages})
            if frame.kind == "no stages":
                return None
            found = _rounds(frame, stages)
            if rounds is not None and not np.array_equal(rounds, found):
                raise WorkerFailed("The model process counted its rounds in two ways.")
            rounds = found
            pieces.append(_checked(frame, "staged", (len(found), *self._answer_shape(len(part))), index=1))
        return None if rounds is None else Stages(rounds, _finite(np.concatenate(pieces, axis=1)))

    def timed(self, rows: pd.DataFrame, *, batch: int, repeats: int, seconds: float) -> np.ndarray:
        """Return wall-clock and processor seconds of up to ``repeats`` calls of ``batch`` rows, shape (n_calls, 2)."""
        most = max(1, _CELLS_AT_ONCE // max(1, len(self._features)))
        more: dict[str, Json] = {"batch": batch, "repeats": repeats, "seconds": seconds}
        frame = self._question("timed", self._chosen(rows).head(most), more)
        n_calls = len(frame.buffers[0]) if frame.buffers and frame.buffers[0].ndim else 0
        found = _finite(_checked(frame, "timed", (n_calls, 2)))
        if not 1 <= n_calls <= repeats or found.min() < 0:
            raise WorkerFailed("The model process gave times that cannot be.")
        return found

    def resources(self, *, repeats: int) -> Resources:
        """Return what the model takes up; its file is opened ``repeats`` times for it."""
        frame = self._told({"kind": "resources", "repeats": repeats})
        seconds = _finite(_checked(frame, "resources", (repeats,)))
        size, resident, peak = (_bytes(frame, name) for name in ("size", "resident", "peak"))
        if size is None or seconds.min() < 0:
            raise WorkerFailed("The model process gave times or sizes that cannot be.")
        return Resources(size, seconds, resident, peak)

    def _answer_shape(self, size: int) -> tuple[int, ...]:
        return (size, len(self.classes)) if self.classes else (size,)

    def _coded(self, target: np.ndarray) -> np.ndarray:
        """Return a target as the model process takes it: numbers, or positions of classes."""
        if not self.classes:
            numbers = np.asarray(target, dtype=np.float64)
            if not np.isfinite(numbers).all():
                raise InvalidInput("The target of the training rows has missing or infinite values.")
            return numbers
        place = {name: position for position, name in enumerate(self.classes)}
        found = [None if value is None else place.get(label(value)) for value in target]
        if None in found:
            raise InvalidInput("The target of the training rows has missing values, or a class that the model lacks.")
        return np.array(found, dtype=np.int64)

    def _ask(
        self, question: str, answer: str, rows: pd.DataFrame, shape: Callable[[int], tuple[int, ...]]
    ) -> np.ndarray:
        parts = [_checked(self._question(question, part, {}), answer, shape(len(part))) for part in self._parts(rows)]
        return np.concatenate(parts) if parts else np.zeros(shape(0))

    def _chosen(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows[list(self._features)] if set(self._features) <= set(rows.columns) else rows

    def _parts(self, rows: pd.DataFrame, *, width: int = 1) -> Iterable[pd.DataFrame]:
        """Cut rows so that neither the question nor its answer, ``width`` numbers for each row, is too large."""
        chosen = self._chosen(rows)
        step = max(1, _CELLS_AT_ONCE // max(1, chosen.shape[1], width))
        for start in range(0, len(chosen), step):
            yield chosen.iloc[start : start + step]

    def _question(self, kind: str, rows: pd.DataFrame, more: dict[str, Json]) -> Frame:
        header, buffers = tables.encode(rows)
        return self._told({"kind": kind, **header, **more}, buffers)

    def _told(self, header: dict[str, Json], buffers: Iterable[object] = ()) -> Frame:
        # Analyses ask from several threads: a question and its answer are one.
        with self._lock:
            self._connection.send(header, buffers)
            frame = self._connection.receive()
        if frame.kind == "refused":
            raise InvalidInput(without_paths(frame.text("message")) or "The model cannot use these rows.")
        return frame


def _checked(frame: Frame, kind: str, shape: tuple[int, ...], *, index: int = 0) -> np.ndarray:
    if frame.kind != kind or len(frame.buffers) != index + 1 or frame.buffers[index].shape != shape:
        raise WorkerFailed(
            f"The model process answered {one_line(frame.kind, limit=40)!r} of another size than asked for."
        )
    return frame.buffers[index]


def _rounds(frame: Frame, most: int) -> np.ndarray:
    """Return the round counts of a staged answer: whole, increasing, from 1."""
    rounds = frame.buffers[0] if frame.buffers else np.zeros(0)
    if frame.kind != "staged" or rounds.dtype != np.int64 or rounds.ndim != 1 or not 1 <= len(rounds) <= max(most, 2):
        raise WorkerFailed("The model process gave stages that are none.")
    if rounds[0] < 1 or (np.diff(rounds) < 1).any():
        raise WorkerFailed("The model process gave stages in an order that cannot be.")
    return rounds


def _bytes(frame: Frame, name: str) -> int | None:
    value = frame.header.get(name)
    if value is not None and (type(value) is not int or value < 0):
        raise BadFrame(f"The model process gave {name!r} as something that is no number of bytes.")
    return value if isinstance(value, int) else None


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
