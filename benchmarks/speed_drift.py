"""Drift of two large tables: a part of ``speed.py``.

A reference and a current table of mixed types with 2 % missing values. Held against merely reading them and sorting
each numeric column once, which any exact rank test does first, against a loop over SciPy, and against the drift suites
(``speed_peers.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

TABLES = ("reference", "current")
COLUMNS = 50


def make(folder: Path, rows: int) -> None:
    """Write both tables unless they are there: 6 of 10 columns floating-point, 2 whole numbers, 2 categories."""
    columns = COLUMNS
    for side, name in enumerate(TABLES):
        path = folder / f"{name}.parquet"
        if path.exists():
            continue
        rng = np.random.default_rng([7, side])
        table = pa.table(
            {f"{kind}{k}": column(kind, k, rows, rng, side) for k in range(columns) for kind in [KINDS[k % 10]]}
        )
        unfinished = path.with_suffix(".part")
        pq.write_table(table, unfinished, row_group_size=200_000)
        unfinished.rename(path)


KINDS = ("normal", "heavy", "whole", "category", "normal", "skewed", "normal", "wide", "many", "skewed")
MADE: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, rows: rng.normal(size=rows),
    "heavy": lambda rng, rows: rng.standard_t(2, size=rows),
    "skewed": lambda rng, rows: rng.lognormal(sigma=1.5, size=rows),
    "whole": lambda rng, rows: rng.poisson(40, size=rows),
    "wide": lambda rng, rows: rng.integers(0, 10**9, size=rows),
    "category": lambda rng, rows: rng.geometric(0.3, size=rows).clip(max=12),
    "many": lambda rng, rows: rng.zipf(1.3, size=rows).clip(max=20_000),
}


def column(kind: str, k: int, rows: int, rng: np.random.Generator, side: int) -> pa.Array:
    values = MADE[kind](rng, rows)
    if side and kind in ("normal", "skewed", "heavy"):
        values *= 1 + 0.002 * k
    missing = rng.random(rows) < 0.02
    if kind in ("category", "many"):
        codes, places = np.unique(values, return_inverse=True)
        names = pa.array([f"level {code}" for code in codes])
        return pa.DictionaryArray.from_arrays(pa.array(places, mask=missing), names).cast(pa.string())
    return pa.array(values, mask=missing)


def ours(folder: Path, *, domain_classifier: bool = False) -> None:
    from modelops.analyses.base import EvaluationData, Run, Sample
    from modelops.analyses.drift import DRIFT, DriftParameters
    from modelops.datasets.limits import TableFormat
    from modelops.datasets.opening import open_table
    from modelops.domain.columns import ColumnRoles, Task

    samples = []
    for name in TABLES:
        table = open_table(folder / f"{name}.parquet", TableFormat.PARQUET)
        samples.append(Sample(table, ColumnRoles(features=table.names)))
    data = EvaluationData(data=samples[1], reference=samples[0], task=Task.CLASSIFICATION)
    DRIFT.compute(data, DriftParameters(domain_classifier=domain_classifier), Run(seed=1))


def ours_with_classifier(folder: Path) -> None:
    ours(folder, domain_classifier=True)


def by_scipy(folder: Path) -> None:
    """Test one column after the other: the two-sample K-S test, or chi-squared on the counts."""
    import pandas as pd
    from scipy.stats import chi2_contingency, ks_2samp

    for name in pq.read_schema(folder / "reference.parquet").names:
        sides = [pq.read_table(folder / f"{table}.parquet", columns=[name]).column(0) for table in TABLES]
        if pa.types.is_string(sides[0].type):
            counts = pd.concat([side.to_pandas().value_counts() for side in sides], axis=1).fillna(0)
            chi2_contingency(counts.to_numpy().T)
        else:
            ks_2samp(*(side.drop_null().to_numpy() for side in sides))


def by_sorting(folder: Path) -> None:
    """Read both tables and sort every numeric column once, on two threads: no test at all."""
    names = pq.read_schema(folder / "reference.parquet").names
    texts = [name for name in names if name.startswith(("category", "many"))]
    pa.set_cpu_count(2)
    tables = [
        pq.ParquetFile(folder / f"{table}.parquet", read_dictionary=texts, memory_map=True).read() for table in TABLES
    ]

    def sort(name: str) -> None:
        for table in tables:
            np.sort(table.column(name).drop_null().to_numpy())

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(sort, [name for name in names if name not in texts]))


WAYS: dict[str, Callable[[Path], None]] = {
    "drift, all columns and statistics": ours,
    "read, sort every numeric column once": by_sorting,
    "SciPy, a loop over columns (tests only)": by_scipy,
    "drift with the domain classifier": ours_with_classifier,
}
OURS = frozenset({"drift, all columns and statistics"})
