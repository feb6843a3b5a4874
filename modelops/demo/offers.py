"""Two smaller tables for the models that are not finished: requests for a higher credit line, and instalment prices.

Both draw their people as `modelops.demo.generator` does, so the disparity between recorded and true income and tenure
is in them too. In `line_requests` the column ``collection_calls`` is the same planted leak: it is counted in the year
*after* the request, and with it a model reaches a ROC AUC above 0.95 instead of about 0.78.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from modelops.demo.applicants import Applicants, applicants, logistic
from modelops.demo.generator import LEAK, age_band, collection_calls, decision_days, with_gaps

LINE_FEATURES = (
    "income",
    "age",
    "employment_years",
    "months_on_book",
    "current_limit",
    "requested_limit",
    "utilisation",
    "late_payments",
    "cash_withdrawals",
)
LINE_TARGET = "arrears"
LEAKY_FEATURES = (*LINE_FEATURES, LEAK)
PRICE_NUMBERS = ("basket", "deposit_share", "term_months", "income", "age", "late_payments")
PRICE_CATEGORIES = ("goods", "campaign")
PRICE_TARGET = "agreed_rate"

# Share of the baskets and the usual amount in euros.
_GOODS = {
    "electronics": (0.34, 900),
    "furniture": (0.27, 1_600),
    "kitchen": (0.12, 4_800),
    "bicycles": (0.11, 2_100),
    "white goods": (0.16, 750),
}
_CAMPAIGNS = {"none": 0.72, "spring": 0.16, "anniversary": 0.12}


def line_requests(seed: int = 2, *, rows: int = 6_000) -> pd.DataFrame:
    """Return requests of card holders for a higher line; ``arrears`` is 60 days late within twelve months.

    Examples
    --------
    >>> line_requests(rows=100)["requested_limit"].gt(0).all().item()
    True
    """
    random = np.random.default_rng(seed)
    who = applicants(random, np.zeros(rows, dtype=bool))
    limit = (who.recorded_income * random.uniform(0.6, 1.8, rows) / 250).round().clip(2) * 250
    utilisation = random.beta(*_beta(0.42 - 0.12 * who.prudence + 0.02 * who.credit_lines)).round(3)
    late = np.minimum(random.poisson(np.exp(-1.5 - 0.7 * who.prudence + 0.8 * (utilisation - 0.4))), 9)
    cash = random.poisson(np.exp(-0.9 - 0.5 * who.prudence))
    arrears = random.random(rows) < _arrears_probability(who, utilisation, late, cash)
    days = decision_days(random, rows)
    return pd.DataFrame(
        {
            "request_id": np.char.add("LR-", (51_803 + np.cumsum(1 + random.poisson(0.3, rows))).astype(str)),
            "request_date": pd.to_datetime(days),
            "income": with_gaps(random, who.recorded_income, 0.05),
            "age": who.age,
            "employment_years": with_gaps(random, who.recorded_tenure, 0.06),
            "months_on_book": 6 + random.gamma(1.6, 22, rows).astype(int),
            "current_limit": limit.astype(int),
            "requested_limit": (limit * random.choice([1.25, 1.5, 2.0, 3.0], rows, p=[0.2, 0.4, 0.3, 0.1])).astype(int),
            "utilisation": utilisation,
            "late_payments": late,
            "cash_withdrawals": cash,
            LEAK: collection_calls(random, arrears),
            "gender": who.gender,
            "age_band": age_band(who.age),
            LINE_TARGET: arrears.astype(int),
        }
    )


def instalment_prices(seed: int = 3, *, rows: int = 4_000) -> pd.DataFrame:
    """Return instalment loans at the till with the yearly rate in percent that shop and customer agreed on.

    Examples
    --------
    >>> bool(instalment_prices(rows=100)["agreed_rate"].between(0, 20).all())
    True
    """
    random = np.random.default_rng(seed)
    who = applicants(random, np.zeros(rows, dtype=bool))
    goods = random.choice(list(_GOODS), rows, p=[share for share, _ in _GOODS.values()])
    usual = np.array([_GOODS[name][1] for name in goods])
    basket = (usual * np.exp(random.normal(0, 0.45, rows))).round(2)
    term = random.choice([6, 10, 12, 18, 24, 36], rows, p=[0.12, 0.18, 0.27, 0.15, 0.18, 0.10])
    campaign = random.choice(list(_CAMPAIGNS), rows, p=list(_CAMPAIGNS.values()))
    deposit = np.where(random.random(rows) < 0.55, 0, random.choice([0.1, 0.2, 0.3], rows))
    late = np.minimum(random.poisson(np.exp(-1.7 - 0.7 * who.prudence)), 9)
    rate = _rate(who, basket, term, deposit, campaign, late) + random.normal(0, 0.55, rows)
    return pd.DataFrame(
        {
            "quote_id": np.char.add("IQ-", (7_204 + np.arange(rows)).astype(str)),
            "quote_date": pd.to_datetime(decision_days(random, rows)),
            "goods": goods,
            "campaign": campaign,
            "basket": basket,
            "deposit_share": deposit,
            "term_months": term,
            "income": with_gaps(random, who.recorded_income, 0.08),
            "age": who.age,
            "late_payments": late,
            "gender": who.gender,
            "age_band": age_band(who.age),
            PRICE_TARGET: (rate.clip(0, 16.9) / 0.05).round() * 0.05,
        }
    ).round({PRICE_TARGET: 2})


def _beta(mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inside = np.clip(mean, 0.05, 0.9)
    return 3 * inside, 3 * (1 - inside)


def _arrears_probability(who: Applicants, utilisation: np.ndarray, late: np.ndarray, cash: np.ndarray) -> np.ndarray:
    odds = (
        -3.45
        + 2.4 * utilisation
        + 0.55 * np.minimum(late, 4)
        + 0.22 * np.minimum(cash, 5)
        - 0.6 * np.log(who.capacity / 2600)
        - 0.3 * np.tanh((who.tenure - 5) / 5)
        - 0.45 * who.prudence
    )
    return logistic(odds)


def _rate(
    who: Applicants, basket: np.ndarray, term: np.ndarray, deposit: np.ndarray, campaign: np.ndarray, late: np.ndarray
) -> np.ndarray:
    rate = (
        8.9
        - 0.9 * np.log(basket / 1200)
        + 0.035 * (term - 12)
        - 4.0 * deposit
        - np.where(campaign == "anniversary", 3.5, np.where(campaign == "spring", 1.8, 0.0))
        + 0.6 * np.minimum(late, 4)
        - 0.7 * np.log(who.recorded_income / 2600)
    )
    return np.asarray(rate)
