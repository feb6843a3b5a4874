"""Exact tree SHAP values of 2,000 rows: a part of ``speed.py``. One thread each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from speed_clock import Clock

FEATURES = 30
EXPLAINED = 2_000
TRAINED_ON = 20_000
# shap takes minutes for all rows of the larger models; its time is proportional to the rows.
SHOWN_TO_SHAP = 100
ENVIRONMENT = {"OMP_NUM_THREADS": "1"}

# Name: (format, whether the library has contributions of its own)
MODELS = {
    "XGBoost, 200 trees of depth 8": ("json", True),
    "LightGBM, 200 trees of 255 leaves": ("txt", True),
    "HistGradientBoosting, 200 trees of 31 leaves": ("skops", False),
    "GradientBoosting, 100 trees of depth 3": ("skops", False),
    "RandomForest, 200 trees of depth 8": ("skops", False),
    "RandomForest, 50 trees of any depth": ("skops", False),
    "ExtraTrees, 200 trees of depth 8": ("skops", False),
    "DecisionTree of any depth": ("skops", False),
}


def table(rows: int, *, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Make numbers with interactions; a twentieth is missing, for the models that take it."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, FEATURES))
    signal = matrix[:, 0] * matrix[:, 1] + np.sin(3 * matrix[:, 2]) * matrix[:, 3] + matrix[:, 4:12].sum(axis=1)
    target = (signal + rng.normal(size=rows) > 0).astype(int)
    return pd.DataFrame(matrix, columns=[f"x{k}" for k in range(FEATURES)]), target


def short(name: str) -> str:
    return name.partition(" ")[0].rstrip(",")


def estimator(name: str) -> Any:
    import lightgbm
    import xgboost
    from sklearn import ensemble, tree

    return {
        "XGBoost": lambda: xgboost.XGBClassifier(n_estimators=200, max_depth=8, n_jobs=1),
        "LightGBM": lambda: lightgbm.LGBMClassifier(n_estimators=200, num_leaves=255, n_jobs=1, verbose=-1),
        "HistGradientBoosting": lambda: ensemble.HistGradientBoostingClassifier(max_iter=200, early_stopping=False),
        "GradientBoosting": ensemble.GradientBoostingClassifier,
        "RandomForest": lambda: (
            ensemble.RandomForestClassifier(200, max_depth=8, random_state=0, n_jobs=2)
            if "depth 8" in name
            else ensemble.RandomForestClassifier(50, random_state=0, n_jobs=2)
        ),
        "ExtraTrees": lambda: ensemble.ExtraTreesClassifier(200, max_depth=8, random_state=0, n_jobs=2),
        "DecisionTree": lambda: tree.DecisionTreeClassifier(random_state=0),
    }[short(name)]()


def file_of(folder: Path, name: str) -> Path:
    return folder / f"{list(MODELS).index(name)}.{MODELS[name][0]}"


def make(folder: Path, rows: int) -> None:
    """Train the models unless they are there; those in ``warm`` are small."""
    import skops.io

    small = folder.name == "warm"
    columns, target = table(min(rows, 2_000 if small else TRAINED_ON), seed=1)
    table(min(rows, 50 if small else EXPLAINED), seed=2)[0].to_parquet(folder / "rows.parquet")
    for name in MODELS:
        path = file_of(folder, name)
        if path.exists():
            continue
        fitted = estimator(name)
        if small and "n_estimators" in fitted.get_params():
            fitted.set_params(n_estimators=3)
        fitted.fit(columns, target)
        if path.suffix == ".skops":
            skops.io.dump(fitted, path)
        elif path.suffix == ".json":
            fitted.save_model(path)
        else:
            fitted.booster_.save_model(path)


def ours(folder: Path, name: str) -> np.ndarray:
    """Explain as the sandbox does: reading the trees and checking the sums is part of it, opening the file is not."""
    from modelops.sandbox.detect import detect
    from modelops.sandbox.model_process import open_model

    path = file_of(folder, name)
    model = open_model(path, detect(path, name=path.name))
    rows = pd.read_parquet(folder / "rows.parquet")
    clock = Clock()
    found = model.contributions(rows, class_index=1)
    taken = clock.read()
    if found is None:
        raise RuntimeError(f"{name} has no contributions")
    np.save(folder / f"{path.stem}-ours.npy", found.values)
    return taken


def by_shap(folder: Path, name: str) -> np.ndarray:
    """Explain some rows with shap's TreeExplainer and say what all would take."""
    import shap

    path = file_of(folder, name)
    rows = pd.read_parquet(folder / "rows.parquet")
    some = rows.iloc[:SHOWN_TO_SHAP]
    model = opened(path)
    clock = Clock()
    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    ready = clock.read()
    values = np.asarray(explainer.shap_values(some, check_additivity=False))
    taken = ready + (clock.read() - ready) * len(rows) / len(some)
    np.save(folder / f"{path.stem}-shap.npy", values[:, :, 1] if values.ndim == 3 else values)
    return taken


def by_library(folder: Path, name: str) -> np.ndarray:
    """Let the library explain some rows and say what all would take."""
    path = file_of(folder, name)
    rows = pd.read_parquet(folder / "rows.parquet")
    some = rows.iloc[:SHOWN_TO_SHAP]
    model = opened(path)
    clock = Clock()
    if path.suffix == ".json":
        import xgboost

        model.predict(xgboost.DMatrix(some, nthread=1), pred_contribs=True)
    else:
        model.predict(some, pred_contrib=True, num_threads=1)
    return clock.read() * len(rows) / len(some)


def opened(path: Path) -> Any:
    if path.suffix == ".json":
        import xgboost

        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(path)
        return booster
    if path.suffix == ".txt":
        import lightgbm

        return lightgbm.Booster(model_file=str(path), params={"num_threads": 1})
    import skops.io

    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


def _ways() -> Iterator[tuple[str, Callable[[Path], np.ndarray]]]:
    for name, (_, has_own) in MODELS.items():
        yield name, partial(ours, name=name)
        yield (
            f"- {short(name)} by shap's TreeExplainer{', of any depth' * ('any' in name)}",
            partial(by_shap, name=name),
        )
        if has_own:
            yield f"- {short(name)}'s own", partial(by_library, name=name)


OURS = frozenset(MODELS)
WAYS = dict(_ways())


def remarks(folder: Path) -> Iterator[str]:
    """Say how far ours are from shap's."""
    apart = []
    for path in sorted(folder.glob("*-shap.npy")):
        theirs, mine = np.load(path), np.load(path.with_name(path.name.replace("shap", "ours")))
        apart.append(float(np.abs(mine[: len(theirs)] - theirs).max() / np.abs(theirs).max()))
    yield f"\nThe largest difference from shap's values, as a share of the largest of them: {max(apart):.1e}."
