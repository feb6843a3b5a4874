"""Hostile files, made here and never downloaded: each with what is to become of it.

``refused``: told apart by its first bytes or its list of members, in the parent. ``judged``: refused by the checks, in
the sandboxed process, before the library of its format computes with it. ``contained``: it may crash or hang its
process; the parent must not notice more than that.

What tries to run code leaves a marker: a file that must not be there afterwards.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

PICKLE_NAMES = (
    "model.pkl",
    "model.joblib",
    "model.skops",
    "table.csv",
    "model.onnx",
    "model.json",
    "m.cbm",
    "t.parquet",
)


@dataclass(frozen=True)
class Hostile:
    """One file: what the uploader calls it, its content, and a word of the message that refuses it."""

    title: str
    name: str
    content: bytes
    says: str


class Payload:
    """Touches the marker when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Path.touch, (self.marker,)


def pickles(marker: Path) -> Iterator[Hostile]:
    """Pickles of every protocol, under every name, in every packing and inside other files."""
    for protocol in range(6):
        content = pickle.dumps(Payload(marker), protocol=protocol)
        for name in PICKLE_NAMES:
            yield Hostile(f"pickle {protocol} as {name}", name, content, "pickle")
    content = pickle.dumps(Payload(marker))
    packings: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "bzip2": bz2.compress,
        "xz": lzma.compress,
        "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
        "zlib": zlib.compress,
    }
    for how, pack in packings.items():
        for name in ("model.joblib", "model.skops", "table.csv"):
            yield Hostile(f"{how} pickle as {name}", name, pack(content), f"packed with {how}")
    for level in (1, 3, 9):
        yield Hostile(f"zlib at {level}", "model.joblib", zlib.compress(content, level), "packed with zlib")
    yield from zipped_pickles(content)


def zipped_pickles(content: bytes) -> Iterator[Hostile]:
    """Zip files with a pickle inside."""
    yield Hostile("torch", "model.pt", zipped({"archive/data.pkl": content, "archive/version": b"3"}), "PyTorch")
    yield Hostile("torch as skops", "m.skops", zipped({"schema.json": b"{}", "a/data.pkl": content}), "PyTorch")
    yield Hostile("pickle in a zip", "m.zip", zipped({"model.PKL": content, "schema.json": b"{}"}), "pickle")
    yield Hostile("mlflow", "model.zip", zipped({"m/MLmodel": b"flavors:", "m/python_env.yaml": b""}), "MLflow")
    yield Hostile("keras", "model.keras", zipped({"config.json": b"{}", "model.weights.h5": b"x"}), "Keras")
    stream = io.BytesIO()
    np.savez(stream, a=np.array([{"a": 1}], dtype=object))
    yield Hostile("npz", "model.npz", stream.getvalue(), "npz")
    stream = io.BytesIO()
    np.save(stream, np.array([{"a": 1}], dtype=object))
    yield Hostile("npy", "model.npy", stream.getvalue(), "npy")


def archives() -> Iterator[Hostile]:
    """Zip files that lie."""
    schema = {"schema.json": b"{}"}
    yield Hostile("traversal", "m.skops", zipped({**schema, "../../x": b"x"}), "outside its folder")
    yield Hostile("absolute", "m.skops", zipped({**schema, "/etc/x": b"x"}), "outside its folder")
    yield Hostile("drive", "m.skops", zipped({**schema, "C:x": b"x"}), "outside its folder")
    yield Hostile("backslash", "m.skops", zipped({**schema, "..\\x": b"x"}), "outside its folder")
    yield Hostile("bomb", "m.skops", zipped({**schema, "a.npy": bytes(64 << 20)}, zipfile.ZIP_DEFLATED), "bombs")
    yield Hostile("cut off", "m.skops", zipped({**schema, "a.npy": bytes(1000)})[:-30], "cut off")
    many = {f"{index}.npy": b"" for index in range(60_000)}
    yield Hostile("too many members", "m.skops", zipped({**schema, **many}), "members")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        link = zipfile.ZipInfo("link.npy")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("schema.json", b"{}")
    yield Hostile("link", "m.skops", stream.getvalue(), "link")
    encrypted = bytearray(zipped(schema))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    yield Hostile("encrypted", "m.skops", bytes(encrypted), "encrypted")
    twice = zipped({**schema, "schema.jsoN": b"{}"}).replace(b"schema.jsoN", b"schema.json")
    yield Hostile("twice", "m.skops", twice, "twice")


