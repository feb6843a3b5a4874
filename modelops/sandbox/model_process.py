"""The worker that opens one model file and answers questions about it.

Messages: ``open`` (with ``file``, the name of an input, and ``format``) is answered by ``summary``. Then ``describe``
and questions with a table (see `modelops.sandbox.tables`) come from the parent, or, after ``serve``, from the process
that the parent links: ``predict``, ``scores``, ``contributions``, ``staged``, ``timed``, and ``resources`` without one.

The model process gets features without labels, with one exception: ``refit`` brings training rows with their labels,
and an untrained copy of the estimator learns from them. It is answered only for scikit-learn estimators saved with
skops, which are made of types on our list and run no code of the file; every other format is answered by ``no recipe``
before a label is looked at. ``refitted`` asks the copy. The labels of the rows that a model is measured on never get
here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from modelops.errors import InvalidInput, ModelOpsError, NotMeasured, RefusedFile
from modelops.sandbox import tables
from modelops.sandbox.detect import FileKind
from modelops.sandbox.wire import BadFrame, EndOfStream, Frame, Json, Stream

if TYPE_CHECKING:
    import pandas as pd

    from modelops.sandbox.adapters.base import Answers, OpenedModel
    from modelops.sandbox.channel import Channel


_MOST_REPEATS = 10_000
_MOST_STAGES = 1_000


@dataclass
class Served:
    """The model that questions are about, the file it came from, and what answers for the copy trained last."""

    model: OpenedModel
    path: Path
    kind: FileKind
    refitted: Answers | None = None


def warm_up() -> None:
    """Import every library of models."""
    import catboost  # noqa: F401
    import lightgbm  # noqa: F401
    import onnxruntime  # noqa: F401
    import pandas as pd  # noqa: F401
    import skops.io  # noqa: F401
    import xgboost  # noqa: F401


def main(channel: Channel) -> None:
    """Open one model and answer until the parent goes away."""
    frame = channel.receive()
    if frame.kind != "open":
        raise BadFrame(f"Got the message {frame.kind!r}, expected 'open'.")
    path, kind = channel.input(frame.text("file")), FileKind(frame.text("format"))
    served = Served(open_model(path, kind), path, kind)
    _describe(channel, frame, served)
    while True:
        frame = channel.receive()
        if frame.kind == "serve":
            serve(channel.peer(), served)
        else:
            answer(channel, frame, served)


def open_model(path: Path, kind: FileKind) -> OpenedModel:
    """Open a model file. Only ever called in a sandboxed process.

    Raises
    ------
    RefusedFile
        If the file is damaged, asks for what is not given, or is no model.
    """
    opener = _OPENERS.get(kind)
    if opener is None:
        raise RefusedFile(f"A file of the format {kind} is a table, a model is needed.")
    from modelops.sandbox.adapters.base import unreadable

    try:
        return opener(path)
    except (ModelOpsError, MemoryError):
        raise
    except Exception as error:  # a damaged file makes the libraries raise anything
        raise unreadable(kind.partition("_")[0], error) from error


def _onnx(path: Path) -> OpenedModel:
    from modelops.sandbox.adapters.onnx_model import open_onnx

    return open_onnx(path)


def _skops(path: Path) -> OpenedModel:
    from modelops.sandbox.adapters.skops_model import open_skops

    return open_skops(path)


def _xgboost_json(path: Path) -> OpenedModel:
    from modelops.sandbox.adapters.xgboost_model import open_xgboost

    return open_xgboost(path, kind=FileKind.XGBOOST_JSON)


def _xgboost_ubj(path: Path) -> OpenedModel:
    from modelops.sandbox.adapters.xgboost_model import open_xgboost

    return open_xgboost(path, kind=FileKind.XGBOOST_UBJ)


def _lightgbm(path: Path) -> OpenedModel:
    from modelops.sandbox.adapters.lightgbm_model import open_lightgbm

    return open_lightgbm(path)


def _catboost(path: Path) -> OpenedModel:
    from modelops.sandbox.adapters.catboost_model import open_catboost

    return open_catboost(path)


_OPENERS: dict[FileKind, Callable[[Path], OpenedModel]] = {
    FileKind.ONNX: _onnx,
    FileKind.SKOPS: _skops,
    FileKind.XGBOOST_JSON: _xgboost_json,
    FileKind.XGBOOST_UBJ: _xgboost_ubj,
    FileKind.LIGHTGBM: _lightgbm,
    FileKind.CATBOOST: _catboost,
}


def serve(peer: Stream, served: Served) -> None:
    """Answer another process until it goes away."""
    while True:
        try:
            frame = peer.receive()
        except EndOfStream:
            return
        answer(peer, frame, served)


def answer(stream: Stream, frame: Frame, served: Served) -> None:
    """Answer one question. What the model cannot do with these rows is told, and does not end the process.

    Raises
    ------
    BadFrame
        If this is no question.
    """
    question = _QUESTIONS.get(frame.kind)
    if question is None:
        raise BadFrame(f"Got the unknown question {frame.kind!r}.")
    try:
        question(stream, frame, served)
    except (InvalidInput, NotMeasured) as error:
        stream.send({"kind": "refused", "message": str(error)[:2000]})


def _describe(stream: Stream, _: Frame, served: Served) -> None:
    model = served.model
    stream.send({"kind": "summary", "named": model.is_named}, [model.summary.model_dump_json().encode()])


def _predict(stream: Stream, frame: Frame, served: Served) -> None:
    stream.send({"kind": "predictions"}, [served.model.predict(tables.decode(frame))])


def _scores(stream: Stream, frame: Frame, served: Served) -> None:
    stream.send({"kind": "scores"}, [served.model.scores(tables.decode(frame))])


def _contributions(stream: Stream, frame: Frame, served: Served) -> None:
    index = _whole(frame, "class", 0, max(len(served.model.summary.classes), 1) - 1)
    found = served.model.contributions(tables.decode(frame), class_index=index)
    if found is None:
        stream.send({"kind": "no contributions"})
    else:
        header: dict[str, Json] = {"kind": "contributions", "base": found.base}
        header |= {"unit": found.unit, "method": found.method}
        stream.send(header, [found.values])  # noqa: PD011 - not pandas


def _staged(stream: Stream, frame: Frame, served: Served) -> None:
    found = served.model.staged(tables.decode(frame), stages=_whole(frame, "stages", 1, _MOST_STAGES))
    if found is None:
        stream.send({"kind": "no stages"})
    else:
        stream.send({"kind": "staged"}, [found.rounds, found.answers])


def _refit(stream: Stream, frame: Frame, served: Served) -> None:
    served.refitted = None
    if served.kind is FileKind.SKOPS:
        train, target = tables.decode(Frame(frame.header, frame.buffers[:-1])), frame.buffers[-1]
        _check_target(target, len(train), len(served.model.summary.classes))
        seed = None if frame.header.get("seed") is None else _whole(frame, "seed", 0, 2**32 - 1)
        served.refitted = served.model.refit(train, target, seed=seed)
    stream.send({"kind": "no recipe" if served.refitted is None else "ready"})


def _check_target(target: np.ndarray, n_rows: int, n_classes: int) -> None:
    fits = target.dtype == (np.int64 if n_classes else np.float64) and target.shape == (n_rows,)
    if not fits or (n_classes and n_rows and not 0 <= target.min() <= target.max() < n_classes):
        raise BadFrame("Training rows arrived with labels that do not fit them or the model.")


def _refitted(stream: Stream, frame: Frame, served: Served) -> None:
    if served.refitted is None:
        raise BadFrame("A trained copy was asked before one was trained.")
    stream.send({"kind": "refitted"}, [served.refitted(tables.decode(frame))])


def _timed(stream: Stream, frame: Frame, served: Served) -> None:
    from modelops.sandbox.adapters.base import answers

    rows, batch = tables.decode(frame), _whole(frame, "batch", 1, 1 << 24)
    seconds = frame.header.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not len(rows):
        raise BadFrame("Rows and a number of seconds are needed to time a model.")
    question, used = answers(served.model), np.arange(batch)
    question(rows.take(used % len(rows)))  # what the first call sets up is not what a call costs
    spent: list[tuple[float, float]] = []
    began = time.perf_counter()
    for _ in range(_whole(frame, "repeats", 1, _MOST_REPEATS)):
        spent.append(_cost(question, rows.take(used % len(rows))))
        used += batch
        if time.perf_counter() - began >= seconds:
            break
    stream.send({"kind": "timed"}, [np.array(spent)])


def _cost(question: Answers, rows: pd.DataFrame) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    question(rows)
    return time.perf_counter() - wall, time.process_time() - processor


def _resources(stream: Stream, frame: Frame, served: Served) -> None:
    resident, peak = _memory()
    spent = []
    for _ in range(_whole(frame, "repeats", 1, _MOST_REPEATS)):
        began = time.perf_counter()
        open_model(served.path, served.kind)
        spent.append(time.perf_counter() - began)
    header: dict[str, Json] = {"kind": "resources", "size": served.path.stat().st_size}
    stream.send(header | {"resident": resident, "peak": peak}, [np.array(spent)])


def _memory() -> tuple[int | None, int | None]:
    """Return the bytes that this process has in memory, now and at the most so far, where the system tells (Linux)."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None, None
    kibibytes = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines) if value.split()}
    found = [int(kibibytes[name]) << 10 if name in kibibytes else None for name in ("VmRSS", "VmHWM")]
    return found[0], found[1]


def _whole(frame: Frame, name: str, low: int, high: int) -> int:
    value = frame.header.get(name)
    if type(value) is not int or not low <= value <= high:
        raise BadFrame(f"Got {value!r} as {name!r} of the question {frame.kind!r}, expected {low} to {high}.")
    return value


_QUESTIONS: dict[str, Callable[[Stream, Frame, Served], None]] = {
    "describe": _describe,
    "predict": _predict,
    "scores": _scores,
    "contributions": _contributions,
    "staged": _staged,
    "refit": _refit,
    "refitted": _refitted,
    "timed": _timed,
    "resources": _resources,
}
