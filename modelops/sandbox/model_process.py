"""The worker that opens one model file and answers questions about it.

Messages: ``open`` (with ``file``, the name of an input, and ``format``) is answered by ``summary``. Then ``describe``,
``predict``, ``scores`` and ``contributions`` (with a table, see `modelops.sandbox.tables`) come from the parent, or,
after ``serve``, from the process that the parent links. The model process gets features without labels.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from modelops.errors import InvalidInput, ModelOpsError, NotMeasured, RefusedFile
from modelops.sandbox import tables
from modelops.sandbox.detect import FileKind
from modelops.sandbox.wire import BadFrame, EndOfStream, Frame, Json, Stream

if TYPE_CHECKING:
    from modelops.sandbox.adapters.base import OpenedModel
    from modelops.sandbox.channel import Channel


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
    model = open_model(channel.input(frame.text("file")), FileKind(frame.text("format")))
    _describe(channel, model)
    while True:
        frame = channel.receive()
        if frame.kind == "serve":
            serve(channel.peer(), model)
        else:
            answer(channel, frame, model)


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


def serve(peer: Stream, model: OpenedModel) -> None:
    """Answer another process until it goes away."""
    while True:
        try:
            frame = peer.receive()
        except EndOfStream:
            return
        answer(peer, frame, model)


def answer(stream: Stream, frame: Frame, model: OpenedModel) -> None:
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
        question(stream, frame, model)
    except (InvalidInput, NotMeasured) as error:
        stream.send({"kind": "refused", "message": str(error)[:2000]})


def _describe(stream: Stream, model: OpenedModel) -> None:
    stream.send({"kind": "summary", "named": model.is_named}, [model.summary.model_dump_json().encode()])


def _predict(stream: Stream, frame: Frame, model: OpenedModel) -> None:
    stream.send({"kind": "predictions"}, [model.predict(tables.decode(frame))])


def _scores(stream: Stream, frame: Frame, model: OpenedModel) -> None:
    stream.send({"kind": "scores"}, [model.scores(tables.decode(frame))])


def _contributions(stream: Stream, frame: Frame, model: OpenedModel) -> None:
    index = frame.header.get("class", 0)
    if type(index) is not int or not 0 <= index < max(len(model.summary.classes), 1):
        raise BadFrame("Contributions were asked for a class that the model does not have.")
    found = model.contributions(tables.decode(frame), class_index=index)
    if found is None:
        stream.send({"kind": "no contributions"})
    else:
        header: dict[str, Json] = {"kind": "contributions", "base": found.base}
        header |= {"unit": found.unit, "method": found.method}
        stream.send(header, [found.values])  # noqa: PD011 - not pandas


_QUESTIONS: dict[str, Callable[[Stream, Frame, OpenedModel], None]] = {
    "describe": lambda stream, _, model: _describe(stream, model),
    "predict": _predict,
    "scores": _scores,
    "contributions": _contributions,
}
