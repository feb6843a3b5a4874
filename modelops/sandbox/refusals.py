"""What is never opened, how it is recognised, and what to do instead.

One table: a signature at the start of the file, what it is, and the way to convert. Pickles are recognised in every
protocol, also when packed.
"""

from __future__ import annotations

import io
import pickletools
import re
from dataclasses import dataclass

_CONVERT_MODEL = (
    "Save the model in a format that holds no code: scikit-learn with skops.io.dump(model, 'model.skops') or as ONNX, "
    "XGBoost with save_model('model.json'), LightGBM with booster_.save_model('model.txt'), CatBoost with "
    "save_model('model.cbm')."
)
_CONVERT_TORCH = "Export the model with torch.onnx.export(model, example, 'model.onnx')."
_CONVERT_KERAS = "Export the model with model.export('model.onnx', format='onnx')."
_CONVERT_TABLE = "Save the table as CSV, Parquet, XLSX or JSON lines."


@dataclass(frozen=True)
class Refusal:
    """``what`` the file is, and ``instead``: what to do."""

    what: str
    instead: str

    def text(self, name: str) -> str:
        """Return the message."""
        return f"{name} is {self.what}, which is not opened here. {self.instead}"


PICKLE = Refusal(
    "a Python pickle (also the form of joblib, dill and cloudpickle), and opening one runs code", _CONVERT_MODEL
)
TORCH = Refusal("a PyTorch file, and opening one runs code", _CONVERT_TORCH)
KERAS = Refusal("a Keras model", _CONVERT_KERAS)
NUMPY_ARCHIVE = Refusal("a NumPy archive (npz)", _CONVERT_TABLE)
MLFLOW = Refusal(
    "an MLflow model folder, and opening one runs code",
    "Upload the model file inside it, if that is .onnx, .skops, .json, .ubj, .txt or .cbm.",
)
MACROS = Refusal("a workbook with macros", "Save it as XLSX without macros, or as CSV.")
OTHER_OFFICE = Refusal("an office document that is not an XLSX workbook", _CONVERT_TABLE)
H2O = Refusal("an H2O MOJO model", "Export predictions with the model and upload the table with them.")
OTHER_ZIP = Refusal("a zip file of an unknown kind", "Upload the one file that is meant, unpacked.")
PMML = Refusal("a PMML model", "Export the model as ONNX, or upload a table with its predictions.")
XML = Refusal("an XML or HTML document", _CONVERT_TABLE)
YAML = Refusal("a YAML document", _CONVERT_TABLE)
JSON_DOCUMENT = Refusal(
    "a JSON document",
    "A table in JSON needs one object on each line: table.to_json('t.jsonl', orient='records', lines=True).",
)
SAFETENSORS = Refusal("a safetensors file: weights without the model that uses them", _CONVERT_TORCH)
SAVED_MODEL = Refusal(
    "a Protocol Buffers message without an ONNX graph, such as a TensorFlow SavedModel",
    "Export the model as ONNX (python -m tf2onnx.convert --saved-model FOLDER --output model.onnx).",
)
UNKNOWN = Refusal(
    "of a kind that is not known here",
    "Models may be skops, ONNX, XGBoost JSON or UBJ, LightGBM text or CatBoost cbm; tables CSV, Parquet, XLSX or JSON "
    "lines.",
)
EMPTY = Refusal("empty", "Upload it again, or export it again.")


def _packed(how: str) -> Refusal:
    return Refusal(
        f"packed with {how}", f"Unpack it and upload what is inside. If it was written by joblib: {_CONVERT_MODEL}"
    )


