"""What a file is, by its content and never by its name.

Only the first bytes are read, and of zip files the list of members; nothing is unpacked, parsed in full, or handed to a
library of its format. That is safe in the server's own process. Whether the file is sound is found out later, in a
sandboxed one.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from modelops.errors import RefusedFile
from modelops.sandbox import archives, protobuf, refusals
from modelops.sandbox.messages import shown_name

_HEAD = 64 << 10
_XGBOOST_JSON = re.compile(rb'\{\s*"(learner|version)"\s*:\s*[\[{]')
_XGBOOST_UBJ = re.compile(rb"\{(L\x00\x00\x00\x00\x00\x00\x00|[iU])\x07(learner|version)")
_LIGHTGBM = re.compile(rb"tree\r?\nversion=v\d")
_ONNX_TOP = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26})
_ONNX_GRAPH = 7


class FileKind(StrEnum):
    """The formats that are opened, in a sandboxed process."""

    SKOPS = "skops"
    ONNX = "onnx"
    XGBOOST_JSON = "xgboost_json"
    XGBOOST_UBJ = "xgboost_ubj"
    LIGHTGBM = "lightgbm"
    CATBOOST = "catboost"
    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"
    JSONL = "jsonl"

    @property
    def is_model(self) -> bool:
        """Whether it is a model and not a table."""
        return self in _MODELS


_MODELS = frozenset(
    {
        FileKind.SKOPS,
        FileKind.ONNX,
        FileKind.XGBOOST_JSON,
        FileKind.XGBOOST_UBJ,
        FileKind.LIGHTGBM,
        FileKind.CATBOOST,
    }
)


def detect(path: Path, *, name: str) -> FileKind:
    """Return what ``path`` is.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        What the uploader calls it; for messages only.

    Raises
    ------
    RefusedFile
        If it is of a kind that is never opened (with the way to convert it), or of none.
    TooLarge
        If it is a zip file that would unpack to too much.
    """
    name = shown_name(name)
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip():
        raise RefusedFile(refusals.EMPTY.text(name))
    if head[:4] == b"PK\x03\x04" or head[:4] == b"PK\x05\x06":
        return _zip_kind(path, name=name)
    kind = _by_start(head, path, size, name=name)
    if kind is not None:
        return kind
    refusal = refusals.by_signature(head)
    if refusal is not None:
        raise RefusedFile(refusal.text(name))
    if _looks_like_onnx(head):
        return _onnx(path, size, name=name)
    return _text_kind(head, name=name)


def _by_start(head: bytes, path: Path, size: int, *, name: str) -> FileKind | None:
    if head[:4] == b"PAR1":
        with path.open("rb") as file:
            file.seek(max(0, size - 4))
            if file.read(4) != b"PAR1":
                raise RefusedFile(f"{name} begins like a Parquet file and has no end: it is cut off. Upload it again.")
        return FileKind.PARQUET
    if head[:4] == b"CBM1":
        return FileKind.CATBOOST
    if _LIGHTGBM.match(head):
        return FileKind.LIGHTGBM
    if _XGBOOST_UBJ.match(head):
        return FileKind.XGBOOST_UBJ
    if _XGBOOST_JSON.match(head.lstrip()):
        return FileKind.XGBOOST_JSON
    return None


def _zip_kind(path: Path, *, name: str) -> FileKind:
    members = archives.members(path, name=name)
    # Before anything else: a pickle inside makes the whole file one that is not opened.
    if members.any_named("data.pkl"):
        raise RefusedFile(refusals.TORCH.text(name))
    if members.any_named("MLmodel"):
        raise RefusedFile(refusals.MLFLOW.text(name))
    if members.any_ending(".pkl", ".pickle", ".joblib", ".dill"):
        raise RefusedFile(refusals.PICKLE.text(f"{name}, or a member of it,"))
    if members.has("schema.json"):
        return FileKind.SKOPS
    if members.has("xl/workbook.xml") and members.has("[Content_Types].xml"):
        if members.any_named("vbaProject.bin"):
            raise RefusedFile(refusals.MACROS.text(name))
        return FileKind.XLSX
    raise RefusedFile(_other_zip(members).text(name))


def _other_zip(members: archives.Members) -> refusals.Refusal:
    if members.any_ending(".weights.h5"):
        return refusals.KERAS
    if members.all_ending(".npy"):
        return refusals.NUMPY_ARCHIVE
    if members.has("model.ini"):
        return refusals.H2O
    if members.has("[Content_Types].xml") or members.has("mimetype"):
        return refusals.OTHER_OFFICE
    return refusals.OTHER_ZIP


def _looks_like_onnx(head: bytes) -> bool:
    # ir_version first (field 1, a small number), then any other field of a model.
    return len(head) > 3 and head[0] == 0x08 and 0 < head[1] < 100 and head[2] >> 3 in _ONNX_TOP


def _onnx(path: Path, size: int, *, name: str) -> FileKind:
    try:
        with path.open("rb") as file:
            top = protobuf.outline(file, size)
    except protobuf.Malformed as error:
        raise RefusedFile(f"{name} begins like an ONNX model and is none. {error} Export it again.") from error
    if any(key not in _ONNX_TOP for key, _, _ in top) or _ONNX_GRAPH not in {key for key, _, _ in top}:
        raise RefusedFile(refusals.SAVED_MODEL.text(name))
    return FileKind.ONNX


def _text_kind(head: bytes, *, name: str) -> FileKind:
    refusal = refusals.by_text(head)
    if refusal is not None:
        raise RefusedFile(refusal.text(name))
    if _is_safetensors(head):
        raise RefusedFile(refusals.SAFETENSORS.text(name))
    if not _is_text(head):
        # The fourth way zlib may begin is the text "x^".
        raise RefusedFile((refusals.ZLIB if head[:2] == b"x^" else refusals.UNKNOWN).text(name))
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"{":
        return _json_kind(start, name=name)
    if start[:1] == b"[":
        raise RefusedFile(refusals.JSON_DOCUMENT.text(name))
    return FileKind.CSV


def _json_kind(start: bytes, *, name: str) -> FileKind:
    line = start.split(b"\n", 1)[0].rstrip()
    is_cut = len(line) == len(start.rstrip()) and len(start) >= _HEAD - 16
    if line.endswith(b"}") or is_cut:
        return FileKind.JSONL
    raise RefusedFile(refusals.JSON_DOCUMENT.text(name))


def _is_safetensors(head: bytes) -> bool:
    return len(head) > 9 and head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") < 1 << 27


def _is_text(head: bytes) -> bool:
    """Say whether this may be text: UTF-16 and UTF-32 with a mark or with zeros in step, else no control characters."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    zeros = head.count(0)
    if zeros:
        half = len(head) // 2
        in_step = max(head[::2].count(0), head[1::2].count(0))
        return len(head) > 3 and in_step > 0.6 * half and zeros - in_step < 0.1 * half
    controls = sum(head.count(code) for code in (*range(1, 9), *range(14, 27), 28, 29, 30, 31, 127))
    return controls <= len(head) // 1000
