"""How often drift alarms without drift (5 in 100 is right), and how often it finds planted changes.

Every line is a simulation with its own seed; two standard errors of the rate stand beside it.

Run as ``python benchmarks/drift_alarms.py``, or quicker with ``--draws 200``.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from modelops.analyses.cores.kolmogorov_smirnov import kolmogorov_smirnov_statistic
from modelops.analyses.drift.classifier import Encoded, domain_classifier
from modelops.analyses.drift.distances import population_stability_index, stability_index_critical_value
from modelops.analyses.drift.homogeneity import homogeneity
from modelops.analyses.drift.kolmogorov import kolmogorov_smirnov_p_value
from modelops.analyses.drift.shares import missing_test

ALPHA = 0.05
FOLK_CUT = 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=2000)
    draws = parser.parse_args().draws
    print(f"{'simulation':<74}{'alarms':>8}{'+-':>7}")
    for place, (title, alarm, share) in enumerate(SIMULATIONS):
        rng = np.random.default_rng([11, place])
        count = max(50, int(draws * share))
        rate = sum(alarm(rng) for _ in range(count)) / count
        print(f"{title:<74}{100 * rate:>6.1f} %{200 * math.sqrt(rate * (1 - rate) / count):>6.1f}", flush=True)


def chi_squared(n: int, m: int, shares: list[float], other: list[float] | None = None) -> Callable[..., bool]:
    def alarm(rng: np.random.Generator) -> bool:
        counts = np.stack([rng.multinomial(n, shares), rng.multinomial(m, other or shares)])
        return homogeneity(counts, rng=rng).p_value <= ALPHA

    return alarm


def ks(n: int, m: int, shift: float = 0.0) -> Callable[..., bool]:
    def alarm(rng: np.random.Generator) -> bool:
        statistic = kolmogorov_smirnov_statistic(rng.normal(size=n), rng.normal(shift, 1, size=m))
        return kolmogorov_smirnov_p_value(statistic, n, m) <= ALPHA

    return alarm


def index(n: int, m: int, *, folk: bool) -> Callable[..., bool]:
    def alarm(rng: np.random.Generator) -> bool:
        reference, current = rng.normal(size=n), rng.normal(size=m)
        edges = np.quantile(reference, np.arange(1, 10) / 10)
        counts = [np.bincount(np.searchsorted(edges, side), minlength=10) for side in (reference, current)]
        cut = FOLK_CUT if folk else stability_index_critical_value(10, n, m)
        return population_stability_index(*counts) > cut

    return alarm


def missing(n: int, m: int, then: float, now: float) -> Callable[..., bool]:
    def alarm(rng: np.random.Generator) -> bool:
        found = missing_test((rng.binomial(n, then), rng.binomial(m, now)), (n, m), inflation=1.0)
        return found.p_value is not None and found.p_value <= ALPHA

    return alarm


def classifier(rows: int, rho: float = 0.0) -> Callable[..., bool]:
    def alarm(rng: np.random.Generator) -> bool:
        reference, current = rng.normal(size=(rows, 3)), rng.normal(size=(rows, 3))
        current[:, 1] = rho * current[:, 0] + math.sqrt(1 - rho**2) * current[:, 1]
        encoded = Encoded(("a", "b", "c"), reference, current)
        seed = int(rng.integers(1 << 30))
        found = domain_classifier(encoded, seed=seed, alpha=ALPHA, progress=lambda _: None)
        return found.separation.p_value <= ALPHA

    return alarm


RARE = [0.6, 0.3, 0.05, 0.02, 0.01, 0.01, 0.005, 0.005]
SIMULATIONS: tuple[tuple[str, Callable[..., bool], float], ...] = (
    ("no drift: chi-squared, 1,000 against 5,000 rows, five equal categories", chi_squared(1000, 5000, [0.2] * 5), 1),
    ("no drift: chi-squared, 500 against 500 rows, rare categories", chi_squared(500, 500, RARE), 1),
    ("no drift: chi-squared, 30 against 30 rows, rare categories", chi_squared(30, 30, RARE), 0.2),
    ("no drift: K-S, 1,000 against 200 rows", ks(1000, 200), 0.5),
    ("no drift: K-S, 12,000 against 12,000 rows", ks(12_000, 12_000), 0.2),
    ("no drift: stability index above its critical value, 2,000 against 2,000 rows", index(2000, 2000, folk=False), 1),
    ("no drift: stability index above the folk cut 0.1, 500 against 50 rows", index(500, 50, folk=True), 1),
    ("no drift: missing values, 2 %, 1,000 against 1,000 rows", missing(1000, 1000, 0.02, 0.02), 1),
    ("no drift: domain classifier, 1,000 against 1,000 rows", classifier(1000), 0.2),
    ("planted: mean moved by 0.2 deviations, K-S, 1,000 rows a side", ks(1000, 1000, 0.2), 0.2),
    ("planted: one of five equal categories from 20 to 26 %, 1,000 rows a side",
     chi_squared(1000, 1000, [0.2] * 5, [0.26, 0.185, 0.185, 0.185, 0.185]), 1),
    ("planted: missing values from 2 to 5 %, 1,000 rows a side", missing(1000, 1000, 0.02, 0.05), 1),
    ("planted: correlation from 0 to 0.8, domain classifier, 2,000 rows a side", classifier(2000, 0.8), 0.03),
    ("planted: correlation from 0 to 0.4, domain classifier, 2,000 rows a side", classifier(2000, 0.4), 0.03),
)  # fmt: skip

if __name__ == "__main__":
    main()
