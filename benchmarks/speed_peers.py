"""The well-known drift suites on the tables of ``speed_drift.py``, each in an environment of its own.

They cannot share one, and none is a dependency. ``measured`` makes an environment with pip and runs this file inside
it, where the suite, numpy, pandas and pyarrow are all there is.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from speed_clock import peak_memory

# With what each suite does not say itself that it needs.
PEERS = {
    "nannyml": ("nannyml", "pandas<3", "statsmodels", "pyarrow"),
    "frouros": ("frouros", "pandas", "pyarrow"),
    "deepchecks": ("deepchecks", "pandas<2.3", "numpy<2", "scikit-learn<1.4", "setuptools<70", "pyarrow<20"),
    "alibi-detect": ("alibi-detect", "numpy<2", "setuptools<81", "pandas", "pyarrow<20"),
    "evidently": ("evidently", "pandas<3", "pyarrow"),
}
REMARKS = {
    "deepchecks": ", its default sample of 100,000 rows",
    "alibi-detect": ", without columns of thousands of categories, missing values filled",
}
_HOUR = 3600


class LeftOut(Exception):
    """Why a suite is not measured."""


def measured(name: str, folder: Path, tables: Path) -> dict[str, float]:
    """Return seconds and peak memory of one suite.

    Raises
    ------
    LeftOut
        If it cannot be installed or does not finish.
    """
    python = folder / name / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run(
                [sys.executable, "-m", "venv", str(folder / name)], check=True, capture_output=True, text=True
            )
            pip = [str(python), "-m", "pip", "install", "--quiet", *PEERS[name]]
            subprocess.run(pip, check=True, capture_output=True, text=True, timeout=_HOUR)
        command = [str(python), __file__, name, str(tables)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_HOUR)
        numbers: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as problem:
        said = str(getattr(problem, "stderr", "") or problem).strip()
        raise LeftOut(said.splitlines()[-1][:160] if said else type(problem).__name__) from problem
    return numbers


def _evidently() -> Callable[[Any, Any], None]:
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    def compare(reference: Any, current: Any) -> None:
        texts = _texts(reference)
        numbers = [name for name in reference if name not in texts]
        definition = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
        tables = [Dataset.from_pandas(frame, data_definition=definition) for frame in (current, reference)]
        Report([DataDriftPreset()]).run(*tables).dict()

    return compare


def _nannyml() -> Callable[[Any, Any], None]:
    import nannyml

    def compare(reference: Any, current: Any) -> None:
        calculator = nannyml.UnivariateDriftCalculator(
            column_names=list(reference),
            continuous_methods=["kolmogorov_smirnov"],
            categorical_methods=["chi2"],
            chunk_size=len(current),
        )
        calculator.fit(reference).calculate(current)

    return compare


def _deepchecks() -> Callable[[Any, Any], None]:
    from deepchecks.tabular import Dataset
    from deepchecks.tabular.checks import FeatureDrift

    def compare(reference: Any, current: Any) -> None:
        sides = [Dataset(frame, cat_features=_texts(reference)) for frame in (reference, current)]
        FeatureDrift().run(*sides)

    return compare


def _alibi_detect() -> Callable[[Any, Any], None]:
    import numpy as np
    import pandas as pd
    from alibi_detect.cd import TabularDrift

    def compare(reference: Any, current: Any) -> None:
        kept = [name for name in reference if not name.startswith("many")]
        both = pd.concat([reference[kept], current[kept]], ignore_index=True)
        places = {kept.index(name): None for name in _texts(both)}
        for name in _texts(both):
            both[name] = pd.factorize(both[name])[0]
        # It gives NaN for a column with a missing value.
        matrix = both.fillna(0).to_numpy(dtype=np.float32)
        detector = TabularDrift(matrix[: len(reference)], p_val=0.05, categories_per_feature=places)
        detector.predict(matrix[len(reference) :], drift_type="feature")

    return compare


def _frouros() -> Callable[[Any, Any], None]:
    from frouros.detectors.data_drift import ChiSquareTest, KSTest

    def compare(reference: Any, current: Any) -> None:
        texts = _texts(reference)
        for name in reference:
            detector = ChiSquareTest() if name in texts else KSTest()
            detector.fit(X=reference[name].dropna().to_numpy())
            detector.compare(X=current[name].dropna().to_numpy())

    return compare


_SUITES = {
    "evidently": _evidently,
    "nannyml": _nannyml,
    "deepchecks": _deepchecks,
    "alibi-detect": _alibi_detect,
    "frouros": _frouros,
}


def _texts(frame: Any) -> list[str]:
    return [name for name in frame if name.startswith(("category", "many"))]


def main() -> None:
    warnings.simplefilter("ignore")
    name, folder = sys.argv[1], Path(sys.argv[2])
    import pandas as pd

    compare = _SUITES[name]()

    def read(place: Path) -> tuple[Any, Any]:
        return tuple(pd.read_parquet(place / f"{side}.parquet") for side in ("reference", "current"))  # type: ignore[return-value]

    compare(*read(folder / "warm"))
    start, started = time.perf_counter(), time.process_time()
    compare(*read(folder))
    seconds = time.perf_counter() - start
    cpu = time.process_time() - started
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak_memory()}))


if __name__ == "__main__":
    main()
