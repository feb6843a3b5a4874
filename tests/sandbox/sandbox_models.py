"""Tiny models of every format and task, with what their own library says of the same rows."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from modelops.sandbox import tables
from modelops.sandbox.wire import read_frame, write_frame

ROWS = 160
NUMBERS = ["a", "b", "d"]


@dataclass(frozen=True)
class Case:
    """``labels`` are class labels as text, or numbers; ``scores`` has one column for each class."""

    path: Path
    rows: pd.DataFrame
    labels: np.ndarray
    scores: np.ndarray | None
    classes: tuple[str, ...] = ()


def rows(*, missing: bool = False, text: bool = False, seed: int = 0) -> pd.DataFrame:
    """Make features: two numbers, a whole number, and a category if ``text``."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.normal(size=ROWS), "b": rng.exponential(size=ROWS), "d": rng.integers(0, 9, ROWS)})
    if text:
        frame["c"] = pd.Categorical(rng.choice(["x", "y", "z"], ROWS))
    if missing:
        frame.loc[::7, "a"] = np.nan
        if text:
            frame.loc[::11, "c"] = np.nan
    return frame


def binary(frame: pd.DataFrame) -> np.ndarray:
    """Make two classes that the features say something about."""
    extra = (frame["c"] == "x").to_numpy() if "c" in frame else 0
    return (frame["b"].to_numpy() + extra > 0.9).astype(int)


def three(frame: pd.DataFrame) -> np.ndarray:
    """Make three classes."""
    return (binary(frame) + (frame["d"].to_numpy() > 4)).astype(int)


def number(frame: pd.DataFrame) -> np.ndarray:
    """Make a number."""
    return 2 * frame["b"].to_numpy() + frame["d"].to_numpy()


TARGETS: dict[str, Callable[[pd.DataFrame], np.ndarray]] = {"binary": binary, "three": three, "number": number}


def through_wire(frame: pd.DataFrame) -> pd.DataFrame:
    """Send a table to another process and receive it."""
    stream = io.BytesIO()
    header, buffers = tables.encode(frame)
    write_frame(stream.write, header, buffers)
    stream.seek(0)
    return tables.decode(read_frame(stream.readinto))


def xgboost(folder: Path, task: str, *, missing: bool, text: bool, suffix: str = "json", **settings: Any) -> Case:
    """Train with XGBoost."""
    import xgboost as library

    frame = rows(missing=missing, text=text)
    kind = library.XGBRegressor if task == "number" else library.XGBClassifier
    model = kind(**{"n_estimators": 4, "max_depth": 3, "n_jobs": 1, "enable_categorical": True} | settings)
    model.fit(frame, TARGETS[task](frame))
    path = folder / f"model.{suffix}"
    model.save_model(path)
    return _case(path, frame, model, task)


def lightgbm(folder: Path, task: str, *, missing: bool, text: bool, **settings: Any) -> Case:
    """Train with LightGBM."""
    import lightgbm as library

    frame = rows(missing=missing, text=text)
    kind = library.LGBMRegressor if task == "number" else library.LGBMClassifier
    chosen = {"n_estimators": 4, "num_leaves": 5, "n_jobs": 1, "verbose": -1, "min_child_samples": 5} | settings
    model = kind(**chosen)
    model.fit(frame, TARGETS[task](frame))
    path = folder / "model.txt"
    model.booster_.save_model(path)
    return _case(path, frame, model, task)


def catboost(folder: Path, task: str, *, missing: bool, text: bool, **settings: Any) -> Case:
    """Train with CatBoost."""
    import catboost as library

    frame = rows(missing=missing, text=text)
    kind = library.CatBoostRegressor if task == "number" else library.CatBoostClassifier
    model = kind(iterations=4, depth=3, thread_count=1, verbose=0, allow_writing_files=False, **settings)
    taken = frame.assign(c=frame["c"].astype(object).fillna("nan")) if text else frame
    model.fit(taken, TARGETS[task](frame), cat_features=["c"] if text else [])
    path = folder / "model.cbm"
    model.save_model(str(path))
    return _case(path, frame, model, task, taken)


def skops(folder: Path, estimator: Any, task: str, *, missing: bool = False, text: bool = False) -> Case:
    """Train a scikit-learn estimator and save it with skops."""
    from skops.io import dump

    frame = rows(missing=missing, text=text)
    model = estimator.fit(frame, TARGETS[task](frame))
    path = folder / "model.skops"
    dump(model, path)
    return _case(path, frame, model, task)


def onnx(folder: Path, estimator: Any, task: str, *, zipmap: bool = False, named: tuple[str, ...] = ()) -> Case:
    """Train a scikit-learn estimator, convert it, and ask ONNX Runtime itself."""
    import onnxruntime
    from skl2onnx import to_onnx

    frame = rows()
    labels = TARGETS[task](frame)
    if named:
        labels = np.array(named, dtype=object)[labels]
    matrix = frame.to_numpy(np.float32)
    estimator.fit(matrix, labels)
    options = None if task == "number" else {id(estimator): {"zipmap": zipmap}}
    content = to_onnx(estimator, matrix[:1], options=options).SerializeToString()
    path = folder / "model.onnx"
    path.write_bytes(content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: matrix})
    if task == "number":
        return Case(path, frame, found[0].ravel(), None)
    scores = np.array([list(row.values()) for row in found[1]]) if zipmap else found[1]
    return Case(path, frame, found[0].astype(str), scores, tuple(map(str, estimator.classes_)))


def _case(path: Path, frame: pd.DataFrame, model: Any, task: str, taken: pd.DataFrame | None = None) -> Case:
    taken = frame if taken is None else taken
    found = np.asarray(model.predict(taken)).ravel()
    if task == "number":
        return Case(path, frame, found, None)
    scores = model.predict_proba(taken) if hasattr(model, "predict_proba") else model.decision_function(taken)
    return Case(path, frame, found.astype(str), np.asarray(scores), tuple(map(str, model.classes_)))
