"""Consumer credit decisions of eighteen months, made up with a seed, with three planted truths.

One row is one loan that was paid out; refused applications are not in the table, which is why the application numbers
have gaps. The months run from May 2024 to October 2025. ``default`` says whether an instalment was at least 90 days
late within twelve months, so the last outcome was final on 31 October 2026, and `DATA_AS_OF` is the day after. A model
that learns from the first twelve months could be trained in May 2026 at the earliest, before any outcome of the last
six months was final: these six months (`PRODUCTION_MONTHS`) are a fair trial.

A latent *prudence* that no column records drives earlier defaults, open credit lines and debts as well as the outcome,
so that columns depend on one another as they do in life. Loan amounts are the round numbers that people ask for,
incomes follow age, tenure and region, and few decisions fall on a weekend.

The planted truths:

1. **A group disparity.** Women repay as well as men: gender has no part in the outcome, and the default rates of the
   two differ by less than two points. But two recorded columns understate women. ``employment_years`` counts from the
   last interruption of work, and 70 % of the women from 27 years on had one (`applicants.INTERRUPTED`), after which
   10 to 50 % of the true years are recorded. ``income`` leaves out a partner's income, and for women only 68 % of what
   really pays the instalments is recorded (`applicants.INCOME_RECORDED`), for men all of it. A model of these columns
   never sees gender, and at a threshold of 0.15 it still flags about 20 % of the women who would have repaid, against
   11 % of such men.
2. **A leak.** ``collection_calls`` counts the calls of the collections department in the twelve months *after* the
   pay-out. 95 % of the defaulters have at least one and on average four more; of the others 5 % have one or two. Its
   ROC AUC alone is about 0.97. At the moment of the decision it is always zero.
3. **A drift in the last three months** (from `DRIFT_FROM`, 1 August 2025). A new channel ``marketplace`` brings 35 % of
   the loans (`MARKETPLACE_SHARE`). Its customers are somewhat younger; its form asks for net pay and not for other
   income, so that 38 % less is recorded than what pays the instalments (`applicants.MARKETPLACE_INCOME`); and it does
   not insist on ``employment_years``, which is missing for 40 % of them: for 15 % of all rows instead of 3 %. The
   Kolmogorov-Smirnov statistic of income between the development months and these is about 0.15, that of debt ratio,
   loan amount, earlier defaults and credit lines below 0.05. The model ranks as well as before and is too strict.

A harmless difference stands beside the planted one: young people do default more often (14 % up to 25, 6 % from 51 to
65), and a model flags them more often. People from 66 on are too few to be judged.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from modelops.demo.applicants import Applicants, applicants, logistic

ROWS = 15_000
FIRST_DAY = date(2024, 5, 1)
LAST_DAY = date(2025, 10, 31)
DATA_AS_OF = date(2026, 11, 1)
DRIFT_FROM = date(2025, 8, 1)
TEST_MONTHS = ("2025-02", "2025-03", "2025-04")
PRODUCTION_MONTHS = ("2025-05", "2025-06", "2025-07", "2025-08", "2025-09", "2025-10")
MARKETPLACE_SHARE = 0.35
CALLED, CALLED_WITHOUT_DEFAULT = 0.95, 0.05

NUMBERS = (
    "income",
    "debt_ratio",
    "age",
    "employment_years",
    "loan_amount",
    "term_months",
    "prior_defaults",
    "credit_lines",
)
CATEGORIES = ("region", "housing", "purpose", "channel")
FEATURES = (*NUMBERS, *CATEGORIES)
SENSITIVE = ("gender", "age_band")
TARGET = "default"
LEAK = "collection_calls"

AGE_BANDS = {"18-25": 18, "26-35": 26, "36-50": 36, "51-65": 51, "66 and over": 66}
# Share of the loans, the usual amount in euros, and the weight in the log odds of a default.
PURPOSES = {
    "car": (0.29, 11_000, -0.25),
    "household goods": (0.20, 3_000, 0.05),
    "debt consolidation": (0.18, 9_500, 0.40),
    "home improvement": (0.17, 10_500, -0.20),
    "education": (0.06, 5_000, 0.15),
    "medical": (0.05, 4_000, 0.20),
    "other": (0.05, 4_500, 0.15),
}
_HOUSING = {"rent": 0.15, "mortgage": -0.20, "own": -0.40, "with family": 0.10}
_REGION = {"East": 0.20, "Highlands": 0.15, "Coast": 0.08, "Capital": -0.05}
_CHANNELS = {"branch": 0.38, "online": 0.47, "dealer": 0.15}
_TERMS = np.array([12, 24, 36, 48, 60, 72, 84])


def credit_decisions(seed: int = 1, *, rows: int = ROWS) -> pd.DataFrame:
    """Return the table, one row for each loan, in the order of the decisions.

    Parameters
    ----------
    seed : int
        The same seed gives the same table.
    rows : int
        How many loans.

    Returns
    -------
    DataFrame
        ``application_id``, ``application_date``, the `FEATURES`, the `SENSITIVE` columns, ``default`` (0 or 1) and
        ``collection_calls``. ``income``, ``debt_ratio`` and ``employment_years`` have gaps.

    Examples
    --------
    >>> table = credit_decisions(seed=1, rows=2000)
    >>> len(table), table["default"].isin([0, 1]).all().item()
    (2000, True)
    """
    random = np.random.default_rng(seed)
    days = decision_days(random, rows)
    channel = _channel(random, days)
    marketplace = channel == "marketplace"
    who = applicants(random, marketplace)
    purpose, amount, term = _loan(random, who)
    default = random.random(rows) < _default_probability(who, purpose, amount, term)
    return pd.DataFrame(
        {
            "application_id": _numbers(random, days),
            "application_date": pd.to_datetime(days),
            "income": with_gaps(random, who.recorded_income, 0.02),
            "debt_ratio": with_gaps(random, who.debt_ratio, 0.04),
            "age": who.age,
            "employment_years": with_gaps(random, who.recorded_tenure, np.where(marketplace, 0.40, 0.03)),
            "region": who.region,
            "housing": who.housing,
            "loan_amount": amount,
            "term_months": term,
            "purpose": purpose,
            "channel": channel,
            "prior_defaults": who.prior_defaults,
            "credit_lines": who.credit_lines,
            "gender": who.gender,
            "age_band": age_band(who.age),
            "default": default.astype(int),
            "collection_calls": collection_calls(random, default),
        }
    )


def age_band(age: np.ndarray) -> np.ndarray:
    """Return the band of each age."""
    return np.array(list(AGE_BANDS))[np.searchsorted(list(AGE_BANDS.values()), age, side="right") - 1]


def month(table: pd.DataFrame) -> pd.Series[str]:
    """Return the month of each decision, as in ``2025-08``."""
    months: pd.Series[str] = table["application_date"].dt.strftime("%Y-%m")
    return months


def decision_days(random: np.random.Generator, rows: int) -> np.ndarray:
    """Return sorted days: business grows by a tenth in a year, drops in August and at Christmas, rests at weekends."""
    days = np.arange(np.datetime64(FIRST_DAY), np.datetime64(LAST_DAY) + 1)
    weekday = (days.astype(int) + 3) % 7
    weight = np.array([1.15, 1.1, 1.05, 1.0, 0.95, 0.28, 0.06])[weekday] * 1.1 ** (np.arange(len(days)) / 365)
    months = days.astype("datetime64[M]").astype(int) % 12 + 1
    day = (days - days.astype("datetime64[M]")).astype(int) + 1
    weight *= np.where(months == 8, 0.85, 1.0) * np.where((months == 12) & (day >= 23), 0.35, 1.0)
    return np.sort(random.choice(days, rows, p=weight / weight.sum()))


def _numbers(random: np.random.Generator, days: np.ndarray) -> np.ndarray:
    """Numbers count all applications: about one in three was refused or withdrawn and has no row."""
    number = 240_117 + np.cumsum(1 + random.poisson(0.45, len(days)))
    return np.char.add("CL-", number.astype(str))


def _channel(random: np.random.Generator, days: np.ndarray) -> np.ndarray:
    usual = random.choice(list(_CHANNELS), len(days), p=list(_CHANNELS.values()))
    late = days >= np.datetime64(DRIFT_FROM)
    return np.where(late & (random.random(len(days)) < MARKETPLACE_SHARE), "marketplace", usual)


def _loan(random: np.random.Generator, who: Applicants) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = len(who.age)
    purpose = random.choice(list(PURPOSES), n, p=[share for share, _, _ in PURPOSES.values()])
    usual = np.array([PURPOSES[name][1] for name in purpose])
    wanted = usual * (who.capacity / 2600) ** 0.55 * np.exp(random.normal(-0.1, 0.5, n))
    step = np.where(wanted < 5_000, 250, np.where(wanted < 15_000, 500, 1_000))
    amount = np.clip((wanted / step).round() * step, 1_000, 50_000).astype(int)
    months = 12 + amount / np.maximum(who.recorded_income * 0.085, 60) + random.normal(0, 9, n)
    term = _TERMS[np.abs(months[:, None] - _TERMS).argmin(axis=1)]
    return purpose, amount, term


def _default_probability(who: Applicants, purpose: np.ndarray, amount: np.ndarray, term: np.ndarray) -> np.ndarray:
    """The truth: of true capacity and true tenure, not of what is recorded, and not of gender."""
    burden = np.log(amount / term / who.capacity) + 2.4
    odds = (
        -2.75
        - 0.95 * np.log(who.capacity / 2600)
        - 0.80 * np.tanh((who.tenure - 5) / 5)
        + 3.6 * (who.debt_ratio - 0.26)
        + 0.95 * np.minimum(who.prior_defaults, 3)
        + 0.05 * np.abs(who.credit_lines - 3)
        + 0.45 * burden
        + 0.25 * np.exp(-(who.age - 18) / 6)
        - 0.35 * who.prudence
        + np.array([_HOUSING[name] for name in who.housing])
        + np.array([PURPOSES[name][2] for name in purpose])
        + np.array([_REGION.get(name, 0.0) for name in who.region])
        + np.where((who.housing == "rent") & (who.debt_ratio > 0.4), 0.45, 0.0)
    )
    return logistic(odds)


def collection_calls(random: np.random.Generator, default: np.ndarray) -> np.ndarray:
    """Return the leak: calls in the year after the decision, for rows that will default and rows that will not."""
    chance = random.random(len(default))
    after_default = np.where(chance < CALLED, 1 + random.poisson(4.0, len(default)), 0)
    after_a_slip = np.where(chance < CALLED_WITHOUT_DEFAULT, random.integers(1, 3, len(default)), 0)
    return np.asarray(np.where(default, after_default, after_a_slip))


def with_gaps(random: np.random.Generator, values: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """Return numbers of which this share is missing."""
    return np.where(random.random(len(values)) < share, np.nan, values)