def others() -> Iterator[Hostile]:
    """Other things that are never opened."""
    yield Hostile("empty", "t.csv", b"", "empty")
    yield Hostile("blank", "t.csv", b" \n\n ", "empty")
    yield Hostile("PMML", "m.pmml", b'<?xml version="1.0"?><PMML xmlns="x"/>', "PMML")
    yield Hostile("HTML", "t.csv", b"<!DOCTYPE html><script>alert(1)</script>", "XML or HTML")
    yield Hostile("YAML", "m.yaml", b"!!python/object/apply:os.system ['id']", "YAML")
    yield Hostile("HDF5", "m.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5")
    yield Hostile("program", "t.csv", b"\x7fELF\x02\x01\x01" + bytes(100), "program")
    yield Hostile("old Excel", "t.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "old Excel")
    yield Hostile("SQLite", "t.csv", b"SQLite format 3\x00" + bytes(100), "SQLite")
    yield Hostile("tar", "m.tar", bytes(257) + b"ustar" + bytes(300), "packed with tar")
    yield Hostile("safetensors", "m.bin", struct.pack("<Q", 20) + b'{"a":{"dtype":"F32"}', "safetensors")
    yield Hostile("JSON list", "t.json", b'[{"a": 1}]', "JSON document")
    yield Hostile("JSON document", "t.json", b'{\n "a": 1\n}', "JSON document")
    yield Hostile("noise", "t.csv", bytes(range(256)) * 8, "not known")
    yield Hostile("SavedModel", "m.pb", b"\x08\x01\x12\x04abcd", "SavedModel")
    yield Hostile("cut off Parquet", "t.parquet", b"PAR1" + bytes(100), "cut off")
    yield Hostile("cut off ONNX", "m.onnx", b"\x08\x0a\x3a\xff\x7fabc", "cut off")
    yield Hostile(
        "macros",
        "t.xlsm",
        zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b"", "xl/vbaProject.bin": b""}),
        "macros",
    )
    yield Hostile("document", "t.docx", zipped({"[Content_Types].xml": b"", "word/document.xml": b""}), "office")


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Make a zip file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def unzipped(content: bytes) -> dict[str, bytes]:
    """Return the members of a zip file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# --- what only a look inside shows: made from sound files --------------------------------------------------------


def skops_files(marker: Path) -> Iterator[Hostile]:
    """Make scikit-learn models that run code, read files, hang or point outside their arrays."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.tree import DecisionTreeClassifier
    from skops.io import dumps

    yield from skops_nodes(marker)
    rng = np.random.default_rng(0)
    features, label = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    texts = ["one two", "two three"] * 30

    reader = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, label)
    reader[0].input = "filename"
    yield Hostile("reads files", "m.skops", dumps(reader), "reads files")
    bomb = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, label)
    bomb[0].token_pattern = r"(a+)+$"
    yield Hostile("regex bomb", "m.skops", dumps(bomb), "token pattern")
    cached = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, label)
    cached.memory = str(marker)
    yield Hostile("memory", "m.skops", dumps(cached), "cache on disk")
    yield Hostile("no model", "m.skops", dumps({"a": 1}), "neither a classifier")
    yield Hostile("not trained", "m.skops", dumps(LogisticRegression()), "not been trained")

    def tree(**changes: Any) -> bytes:
        return with_array(dumps(DecisionTreeClassifier(max_depth=3).fit(features, label)), "left_child", changes)

    yield Hostile("left child far outside", "m.skops", tree(left_child=1 << 40), "child nodes")
    yield Hostile("left child before the array", "m.skops", tree(left_child=-(1 << 40)), "child nodes")
    yield Hostile("cycle", "m.skops", tree(right_child=0), "child nodes")
    yield Hostile("two parents", "m.skops", tree(left_child=2, right_child=2), "cycle")
    yield Hostile("feature outside", "m.skops", tree(feature=1 << 30), "splits use")
    forest = dumps(RandomForestClassifier(2, max_depth=2).fit(features, label))
    yield Hostile("forest", "m.skops", with_array(forest, "left_child", {"left_child": 1 << 33}), "child nodes")
    boosted = dumps(HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=5).fit(features, label))
    for field, value, says in (
        ("left", 1 << 31, "child"),
        ("feature_idx", 1 << 40, "splits use"),
        ("right", 0, "child"),
    ):
        yield Hostile(f"boosting {field}", "m.skops", with_array(boosted, "feature_idx", {field: value}), says)
    near = dumps(KNeighborsClassifier(algorithm="kd_tree").fit(features, label))
    yield Hostile("neighbours", "m.skops", with_array(near, "idx_start", {"idx_end": 1 << 40}), "parts end")
    members = unzipped(dumps(DecisionTreeClassifier(max_depth=1).fit(features, label)))
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999,), }"
    padded = header + b" " * (117 - len(header)) + b"\n"
    lie = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded
    members = {name: lie if name.endswith(".npy") else content for name, content in members.items()}
    yield Hostile("array larger than memory", "m.skops", zipped(members), "")
    yield Hostile("no schema", "m.skops", zipped({"schema.json": b"not json"}), "cannot be read")
    deep = b'{"__loader__":' * 5000
    yield Hostile("deep schema", "m.skops", zipped({"schema.json": deep}), "cannot be read")


