"""The training: real files, plausible scores, and figures that agree with an independent computation."""

import json

import lightgbm
import pandas as pd
import pytest
import skops.io
import xgboost
from fairlearn.metrics import MetricFrame, false_positive_rate
from sklearn.metrics import average_precision_score, roc_auc_score

from modelops.demo.generator import FEATURES, NUMBERS, PRODUCTION_MONTHS
from modelops.demo.offers import LEAKY_FEATURES
from modelops.domain.digest import Digest


@pytest.fixture(scope="module")
def held_out(trained):
    return pd.read_parquet(trained / "credit_default" / "test.parquet")


def test_every_file_of_the_docstring_is_there(trained):
    months = [f"applications-{name}.csv" for name in PRODUCTION_MONTHS]
    tables = ["train.parquet", "test.parquet", "reference.parquet", *months]
    credit = [*tables, "model.skops", "challenger.json", "dependencies.txt"]
    wanted = [f"credit_default/{name}" for name in credit]
    wanted += ["credit_line/train.parquet", "credit_line/test.parquet", "credit_line/model.txt"]
    wanted += ["credit_line/dependencies.txt", "pricing/predictions.csv", "figures.json"]
    assert [name for name in wanted if not (trained / name).is_file()] == []


def test_the_model_in_production_ranks_plausibly(held_out):
    assert 0.70 < roc_auc_score(held_out["default"], held_out["score"]) < 0.85


def test_the_model_with_the_leak_ranks_too_well(trained):
    table = pd.read_parquet(trained / "credit_line" / "test.parquet")
    model = lightgbm.Booster(model_file=trained / "credit_line" / "model.txt")
    assert roc_auc_score(table["arrears"], model.predict(table[list(LEAKY_FEATURES)])) > 0.95


def test_the_challenger_is_a_model_of_the_numbers(trained, held_out):
    model = xgboost.XGBClassifier()
    model.load_model(trained / "credit_default" / "challenger.json")
    assert 0.70 < roc_auc_score(held_out["default"], model.predict_proba(held_out[list(NUMBERS)])[:, 1]) < 0.85


def test_the_columns_of_the_test_table_are_the_answers_of_the_saved_model(trained, held_out):
    model = skops.io.load(trained / "credit_default" / "model.skops", trusted=["numpy.dtype"])
    scores = model.predict_proba(held_out[list(FEATURES)])[:, 1]
    assert held_out["score"].to_numpy() == pytest.approx(scores, abs=1e-6)
    assert (model.predict(held_out[list(FEATURES)]) == held_out["prediction"]).all()


def test_a_refusal_is_proposed_from_the_threshold_on(held_out):
    clear = held_out[(held_out["score"] - 0.15).abs() > 1e-5]
    assert ((clear["score"] > 0.15) == (clear["prediction"] == 1)).all()


def test_figures_agree_with_scikit_learn_and_fairlearn(held_out, figures):
    assert figures["auc_test"] == pytest.approx(roc_auc_score(held_out["default"], held_out["score"]))
    groups = MetricFrame(
        metrics=false_positive_rate,
        y_true=held_out["default"],
        y_pred=held_out["prediction"],
        sensitive_features=held_out["gender"],
    ).by_group
    assert figures["flagged_good_women"] == pytest.approx(groups["female"])
    assert figures["flagged_good_men"] == pytest.approx(groups["male"])


def test_women_who_would_repay_are_refused_far_more_often(figures):
    assert figures["flagged_good_women"] > 1.5 * figures["flagged_good_men"]


def test_the_frozen_acceptance_criteria_are_reached(figures):
    assert figures["auc_test"] >= 0.74
    assert figures["recall"] >= 0.45
    assert figures["flagged"] <= 0.20
    assert abs(figures["mean_score"] - figures["rate_test"]) <= 0.01


def test_the_model_beats_the_rule_in_force_beyond_its_interval(figures):
    assert figures["gain_low"] > 0.03


def test_the_marketplace_is_refused_too_often(figures):
    assert figures["flagged_marketplace"] > figures["flagged_others"] + 0.1
    assert abs(figures["rate_marketplace"] - figures["rate_late"]) < 0.03


def test_the_suggested_prices_beat_the_mean(figures):
    assert figures["price_error"] < 0.5 * figures["price_mean_error"]


def test_nothing_is_shared_by_training_and_test(trained, held_out):
    train = pd.read_parquet(trained / "credit_default" / "train.parquet")
    assert train["application_date"].max() < held_out["application_date"].min()
    assert not set(train["application_id"]) & set(held_out["application_id"])


def test_the_lock_names_an_exact_version_of_every_package(trained):
    lines = (trained / "credit_default" / "dependencies.txt").read_text().splitlines()
    assert all("==" in line for line in lines)
    assert {line.partition("==")[0] for line in lines} >= {"scikit-learn", "numpy", "skops", "# python"}


def test_training_again_gives_the_same_tables_and_figures(trained, figures, tmp_path):
    from modelops.demo.training import write_all

    again = write_all(tmp_path, seed=1)
    assert json.loads(json.dumps(again)) == figures
    for name in ("credit_default/test.parquet", "credit_line/test.parquet", "pricing/predictions.csv"):
        assert Digest.of_file(tmp_path / name) == Digest.of_file(trained / name)


def test_average_precision_is_far_above_the_share_of_defaults(held_out):
    assert average_precision_score(held_out["default"], held_out["score"]) > 2.5 * held_out["default"].mean()
