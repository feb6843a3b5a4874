"""What an author brings: a credit model with the tables it was trained and tested on, and the same model retrained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import skops.io

from modelops.demo.generator import FEATURES, SENSITIVE, TARGET, TEST_MONTHS, credit_decisions, month
from modelops.demo.training import fitted

_COLUMNS = ["application_id", *FEATURES, *SENSITIVE, TARGET]


@dataclass(frozen=True)
class CreditFiles:
    """The files in a folder."""

    model: Path
    retrained: Path
    test: Path
    train: Path
    note: Path


def credit_files(folder: Path) -> CreditFiles:
    """Make the tables, train for real, and write everything into ``folder``."""
    table = credit_decisions(1)
    months = month(table)
    train = table[months < TEST_MONTHS[0]]
    made = CreditFiles(
        model=folder / "credit-default.skops",
        retrained=folder / "credit-default-retrained.skops",
        test=folder / "decisions-2025-q1.parquet",
        train=folder / "decisions-2024.csv",
        note=folder / "impact-assessment.md",
    )
    skops.io.dump(fitted(train, train[TARGET], 1), made.model)
    later = train.iloc[len(train) // 4 :]
    skops.io.dump(fitted(later, later[TARGET], 1), made.retrained)
    table.loc[months.isin(TEST_MONTHS), _COLUMNS].to_parquet(made.test, index=False)
    train[_COLUMNS].to_csv(made.train, index=False)
    made.note.write_text(
        "# Who could be harmed\n\nWhoever is wrongly refused pays more elsewhere. A person decides each refusal.\n",
        encoding="utf-8",
    )
    return made