def skops_nodes(marker: Path) -> Iterator[Hostile]:
    """Make files whose nodes name functions."""
    ids = count(1)

    def node(loader: str, module: str, name: str, content: Any = None) -> dict[str, Any]:
        return {"__class__": name, "__module__": module, "__loader__": loader, "content": content, "__id__": next(ids)}

    text = node("JsonNode", "builtins", "str") | {"content": json.dumps(f"touch {marker}"), "is_json": True}
    arguments = node("TupleNode", "builtins", "tuple", [text])
    nothing = node("DictNode", "builtins", "dict", {}) | {"key_types": node("ListNode", "builtins", "list", [])}
    reduce = {"__reduce__": {"args": arguments}}
    nodes = {
        "operator": node("OperatorFuncNode", "operator", "methodcaller") | {"attrs": arguments},
        "method": node("MethodNode", "os", "system", {"func": "system", "obj": node("TypeNode", "os", "system")}),
        "function": node("FunctionNode", "os", "system"),
        "type": node("TypeNode", "subprocess", "Popen"),
        "object": node("ObjectNode", "subprocess", "Popen", nothing),
        "reduce": node("LossNode", "os", "system", nothing) | reduce,
        "partial": node("PartialNode", "functools", "partial")
        | {
            "content": {
                "func": node("FunctionNode", "os", "system"),
                "args": arguments,
                "kwds": nothing,
                "namespace": nothing,
            }
        },
        "known class elsewhere": node("ObjectNode", "os", "LogisticRegression", nothing),
    }
    for title, root in nodes.items():
        schema = {**root, "protocol": 2, "_skops_version": "0.16.0"}
        yield Hostile(
            f"skops {title}",
            "m.skops",
            zipped({"schema.json": json.dumps(schema).encode()}),
            "types that are not opened",
        )


def with_array(content: bytes, field: str, changes: dict[str, int]) -> bytes:
    """Change the first record of the arrays that have a field."""
    members = unzipped(content)
    found = False
    for name in [name for name in members if name.endswith(".npy")]:
        array = np.load(io.BytesIO(members[name]))
        if array.dtype.names and field in array.dtype.names:
            for key, value in changes.items():
                array[key][0] = value
            stream = io.BytesIO()
            np.save(stream, array)
            members[name] = stream.getvalue()
            found = True
    assert found
    return zipped(members)


