"""The checks of data, leaks and labels through real processes, on a file as people have them: with all its flaws."""

import csv
import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from modelops.domain.result import AnalysisResult
from tests.cli.test_command_line import modelops

ROWS = 1200
ROLES = ("--target", "late", "--time", "applied_on", "--id", "customer_id", "--seed", "3")


@dataclass(frozen=True)
class Loans:
    """Two files of loans, and what was planted in them: rows counted from 1."""

    data: Path
    train: Path
    repeated: int
    shared: int
    wrong_labels: frozenset[int]


def loan(rng: np.random.Generator, number: int) -> dict[str, object]:
    applied = date(2024, 1, 1) + timedelta(days=int(rng.integers(0, 365)))
    income, age = float(rng.lognormal(10.4, 0.5)), int(rng.integers(19, 78))
    late = income < 26_000 or age < 24
    return {
        "customer_id": f"C{100_000 + number}",
        "name": f"{rng.choice(['Anna', 'Peter', 'Maria', 'Ahmed'])} {rng.choice(['Schmidt', 'Rossi', 'Khan'])}",
        "contact": f"customer{number}@example.org",
        "applied_on": applied.isoformat(),
        "closed_on": (applied + timedelta(days=int(rng.integers(5, 60)))).isoformat(),
        "age": -999 if rng.random() < 0.03 else age,
        "income": "" if rng.random() < 0.04 else f"{income:.2f}",
        "city": str(rng.choice(["Berlin", "Hamburg", "berlin ", "Munich"], p=[0.5, 0.2, 0.05, 0.25])),
        "employer": str(rng.choice(["public", "private", "n/a", "?", "none"], p=[0.3, 0.6, 0.04, 0.03, 0.03])),
        "currency": "EUR",
        "reminders": int(rng.integers(3, 9)) if late else int(rng.integers(0, 2)),
        "late": "yes" if late else "no",
    }


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def loans(tmp_path_factory) -> Loans:
    rng = np.random.default_rng(11)
    rows = [loan(rng, number) for number in range(ROWS)]
    wrong = rng.choice(ROWS, 60, replace=False).tolist()
    for row in wrong:
        rows[row]["late"] = "no" if rows[row]["late"] == "yes" else "yes"
    data = [*rows, *rows[:24]]
    train = [*rows[200:440], *(loan(rng, ROWS + number) for number in range(800))]
    folder = tmp_path_factory.mktemp("loans")
    return Loans(
        data=write(folder / "loans.csv", data),
        train=write(folder / "train.csv", train),
        repeated=24,
        shared=240,
        wrong_labels=frozenset(row + 1 for row in wrong),
    )


def analysed(key: str, loans: Loans, folder: Path, *more: object) -> AnalysisResult:
    out, page = folder / f"{key}.json", folder / f"{key}.html"
    done = modelops("analyze", key, "--data", loans.data, *ROLES, *more, "--out", out, "--html", page)
    assert done.returncode == 0, done.stdout + done.stderr
    assert page.stat().st_size < 1 << 20
    for secret in ("@example.org", "Schmidt", "Khan"):
        assert secret not in page.read_text(encoding="utf-8")
        assert secret not in out.read_text(encoding="utf-8")
    return AnalysisResult.model_validate(json.loads(out.read_text(encoding="utf-8")))


def test_the_flaws_of_a_file_are_found_and_nobody_is_named(loans, tmp_path):
    found = analysed("data_quality", loans, tmp_path, "--param", "as_of=2025-01-31")
    rows = ROWS + loans.repeated
    assert found.find("duplicate_row_rate").value == pytest.approx(loans.repeated / rows)
    assert found.find("personal_data_column_count").note == "name, contact"
    assert found.find("personal_data_rate", feature="contact", kind="e-mail address").value == 1
    assert found.find("constant_feature_count").note == "currency"
    assert found.find("disguised_missing_rate", feature="age").value == pytest.approx(0.03, abs=0.015)
    assert found.find("disguised_missing_rate", feature="employer").value == pytest.approx(0.1, abs=0.03)
    assert found.find("missing_rate", feature="income").value == pytest.approx(0.04, abs=0.015)
    assert found.find("minimum", feature="age").value == 19
    assert found.find("inconsistent_spelling_rate", feature="city").value == pytest.approx(0.05, abs=0.02)
    assert 31 <= found.find("newest_row_age").value <= 40


def test_the_leaks_between_two_files_are_found(loans, tmp_path):
    found = analysed("leakage", loans, tmp_path, "--train", loans.train)
    assert found.find("shared_row_rate", match="exact").value == pytest.approx(loans.shared / (ROWS + loans.repeated))
    assert found.find("shared_row_rate_by_chance", match="exact").value == 0
    assert found.find("shared_entity_rate", feature="customer_id").value == pytest.approx(
        loans.shared / (ROWS + loans.repeated)
    )
    assert found.find("feature_after_prediction_rate", column="closed_on").value == 1
    assert found.find("single_feature_roc_auc", feature="reminders").value > 0.9
    assert found.find("single_feature_adjusted_p_value", feature="reminders").value < 0.01
    assert found.find("batch_dependent_rate").value is None


def test_wrong_labels_are_found_without_scores(loans, tmp_path):
    features = ("--features", "age,income,reminders")
    found = analysed("label_quality", loans, tmp_path, *features)
    queue = next(table for table in found.tables if table.name == "review_queue")
    queued = {row[0] for row in queue.rows}
    assert len(queued & loans.wrong_labels) > 0.8 * len(loans.wrong_labels)
    assert len(queued & loans.wrong_labels) > 0.7 * len(queued)
