"""Trains the models of the example workspace for real and writes them into a folder, with their tables.

    python -m modelops.demo.training OUT [--seed N]

It runs as a process of its own, so that the app never imports a machine-learning library. Afterwards ``OUT`` holds

- ``credit_default/``: ``train``, ``test`` and ``reference`` (the twelve months of both) as Parquet, one CSV file for
  each production month, ``model.skops`` (a whole pipeline: imputation, one-hot coding, logistic regression, decision at
  the threshold), ``challenger.json`` (XGBoost on the numeric columns), ``dependencies.txt``, and ``papers/`` with
  evidence written from what was measured;
- ``credit_line/``: ``train`` and ``test`` as Parquet and ``model.txt`` (LightGBM, with the planted leak);
- ``pricing/``: ``predictions.csv``, a table with predictions and no model;
- ``figures.json``: every number that the texts of the example quote.

The same seed gives the same tables, the same predictions and the same figures.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from modelops.demo import figures, papers
from modelops.demo.generator import (
    CATEGORIES,
    FEATURES,
    NUMBERS,
    PRODUCTION_MONTHS,
    TARGET,
    TEST_MONTHS,
    credit_decisions,
    month,
)
from modelops.demo.offers import (
    LEAKY_FEATURES,
    LINE_TARGET,
    PRICE_CATEGORIES,
    PRICE_NUMBERS,
    PRICE_TARGET,
    instalment_prices,
    line_requests,
)

THRESHOLD = 0.15
PACKAGES = (
    "joblib",
    "lightgbm",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "skops",
    "threadpoolctl",
    "xgboost-cpu",
)


def write_all(out: Path, *, seed: int) -> dict[str, figures.Figure]:
    """Make the tables, train the models, measure, and write everything below ``out``; return the figures.

    Parameters
    ----------
    out : Path
        A folder, made if it is not there. Files in it are overwritten.
    seed : int
        Of the tables and of the training.
    """
    found = _credit_default(out / "credit_default", seed)
    found |= _credit_line(out / "credit_line", seed)
    found |= _pricing(out / "pricing", seed)
    (out / "figures.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return found


def scorecard(seed: int) -> Any:
    """Return the untrained pipeline of the model in production: from raw columns to a decision."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import FixedThresholdClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, PowerTransformer

    numbers = Pipeline([("fill", SimpleImputer(strategy="median")), ("shape", PowerTransformer())])
    prepare = ColumnTransformer(
        [("numbers", numbers, list(NUMBERS)), ("categories", OneHotEncoder(handle_unknown="ignore"), list(CATEGORIES))]
    )
    regression = LogisticRegression(max_iter=1000, random_state=seed)
    decide = FixedThresholdClassifier(regression, threshold=THRESHOLD, response_method="predict_proba")
    return Pipeline([("prepare", prepare), ("decide", decide)])


def fitted(rows: pd.DataFrame, target: pd.Series[Any], seed: int) -> Any:
    """Return the `scorecard` trained on ``rows``."""
    return scorecard(seed).fit(rows[list(FEATURES)], target)


def _credit_default(out: Path, seed: int) -> dict[str, figures.Figure]:
    import skops.io

    (out / "papers").mkdir(parents=True, exist_ok=True)
    table = credit_decisions(seed)
    months = month(table)
    train = table[months < TEST_MONTHS[0]]
    model = fitted(train, train[TARGET], seed)
    scored = table.assign(
        score=model.predict_proba(table[list(FEATURES)])[:, 1].round(6), prediction=model.predict(table[list(FEATURES)])
    )
    parts = figures.Parts(
        train=scored[months < TEST_MONTHS[0]],
        test=scored[months.isin(TEST_MONTHS)],
        production={name: scored[months == name] for name in PRODUCTION_MONTHS},
    )
    _parquet(train, out / "train.parquet")
    _parquet(parts.test, out / "test.parquet")
    _parquet(scored[months < PRODUCTION_MONTHS[0]], out / "reference.parquet")
    for name, batch in parts.production.items():
        batch.to_csv(out / f"applications-{name}.csv", index=False)
    skops.io.dump(model, out / "model.skops")
    _challenger(train, seed).save_model(out / "challenger.json")
    (out / "dependencies.txt").write_text(dependency_lock(), encoding="utf-8")
    found = figures.measure(parts, model, refit=lambda target: fitted(train, target, seed))
    for name, text in papers.papers(parts, model, found).items():
        (out / "papers" / name).write_text(text, encoding="utf-8")
    return found


def _challenger(train: pd.DataFrame, seed: int) -> Any:
    import xgboost

    model = xgboost.XGBClassifier(
        n_estimators=120, max_depth=3, learning_rate=0.08, subsample=0.8, n_jobs=1, random_state=seed
    )
    return model.fit(train[list(NUMBERS)], train[TARGET])


def _credit_line(out: Path, seed: int) -> dict[str, figures.Figure]:
    import lightgbm

    out.mkdir(parents=True, exist_ok=True)
    table = line_requests(seed + 1)
    train, test = table[:4_200], table[4_200:]
    settings = {"objective": "binary", "num_leaves": 15, "learning_rate": 0.06, "num_threads": 1, "seed": seed}
    data = lightgbm.Dataset(train[list(LEAKY_FEATURES)], train[LINE_TARGET])
    model = lightgbm.train({**settings, "verbosity": -1, "deterministic": True}, data, 120)
    model.save_model(out / "model.txt")
    _parquet(train, out / "train.parquet")
    _parquet(test, out / "test.parquet")
    (out / "dependencies.txt").write_text(dependency_lock(), encoding="utf-8")
    return figures.line_figures(train, test, model.predict(test[list(LEAKY_FEATURES)]))


def _pricing(out: Path, seed: int) -> dict[str, figures.Figure]:
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    out.mkdir(parents=True, exist_ok=True)
    table = instalment_prices(seed + 2)
    columns = [*PRICE_NUMBERS, *PRICE_CATEGORIES]
    coded = ("categories", OneHotEncoder(sparse_output=False), list(PRICE_CATEGORIES))
    prepare = ColumnTransformer([coded], remainder="passthrough")
    model = make_pipeline(prepare, HistGradientBoostingRegressor(max_depth=3, random_state=seed))
    known, rest = table[:2_600], table[2_600:]
    model.fit(known[columns], known[PRICE_TARGET])
    quoted = rest.assign(prediction=model.predict(rest[columns]).round(2))
    quoted.to_csv(out / "predictions.csv", index=False)
    return figures.price_figures(quoted)


def dependency_lock() -> str:
    """Return the interpreter and the packages of the training, each with its exact version."""
    packages = "".join(f"{name}=={version(name)}\n" for name in PACKAGES)
    return f"# python=={platform.python_version()}\n{packages}"


def _parquet(table: pd.DataFrame, path: Path) -> None:
    table.to_parquet(path, index=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m modelops.demo.training", description="Train the example models.")
    parser.add_argument("out", type=Path, help="folder for the files, made if it is not there")
    parser.add_argument("--seed", type=int, default=1, help="of the tables and of the training")
    given = parser.parse_args(arguments)
    write_all(given.out, seed=given.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
