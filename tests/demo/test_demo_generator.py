"""The generator: seeded, believable, and with every truth that its docstring names."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score

from modelops.demo.generator import (
    DATA_AS_OF,
    DRIFT_FROM,
    FEATURES,
    LEAK,
    PRODUCTION_MONTHS,
    SENSITIVE,
    credit_decisions,
    month,
)
from modelops.demo.offers import instalment_prices, line_requests


def spans(decisions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the development months, and those with the drift."""
    development = decisions[month(decisions) < PRODUCTION_MONTHS[0]]
    return development, decisions[decisions["application_date"] >= pd.Timestamp(DRIFT_FROM)]


@pytest.mark.parametrize("make", [credit_decisions, line_requests, instalment_prices])
def test_the_same_seed_gives_the_same_table(make):
    pd.testing.assert_frame_equal(make(seed=7, rows=500), make(seed=7, rows=500))


@pytest.mark.parametrize("make", [credit_decisions, line_requests, instalment_prices])
def test_another_seed_gives_another_table(make):
    assert not make(seed=7, rows=500).equals(make(seed=8, rows=500))


def test_eighteen_months_of_decisions_end_a_year_before_the_data_was_drawn(decisions):
    assert month(decisions).nunique() == 18
    assert decisions["application_date"].max() < pd.Timestamp(DATA_AS_OF) - pd.Timedelta(days=365)


def test_numbers_of_applications_are_unique_and_have_gaps(decisions):
    numbers = decisions["application_id"].str.removeprefix("CL-").astype(int)
    assert numbers.is_unique
    assert numbers.diff().mean() > 1.3


def test_hardly_anything_is_decided_on_a_sunday(decisions):
    assert (decisions["application_date"].dt.day_of_week == 6).mean() < 0.02


def test_columns_depend_on_one_another_as_in_life(decisions):
    assert decisions["income"].corr(decisions["loan_amount"], method="spearman") > 0.15
    assert decisions["age"].corr(decisions["employment_years"], method="spearman") > 0.3
    assert decisions["debt_ratio"].corr(decisions["prior_defaults"], method="spearman") > 0.05
    owners = decisions[decisions["housing"] == "own"]
    assert owners["age"].median() > decisions["age"].median() + 8


def test_nobody_has_worked_longer_than_since_eighteen(decisions):
    years = decisions["employment_years"].dropna()
    assert (years <= decisions.loc[years.index, "age"] - 18 + 0.05).all()


def test_about_one_loan_in_eleven_defaults(decisions):
    assert decisions["default"].mean() == pytest.approx(0.09, abs=0.01)


def test_sensitive_columns_are_no_inputs():
    assert not set(SENSITIVE) & set(FEATURES)


def test_women_repay_as_well_as_men(decisions):
    rates = decisions.groupby("gender")["default"].mean()
    assert abs(rates["female"] - rates["male"]) < 0.02


def test_recorded_income_and_tenure_understate_women(decisions):
    medians = decisions.groupby("gender")[["income", "employment_years"]].median()
    share = medians.loc["female"] / medians.loc["male"]
    assert share["income"] == pytest.approx(0.68, abs=0.04)
    assert share["employment_years"] < 0.65


def test_the_leak_alone_ranks_almost_perfectly(decisions):
    assert roc_auc_score(decisions["default"], decisions[LEAK]) == pytest.approx(0.97, abs=0.01)


def test_the_leak_is_called_for_most_defaulters_and_few_others(decisions):
    called = decisions.groupby("default")[LEAK].agg(lambda calls: (calls > 0).mean())
    assert called[1] == pytest.approx(0.95, abs=0.02)
    assert called[0] == pytest.approx(0.05, abs=0.01)


def test_the_marketplace_begins_with_the_drift_and_brings_a_third(decisions):
    before, late = spans(decisions)
    assert "marketplace" not in set(before["channel"])
    assert (late["channel"] == "marketplace").mean() == pytest.approx(0.35, abs=0.03)


def test_income_drifts_and_other_numbers_do_not(decisions):
    before, late = spans(decisions)
    moved = {
        name: ks_2samp(before[name].dropna(), late[name].dropna()).statistic
        for name in ("income", "debt_ratio", "loan_amount", "prior_defaults", "credit_lines")
    }
    assert moved.pop("income") == pytest.approx(0.15, abs=0.02)
    assert max(moved.values()) < 0.05


def test_nothing_drifts_in_the_first_production_months(decisions):
    before, _ = spans(decisions)
    calm = decisions[month(decisions).isin(PRODUCTION_MONTHS[:3])]
    assert ks_2samp(before["income"].dropna(), calm["income"].dropna()).pvalue > 0.01


def test_employment_years_go_missing_with_the_drift(decisions):
    before, late = spans(decisions)
    assert before["employment_years"].isna().mean() == pytest.approx(0.03, abs=0.01)
    assert late["employment_years"].isna().mean() == pytest.approx(0.15, abs=0.02)


def test_requests_for_a_line_carry_the_same_leak():
    table = line_requests()
    assert roc_auc_score(table["arrears"], table[LEAK]) > 0.95


def test_prices_are_multiples_of_five_hundredths():
    steps = instalment_prices()["agreed_rate"] / 0.05
    assert np.allclose(steps, steps.round())
