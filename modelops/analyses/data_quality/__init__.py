"""Is the data fit to be learned from: what is missing, doubled, contradictory, impossible, stale, or personal.

Each column is read once, two at a time; `columns` looks at one, `rows` at whole rows, `personal` for personal data,
`pairs` at columns that go together, `freshness` at the times. This module only declares: it is imported wherever
analyses are listed.
"""

from __future__ import annotations

from pydantic import Field

from modelops.analyses.base import Analysis, Computed, EvaluationData, Need, Parameters, Run
from modelops.domain.columns import Task
from modelops.domain.inventory import DatasetRole


class DataQualityParameters(Parameters):
    """What counts as missing, rare or far out in this data."""

    missing_values: tuple[str, ...] = Field(
        default=(), max_length=100, description="Further texts that stand for a missing value, whatever their case."
    )
    answers: tuple[str, ...] = Field(
        default=(),
        max_length=100,
        description="Texts that are answers here and not missing values, such as none or unknown.",
    )
    ranges: tuple[str, ...] = Field(
        default=(), max_length=1000, description="The values that make sense, as column=low..high (age=18..100)."
    )
    as_of: str = Field(
        default="",
        max_length=40,
        description="The date that ages are counted to, as 2026-01-31; empty: the newest row's.",
    )
    fence: float = Field(
        default=3.0,
        gt=0,
        le=100,
        description="Interquartile ranges beyond the quartiles from which a number is an outlier.",
    )
    rare_rows: int = Field(default=5, ge=1, le=100_000, description="A level with fewer rows is rare.")
    pair_strength: float = Field(
        default=0.8, gt=0, le=1, description="From which strength (0 to 1) on two columns are listed as going together."
    )
    rows: int = Field(
        default=10_000,
        ge=100,
        le=1_000_000,
        description="Rows on which columns are paired; drawn at random.",
    )


def data_quality(data: EvaluationData, parameters: DataQualityParameters, run: Run) -> Computed:
    """Examine every column, whole rows, labels and times of ``data.data``.

    Every row is looked at, apart from pairs of columns, which are sampled. Values that may be somebody's are counted
    and never shown. Nothing is judged.

    Raises
    ------
    NotMeasured
        If the table has no rows or no columns beside predictions and scores.
    InvalidInput
        If ``ranges`` or ``as_of`` cannot be read.
    """
    from modelops.analyses.data_quality.run import Examining

    return Examining(data, parameters, run).computed()


DATA_QUALITY = Analysis(
    key="data_quality",
    title="Data quality",
    question="Is the data complete, consistent, current and free of personal data, so that a model can rest on it?",
    serves=(
        "data.sensitive",
        "data.labelled",
        "data.current",
        "data.quality_over_quantity",
        "preprocessing.exploration",
    ),
    needs=frozenset(),
    tasks=frozenset(Task),
    parameters=DataQualityParameters,
    source=(
        "R. K. Pearson 2006 (values that stand for missing); M. Hubert and E. Vandervieren 2008 (outliers of skewed"
        " columns); W. Bergsma 2013 (association of levels); ISO/IEC 7812 and ISO 13616 (check digits of cards and"
        " accounts)"
    ),
    uses=frozenset({Need.TARGET, Need.TIME, Need.FEATURES}),
    looks_at=(DatasetRole.TRAIN, DatasetRole.TEST, DatasetRole.PRODUCTION, DatasetRole.REFERENCE),
    compute=data_quality,
)
