"""Small models of all five formats on the same data, and what their own library says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

FEATURES = ("age", "income", "debt")
ROWS = 400


@dataclass(frozen=True)
class Trained:
    """A model file, the table it is for, and its library's own probability of class 1 (or its predictions)."""

    path: Path
    expected: np.ndarray


def applicants(*, seed: int = 3) -> pd.DataFrame:
    """Make a table with a binary outcome."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, ROWS).astype(float),
            "income": rng.normal(40, 12, ROWS).round(2),
            "debt": rng.exponential(5, ROWS).round(2),
            "sex": rng.choice(["F", "M"], ROWS),
        }
    )
    chance = 1 / (1 + np.exp(-(frame["debt"] - 5 + (50 - frame["income"]) / 8)))
    frame["defaulted"] = (rng.random(ROWS) < chance).astype(int)
    return frame


def train(kind: str, folder: Path, frame: pd.DataFrame) -> Trained:
    """Fit and save one model with its own library."""
    features, label = frame[list(FEATURES)], frame["defaulted"]
    return _TRAIN[kind](folder, features, label)


def _skops(folder: Path, features: pd.DataFrame, label: pd.Series) -> Trained:
    import skops.io
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(features, label)
    skops.io.dump(model, folder / "model.skops")
    return Trained(folder / "model.skops", model.predict_proba(features)[:, 1])


def _onnx(folder: Path, features: pd.DataFrame, label: pd.Series) -> Trained:
    import onnxruntime
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(5, max_depth=4, random_state=0).fit(features.to_numpy(), label)
    matrix = features.to_numpy(np.float32)
    proto = to_onnx(model, matrix[:1], options={"zipmap": False})
    (folder / "model.onnx").write_bytes(proto.SerializeToString())
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    scores = session.run(None, {session.get_inputs()[0].name: matrix})[1]
    return Trained(folder / "model.onnx", scores[:, 1].astype(np.float64))


def _xgboost(folder: Path, features: pd.DataFrame, label: pd.Series) -> Trained:
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=8, max_depth=3, nthread=1).fit(features, label)
    model.save_model(folder / "model.json")
    return Trained(folder / "model.json", model.predict_proba(features)[:, 1].astype(np.float64))


def _xgboost_ubj(folder: Path, features: pd.DataFrame, label: pd.Series) -> Trained:
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=8, max_depth=3, nthread=1).fit(features, label)
    model.save_model(folder / "model.ubj")
    return Trained(folder / "model.ubj", model.predict_proba(features)[:, 1].astype(np.float64))


def _lightgbm(folder: Path, features: pd.DataFrame, label: pd.Series) -> Trained:
    import lightgbm

    data = lightgbm.Dataset(features, label, params={"verbose": -1})
    settings = {"objective": "binary", "num_leaves": 7, "verbose": -1, "num_threads": 1}
    model = lightgbm.train(settings, data, num_boost_round=8)
    model.save_model(folder / "model.txt")
    return Trained(folder / "model.txt", model.predict(features))


def _catboost(folder: Path, features: pd.DataFrame, label: pd.Series) -> Trained:
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(iterations=8, depth=3, verbose=False, thread_count=1, allow_writing_files=False)
    model.fit(features, label)
    model.save_model(str(folder / "model.cbm"))
    return Trained(folder / "model.cbm", model.predict_proba(features)[:, 1])


_TRAIN = {
    "skops": _skops,
    "onnx": _onnx,
    "xgboost": _xgboost,
    "xgboost_ubj": _xgboost_ubj,
    "lightgbm": _lightgbm,
    "catboost": _catboost,
}
KINDS = tuple(_TRAIN)