def onnx_files() -> Iterator[Hostile]:
    """Make ONNX models that read files, never end, or use what is not standard."""
    import onnx
    from onnx import TensorProto, helper

    def model(nodes: list[Any], *, initializers: tuple[Any, ...] = (), width: int = 1, **more: Any) -> Any:
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])]
        outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, width])]
        graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers))
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, **more)

    outside = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 1], data_location=TensorProto.EXTERNAL)
    outside.external_data.add(key="location", value="../../../../etc/passwd")
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    yield Hostile(
        "external data", "m.onnx", model([product], initializers=(outside,)).SerializeToString(), "other files"
    )
    hidden = helper.make_node("Constant", [], ["w"], value=outside)
    yield Hostile("external constant", "m.onnx", model([hidden, product]).SerializeToString(), "other files")

    always = helper.make_tensor("always", TensorProto.BOOL, [], [True])
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["c2"]), helper.make_node("Add", ["v", "v"], ["v2"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("c2", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v2", TensorProto.FLOAT, None),
        ],
    )
    loop = helper.make_node("Loop", ["", "always", "x"], ["y"], body=body)
    yield Hostile(
        "endless loop", "m.onnx", model([loop], initializers=(always,), width=3).SerializeToString(), "without end"
    )
    branch = helper.make_node("If", ["always"], ["y"], then_branch=body, else_branch=body)
    yield Hostile("branch", "m.onnx", model([branch], initializers=(always,)).SerializeToString(), "without end")
    custom = helper.make_node("Run", ["x"], ["y"], domain="evil.example")
    yield Hostile("custom operator", "m.onnx", model([custom]).SerializeToString(), "not standard")
    local = helper.make_function("", "f", ["a"], ["b"], [helper.make_node("Identity", ["a"], ["b"])], [])
    own = model([helper.make_node("Identity", ["x"], ["y"])], functions=[local], width=3)
    yield Hostile("function", "m.onnx", own.SerializeToString(), "functions of its own")
    many = [helper.make_node("Identity", [f"v{i}"], [f"v{i + 1}"]) for i in range(25_000)]
    yield Hostile("many operators", "m.onnx", model(many).SerializeToString(), "more than 20,000 operators")
    giant = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 40, 3])
    yield Hostile(
        "giant tensor", "m.onnx", model([product], initializers=(giant,)).SerializeToString(), "tensor of shape"
    )
    negative = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[-1])
    yield Hostile(
        "negative tensor", "m.onnx", model([product], initializers=(negative,)).SerializeToString(), "tensor of shape"
    )
    short = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 1], raw_data=b"\x00")
    yield Hostile(
        "short tensor", "m.onnx", model([product], initializers=(short,)).SerializeToString(), "cannot be read"
    )
    missing = helper.make_node("MatMul", ["x", "nowhere"], ["y"])
    yield Hostile("missing input", "m.onnx", model([missing]).SerializeToString(), "cannot be read")
    training = model([helper.make_node("Identity", ["x"], ["y"])], width=3)
    training.training_info.add()
    yield Hostile("training", "m.onnx", training.SerializeToString(), "training")
    yield Hostile(
        "several numbers",
        "m.onnx",
        model([helper.make_node("Identity", ["x"], ["y"])], width=3).SerializeToString(),
        "one is needed",
    )
    yield Hostile("tree outside", "m.onnx", onnx_tree(onnx, helper, TensorProto), "")


def onnx_tree(onnx: Any, helper: Any, types: Any) -> bytes:
    """Make a tree ensemble whose branches lead nowhere."""
    node = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", n_targets=1,
        nodes_treeids=[0, 0, 0], nodes_nodeids=[0, 1, 2], nodes_featureids=[1 << 30, 0, 0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"], nodes_values=[0.5, 0.0, 0.0],
        nodes_truenodeids=[1 << 30, 0, 0], nodes_falsenodeids=[-7, 0, 0],
        target_treeids=[0, 0], target_nodeids=[1, 2], target_ids=[1 << 30, 0], target_weights=[1.0, 2.0],
    )  # fmt: skip
    inputs = [helper.make_tensor_value_info("x", types.FLOAT, [None, 3])]
    outputs = [helper.make_tensor_value_info("y", types.FLOAT, [None, 1])]
    graph = helper.make_graph([node], "g", inputs, outputs)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


