"""What a file is, and what is in it, found out in a sandboxed process."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePath

from modelops.domain.columns import ModelSummary, TableSummary
from modelops.errors import RefusedFile
from modelops.evaluation.request import TableInput
from modelops.evaluation.workers import (
    ANALYSIS_PROCESS,
    MODEL_PROCESS,
    Progress,
    answer_of,
    input_name,
    never,
    quiet,
    validated,
)
from modelops.sandbox import ANALYSIS_LIMITS, MODEL_LIMITS, Limits, Worker
from modelops.sandbox.detect import FileKind, detect
from modelops.sandbox.messages import shown_name
from modelops.sandbox.model_client import open_model

_HEAD = 64 << 10
_GZIP = b"\x1f\x8b"
_MODEL_FILES = {
    ".skops": "the zip archive that skops.io.dump(model, 'model.skops') writes, with a schema.json inside",
    ".onnx": "the binary file that onnx.save(model, 'model.onnx') or a converter such as skl2onnx writes",
    ".json": "what XGBoost's save_model('model.json') writes",
    ".ubj": "what XGBoost's save_model('model.ubj') writes",
    ".txt": "what LightGBM's booster_.save_model('model.txt') writes, which begins with the line tree",
    ".cbm": "what CatBoost's save_model('model.cbm') writes",
}


def file_kind(path: Path, *, name: str) -> FileKind:
    """Return what a file is, by content; text tables may be packed with gzip.

    Only the first bytes are looked at, and of a gzip file the first 64 KiB of what it unpacks to.

    Raises
    ------
    RefusedFile
        If it is of a kind that is never opened; the message says how to convert it.
    """
    with path.open("rb") as file:
        packed = file.read(_HEAD)
    if not packed.startswith(_GZIP):
        return detect(path, name=name)
    with tempfile.TemporaryDirectory(prefix="modelops-") as folder:
        head = Path(folder) / "head"
        head.write_bytes(_unpacked_head(packed))
        try:
            kind = detect(head, name=name)
        except RefusedFile:
            kind = None
    if kind not in (FileKind.CSV, FileKind.JSONL):
        return detect(path, name=name)
    return kind


def _unpacked_head(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(packed, _HEAD)
    except zlib.error:
        return b""


def inspect_table(
    path: Path,
    *,
    name: str,
    progress: Progress = quiet,
    cancelled: Callable[[], bool] = never,
    limits: Limits = ANALYSIS_LIMITS,
) -> TableSummary:
    """Return columns, statistics, guessed roles and first rows of a table.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What the uploader calls it; for messages only.
    progress, cancelled : callable
        See `evaluate`.
    limits : Limits
        What the process that opens it may use.

    Raises
    ------
    RefusedFile
        If it is no table, or cannot be read without guessing.
    TooLarge
        If a limit of tables is exceeded.
    WorkerFailed
        If the process that opened it died or ran over a limit.
    """
    kind = table_kind(path, name=name)
    table = TableInput(file=input_name("data", kind), format=kind.value, name=shown_name(name))
    with Worker.start(ANALYSIS_PROCESS, limits, subject=shown_name(name)) as worker:
        worker.put(path, table.file)
        worker.send({"kind": "inspect"}, (table.model_dump_json().encode(),))
        return validated(TableSummary, answer_of(worker, progress, cancelled))


def inspect_model(path: Path, *, name: str, limits: Limits = MODEL_LIMITS) -> ModelSummary:
    """Return format, task, features and classes of a model.

    Raises
    ------
    RefusedFile
        If it is no model, or of a format that is never opened.
    WorkerFailed
        If the process that opened it died or ran over a limit.
    """
    kind = model_kind(path, name=name)
    with Worker.start(MODEL_PROCESS, limits, subject=shown_name(name)) as worker:
        return open_model(worker, path, kind, name=name)


def table_kind(path: Path, *, name: str) -> FileKind:
    """Return the format of a table.

    Raises
    ------
    RefusedFile
        If it is a model, or refused at all.
    """
    kind = file_kind(path, name=name)
    if kind.is_model:
        raise RefusedFile(
            f"{shown_name(name)} is a model ({kind.value}), a table is wanted here: CSV, Parquet, XLSX or JSON lines."
        )
    return kind


def model_kind(path: Path, *, name: str) -> FileKind:
    """Return the format of a model.

    Raises
    ------
    RefusedFile
        If it is a table, or refused at all.
    """
    kind = file_kind(path, name=name)
    if not kind.is_model:
        raise RefusedFile(
            f"{shown_name(name)} is a table ({kind.value}), a model is wanted here: skops, ONNX, XGBoost JSON or UBJ,"
            f" LightGBM text or CatBoost.{_what_it_must_be(name)}"
        )
    return kind


def _what_it_must_be(name: str) -> str:
    """Say what a file with this ending holds, if it is one of a model."""
    ending = PurePath(name).suffix.lower()
    return f" A {ending} file must be {_MODEL_FILES[ending]}." if ending in _MODEL_FILES else ""
