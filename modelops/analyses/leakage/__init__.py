"""Could leakage have made the results look better than they are.

`duplicates` and `near` look for rows of the data in the training data, `entities` for ids, times and features from the
future, `single` judges every column alone against permuted labels, `model_checks` asks the model; `run` walks through
it all. This module only declares: it is imported wherever analyses are listed.
"""

from __future__ import annotations

from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.domain.columns import Task
from modelops.domain.inventory import DatasetRole


class LeakageParameters(Parameters):
    """How alike rows must be to count as the same, and how much work is done."""

    digits: int = Field(
        default=3, ge=1, le=12, description="Significant digits that numbers are rounded to for rounded duplicates."
    )
    distance: float = Field(
        default=0.02,
        gt=0,
        le=1,
        description="How far apart, in standard deviations, each number of near duplicates may be.",
    )
    near_rows: int = Field(
        default=10_000,
        ge=100,
        le=1_000_000,
        description="Rows of the data that near duplicates are looked for, among ten times as many training rows.",
    )
    rows: int = Field(
        default=20_000, ge=100, le=1_000_000, description="Rows on which single columns are judged; drawn at random."
    )
    permutations: int = Field(
        default=100, ge=20, le=10_000, description="How many times the labels are permuted to see what chance gives."
    )
    alpha: float = Field(default=0.05, gt=0, lt=0.5, description="Level of the tests that the summary speaks of.")
    single_rows: int = Field(
        default=30, ge=2, le=1000, description="Rows that the model is asked about one by one, if there is a model."
    )


def leakage(data: EvaluationData, parameters: LeakageParameters, run: Run) -> Computed:
    """Look for what the model could not have known, or has seen before.

    Exact and rounded duplicates, ids and times use every row; near duplicates and single columns are sampled, and say
    so. Nothing is judged: ``alpha`` enters the sentence alone.

    Raises
    ------
    NotMeasured
        If the data has no rows, or no column has the role of a feature.
    """
    from modelops.analyses.leakage.run import Searching

    return Searching(data, parameters, run).computed()


LEAKAGE = Analysis(
    key="leakage",
    title="Leakage",
    question="Could leakage have made the results look better than they are?",
    serves=("works.leakage",),
    needs=frozenset({Need.FEATURES}),
    tasks=frozenset(Task),
    parameters=LeakageParameters,
    source=(
        "S. Kaufman et al. 2012 and S. Kapoor and A. Narayanan 2023 (kinds of leakage); P. Indyk and R. Motwani 1998"
        " (near duplicates by hashing); B. Phipson and G. Smyth 2010 (permutation p-values); Y. Benjamini and"
        " Y. Hochberg 1995 (many columns)"
    ),
    uses=frozenset({Need.TRAIN, Need.TARGET, Need.PREDICTION, Need.SCORE, Need.TIME, Need.MODEL}),
    looks_at=(DatasetRole.TEST, DatasetRole.PRODUCTION, DatasetRole.REFERENCE, DatasetRole.TRAIN),
    compute=leakage,
)