def xgboost_files(sound: bytes) -> Iterator[Hostile]:
    """Change a sound XGBoost JSON model of three features and two classes."""

    def changed(change: Callable[[Any, Any], None]) -> bytes:
        document = json.loads(sound)
        change(document["learner"], document["learner"]["gradient_booster"]["model"])
        return json.dumps(document).encode()

    def in_tree(name: str, value: Any, place: int = 0) -> bytes:
        def change(_: Any, model: Any) -> None:
            model["trees"][0][name][place] = value

        return changed(change)

    def set_in(part: str, name: str, value: Any) -> bytes:
        return changed(lambda learner, model: (learner if part == "learner" else model)[name].update(value))

    sizes = "learner_model_param"
    files = {
        "child outside": (in_tree("left_children", 10**6), "child nodes"),
        "child negative": (in_tree("left_children", -5), "child nodes"),
        "cycle": (in_tree("right_children", 0), "child nodes"),
        "two parents": (in_tree("right_children", 1), "cycle"),
        "feature outside": (in_tree("split_indices", 10**6), "splits use"),
        "feature negative": (in_tree("split_indices", -3), "splits use"),
        "text for a number": (in_tree("left_children", "x"), "another type"),
        "parent outside": (in_tree("parents", 10**6), "another parent"),
        "unknown kind of split": (in_tree("split_type", 7), "kinds of splits"),
        "categorical without categories": (in_tree("split_type", 1), "no categories"),
        "absurd classes": (set_in("learner", sizes, {"num_class": str(2**31 - 1)}), "num_class"),
        "negative classes": (set_in("learner", sizes, {"num_class": "-5"}), "num_class"),
        "absurd features": (set_in("learner", sizes, {"num_feature": str(2**31 - 1)}), "num_feature"),
        "too few features": (set_in("learner", sizes, {"num_feature": "1"}), "feature"),
        "several targets": (set_in("learner", sizes, {"num_target": "2"}), "targets"),
        "absurd trees": (set_in("model", "gbtree_model_param", {"num_trees": "999999999"}), "trees"),
        "tree for no class": (changed(lambda _, model: model.update(tree_info=[99] * len(model["trees"]))), "classes"),
        "short array": (changed(lambda _, model: model["trees"][0]["split_conditions"].pop()), "entries"),
        "rounds": (changed(lambda _, model: model.update(iteration_indptr=[0, 10**9])), "rounds"),
        "no trees": (changed(lambda _, model: model.pop("trees")), "missing"),
        "no learner": (b'{"learner": {"a": 1}, "version": [3, 2, 0]}', "missing"),
        "cut off": (sound[: len(sound) // 2], "cut off"),
        "deep": (b'{"learner": {"a": ' + b"[" * 100_000, "cut off or damaged"),
    }
    for title, (content, says) in files.items():
        yield Hostile(title, "m.json", content, says)


def ubjson_files(sound: bytes) -> Iterator[Hostile]:
    """Change a sound XGBoost model in binary JSON."""
    children = sound.index(b"left_children[$")
    start = children + len(b"left_children[$") + len(b"l#L") + 8
    outside = sound[:start] + struct.pack(">i", 10**6) + sound[start + 4 :]
    yield Hostile("UBJ child outside", "m.ubj", outside, "child nodes")
    yield Hostile("UBJ cut off", "m.ubj", sound[: len(sound) // 2], "cut off")
    length = start - 8
    yield Hostile("UBJ length", "m.ubj", sound[:length] + struct.pack(">q", 1 << 60) + sound[start:], "cut off")
    yield Hostile("UBJ deep", "m.ubj", b"{L" + struct.pack(">q", 7) + b"learner" + b"[" * 100_000, "nested deeper")
    endless = b"{L" + struct.pack(">q", 7) + b"learner[$N#L" + struct.pack(">q", 1 << 60)
    yield Hostile("UBJ nothings", "m.ubj", endless, "not valid")


def lightgbm_files(sound: str) -> Iterator[Hostile]:
    """Change a sound LightGBM model, without the announced sizes of its trees: the change is what counts."""
    plain = "\n".join(line for line in sound.split("\n") if not line.startswith("tree_sizes="))

    def line(name: str, value: str) -> bytes:
        lines = plain.split("\n")
        place = next(index for index, text in enumerate(lines) if text.startswith(f"{name}="))
        lines[place] = f"{name}={value}"
        return "\n".join(lines).encode()

    def first(name: str, value: int | str) -> bytes:
        old = next(text for text in plain.split("\n") if text.startswith(f"{name}=")).split("=")[1].split(" ")
        return line(name, " ".join([str(value), *old[1:]]))

    right = next(text for text in plain.split("\n") if text.startswith("left_child=")).split("=")[1]
    files = {
        "child outside": (first("left_child", 10**6), "child nodes"),
        "leaf outside": (first("left_child", -(10**6)), "child nodes"),
        "cycle": (first("left_child", 0), "child nodes"),
        "two parents": (line("right_child", right), "cycle"),
        "feature outside": (first("split_feature", 10**6), "splits use"),
        "feature negative": (first("split_feature", -1), "splits use"),
        "categorical without categories": (first("decision_type", 1), "no categories"),
        "unknown kind": (first("decision_type", 99), "kinds of splits"),
        "absurd leaves": (line("num_leaves", str(2**31 - 1)), "leaves"),
        "no leaves": (line("num_leaves", "0"), "leaves"),
        "absurd categories": (line("num_cat", str(2**31 - 1)), "categorical splits"),
        "absurd features": (line("max_feature_idx", str(2**31 - 1)), "max_feature_idx"),
        "absurd classes": (line("num_class", str(2**31 - 1)), "num_class"),
        "trees in a round": (line("num_tree_per_iteration", "3"), "a round"),
        "text for a number": (line("num_leaves", "many"), "no number"),
        "short leaves": (line("leaf_value", "0.5"), "entries"),
        "nothing there": (b"tree\nversion=v4\n", "missing"),
        "cut off": (sound[: len(sound) // 3].encode(), ""),
        "wrong sizes": (sound.replace("tree_sizes=", "tree_sizes=9").encode(), "sizes"),
        "no number": (line("shrinkage", "(.1"), "no number"),
        "number of a kind": (first("leaf_count", "1_0"), "no number"),
        "not text": (b"tree\nversion=v4\n\xff\xfe", "not valid text"),
    }
    for title, (content, says) in files.items():
        yield Hostile(title, "m.txt", content, says)


def catboost_files(sound: bytes) -> Iterator[Hostile]:
    """Change a sound CatBoost model."""
    yield Hostile("cut off", "m.cbm", sound[: len(sound) // 2], "cut off")
    yield Hostile("only a head", "m.cbm", sound[:8], "")
    yield Hostile("absurd size", "m.cbm", sound[:4] + struct.pack("<I", 2**32 - 1) + sound[8:], "cut off")
    yield Hostile("root outside", "m.cbm", sound[:8] + struct.pack("<I", 2**31) + sound[12:], "outside itself")
    splits, sizes = catboost_vectors(sound)
    for title, place, value, says in (
        ("split outside", splits, 10**6, "splits use"),
        ("split negative", splits, -1, "splits use"),
        ("size outside", sizes, 10**6, "sizes of trees"),
        ("size zero", sizes, 0, "one after the other"),
    ):
        yield Hostile(title, "m.cbm", sound[:place] + struct.pack("<i", value) + sound[place + 4 :], says)


def catboost_vectors(content: bytes) -> tuple[int, int]:
    """Return where the first split and the first size of a tree stand."""

    def number(kind: str, place: int) -> int:
        return int(struct.unpack_from(kind, content, place)[0])

    def field(table: int, index: int) -> int:
        return table + number("<H", table - number("<i", table) + 4 + 2 * index)

    root = 8 + number("<I", 8)
    place = field(root, 1)
    trees = place + number("<I", place)
    first, second = (field(trees, index) for index in (1, 2))
    return first + number("<I", first) + 4, second + number("<I", second) + 4


def flipped(sound: bytes, copies: int, seed: int) -> Iterator[bytes]:
    """Yield copies with one random byte changed."""
    rng = np.random.default_rng(seed)
    for _ in range(copies):
        content = bytearray(sound)
        content[int(rng.integers(8, len(content)))] ^= int(rng.integers(1, 256))
        yield bytes(content)
