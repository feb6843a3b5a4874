"""How often a learned data contract is broken by another table of the same law: of the same size, or one batch of it.

A column of each law is learned from and held against 20 batches and one table that were drawn anew.

    python benchmarks/learned_contracts.py [--draws 400]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from modelops.analyses.data_contract.checking import held
from modelops.analyses.data_contract.values import values_of
from modelops.domain.contract import Contract
from tests.analyses.samples import sample
from tests.analyses.test_learned_contract import LAWS, learned

SIZES = (500, 2_000, 10_000)
_BATCHES = 20


def main() -> None:
    """Print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=400)
    draws = parser.parse_args().draws
    sizes = " / ".join(f"{size:,}" for size in SIZES)
    print(f"| law | batches with an alarm, in % ({sizes} rows) | tables with an alarm, in % |\n|---|---|---|")
    for law in LAWS:
        rates = [broken(law, size, draws=draws) for size in SIZES]
        columns = (" / ".join(f"{100 * rate[place]:.2f}" for rate in rates) for place in (0, 1))
        print(f"| {law} | {' | '.join(columns)} |", flush=True)


def broken(law: str, size: int, *, draws: int) -> tuple[float, float]:
    """Return in which share of new batches, and of new tables, a check is broken."""
    batches = tables = 0
    for draw in range(draws):
        rng = np.random.default_rng([2026, size, draw])
        contract = learned({"a": LAWS[law](rng, size)})
        # As many rows as a run with the same reference makes its bounds for.
        rows = min(200, size // 20)
        batches += sum(_alarms(contract, LAWS[law](rng, rows)) for _ in range(_BATCHES))
        tables += _alarms(contract, LAWS[law](rng, size))
    return batches / (draws * _BATCHES), tables / draws


def _alarms(contract: Contract, values: np.ndarray) -> bool:
    column = {"a": values_of(sample({"a": values}, features=("a",)), "a")}
    return any(held(check.rule, column, len(values)).alarms(check.rule) for check in contract.checks)


if __name__ == "__main__":
    main()
