"""The people who ask for a loan: what is true of them, and what the form records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

INTERRUPTED = 0.7
INCOME_RECORDED = 0.68
MARKETPLACE_INCOME = 0.62

# Share of the customers, and how incomes there compare with the whole country.
REGIONS = {
    "Capital": (0.19, 1.18),
    "North": (0.16, 1.02),
    "East": (0.12, 0.86),
    "South": (0.21, 1.05),
    "West": (0.17, 1.00),
    "Coast": (0.09, 0.93),
    "Highlands": (0.06, 0.88),
}


@dataclass(frozen=True)
class Applicants:
    """One array of shape (n,) for each trait; ``capacity`` and ``tenure`` are true, the recorded ones may fall short.

    ``capacity`` is what pays the instalments in euros per month, ``tenure`` the years in work; ``prudence`` is standard
    normal and stands in no table.
    """

    prudence: np.ndarray
    gender: np.ndarray
    age: np.ndarray
    region: np.ndarray
    housing: np.ndarray
    tenure: np.ndarray
    capacity: np.ndarray
    prior_defaults: np.ndarray
    credit_lines: np.ndarray
    debt_ratio: np.ndarray
    recorded_income: np.ndarray
    recorded_tenure: np.ndarray


def applicants(random: np.random.Generator, marketplace: np.ndarray) -> Applicants:
    """Draw one applicant for each row of ``marketplace``.

    Parameters
    ----------
    random : Generator
    marketplace : ndarray of bool, shape (n,)
        Who comes through the marketplace: younger people, whose form records less of their income.
    """
    n = len(marketplace)
    prudence = random.standard_normal(n)
    gender = _gender(random, n)
    age = _age(random, marketplace)
    region = random.choice(list(REGIONS), n, p=[share for share, _ in REGIONS.values()])
    tenure = np.minimum(age - 18, random.gamma(1.7, 5.2, n) * np.clip((age - 14) / 24, 0.15, 1.6)).round(1)
    capacity = _capacity(random, age, tenure, region, prudence)
    housing = _housing(random, age, capacity)
    credit_lines = random.poisson(np.clip(1.2 + 0.055 * (age - 18) - 0.35 * prudence, 0.2, 7.0))
    return Applicants(
        prudence=prudence,
        gender=gender,
        age=age,
        region=region,
        housing=housing,
        tenure=tenure,
        capacity=capacity,
        prior_defaults=np.minimum(random.poisson(np.exp(-2.35 - 0.8 * prudence)), 5),
        credit_lines=credit_lines,
        debt_ratio=_debt_ratio(random, prudence, credit_lines, housing),
        recorded_income=_recorded_income(capacity, gender, marketplace),
        recorded_tenure=_recorded_tenure(random, tenure, gender, age),
    )


def logistic(odds: np.ndarray) -> np.ndarray:
    """Return the probability of each of these log odds."""
    return np.asarray(1 / (1 + np.exp(-odds)))


def _gender(random: np.random.Generator, n: int) -> np.ndarray:
    return random.choice(["female", "male"], n, p=[0.46, 0.54])


def _age(random: np.random.Generator, marketplace: np.ndarray) -> np.ndarray:
    """Two humps, the first households and the middle of working life, and a thin end after 70."""
    n = len(marketplace)
    young = random.random(n) < np.where(marketplace, 0.62, 0.5)
    years = np.where(young, 19 + random.gamma(2.6, 4.2, n), random.normal(48, 11.5, n))
    return np.asarray(np.clip(years, 18, 82).astype(int))


def _capacity(
    random: np.random.Generator, age: np.ndarray, tenure: np.ndarray, region: np.ndarray, prudence: np.ndarray
) -> np.ndarray:
    """Log-normal around a curve that rises with age and tenure and falls in retirement; never below the minimum."""
    factor = np.array([REGIONS[name][1] for name in region])
    curve = 7.6 + 0.015 * (np.minimum(age, 52) - 18) - 0.018 * np.maximum(age - 63, 0) + 0.014 * np.minimum(tenure, 20)
    return np.asarray(np.maximum(factor * np.exp(curve + 0.06 * prudence + random.normal(0, 0.36, len(age))), 850))


def _housing(random: np.random.Generator, age: np.ndarray, capacity: np.ndarray) -> np.ndarray:
    wealth = np.log(capacity / 2600) + 0.035 * (age - 40)
    utility = np.column_stack(
        [
            np.full(len(age), 0.9),
            0.1 + 1.5 * wealth - 0.03 * np.maximum(age - 58, 0),
            -1.0 + 1.4 * wealth + 0.05 * np.maximum(age - 52, 0),
            1.3 - 0.16 * (age - 18),
        ]
    )
    # The largest of utilities with Gumbel noise is a draw from the multinomial logit.
    best = np.argmax(utility + random.gumbel(size=utility.shape), axis=1)
    names = np.array(["rent", "mortgage", "own", "with family"])
    return np.asarray(names[best])


def _debt_ratio(
    random: np.random.Generator, prudence: np.ndarray, credit_lines: np.ndarray, housing: np.ndarray
) -> np.ndarray:
    centre = -1.55 + 0.11 * credit_lines - 0.30 * prudence + np.where(housing == "mortgage", 0.55, 0.0)
    mean = logistic(centre)
    return np.asarray(np.minimum(random.beta(7 * mean, 7 * (1 - mean)), 0.95).round(3))


def _recorded_income(capacity: np.ndarray, gender: np.ndarray, marketplace: np.ndarray) -> np.ndarray:
    share = np.where(gender == "female", INCOME_RECORDED, 1.0) * np.where(marketplace, MARKETPLACE_INCOME, 1.0)
    return np.asarray((capacity * share / 10).round() * 10)


def _recorded_tenure(
    random: np.random.Generator, tenure: np.ndarray, gender: np.ndarray, age: np.ndarray
) -> np.ndarray:
    interrupted = (gender == "female") & (age >= 27) & (random.random(len(age)) < INTERRUPTED)
    share = np.where(interrupted, random.uniform(0.1, 0.5, len(age)), 1.0)
    return np.asarray((tenure * share).round(1))
