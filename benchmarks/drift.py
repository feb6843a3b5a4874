"""How long drift takes on two large tables, against a loop over scipy and against merely sorting every column.

Makes a reference and a current table of mixed types with 2 % missing values (seeded, kept in ``--dir``), then measures
each way in a process of its own, in turn, ``--repeats`` times, and prints medians and ratios. Times are of the whole
work, the reading of the Parquet files included; importing libraries is not (each process runs once on a small table
before).

Run as ``python benchmarks/drift.py``, or smaller: ``python benchmarks/drift.py --rows 100000 --columns 20``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

WARM_UP_ROWS = 15_000
TABLES = ("reference", "current")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--dir", type=Path, help="where the tables are kept; a temporary folder if not given")
    parser.add_argument("--ways", default=",".join(WAYS), help=f"which to run, of {', '.join(WAYS)}")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        measure(options.way, options.dir)
        return
    if options.dir:
        run(options, options.dir)
    else:
        with tempfile.TemporaryDirectory() as folder:
            run(options, Path(folder))


def run(options: argparse.Namespace, folder: Path) -> None:
    kept = folder / f"drift-{options.rows}x{options.columns}"
    make(kept, options.rows, options.columns)
    make(kept / "warm", WARM_UP_ROWS, options.columns)
    ways = options.ways.split(",")
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(options.repeats):
        for way in ways:
            command = [sys.executable, str(Path(__file__).resolve()), "--way", way, "--dir", str(kept)]
            answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment())
            found[way].append(json.loads(answer.stdout))
    show(options, found)


def environment() -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[1])
    return {**os.environ, "PYTHONPATH": root}


def show(options: argparse.Namespace, found: dict[str, list[dict[str, float]]]) -> None:
    print(f"\ndrift on {options.rows:,} rows x {options.columns} columns twice; medians of {options.repeats}")
    print(f"{'way':<42}{'seconds':>9}{'CPU s':>8}{'peak MB':>9}{'/ sort':>8}{'/ scipy':>9}")
    middle = {
        way: {name: statistics.median(each[name] for each in runs) for name in runs[0]} for way, runs in found.items()
    }
    for way, numbers in middle.items():
        ratios = [
            f"{numbers['seconds'] / middle[other]['seconds']:.2f}" if other in middle else "-"
            for other in ("sort", "scipy")
        ]
        line = f"{TITLES[way]:<42}{numbers['seconds']:>9.2f}{numbers['cpu']:>8.2f}{numbers['peak']:>9.0f}"
        print(line + f"{ratios[0]:>8}{ratios[1]:>9}")


def make(folder: Path, rows: int, columns: int) -> None:
    """Write both tables unless they are there: 6 of 10 columns floating-point, 2 whole numbers, 2 categories."""
    folder.mkdir(parents=True, exist_ok=True)
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


def measure(way: str, folder: Path) -> None:
    work = WAYS[way]
    work(folder / "warm")
    wall, cpu = time.perf_counter(), time.process_time()
    work(folder)
    numbers = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(json.dumps({**numbers, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


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
    "ours": ours,
    "sort": by_sorting,
    "scipy": by_scipy,
    "ours_with_classifier": ours_with_classifier,
}
TITLES = {
    "ours": "drift, all columns",
    "sort": "decode, sort every numeric column once",
    "scipy": "scipy, column loop (tests only)",
    "ours_with_classifier": "drift with the domain classifier",
}

if __name__ == "__main__":
    main()
