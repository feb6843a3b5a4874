"""What is true of the example: every number that its texts quote, measured on the tables and the trained models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from modelops.demo.generator import DRIFT_FROM, FEATURES, LEAK, NUMBERS, TARGET
from modelops.demo.offers import LINE_TARGET, PRICE_TARGET

Figure = float | int | str
LOSS_GIVEN_DEFAULT = 0.55
MARGIN = 0.10
RESAMPLES = 200
_SHUFFLES = 6
_FEWEST_DEFAULTS = 12
_SEGMENTS = ("region", "housing", "purpose", "channel", "age_band")


@dataclass(frozen=True)
class Parts:
    """The credit table in parts, each with the columns ``score`` and ``prediction`` of the model."""

    train: pd.DataFrame
    test: pd.DataFrame
    production: dict[str, pd.DataFrame]

    @property
    def early(self) -> pd.DataFrame:
        """The production months before the planted drift."""
        return pd.concat(table for name, table in self.production.items() if name < f"{DRIFT_FROM:%Y-%m}")

    @property
    def late(self) -> pd.DataFrame:
        """The production months with the planted drift."""
        return pd.concat(table for name, table in self.production.items() if name >= f"{DRIFT_FROM:%Y-%m}")


def measure(parts: Parts, model: Any, *, refit: Callable[[pd.Series[Any]], Any]) -> dict[str, Figure]:
    """Return the figures of the credit model.

    Parameters
    ----------
    parts : Parts
    model : estimator
        The trained pipeline.
    refit : callable
        Trains the same pipeline on the training rows with another target.
    """
    return {
        **_sizes(parts),
        **_performance(parts),
        **_against_the_rule(parts.test),
        **_groups(parts.test),
        **_later(parts),
        **_weakest(parts),
        **_leaks(parts),
        **_repeated(parts, model, refit),
    }


def auc(table: pd.DataFrame, score: Any = "score") -> float:
    """Return the ROC AUC of a column, or of scores given apart: the rank sum of the defaults, scaled (Mann-Whitney)."""
    from scipy.stats import rankdata

    values = np.asarray(table[score] if isinstance(score, str) else score)
    positive = table[TARGET].to_numpy() == 1
    n_positive = int(positive.sum())
    surplus = rankdata(values)[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(surplus / (n_positive * (len(values) - n_positive)))


def rule_points(table: pd.DataFrame) -> pd.Series[float]:
    """Return the points of the rule in force: an applicant with three points or more is refused."""
    points: pd.Series[float] = (
        3.0 * (table["prior_defaults"] >= 1)
        + 2.0 * (table["debt_ratio"] > 0.45)
        + 1.0 * (table["employment_years"] < 1)
        + 1.0 * (table["income"] < 1500)
        + 1.0 * (table["age"] < 22)
    )
    return points


def result_of(table: pd.DataFrame, refused: Any) -> float:
    """Return what refusing these loans saves in euros: losses avoided less margin forgone."""
    saved = np.where(table[TARGET] == 1, LOSS_GIVEN_DEFAULT, -MARGIN) * table["loan_amount"]
    return float(saved[np.asarray(refused, dtype=bool)].sum())


def _sizes(parts: Parts) -> dict[str, Figure]:
    production = pd.concat(parts.production.values())
    return {
        "rows_train": len(parts.train),
        "rows_test": len(parts.test),
        "rows_production": len(production),
        "rows_all": len(parts.train) + len(parts.test) + len(production),
        "defaults_test": int(parts.test[TARGET].sum()),
        "rate_train": float(parts.train[TARGET].mean()),
        "rate_test": float(parts.test[TARGET].mean()),
        "missing_income": float(parts.train["income"].isna().mean()),
        "missing_debt": float(parts.train["debt_ratio"].isna().mean()),
        "missing_tenure": float(parts.train["employment_years"].isna().mean()),
        "guarded": float(_guarded(production).mean()),
        "repeated_ids": int(pd.concat([parts.train, parts.test, production])["application_id"].duplicated().sum()),
    }


def _guarded(table: pd.DataFrame) -> pd.Series[bool]:
    gaps = table[list(FEATURES)].isna().sum(axis=1)
    return (table["loan_amount"] > 50_000) | (table["age"] > 80) | (gaps >= 2)


def _performance(parts: Parts) -> dict[str, Figure]:
    from sklearn.metrics import brier_score_loss

    test = parts.test
    flagged = test["prediction"] == 1
    low, high = _interval(auc, test[[TARGET, "score"]])
    return {
        "auc_train": auc(parts.train),
        "auc_test": auc(test),
        "auc_low": low,
        "auc_high": high,
        "brier_test": float(brier_score_loss(test[TARGET], test["score"])),
        "mean_score": float(test["score"].mean()),
        "flagged": float(flagged.mean()),
        "recall": float(flagged[test[TARGET] == 1].mean()),
        "precision": float(test.loc[flagged, TARGET].mean()),
    }


def _against_the_rule(test: pd.DataFrame) -> dict[str, Figure]:
    points = test[[TARGET, "score"]].assign(points=rule_points(test))
    low, high = _interval(lambda rows: auc(rows) - auc(rows, "points"), points)
    refused = points["points"] >= 3
    return {
        "auc_rule": auc(points, "points"),
        "gain": auc(points) - auc(points, "points"),
        "gain_low": low,
        "gain_high": high,
        "rule_refused": float(refused.mean()),
        "rule_recall": float(refused[test[TARGET] == 1].mean()),
        # Three months of the test, times four.
        "saved_rule": 4 * result_of(test, refused),
        "saved_model": 4 * result_of(test, test["prediction"] == 1),
    }


def _groups(test: pd.DataFrame) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for group, word in (("female", "women"), ("male", "men")):
        rows = test[test["gender"] == group]
        good = rows[TARGET] == 0
        found |= {
            f"rows_{word}": len(rows),
            f"rate_{word}": float(rows[TARGET].mean()),
            f"flagged_{word}": float(rows["prediction"].mean()),
            f"flagged_good_{word}": float(rows.loc[good, "prediction"].mean()),
            f"recall_{word}": float(rows.loc[~good, "prediction"].mean()),
            f"tenure_{word}": float(rows["employment_years"].median()),
        }
    for band, word in (("18-25", "young"), ("51-65", "older")):
        rows = test[test["age_band"] == band]
        found[f"rate_{word}"] = float(rows[TARGET].mean())
        found[f"flagged_good_{word}"] = float(rows.loc[rows[TARGET] == 0, "prediction"].mean())
    oldest = test[test["age_band"] == "66 and over"]
    counts = {"rows_oldest": len(oldest), "defaults_oldest": int(oldest[TARGET].sum())}
    return found | counts


def _later(parts: Parts) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    for word, rows in (("early", parts.early), ("late", parts.late)):
        found |= {
            f"auc_{word}": auc(rows),
            f"rate_{word}": float(rows[TARGET].mean()),
            f"flagged_{word}": float(rows["prediction"].mean()),
            f"mean_score_{word}": float(rows["score"].mean()),
            f"income_{word}": float(rows["income"].median()),
            f"missing_tenure_{word}": float(rows["employment_years"].isna().mean()),
            f"rows_{word}": len(rows),
        }
    marketplace = parts.late[parts.late["channel"] == "marketplace"]
    others = parts.late[parts.late["channel"] != "marketplace"]
    return found | {
        "flagged_others": float(others["prediction"].mean()),
        "marketplace": len(marketplace) / len(parts.late),
        "rows_marketplace": len(marketplace),
        "flagged_marketplace": float(marketplace["prediction"].mean()),
        "rate_marketplace": float(marketplace[TARGET].mean()),
    }


def segments(parts: Parts) -> list[tuple[str, str, int, float, float]]:
    """Return column, value, rows, ROC AUC in the test and in the months after of each part; the weakest first."""
    found = []
    for column in _SEGMENTS:
        for value, rows in parts.test.groupby(column):
            again = parts.early[parts.early[column] == value]
            if min(rows[TARGET].sum(), again[TARGET].sum()) >= _FEWEST_DEFAULTS:
                found.append((column, str(value), len(rows), auc(rows), auc(again)))
    return sorted(found, key=lambda line: line[3] + line[4])


def _weakest(parts: Parts) -> dict[str, Figure]:
    first, second = (f"{column.replace('_', ' ')} {value}" for column, value, *_ in segments(parts)[:2])
    return {"weakest": first, "second_weakest": second}


def _leaks(parts: Parts) -> dict[str, Figure]:
    columns = [*NUMBERS, LEAK]
    alone = {name: _alone(parts.train, name) for name in columns}
    leak = alone.pop(LEAK)
    best = max(alone, key=lambda name: alone[name])
    both = parts.train[list(FEATURES)].drop_duplicates().merge(parts.test[list(FEATURES)].drop_duplicates())
    return {"best_column": best, "best_alone": alone[best], "leak_alone": leak, "shared_rows": len(both)}


def _alone(table: pd.DataFrame, name: str) -> float:
    there = table[table[name].notna()]
    value = auc(there, name)
    return max(value, 1 - value)


def _repeated(parts: Parts, model: Any, refit: Callable[[pd.Series[Any]], Any]) -> dict[str, Figure]:
    """Train again on the same labels, and on shuffled ones: the first must agree, the second must know nothing."""
    rows = parts.test[list(FEATURES)]
    again = refit(parts.train[TARGET]).predict_proba(rows)[:, 1]
    random = np.random.default_rng(0)
    shuffled = [
        auc(parts.test, refit(parts.train[TARGET].sample(frac=1, random_state=random)).predict_proba(rows)[:, 1])
        for _ in range(_SHUFFLES)
    ]
    return {
        "refit_difference": float(np.abs(again - model.predict_proba(rows)[:, 1]).max()),
        "auc_shuffled": float(np.mean(shuffled)),
    }


def _interval(statistic: Callable[[pd.DataFrame], float], table: pd.DataFrame) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic over resampled rows."""
    random = np.random.default_rng(0)
    values = [statistic(table.iloc[random.integers(0, len(table), len(table))]) for _ in range(RESAMPLES)]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def line_figures(train: pd.DataFrame, test: pd.DataFrame, scores: Any) -> dict[str, Figure]:
    """Return the figures of the model with the leak."""
    from sklearn.metrics import roc_auc_score

    return {
        "line_rows_train": len(train),
        "line_rows_test": len(test),
        "line_rate": float(test[LINE_TARGET].mean()),
        "line_auc": float(roc_auc_score(test[LINE_TARGET], scores)),
        "line_calls_alone": float(roc_auc_score(test[LINE_TARGET], test[LEAK])),
    }


def price_figures(quoted: pd.DataFrame) -> dict[str, Figure]:
    """Return the figures of the price model."""
    error = quoted["prediction"] - quoted[PRICE_TARGET]
    return {
        "price_rows": len(quoted),
        "price_error": float(error.abs().mean()),
        "price_mean_error": float((quoted[PRICE_TARGET] - quoted[PRICE_TARGET].mean()).abs().mean()),
    }