ZLIB = _packed("zlib")
_SIGNATURES: tuple[tuple[int, bytes, Refusal], ...] = (
    (0, b"\x1f\x8b", _packed("gzip")),
    (0, b"BZh", _packed("bzip2")),
    (0, b"\xfd7zXZ\x00", _packed("xz")),
    (0, b"\x5d\x00\x00", _packed("lzma")),
    (0, b"\x28\xb5\x2f\xfd", _packed("zstandard")),
    (0, b"\x04\x22\x4d\x18", _packed("lz4")),
    (0, b"\x78\x9c", ZLIB),
    (0, b"\x78\x01", ZLIB),
    (0, b"\x78\xda", ZLIB),
    (0, b"7z\xbc\xaf\x27\x1c", _packed("7-Zip")),
    (0, b"Rar!", _packed("RAR")),
    (257, b"ustar", _packed("tar")),
    (0, b"\x93NUMPY", Refusal("a NumPy array (npy)", _CONVERT_TABLE)),
    (0, b"\x89HDF\r\n\x1a\n", Refusal("an HDF5 file (Keras h5, pandas to_hdf)", f"{_CONVERT_KERAS} {_CONVERT_TABLE}")),
    (4, b"TFL3", Refusal("a TensorFlow Lite model", "Export the model as ONNX.")),
    (0, b"GGUF", Refusal("a GGUF language model", "Upload a table with its predictions.")),
    (0, b"ARROW1", Refusal("an Arrow or Feather file", _CONVERT_TABLE)),
    (0, b"ORC", Refusal("an ORC file", _CONVERT_TABLE)),
    (0, b"Obj\x01", Refusal("an Avro file", _CONVERT_TABLE)),
    (0, b"SQLite format 3\x00", Refusal("an SQLite database", _CONVERT_TABLE)),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Refusal("an old Excel workbook (xls)", "Save it as XLSX.")),
    (0, b"%PDF-", Refusal("a PDF document", _CONVERT_TABLE)),
    (0, b"\xac\xed\x00\x05", Refusal("a serialised Java object", _CONVERT_MODEL)),
    (0, b"\x7fELF", Refusal("a program", "Upload a model or a table.")),
    (0, b"MZ\x90\x00", Refusal("a program", "Upload a model or a table.")),
    (0, b"RDX", Refusal("an R workspace", _CONVERT_TABLE)),
    (0, b"\x89PNG", Refusal("an image", _CONVERT_TABLE)),
    (0, b"\xff\xd8\xff", Refusal("an image", _CONVERT_TABLE)),
)
_XML_START = re.compile(rb"\s*<(\?xml|!DOCTYPE|!--|html|PMML|[A-Za-z][\w.:-]*[\s>])", re.IGNORECASE)
_NAMING = {"GLOBAL", "INST"}
_LONG = 60_000
_CLASS = re.compile(r"[A-Za-z_][\w.]* [A-Za-z_][\w.]*")
_YAML_TAG = re.compile(rb"!!python/|^\s*%YAML|^---\s*$|^flavors:|^artifact_path:", re.MULTILINE)


def by_signature(head: bytes) -> Refusal | None:
    """Return what the first bytes give away, if it is something that is never opened."""
    for offset, signature, refusal in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            return refusal
    if is_pickle(head) or head[:2] == b"ZF":
        return PICKLE
    return None


def by_text(head: bytes) -> Refusal | None:
    """Return what readable first bytes give away."""
    start = head.removeprefix(b"\xef\xbb\xbf")
    if _XML_START.match(start):
        return PMML if b"<PMML" in head else XML
    if _YAML_TAG.search(start):
        return MLFLOW if b"flavors:" in head else YAML
    return None


def is_pickle(head: bytes) -> bool:
    """Say whether this is the beginning of a pickle of any protocol.

    Protocol 2 and later begin with a mark of their own. The older ones are text and look much like a table: their
    opcodes are listed, not run, and count when they come to a proper end, or fill all of a long head.
    """
    if len(head) > 2 and head[0] == 0x80 and head[1] <= 10:
        return True
    seen: set[str] = set()
    reached = 0
    try:
        for opcode, argument, position in pickletools.genops(io.BytesIO(head)):
            if opcode.name in _NAMING and not _CLASS.fullmatch(str(argument)):
                return False
            seen.add(opcode.name)
            reached = position or 0
            if opcode.name == "STOP":
                break
    except Exception:  # noqa: BLE001, S110 - pickletools raises anything on what is no pickle, or is cut off here
        pass
    is_whole = "STOP" in seen
    is_cut_off = len(head) >= _LONG and reached > len(head) - _LONG // 4
    return (is_whole or is_cut_off) and bool(seen & {"MARK", "GLOBAL"})
