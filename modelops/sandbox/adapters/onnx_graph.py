"""Checks of an ONNX model before ONNX Runtime reads it, with a walker of our own instead of the ``onnx`` package.

Refused: tensors kept in other files (path traversal), operators outside the standard, functions of the file's own,
loops and branches (a loop may never end), training parts, and counts that no model has.

References
----------
The schema, ``onnx/onnx.proto`` in ONNX's repository: field numbers below are from there.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from itertools import islice

from modelops.errors import RefusedFile, TooLarge
from modelops.sandbox import protobuf
from modelops.sandbox.adapters.base import MAX_CLASSES
from modelops.sandbox.messages import one_line

MAX_NODES = 20_000
MAX_TENSORS = 50_000
MAX_TENSOR_ELEMENTS = 1 << 28
MAX_NESTING = 4

_STANDARD_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
_CONTROL = {"Loop", "Scan", "If", "SequenceMap"}
_CLASS_ATTRIBUTES = {"classlabels_strings", "classlabels_ints", "classlabels_int64s"}
_EXTERNAL = 1  # data_location
_INT64, _INT32 = 7, 6
_MAX_DIMENSIONS = 64


@dataclass
class Graph:
    """What the checks found and the adapter needs.

    ``labels`` are the class labels that the file declares; ``makers`` maps each output to the operator that
    makes it.
    """

    nodes: int = 0
    tensors: int = 0
    operators: dict[str, int] = field(default_factory=dict)
    labels: list[tuple[str, ...]] = field(default_factory=list)
    makers: dict[str, str] = field(default_factory=dict)
    producer: str = ""


def check(content: bytes) -> Graph:
    """Check a model; see above for what is refused.

    Raises
    ------
    RefusedFile, TooLarge
        With the reason.
    """
    found = Graph()
    has_graph = False
    for part in protobuf.fields(memoryview(content)):
        if part.key == 2:
            found.producer = one_line(part.text(), limit=60)
        elif part.key == 7:
            has_graph = True
            _graph(part.content, found, depth=1)
        elif part.key == 8:
            _domain(_text_of(part.content, 1))
        elif part.key == 20:
            raise RefusedFile("The ONNX model holds parts for training. Export it for inference only.")
        elif part.key == 25:
            raise RefusedFile("The ONNX model holds functions of its own. Export it with the standard operators only.")
    if not has_graph:
        raise RefusedFile("The ONNX file holds no graph. Export the model again.")
    return found


def _graph(message: memoryview, found: Graph, *, depth: int) -> None:
    if depth > MAX_NESTING:
        raise RefusedFile(f"The ONNX model nests graphs deeper than {MAX_NESTING} levels.")
    for part in protobuf.fields(message):
        if part.key == 1:
            _node(part.content, found, depth=depth)
        elif part.key == 5:
            _tensor(part.content, found)
        elif part.key == 15:
            _sparse(part.content, found)


def _node(message: memoryview, found: Graph, *, depth: int) -> None:
    found.nodes += 1
    if found.nodes > MAX_NODES:
        raise TooLarge(f"The ONNX model has more than {MAX_NODES:,} operators.")
    operator, outputs, attributes = "", [], []
    for part in protobuf.fields(message):
        if part.key == 2:
            outputs.append(part.text())
        elif part.key == 4:
            operator = part.text()
        elif part.key == 5:
            attributes.append(part.content)
        elif part.key == 7:
            _domain(part.text())
    if operator in _CONTROL:
        raise RefusedFile(
            f"The ONNX model uses {operator}, which may run without end. Export it without control flow; "
            "nearest-neighbour models can be saved with skops instead."
        )
    found.operators[operator] = found.operators.get(operator, 0) + 1
    found.makers |= dict.fromkeys(outputs, operator)
    for attribute in attributes:
        _attribute(attribute, found, depth=depth)


def _attribute(message: memoryview, found: Graph, *, depth: int) -> None:
    name = ""
    labels: list[str] = []
    for part in protobuf.fields(message):
        if part.key == 1:
            name = part.text()
        elif part.key in (5, 10):
            _tensor(part.content, found)
        elif part.key in (6, 11):
            _graph(part.content, found, depth=depth + 1)
        elif part.key in (22, 23):
            _sparse(part.content, found)
        elif part.key == 8 and name in _CLASS_ATTRIBUTES:
            labels += [str(value) for value in protobuf.varints(part)]
        elif part.key == 9 and name in _CLASS_ATTRIBUTES:
            labels.append(part.text())
        if len(labels) > MAX_CLASSES:
            raise TooLarge(f"The ONNX model has more than {MAX_CLASSES:,} classes.")
    if labels:
        found.labels.append(tuple(labels))


def _tensor(message: memoryview, found: Graph) -> None:
    found.tensors += 1
    if found.tensors > MAX_TENSORS:
        raise TooLarge(f"The ONNX model has more than {MAX_TENSORS:,} tensors.")
    shape: list[int] = []
    name = ""
    for part in protobuf.fields(message):
        if part.key == 1:
            shape += islice(protobuf.varints(part), _MAX_DIMENSIONS + 1)
        elif part.key == 8:
            name = part.text()
        elif part.key == 13 or (part.key == 14 and part.number == _EXTERNAL):
            raise RefusedFile(
                "The ONNX model keeps numbers in other files. Export it as one file (without external data)."
            )
        if len(shape) > _MAX_DIMENSIONS:
            raise TooLarge(f"The ONNX model holds a tensor of more than {_MAX_DIMENSIONS} dimensions.")
    if any(size < 0 for size in shape) or math.prod(shape) > MAX_TENSOR_ELEMENTS:
        raise TooLarge(
            f"The ONNX model holds a tensor of shape {shape[:6]}, the limit is {MAX_TENSOR_ELEMENTS:,} numbers."
        )
    if name == "classes" and math.prod(shape) <= MAX_CLASSES:  # where scikit-learn's converter may keep the labels
        found.labels.append(_labels(message))


def _labels(message: memoryview) -> tuple[str, ...]:
    """Return the content of a small tensor of whole numbers or texts."""
    kind, raw = 0, b""
    values: list[str] = []
    for part in protobuf.fields(message):
        if part.key == 2:
            kind = part.number
        elif part.key == 6:
            values.append(part.text())
        elif part.key in (5, 7):
            values += [str(value) for value in islice(protobuf.varints(part), MAX_CLASSES)]
        elif part.key == 9:
            raw = bytes(part.content[: 8 * MAX_CLASSES])
        if len(values) > MAX_CLASSES:
            raise TooLarge(f"The ONNX model has more than {MAX_CLASSES:,} classes.")
    if raw and kind in (_INT64, _INT32):
        width, code = (8, "q") if kind == _INT64 else (4, "i")
        count = len(raw) // width
        values = [str(value) for value in struct.unpack(f"<{count}{code}", raw[: count * width])]
    return tuple(values)


def _sparse(message: memoryview, found: Graph) -> None:
    for part in protobuf.fields(message):
        if part.key in (1, 2):
            _tensor(part.content, found)


def _domain(name: str) -> None:
    if name not in _STANDARD_DOMAINS:
        raise RefusedFile(
            f"The ONNX model uses operators of {one_line(name, limit=60)!r}, which are not standard. Export it with "
            "the standard operators (domains ai.onnx and ai.onnx.ml)."
        )


def _text_of(message: memoryview, key: int) -> str:
    return next((part.text() for part in protobuf.fields(message) if part.key == key), "")
