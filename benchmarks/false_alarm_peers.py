"""The defaults of other drift suites on the same tables, each in an environment of its own.

The suites cannot share an environment, and none is a dependency. `peer_lines` makes the environments with pip and runs
this file inside each, where it imports the suite and numpy alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from false_alarm_worlds import FEATURES, SIZES, drift_tables

# With what each suite does not say itself that it needs.
PEERS = {
    "evidently": ("evidently", "pandas<3"),
    "nannyml": ("nannyml", "pandas<3", "statsmodels"),
    "deepchecks": ("deepchecks", "pandas<2.3", "numpy<2", "scikit-learn<1.4", "category_encoders<2.7", "setuptools<70"),
}
_COLUMNS = {
    "number": "a number",
    "counts": "a number of few values",
    "category": "a category",
    "rare": "a category with rare levels",
    "holes": "missing values",
}
# One draw of some suites takes half a second.
_SHARE = 0.2
_HOUR = 3600
_QUIET = {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"}

Alarms = Callable[[Any, Any], Mapping[str, float]]
"""What a suite says of a reference and a current table, by column: the share of its looks that alarm."""


def peer_lines(folder: Path, *, draws: int, moved: bool) -> Iterator[str]:
    """Yield the lines of each suite, or one that says why it is left out."""
    for name in PEERS:
        python = folder / name / "bin" / "python"
        try:
            if not python.exists():
                _install(folder / name, name)
            fewer = str(draws if moved else int(draws * _SHARE))
            command = [str(python), __file__, name, "--draws", fewer, *(["--moved"] if moved else [])]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_HOUR, check=True, env={**os.environ, **_QUIET}
            )
            answer = json.loads(done.stdout.splitlines()[-1])
        except (OSError, subprocess.SubprocessError, ValueError, IndexError) as problem:
            said = getattr(problem, "stderr", "") or str(problem)
            yield f"| {name}: left out, {str(said).strip().splitlines()[-1][:120]} | - | - |"
            continue
        for column, rates in answer["rates"].items():
            shown = " / ".join("-" if rate is None else f"{100 * rate:.1f}" for rate in rates)
            yield f"| {name} {answer['version']}: {_COLUMNS[column]} | | {shown} |"


def _install(place: Path, name: str) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    command = [str(place / "bin" / "pip"), "install", "--quiet", *PEERS[name]]
    subprocess.run(command, check=True, capture_output=True, text=True)


def _frames(rng: np.random.Generator, rows: int, *, moved: bool) -> tuple[Any, Any]:
    import pandas as pd

    reference, current = (pd.DataFrame(table) for table in drift_tables(rng, rows, moved=moved))
    wanted = [name for name in FEATURES if name in _COLUMNS]
    return reference[wanted].astype(_KINDS), current[wanted].astype(_KINDS)


_KINDS = {"category": "object", "rare": "object", "counts": "int64"}


def _evidently() -> tuple[str, Alarms]:
    """ValueDrift with the suite's own choice of test and threshold for each column."""
    import evidently
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    categories = ["category", "rare"]
    numbers = [name for name in _COLUMNS if name not in categories]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)

    def alarms(reference: Any, current: Any) -> dict[str, bool]:
        tables = [Dataset.from_pandas(frame, data_definition=definition) for frame in (current, reference)]
        found = Report([DataDriftPreset()]).run(*tables).dict()
        said: dict[str, bool] = {}
        for metric in found["metrics"]:
            config = metric["config"]
            if not str(config.get("type", "")).endswith("ValueDrift"):
                continue
            method, threshold, value = config["method"], config["threshold"], float(metric["value"])
            is_p_value = "p_value" in method
            said[config["column"]] = value < threshold if is_p_value else value >= threshold
        return said

    return evidently.__version__, alarms


def _nannyml() -> tuple[str, Alarms]:
    """UnivariateDriftCalculator with its default methods, thresholds and ten chunks; the share of chunks that alarm."""
    import nannyml

    def alarms(reference: Any, current: Any) -> dict[str, float]:
        calculator = nannyml.UnivariateDriftCalculator(column_names=list(reference))
        found = calculator.fit(reference).calculate(current).filter(period="analysis").to_df()
        return {name: float(found[name].xs("alert", axis=1, level=-1).to_numpy().mean()) for name in reference}

    return nannyml.__version__, alarms


def _deepchecks() -> tuple[str, Alarms]:
    """FeatureDrift with the scores and the limits of its default condition."""
    import deepchecks
    from deepchecks.tabular import Dataset
    from deepchecks.tabular.checks import FeatureDrift

    def alarms(reference: Any, current: Any) -> dict[str, bool]:
        tables = [Dataset(frame, cat_features=["category", "rare"]) for frame in (reference, current)]
        found = FeatureDrift().run(*tables).value
        return {name: float(one["Drift score"] or 0.0) > 0.2 for name, one in found.items()}

    return deepchecks.__version__, alarms


def main() -> None:
    """Print the alarm rates of one suite by column, at each size, as a line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=PEERS)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--moved", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    version, alarms = {"evidently": _evidently, "nannyml": _nannyml, "deepchecks": _deepchecks}[given.name]()
    rates: dict[str, list[float | None]] = {name: [] for name in _COLUMNS}
    for size in SIZES:
        rng = np.random.default_rng([2026, size, given.moved])
        said = [alarms(*_frames(rng, size, moved=given.moved)) for _ in range(given.draws)]
        for name, found in rates.items():
            known = [one[name] for one in said if name in one]
            found.append(sum(known) / len(known) if known else None)
    print(json.dumps({"version": version, "rates": rates}))


if __name__ == "__main__":
    main()
